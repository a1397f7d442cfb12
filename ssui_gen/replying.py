"""What a model sent becomes the typed reply that its agent must give, or an error that a model can act on.

The JSON object may stand bare, in a Markdown fence, after prose or thoughts, or before the model's own
closing marks; options are compared without case. Thoughts are never taken for the answer, but where the whole
answer, and nothing else, came in their field. A refusal is told apart, be it the reply or what stands in a
field: no record is made of one. Pure; linear in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from ssui_gen.completions import Choice
from ssui_gen.errors import ReplyError, ReplyRefused
from ssui_gen.reading import TURN_END, spoken
from ssui_gen.records import Record
from ssui_gen.refusing import declines, opens_declining
from ssui_gen.replies import ReasoningReply, SummaryReply

ReplyT = TypeVar("ReplyT", bound=Record)
SHOWN = 80
"""Characters of a refusal, or of what is no JSON, that a message shows."""
ADDRESSING = (ReasoningReply, SummaryReply)
"""Replies that speak for an assistant; in others only words that nobody who asks would say are a refusal."""
_TURN_ENDS = re.compile(TURN_END)
_OBJECT = re.compile(r"\{\s*[\"}]")
_SENTENCE_END = re.compile(r"[.!?…。！？।؟][\"'”’»)\]]*$")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")
"""Control characters but tab and those that separate lines or paragraphs."""
_DECODER = json.JSONDecoder(strict=False, parse_int=float)
"""Takes line breaks inside of a string; numbers, which no reply has, of any length."""


def read(reply: type[ReplyT], choice: Choice, most_tokens: int) -> ReplyT:
    """Raises ReplyRefused where no other answer is to be had in these words, else ReplyError."""
    if choice.refused:
        raise _withheld(choice)
    try:
        made = reply.model_validate_json(choice.text)
    except ValidationError:
        made = _found(reply, choice, most_tokens)
    _check(made)
    return made


def _found(reply: type[ReplyT], choice: Choice, most_tokens: int) -> ReplyT:
    """The one right object of a reply that is not bare; raises ReplyError."""
    said = spoken(choice.text).strip()
    objects = list(_objects(said)) if said else _whole(choice.reasoning)
    made, faults = _validated(reply, objects)
    if len(made) > 1:
        raise ReplyError("there are several JSON objects, and they differ: give one")
    if made:
        return made[0]
    _refuse_refusal(said, objects)
    if choice.finish_reason == "length":
        raise ReplyError(_cut_off(said, choice, most_tokens))
    raise ReplyError(faults[-1] if faults else _no_object(said, choice))


def _refuse_refusal(said: str, objects: Sequence[dict[str, Any]]) -> None:
    """Raises ReplyRefused where what came instead of a right object is one."""
    values = (value for one in objects for value in one.values() if isinstance(value, str))
    words = next((value for value in values if declines(value, plainly=True)), None)
    if words or (not objects and opens_declining(said)):
        raise _refused("the model", words or said)


def _validated(reply: type[ReplyT], objects: Iterable[dict[str, Any]]) -> tuple[list[ReplyT], list[str]]:
    """Those of `objects` that are right, each once, and what is wrong with the others."""
    made: list[ReplyT] = []
    faults = []
    for one in objects:
        try:
            right = reply.model_validate_json(json.dumps(_folded(reply, one)))
        except ValidationError as error:
            faults.append("; ".join(_fault(e) for e in error.errors()))
        else:
            made += [right] if right not in made else []
    return made, faults


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects in the order in which they stand, of the model's own turn: what it writes behind a mark
    that ends its turn is no answer.
    """
    turns = [turn for turn in _TURN_ENDS.split(text) if _OBJECT.search(turn)]
    return _scanned(turns[0]) if turns else iter(())


def _scanned(text: str) -> Iterator[dict[str, Any]]:
    """Goes on behind an object, and where one breaks off there."""
    place = 0
    while found := _OBJECT.search(text, place):
        try:
            value, place = _DECODER.raw_decode(text, found.start())
            yield value
        except json.JSONDecodeError as error:
            place = max(error.pos, found.start() + 1)
        except RecursionError:
            return


