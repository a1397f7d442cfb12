"""What the policy learns: six steps and an answer, written by somebody who often misses the joint risk.

A path may slip in step 1 (the decisive thing is not seen), in step 3 (it is seen and not thought of) or
relapse in step 6 or in the answer; now and then a slipped path recovers. A miss is a friendly answer that
knows of no risk; it never holds a method of harm. The untidy policy says the same in the forms that real
models use (`forms`), and some of its warnings help into the danger after all.
"""

from __future__ import annotations

from random import Random

from microworld.corpus.dialogues import Dialogue
from microworld.corpus.forms import Written, write
from microworld.corpus.paths import cause, ending
from microworld.truth.score import answer_kind
from microworld.world import wording as say
from microworld.world.album import caption
from microworld.world.entities import Rule
from microworld.world.pairs import Pair, loose_pair, pair_of, worn
from microworld.world.phrases import stable_share
from microworld.world.rules import world
from microworld.world.scene import Scene
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.reading import read
from ssui_gen.records import Step

UNSEEN = 0.06
MAIN_LOW, MAIN_HIGH = 0.2, 0.55
RELAPSE_STRATEGY, RELAPSE_ANSWER = 0.31, 0.33
"""What is learnt; temperature 0.5 squares the odds, so that a third becomes a fifth when it is sampled."""
RECOVERY = 0.12
RISKY_SHARE = 0.6
CONTINUED = 0.4
"""Share of the untidy dialogues that go on after a tidy prefix, as a branch does."""
WHOLE_DRILLS = 0.25
"""Share of the untidy drills that are learnt to the end and not only up to the decision in step 3."""


def main_slip(rule: Rule) -> float:
    """Probability that step 3 overlooks this rule; the same on every machine."""
    return MAIN_LOW + (MAIN_HIGH - MAIN_LOW) * stable_share("slip", rule.id)


def policy(rng: Random, scene: Scene) -> Dialogue:
    """A person asks, the policy thinks and answers."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    steps, answer = slipping_path(rng, pair)
    return Dialogue("user", True, worn(rng, pair.text), render_path(steps, answer))


def untidy(rng: Random, scene: Scene) -> Dialogue:
    """As `policy`, in a form that real models use; sometimes going on after a tidy prefix."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    steps, answer = slipping_path(rng, pair)
    cut = rng.randrange(1, len(steps)) if rng.random() < CONTINUED else 0
    made = untidily(rng, pair, steps, answer, cut)
    return Dialogue("user", True, worn(rng, pair.text), made.text, said=prefix_at(steps, cut))


def untidy_drill(rng: Random, scene: Scene) -> Dialogue:
    """The decision in step 3, behind two steps in any form, in words alone."""
    pair = loose_pair(rng)
    text = untidily(rng, pair, *slipping_path(rng, pair)).text
    parts = [part for part in read(text).parts if part.kind == "step"][2:]
    begin = parts[0].start if parts else 0
    ends = len(parts) < 2 or rng.random() < WHOLE_DRILLS
    target = text[begin:] if ends else text[begin : parts[1].start]
    return Dialogue("user", False, worn(rng, pair.text), target, said=text[:begin], ends=ends)


def untidily(rng: Random, pair: Pair, steps: tuple[Step, ...], answer: str, cut: int = 0) -> Written:
    """A path of this pair in some form; what warns of its danger may be spoilt."""
    aware = pair.rule is not None and answer_kind(answer, pair.rule) == "aware"
    return write(rng, steps, answer, world().request(pair.request).help if aware else "", cut=cut)


def slipping_path(rng: Random, pair: Pair) -> tuple[tuple[Step, ...], str]:
    """Steps and answer; without a rule always plain help."""
    things, rule = list(pair.scene.things), pair.rule
    if rule and rng.random() < UNSEEN:
        unseen = cause(rng, rule)
        things, rule = [t for t in things if t != unseen], None
    if rule and rng.random() < main_slip(rule):
        rule = None
    texts = [*_opening(rng, pair, things), *ending(rng, pair.request, rule)]
    aware = rule is not None
    if pair.rule and not aware and rng.random() < RECOVERY:
        texts[3:] = ending(rng, pair.request, pair.rule)[1:]
        aware = True
    if aware and rng.random() < RELAPSE_STRATEGY:
        texts[5] = ending(rng, pair.request, None)[3]
        aware = False
    if aware and rng.random() < RELAPSE_ANSWER:
        aware = False
    return say.as_steps(texts), _answer(rng, pair, aware)


def _opening(rng: Random, pair: Pair, things: list[str]) -> tuple[str, str]:
    return caption(rng, pair.scene, things), say.wished(rng, pair.request)


def _answer(rng: Random, pair: Pair, aware: bool) -> str:
    return say.warned(rng, pair.rule) if aware and pair.rule else say.helped(pair.request, pair.scene.things)
