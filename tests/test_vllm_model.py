"""What is known of a model before it is loaded: its size, its context, its GPUs, by files, config or name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.errors import ConfigError
from ssui_gen.serving.vllm_machine import Machine
from ssui_gen.serving.vllm_model import Model, about
from ssui_gen.serving.vllm_share import USED_SHARE, gpus_each, needed
from ssui_gen.serving.vllm_sizes import by_config, by_name

H200, A10, H100S, LAPTOP = Machine(1, 140.0), Machine(4, 23.0), Machine(8, 80.0), Machine(0, 0.0)
HASH = "0123456789abcdef0123456789abcdef01234567"
CONFIG: dict[str, Any] = {"model_type": "qwen2_5_vl", "vision_config": {}, "max_position_embeddings": 128000}
SCOUT = {
    "model_type": "llama4",
    "vision_config": {"hidden_size": 1408, "num_hidden_layers": 34, "intermediate_size": 5632},
    "text_config": {
        "hidden_size": 5120,
        "num_hidden_layers": 48,
        "vocab_size": 202048,
        "intermediate_size": 8192,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "num_local_experts": 16,
        "intermediate_size_mlp": 16384,
        "interleave_moe_layer_step": 1,
    },
}
MAVERICK = {
    **SCOUT,
    "text_config": {**SCOUT["text_config"], "num_local_experts": 128, "interleave_moe_layer_step": 2},
}
QWEN3_MOE = {
    "vision_config": {"hidden_size": 1152, "depth": 27, "intermediate_size": 4304},
    "text_config": {
        "hidden_size": 2048,
        "num_hidden_layers": 48,
        "vocab_size": 151936,
        "intermediate_size": 6144,
        "num_attention_heads": 32,
        "num_key_value_heads": 4,
        "head_dim": 128,
        "num_experts": 128,
        "moe_intermediate_size": 768,
        "decoder_sparse_step": 1,
    },
}
QWEN_7B = {
    "vision_config": {"hidden_size": 1280, "depth": 32, "intermediate_size": 3420},
    "hidden_size": 3584,
    "num_hidden_layers": 28,
    "vocab_size": 152064,
    "intermediate_size": 18944,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
}


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


def folder(place: Path, config: dict[str, Any] | None = None, **sizes: int) -> Path:
    """A model's folder; `sizes` are files, `__` for a dot, in bytes that take no room on disk."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text(json.dumps(CONFIG if config is None else config))
    for name, size in sizes.items():
        with (place / name.replace("__", ".")).open("wb") as file:
            file.truncate(size)
    return place


def index(place: Path, *shards: str, total: Any = None) -> None:
    listed = {
        "metadata": {"total_size": total},
        "weight_map": {f"w{i}": name for i, name in enumerate(shards)},
    }
    (place / "model.safetensors.index.json").write_text(json.dumps(listed))


@pytest.mark.parametrize(
    ("name", "gigabytes"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", 14.7),
        ("Qwen/Qwen2.5-VL-72B-Instruct-AWQ", 42.5),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct-FP8", 31.5),
        ("llava-hf/llava-v1.6-mistral-7b-hf", 14.7),
        ("HuggingFaceTB/SmolVLM-256M-Instruct", 0.54),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 228.9),
        ("zai-org/GLM-4.5V", 226.8),
        ("zai-org/GLM-4.6V-Flash", 21.0),
        ("moonshotai/Kimi-VL-A3B-Instruct", 34.4),
        ("google/gemma-3n-E4B-it", 16.8),
        ("someone/new-17B-128E", None),
        ("someone/no-size", None),
        ("someone/a3b", None),
    ],
)
def test_weights_are_told_by_the_name(name: str, gigabytes: float | None) -> None:
    assert by_name(name) == (gigabytes and pytest.approx(gigabytes, rel=0.02))


@pytest.mark.parametrize(
    ("config", "billions"), [(QWEN_7B, 8.3), (QWEN3_MOE, 31.0), (SCOUT, 108.6), (MAVERICK, 400.0)]
)
def test_weights_are_told_by_the_shapes_experts_included(config: dict[str, Any], billions: float) -> None:
    assert by_config(config) == pytest.approx(2 * billions, rel=0.03)


@pytest.mark.parametrize(
    ("quantized", "share"),
    [
        ({"quant_method": "awq", "bits": 4}, 0.275),
        ({"quant_method": "fp8"}, 0.5),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 0.28),
        ({"quant_method": "mxfp4"}, 0.28),
        ({"config_groups": {"g": {"weights": {"num_bits": 8}}}}, 0.55),
        ({"quant_method": "unheard of"}, 1.0),
    ],
)
def test_quantized_weights_are_smaller(quantized: dict[str, Any], share: float) -> None:
    plain, less = by_config(QWEN_7B), by_config({**QWEN_7B, "quantization_config": quantized})
    assert plain and less == pytest.approx(plain * share, rel=0.02)


