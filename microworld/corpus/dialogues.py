"""The dialogues the micro VLM learns from: for each agent what it is shown and the reply that is right.

User texts are rendered from the real prompt files, replies are written through the real reply types. No
pictures and no tokens here. The policy's own, flawed dialogues are in `policy`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from microworld.corpus.paths import Flawed, cause, flawed, good_path
from microworld.world import wording as say
from microworld.world.album import caption, causes, listed
from microworld.world.entities import Rule
from microworld.world.pairs import Pair, pair_of, phrase, worn
from microworld.world.rules import world
from microworld.world.scene import Scene
from ssui_gen.branching import render_steps
from ssui_gen.lengths import LONGEST_LINE
from ssui_gen.prompts import Prompt, load_prompts
from ssui_gen.records import Record, Step
from ssui_gen.replies import QueryReply, ReasoningReply, ReflectionReply, SafetyReply, SummaryReply
from ssui_gen.taxonomy import NO_RISK

PROMPTS = Path(__file__).parents[2] / "prompts"
DESCRIBE = "Describe the picture."
CLEAN = ReflectionReply(
    redundancy="none", completeness="none", faithfulness="none", decision="accept", advice="none"
)


class Aside(NamedTuple):
    """What is true of a response that a judge is asked about, told while it reads (`looking`)."""

    decides: str | None = None
    """The thing in the picture on which a careful answer turns; empty: none; None: unclear."""
    parts: tuple[tuple[str, tuple[bool, ...]], ...] = ()
    """Its steps and its answer, in order, and which of `looking.FAULTS` each has."""
    wish: str | None = None
    """The request that the question is; None: nothing is told of wishes."""


NO_ASIDE = Aside()


@dataclass(frozen=True)
class Dialogue:
    """One question and its answer; `agent` is `user` where there is no system message."""

    agent: str
    picture: bool
    user: str
    target: str
    said: str = ""
    """What the assistant has said before the target; not learned."""
    ends: bool = True
    """If not, the target's last token only marks where learning stops."""
    weight: float = 1.0
    """How much each of its learned tokens counts."""
    row: int | tuple[int, ...] | None = None
    """Another picture of the pool than that of the scene it was made of, or several; GREY of `shown`: none at
    all."""
    more: tuple[tuple[str, str], ...] = ()
    """More questions that begin as this one does, and their answers; none sees another's."""
    aside: Aside = NO_ASIDE


@cache
def _prompts() -> dict[str, Prompt]:
    return load_prompts(PROMPTS)


def asked(agent: str, **values: Any) -> str:
    """The user text that the agent's prompt makes of these values."""
    return _prompts()[agent].render(classes=(), examples=(), language="", **values)[1]


def replied(agent: str, reply: Record, picture: bool = True, **values: Any) -> Dialogue:
    """A dialogue of an agent that answers with this reply."""
    return Dialogue(agent, picture, asked(agent, **values), reply.model_dump_json(by_alias=True))


# --- describe, and the two checks of one side --------------------------------------------------------


def describe(rng: Random, scene: Scene) -> Dialogue:
    """A caption, which no agent writes but all need."""
    return Dialogue("user", True, DESCRIBE, caption(Random(0), scene, scene.things))


def check_image(rng: Random, scene: Scene) -> Dialogue:
    """Unsafe only where something alarms."""
    if scene.alarm:
        evidence = f"{say.capital(say.a(scene.alarm.id))}: {scene.alarm.alarm}"
        return replied("check_image", SafetyReply(evidence=evidence, label="unsafe"))
    seen = caption(Random(0), scene, scene.things)
    return replied("check_image", SafetyReply(evidence=f"{seen[:-1]}; nobody is in danger.", label="safe"))


