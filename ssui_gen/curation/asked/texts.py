"""The texts of an item: which people read, which they may edit, and the record with their edits. Pure.

A text is named by its place in the record, a JSON Pointer (RFC 6901). The class of a record is never edited
by itself: it is the one that step 4 ends with, as everywhere else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ssui_gen.branching import path_class, title
from ssui_gen.curation.asked.item import Exhibit, Item
from ssui_gen.lengths import LONGEST_ANSWER, LONGEST_LINE, LONGEST_TEXT
from ssui_gen.records import STEP_NAMES, ReasoningPath, digest
from ssui_gen.taxonomy import NO_RISK

QUESTION, SCENARIO, ANSWER = "/query/text", "/query/scenario", "/answer"
STEPS = tuple(f"/steps/{number}/text" for number in range(len(STEP_NAMES)))
RISK_STEP = STEPS[STEP_NAMES.index("intent_and_risk")]
"""The step that ends with the class."""
LONGEST = {
    QUESTION: LONGEST_LINE,
    SCENARIO: LONGEST_LINE,
    **dict.fromkeys(STEPS, LONGEST_TEXT),
    ANSWER: LONGEST_ANSWER,
}
"""Every text that may be edited, in reading order, and how many characters it may have."""
SHA = 16
"""Hex digits: short enough for a line that people read."""
_BREAKS = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
"""Control characters, line breaks of every kind, turns of the writing direction, spaces without width."""
_HIDDEN_IN_NOTE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)


class Part(NamedTuple):
    """One text as people read it."""

    pointer: str
    title: str
    text: str


def parts(item: Item) -> tuple[Part, ...]:
    """What a person reads of an item, in order."""
    if item.exhibit is not None:
        return tuple(Part(one.pointer, one.title, one.text) for one in item.exhibit.told)
    if item.branch is None or item.cut is None:
        return tuple(Part(place, _titles()[place], text_at(item.path, place)) for place in LONGEST)
    prefix = [Part(place, _titles()[place], text_at(item.path, place)) for place in STEPS[: item.cut]]
    question = Part(QUESTION, _titles()[QUESTION], item.path.query.text)
    return (question, *prefix, Part("/branch", "Branch", item.branch.strip()))


def _titles() -> dict[str, str]:
    steps = {
        place: f"{number}. {title(name)}"
        for number, (place, name) in enumerate(zip(STEPS, STEP_NAMES, strict=True), 1)
    }
    return {QUESTION: "Question", SCENARIO: "What may follow", **steps, ANSWER: "Answer"}


def text_at(path: ReasoningPath, pointer: str) -> str:
    """The text at a pointer of `LONGEST`."""
    match pointer.split("/"):
        case ["", "query", "text"]:
            return path.query.text
        case ["", "query", "scenario"]:
            return path.query.scenario
        case ["", "steps", number, "text"]:
            return path.steps[int(number)].text
        case ["", "answer"]:
            return path.answer
    raise KeyError(pointer)


def sha_of(path: ReasoningPath, cut: int | None = None, branch: str | None = None) -> str:
    """What binds a review: the pictures and every text that is read; not how sure a check was of them."""
    read = {place: text_at(path, place) for place in LONGEST}
    return digest([path.kind, path.query.category, path.look, read, cut, branch])[:SHA]


def sha_now(item: Item) -> str:
    """What `item.sha` should be."""
    if item.exhibit is not None:
        return exhibit_sha(item.exhibit)
    return sha_of(item.path, item.cut, item.branch)


def exhibit_sha(exhibit: Exhibit) -> str:
    """The pictures, every text that is read, what is asked, and in which words."""
    pictures = [ref.sha256 for ref in exhibit.pictures]
    told = [one.model_dump() for one in exhibit.told]
    return digest([exhibit.kind, pictures, told, exhibit.asked, exhibit.edition])[:SHA]


def edited(path: ReasoningPath, edits: Mapping[str, str]) -> ReasoningPath:
    """The record with other texts at these pointers, each of `LONGEST`; its class follows step 4."""
    row = path.model_dump()
    for pointer, text in edits.items():
        _put(row, pointer, text)
    changed = ReasoningPath.model_validate(row)
    if RISK_STEP not in edits:
        return changed
    category = path_class(changed.steps) or NO_RISK
    return changed.model_copy(update={"query": changed.query.model_copy(update={"category": category})})


def _put(row: dict[str, Any], pointer: str, text: str) -> None:
    *way, last = pointer.split("/")[1:]
    place: Any = row
    for part in way:
        place = place[int(part) if part.isdecimal() else part]
    place[last] = text


def faults(path: ReasoningPath, edits: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each edit, at a pointer of `LONGEST`, that cannot stand, and why in the words `expected …; got …`."""
    for pointer, text in edits.items():
        if found := _fault(path, pointer, text):
            yield pointer, found


def _fault(path: ReasoningPath, pointer: str, text: str) -> str | None:
    if not text.strip():
        return "expected a text; got an empty one (to leave the text as it was, take the edit out)"
    if hidden := unfit(text):
        return f"expected one line of plain characters; got {hidden}"
    if text != text.strip():
        return "expected no space at the ends; got one"
    if len(text) > LONGEST[pointer]:
        return f"expected at most {LONGEST[pointer]} characters; got {len(text)}"
    if text == text_at(path, pointer):
        return "expected another text than the record's; got the same (take the edit out)"
    return _wrong_class(path, text) if pointer == RISK_STEP else None


def _wrong_class(path: ReasoningPath, text: str) -> str | None:
    """Step 4 ends with the class, and a record stays of its kind: another kind is another record."""
    found = path_class(edited(path, {RISK_STEP: text}).steps) or NO_RISK
    if path.kind == "risky" and found == NO_RISK:
        return "expected an end that names a class, as the record is risky; got none (drop it instead?)"
    if path.kind == "benign" and found != NO_RISK:
        return (
            f"expected an end that names no class, as the record is benign; got {found!r} (drop it instead?)"
        )
    return None


def unfit(text: str, *, note: bool = False) -> str | None:
    """The first character that nobody sees and that changes what is read, by name and place; None if none."""
    found = (_HIDDEN_IN_NOTE if note else _HIDDEN).search(text)
    if not found:
        return None
    code, what = ord(found[0]), "a line break" if found[0] in _BREAKS else "a hidden character"
    name = unicodedata.name(found[0], "")
    return f"{what}, U+{code:04X}{f' {name}' if name else ''}, as character {found.start() + 1}"
