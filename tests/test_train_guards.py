"""What is refused before a training: blind models, models without a language part, too large ones, math."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tiny_families import tiny
from torch.nn.attention import SDPBackend
from training import Training
from transformers import (
    Llama4Config,
    Llama4ForConditionalGeneration,
    LlavaForConditionalGeneration,
    Qwen3_5Config,
    Qwen3_5ForConditionalGeneration,
    Qwen3VLMoeConfig,
    Qwen3VLMoeForConditionalGeneration,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
)
from trees import Case, eyes, with_lora

from ssui_gen.errors import ConfigError, TrainError
from ssui_train.attention import allowed, kernels
from ssui_train.config import Lora, SrpoConfig
from ssui_train.encode import Encoder
from ssui_train.families import refuse_blind_tree, unpackable
from ssui_train.forward import read
from ssui_train.job import packed_as
from ssui_train.launch import arguments
from ssui_train.loss import USUAL
from ssui_train.model import language_model, unreached
from ssui_train.rows import RowMaker
from ssui_train.size import Weights, refuse_too_large, weights
from ssui_train.trainer import SrpoTrainer

pytestmark = pytest.mark.filterwarnings("default::FutureWarning", "default::UserWarning")
TEXT: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "pad_token_id": 0,
}
ROPE = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3], "mrope_interleaved": True}
TOWER: dict[str, Any] = {
    "depth": 1,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_heads": 2,
    "out_hidden_size": 32,
}


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training(tmp_path_factory.mktemp("guards"))


# --- blind -----------------------------------------------------------------------------------------


class Swallowing(LlavaForConditionalGeneration):  # type: ignore[misc]
    """Takes what it does not know, as every model of transformers below 5.18 takes a tree's pictures."""

    def forward(self, input_ids: Any = None, **told: Any) -> Any:
        told.pop("mm_encoder_outputs", None)
        return super().forward(input_ids=input_ids, **told)


def test_a_model_that_does_not_name_the_pictures_features_gets_no_tree() -> None:
    model, _ = tiny("llava")
    refuse_blind_tree(model)
    with pytest.raises(ConfigError, match=r"Swallowing .* would train blind: install transformers>=5\.18"):
        packed_as(SrpoConfig(model="tiny"), Swallowing(model.config), print)


@pytest.mark.parametrize("packing", ["tree", "none"])
def test_a_model_to_which_red_is_blue_is_not_trained(
    training: Training, tmp_path: Path, packing: str
) -> None:
    """Its projector gives zeros: nothing fails, and pictures teach nothing."""
    blind, processor = tiny("llava")
    with torch.no_grad():
        blind.model.multi_modal_projector.linear_2.weight.zero_()
        blind.model.multi_modal_projector.linear_2.bias.zero_()
    blind.save_pretrained(tmp_path / "blind")
    processor.save_pretrained(tmp_path / "blind")
    with pytest.raises(ConfigError, match=rf"trains blind: with packing: {packing}"):
        training.here(f"blind_{packing}", f"model={tmp_path / 'blind'}", f"packing={packing}")


# --- families --------------------------------------------------------------------------------------


def llama4() -> Any:
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
              "vision_output_dim": 64, "projector_input_dim": 64, "projector_output_dim": 64,
              "image_size": 28}  # fmt: skip
    text = {**TEXT, "intermediate_size_mlp": 64, "num_local_experts": 2, "head_dim": 16}
    return Llama4ForConditionalGeneration(Llama4Config(text_config=text, vision_config=vision))


def smolvlm() -> Any:
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
              "image_size": 32, "patch_size": 16}  # fmt: skip
    text = {**TEXT, "model_type": "llama"}
    return SmolVLMForConditionalGeneration(SmolVLMConfig(text_config=text, vision_config=vision))


def moe() -> Any:
    text = {**TEXT, "moe_intermediate_size": 16, "num_experts": 4, "num_experts_per_tok": 2, "head_dim": 16,
            "rope_parameters": ROPE}  # fmt: skip
    vision = {**TOWER, "deepstack_visual_indexes": [0]}
    return Qwen3VLMoeForConditionalGeneration(Qwen3VLMoeConfig(text_config=text, vision_config=vision))


