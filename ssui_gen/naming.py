"""Which class of risk a text names, in whatever words: rules over `taxonomy.yaml`, no model. Pure.

Whoever writes a path is asked to end step 4 with a class id, and the last id named counts. A model that
nobody trained words it its own way ("the class of risk is physical injury"), and words mislead: "no illegal
act" names none, and "the intent is to prevent violence" neither. So without an id a wording counts only where
a sentence asserts it: not denied, not of the intent alone; `none` only where a clause says nothing else.
Where that leaves no class, or several, the answer is None: not known, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from ssui_gen.taxonomy import NO_RISK, class_ids, wordings


def _set(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_END = re.compile(
    r"([.;!?\n]|(?<!intent)(?<!intention)(?<!purpose):|\b(?:but|however|yet|though|although)\b)"
)
"""Where a denial ends. A colon does not part an intent from what it is."""
_ID = re.compile(r"[^\W_](?:\w*[^\W_])?")
_CLAUSE = re.compile(r"[,()]|\b(?:and|with)\b")
_DENYING = _set(
    "no not never without neither nor nothing nobody none cannot hardly unlikely avoid avoids avoiding",
    "prevent prevents preventing",
)
_DENYING_AFTER = _DENYING | _set("absent low minimal negligible")
_NEXT, _NEAR = 2, 4
"""Words that may part a denial from what it denies: `no illegal_crimes`, `nothing to do with violence`."""
_OF_RISK = _set("risk risks class category danger dangers hazard hazards harm")
_OF_INTENT = _set(
    "intent intention intends intend wish wishes want wants wanted hope hopes purpose goal curious curiosity",
    "ask asks asking request requests",
)
_CONDITION = _set("if unless provided until when except")
_AROUND = _set(
    "the a an there is are it this that all here at of class level category overall both together pair",
    "combination situation scene apparent real visible obvious clear identified found present involved",
    "arises follows exists any seems appears to be so therefore thus hence in significant potential specific",
    "does do pose poses carries joint anyone",
)
"""What may stand beside `no risk` without changing it."""


def named_class(text: str) -> str | None:
    """The id of the class that a text names (`none` where it says that there is no risk); None where it names
    none that we know, or words that speak for several.
    """
    text = text.casefold()
    if by_id := _by_id(text):
        return by_id
    named = set(_asserted(text))
    return named.pop() if len(named) == 1 else None


def _by_id(text: str) -> str | None:
    """The last id that is written as one: with an underscore, or as the last word of all."""
    words = list(_ID.finditer(text))
    for word in reversed(words):
        near = _NEXT if "_" in word[0] else _NEAR if word is words[-1] else 0
        if near and word[0] in class_ids() and not _denied(_before(text, word.start())[-near:]):
            return word[0]
    return None


def _before(text: str, at: int) -> list[str]:
    """The words of the same clause that stand just before a place."""
    return _words(re.split(r"[.;:!?,\n]", text[max(0, at - 80) : at])[-1])


def _asserted(text: str) -> Iterator[str]:
    """The classes that sentences assert by a wording."""
    parts = _END.split(text)
    for at in range(0, len(parts), 2):
        label = parts[at - 1] == ":" and _words(_CLAUSE.split(parts[at - 2])[-1]) if at else []
        told = parts[at + 1 : at + 2] == [":"] and _words(parts[at + 2])
        if not (told and len(told) <= 2 and told[0] in _DENYING_AFTER):  # "violence: no"
            yield from _in_sentence(parts[at], label or [])


def _in_sentence(sentence: str, label: Sequence[str]) -> Iterator[str]:
    """`label` are the words before the colon that the sentence follows."""
    denied, conditional = False, not _CONDITION.isdisjoint(_words(sentence))
    for clause in _clauses(sentence):
        words = _words(clause)
        if _says_none(words, label) and not (denied or conditional):
            yield NO_RISK
            continue
        about_risk = not _OF_RISK.isdisjoint(words)
        denied = denied and not about_risk
        if about_risk or _OF_INTENT.isdisjoint(words):
            yield from _undenied(words, denied)
        denied = denied or _denied(words)


def _clauses(sentence: str) -> Iterator[str]:
    """Parts of a sentence; a wording that holds an `and` itself lies whole in one of them."""
    whole, start = [found.span() for found in _composed().finditer(sentence)], 0
    for mark in _CLAUSE.finditer(sentence):
        if not any(begin <= mark.start() < end for begin, end in whole):
            yield sentence[start : mark.start()]
            start = mark.end()
    yield sentence[start:]


def _undenied(words: Sequence[str], denied: bool) -> Iterator[str]:
    for start, stop, name in _mentions(words):
        after = _DENYING_AFTER.intersection(words[stop : stop + _NEAR])
        if not (denied or after or _denied(words[:start])):
            yield name


def _mentions(words: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Where a class is worded, the longest wording first; `none` is no mention but a statement."""
    known, longest = _known()
    start = 0
    while start < len(words):
        sizes = range(min(longest, len(words) - start), 0, -1)
        size = next((n for n in sizes if tuple(words[start : start + n]) in known), 0)
        if size:
            yield start, start + size, known[tuple(words[start : start + size])]
        start += size or 1


def _says_none(words: Sequence[str], label: Sequence[str]) -> bool:
    """Whether a clause says that there is no risk and nothing else, with what stands before its colon."""
    said = frozenset(words) - _AROUND
    whole = (said | frozenset(label)) - _AROUND
    alone = not label or not _OF_RISK.isdisjoint(said) or said == {NO_RISK}
    return whole in _none() or (alone and said in _none())


def _denied(words: Sequence[str]) -> bool:
    return any(word in _DENYING or word.endswith(("n't", "n’t")) for word in words)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


@cache
def _known() -> tuple[dict[tuple[str, ...], str], int]:
    """Wordings of the classes, as words, and how long the longest is."""
    found = {
        tuple(_words(said.casefold())): name
        for name, all_ in wordings().items() if name != NO_RISK for said in all_
    }  # fmt: skip
    return found, max(map(len, found))


@cache
def _composed() -> re.Pattern[str]:
    """Wordings that hold what parts clauses, the longest first."""
    said = {one.casefold() for all_ in wordings().values() for one in all_ if _CLAUSE.search(one.casefold())}
    longest = sorted(said, key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(one)}\b" for one in longest) or r"(?!)")


@cache
def _none() -> frozenset[frozenset[str]]:
    """Wordings of `none`; in a clause that says nothing else their order does not matter."""
    return frozenset(frozenset(_words(said.casefold())) for said in wordings()[NO_RISK])
