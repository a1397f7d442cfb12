"""A JSON value read strictly, where `json.loads` is lax: duplicate keys, NaN, lone surrogates, deep nesting.

Knows no file and no line of one (`jsonl`).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

DEEPEST = 64
"""Lists and objects inside each other."""


class Fault(ValueError):
    """What is wrong, and where."""

    def __init__(self, message: str, column: int = 1, line: int = 1) -> None:
        super().__init__(message)
        self.column, self.line = column, line


def value_of(raw: bytes) -> Any:
    """The value that `raw` is. Raises Fault."""
    try:
        value = DECODER.decode(raw.decode("utf-8"))
        check(value, deep=raw.count(b"[") + raw.count(b"{") > DEEPEST)
    except Fault:
        raise
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = error.start - before.rfind(b"\n")
        raise Fault("expected UTF-8", column, before.count(b"\n") + 1) from None
    except json.JSONDecodeError as error:
        raise Fault(f"not JSON: {error.msg}", error.colno, error.lineno) from None
    except ValueError as error:  # an integer of thousands of digits, a float beyond the largest
        raise Fault(f"a number out of range: {error}") from None
    except RecursionError:
        raise Fault("nested too deeply") from None
    return value


def check(value: Any, *, deep: bool = True, finite: bool = True) -> None:
    """Raises Fault for a value that was read laxly, and could not have been read so. Its depth is looked at
    where it may be `deep`, and its numbers where all are to be `finite`.
    """
    try:
        if deep and _depth(value) > DEEPEST:
            raise Fault("nested too deeply")
        json.dumps(value, ensure_ascii=False, allow_nan=not finite, default=_refuse).encode("utf-8")
    except UnicodeEncodeError:
        raise Fault("a lone surrogate (half of a \\uXXXX pair); expected whole characters") from None
    except RecursionError:
        raise Fault("nested too deeply") from None
    except Fault:
        raise
    except ValueError as error:
        raise Fault(f"a number out of range: {error}") from None


class Twice:
    """An object in which a key stands twice, where the rest of a file is still to be read."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __str__(self) -> str:
        return f"the key {self.key!r} stands twice; keep one"


def _refuse(value: Any) -> None:
    raise Fault(str(value))


def lax(raw: bytes) -> Any:
    """The value of a whole file, whose parts are then held to `check` one by one, so that a fault of a part
    costs that part. Raises ValueError and RecursionError.
    """
    return json.loads(raw, object_pairs_hook=_object_or_twice)


def _object_or_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Twice:
    value = dict(pairs)
    return value if len(value) == len(pairs) else Twice(_twice(pairs))


def _twice(pairs: list[tuple[str, Any]]) -> str:
    return next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)


def _depth(value: Any) -> int:
    """Lists and objects inside each other; not counted beyond what is allowed."""
    depth, level = 0, [value]
    while depth <= DEEPEST and (level := [one for one in level if isinstance(one, dict | list)]):
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
        depth += 1
    return depth


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise Fault(str(Twice(_twice(pairs))))
    return value


def _constant(name: str) -> None:
    raise Fault(f"{name} is not a number in JSON; use null or a number")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
"""Refuses with ValueError a key that stands twice, and NaN."""
