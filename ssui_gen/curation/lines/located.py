"""JSON with the place of every part, for messages that point at the wrong value itself. Pure.

Strict as `jsonl` is: duplicate keys, NaN, lone surrogates and numbers out of range are faults, but faults
after which reading goes on, so that all are told at once. After a fault of syntax the rest is unknown. Hints
are for people who type: curly quotes, a missing comma, `None`. Not for large texts; `json` reads those.
"""

from __future__ import annotations

import math
import re
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

Way = tuple[str | int, ...]
"""How to get to a part: keys of objects and indexes of arrays."""
DEEPEST = 20


class Key(str):
    """The last of a way, where the key itself is meant and not its value."""


_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_WORD = re.compile(r"[^\s,:\[\]{}\"]+")
_WORDS = {"true": True, "false": False, "null": None}
_INSTEAD = {"None": "null", "True": "true", "False": "false", "undefined": "null", "nil": "null"}
_CURLY = "“”„‟«»‘’‚"
_STRINGS = {
    "Unterminated string": 'this text has no closing double quote (inside a text one is written \\")',
    "Invalid control character": "a raw control character inside a text; a line break is written \\n",
    "Invalid \\": "a wrong escape inside a text; a backslash itself is written \\\\",
}


class Flaw(NamedTuple):
    """What is wrong, and where: an offset in characters from the start of the text."""

    offset: int
    message: str


class Located(NamedTuple):
    """A value, the offset of each of its parts, of each key, and what is wrong with it."""

    value: Any
    places: dict[Way, int]
    keys: dict[Way, int]
    flaws: list[Flaw]

    def column(self, way: Way) -> int:
        """Where a part stands, from 1; of one that is not there, where it would lie in."""
        known = self.keys if way and isinstance(way[-1], Key) else self.places
        while way and way not in known:
            way, known = way[:-1], self.places
        return known.get(way, 0) + 1


class _Broken(Exception):
    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(offset, message)


def located(text: str) -> Located:
    """Read one JSON value; where its syntax is broken, `value` is None and the last flaw says so."""
    reader = _Reader(text)
    try:
        value = reader.value((), _SPACE.match(text).end())  # type: ignore[union-attr]
        end = reader.space()
        if end < len(text):
            raise _Broken(end, f"expected the end of the line after the object; got {text[end : end + 20]!r}")
    except _Broken as broken:
        return Located(None, reader.places, reader.keys, [*reader.flaws, broken.flaw])
    return Located(value, reader.places, reader.keys, reader.flaws)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Way, int] = {}
        self.keys: dict[Way, int] = {}
        self.flaws: list[Flaw] = []

    def space(self) -> int:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
        return self.at

    def value(self, way: Way, start: int) -> Any:
        self.places[way], self.at = start, start
        if len(way) > DEEPEST:
            raise _Broken(start, "nested too deeply")
        match self.text[start : start + 1]:
            case '"':
                return self._string()
            case "{":
                return self._object(way)
            case "[":
                return self._array(way)
        return self._word()

    def _string(self) -> str:
        start = self.at
        text: str
        try:
            text, self.at = scanstring(self.text, start + 1, True)
        except JSONDecodeError as error:
            said = next((said for begin, said in _STRINGS.items() if error.msg.startswith(begin)), error.msg)
            raise _Broken(error.pos, said) from None
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            self.flaws.append(
                Flaw(start, "half of a \\uXXXX pair inside this text; expected whole characters")
            )
        return text

    def _object(self, way: Way) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        if self._ends("}"):
            return found
        while True:
            start = self.space()
            if self.text[start : start + 1] != '"':
                raise _Broken(start, self._expected('a key in double quotes, such as "decision"', start))
            key = self._string()
            if key in found:
                self.flaws.append(Flaw(start, f"the key {key!r} stands twice; keep one"))
            self.keys[(*way, key)] = start
            self._demand(":", "':' after the key")
            found[key] = self.value((*way, key), self.space())
            if self._ends("}"):
                return found
            self._demand(",", "',' or '}' here")

    def _array(self, way: Way) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        if self._ends("]"):
            return found
        while True:
            found.append(self.value((*way, len(found)), self.space()))
            if self._ends("]"):
                return found
            self._demand(",", "',' or ']' here")

    def _ends(self, closing: str) -> bool:
        ends = self.text[self.space() : self.at + 1] == closing
        self.at += ends
        return ends

    def _demand(self, sign: str, expected: str) -> None:
        if self.text[self.space() : self.at + 1] != sign:
            raise _Broken(self.at, self._expected(expected, self.at))
        self.at += 1

    def _word(self) -> Any:
        """true, false, null or a number; whatever else stands here is broken."""
        start = self.at
        found = _WORD.match(self.text, start)
        word = found[0] if found else ""
        self.at = start + len(word)
        if word in _WORDS:
            return _WORDS[word]
        if number := _NUMBER.fullmatch(word):
            return self._number(number, start)
        if word in ("NaN", "Infinity", "-Infinity"):
            self.flaws.append(Flaw(start, f"{word} is not a number in JSON; use null or a number"))
            return None
        raise _Broken(start, self._expected("a value", start))

    def _number(self, found: re.Match[str], start: int) -> int | float | None:
        """Digits beyond what a float holds are no number that anybody meant."""
        value = float(found[0])
        if not math.isfinite(value):
            self.flaws.append(Flaw(start, "a number out of range"))
            return None
        return value if found[1] or found[2] else int(found[0])

    def _expected(self, what: str, start: int) -> str:
        """In words that help whoever typed what stands there."""
        rest = self.text[start:]
        word = found[0] if (found := _WORD.match(rest)) else rest[:1]
        if not rest.strip():
            return f"expected {what}; the line ends here: it is cut off"
        if rest[0] in _CURLY:
            return f'expected {what}; got the curly quote {rest[0]}, which an editor put there: type "'
        if rest[0] == "'":
            return f"expected {what}; got a single quote: texts stand in double quotes"
        if word in _INSTEAD:
            return f"expected {what}; got {word}, which is {_INSTEAD[word]} in JSON"
        if rest[0] in "}]" and self.text[:start].rstrip().endswith(","):
            return f"expected {what}; got {rest[0]!r} after a comma: delete the comma"
        hint = ": a text stands in double quotes" if word.isidentifier() else ""
        return f"expected {what}; got {word[:40]!r}{hint}"
