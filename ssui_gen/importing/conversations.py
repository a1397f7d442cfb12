"""Turns of a conversation about a picture: LLaVA's and ShareGPT's, with a preferred answer, and Sherlock's.

The first question of a conversation is taken; what follows rests on answers that are not kept. A preference
is about the last one, so only conversations of one question give a pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

from pydantic import Field

from ssui_gen.columns import words
from ssui_gen.errors import RecordError
from ssui_gen.importing.parts import whole_parts
from ssui_gen.importing.reading import left, parsed, pictures_in, pictures_of, words_of
from ssui_gen.importing.shape import Draft, Layout, Left, Loose, Preference, Source, Why

ASKS, ANSWERS, TELLS = ("human", "user"), ("gpt", "assistant", "model"), ("system",)
PLACES = (("from", "value"), ("role", "content"))
"""How a turn says who speaks, and what: LLaVA and ShareGPT, and the APIs'."""
LLAVA_IS = (
    'a JSON list of {"id", "image", "conversations": [{"from": "human", "value": "<image>\\n..."}, ...]}'
)
SHAREGPT_IS = (
    'rows of {"conversations": [{"from": "human", "value": "<image>..."}, ...], "images": ["a.png"]}, or '
    '"messages" with role and content; a preference has "chosen" and "rejected" beside them'
)
SHERLOCK_IS = (
    'a JSON list of {"conversations", "chosen", "rejected", "prefix", "prefix_l", "weights", "images"}, as '
    "train/README.md there has it"
)


class _Llava(Loose):
    conversations: list[Any]
    image: Any = None
    licence: Any = Field(default=None, alias="license")


class _ShareGpt(Loose):
    ONE_OF: ClassVar[tuple[str, ...]] = ("conversations", "messages")
    conversations: list[Any] = Field(default_factory=list)
    messages: list[Any] = Field(default_factory=list)
    images: Any = None
    image: Any = None
    chosen: Any = None
    rejected: Any = None
    licence: Any = Field(default=None, alias="license")


class _Sherlock(_ShareGpt):
    ONE_OF: ClassVar[tuple[str, ...]] = ("conversations",)
    chosen: Any
    rejected: Any
    prefix: str
    prefix_l: str
    weights: float | int | str = 1


def _llava(source: Source, where: str, row: _Llava) -> Iterator[Draft | Left]:
    yield _draft(source, where, row.conversations, row.image, None, row.licence)


def _sharegpt(source: Source, where: str, row: _ShareGpt) -> Iterator[Draft | Left]:
    preference = None
    if row.chosen is not None or row.rejected is not None:
        preference = Preference(_answer(row.chosen), _answer(row.rejected))
    yield _draft(
        source, where, row.conversations or row.messages, row.images or row.image, preference, row.licence
    )


def _sherlock(source: Source, where: str, row: _Sherlock) -> Iterator[Draft | Left]:
    """The two sides begin with words of their own: `prefix` is the chosen one's, `prefix_l` the other's."""
    chosen, rejected = _answer(row.chosen), _answer(row.rejected)
    for name, prefix, side in (("prefix", row.prefix, chosen), ("prefix_l", row.prefix_l, rejected)):
        if not side.startswith(prefix):
            raise RecordError(f"{where}: its {name} is not what that side begins with")
    preference = Preference(
        chosen, rejected, row.prefix, row.prefix_l, cut=whole_parts(row.prefix), weight=_number(row.weights)
    )
    yield _draft(source, where, row.conversations, row.images or row.image, preference, row.licence)


def _number(value: float | int | str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise RecordError(f"weights: expected a number from 0 on; got {str(value)[:40]!r}")
    return found


def _draft(
    source: Source, where: str, turns: Sequence[Any], shown: Any, preference: Preference | None, licence: Any
) -> Draft | Left:
    asked = _question(turns, where)
    text, pictures = words_of(asked), pictures_of(source, where, shown or pictures_in(asked))
    if preference:
        preference = preference._replace(turns=sum(_turn(turn, where)[0] in ASKS for turn in turns))
    if isinstance(pictures, Left):
        return pictures
    if not text:
        return left(where, Why.TEXT_MISSING, f"{where}: its first question has no words")
    return Draft(where, text, pictures, preference=preference, licence=words(licence))


def _question(turns: Sequence[Any], where: str) -> Any:
    """The first thing that is asked, which nothing but a system's text may stand before."""
    for turn in turns:
        who, said = _turn(turn, where)
        if who in ASKS:
            return said
        if who not in TELLS:
            known = ", ".join((*ASKS, *ANSWERS, *TELLS))
            raise RecordError(f"{where}: begins with {str(who)[:40]!r}; expected somebody who asks ({known})")
    raise RecordError(f"{where}: nobody asks anything in it")


def _turn(turn: Any, where: str) -> tuple[Any, Any]:
    for who, said in PLACES:
        if isinstance(turn, dict) and {who, said} <= turn.keys():
            return turn[who], turn[said]
    raise RecordError(
        f"{where}: expected turns with from and value, or role and content; got {str(turn)[:60]!r}"
    )


def _answer(side: Any) -> str:
    """One side of a preference: a turn, a list of one, or its words."""
    if isinstance(side, list) and len(side) == 1:
        side = side[0]
    return words_of(side if isinstance(side, str) else _turn(side, "chosen and rejected")[1])


def _reader(kind: Any, expects: str, make: Any) -> Any:
    return lambda source: parsed(source, kind, expects, partial(make, source))


LLAVA = Layout(
    name="llava",
    title="LLaVA's instructions",
    version="haotian-liu/LLaVA, docs/Finetune_Custom_Data.md",
    expects=LLAVA_IS,
    makes=("seeds",),
    read=_reader(_Llava, LLAVA_IS, _llava),
)
SHAREGPT = Layout(
    name="sharegpt",
    title="ShareGPT's turns",
    version="hiyouga/LLaMA-Factory, data/README.md",
    expects=SHAREGPT_IS,
    makes=("seeds", "pairs"),
    read=_reader(_ShareGpt, SHAREGPT_IS, _sharegpt),
)
SHERLOCK = Layout(
    name="sherlock",
    title="Sherlock's preferences",
    version="DripNowhy/Sherlock@46e4024, train/README.md",
    expects=SHERLOCK_IS,
    makes=("pairs", "seeds"),
    read=_reader(_Sherlock, SHERLOCK_IS, _sherlock),
)
