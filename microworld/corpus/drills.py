"""Drills: the moments on which a reply turns, in words alone. No agent is ever asked so.

What is seen is given as already said and is not learned, and the reply mostly stops after the decision. A
drill costs 50 tokens instead of 200 and needs no picture, so a rule is met hundreds of times: with dialogues
alone the joint verdict stayed at chance, while things and wishes were long understood.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from microworld.corpus.dialogues import (
    CLEAN,
    Dialogue,
    Maker,
    asked,
    check_text,
    joint_reply,
    query_reply,
    replied,
    suspicion,
)
from microworld.corpus.paths import flawed_in_words, good_path
from microworld.corpus.policy import slipping_path
from microworld.world.pairs import Pair, loose_couple, loose_pair, worn
from microworld.world.scene import Scene
from ssui_gen.branching import render_path, render_steps
from ssui_gen.replies import ReasoningReply

Draw = Callable[[Random], Pair]
WHOLE = 0.2
"""Share of drills whose reply is learned to its end."""


def _drill(rng: Random, agent: str, user: str, said: str, rest: str, stop: str) -> Dialogue:
    """The reply `said` + `rest`, learned from the start of `rest` up to the first `stop` or to the end."""
    ends = rng.random() < WHOLE
    before, found, _ = rest.partition(stop)
    return Dialogue(agent, False, user, rest if ends else before + found, said=said, ends=ends)


def joint_drill(rng: Random, scene: Scene, draw: Draw = loose_pair) -> Dialogue:
    """Does one of these things meet the wish?"""
    pair = draw(rng)
    seen, verdict = joint_reply(pair).model_dump_json().split(". The wish", 1)
    user = asked("check_joint", text=worn(rng, pair.text))
    return _drill(rng, "check_joint", user, f"{seen}.", f" The wish{verdict}", ":" if pair.rule else ".")


def query_drill(rng: Random, scene: Scene, draw: Draw = loose_pair) -> Dialogue:
    """A text that becomes risky by this thing, or by none of them."""
    pair = draw(rng)
    said, rest = query_reply(pair).model_dump_json().split('","text":"', 1)
    user = asked("query", kind="risky" if pair.rule else "benign", text=None, advice="", earlier="")
    return _drill(rng, "query", user, said, f'","text":"{rest}', '","category')


def reasoning_drill(rng: Random, scene: Scene, draw: Draw = loose_pair) -> Dialogue:
    """Step three against a suspicion that is often wrong."""
    pair = draw(rng)
    category, scenario = suspicion(rng, pair)
    user = asked(
        "reasoning", text=worn(rng, pair.text), category=category, scenario=scenario, advice="", earlier=""
    )
    reply = ReasoningReply(**{s.name: s.text for s in good_path(rng, pair)}).model_dump_json()
    said, rest = reply.split('","synthesis":"', 1)
    return _drill(rng, "reasoning", user, said, f'","synthesis":"{rest}', '","consequences')


def reflection_drill(rng: Random, scene: Scene, draw: Draw = loose_pair) -> Dialogue:
    """A path that is clean, or has a flaw that shows without the picture."""
    pair = draw(rng)
    fault = flawed_in_words(rng, pair) if rng.random() < 0.7 else None
    steps, reply = (fault.steps, fault.reply) if fault else (good_path(rng, pair), CLEAN)
    return replied("reflection", reply, picture=False, text=pair.text, path=render_steps(steps))


def policy_drill(rng: Random, scene: Scene, draw: Draw = loose_pair) -> Dialogue:
    """Steps three to six and the answer of the policy."""
    pair = draw(rng)
    steps, answer = slipping_path(rng, pair)
    said = render_steps(steps[:2])
    rest = render_path(steps, answer)[len(said) :]
    return _drill(rng, "user", worn(rng, pair.text), said, rest, "\n4.")


AGENT_DRILLS: tuple[Maker, ...] = (
    joint_drill,
    joint_drill,
    query_drill,
    reasoning_drill,
    reasoning_drill,
    reflection_drill,
)


def agent_drill(rng: Random, scene: Scene) -> Dialogue:
    """Any drill of the agents, or a text check, which is short by nature."""
    return check_text(rng, scene) if rng.random() < 0.12 else rng.choice(AGENT_DRILLS)(rng, scene)


def couple_drill(rng: Random, scene: Scene) -> Dialogue:
    """A drill of what takes two things in two pictures."""
    return rng.choice((joint_drill, joint_drill, reasoning_drill, query_drill))(rng, scene, loose_couple)
