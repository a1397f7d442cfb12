"""Did the server really render what was asked? Looked at once a run, on a real path, before any draw counts.

A chat template may strip, wrap or close the last turn, and then every branch of the night goes on from
something else than the reference's prefix. Where the server shows the rendered prompt, its text must be the
root's and then the prefix, to the letter but for white space where the two meet (`ASSISTANT:` and a blank),
and the root's must show the question as words. Where it reports only tokens, those of each cut must begin
with those of the cut before, and say so much in words (vLLM's /detokenize); where it only counts them, each
step must add some. A server that answers none of the prompts is refused with its own words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ssui_gen.calling.asking import USER
from ssui_gen.calling.calls import Caller
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.pictures import Shown
from ssui_gen.calling.resuming import AS_SEEN
from ssui_gen.calling.shown_prompt import amiss, goes_on
from ssui_gen.completions import Completion
from ssui_gen.config import Explore
from ssui_gen.errors import CallFailed, ConfigError, RequestRefused
from ssui_gen.exploring.continuing import Draw, Policy, continuation
from ssui_gen.prompts import policy_prompt
from ssui_gen.reading import CLOSES, OPENS
from ssui_gen.records import ReasoningPath

SHOWN = 40
"""Characters on either side of a difference that a message shows."""
IDS: dict[str, Any] = {"return_token_ids": True}
SHOWING: tuple[dict[str, Any], ...] = (AS_SEEN | {"verbose": True}, AS_SEEN, IDS, {})
"""What is asked for, the most telling first, in vLLM's words and llama-server's; a server may refuse fields
that it does not know."""
ALONE = "tokens, whose words the server does not tell: thoughts that its template may open would not show"
TAKE = "take a system text beside a picture"
GO_ON = "go on with an assistant's turn that has begun"
LEAVE = (
    "serve the policy with a chat template that leaves the last turn as it is (vLLM: --chat-template; `ssui "
    "serve` has some, docs/families.md)"
)
THINKS = re.compile(rf"{OPENS}|{CLOSES}|<\|(?:start_|end_)?think(?:ing)?\|>|<\|?channel", re.IGNORECASE)
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
    words: str | None = None
    """What its tokens say, where the server was asked."""


class Sent(NamedTuple):
    """The texts that every prompt has to show."""

    system: str = ""
    user: str = ""


class Found(NamedTuple):
    """What comparing prompts gave."""

    by: str
    """Text, tokens or counts."""
    lost: str = ""
    """What a prompt does not show, in words. A model may have learnt without a system text (ours have)."""


async def check_rendering(policy: Policy, settings: Explore, path: ReasoningPath, pictures: Shown) -> Found:
    """What the prompts of `path` tell. Raises ConfigError for the first cut whose prompt is not the root's
    and then the prefix, or that the server refuses; and for a question that is lost or garbled.
    """
    found = []
    for cut in range(len(path.steps)):
        draw = Draw(path, cut, 1, 0)
        body = continuation(policy, settings, draw, pictures).wire(policy.caller.sending)
        completion = await _rendered(policy.caller, body, pictures.affinity, cut)
        found.append(Rendered(draw.prefix, completion))
    worded = [await _in_words(policy.caller.client, policy.model, one) for one in found]
    return compare(worded, Sent(*policy_prompt(policy.prompt, path.query.text)))


async def _in_words(client: ChatClient, model: str, one: Rendered) -> Rendered:
    ids = one.completion.prompt_token_ids
    if one.completion.prompt_text is not None or ids is None:
        return one
    return one._replace(words=await client.words(model, ids))


async def _rendered(caller: Caller, body: dict[str, Any], affinity: str, cut: int) -> Completion:
    """One token of an answer, with as much about its prompt as the server will say; raises ConfigError."""
    greedy = {"max_tokens": 1, "temperature": 0, "user": USER}
    asked = {key: value for key, value in body.items() if key not in ("n", "seed")} | greedy
    refused: Exception | None = None
    for more in SHOWING:
        try:
            verbatim = caller.sending.verbatim
            return await caller.client.chat(asked | more, affinity=affinity, verbatim=verbatim)
        except (RequestRefused, CallFailed) as error:
            refused = error
    raise ConfigError(
        f"models.policy: the server does not take the policy's question after {cut} steps: {refused}. Its "
        f"chat template must {GO_ON if cut else TAKE}: {LEAVE}"
    )


def compare(found: Sequence[Rendered], sent: Sent) -> Found:
    """As `check_rendering`, of what was rendered at each cut, the root first."""
    completions = [one.completion for one in found]
    by_text = all(completion.prompt_text is not None for completion in completions)
    by_ids = all(completion.prompt_token_ids is not None for completion in completions)
    texts = [(one.completion.prompt_text if by_text else one.words) for one in found]
    lost = _shown(texts[0], sent) if texts[0] is not None and sent.system and sent.user else ""
    for cut in range(1, len(found)):
        if not by_text and by_ids:
            _same_start(completions[cut - 1], completions[cut], cut)
        if (root := texts[0]) is not None and (got := texts[cut]) is not None:
            _same_text(root, found[cut].prefix, got, sent.system)
        _longer(completions[cut - 1], completions[cut], cut)
    by_words = by_ids and None not in texts
    return Found("text" if by_text else "tokens" if by_words else ALONE if by_ids else "counts", lost)


def _shown(root: str, sent: Sent) -> str:
    """What of the texts is lost that a model may do without; raises ConfigError for the rest. The picture is
    the probe's: not every family has a mark for it.
    """
    found = [fault for fault in amiss(root, sent.system, sent.user) if fault.what != "picture"]
    spared = [fault.words for fault in found if (fault.what, fault.how) == ("system", "lost")]
    if grave := [fault.words for fault in found if fault.words not in spared]:
        raise ConfigError(f"models.policy: of the policy's question {'; '.join(grave)}")
    return "; ".join(spared)


def _same_text(root: str, prefix: str, got: str, system: str) -> None:
    if goes_on(root, prefix, got):
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
    before = got.removesuffix(prefix).removesuffix(prefix.rstrip())
    seam = before[-SHOWN:] + root[-SHOWN:] if before.rstrip() != root.rstrip() else ""
    known = {
        TRIMS: got.endswith(prefix.rstrip()),
        FORGETS: bool(system) and system in root and system not in got,
        THOUGHTS: THINKS.search(seam) is not None,
    }
    return "; ".join(cause for cause, true in known.items() if true) or LEAVE


def _same_start(before: Completion, after: Completion, cut: int) -> None:
    """All tokens of the prompt a step earlier; but at the root, where white space may meet the last one."""
    known, found = before.prompt_token_ids or (), after.prompt_token_ids or ()
    count = len(known) - (cut == 1)
    if found[:count] != known[:count]:
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
