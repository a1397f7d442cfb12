"""Whether a server goes on with an answer that was begun, to the letter: told by what it writes and counts.

Some servers take `continue_final_message` and answer anew, after a turn that they closed; some trim what was
begun; some repeat it before what they write. A branch drawn from the first two would be one from another
prompt. Covers no template's text: that is `rendered`'s, where a server shows its prompts.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from ssui_gen.calling.shown_prompt import goes_on
from ssui_gen.completions import Completion

BREAK = "\n"
"""What every prefix of a path ends with; trimmed away by some."""
AS_SEEN: dict[str, Any] = {"return_token_ids": True, "return_prompt_text": True}
"""What shows a prompt as the server saw it; vLLM's."""
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


class Resumed(NamedTuple):
    """What was found."""

    prefix: bool | None
    """Whether it goes on with a beginning; None if the answer is too short to tell."""
    echoes: bool = False
    """Whether what it writes is preceded by the beginning."""
    verbatim: bool = False
    """Whether it goes on so only where the beginning is sent as text."""


async def resumes(begun: Begun, whole: Completion | None, most: int) -> Resumed:
    """How a greedy answer of at most `most` tokens goes on when it is cut before a word and begun so."""
    cut = _cut(whole)
    if whole is None or cut is None:
        return Resumed(None)
    fields = AS_SEEN if whole.choices[0].token_ids else {}
    rest = await begun(cut.said, max_tokens=most - (cut.tokens or 0), **fields)
    if rest is None:
        return Resumed(False)
    echoes = _echoes(whole, cut, rest)
    if whole.prompt_token_ids and whole.choices[0].token_ids and cut.tokens is not None:
        wanted = whole.prompt_token_ids + whole.choices[0].token_ids[: cut.tokens]
        return Resumed(rest.prompt_token_ids == wanted or _as_written(whole, cut, rest), echoes)
    goes_on = echoes or _goes_on(whole, cut, rest)
    return Resumed(goes_on and not await _trims(begun, cut.said, bool(whole.choices[0].logprobs)), echoes)


def stands_behind(root: Completion, again: Completion, after: Completion, said: str) -> bool:
    """Of a question in chat (`root`), the same sent as text (`again`), and as text with an answer that is
    begun (`after`): whether the prompts are one, in words and in tokens, which count the picture too, and
    what was begun follows to the letter.
    """
    same = (root.prompt_text, root.usage.prompt_tokens) == (again.prompt_text, again.usage.prompt_tokens)
    grown = after.usage.prompt_tokens > root.usage.prompt_tokens
    return same and grown and after.prompt_text == f"{root.prompt_text}{said}"


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


def _as_written(whole: Completion, cut: Cut, rest: Completion) -> bool:
    """White space where prompt and answer meet may differ, if the server shows what it renders."""
    shown = (whole.prompt_text, rest.prompt_text)
    return shown[0] is not None and shown[1] is not None and goes_on(shown[0], cut.said, shown[1])


def _echoes(whole: Completion, cut: Cut, rest: Completion) -> bool:
    """The whole answer came back, and only what was left of it was written. One that answers anew may say the
    same, but then it wrote all of it.
    """
    if cut.tokens is None or whole.choices[0].text != rest.choices[0].text:
        return False
    grown = rest.usage.prompt_tokens - whole.usage.prompt_tokens
    spared = whole.usage.completion_tokens - rest.usage.completion_tokens
    return grown == spared == cut.tokens


async def _trims(begun: Begun, said: str, shown: bool) -> bool:
    """Whether a line break at the end of what was begun changes nothing."""
    fields: dict[str, Any] = {"max_tokens": 1, "logprobs": True, "top_logprobs": 5} if shown else {}
    made = [await begun(text, **{"max_tokens": SEAM, **fields}) for text in (said, said + BREAK)]
    first, second = (one.choices[0] if one else None for one in made)
    if first is None or second is None:
        return True
    return first.logprobs == second.logprobs if shown else first.text == second.text
