"""Did the server really render what was asked? Looked at once a run, on a real path, before any draw counts.

A chat template may strip, wrap or close the last turn, and then every branch of the night goes on from
something else than the reference's prefix. Where the server shows the rendered prompt, its text must be the
root's and then the prefix, to the letter but for white space where the two meet (`ASSISTANT:` and a blank);
where it reports only tokens, those of each cut must begin with those of the cut before; where it only counts
them, each step must add some. A server that answers none of the prompts is refused with its own words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ssui_gen.calling.asking import USER
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.pictures import Picture
from ssui_gen.completions import Completion
from ssui_gen.config import Explore
from ssui_gen.errors import CallFailed, ConfigError, RequestRefused
from ssui_gen.exploring.continuing import Draw, Policy, continuation
from ssui_gen.prompts import policy_prompt
from ssui_gen.records import ReasoningPath

SHOWN = 40
"""Characters on either side of a difference that a message shows."""
IDS: dict[str, Any] = {"return_token_ids": True}
TEXT: dict[str, Any] = IDS | {"return_prompt_text": True}
SHOWING: tuple[dict[str, Any], ...] = (TEXT | {"verbose": True}, TEXT, IDS, {})
"""What is asked for, the most telling first, in vLLM's words and llama-server's; a server may refuse fields
that it does not know."""
LEAVE = "serve the policy with a chat template that leaves the last turn as it is (vLLM: --chat-template)"
THINKS = re.compile(r"</?think|◁/?think|channel", re.IGNORECASE)
THOUGHTS = (
    "its template opens or closes thoughts there: serve the policy without thinking (vLLM: "
    "--default-chat-template-kwargs '{\"enable_thinking\": false}'), or take one that does not think first"
)
TRIMS = f"its template trims the last turn, and a cut ends with its line break: {LEAVE}, without `trim`"
FORGETS = f"its template leaves the system text out when the assistant has begun: {LEAVE}"


class Rendered(NamedTuple):
    """A prompt as the server saw it."""

    prefix: str
    completion: Completion


async def check_rendering(policy: Policy, settings: Explore, path: ReasoningPath, picture: Picture) -> str:
    """How the prompts of `path` were compared: text, tokens or counts. Raises ConfigError for the first cut
    whose prompt is not the root's and then the prefix, or that the server refuses.
    """
    found = []
    for cut in range(len(path.steps)):
        draw = Draw(path, cut, 1, 0)
        body = continuation(policy, settings, draw, picture).wire(policy.caller.sending)
        completion = await _rendered(policy.caller.client, body, picture.ref.sha256, cut)
        found.append(Rendered(draw.prefix, completion))
    return compare(found, policy_prompt(policy.prompt, path.query.text)[0])


async def _rendered(client: ChatClient, body: dict[str, Any], affinity: str, cut: int) -> Completion:
    """One token of an answer, with as much about its prompt as the server will say; raises ConfigError."""
    greedy = {"max_tokens": 1, "temperature": 0, "user": USER}
    asked = {key: value for key, value in body.items() if key not in ("n", "seed")} | greedy
    refused: Exception | None = None
    for more in SHOWING:
        try:
            return await client.chat(asked | more, affinity=affinity)
        except (RequestRefused, CallFailed) as error:
            refused = error
    raise ConfigError(
        f"models.policy: the server does not take the policy's question after {cut} steps: {refused}. It "
        f"must take a system text, a picture and an assistant turn to go on with: {LEAVE}"
    )


def compare(found: Sequence[Rendered], system: str = "") -> str:
    """As `check_rendering`, of what was rendered at each cut, the root first; `system` is the system text."""
    completions = [one.completion for one in found]
    by_text = all(completion.prompt_text is not None for completion in completions)
    by_ids = all(completion.prompt_token_ids is not None for completion in completions)
    for cut in range(1, len(found)):
        before, after = completions[cut - 1], completions[cut]
        if by_text:
            _same_text(completions[0].prompt_text or "", found[cut].prefix, after.prompt_text or "", system)
        elif by_ids:
            _same_start(before.prompt_token_ids or (), after.prompt_token_ids or (), cut)
        _longer(before, after, cut)
    return "text" if by_text else "tokens" if by_ids else "counts"


def _same_text(root: str, prefix: str, got: str, system: str) -> None:
    """White space where they meet may differ: a template may write the blank that a model would."""
    if got.endswith(prefix) and got.removesuffix(prefix).rstrip() == root.rstrip():
        return
    wanted = root + prefix
    place = next((i for i, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), len(got))
    around = slice(max(0, place - SHOWN), place + SHOWN)
    raise ConfigError(
        f"models.policy: after {prefix.count(chr(10))} steps expected the prompt to go on with "
        f"{wanted[around]!r}; the server rendered {got[around]!r}: {_cause(root, prefix, got, system)}"
    )


def _cause(root: str, prefix: str, got: str, system: str) -> str:
    """What is known to do so, and what to do."""
    if got.endswith(prefix.rstrip()):
        return TRIMS
    if system and system in root and system not in got:
        return FORGETS
    tail = got.removesuffix(prefix)[len(root) - SHOWN :] + root[-SHOWN:]
    return THOUGHTS if THINKS.search(tail) else LEAVE


def _same_start(before: Sequence[int], after: Sequence[int], cut: int) -> None:
    """A cut ends with a line break, and with it a token: the next one only adds some."""
    if tuple(after[: len(before)]) != tuple(before):
        raise ConfigError(
            f"models.policy: after {cut} steps the prompt does not begin with the tokens of the prompt a "
            f"step earlier: {LEAVE}; or {THOUGHTS}"
        )


def _longer(before: Completion, after: Completion, cut: int) -> None:
    if after.usage.prompt_tokens and after.usage.prompt_tokens <= before.usage.prompt_tokens:
        raise ConfigError(
            f"models.policy: the prompt after {cut} steps has {after.usage.prompt_tokens} tokens, and a step "
            f"earlier it had {before.usage.prompt_tokens}: expected more: {LEAVE}"
        )
