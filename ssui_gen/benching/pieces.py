"""What a model under test sent, read into a path in pieces, an answer and a status.

Three kinds of model share one schema: those that write six steps, those that think (in a field of its own or
between tags), and those that only answer. Offsets are into the field of thoughts followed by the text, so
another rule of cutting is a matter of reading again, never of asking again. Pure; never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ssui_gen.benching.records import PathSource, Piece, Protocol, ResponsePath, Status
from ssui_gen.completions import Choice, Usage
from ssui_gen.reading import Part, Reading, read, thoughts

RULE = "paragraphs@1"
"""The version of `cut`; raised when it cuts otherwise."""
STEPS = "steps@1"
MOST, SHORT = 12, 200
"""Pieces of free reasoning; characters below which a piece is joined to its neighbour."""
LENGTH = "length"
_PARAGRAPH, _LINE = re.compile(r"\n[^\S\n]*\n\s*"), re.compile(r"\n+")
_WRAPPED = re.compile(r"\s*<answer>(.*?)(?:</answer>(.*))?$", re.DOTALL | re.IGNORECASE)
NO_PATH = ResponsePath(source="none")


class Sent(NamedTuple):
    """What came for one draw."""

    text: str
    reasoning: str = ""
    """Thoughts that came in a field of their own."""
    finish: str = "stop"
    refused: bool = False
    """By a field of the provider's, not by words."""
    summarised: bool = False
    """The thoughts are a summary."""
    hidden: bool = False
    """Thoughts were counted, and none is shown."""

    @staticmethod
    def of(choice: Choice, usage: Usage) -> Sent:
        hidden = bool(usage.reasoning_tokens) and not choice.reasoning
        finish = choice.finish_reason or ""
        return Sent(choice.text, choice.reasoning, finish, choice.refused, choice.summarised, hidden)

    @property
    def whole(self) -> str:
        """What offsets count in."""
        return self.reasoning + self.text


class Respond(NamedTuple):
    """What was read out of it."""

    path: ResponsePath
    answer: str | None
    status: Status
    detail: str = ""
    """Why there is no answer, or that it is not whole."""


def respond(sent: Sent, protocol: Protocol) -> Respond:
    """Path, answer and status of what came under this protocol."""
    if sent.refused:
        return Respond(NO_PATH, None, "provider_refusal", _brief(sent.text or sent.finish))
    if not sent.whole.strip() and not sent.hidden:
        return Respond(NO_PATH, None, "empty", f"nothing came (finish: {sent.finish or 'unknown'})")
    return _in_steps(sent, protocol) or _thinking(sent, protocol) or _plain(sent)


def _answered(path: ResponsePath, answer: str, sent: Sent) -> Respond:
    """The answer, if there is one."""
    cut_off = sent.finish == LENGTH
    if answer.strip():
        return Respond(path, answer.strip(), "ok", "cut off in the answer" if cut_off else "")
    return Respond(path, None, "no_answer", "cut off before the answer" if cut_off else "no answer follows")


def _plain(sent: Sent) -> Respond:
    """No thoughts are shown: all is the answer."""
    path = ResponsePath(source="hidden") if sent.hidden else NO_PATH
    return _answered(path, _unwrapped(sent.text), sent)


# --- six steps -------------------------------------------------------------------------------------


def _in_steps(sent: Sent, protocol: Protocol) -> Respond | None:
    """None where the text is no path of steps. Whoever was not asked for them must have written them whole:
    a numbered list of advice is none.
    """
    found = read(sent.text)
    if not (found.form.whole or protocol == "six_steps"):
        return None
    answer = next((part for part in found.parts if part.kind == "answer"), None)
    stop = answer.start if answer else len(sent.text)
    steps = [part for part in found.parts if part.kind == "step" and part.start < stop]
    if not steps:
        return None
    path = _path(sent, "steps", _bounds(steps, stop, len(sent.reasoning)), STEPS)
    return _answered(path, _last_words(found, answer) if answer else "", sent)


def _bounds(steps: Sequence[Part], stop: int, offset: int) -> list[int]:
    """Where pieces begin and the last ends. What stands before the first step belongs to it."""
    return [0, *(offset + step.start for step in steps[1:]), offset + stop]


def _last_words(found: Reading, answer: Part) -> str:
    """The answer and all that comes after it, to the letter but for a closing tag."""
    said, rest = found.text[answer.content : answer.stop], found.text[answer.stop :]
    return said + rest.removeprefix("</answer>")


# --- free reasoning --------------------------------------------------------------------------------


def _thinking(sent: Sent, protocol: Protocol) -> Respond | None:
    """None where nothing but an answer was written."""
    start, stop, rest = thoughts(sent.text)
    if not rest and not sent.reasoning and protocol == "think" and sent.finish == LENGTH:
        stop = rest = len(sent.text)  # templates write the opening tag into the prompt; no closing one came
    offset = len(sent.reasoning)
    begin, end = (0 if offset else start), (offset + stop if rest else offset)
    answer = _unwrapped(sent.text[rest:])
    if not sent.whole[begin:end].strip():
        return _answered(NO_PATH, answer, sent) if rest else None
    source: PathSource = ("summary" if sent.summarised else "reasoning_content") if offset else "think_tags"
    bounds = [begin + place for place in cut(sent.whole[begin:end])]
    return _answered(_path(sent, source, bounds, RULE), answer, sent)


def _unwrapped(text: str) -> str:
    """Without the tags that some models put around all of their answer."""
    found = _WRAPPED.match(text)
    return "".join(filter(None, found.groups())) if found else text


def cut(text: str) -> list[int]:
    """Where pieces of `text` begin, and its end: at paragraphs, at lines where there are none; pieces under
    SHORT characters are joined to their neighbour, and there are MOST at the most.
    """
    bounds = [0]
    for place in _breaks(text):
        if place - bounds[-1] >= SHORT:
            bounds.append(place)
    if len(text) - bounds[-1] < SHORT and len(bounds) > 1:
        bounds.pop()
    bounds = [*bounds, len(text)] if text else [0]
    return _fewer(bounds) if len(bounds) > MOST + 1 else bounds


def _fewer(bounds: Sequence[int]) -> list[int]:
    """Neighbours joined whose middles lie in the same of MOST equal parts of the text."""
    part = [(start + stop) * MOST // (2 * bounds[-1]) for start, stop in pairwise(bounds)]
    inner = [place for place, (one, other) in zip(bounds[1:], pairwise(part), strict=False) if one != other]
    return [bounds[0], *inner, bounds[-1]]


def _breaks(text: str) -> Iterator[int]:
    """Behind each break that has words after it."""
    by = _PARAGRAPH if _PARAGRAPH.search(text.strip()) else _LINE
    return (match.end() for match in by.finditer(text) if match.end() < len(text))


def _path(sent: Sent, source: PathSource, bounds: Sequence[int], rule: str) -> ResponsePath:
    """Each piece from one bound to the next: together they are the path."""
    whole = sent.whole
    pieces = tuple(
        Piece(index=number, text=whole[start:stop], start=start, end=stop)
        for number, (start, stop) in enumerate(pairwise(bounds), 1)
    )
    return ResponsePath(source=source, pieces=pieces, text=whole[bounds[0] : bounds[-1]], rule=rule)


def _brief(text: str) -> str:
    return " ".join(text.split())[:300]
