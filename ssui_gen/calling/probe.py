"""What a served model can really do: found out by asking it, once at the start of a run.

First it is settled on which terms the server answers at all (`terms`), then each feature is judged by its
effect (`effects`). Covers what is lost where one lacks, and what would bring it; not starting servers
(`serve`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ssui_gen.calling.asking import COLOUR, Ask, Sample
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.effects import Effects, effects
from ssui_gen.calling.resuming import AS_SEEN
from ssui_gen.calling.shown_prompt import amiss, thinks_first
from ssui_gen.calling.terms import GIVEN_UP, SYSTEM, Given, Way, in_forms, plainly, settle
from ssui_gen.completions import Completion, Features
from ssui_gen.dialect import PLAIN, ROOM, Dialect
from ssui_gen.errors import ConfigError
from ssui_gen.images import plain_url
from ssui_gen.reading import opens_thoughts

STRICTLY = Given("strict", "", Dialect(strict=True))
"""What OpenAI's servers want, which refuse nothing without it and keep to no schema."""
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
IN_WORDS = {
    "sees_pictures": "sees pictures",
    "room": "room to answer",
    "temperature": "is sampled as told",
    "samples": "draws that differ",
    "json_schema": "replies in form",
    "regex": "branches in form",
    "n": "many draws a call",
    "prefix": "goes on from a step",
    "logprobs": "probabilities",
    "logprob_token_ids": "all probabilities",
    "token_ids": "token ids",
    "file_urls": "reads picture files",
    "uuid": "known pictures",
    "priority": "deeper calls first",
    "cached_tokens": "tells of its cache",
    "prefix_hits": "prefix cache",
}
"""What a feature is, for people; its name is for those who ask for all."""
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
    found = await effects(way.asking)
    if not found["json_schema"] and await Effects(*(strict := way.giving(STRICTLY)).asking).obeys():
        way, found["json_schema"] = strict, True
    shown = await _shown(way)
    if thinks := _thinks(answer) or thinks_first(shown):
        found |= {"thinks": True, "hushed": await _hushed(way.asking)}
        if found["verbatim"]:  # a text would go on without the thoughts that come first
            found |= {"prefix": False, "verbatim": False}
    if thinks and not dialect.thoughts:
        found |= {"room": False, **dict.fromkeys(SAID)}
    return Features.model_validate(
        found | _terms(way) | {"template": _template(shown, found["sees_pictures"])}
    )


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


async def _shown(way: Way) -> str:
    """The prompt that its chat template makes of a question, where the server shows it."""
    for more in (AS_SEEN | {"verbose": True}, AS_SEEN):
        if isinstance(answer := await plainly(way, max_tokens=1, **more), Completion):
            return answer.prompt_text or ""
    return ""


def _template(shown: str, sees: bool | None) -> str:
    """What is wrong with that prompt, in words, but for what only costs; that it shows no mark of a picture
    says nothing where pictures are seen.
    """
    faults = [one for one in amiss(shown, SYSTEM, COLOUR) if one.how != "late"] if shown else []
    folded = {"system": "; or send it in the person's turn (preset: no_system)"}
    return "; ".join(
        one.words + folded.get(one.what, "") for one in faults if one.what != "picture" or not sees
    )


async def _hushed(ask: Ask) -> bool:
    """Whether it answers at once when its template is told to."""
    made = await ask.tried(COLOUR, ask.picture, **AT_ONCE)
    return made is not None and bool(made.choices[0].text) and not _thinks(made)


def lacking(features: Features, wanted: Iterable[str]) -> str:
    """In one line what a run loses and what would bring it, wanted features and prefix-cache hits; empty if
    it loses nothing.
    """
    lost = {name: LOST[name] for name in wanted if getattr(features, name) is False}
    hits = features.prefix_hits
    if hits is not None and hits < LEAST_HITS:
        lost["prefix_hits"] = f"prefix cache hits for only {hits:.0%} of tokens"
    return "; ".join(f"{words} ({REMEDY[name]})" if name in REMEDY else words for name, words in lost.items())


def told(features: Features, trained_so: bool = False) -> Iterator[str]:
    """What the server refused, in its words, and what is done instead; a sentence each. One that was trained
    on the prompts that its template makes needs no other.
    """
    for name, said in features.refused.items():
        if name != "user":  # only questions of the probe bear it
            yield f"refuses {name} ({said!r}): {_instead(name, features.terms)}"
    if features.terms.strict and "strict" not in features.refused:
        yield "keeps to schemas only with `strict: true`, which is sent"
    if features.template and not trained_so:
        yield f"its chat template: {features.template}"
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
    think = f"models: {{{role}: {{thoughts: {ROOM}}}}} leaves it room to think"
    hush = f"models: {{{role}: {{preset: no_thinking}}}} makes it answer at once (tried)"
    return f"{hush}, or {think}" if features.hushed else think
