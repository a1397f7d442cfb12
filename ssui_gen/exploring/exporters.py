"""Pairs in the layouts of other trainers. Pure; pictures go by the names that they are given.

- `trl`: as `pairs.jsonl`, with those names;
- `llamafactory`: sharegpt preference with pictures (github.com/hiyouga/LLaMA-Factory, data/README.md);
- `ms_swift`: messages with `rejected_response` (swift.readthedocs.io, Custom dataset);
- `step_dpo`: one step after a shared beginning, as in Math-Step-DPO-10K (huggingface.co/datasets/xinlai).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ssui_gen.branches import Pair
from ssui_gen.reading import read

MARK = "<image>"
"""Where a picture stands in a text, for LLaMA-Factory and ms-swift."""
LLAMAFACTORY_INFO = {
    "ranking": True,
    "formatting": "sharegpt",
    "columns": {
        "messages": "conversations", "chosen": "chosen", "rejected": "rejected", "images": "images",
        "system": "system",
    },
}  # fmt: skip
"""What `dataset_info.json` must say of the file, beside its name."""


def trl(pair: Pair, images: Sequence[str]) -> dict[str, Any]:
    return pair.model_dump(mode="json") | {"images": list(images)}


def llamafactory(pair: Pair, images: Sequence[str]) -> dict[str, Any]:
    return {
        "system": _told(pair),
        "conversations": [{"from": "human", "value": f"{MARK * len(images)}{_asked(pair)}"}],
        "chosen": {"from": "gpt", "value": _text(pair.chosen)},
        "rejected": {"from": "gpt", "value": _text(pair.rejected)},
        "images": list(images),
    }


def ms_swift(pair: Pair, images: Sequence[str]) -> dict[str, Any]:
    told = [{"role": "system", "content": _told(pair)}] if _told(pair) else []
    said = {"role": "assistant", "content": _text(pair.chosen)}
    return {
        "messages": [*told, {"role": "user", "content": f"{MARK * len(images)}{_asked(pair)}"}, said],
        "rejected_response": _text(pair.rejected),
        "images": list(images),
    }


def step_dpo(pair: Pair, images: Sequence[str]) -> dict[str, Any]:
    """`chosen` and `rejected` are the next step alone; it is the same where branches part only later."""
    chosen, rejected = (_text(side).removeprefix(pair.prefix) for side in (pair.chosen, pair.rejected))
    return {
        "dataset": "ssui",
        "prompt": _asked(pair),
        "initial_reason_steps": pair.prefix,
        "chosen": read(chosen).own_step(pair.cut),
        "rejected": read(rejected).own_step(pair.cut),
        "full_chosen": chosen,
        "full_rejected": rejected,
        "answer": read(chosen).answer or "",
        "images": list(images),
    }


EXPORTERS: dict[str, Callable[[Pair, Sequence[str]], dict[str, Any]]] = {
    "trl": trl,
    "llamafactory": llamafactory,
    "ms_swift": ms_swift,
    "step_dpo": step_dpo,
}


TELL_APART = ("step_dpo",)
"""Layouts with a place for what stands before the sides. In others a trainer would raise the likelihood of
all that the chosen side says, and so of a wrong step: there pairs off the path are left out."""


def _told(pair: Pair) -> str:
    return next((_text((message,)) for message in pair.prompt if message["role"] == "system"), "")


def _asked(pair: Pair) -> str:
    return _text(tuple(message for message in pair.prompt if message["role"] == "user"))


def _text(messages: tuple[dict[str, Any], ...]) -> str:
    return "".join(part["text"] for m in messages for part in m["content"] if part["type"] == "text")
