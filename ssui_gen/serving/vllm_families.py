"""What families of models want of vLLM beyond the usual: pictures, contexts, thoughts, own code, LoRA.

A family is known by its config's `model_type` or by its name. Sources: each model's card; vLLM 0.10 to 0.33
(`model_executor/models`, `reasoning`, `transformers_utils/config.py`). Pure; warns, and refuses what vLLM
would refuse after minutes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ssui_gen.commands import command
from ssui_gen.dialect import ROOM
from ssui_gen.errors import ConfigError
from ssui_gen.serving.vllm_model import Adapter, Model

CONTEXT = 16384
"""Tokens; six steps about one picture of 1,280 px need a quarter."""
SHORT = {
    r"vicuna|llava-1\.5|llava-v1\.6-34b|deepseek-vl2|molmo-7b": 4096,
    r"llama3-llava-next|aya-vision|smolvlm2": 8192,
}
"""Contexts below `CONTEXT`, by name: where no config is at hand."""
NEXT = r"llava_next|llava-next|llava-v?1\.6"
PICTURE = {NEXT: 2880, r"llava\b(?!.*pixtral)": 576}
"""The most tokens of a picture; LLaVA-NeXT cuts it into five tiles of 576."""
MOST_PICTURE = 1600
"""Of any other family that is known, at 1,280 px a side."""
REASONING = 782 + 1600
"""Tokens of the longest prompt and reply of an agent, without the picture."""
FILMS = r"qwen[\d._]*-?_?vl|qwen3[._]\d|glm4v|glm-4\.\d+v|internvl|llava[_-]onevision|minicpm-?v|ernie.*vl"
"""Families that take films too, whose room would be kept free."""
SCALES = r"qwen2[\d._]*-?_?vl"
"""Families whose processor is told `max_pixels`, in training as well."""
NO_LORA = (
    r"llava[_-]onevision|gemma-?3n|\baria\b|phi3_v|phi-3(\.5)?-vision|deepseek[_-]vl|kimi[_-]vl|\bovis"
    r"|cohere2_vision|command-a-vision"
)
"""Families on which vLLM, up to 0.33, serves no adapter: their classes lack `SupportsLoRA`."""
LORA_SINCE = {NEXT: (0, 29)}
"""From which version on vLLM serves adapters on a family; on the others it does from 0.10 on."""
MOST_RANK = 512
"""Of an adapter (`--max-lora-rank`)."""
OWN_CODE = (
    "internvl_chat",
    "minicpmv",
    "minicpmo",
    "phi3_v",
    "phi4mm",
    "molmo",
    "h2ovl_chat",
    "NVLM_D",
    "keye",
)
"""Kinds whose config vLLM reads by the repository's own code alone."""
OWN_CODE_NAMED = r"^opengvlab/internvl(?!.*-hf)"
CODE = "trust-remote-code"
KWARGS, PARSER = "default-chat-template-kwargs", "reasoning-parser"
SWITCH = "enable_thinking"

Flags = dict[str, Any]


class Thinking(NamedTuple):
    """A family that thinks before it answers."""

    hint: str
    parser: str | None
    """What tells its thoughts from its answer, of vLLM's."""
    switch: bool = False
    """Whether its template takes `enable_thinking`."""


THINKING = (
    Thinking(r"qwen3[._][5-9]", "qwen3", switch=True),
    Thinking(r"glm-4\.[5-9]v|glm4v_moe|glm46v", "glm45", switch=True),
    Thinking(r"glm-4\.1v.*thinking", "glm45"),
    Thinking(r"ernie.*thinking", "ernie45"),
    Thinking(r"kimi-vl.*thinking", None),
    Thinking(r"(?<!non)(?<!non-)(?<!no-)thinking", "deepseek_r1"),
)
"""The first that fits. `deepseek_r1` for Qwen3-VL-Thinking: its template opens the thoughts by itself, which
vLLM's `qwen3` did not understand for long (vLLM #26239, #29408)."""


def is_of(model: Model, hint: str) -> bool:
    return bool(re.search(hint, f"{model.kind} {model.called}", re.IGNORECASE))


