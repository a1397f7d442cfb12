"""What a served model can really do: found out by asking it, once at the start of a run.

Some servers take a field that they do not know and ignore it, so each feature is judged by its effect and
never by a version. First it is settled on which terms the server answers at all (`terms`). Covers asking and
what is lost where a feature lacks; not starting servers (`serve`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from ssui_gen.calling.asking import COLOUR, COUNT, LONG, SENTENCE, USER, Ask, Sample, part
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.resuming import AS_SEEN, Resumed, resumes
from ssui_gen.calling.terms import GIVEN_UP, SHOWING, Given, Way, in_forms, plainly, settle
from ssui_gen.completions import LEAST_LOGPROB, Choice, Completion, Features
from ssui_gen.dialect import PLAIN, Dialect
from ssui_gen.errors import ConfigError, ReplyError
from ssui_gen.images import plain_url
from ssui_gen.reading import opens_thoughts
from ssui_gen.records import Record
from ssui_gen.replying import read
from ssui_gen.schemas import response_format


class Colour(Record):
    """What a model is asked for that keeps to schemas."""

    colour: Literal["red", "blue"]


STRICTLY = Given("strict", "", Dialect(strict=True))
"""What OpenAI's servers want, which refuse nothing without it and keep to no schema."""
DRAWS = 4
"""Of one sentence, that show whether they differ."""
BY_CHANCE = 1e-6
"""How probable it must be at least that all are alike, for that to tell nothing."""
LETTERS = "qxz"
"""That no answer to COUNT consists of."""
SHARING = 8
"""Calls about one picture that show whether its prefix is found again."""
SEVERAL = (64, 8, 3)
"""Choices that one call is asked for, until it makes them: llama-server makes as many as it has slots."""
PLAIN_FIELDS = (
    "user",
    "seed",
    "top_p",
    "top_logprobs",
    "logprobs",
    "temperature",
    "max_tokens",
    "system",
    "picture",
)
FORM_FIELDS = ("strict", "logprobs", "response_format")
SAID = ("json_schema", "regex", "prefix")
"""What only an answer shows."""
AT_ONCE: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": False}}
"""What makes templates of most families that think first answer at once."""

