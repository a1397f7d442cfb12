"""Whether a server goes on with an answer that was begun, to the letter: told by what it writes and counts.

Some servers take `continue_final_message` and answer anew (a closed turn before it), some trim what was begun; a
branch drawn from either would be one from another prompt. Covers no template's text: that is `rendered`'s, where
a server shows its prompts.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, NamedTuple, Protocol

from ssui_gen.completions import Completion

BREAK = "\n"
"""What every prefix of a path ends with; trimmed away by some."""
LEAST = 3
"""Tokens, or words, of an answer before it is cut."""
SEAM = 8
"""Tokens that show whether two beginnings are the same to the server."""


class Begun(Protocol):
    """Asks the question again with the answer begun; None where that is refused."""

    async def __call__(self, said: str, **fields: Any) -> Completion | None: ...


class Cut(NamedTuple):
    """A beginning of an answer."""

    said: str
    tokens: int | None
    """None where the server does not show them."""


async def resumes(begun: Begun, whole: Completion | None, most: int) -> bool | None:
    """Whether a greedy answer of at most `most` tokens, cut before a word and begun so, goes on as it went. None
    if it is too short to tell.
    """
    cut = _cut(whole)
    if whole is None or cut is None:
        return None
    fields: dict[str, Any] = {"return_token_ids": True} if whole.choices[0].token_ids else {}
    rest = await begun(cut.said, max_tokens=most - (cut.tokens or 0), **fields)
    if rest is None:
        return False
    if whole.prompt_token_ids and whole.choices[0].token_ids and cut.tokens is not None:
        return rest.prompt_token_ids == whole.prompt_token_ids + whole.choices[0].token_ids[: cut.tokens]
    return _goes_on(whole, cut, rest) and not await _trims(begun, cut.said, bool(whole.choices[0].logprobs))


def _cut(whole: Completion | None) -> Cut | None:
    """Before the first word from the third token on; where tokens are not shown, before the fourth word."""
    if whole is None:
        return None
    tokens = whole.choices[0].logprobs or ()
    place = next((i for i, one in enumerate(tokens) if i >= LEAST and one.token[:1] == " "), None)
    if place is not None:
        return Cut("".join(one.token for one in tokens[:place]), place)
    words = whole.choices[0].text.split(" ")
    return None if tokens or len(words) <= LEAST else Cut(" ".join(words[:LEAST]), None)


def _goes_on(whole: Completion, cut: Cut, rest: Completion) -> bool:
    """In text and, as far as tokens are counted, in number. Without them both may end elsewhere."""
    went, grown = cut.said + rest.choices[0].text, rest.usage.prompt_tokens - whole.usage.prompt_tokens
    if cut.tokens is not None:
        return went == whole.choices[0].text and grown == cut.tokens
    known = min(len(went), len(whole.choices[0].text))
    return known > len(cut.said) and went[:known] == whole.choices[0].text[:known] and grown >= 0


async def _trims(begun: Begun, said: str, shown: bool) -> bool:
    """Whether a line break at the end of what was begun changes nothing."""
    fields: dict[str, Any] = {"max_tokens": 1, "logprobs": True, "top_logprobs": 5} if shown else {}
    made = [await begun(text, **{"max_tokens": SEAM, **fields}) for text in (said, said + BREAK)]
    first, second = (one.choices[0] if one else None for one in made)
    return first is None or second is None or (first.text, first.logprobs) == (second.text, second.logprobs)