def recurrent() -> Any:
    heads = {"linear_num_key_heads": 2, "linear_num_value_heads": 2}
    text = {**TEXT, **heads, "head_dim": 16, "linear_key_head_dim": 16, "linear_value_head_dim": 16}
    return Qwen3_5ForConditionalGeneration(Qwen3_5Config(text_config=text, vision_config=TOWER))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (llama4, r"Llama4\w+ \(llama4\) has no part model\.language_model to adapt, only vision_model"),
        (smolvlm, r"SmolVLM\w+ \(smolvlm\) has no part .*, only vision_model, connector, text_model"),
    ],
)
def test_a_model_without_a_language_part_is_refused_in_words(made: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        language_model(made())


def test_experts_that_no_adapter_reaches_are_named() -> None:
    said = unreached(moe(), SrpoConfig(model="tiny", lora=Lora(targets="all-linear")))
    assert said == [
        "lora.targets: the experts of qwen3_vl_moe are no linear layers, so no adapter reaches them: "
        "all-linear means k_proj, o_proj, q_proj, v_proj"
    ]


def test_recurrent_layers_get_no_tree_and_are_named_where_they_are_missed() -> None:
    model, said = recurrent(), list[str]()
    assert packed_as(SrpoConfig(model="tiny"), model, said.append) == "none"
    assert "qwen3_5 has layers of linear_attention, which no mask divides" in said[0]
    (missed,) = unreached(model, SrpoConfig(model="tiny"))
    assert "q_proj, v_proj are in 1 of 4 layers" in missed
    for targets in ("all-linear", ("q_proj", "in_proj_qkv")):
        assert not unreached(model, SrpoConfig(model="tiny", lora=Lora(targets=targets)))  # type: ignore[arg-type]


def test_a_window_narrower_than_a_continuation_gets_no_tree() -> None:
    model, _ = tiny("aya_vision")
    assert unpackable(model, 4096) is None
    assert unpackable(model, 4097) == "aya_vision looks back 4,096 tokens only, fewer than max_tokens 4,097"
    mistral, _ = tiny("mistral3")
    assert unpackable(mistral, 10**6) is None
    mistral.config.text_config.sliding_window = 512
    assert "looks back 512" in str(unpackable(mistral, 4096))


# --- kernels ---------------------------------------------------------------------------------------


def test_on_a_gpu_the_math_kernel_is_never_among_those_allowed() -> None:
    assert SDPBackend.EFFICIENT_ATTENTION in allowed("cuda", "sdpa")
    assert SDPBackend.MATH not in allowed("cuda", "sdpa")
    assert allowed("cpu", "sdpa") == allowed("cuda", "eager") == ()


def test_where_no_allowed_kernel_fits_it_is_said_and_nothing_falls_back() -> None:
    """The CPU has no memory-efficient kernel: what a GPU does with an odd model."""
    base, processor = tiny("llava")
    encoder = Encoder(processor, base)
    case = Case(encoder)
    row = RowMaker(USUAL["srpo"])([case.example])
    with (
        pytest.raises(
            TrainError, match=r"^attention: no memory-efficient kernel \(efficient\) .* attention: eager"
        ),
        kernels([SDPBackend.EFFICIENT_ATTENTION]),
    ):
        read(base, base, row, eyes(encoder, case))
    with pytest.raises(RuntimeError, match="shape"), kernels([SDPBackend.EFFICIENT_ATTENTION]):
        torch.zeros(2) @ torch.zeros(3, 3)


def test_the_trainer_keeps_to_its_kernels_forward_and_back_and_when_it_looks(training: Training) -> None:
    base, processor = tiny("llava")
    encoder = Encoder(processor, base)
    case = Case(encoder)
    trainer = SrpoTrainer(
        with_lora(base), arguments(training.config("kernels"), cpu=True, half=False), RowMaker(USUAL["srpo"]),
        eyes(encoder, case), train=[case.example] * 2, watched=[case.example], say=print,
    )  # fmt: skip
    assert trainer.kernels == ()
    trainer.kernels = (SDPBackend.EFFICIENT_ATTENTION,)
    row = RowMaker(USUAL["srpo"])([case.example])
    for go in (trainer.train, trainer.evaluate, lambda: trainer.says(row, trainer.eyes)):
        with pytest.raises(TrainError, match="no memory-efficient kernel"):
            go()


# --- size ------------------------------------------------------------------------------------------


def test_an_index_without_its_shards_tells_the_sum(tmp_path: Path) -> None:
    """32.8 billion weights in bf16, one GPU of 40 GB: refused, and 4 bits would fit."""
    index = {"metadata": {"total_size": 65_600_000_000}, "weight_map": {"a.weight": "model-1.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(
        ConfigError,
        match=r"65\.6 GB in bfloat16, and 40\.0 GB .* quantize: 4bit \(about 18\.\d GB\), or start several ",
    ):
        refuse_too_large(str(tmp_path), "none", torch.bfloat16, 40 * 10**9)
    refuse_too_large(str(tmp_path), "none", torch.bfloat16, 80 * 10**9)
    refuse_too_large(str(tmp_path), "4bit", torch.bfloat16, 40 * 10**9)
    with pytest.raises(ConfigError, match=r"in 4 bits, .*smaller model or a larger GPU; each of the 4 proc"):
        refuse_too_large(str(tmp_path), "4bit", torch.bfloat16, 10 * 10**9, processes=4)
    with pytest.raises(ConfigError, match=r"each of the 4 .* shard: true would have each hold 16\.4 GB, and"):
        refuse_too_large(str(tmp_path), "none", torch.bfloat16, 40 * 10**9, processes=4)
    refuse_too_large(str(tmp_path), "none", torch.bfloat16, 20 * 10**9, processes=4, shard=True)
    with pytest.raises(ConfigError, match=r"each of the 4 processes hold 16\.4 GB: start more"):
        refuse_too_large(str(tmp_path), "none", torch.bfloat16, 10 * 10**9, processes=4, shard=True)
    with pytest.raises(ConfigError, match=r"larger GPU \(quantize: 4bit would take about 18\.\d GB\)"):
        refuse_too_large(str(tmp_path), "none", torch.bfloat16, 10 * 10**9)


def test_what_is_stored_in_fp32_is_half_as_many_weights(tmp_path: Path) -> None:
    index = {"metadata": {"total_size": 4000}, "weight_map": {"a": "model-1.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert weights(str(tmp_path)) == Weights(2000, 0)
    (tmp_path / "config.json").write_text('{"dtype": "float32"}')
    assert weights(str(tmp_path)) == Weights(1000, 0)


def test_headers_tell_what_4_bits_would_hold(tmp_path: Path) -> None:
    """The tower, the head, embeddings and norms stay as they are."""
    parts: dict[str, tuple[int, ...]] = {
        "model.visual.blocks.0.attn.qkv.weight": (8, 8),
        "lm_head.weight": (10, 8),
        "model.language_model.embed_tokens.weight": (10, 8),
        "model.language_model.layers.0.norm.weight": (8,),
    }
    linear: dict[str, tuple[int, ...]] = {"model.language_model.layers.0.q_proj.weight": (8, 16)}
    shards = {"model-1.safetensors": parts, "model-2.safetensors": linear}
    for shard, shapes in shards.items():
        save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, tmp_path / shard)
    where = {name: shard for shard, shapes in shards.items() for name in shapes}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    found = weights(str(tmp_path))
    assert found == Weights(linear=128, rest=64 + 80 + 80 + 8)
    assert found.held(torch.bfloat16, "none") == 2 * (128 + 232)
    assert found.held(torch.float32, "4bit") == 128 * 0.5625 + 4 * 232


def test_a_saved_model_is_counted_to_the_last_weight(training: Training) -> None:
    model, _ = tiny("llava")
    found = weights(str(training.model))
    assert found is not None
    assert sum(found) == sum(weight.numel() for weight in model.parameters())


def test_a_model_that_is_nowhere_tells_nothing(tmp_path: Path) -> None:
    assert weights(str(tmp_path)) is None
    assert weights("nobody/nothing-at-all") is None
    refuse_too_large("nobody/nothing-at-all", "none", torch.bfloat16, 1)
