"""What a served model can really do: found out by asking it, once at the start of a run.

Some servers take a field that they do not know and ignore it, so each feature is judged by its effect and
never by a version. First it is settled on which terms the server answers at all (`terms`). Covers asking and
what is lost where a feature lacks; not starting servers (`serve`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ssui_gen.calling.asking import COLOUR, COUNT, LONG, USER, Ask, Sample, part
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.shown_prompt import goes_on
from ssui_gen.calling.terms import GIVEN_UP, SHOWING, Given, Way, in_forms, plainly, settle
from ssui_gen.completions import Completion, Features
from ssui_gen.dialect import PLAIN, Dialect
from ssui_gen.errors import ConfigError
from ssui_gen.images import plain_url
from ssui_gen.reading import opens_thoughts

SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}
FORM = {"type": "json_schema", "json_schema": {"name": "Colour", "schema": SCHEMA}}
STRICTLY = Given("strict", "", Dialect(strict=True))
"""What OpenAI's servers want, which refuse nothing without it and keep to no schema."""
AS_SEEN: dict[str, Any] = {"return_token_ids": True, "return_prompt_text": True}
"""What shows the prompt as the server saw it; vLLM's."""
LETTERS = "qxz"
"""That no answer to COUNT consists of."""
SHARING = 8
"""Calls about one picture that show whether its prefix is found again."""
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
        ask.sees(), ask.obeys(), ask.matches(), ask.draws(), ask.continues(whole, ids is not None),
        ask.watches(ids), ask.reads_files(), ask.takes_uuid(), ask.takes_priority(), ask.shares(),
    )  # fmt: skip
    names = (
        "sees_pictures", "json_schema", "regex", "n", "prefix", "logprob_token_ids",
        "file_urls", "uuid", "priority", "prefix_hits",
    )  # fmt: skip
    return {
        **dict(zip(names, found, strict=True)),
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
        if red.choices[0].logprobs is None or blue.choices[0].logprobs is None:
            return True if red.choices[0].text != blue.choices[0].text else None
        return red.choices[0].logprobs != blue.choices[0].logprobs

    async def obeys(self) -> bool:
        made = await self.tried(COLOUR, self.picture, response_format=FORM, max_tokens=LONG)
        try:
            return bool(made) and set(json.loads(made.choices[0].text)) == {"colour"}  # type: ignore[union-attr]
        except (ValueError, TypeError):
            return False

    async def matches(self) -> bool:
        made = await self.tried(COUNT, structured_outputs={"regex": f"[{LETTERS}]{{{len(LETTERS)}}}"})
        return bool(made and made.choices[0].text and set(made.choices[0].text) <= set(LETTERS))

    async def draws(self) -> bool:
        made = await self.tried(COUNT, n=3, temperature=1.0)
        return made is not None and len(made.choices) == 3

    async def continues(self, whole: Completion | None, ids: bool) -> bool | None:
        """A greedy answer, cut before a word and continued, must go on as it went, token for token; but for
        white space where it meets the prompt, if the server shows what it renders.
        """
        cut = _cut(whole)
        if whole is None or cut is None:
            return None
        said = "".join(t.token for t in (whole.choices[0].logprobs or ())[:cut])
        rest = await self.tried(COUNT, said=said, max_tokens=LONG - cut, **(AS_SEEN if ids else {}))
        if rest is None:
            return False
        if ids and whole.prompt_token_ids and whole.choices[0].token_ids:
            exactly = whole.prompt_token_ids + whole.choices[0].token_ids[:cut]
            return rest.prompt_token_ids == exactly or _as_written(whole, said, rest)
        goes_on = whole.choices[0].text == said + rest.choices[0].text
        return goes_on and rest.usage.prompt_tokens == whole.usage.prompt_tokens + cut

    async def watches(self, ids: tuple[int, ...] | None) -> bool:
        watched = sorted(set(ids or ()))[:5] or [10, 11, 12]
        made = await self.tried(COUNT, max_tokens=1, logprobs=True, logprob_token_ids=watched)
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

    async def shares(self) -> float | None:
        """Share of the prompt's tokens that the calls after the first find in the prefix cache."""
        texts = [f"{COLOUR} This is question {number}." for number in range(SHARING)]
        made = [await self.tried(texts[0], self.picture)]
        made += await asyncio.gather(*(self.tried(text, self.picture) for text in texts[1:]))
        usages = [one.usage for one in made[1:] if one and one.usage.cached_tokens is not None]
        prompt = sum(usage.prompt_tokens for usage in usages)
        return sum(usage.cached_tokens or 0 for usage in usages) / prompt if prompt else None


def _as_written(whole: Completion, said: str, rest: Completion) -> bool:
    shown = (whole.prompt_text, rest.prompt_text)
    return shown[0] is not None and shown[1] is not None and goes_on(shown[0], said, shown[1])


def _cut(whole: Completion | None) -> int | None:
    """Before which token to cut: the first from the third on that begins with a space."""
    tokens = (whole.choices[0].logprobs or ()) if whole else ()
    return next((i for i, one in enumerate(tokens) if i > 2 and one.token[:1] == " "), None)