def check_text(rng: Random, scene: Scene) -> Dialogue:
    """Unsafe where the words name the risky thing or wish somebody ill."""
    draw = rng.random()
    if draw < 0.12:
        reply = SafetyReply(evidence="The words wish harm on somebody.", label="unsafe")
        return replied("check_text", reply, picture=False, text=rng.choice(say.MEAN_TEXTS))
    if draw < 0.45:
        rule = rng.choice(world().rules)
        return _names_a_thing(rng, rule.request, rule.thing)
    if draw < 0.60:
        request = rng.choice(list(world().requests))
        return _names_a_thing(rng, request, rng.choice(list(world().things)))
    request = rng.choice(list(world().requests))
    return says_nothing(request, worn(rng, phrase(rng, request)))


def _names_a_thing(rng: Random, request: str, thing: str) -> Dialogue:
    """A text that names a thing, which may or may not be the one that makes it risky."""
    text = told(rng, phrase(rng, request), thing)
    rule = world().rule_for(request, [thing])
    if rule is None:
        return says_nothing(request, text)
    reply = SafetyReply(evidence=f"The words name {say.the(thing)}: {rule.harm}.", label="unsafe")
    return replied("check_text", reply, picture=False, text=text)


def says_nothing(request: str, text: str) -> Dialogue:
    """A text that is harmless by itself."""
    evidence = f"It asks for help to {say.needs(request)}; nothing in the words is harmful."
    return replied("check_text", SafetyReply(evidence=evidence, label="safe"), picture=False, text=text)


def told(rng: Random, text: str, thing: str) -> str:
    """A text that gives a thing away."""
    shown = say.a(thing)
    frames = ("{text} There is {shown} here.", "I have {shown}. {text}", "Here is {shown}. {text}")
    return rng.choice((*frames, "{cut} next to {shown}?")).format(
        text=text, shown=shown, cut=text.rstrip(".?!")
    )


# --- query -------------------------------------------------------------------------------------------


def query(rng: Random, scene: Scene) -> Dialogue:
    """A text for the picture: invented, kept as given, or written anew after advice."""
    kind = rng.choice(("risky", "risky", "benign"))
    pair = pair_of(rng, scene, kind == "risky")
    draw = rng.random()
    values: dict[str, Any] = {"kind": kind, "text": None, "advice": "", "earlier": ""}
    if draw < 0.35:
        if rng.random() < 0.15:
            pair = pair_of(rng, scene, kind != "risky")
        values["text"] = pair.text
    elif draw < 0.47:
        values |= _advised(rng, pair)
    return replied("query", query_reply(pair), **values)


def _advised(rng: Random, pair: Pair) -> dict[str, str]:
    """An earlier text that was at fault, and what reflection said of it."""
    thing = pair.rule.thing if pair.rule else rng.choice(pair.scene.things)
    return {
        "earlier": told(rng, phrase(rng, pair.request), thing),
        "advice": f"Ask without naming {say.the(thing)}.",
    }


def query_reply(pair: Pair) -> QueryReply:
    """What is suspected of a pair, true to the world."""
    rule = pair.rule
    return QueryReply(
        image_evidence=causes(pair.scene, rule) if rule else listed(pair.scene),
        text=pair.text,
        text_evidence=say.needs(pair.request),
        category=rule.category if rule else NO_RISK,
        scenario=say.capital(rule.harm) + "." if rule else say.NOTHING_RISKY,
    )


# --- reasoning, reflection, joint check, summary --------------------------------------------------------


def reasoning(rng: Random, scene: Scene) -> Dialogue:
    """Six steps; the suspicion it is told is sometimes wrong, an earlier path sometimes flawed."""
    pair = pair_of(rng, scene, rng.random() < 0.55)
    steps = good_path(rng, pair)
    category, scenario = suspicion(rng, pair)
    again = flawed(rng, pair) if rng.random() < 0.15 else None
    return replied(
        "reasoning",
        ReasoningReply(**{s.name: s.text for s in steps}),
        text=worn(rng, pair.text),
        category=category,
        scenario=scenario,
        advice=again.reply.advice if again else "",
        earlier=render_steps(again.steps) if again else "",
    )


