"""How right an answer is, from 0 to 1, without a judge: VQA accuracy where ten people answered, equality
where one answer is known, the letter where there are options. Pure.

A model's words are read, not interpreted: a sentence that holds the right word is not that word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from string import ascii_uppercase
from typing import Literal, NamedTuple

from ssui_gen.benching.vqa.normalising import normalised

RULE = "vqa@1"
"""The version of all that stands here; raised when an answer may get another score."""
PEOPLE, ENOUGH = 10, 3
"""Who answered each question; so many of the others that said the same make an answer wholly right."""
LETTERS = ascii_uppercase
Way = Literal["people", "exact", "letter"]
WAYS: dict[Way, str] = {
    "people": "VQA accuracy, ten people's answers",
    "exact": "the same as the one answer, normalised",
    "letter": "the letter of the right option",
}


class Key(NamedTuple):
    """What is right."""

    answers: tuple[str, ...]
    """Ten people's, or one; with options the letter."""
    options: tuple[str, ...] = ()
    """Their texts, the first is A; empty texts where only letters are known."""

    @property
    def way(self) -> Way:
        return "letter" if self.options else "exact" if len(self.answers) == 1 else "people"


class Mark(NamedTuple):
    """How right an answer is, and what of it was compared; None where nothing could be."""

    score: float
    read: str | None


def mark(answer: str, key: Key) -> Mark:
    """Of an answer that is not empty."""
    if key.way == "letter":
        letter = letter_of(answer, key.options)
        return Mark(float(letter == key.answers[0]), letter)
    if key.way == "people":
        return Mark(accuracy(answer, key.answers), normalised(answer))
    return Mark(float(_comparable(answer) == _comparable(key.answers[0])), _comparable(answer))


def accuracy(answer: str, people: Sequence[str]) -> float:
    """min(how many of the others said it / 3, 1), averaged over leaving each of them out (Antol et al. 2015,
    arXiv 1505.00468).

    Their script takes answers on which all ten agree to the letter since 2021, so that "Yes" is not "yes";
    here they are normalised as all others, and as it was before.
    """
    said = normalised(answer)
    same = [normalised(one) == said for one in people]
    return sum(min(1.0, (sum(same) - one) / ENOUGH) for one in same) / len(same)


def _comparable(text: str) -> str:
    """Normalised, unless that leaves nothing: "A" is an article, and may be all that a sign says."""
    return normalised(text) or text.strip().casefold()


# --- options -------------------------------------------------------------------------------------------

_ALONE = re.compile(r"[\s(\[*_`'\"$]*([A-Za-z])[\s)\]*_`'\".:$]*")
_FIRST = re.compile(r"[\s*_]*(?:\(([A-Z])\)|([A-Z])\s*[.):])[\s*_:]*(?=\S)")
_NAMED = re.compile(
    r"(?:\b(?i:answer|option|choice)(?i:\s+is)?|\\boxed)[\s:*_]*[(\[{]?\*{0,2}(?!A [a-z])([A-Z])(?![\w'’])"
)


def letter_of(answer: str, options: Sequence[str]) -> str | None:
    """The one option that an answer names: its letter alone, its text, a letter before a text, or a letter
    that is called the answer. None where there is none, or several are named.
    """
    text = answer.strip()
    if found := _ALONE.fullmatch(text):
        return _within(found[1].upper(), options)
    if text in options:
        return _by_text(text, options)
    if found := _FIRST.match(text):
        letter = found[1] or found[2]
        other = _by_text(text[found.end() :], options)
        return _within(letter, options) if other in (None, letter) else None
    if (said := _by_text(text, options)) is not None:
        return said
    named = {one[1] for one in _NAMED.finditer(text)}
    return _within(named.pop(), options) if len(named) == 1 else None


def _by_text(text: str, options: Sequence[str]) -> str | None:
    """The letter of the only option with this text."""
    said = _comparable(text)
    same = [letter for letter, option in zip(LETTERS, options, strict=False) if _is(option, said)]
    return same[0] if len(same) == 1 else None


def _is(option: str, said: str) -> bool:
    return bool(option.strip()) and _comparable(option) == said


def _within(letter: str, options: Sequence[str]) -> str | None:
    return letter if letter in LETTERS[: len(options)] else None


def lettered(options: Iterable[str]) -> str:
    """Options as they are shown, one a line."""
    return "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
