"""The model that is trained: loaded frozen, with a LoRA adapter on its language model and nowhere else."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import torch.distributed as dist
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from transformers import AutoModelForImageTextToText, AutoProcessor, BitsAndBytesConfig

from ssui_gen.errors import ConfigError, TrainError
from ssui_gen.jsonl import read_object
from ssui_gen.serving.chat_templates import template_for
from ssui_train.config import SrpoConfig
from ssui_train.sharded import FIRST, Shards, shards_of
from ssui_train.size import SPARED, refuse_too_large

CONFIG = "adapter_config.json"
BROKEN = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, EOFError),
    *(UnpicklingError, SafetensorError),
)
"""What the libraries raise for weights or settings of an adapter that are damaged."""
FACTS = "training.json"
"""Beside the adapter: what it was made of."""
RECURRENT = ("in_proj_qkv", "out_proj")
"""The linear layers of Qwen 3.5's recurrent ones that do what q_proj, v_proj and o_proj do elsewhere."""
SAMPLED = 16
"""Weights of each adapted layer that a fingerprint looks at."""


def device() -> torch.device:
    """The GPU of this process, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(config: SrpoConfig) -> torch.dtype:
    """What the frozen weights are held in; raises ConfigError for bf16 where nothing can it."""
    able = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    if config.precision == "bf16" and not able:
        raise ConfigError(
            "precision: bf16 needs a GPU that knows it, and there is none here: take auto or fp32"
        )
    return torch.bfloat16 if able and config.precision != "fp32" else torch.float32


def load_base(config: SrpoConfig) -> tuple[Any, Any]:
    """The frozen model, without dropout, and its processor; raises ConfigError."""
    name, options = str(config.model), _quantized(config)
    shards = _shards() if config.shard else None
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        several = int(os.environ.get("WORLD_SIZE", 1))
        refuse_too_large(name, config.quantize, precision(config), free, several, config.shard)
    if shards and shards.rank != FIRST:
        options["device_map"] = "meta"
    try:
        model = AutoModelForImageTextToText.from_pretrained(
            name, dtype=precision(config), attn_implementation=kernel(config), **options
        )
        processor = AutoProcessor.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"model: {name}: cannot be loaded: {error}") from None
    if not hasattr(processor, "image_processor"):
        raise ConfigError(f"model: {name}: no processor for pictures could be made: pip install torchvision")
    as_served(model, processor, name)
    language_model(model)
    without_dropout(model)
    model.requires_grad_(False)
    if shards:
        shards.fingerprint = shards.told(fingerprint(model) if shards.rank == FIRST else "")
        shards.take(model)
    return model, processor


def _shards() -> Shards:
    """How the processes share a base out; raises ConfigError where there is one process."""
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        raise ConfigError(
            "shard: true has several processes hold a part of the model each, and this is one: start "
            "them (accelerate launch --num_processes 4 -m ssui_train.srpo ...; on CPUs it starts one, take "
            "torchrun --nproc-per-node 4 -m ssui_train.srpo ...), or leave shard out"
        )
    return Shards(device())


def kernel(config: SrpoConfig) -> str:
    """What transformers calls the attention that the model begins with."""
    return "eager" if config.attention == "eager" else "sdpa"


def as_served(model: Any, processor: Any, name: str) -> None:
    """Have the processor render a prompt as `ssui serve` has it rendered, where that is not by its own chat
    template: GLM-4.5V's, for one, would open thoughts.
    """
    tower = getattr(getattr(model.config, "vision_config", None), "model_type", "")
    own = processor.chat_template
    file = template_for(model.config.model_type, name, tower, own if isinstance(own, str) else None)
    if file:
        processor.chat_template = file.read_text("utf-8")


def _quantized(config: SrpoConfig) -> dict[str, Any]:
    """Options for 4 bits: everything but the tower, which loses its sight in them, and the head."""
    if config.quantize == "none":
        return {}
    if not torch.cuda.is_available():
        raise ConfigError("quantize: 4bit needs a GPU, and there is none here: take none")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigError("quantize: 4bit needs bitsandbytes: pip install bitsandbytes")
    how = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=list(SPARED),
    )  # fmt: skip
    return {"quantization_config": how, "device_map": {"": torch.cuda.current_device()}}


def without_dropout(model: Any) -> None:
    """As RPO, ORPO and DPO train: a log-probability is compared with itself."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name in ("dropout", "attention_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


def with_adapter(model: Any, config: SrpoConfig) -> PeftModel:
    """The model under a fresh adapter, or under the one that the settings name. Raises ConfigError."""
    if config.adapter:
        check_base(config.adapter, model)
        adapted = with_weights(model, config.adapter, trainable=True)
    else:
        adapted = get_peft_model(model, lora(model, config))
    check_adapted(adapted)
    return adapted


def lora(model: Any, config: SrpoConfig) -> LoraConfig:
    """Targets are a pattern that begins with the language model's own name, so that no tower can match."""
    text, shape = language_model(model), config.lora
    ends = _ends(model, text)
    wanted = ends if shape.targets == "all-linear" else list(shape.targets)
    if missing := sorted(set(wanted) - set(ends)):
        raise ConfigError(
            f"lora.targets: no linear layer {', '.join(missing)} in {text} (there are: {', '.join(ends)})"
        )
    return LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha or 2 * shape.rank,
        lora_dropout=0.0,
        target_modules=rf"{re.escape(text)}\..*\.({'|'.join(wanted)})",
        task_type="CAUSAL_LM",
    )