LOST = {
    "sees_pictures": "the picture changes nothing in the answers",
    "room": "it thinks before it answers, and its replies would be cut off among its thoughts",
    "temperature": "it takes no temperature, so branches cannot be drawn as they must be",
    "samples": "its draws are alike at any temperature",
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
    "samples": "its generation_config.json narrows them (top_k): vLLM: --generation-config vllm",
    "temperature": "take a policy that is sampled as it is told, served by vLLM",
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
ASKED_BY = {"sees_pictures": "picture", "json_schema": "response_format"}
"""What shows a feature, where it has another name."""
LEAST_HITS = 0.3
"""Share of prompt tokens below which the prefix cache counts as not hitting."""


async def probe(
    client: ChatClient,
    model: str,
    sample: Sample | None = None,
    dialect: Dialect = PLAIN,
    formats: Sequence[dict[str, Any]] = (),
) -> Features:
    """Ask `model` about itself, in the `dialect` that a person named; `formats` are those that its replies
    will be held to. Raises ConfigError for one that answers nothing, AccessDenied or ServerGone.
    """
    ask = Ask(client, model, sample or Sample(plain_url("red")), dialect)
    way, answer = await settle(Way(ask), plainly, PLAIN_FIELDS)
    if formats:
        way, _ = await settle(way, in_forms(formats), FORM_FIELDS)
    found = await _effects(way)
    if not found["json_schema"] and await _Effects(*(strict := way.giving(STRICTLY)).asking).obeys():
        way, found["json_schema"] = strict, True
    if thinks := _thinks(answer):
        found |= {"thinks": True, "hushed": await _hushed(way.asking)}
    if thinks and not dialect.thoughts:
        found |= {"room": False, **dict.fromkeys(SAID)}
    return Features.model_validate(found | _terms(way))


async def _effects(way: Way) -> dict[str, Any]:
    """What it does with what it takes."""
    ask = _Effects(*way.asking)
    first = await ask.tried(COUNT, **SHOWING, max_tokens=LONG, **AS_SEEN)
    whole = first or await ask.tried(COUNT, **SHOWING, max_tokens=LONG)
    ids = whole.choices[0].token_ids if whole else None
    found = await asyncio.gather(
        ask.sees(), ask.obeys(), ask.matches(), ask.draws(), ask.continues(whole),
        ask.watches(ids), ask.reads_files(), ask.takes_uuid(), ask.takes_priority(), ask.shares(),
        ask.varies(),
    )  # fmt: skip
    names = (
        "sees_pictures", "json_schema", "regex", "most_n", "resumed", "logprob_token_ids",
        "file_urls", "uuid", "priority", "prefix_hits", "samples",
    )  # fmt: skip
    effects: dict[str, Any] = dict(zip(names, found, strict=True))
    return {
        **effects.pop("resumed")._asdict(),
        **effects,
        "n": effects["most_n"] > 1,
        "logprobs": bool(whole and whole.choices[0].logprobs),
        "token_ids": ids is not None,
        "cached_tokens": bool(whole and whole.usage.cached_tokens is not None),
    }


def _terms(way: Way) -> dict[str, Any]:
    """What it takes, as features."""
    refused, terms = {one.name: one.said for one in way.up if one.said}, way.asking.terms
    found: dict[str, Any] = {"refused": refused, "terms": terms}
    found["temperature"] = "temperature" not in {*terms.omit, *way.ask.dialect.omit}
    if not way.picture:
        found["sees_pictures"] = False
    if "response_format" in terms.omit:
        found["json_schema"] = False
    return found


def _thinks(answer: Completion) -> bool:
    """Whether its first tokens were thoughts, shown or not."""
    choice = answer.choices[0]
    return bool(choice.reasoning or answer.usage.reasoning_tokens or opens_thoughts(choice.text))


async def _hushed(ask: Ask) -> bool:
    """Whether it answers at once when its template is told to."""
    made = await ask.tried(COLOUR, ask.picture, **AT_ONCE)
    return made is not None and bool(made.choices[0].text) and not _thinks(made)


def lacking(features: Features, wanted: Iterable[str]) -> str:
    """In one line what a run loses, wanted features and prefix-cache hits; empty if it loses nothing."""
    found = [f"no {name} ({LOST[name]})" for name in wanted if getattr(features, name) is False]
    hits = features.prefix_hits
    if hits is not None and hits < LEAST_HITS:
        found.append(f"prefix cache hits for only {hits:.0%} of tokens ({REMEDY['prefix_hits']})")
    return ", ".join(found)


def told(features: Features) -> Iterator[str]:
    """What the server refused, in its words, and what is done instead; a sentence each."""
    for name, said in features.refused.items():
        if name != "user":  # only questions of the probe bear it
            yield f"refuses {name} ({said!r}): {_instead(name, features.terms)}"
    if features.terms.strict and "strict" not in features.refused:
        yield "keeps to schemas only with `strict: true`, which is sent"
    if features.thinks and features.room:
        yield "thinks before it answers"


def _instead(name: str, terms: Dialect) -> str:
    if name == "max_tokens" and name in terms.omit:
        return "left out: replies are as long as it likes"
    return f"{terms.top_logprobs} are asked for" if name == "top_logprobs" else GIVEN_UP[name]


def require(features: Features, needed: Iterable[str], role: str) -> None:
    """Raises ConfigError for the first needed feature that lacks."""
    for name in needed:
        if getattr(features, name) is False:
            raise ConfigError(f"models.{role}: {lost(features, name)}; {remedy(features, name, role)}")


def lost(features: Features, name: str) -> str:
    """What lacks with a feature, with the server's words where it refused something."""
    said = features.refused.get(ASKED_BY.get(name, name))
    return f"it refuses {ASKED_BY.get(name, name)}: {said!r}" if said else LOST[name]


def remedy(features: Features, name: str, role: str) -> str:
    """What would bring a feature."""
    if name != "room":
        return REMEDY.get(name, "serve with vLLM")
    hush = f"models: {{{role}: {{preset: no_thinking}}}} makes it answer at once (tried), or "
    return f"{hush if features.hushed else ''}models: {{{role}: {{thoughts: 8192}}}} leaves it room to think"


class _Effects(Ask):
    """Questions whose answers show what a model does."""

    async def sees(self) -> bool | None:
        """Two colours under the same words must not give the very same log-probabilities."""
        swatches = [part(plain_url(colour)) for colour in ("red", "blue")]
        red, blue = [await self.tried(COLOUR, swatch, **SHOWING) for swatch in swatches]
        if red is None or blue is None:
            return None
        if not (_tells(red.choices[0]) and _tells(blue.choices[0])):
            return True if red.choices[0].text != blue.choices[0].text else None
        return red.choices[0].logprobs != blue.choices[0].logprobs

    async def obeys(self) -> bool:
        form = response_format(Colour)
        made = await self.tried(COLOUR, self.picture, response_format=form, max_tokens=LONG)
        try:
            return made is not None and bool(read(Colour, made.choices[0], LONG))
        except ReplyError:
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
        file, data = [await self.tried(COLOUR, part(url)) for url in urls]
        return bool(file and data and file.usage.prompt_tokens == data.usage.prompt_tokens)

    async def takes_uuid(self) -> bool:
        return await self.tried(COLOUR, self.picture | {"uuid": USER}) is not None

    async def takes_priority(self) -> bool:
        return await self.tried(COUNT, priority=1) is not None

    async def varies(self) -> bool | None:
        """Draws of one sentence must not all be alike, unless it is that probable; None where that is so, or
        where nothing tells how probable it is.
        """
        draws = (
            self.tried(SENTENCE, max_tokens=LONG, temperature=1.0, seed=draw, logprobs=True)
            for draw in range(DRAWS)
        )
        made = [one.choices[0] for one in await asyncio.gather(*draws) if one]
        if len({choice.text for choice in made}) > 1:
            return True
        if len(made) < DRAWS or not _tells(made[0]):
            return None
        surely = sum(token.logprob for token in made[0].logprobs or ())
        return False if math.exp(surely * (DRAWS - 1)) < BY_CHANCE else None

    async def shares(self) -> float | None:
        """Share of the prompt's tokens that the calls after the first find in the prefix cache."""
        texts = [f"{COLOUR} This is question {number}." for number in range(SHARING)]
        made = [await self.tried(texts[0], self.picture)]
        made += await asyncio.gather(*(self.tried(text, self.picture) for text in texts[1:]))
        usages = [one.usage for one in made[1:] if one and one.usage.cached_tokens is not None]
        prompt = sum(usage.prompt_tokens for usage in usages)
        return sum(usage.cached_tokens or 0 for usage in usages) / prompt if prompt else None


def _tells(choice: Choice) -> bool:
    """Whether there are log-probabilities, not only marks that there are none."""
    return any(token.logprob > LEAST_LOGPROB for token in choice.logprobs or ())