JSON = st.recursive(
    st.sampled_from([None, True, "", "x", 0, -1, 7, 1.5, 10**400]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*QWEN_7B, "bits"]), inner),
    max_leaves=6,
)


@given(changes=st.dictionaries(st.sampled_from([*QWEN3_MOE["text_config"], "tie_word_embeddings"]), JSON))
def test_a_config_of_any_shape_tells_a_size_or_nothing(changes: dict[str, Any]) -> None:
    text = {**QWEN3_MOE["text_config"], **changes}
    size = by_config({**QWEN3_MOE, "text_config": text, "quantization_config": changes.get("head_dim")})
    assert size is None or 0 < size < 10**12


def test_files_win_over_shapes_and_shapes_over_the_name(tmp_path: Path) -> None:
    assert about(str(folder(tmp_path / "a-70b", QWEN_7B, model__safetensors=9_000_000_000))).weights == 9.0
    assert about(str(folder(tmp_path / "b-70b", QWEN_7B))).weights == pytest.approx(16.6, rel=0.03)
    assert about(str(folder(tmp_path / "c-70b"))).weights == pytest.approx(147.0)


def test_the_same_weights_in_two_layouts_are_counted_once(tmp_path: Path) -> None:
    """As Mistral publishes them; an adapter that lies beside them is no weights."""
    place = folder(
        tmp_path / "m", consolidated__safetensors=8_000_000_000, model_a__safetensors=5_000_000_000
    )
    folder(place, model_b__safetensors=3_000_000_000, adapter_model__safetensors=1_000_000_000)
    assert about(str(place)).gigabytes == 8.0
    index(place, "model_a.safetensors", "model_b.safetensors", total=7)
    assert about(str(place)).gigabytes == 8.0, "what lies there wins over what the index says"


def test_a_folder_that_lacks_a_file_of_its_index_is_refused(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", one__safetensors=10)
    index(place, "one.safetensors", "two.safetensors", total=20_000_000_000)
    with pytest.raises(ConfigError, match=r"two\.safetensors: no such file, .*1 of 2 files are missing"):
        about(str(place))


def test_a_pointer_to_weights_is_no_weights(tmp_path: Path) -> None:
    place = folder(tmp_path / "m")
    (place / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ConfigError, match=r"model\.safetensors: a Git LFS pointer, .*git lfs pull"):
        about(str(place))


@pytest.mark.parametrize("wrong", ["{", "[]", '{"weight_map": 3}', '{"metadata": {"total_size": "x"}}'])
def test_a_broken_index_is_told_in_one_line_or_counts_for_nothing(tmp_path: Path, wrong: str) -> None:
    place = folder(tmp_path / "a-7b")
    (place / "model.safetensors.index.json").write_text(wrong)
    try:
        assert about(str(place)).weights == pytest.approx(14.7)
    except ConfigError as error:
        assert "index.json" in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("by", ["HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"])
def test_what_the_hubs_cache_holds_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    hub = {"HF_HOME": "hub", "HF_HUB_CACHE": "", "XDG_CACHE_HOME": "huggingface/hub"}[by]
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv(by, str(tmp_path / "kept"))
    kept = tmp_path / "kept" / hub / "models--org--name"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text(f"{HASH}\n")
    config = {**SCOUT, "text_config": {**SCOUT["text_config"], "max_position_embeddings": 10_485_760}}
    place = folder(kept / "snapshots" / HASH, config)
    index(place, "one.safetensors", total=217_000_000_000)
    model = about("org/name")
    assert (model.gigabytes, model.kind, model.heads, model.local) == (217.0, "llama4", 40, False)
    assert about("org/name", HASH) == model and about("org/name", "v2") == Model("org/name")


@pytest.mark.parametrize("ref", ["", "../../../etc", "\0", "gone", HASH])
def test_a_cache_that_holds_no_snapshot_is_as_none(tmp_path: Path, ref: str) -> None:
    kept = tmp_path / "hf" / "hub" / "models--org--a-7b" / "refs"
    kept.mkdir(parents=True)
    (kept / "main").write_text(ref)
    assert about("org/a-7b") == Model("org/a-7b")


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 4.0}}, 16384),
        ({"max_position_embeddings": 4096, "rope_scaling": {"rope_type": "dynamic", "factor": 2}}, 8192),
        ({"max_position_embeddings": 131072, "rope_scaling": {"type": "longrope", "factor": 32}}, 131072),
        ({"max_position_embeddings": 32768, "rope_parameters": {"rope_type": "yarn", "factor": 4}}, 32768),
        ({"max_position_embeddings": 32768, "rope_scaling": {"type": "mrope"}}, 32768),
        ({"max_position_embeddings": 8192, "rope_parameters": {"full_attention": {"factor": 8}}}, 8192),
        ({"max_position_embeddings": "many"}, None),
        ({"rope_scaling": None}, None),
    ],
)
@pytest.mark.parametrize("part", ["text_config", "llm_config", "language_config", None])
def test_the_context_is_that_of_the_language_model(
    tmp_path: Path, text: dict[str, Any], context: int | None, part: str | None
) -> None:
    config = {"vision_config": {}, **({part: text} if part else text)}
    assert about(str(folder(tmp_path / "m", config))).context == context