def of_family(model: Model, pixels: int, thinking: bool, images: int = 1) -> Flags:
    """Flags for pictures, context and thoughts."""
    films = {"video": 0} if is_of(model, FILMS) else {}
    flags: Flags = {"limit-mm-per-prompt": {"image": images} | films}
    if is_of(model, SCALES):
        flags["mm-processor-kwargs"] = {"max_pixels": pixels}
    flags["max-model-len"] = min(CONTEXT, model.context or _context_by_name(model.called))
    if thinks := thinks_first(model):
        flags |= {KWARGS: {SWITCH: thinking}} if thinks.switch else {}
        flags |= {PARSER: thinks.parser} if thinking or not thinks.switch else {}
    return flags


def thinks_first(model: Model) -> Thinking | None:
    return next((family for family in THINKING if is_of(model, family.hint)), None)


def _context_by_name(name: str) -> int:
    return next((most for hint, most in SHORT.items() if re.search(hint, name, re.IGNORECASE)), CONTEXT)


def advise(model: Model, flags: Mapping[str, Any], notice: Callable[[str], None]) -> None:
    """What to know of this model before it is served, by its family and the flags it will have."""
    for line in (_of_context(model, flags), _of_thoughts(model, flags)):
        if line:
            notice(line)


def _of_context(model: Model, flags: Mapping[str, Any]) -> str | None:
    given = str(flags.get("max-model-len"))
    picture = next((most for hint, most in PICTURE.items() if is_of(model, hint)), MOST_PICTURE)
    if not given.isdecimal() or int(given) >= picture + REASONING:
        return None
    other = (
        "take the family on another language model (llava-hf/llava-v1.6-mistral-7b-hf)"
        if is_of(model, NEXT)
        else "take a longer one (-- --max-model-len), or another model"
    )
    return (
        f"{model.name}: a context of {int(given):,} tokens is too short for six steps about a large picture, "
        f"which take up to {picture:,} + {REASONING:,}: such calls will be refused; {other}."
    )


def _of_thoughts(model: Model, flags: Mapping[str, Any]) -> str | None:
    thinks = thinks_first(model)
    if thinks and flags.get(KWARGS) == {SWITCH: False}:
        return (
            f"{model.name} thinks before it answers; that is switched off, as agents give short typed "
            "replies (serve: {thinking: true} leaves it on)."
        )
    if not thinks or PARSER not in flags:
        return None
    cannot = "" if thinks.switch else ", and has no switch for that"
    apart = (
        f"--{PARSER} {flags[PARSER]} tells them apart"
        if flags.get(PARSER)
        else "no parser of vLLM knows them"
    )
    return (
        f"{model.name} thinks before it answers{cannot}: give its thoughts room beside each reply, "
        f"models: {{vlm: {{thoughts: {ROOM}}}}}; {apart}."
    )


def refuse(
    model: Model, adapters: Sequence[Adapter], typed: Mapping[str, Any], version: tuple[int, int] | None
) -> None:
    """Raises ConfigError for code that nobody said may run, and for an adapter that vLLM of this version
    (None: nobody knows) cannot serve.
    """
    named = bool(re.search(OWN_CODE_NAMED, model.name, re.IGNORECASE)) and not model.kind
    if ((model.code and model.kind in OWN_CODE) or named) and CODE not in typed:
        raise ConfigError(
            f"{model.name}: its config is code of its own, which vLLM would run on this machine: take a "
            "conversion that needs none (its name ends in -hf, as OpenGVLab/InternVL3-8B-hf), or, if you "
            f"have read and trust that code: -- --{CODE}"
        )
    for adapter in adapters:
        if why := _unservable(model, adapter, typed, version):
            merge = command("merge", ADAPTER=adapter.folder)
            raise ConfigError(f"{adapter.folder}: {why}: merge it and serve what comes out: {merge}")


def _unservable(
    model: Model, adapter: Adapter, typed: Mapping[str, Any], version: tuple[int, int] | None
) -> str | None:
    """Why an adapter cannot be served on this model, unless the user says that it can."""
    if adapter.rank > MOST_RANK and "max-lora-rank" not in typed:
        return f"rank {adapter.rank}, and vLLM serves {MOST_RANK} at most"
    if "enable-lora" in typed:
        return None
    if is_of(model, NO_LORA):
        return f"vLLM serves no LoRA adapter on models like {model.name}"
    for hint, since in LORA_SINCE.items():
        if version and version < since and is_of(model, hint):
            said = ".".join(map(str, since))
            return f"before {said} vLLM serves no LoRA adapter on models like {model.name}"
    return None
