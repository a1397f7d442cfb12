"""Did the server really render what was asked? Looked at once a run, on a real path, before any draw counts.

A chat template may strip, wrap or close the last turn, and then every branch of the night goes on from
something else than the reference's prefix. Where the server shows the rendered prompt, its text must be the
root's and then the prefix, to the letter; where it reports only tokens, the root's tokens must come first;
where it only counts them, each step must add some.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.pictures import Picture
from ssui_gen.calling.probe import USER
from ssui_gen.completions import Completion
from ssui_gen.config import Explore
from ssui_gen.errors import CallFailed, ConfigError, RequestRefused
from ssui_gen.exploring.continuing import Draw, Policy, continuation
from ssui_gen.records import ReasoningPath

SHOWN = 60
"""Characters of a prompt's end that a message shows."""
IDS: dict[str, Any] = {"return_token_ids": True}
SHOWING: tuple[dict[str, Any], ...] = (IDS | {"return_prompt_text": True}, IDS, {})
"""What is asked for, the most telling first; a server may refuse fields that it does not know."""
ADVICE = "serve the policy with a chat template that leaves the last turn as it is"


class Rendered(NamedTuple):
    """A prompt as the server saw it."""

    prefix: str
    completion: Completion


async def check_rendering(policy: Policy, settings: Explore, path: ReasoningPath, picture: Picture) -> str:
    """How the prompts of `path` were compared: text, tokens, counts, or `nothing` where the server answers
    none of them. Raises ConfigError for the first cut whose prompt is not the root's and then the prefix.
    """
    found = []
    for cut in range(len(path.steps)):
        draw = Draw(path, cut, 1, 0)
        body = continuation(policy, settings, draw, picture).wire(policy.caller.sending)
        completion = await _rendered(policy.caller.client, body, picture.ref.sha256)
        if completion is None:
            return "nothing"
        found.append(Rendered(draw.prefix, completion))
    return compare(found)


async def _rendered(client: ChatClient, body: dict[str, Any], affinity: str) -> Completion | None:
    """One token of an answer, with as much about its prompt as the server will say."""
    greedy = {"max_tokens": 1, "temperature": 0, "user": USER}
    asked = {key: value for key, value in body.items() if key not in ("n", "seed")} | greedy
    for more in SHOWING:
        try:
            return await client.chat(asked | more, affinity=affinity)
        except (RequestRefused, CallFailed):
            continue
    return None


def compare(found: Sequence[Rendered]) -> str:
    """As `check_rendering`, of what was rendered at each cut, the root first."""
    completions = [one.completion for one in found]
    by_text = all(completion.prompt_text is not None for completion in completions)
    by_ids = all(completion.prompt_token_ids is not None for completion in completions)
    root = completions[0]
    for cut in range(1, len(found)):
        if by_text:
            _same_text(f"{root.prompt_text}{found[cut].prefix}", completions[cut].prompt_text or "", cut)
        elif by_ids:
            _same_start(root.prompt_token_ids or (), completions[cut].prompt_token_ids or (), cut)
        _longer(completions[cut - 1], completions[cut], cut)
    return "text" if by_text else "tokens" if by_ids else "counts"


def _same_text(wanted: str, got: str, cut: int) -> None:
    if got != wanted:
        raise ConfigError(
            f"models.policy: after {cut} steps expected a prompt that ends with {wanted[-SHOWN:]!r}; the "
            f"server rendered one that ends with {got[-SHOWN:]!r}: {ADVICE}"
        )


def _same_start(root: Sequence[int], got: Sequence[int], cut: int) -> None:
    """The root's last token may have grown into the prefix."""
    if tuple(got[: len(root) - 1]) != tuple(root[:-1]):
        raise ConfigError(
            f"models.policy: after {cut} steps the prompt does not begin with the tokens of the prompt "
            f"without them: {ADVICE}"
        )


def _longer(before: Completion, after: Completion, cut: int) -> None:
    if after.usage.prompt_tokens and after.usage.prompt_tokens <= before.usage.prompt_tokens:
        raise ConfigError(
            f"models.policy: the prompt after {cut} steps has {after.usage.prompt_tokens} tokens, and a step "
            f"earlier it had {before.usage.prompt_tokens}: expected more; {ADVICE}"
        )