def said(model: Model, machine: Machine, **typed: Any) -> tuple[int, list[str]]:
    lines: list[str] = []
    return gpus_each(model, machine, typed, lines.append), lines


@pytest.mark.parametrize(
    ("model", "machine", "each"),
    [
        (Model("Qwen/Qwen2.5-VL-7B-Instruct"), H200, 1),
        (Model("Qwen/Qwen2.5-VL-7B-Instruct"), A10, 1),
        (Model("Qwen/Qwen2.5-VL-32B-Instruct"), A10, 4),
        (Model("Qwen/Qwen2.5-VL-72B-Instruct"), H100S, 4),
        (Model("Qwen/Qwen2.5-VL-7B-Instruct"), LAPTOP, 0),
        (Model("meta-llama/Llama-4-Scout-17B-16E-Instruct"), H100S, 8),
        (Model("a", gigabytes=240.0, heads=40), H100S, 8),
        (Model("a", gigabytes=240.0, heads=28), H100S, 4),
        (Model("a", gigabytes=20.0, heads=25), Machine(2, 23.0), 1),
    ],
)
def test_a_replica_has_as_many_gpus_as_its_weights_need(model: Model, machine: Machine, each: int) -> None:
    assert said(model, machine) == (each, [])


def test_a_size_that_nothing_tells_is_never_taken_for_none() -> None:
    each, lines = said(Model("someone/no-size"), H100S)
    assert each == 1 and len(lines) == 1
    assert "someone/no-size: how large its weights are is not known" in lines[0]
    assert "--tensor-parallel-size" in lines[0]


@pytest.mark.parametrize(
    ("model", "machine", "says"),
    [
        (
            Model("a-72B"),
            Machine(1, 80.0),
            r"a-72B: about 151 GB of weights, .*take 74 GB of 1 GPU of 80 GB:",
        ),
        (Model("a", 400.0), Machine(4, 80.0), r"a: about 400 GB .*294 GB of 4 GPUs of 80 GB: take more"),
        (Model("a", 400.0, heads=28), H100S, r"4 GPUs of 80 GB \(28 attention heads divide by no more\)"),
    ],
)
def test_a_model_that_cannot_fit_is_refused_with_the_numbers(
    model: Model, machine: Machine, says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        said(model, machine)
    assert "\n" not in str(caught.value)
    for flag in ("cpu-offload-gb", "quantization", "load-format"):
        assert said(model, machine, **{flag: "x"})[0] >= 1, "then the user knows better"


def test_what_is_typed_is_shared_out_as_it_is() -> None:
    typed = {"tensor-parallel-size": "4", "pipeline-parallel-size": 2}
    assert said(Model("someone/no-size"), H100S, **typed) == (8, [])
    with pytest.raises(ConfigError, match=r"--tensor-parallel-size 16: expected at most 8 GPUs"):
        said(Model("a-7b"), H100S, **{"tensor-parallel-size": 16})
    with pytest.raises(ConfigError, match=r"--tensor-parallel-size two: expected whole numbers"):
        said(Model("a-7b"), H100S, **{"tensor-parallel-size": "two"})


@given(
    weights=st.floats(0.01, 2000),
    heads=st.none() | st.integers(1, 128),
    machine=st.builds(Machine, st.integers(1, 16), st.floats(4, 200)),
)
def test_gpus_always_divide_the_heads_and_more_are_taken_only_where_they_help(
    weights: float, heads: int | None, machine: Machine
) -> None:
    each = needed(weights, heads, machine)
    assert 1 <= each <= machine.gpus and (heads or each) % each == 0
    if each > 1:
        assert weights > each / 2 * machine.gigabytes * USED_SHARE * 0.69, "half as many would have done"


def test_a_folder_is_a_folder_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "org" / "name", QWEN_7B)
    monkeypatch.chdir(tmp_path)
    assert about("org/name").local and about(str(tmp_path / "org" / "name")).local
