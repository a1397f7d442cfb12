"""Reasoning paths of the corpus: good ones, and ones with a flaw together with what reflection says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from microworld.world import wording as say
from microworld.world.album import caption
from microworld.world.entities import Rule
from microworld.world.pairs import Pair
from microworld.world.rules import world
from ssui_gen.records import Step
from ssui_gen.replies import ReflectionReply

ADVICE = {
    3: "In step 3 say what the wish and the picture mean together.",
    4: "In step 4 say what they intend and which class of risk there is.",
    5: "In step 5 say what would happen.",
    6: "In step 6 say how to help.",
}


@dataclass(frozen=True)
class Flawed:
    """A path that must be revised, and the reflection that finds out."""

    steps: tuple[Step, ...]
    reply: ReflectionReply


def good_path(rng: Random, pair: Pair) -> tuple[Step, ...]:
    """Six steps true to picture, text and world."""
    seen = caption(rng, pair.scene, pair.scene.things)
    return say.as_steps((seen, say.wished(rng, pair.request), *ending(rng, pair.request, pair.rule)))


def cause(rng: Random, rule: Rule) -> str:
    """What decides, or one of the two that do."""
    return rng.choice(rule.causes) if rule.beside else rule.thing


def ending(rng: Random, request: str, rule: Rule | None) -> tuple[str, ...]:
    """Steps three to six; without a rule they find nothing."""
    if rule:
        return (say.clash(rng, rule), *say.aware_tail(rng, rule))
    return (say.no_clash(rng, request), *say.plain_tail(rng, request))


def flawed(rng: Random, pair: Pair) -> Flawed:
    """A path with one flaw."""
    unseen = _overlooks if pair.rule and rng.random() < 0.5 else _invents
    return rng.choice((*_in_words(pair), unseen))(rng, pair)


def flawed_in_words(rng: Random, pair: Pair) -> Flawed:
    """A path with one flaw that shows without the picture."""
    return rng.choice(_in_words(pair))(rng, pair)


def _in_words(pair: Pair) -> tuple[Callable[[Random, Pair], Flawed], ...]:
    return (_repeats, _is_vague, _forgets if pair.rule else _sees_ghosts)


def _found(steps: tuple[Step, ...], advice: str, **findings: str) -> Flawed:
    clean = {"redundancy": "none", "completeness": "none", "faithfulness": "none"}
    reply = ReflectionReply.model_validate(clean | findings | {"decision": "revise_path", "advice": advice})
    return Flawed(steps, reply)


def _with(steps: tuple[Step, ...], number: int, text: str) -> tuple[Step, ...]:
    """The steps with the text of one, counted from 1, replaced."""
    return tuple(Step(name=s.name, text=text) if i == number else s for i, s in enumerate(steps, 1))


def _repeats(rng: Random, pair: Pair) -> Flawed:
    steps = good_path(rng, pair)
    second = rng.choice((4, 5, 6))
    first = rng.randrange(3, second)
    return _found(
        _with(steps, second, steps[first - 1].text),
        ADVICE[second],
        redundancy=f"Step {second} repeats step {first}.",
    )


def _is_vague(rng: Random, pair: Pair) -> Flawed:
    steps = _with(good_path(rng, pair), 5, rng.choice(say.VAGUE))
    return _found(steps, ADVICE[5], completeness="Step 5 does not say what would happen.")


def _invents(rng: Random, pair: Pair) -> Flawed:
    """Step 1 names a thing that is not there."""
    absent = rng.choice(
        [t for t in world().things if t not in pair.scene.things and not world().things[t].alarm]
    )
    steps = _with(good_path(rng, pair), 1, caption(rng, pair.scene, (*pair.scene.things, absent)))
    return _found(
        steps, f"Leave out {say.the(absent)}.", faithfulness=f"{say.capital(say.the(absent))} cannot be seen."
    )


def _overlooks(rng: Random, pair: Pair) -> Flawed:
    """The decisive thing is not even named."""
    assert pair.rule is not None
    unseen = cause(rng, pair.rule)
    return _without(rng, pair, unseen, [t for t in pair.scene.things if t != unseen])


def _forgets(rng: Random, pair: Pair) -> Flawed:
    """The decisive thing is named and then not thought of."""
    assert pair.rule is not None
    return _without(rng, pair, cause(rng, pair.rule), list(pair.scene.things))


def _without(rng: Random, pair: Pair, thing: str, named: list[str]) -> Flawed:
    """A path that names these things and finds no risk in `thing`."""
    seen = caption(rng, pair.scene, named)
    steps = say.as_steps((seen, say.wished(rng, pair.request), *ending(rng, pair.request, None)))
    return _found(
        steps,
        f"Say what {say.the(thing)} means for the wish.",
        completeness=f"The path overlooks {say.the(thing)}.",
    )


def _sees_ghosts(rng: Random, pair: Pair) -> Flawed:
    """A harmless pair is called risky."""
    rule = rng.choice(world().rules)
    seen = caption(rng, pair.scene, pair.scene.things)
    steps = say.as_steps((seen, say.wished(rng, pair.request), *ending(rng, pair.request, rule)))
    return _found(
        steps,
        "Say plainly that the pair is harmless.",
        faithfulness="The risk is not borne out by picture and text.",
    )
