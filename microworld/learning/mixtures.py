"""What each phase of the training is made of: which dialogues, how often, by the share of time used."""

from __future__ import annotations

from functools import partial
from random import Random

from microworld.corpus.bench import (
    answered,
    answered_words,
    ground,
    ground_drill,
    path,
    path_words,
    place_in,
    plain,
    refused,
    wish_words,
)
from microworld.corpus.dialogues import Dialogue, describe, dialogue
from microworld.corpus.drift import drifting, drifting_drill
from microworld.corpus.drills import agent_drill, policy_drill
from microworld.corpus.judge import (
    answer_drill,
    first_bad_step,
    guard,
    guard_drill,
    guard_words,
    judge,
    judge_drill,
    step_drill,
    step_words,
)
from microworld.corpus.policy import policy, untidy, untidy_drill
from microworld.corpus.shown import Others
from microworld.learning.feed import Maker
from microworld.world.scene import Scene

CAPTIONS_UNTIL, DRILLS_UNTIL = 0.15, 0.4
"""Parts of the second phase: mostly captions up to the first, mostly drills up to the second."""
LOOKS_UNTIL = 0.2
"""Part of the judge's phase in which half of what it is asked are short questions of looking."""


def agents_maker(others: Others, share: float) -> Maker:
    """Mostly captions, then mostly drills, then mostly the agents' dialogues."""
    if share < CAPTIONS_UNTIL:
        return partial(mixed, {describe: 0.7, agent_drill: 0.2, dialogue: 0.1})
    if share < DRILLS_UNTIL:
        return partial(mixed, {agent_drill: 0.6, describe: 0.1, dialogue: 0.3})
    return partial(mixed, {dialogue: 0.65, agent_drill: 0.2, describe: 0.15})


JUDGING = {first_bad_step: 0.08, judge: 0.03, ground: 0.1, path: 0.2, place_in: 0.17, guard: 0.14}
"""Dialogues of the judge's questions."""
LOOKING = {ground_drill: 0.4, step_drill: 0.2, guard_drill: 0.3, answer_drill: 0.1}
WORDS: dict[Maker, float] = {
    answered: 0.06,
    plain: 0.08,
    refused: 0.03,
    answered_words: 0.02,
    path_words: 0.16,
    wish_words: 0.08,
    judge_drill: 0.01,
    guard_words: 0.06,
    step_words: 0.03,
}


def judge_maker(others: Others, share: float) -> Maker:
    """First mostly drills of looking, then mostly the judge's questions; questions that words decide all
    along, and captions so that it goes on seeing.
    """
    looks = 0.3 if share < LOOKS_UNTIL else 0.12
    words = {calm(maker): part for maker, part in WORDS.items()}
    rest = 0.97 - looks - sum(WORDS.values())
    questions = {maker: part * rest / sum(JUDGING.values()) for maker, part in JUDGING.items()}
    questions |= {maker: part * looks for maker, part in LOOKING.items()}
    asked: dict[Maker, float] = {calm(partial(maker, others)): part for maker, part in questions.items()}
    return partial(mixed, {**asked, **words, describe: 0.03})


def policy_maker(others: Others, share: float) -> Maker:
    """The policy's dialogues and drills, and some captions so that it goes on seeing."""
    return partial(mixed, {calm(policy): 0.5, policy_drill: 0.4, describe: 0.1})


def untidy_maker(others: Others, share: float) -> Maker:
    """The policy's dialogues and drills in other forms, and some captions."""
    return partial(mixed, {calm(untidy): 0.6, untidy_drill: 0.3, describe: 0.1})


def drifting_maker(others: Others, share: float) -> Maker:
    """Dialogues and drills of the policy that errs in the middle, and some captions."""
    return partial(mixed, {calm(drifting): 0.6, drifting_drill: 0.3, describe: 0.1})


def mixed(parts: dict[Maker, float], rng: Random, scene: Scene) -> Dialogue:
    """A dialogue of one of the parts."""
    return rng.choices(tuple(parts), tuple(parts.values()))[0](rng, scene)


def calm(maker: Maker) -> Maker:
    """A picture that alarms is no part of a pair: it is described."""

    def made(rng: Random, scene: Scene) -> Dialogue:
        return (describe if scene.alarm else maker)(rng, scene)

    return made


MAKERS = {"agents": agents_maker, "judge": judge_maker} | {
    "policy": policy_maker, "untidy": untidy_maker, "drifting": drifting_maker,
}  # fmt: skip
