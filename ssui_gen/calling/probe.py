"""What a served model can really do: found out by asking it, once at the start of a run.

Some servers take a field that they do not know and ignore it, so each feature is judged by its effect and
never by a version. Covers asking and what is lost where a feature lacks; not starting servers (`serve`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.resuming import Resumed, resumes
from ssui_gen.completions import Completion, Features
from ssui_gen.errors import CallFailed, ConfigError, RequestRefused
from ssui_gen.images import plain_url

COUNT = "Count from one to twenty in words."
COLOUR = "Which colour is this picture?"
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
LETTERS = "qxz"
"""That no answer to COUNT consists of."""
BRIEF = 8
"""Tokens of an answer that only has to come."""
LONG = 24
"""Tokens of the answer that is cut and continued."""
SHARING = 8
"""Calls about one picture that show whether its prefix is found again."""
SEVERAL = (64, 8, 3)
"""Choices that one call is asked for, until it makes them: llama-server makes as many as it has slots."""
USER = "ssui_gen probe"
"""Sent as `user`, so that a server's log tells these calls from the work."""

LOST = {
    "sees_pictures": "the picture changes nothing in the answers",
    "json_schema": "replies may miss their form and are then asked for again",
    "regex": "branches cannot be held to a form (explore.form: regex)",
    "n": "each branch needs a request of its own",
    "prefix": "no branch can be drawn from a step prefix",
    "logprobs": "verdicts carry no probability",
    "logprob_token_ids": "probabilities only of the most probable tokens",
    "token_ids": "prefixes are cut in text, not in tokens",
    "file_urls": "pictures travel as base64",
    "uuid": "pictures are hashed anew in each call",
    "priority": "calls are served as they come, not the deeper first",
    "cached_tokens": "what the prefix cache saves is not known",
}
"""What a run loses where a feature lacks."""
REMEDY = {
    "sees_pictures": "serve a vision-language model",
    "json_schema": "serve with structured outputs (response_format json_schema)",
    "regex": "serve with vLLM (structured_outputs), or leave explore.form at free",
    "prefix": "serve with vLLM, and a chat template that leaves the last turn as it is",
    "file_urls": "vLLM: --allowed-local-media-path with the seeds' root",
    "priority": "vLLM: --scheduling-policy priority",
    "cached_tokens": "vLLM: --enable-prompt-tokens-details",
    "prefix_hits": "vLLM: --enable-prefix-caching; a model with recurrent layers caches whole blocks only, "
    "so prefer one with plain attention",
}
"""What would bring a feature."""
LEAST_HITS = 0.3
"""Share of prompt tokens below which the prefix cache counts as not hitting."""


class Sample(NamedTuple):
    """A real picture of the run, as it may be sent."""

    data_url: str
    file_url: str | None = None


async def probe(client: ChatClient, model: str, sample: Sample | None = None) -> Features:
    """Ask `model` about itself; raises AccessDenied or ServerGone."""
    ask = _Ask(client, model, sample or Sample(plain_url("red")))
    first = await ask.tried(COUNT, **_LOOKING, max_tokens=LONG, return_token_ids=True)
    whole = first or await ask.tried(COUNT, **_LOOKING, max_tokens=LONG)
    ids = whole.choices[0].token_ids if whole else None
    found = await asyncio.gather(
        ask.sees(), ask.obeys(), ask.matches(), ask.draws(), ask.continues(whole),
        ask.watches(ids), ask.reads_files(), ask.takes_uuid(), ask.takes_priority(), ask.shares(),
    )  # fmt: skip
    names = (
        "sees_pictures", "json_schema", "regex", "most_n", "resumed", "logprob_token_ids",
        "file_urls", "uuid", "priority", "prefix_hits",
    )  # fmt: skip
    effects: dict[str, Any] = dict(zip(names, found, strict=True))
    return Features.model_validate(
        {
            **effects.pop("resumed")._asdict(),
            **effects,
            "n": effects["most_n"] > 1,
            "logprobs": bool(whole and whole.choices[0].logprobs),
            "token_ids": ids is not None,
            "cached_tokens": bool(whole and whole.usage.cached_tokens is not None),
        }
    )


def lacking(features: Features, wanted: Iterable[str]) -> str:
    """In one line what a run loses, wanted features and prefix-cache hits; empty if it loses nothing."""
    lost = [f"no {name} ({LOST[name]})" for name in wanted if getattr(features, name) is False]
    hits = features.prefix_hits
    if hits is not None and hits < LEAST_HITS:
        lost.append(f"prefix cache hits for only {hits:.0%} of tokens ({REMEDY['prefix_hits']})")
    return ", ".join(lost)


def require(features: Features, needed: Iterable[str], role: str) -> None:
    """Raises ConfigError for the first needed feature that lacks."""
    for name in needed:
        if getattr(features, name) is False:
            raise ConfigError(f"models.{role}: {LOST[name]}; {REMEDY.get(name, 'serve with vLLM')}")


