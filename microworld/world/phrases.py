"""Phrases in frames, the words of a phrase and what it names; a lot that depends on nothing but its parts."""

import hashlib
import re


def stable_share(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the parts: same on every machine and run."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def framed(frame: str, phrase: str) -> str:
    first = phrase.split()[0]
    keeps_capital = first == "I" or first.startswith("I'")
    lowered = phrase if keeps_capital else phrase[0].lower() + phrase[1:]
    return frame.format(phrase=phrase, lowered=lowered)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def names(phrase: str, thing_id: str) -> bool:
    """Whether a phrase names the thing: a word of its id, singular or plural, short words of pairs aside."""
    parts = thing_id.split("_")
    telling = [part for part in parts if len(part) > 3 or len(parts) == 1]
    return any(word in (part, part + "s", part + "es") for word in words(phrase) for part in telling)
