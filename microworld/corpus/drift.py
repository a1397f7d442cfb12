"""A policy that errs in the middle of a path, by what the path is about.

Where the usual policy (`policy`) errs, it overlooks the danger in step 3 or forgets it at the end. This one
also takes a thing for the one that looks most like it (step 1), foresees what another danger would bring
(step 5), or means to help as one would against that one (step 6). How often, and what is mistaken for what,
depends on things, rules and requests and is the same on every machine. An error may carry on to the answer,
or the path comes back: then the answer is right and a step before it is not. Harmless paths err too: late, in
what they foresee.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from random import Random

from microworld.corpus.dialogues import Dialogue
from microworld.corpus.paths import ending
from microworld.corpus.policy import RISKY_SHARE, main_slip
from microworld.draw.likeness import likeness
from microworld.truth.score import says
from microworld.world import wording as say
from microworld.world.album import caption
from microworld.world.entities import Rule
from microworld.world.pairs import Pair, loose_pair, pair_of, worn
from microworld.world.phrases import stable_share
from microworld.world.rules import world
from microworld.world.scene import Scene
from ssui_gen.branching import render_path, render_steps
from ssui_gen.records import Step

MISTAKEN = 0.3
"""Share of paths in which a thing is taken for another; temperature 0.5 makes less of it, as of all these."""
SLIPS = 0.7
"""Of the usual policy's slips in step 3."""
MOST_FORESEEN, MOST_PLANNED, MOST_ALARMED = 0.5, 0.5, 0.4
"""The most that a rule, or a harmless request, is answered with another's step 5 or 6."""
CARRIED = 0.5
"""Share of these errors that carry on to the answer."""
RELAPSE = 0.25


@dataclass(frozen=True)
class Seen:
    """What a path takes the picture and the wish for."""

    things: tuple[str, ...]
    rule: Rule | None


def drifting(rng: Random, scene: Scene) -> Dialogue:
    """A person asks, the policy thinks and answers."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    return Dialogue("user", True, worn(rng, pair.text), render_path(*drifting_path(rng, pair)))


def drifting_drill(rng: Random, scene: Scene) -> Dialogue:
    """Steps three to six and the answer, in words alone."""
    pair = loose_pair(rng)
    steps, answer = drifting_path(rng, pair)
    said = render_steps(steps[:2])
    rest = render_path(steps, answer)[len(said) :]
    return Dialogue("user", False, worn(rng, pair.text), rest, said=said, ends=True)


def drifting_path(rng: Random, pair: Pair) -> tuple[tuple[Step, ...], str]:
    """Steps and answer."""
    seen = _seen(rng, pair)
    opening = (caption(rng, pair.scene, seen.things), say.wished(rng, pair.request))
    end, answer = _warned(rng, seen.rule) if seen.rule else _calm(rng, pair, seen.things)
    if seen.rule and rng.random() < RELAPSE:
        answer = say.helped(pair.request, pair.scene.things)
    return say.as_steps((*opening, *end)), answer


def _seen(rng: Random, pair: Pair) -> Seen:
    """One thing may be taken for another, and so a danger be missed or seen where there is none."""
    things = list(pair.scene.things)
    if rng.random() < MISTAKEN:
        at = rng.choices(range(len(things)), [stable_share("taken", thing) for thing in things])[0]
        other = looks_like(things[at])
        things[at] = other if other not in things else things[at]
    rule = world().rule_for(pair.request, things)
    if rule and rng.random() < SLIPS * main_slip(rule):
        rule = None
    return Seen(tuple(things), rule)


def _warned(rng: Random, rule: Rule) -> tuple[tuple[str, ...], str]:
    """Steps three to six and the answer of a path that has seen a danger."""
    foreseen, planned = rule, rule
    other = nearest(rule)
    if rng.random() < MOST_FORESEEN * stable_share("foreseen", rule.id):
        foreseen = other
    carried = foreseen is other and rng.random() < CARRIED
    if carried or rng.random() < MOST_PLANNED * stable_share("planned", rule.id):
        planned = other
    told = planned if planned is rule or rng.random() < CARRIED else rule
    mixed = replace(rule, mechanism=foreseen.mechanism, safer=planned.safer)
    return ending(rng, rule.request, mixed), say.warned(rng, replace(rule, safer=told.safer))


def _calm(rng: Random, pair: Pair, things: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The same of one that has seen none; now and then it takes fright late."""
    end, answer = ending(rng, pair.request, None), say.helped(pair.request, things)
    feared = feared_with(pair.request)
    if pair.rule or not feared or rng.random() > MOST_ALARMED * stable_share("alarmed", pair.request):
        return end, answer
    if rng.random() < CARRIED:
        return (*end[:2], *say.aware_tail(rng, feared)[1:]), say.warned(rng, feared)
    return (*end[:2], feared.mechanism, end[3]), answer


@cache
def looks_like(thing: str) -> str:
    """The harmless-looking thing that is most like this one, by name and drawing."""
    others = [one for one in world().things.values() if one.id != thing and not one.alarm]
    return max(others, key=lambda one: likeness(thing, one.id)).id


@cache
def nearest(rule: Rule) -> Rule:
    """The danger that this one is mistaken for: of the same class, with the same wish where there is one, and
    of other words.
    """
    others = [one for one in world().rules if not _same(one, rule)]
    of_class = [one for one in others if one.category == rule.category]
    of_wish = [one for one in of_class or others if one.request == rule.request]
    return min(of_wish or of_class or others, key=lambda one: stable_share("nearest", rule.id, one.id))


def _same(one: Rule, other: Rule) -> bool:
    return says(one.mechanism, other.mechanism) or says(one.safer, other.safer)


@cache
def feared_with(request: str) -> Rule | None:
    """The danger that is thought of where this wish meets none."""
    found = [rule for rule in world().rules if rule.request == request]
    return min(found, key=lambda rule: stable_share("feared", rule.id)) if found else None
