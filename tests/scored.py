"""Responses and what a judge says of them, for tests of official protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ssui_gen.benching.official.asking import Heard, Scorer
from ssui_gen.benching.official.shape import Judged, Official
from ssui_gen.benching.records import Item, Response, ResponsePath
from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.judging.choosing import JudgeModel


def response(item: Item, answer: str | None, draw: int = 0, status: str | None = None) -> Response:
    row: dict[str, Any] = {
        "id": Response.id_of(item.id, "m", "as_is", draw),
        "item_id": item.id,
        "draw": draw,
        "protocol": "as_is",
        "raw": answer or "",
        "finish": "stop",
        "path": ResponsePath(source="none"),
        "answer": answer,
        "status": status or ("ok" if answer else "empty"),
        "model": "m",
    }
    return Response.model_validate(row)


def said(text: str) -> Completion:
    return Completion(
        model="j", choices=(Choice(text=text, finish_reason="stop"),), usage=Usage(), seconds=0.1
    )


def heard(verdicts: Mapping[str, str | None]) -> dict[str, Heard]:
    """A judge that reasons, then says this of each rubric; None: whose call failed."""
    return {
        name: Heard(unscored="call_failed") if word is None else Heard(name, said(f"Why.\nVerdict: {word}"))
        for name, word in verdicts.items()
    }


def judged(official: Official, item: Item, answer: Response, words: Mapping[str, Heard]) -> Judged:
    """Scored without anybody being asked."""
    asked = JudgeModel(None, "j", None, lambda ref: None)  # type: ignore[arg-type, return-value]
    return Scorer(official, asked).score(item, answer, words)
