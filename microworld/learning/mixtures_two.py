"""What is learned of two pictures shown together: for each role a mixture of dialogues about albums and, so
that it keeps what it knows, about one picture. Each phase begins with the finished checkpoint of its role.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from microworld.corpus.albums import Albums, couple_text, together
from microworld.corpus.bench import answered, ground, ground_drill, path, place_in
from microworld.corpus.dialogues import check_joint, describe, dialogue, query, reasoning
from microworld.corpus.drills import couple_drill, policy_drill
from microworld.corpus.judge import answer_drill, first_bad_step, guard, guard_drill, judge, step_drill
from microworld.corpus.policy import policy
from microworld.learning.feed import Maker
from microworld.learning.mixtures import agents_maker, calm, judge_maker, mixed, policy_maker
from microworld.world.pairs import loose_couple

CAPTIONS_UNTIL = 0.2
"""Part of the agents' phase that is mostly captions and verdicts: both pictures must be seen first."""
LOOKING = {ground_drill: 0.16, step_drill: 0.08, guard_drill: 0.1, answer_drill: 0.06}
JUDGING = {judge: 0.1, first_bad_step: 0.12, ground: 0.07, path: 0.06, place_in: 0.09, guard: 0.1}


def agents(albums: Albums, share: float) -> Maker:
    """Captions first, then all that agents say."""
    early = share < CAPTIONS_UNTIL
    parts: dict[Maker, float] = {
        together(albums, describe): 0.3 if early else 0.1,
        together(albums, calm(check_joint)): 0.18 if early else 0.1,
        together(albums, calm(check_joint), couples=True): 0.12,
        together(albums, calm(reasoning), couples=True): 0.04,
        together(albums, calm(query), couples=True): 0.02,
        together(albums, dialogue): 0.1 if early else 0.34,
        couple_drill: 0.08 if early else 0.06,
        couple_text: 0.02,
        agents_maker(albums, 1.0): 0.14 if early else 0.2,
    }
    return partial(mixed, parts)


def judging(albums: Albums, share: float) -> Maker:
    """F's questions and RSBench's about the picture, and all questions about one."""
    makers = {partial(maker, albums): part for maker, part in (JUDGING | LOOKING).items()}
    parts: dict[Maker, float] = {}
    for maker, part in makers.items():
        parts |= {together(albums, calm(maker)): 0.75 * part}
        parts |= {together(albums, calm(maker), couples=True): 0.25 * part}
    return partial(
        mixed,
        parts | {together(albums, calm(answered)): 0.03, judge_maker(albums, 1.0): 0.25},
    )


def policies(albums: Albums, share: float) -> Maker:
    """The policy's dialogues, and captions so that it sees both pictures."""
    parts: dict[Maker, float] = {
        together(albums, calm(policy)): 0.35,
        together(albums, calm(policy), couples=True): 0.15,
        together(albums, describe): 0.12,
        partial(policy_drill, draw=loose_couple): 0.08,
        policy_maker(albums, 1.0): 0.3,
    }
    return partial(mixed, parts)


TWO: dict[str, Callable[[Albums, float], Maker]] = {
    "two-agents": agents,
    "two-judge": judging,
    "two-policy": policies,
}
