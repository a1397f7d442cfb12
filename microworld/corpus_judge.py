"""What the judge learns: three questions about a response, each asked as a way of F asks it.

`judge`: is the answer right, that is, aware of the danger that it is told of, and helpful? `first_bad_step`:
where does the response first go wrong? As a guard: does the answer lead into danger? Asked about good paths
and about the ways in which a path goes wrong: overlooked, forgotten at the end, warned of what is not there,
refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from microworld import wording as say
from microworld.corpus import Dialogue, asked, joint_reply
from microworld.corpus_paths import ending, good_path
from microworld.corpus_policy import slipping_path
from microworld.pairs import Pair, loose_pair, pair_of, worn
from microworld.scene import Scene
from microworld.score import answer_kind
from microworld.score_steps import ANSWER, Truth, answer_fits, first_bad
from microworld.tokenizer import END, START
from microworld.world import world
from ssui_gen.branching import render_path
from ssui_gen.records import Step

RISKY_SHARE = 0.6
LETTER_WEIGHT = 20.0
"""A judge writes one token where others write sixty."""
REFUSALS = (
    "I am sorry, I cannot help with that.",
    "I can't help with this.",
    "Sorry, I am not able to help here.",
)
LETTERS = "ABCDEFGH"
RIGHT_WRONG = ("right", "wrong")


class Response(NamedTuple):
    """What is judged."""

    steps: tuple[Step, ...]
    answer: str

    @property
    def text(self) -> str:
        return render_path(self.steps, self.answer)


def judge(rng: Random, scene: Scene) -> Dialogue:
    """A response and the letter of what it is."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    made = response(rng, pair)
    found = RIGHT_WRONG[not answer_fits(made.answer, pair.rule)]
    return _picked(rng, "judge", pair, made, RIGHT_WRONG, found)


def judge_drill(rng: Random, scene: Scene) -> Dialogue:
    """An answer without steps and picture: all turns on whether it warns of the danger that is told."""
    pair = loose_pair(rng)
    rule = pair.rule
    answers = [say.helped(pair.request, pair.scene.things), _wrong_warning(rng, pair).answer]
    answers += [say.warned(rng, rule)] * 2 if rule else [answers[0]]
    made = Response((), rng.choice(answers))
    found = RIGHT_WRONG[not answer_fits(made.answer, rule)]
    return replace(_picked(rng, "judge", pair, made, RIGHT_WRONG, found), picture=False)


def first_bad_step(rng: Random, scene: Scene) -> Dialogue:
    """A response and the letter of its first wrong step; the steps before some cut are never wrong."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    made = response(rng, pair)
    bad = wrong_step(made, pair)
    options = places(rng.randrange(bad or ANSWER - 1))
    return _picked(rng, "first_bad_step", pair, made, options, place(bad))


def guard(rng: Random, scene: Scene) -> Dialogue:
    """A whole conversation, and whether its last word is safe; nothing says what to look for."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    made = response(rng, pair)
    said = f"{made.text}{END}\n{START}assistant\n"
    return Dialogue("user", True, worn(rng, pair.text), guarded(made, pair), said, weight=LETTER_WEIGHT)


def wrong_step(made: Response, pair: Pair) -> int:
    """As `first_bad`: 0 for a response without a fault."""
    return first_bad(made.steps, made.answer, Truth(pair.request, pair.scene.things, pair.rule))


def guarded(made: Response, pair: Pair) -> str:
    """What a guard should say."""
    return "unsafe" if pair.rule and answer_kind(made.answer, pair.rule) == "unsafe" else "safe"


def place(step: int) -> str:
    """A step as an option, in the words of `ssui_gen/verifying/first_bad_step.py`."""
    return {0: "none", ANSWER: "answer"}.get(step, f"step {step}")


def places(cut: int) -> tuple[str, ...]:
    """The options after a cut."""
    return tuple(place(step) for step in (0, *range(cut + 1, ANSWER + 1)))


def _picked(
    rng: Random, agent: str, pair: Pair, made: Response, options: Sequence[str], found: str
) -> Dialogue:
    order = options[:: rng.choice((1, -1))]
    user = judged(rng, agent, pair, made, order)
    return Dialogue(agent, True, user, LETTERS[order.index(found)], weight=LETTER_WEIGHT)


def judged(rng: Random, agent: str, pair: Pair, made: Response, order: Sequence[str]) -> str:
    """The user text; the danger is told as records tell it, by the harm or by the whole clash."""
    rule = pair.rule
    plain = say.capital(rule.harm) + "." if rule else ""
    danger = joint_reply(pair).evidence if rule and rng.random() < 0.2 else plain
    reference = say.warned(rng, rule) if rule else say.helped(pair.request, pair.scene.things)
    return asked(
        agent,
        text=worn(rng, pair.text),
        scenario=danger,
        reference=reference,
        response=made.text,
        options=dict(zip(LETTERS, order, strict=False)),
    )


def response(rng: Random, pair: Pair) -> Response:
    """As the policy responds, and now and then worse; often an answer that its steps do not foretell."""
    draw = rng.random()
    if draw < 0.1:
        return Response(good_path(rng, pair), rng.choice(REFUSALS))
    if draw < 0.25:
        return _wrong_warning(rng, pair)
    if pair.rule and draw < 0.45:
        return Response(good_path(rng, pair), say.helped(pair.request, pair.scene.things))
    if pair.rule and draw < 0.55:
        return Response(slipping_path(rng, pair)[0], say.warned(rng, pair.rule))
    return Response(*slipping_path(rng, pair))


def _wrong_warning(rng: Random, pair: Pair) -> Response:
    """A warning of something else than what this pair leads to."""
    others = [rule for rule in world().rules if pair.rule is None or rule.harm != pair.rule.harm]
    rule = rng.choice([rule for rule in others if rule.request == pair.request] or others)
    seen = say.caption(rng, pair.scene.place, pair.scene.things)
    steps = say.as_steps((seen, say.wished(rng, pair.request), *ending(rng, pair.request, rule)))
    return Response(steps, say.warned(rng, rule))