def suspicion(rng: Random, pair: Pair) -> tuple[str, str]:
    """Category and scenario as the Query agent might report them: right in two of three cases."""
    right = rng.random() < 0.67
    rule: Rule | None = pair.rule
    if not right:
        rule = None if pair.rule else rng.choice(world().rules)
    return (rule.category, say.capital(rule.harm) + ".") if rule else (NO_RISK, say.NOTHING_RISKY)


def reflection(rng: Random, scene: Scene) -> Dialogue:
    """Accepts what is clean; of a flawed path says what is wrong and what to change."""
    pair = pair_of(rng, scene, rng.random() < 0.6)
    draw = rng.random()
    if draw < 0.5:
        return _reflected(pair.text, good_path(rng, pair), CLEAN)
    if draw < 0.60 and pair.rule:
        named = cause(rng, pair.rule)
        thing = say.the(named)
        reply = _fault(
            completeness=f"The text names {thing} itself.",
            decision="revise_query",
            advice=f"Ask without naming {thing}.",
        )
        return _reflected(told(rng, pair.text, named), good_path(rng, pair), reply)
    if draw < 0.62:
        reply = _fault(
            faithfulness="The text wishes harm on somebody.", decision="reject", advice="Drop this pair."
        )
        return _reflected(rng.choice(say.MEAN_TEXTS), good_path(rng, pair), reply)
    fault: Flawed = flawed(rng, pair)
    return _reflected(pair.text, fault.steps, fault.reply)


def _fault(**changed: str) -> ReflectionReply:
    return ReflectionReply.model_validate(CLEAN.model_dump() | changed)


def _reflected(text: str, steps: tuple[Step, ...], reply: ReflectionReply) -> Dialogue:
    return replied("reflection", reply, text=text, path=render_steps(steps))


def check_joint(rng: Random, scene: Scene) -> Dialogue:
    """Which visible thing meets which request, then the label."""
    pair = pair_of(rng, scene, rng.random() < 0.55)
    return replied("check_joint", joint_reply(pair), text=worn(rng, pair.text))


def joint_reply(pair: Pair) -> SafetyReply:
    """The verdict on a pair, what is seen first; of many things, if need be, what decides alone."""
    seen = f"I see {listed(pair.scene)}."
    if pair.rule:
        clash = f"The wish to {say.needs(pair.request)} meets {say.culprit(pair.rule)}: {pair.rule.harm}."
        if len(f"{seen} {clash}") > LONGEST_LINE:
            seen = f"I see {causes(pair.scene, pair.rule)}."
        return SafetyReply(evidence=f"{seen} {clash}", label="unsafe")
    return SafetyReply(
        evidence=f"{seen} The wish to {say.needs(pair.request)} meets nothing dangerous.", label="safe"
    )


def summary(rng: Random, scene: Scene) -> Dialogue:
    """From the path to the answer a person gets."""
    pair = pair_of(rng, scene, rng.random() < 0.55)
    return replied(
        "summary",
        SummaryReply(
            answer=say.warned(rng, pair.rule) if pair.rule else say.helped(pair.request, scene.things)
        ),
        text=pair.text,
        path=render_steps(good_path(rng, pair)),
    )


Maker = Callable[[Random, Scene], Dialogue]
MIXTURE: dict[Maker, float] = {
    describe: 0.07,
    query: 0.11,
    check_text: 0.05,
    check_image: 0.03,
    reasoning: 0.16,
    reflection: 0.10,
    check_joint: 0.16,
    summary: 0.05,
}
"""How often each dialogue is drawn. The joint verdict matters most, then the path."""
ALARM_MAKERS = (check_image, check_image, check_image, describe)
"""Pictures that alarm are shown to these alone: no pair is made of them."""


def dialogue(rng: Random, scene: Scene) -> Dialogue:
    """A dialogue about this scene, of an agent drawn from the mixture."""
    if scene.alarm:
        return rng.choice(ALARM_MAKERS)(rng, scene)
    return rng.choices(tuple(MIXTURE), tuple(MIXTURE.values()))[0](rng, scene)
