"""Rows that others have labelled: SafeTag's text, picture and both, GuardTrace's responses by their harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ssui_gen.errors import RecordError
from ssui_gen.importing.reading import parsed, pictures_of, words_of
from ssui_gen.importing.shape import Draft, Layout, Left, Row, Source
from ssui_gen.records import Label

SAFETAG_IS = (
    'rows of {"prompt", "images": [one], "text_tag", "image_tag", "combine_tag"}, each tag safe or unsafe'
)
GUARDTRACE_IS = (
    'rows of {"image_name", "question", "thinking", "response", "evaluation_result"}, the last 0, 0.5 or 1, '
    "and the pictures in images/ beside the file"
)
GRADES = (0.0, 0.5, 1.0)


class _SafeTag(Row):
    prompt: str
    images: Any
    text_tag: Label
    image_tag: Label
    combine_tag: Label
    id: Any = None


def _safetag(source: Source) -> Iterator[Draft | Left]:
    def make(where: str, row: _SafeTag) -> Iterator[Draft | Left]:
        pictures = pictures_of(source, where, row.images)
        yield (
            pictures
            if isinstance(pictures, Left)
            else Draft(
                where,
                words_of(row.prompt),
                pictures,
                kind="risky" if row.combine_tag == "unsafe" else "benign",
                gold={
                    "check_text": row.text_tag,
                    "check_image": row.image_tag,
                    "check_joint": row.combine_tag,
                },
            )
        )

    return parsed(source, _SafeTag, SAFETAG_IS, make)


class _GuardTrace(Row):
    image_name: str
    question: str
    thinking: str
    response: str
    evaluation_result: float | int | str
    id: Any = None


def _guardtrace(source: Source) -> Iterator[Draft | Left]:
    """Pictures lie in `images/` unless a person says where."""
    below = "" if source.told or not (source.pictures / "images").is_dir() else "images/"

    def make(where: str, row: _GuardTrace) -> Iterator[Draft | Left]:
        pictures = pictures_of(source, where, row.image_name and f"{below}{row.image_name}")
        if isinstance(pictures, Left):
            yield pictures
            return
        said = f"<think>\n{row.thinking.strip()}\n</think>\n\n{row.response.strip()}"
        yield Draft(
            where, words_of(row.question), pictures, response=said, grade=_grade(row.evaluation_result, where)
        )

    return parsed(source, _GuardTrace, GUARDTRACE_IS, make)


def _grade(value: float | int | str, where: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if found not in GRADES:
        raise RecordError(f"{where}: evaluation_result: expected 0, 0.5 or 1; got {str(value)[:40]!r}")
    return found


SAFETAG = Layout(
    name="safetag",
    title="SafeTag-VL-3K",
    version="XuankunRong/SafeGRPO@e7d60d6, utils/data_preprocess.py",
    expects=SAFETAG_IS,
    makes=("gold", "seeds"),
    read=_safetag,
    licence="none seen",
)
GUARDTRACE = Layout(
    name="guardtrace",
    title="GuardTrace-VL",
    version="xiangyx2020/GuardTrace-VL@228e9f8, eval/S-Eval_test_eval.py",
    expects=GUARDTRACE_IS,
    makes=("gold",),
    read=_guardtrace,
    licence="Apache-2.0",
)