_LOOKING: dict[str, Any] = {"logprobs": True, "top_logprobs": 5}


class _Ask(NamedTuple):
    """One question at a time, greedy unless said otherwise."""

    client: ChatClient
    model: str
    sample: Sample

    async def __call__(
        self, text: str, picture: dict[str, Any] | None = None, said: str = "", **fields: Any
    ) -> Completion:
        content = [*([picture] if picture else []), {"type": "text", "text": text}]
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if said:
            messages.append({"role": "assistant", "content": said})
            fields |= {"add_generation_prompt": False, "continue_final_message": True}
        body = {"model": self.model, "messages": messages, "user": USER, "temperature": 0}
        return await self.client.chat({**body, "max_tokens": BRIEF, **fields}, affinity=self.sample.data_url)

    async def tried(
        self, text: str, picture: dict[str, Any] | None = None, said: str = "", **fields: Any
    ) -> Completion | None:
        """None where the server will not or cannot answer this."""
        try:
            return await self(text, picture, said, **fields)
        except (RequestRefused, CallFailed):
            return None

    async def sees(self) -> bool | None:
        """Two colours under the same words must not give the very same log-probabilities."""
        swatches = [_part(plain_url(colour)) for colour in ("red", "blue")]
        red, blue = [await self.tried(COLOUR, swatch, **_LOOKING) for swatch in swatches]
        if red is None or blue is None:
            return False
        if red.choices[0].logprobs is None or blue.choices[0].logprobs is None:
            return True if red.choices[0].text != blue.choices[0].text else None
        return red.choices[0].logprobs != blue.choices[0].logprobs

    async def obeys(self) -> bool:
        asked = {"type": "json_schema", "json_schema": {"name": "Colour", "schema": SCHEMA}}
        made = await self.tried(COLOUR, self._picture(), response_format=asked, max_tokens=LONG)
        try:
            return bool(made) and set(json.loads(made.choices[0].text)) == {"colour"}  # type: ignore[union-attr]
        except (ValueError, TypeError):
            return False

    async def matches(self) -> bool:
        made = await self.tried(COUNT, structured_outputs={"regex": f"[{LETTERS}]{{{len(LETTERS)}}}"})
        return bool(made and made.choices[0].text and set(made.choices[0].text) <= set(LETTERS))

    async def draws(self) -> int:
        """The most choices that a call makes, of some numbers; 1 where `n` is refused or changes nothing."""
        for most in SEVERAL:
            made = await self.tried(COUNT, n=most, temperature=1.0, max_tokens=1)
            if made is not None:
                return most if len(made.choices) == most else 1
        return 1

    async def continues(self, whole: Completion | None) -> Resumed:
        """A greedy answer, cut and begun so, must go on as it went."""

        async def begun(said: str, **fields: Any) -> Completion | None:
            return await self.tried(COUNT, said=said, **fields)

        return await resumes(begun, whole, LONG)

    async def watches(self, ids: tuple[int, ...] | None) -> bool:
        watched = sorted(set(ids or ()))[:5] or [10, 11, 12]
        fields: dict[str, Any] = {"logprobs": True, "top_logprobs": 0, "logprob_token_ids": watched}
        made = await self.tried(COUNT, max_tokens=1, **fields)
        seen = made.choices[0].logprobs if made else None
        return bool(seen) and len(seen[0].top) >= len(watched)  # type: ignore[index]

    async def reads_files(self) -> bool | None:
        """The file must make a prompt of the very length that its bytes make. None without a file to try."""
        if self.sample.file_url is None:
            return None
        urls = (self.sample.file_url, self.sample.data_url)
        file, data = [await self.tried(COLOUR, _part(url)) for url in urls]
        return bool(file and data and file.usage.prompt_tokens == data.usage.prompt_tokens)

    async def takes_uuid(self) -> bool:
        return await self.tried(COLOUR, self._picture() | {"uuid": USER}) is not None

    async def takes_priority(self) -> bool:
        return await self.tried(COUNT, priority=1) is not None

    async def shares(self) -> float | None:
        """Share of the prompt's tokens that the calls after the first find in the prefix cache."""
        texts = [f"{COLOUR} This is question {number}." for number in range(SHARING)]
        made = [await self.tried(texts[0], self._picture())]
        made += await asyncio.gather(*(self.tried(text, self._picture()) for text in texts[1:]))
        usages = [one.usage for one in made[1:] if one and one.usage.cached_tokens is not None]
        prompt = sum(usage.prompt_tokens for usage in usages)
        return sum(usage.cached_tokens or 0 for usage in usages) / prompt if prompt else None

    def _picture(self) -> dict[str, Any]:
        return _part(self.sample.data_url)


def _part(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}
