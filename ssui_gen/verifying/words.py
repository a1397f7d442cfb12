"""What a text says, as far as words tell: whole words in order, and the option that an answer names. Pure."""

from __future__ import annotations

import re
import unicodedata

_ASIDE = re.compile(r"[*_`~]+")
"""Marks of Markdown around a letter."""
_LETTER = r"(?:\(([A-H])\)|\[([A-H])\]|([A-H])(?![\w'’]))"
_ENDS = r"(?= ?(?:[.,;:!?)]|$)| (?:because|since|as|and not|not|rather)\b| [-–—])"
"""What may follow a letter that is no article."""
_IS = r"(?: (?:is|would be|must be|should be))? ?[:=]? ?"
_SAID = re.compile(rf"\b(?:(?i:option|choice|letter){_IS}{_LETTER}|(?i:answer){_IS}{_LETTER}{_ENDS})", re.M)
"""`Option B`, `choice: (B)`, `the answer is B`."""
_SHOWN = re.compile(
    rf"(?:\(([A-H])\)|\[([A-H])\]|^(?:(?i:it|that)(?:['’]s| is) )?([A-H])(?:\)|{_ENDS}))", re.M
)
"""`(B)` anywhere; `B.`, `B, because` and `It is B` where a line begins."""
_NOT = re.compile(
    r"(?i)\b(?:not|never|nor|neither|than|instead of|isn['’]t)(?: (?:the|an?|option|answer|choice))* ?$"
)


def same_words(part: str, whole: str) -> bool:
    """Whether the words of `part` stand in `whole` as whole words, in order and without a gap, whatever the
    case and the punctuation; False for a part without words.
    """
    sought = " ".join(words(part))
    return bool(sought) and f" {sought} " in f" {' '.join(words(whole))} "


def words(text: str) -> list[str]:
    """Runs of letters, their marks and digits, apostrophes inside a word, and points inside a number."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    last = len(text) - 1
    kept = (
        c if _in_word(c) or (0 < at < last and _joins(text[at - 1], c, text[at + 1])) else " "
        for at, c in enumerate(text)
    )
    return "".join(kept).split()


def _in_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def _joins(before: str, char: str, after: str) -> bool:
    if char == "'":
        return _in_word(before) and _in_word(after)
    return char in ".," and before.isdigit() and after.isdigit()


def option(text: str) -> str | None:
    """The option that an answer names as one, A to H; None if it names none, or several and says of none that
    it is the answer. An article is no option ("A safer way is to wait"), and one that is denied is not named.
    """
    plain = (" ".join(line.split()) for line in _ASIDE.sub("", text).splitlines())
    text = "\n".join(plain)
    return _only(_SAID, text) or _only(_SHOWN, text)


def _only(form: re.Pattern[str], text: str) -> str | None:
    named = {
        m[m.lastindex or 0]
        for m in form.finditer(text)
        if not _NOT.search(text[max(0, m.start() - 40) : m.start()])
    }
    return named.pop() if len(named) == 1 else None