def language_model(model: Any) -> str:
    """The name of the part that reads and writes text. Raises ConfigError if it is not where it should be."""
    part = getattr(getattr(model, "model", None), "language_model", None)
    name = next((name for name, module in model.named_modules() if module is part), None)
    if name is None:
        inner = getattr(model, "model", model)
        raise ConfigError(
            f"model: {type(model).__name__} ({model.config.model_type}) has no part model.language_model to "
            f"adapt, only {', '.join(name for name, _ in inner.named_children())}: take a model of another "
            "family, such as Qwen-VL, LLaVA, InternVL, Mistral 3 or Gemma 3"
        )
    return str(name)


def unreached(model: Any, config: SrpoConfig) -> list[str]:
    """Which layers of the language model these targets miss, against what one would think; in words."""
    text, targets = language_model(model), config.lora.targets
    said = []
    if any(".experts." in name and weight.dim() > 2 for name, weight in model.named_parameters()):
        said.append(
            f"lora.targets: the experts of {model.config.model_type} are no linear layers, so no adapter "
            f"reaches them: all-linear means {', '.join(_ends(model, text))}"
        )
    kinds = getattr(model.config.get_text_config(), "layer_types", None) or []
    recurrent = sum("linear" in kind for kind in kinds)
    if recurrent and targets != "all-linear" and not set(RECURRENT) & set(targets):
        said.append(
            f"lora.targets: {', '.join(targets)} are in {len(kinds) - recurrent} of {len(kinds)} layers; the "
            f"others are recurrent: name {', '.join(RECURRENT)} too, or all-linear"
        )
    return said


def _ends(model: Any, text: str) -> list[str]:
    """How the names of the language model's linear layers end."""
    linear = (name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear))
    return sorted({name.rpartition(".")[2] for name in linear if name.startswith(f"{text}.")})


def adapted_layers(adapted: PeftModel) -> dict[str, Any]:
    """The layers that the adapter touches, by their names in the base model."""
    base = adapted.get_base_model()
    return {name: module for name, module in base.named_modules() if hasattr(module, "lora_A")}


def check_adapted(adapted: PeftModel) -> None:
    """What is trained are LoRA's matrices in the language model, and there are some."""
    text = language_model(adapted.get_base_model())
    trained = [name for name, weight in adapted.named_parameters() if weight.requires_grad]
    strangers = [name for name in trained if f".{text}." not in name or ".lora_" not in name]
    assert trained, "the adapter touches no layer"
    assert not strangers, f"trained outside of the language model: {strangers[:3]}"


def fingerprint(model: Any) -> str:
    """Tells base models apart: a hash of some weights of each linear layer of the language model, as bf16."""
    if shards := shards_of(model):
        return shards.fingerprint
    found = hashlib.blake2b(digest_size=16)
    text = language_model(model)
    for name, module in sorted(model.named_modules()):
        weight = getattr(module, "weight", None)
        if name.startswith(f"{text}.") and isinstance(module, torch.nn.Linear) and weight is not None:
            some = weight.detach().flatten()[:SAMPLED].to("cpu", torch.bfloat16)
            found.update(name.encode() + str(tuple(weight.shape)).encode() + some.float().numpy().tobytes())
    return found.hexdigest()


def adapter_config(adapter: Path) -> dict[str, Any]:
    """What an adapter says of itself; raises SsuiError where it is no LoRA adapter."""
    path = adapter / CONFIG
    found = read_object(path)
    if found is None:
        raise ConfigError(f"{path}: no such file; expected the folder of a LoRA adapter")
    if found.get("peft_type") != "LORA":
        raise ConfigError(f"{path}: peft_type: expected LORA; got {found.get('peft_type')!r}")
    return found


def with_weights(model: Any, adapter: Path, *, trainable: bool = False) -> Any:
    """The model with an adapter's weights on it; raises ConfigError where they do not fit or are none."""
    try:
        return PeftModel.from_pretrained(model, adapter, is_trainable=trainable)
    except BROKEN as error:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise ConfigError(f"{adapter}: the adapter cannot be loaded: {said}: train it anew") from None


def merged(model: Any, adapter: Path) -> Any:
    """The model with an adapter's weights added to its own; raises SsuiError if it is no adapter of this
    model, or touches nothing of it.
    """
    check_base(adapter, model)
    adapted = with_weights(model, adapter)
    if not adapted_layers(adapted):
        raise TrainError(f"{adapter}: loaded, and touches no layer of {model.name_or_path}")
    return adapted.merge_and_unload(safe_merge=True)


def check_base(adapter: Path, model: Any) -> None:
    """Raises ConfigError if the adapter is none, or was trained on another base."""
    adapter_config(adapter)
    trained_on = (read_object(adapter / FACTS) or {}).get("base", {})
    if not isinstance(trained_on, dict) or (trained_on and "fingerprint" not in trained_on):
        raise ConfigError(f"{adapter / FACTS}: base: expected model and fingerprint; got {trained_on!r}")
    if trained_on and trained_on["fingerprint"] != fingerprint(model):
        raise ConfigError(
            f"{adapter}: this adapter was trained on {trained_on.get('model')}, and the weights of "
            f"{model.name_or_path} are others: name the model that it was trained on"
        )