def _whole(text: str) -> list[dict[str, Any]]:
    """The object that a text is, with nothing beside it."""
    try:
        value = _DECODER.decode(text.strip())
    except (ValueError, RecursionError):
        return []
    return [value] if isinstance(value, dict) else []


def _folded(reply: type[Record], said: dict[str, Any]) -> dict[str, Any]:
    """Options as they are spelt: `Safe`, `**safe**` and `Dangerous behavior` are known."""
    known = _options(reply)
    return {
        name: known[name].get(_key(value), value) if name in known and isinstance(value, str) else value
        for name, value in said.items()
    }


@cache
def _options(reply: type[Record]) -> dict[str, dict[str, str]]:
    """Of each field that takes one of a few words: those words by their keys."""
    fields = reply.model_json_schema()["properties"]
    return {name: {_key(word): word for word in one["enum"]} for name, one in fields.items() if "enum" in one}


def _key(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip(" \t\n.*`'\"").casefold())


def _check(made: Record) -> None:
    """Raises ReplyError for a text that was cut where it may end, holds what no words do, or is a refusal."""
    longest, plainly = _longest(type(made)), not isinstance(made, ADDRESSING)
    for name, value in made:
        if not isinstance(value, str):
            continue
        if len(value) == longest.get(name) and not _SENTENCE_END.search(value):
            raise ReplyError(
                f"{name}: breaks off at {len(value)} characters, the most it may have: say it shorter"
            )
        if found := _CONTROL.search(value):
            raise ReplyError(
                f"{name}: holds the control character U+{ord(found[0]):04X}: words alone, please"
            )
        if declines(value, plainly=plainly):
            raise _refused(f"{name}: the model", value)


@cache
def _longest(reply: type[Record]) -> dict[str, int]:
    """The most characters of each field that has a limit."""
    limits = {
        name: next((m for one in field.metadata if (m := getattr(one, "max_length", None))), None)
        for name, field in reply.model_fields.items()
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


# --- what is wrong, in words -------------------------------------------------------------------------------


def _refused(who: str, words: str) -> ReplyRefused:
    return ReplyRefused(f"{who} refuses: {_brief(words)!r}")


def _withheld(choice: Choice) -> ReplyRefused:
    if choice.text:
        return _refused("the provider", choice.text)
    return ReplyRefused(f"the provider withholds the reply, without a word (finish: {choice.finish_reason})")


def _brief(words: str) -> str:
    return " ".join(words.split())[:SHOWN]


def _fault(error: Any) -> str:
    where, what = ".".join(str(part) for part in error["loc"]), str(error["msg"])
    if error["type"] == "string_too_long":
        length, most = len(error["input"].strip()), error["ctx"]["max_length"]
        what = f"{length} characters; at most {most}: say it shorter"
    elif error["type"] == "string_too_short":
        what = "is empty"
    return f"{where}: {what}" if where else what


def _cut_off(said: str, choice: Choice, most_tokens: int) -> str:
    if not said and (choice.reasoning or choice.text):
        return (
            f"all {most_tokens} tokens went into thinking, and no answer came: think less, or "
            f"(in the settings) raise max_tokens or switch thinking off"
        )
    return f"the reply was cut off at {most_tokens} tokens; be brief"


def _no_object(said: str, choice: Choice) -> str:
    if said:
        return f"Invalid JSON: expected one JSON object; got {_brief(said)!r}{_broken(said)}"
    thought = choice.reasoning or choice.text
    return "the reply holds thoughts alone, and no answer" if thought.strip() else "the reply is empty"


def _broken(said: str) -> str:
    """Where an object breaks off; nothing of what is none."""
    try:
        _DECODER.raw_decode(said)
    except json.JSONDecodeError as error:
        return f" ({error.msg.removesuffix(' at')} at character {error.pos + 1})" if error.pos else ""
    except RecursionError:
        pass
    return ""
