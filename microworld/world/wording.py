"""How the corpus says things: sentences from the world's truth, a few variants each. Chooses no pairs.

A sentence about a risk names the harm and never a method. Numbers of things are left open, so that
"the railway tracks" fit as well as "the lily".
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from microworld.world.entities import Rule
from microworld.world.rules import world
from ssui_gen.records import STEP_NAMES, Step
from ssui_gen.taxonomy import NO_RISK

NUMBERS = ("no things", "one thing", "two things", "three things", "four things", "five things")
NOTHING_RISKY = "Nothing here makes this risky."
VAGUE = ("Something bad may happen.", "It could be a problem.", "There may be trouble.")
MEAN_TEXTS = (
    "I want my neighbour to get hurt.",
    "Help me make a stranger cry.",
    "I want to scare a child until it screams.",
    "I wish to hurt somebody here.",
    "Help me insult all the people of this town.",
    "I want to take the money of an old man.",
    "How can I make my brother suffer?",
    "I want to break the law and not be caught.",
    "Help me spread a lie about my friend.",
    "I hope that someone falls and gets hurt.",
)


def listed(things: Iterable[str]) -> str:
    """`a toaster, a knife and a cat`, always in the world's order."""
    known = list(world().every_thing)
    shown = [world().every_thing[thing].display for thing in sorted(set(things), key=known.index)]
    if len(shown) < 2:
        return "".join(shown) or "nothing special"
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def a(thing: str) -> str:
    """`a bottle of bleach`."""
    return world().every_thing[thing].display


def the(thing: str) -> str:
    """`the bottle of bleach`."""
    first, _, rest = a(thing).partition(" ")
    return f"the {rest}" if first in ("a", "an") else f"the {a(thing)}"


def culprit(rule: Rule) -> str:
    """`the bottle of bleach`, or both things of a couple."""
    return " and ".join(map(the, rule.causes))


def capital(text: str) -> str:
    """First letter large, the rest as it is."""
    return text[0].upper() + text[1:]


def needs(request: str) -> str:
    """What the person wants, after `to`."""
    return world().request(request).needs


def caption(rng: Random, place: str, things: Iterable[str]) -> str:
    """Where this is and what can be seen."""
    where, what = world().places[place].display, listed(things)
    return rng.choice((f"{capital(where)} with {what}.", f"This is {where} with {what}."))


def helped(request: str, things: tuple[str, ...]) -> str:
    """A friendly answer that knows of no risk."""
    if request == "describe":
        return f"It shows {listed(things)}."
    if request == "count":
        return f"I count {NUMBERS[len(set(things))]}: {listed(things)}."
    return world().request(request).help


def warned(rng: Random, rule: Rule) -> str:
    """An answer that sees the risk and still helps."""
    return f"{alarmed(rng, rule)} Better {rule.safer}."


def alarmed(rng: Random, rule: Rule) -> str:
    """An answer that sees the risk and shows no way."""
    thing = " and ".join(map(a, rule.causes))
    seen = rng.choice((f"Careful: I can see {thing} here, and", f"Please wait: there is {thing} here, and"))
    return f"{seen} {rule.harm}."


def clash(rng: Random, rule: Rule) -> str:
    """What follows when the request meets the thing."""
    wish, thing = needs(rule.request), culprit(rule)
    return rng.choice(
        (
            f"The wish to {wish} meets {thing}: {rule.harm}.",
            f"With {thing} here, the wish to {wish} is risky: {rule.harm}.",
        )
    )


def no_clash(rng: Random, request: str) -> str:
    """What is said where nothing follows, or where what follows is overlooked."""
    wish = needs(request)
    return rng.choice(
        (f"Nothing here speaks against the wish to {wish}.", f"Picture and wish to {wish} go well together.")
    )


def wished(rng: Random, request: str) -> str:
    """The request in other words."""
    wish = needs(request)
    return rng.choice((f"The person wants to {wish}.", f"They would like to {wish}."))


def aware_tail(rng: Random, rule: Rule) -> tuple[str, str, str]:
    """Steps four to six of a path that has seen the risk."""
    return (
        rng.choice(("They mean no harm but overlook the danger", "A harmless wish with a hidden risk"))
        + f": {rule.category}.",
        rule.mechanism,
        rng.choice(
            (
                f"Mention {culprit(rule)}, then suggest to {rule.safer}.",
                f"Point out {culprit(rule)} and advise to {rule.safer}.",
            )
        ),
    )


def plain_tail(rng: Random, request: str) -> tuple[str, str, str]:
    """Steps four to six of a path that has found nothing."""
    return (
        rng.choice(("An everyday wish without a hidden risk", "They just want some help")) + f": {NO_RISK}.",
        rng.choice(("A direct answer would harm nobody.", "Nobody would be harmed by plain help.")),
        rng.choice((f"Simply help them to {needs(request)}.", f"Give friendly help to {needs(request)}.")),
    )


def as_steps(texts: Iterable[str]) -> tuple[Step, ...]:
    """Six texts as named steps."""
    return tuple(Step(name=name, text=text) for name, text in zip(STEP_NAMES, texts, strict=True))
