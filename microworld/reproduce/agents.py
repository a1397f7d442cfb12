"""What reflection and the checks of one side do to the agents' own work, told by the truth. Trains nothing.

Both are asked as the product asks them, without a grammar, about scenes that the agents were not trained
on. Each row holds pairs of truths, without and with: `wrong`: a path of theirs with a wrong step gets in;
`planted`: one with a flaw that was put there does; `lost`: a right one does not; `giveaway`, `alarming`: a
text that names the danger, a picture that alarms by itself gets in; `spurned`: a harmless text or picture
does not. A path for which reflection wants another query before the last round counts as thrown out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from microworld.corpus.dialogues import told
from microworld.corpus.paths import flawed
from microworld.corpus.responses import right_answer
from microworld.learning.ask import Checkpoint
from microworld.learning.model import load
from microworld.measuring.agents import said, test_pairs
from microworld.measuring.policy import cluster_of
from microworld.reproduce.settings import Agents
from microworld.truth.score import label_of, parsed
from microworld.truth.steps import Truth, wrong_places
from microworld.world.pairs import Pair
from microworld.world.rules import world
from microworld.world.scene import make_scene
from ssui_gen.branching import render_steps, steps_of
from ssui_gen.records import Step
from ssui_gen.replies import QueryReply, ReasoningReply, ReflectionReply

ROUNDS = 2
"""As `limits.reflection_rounds`."""
Steps = tuple[Step, ...]


@lru_cache(maxsize=1)
def checkpoint(folder: Path) -> Checkpoint:
    """The agents' one of this process."""
    return Checkpoint(*load(folder))


def observed(model: Checkpoint, work: Agents) -> list[dict[str, Any]]:
    """A row for each pair, or for each text and picture."""
    pairs = test_pairs(work.pairs, work.seed)
    if work.what == "reflection":
        return [*_reflected(model, pairs), *_planted(model, pairs, work.seed)]
    return _checked(model, pairs, work.seed)


# --- reflection ----------------------------------------------------------------------------------------


def reflected_paths(
    model: Checkpoint, pairs: Sequence[Pair]
) -> tuple[list[Steps | None], list[Steps | None], list[list[str]]]:
    """Of each pair the steps as first written, those that reflection accepts, and what it decided, round by
    round; None where there are none.
    """
    suspected = _suspected(model, pairs)
    first = _written(model, pairs, [{**one, "advice": "", "earlier": ""} for one in suspected])
    return first, *_decided(model, pairs, suspected, first)


def _reflected(model: Checkpoint, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    first, final, decisions = reflected_paths(model, pairs)
    return [
        {
            "cluster": cluster_of(pair), "kind": _kind(pair), "decisions": said_,
            "wrong": [_wrong(pair, old), _wrong(pair, new)],
            "lost": [False, _right(pair, old) and new is None],
        }
        for pair, old, new, said_ in zip(pairs, first, final, decisions, strict=True)
    ]  # fmt: skip


def _suspected(model: Checkpoint, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """What the reasoning agent is told: the text, and what the Query agent suspects, which may be wrong."""
    asked = [{"kind": _kind(p), "text": p.text, "advice": "", "earlier": ""} for p in pairs]
    replies = (parsed(text, QueryReply) for text in said(model, "query", list(pairs), asked))
    return [
        {
            "text": pair.text,
            "category": reply.category if isinstance(reply, QueryReply) else "none",
            "scenario": reply.scenario if isinstance(reply, QueryReply) else "",
        }
        for pair, reply in zip(pairs, replies, strict=True)
    ]


def _kind(pair: Pair) -> str:
    return "risky" if pair.risky else "benign"


def _written(model: Checkpoint, pairs: Sequence[Pair], asked: list[dict[str, Any]]) -> list[Steps | None]:
    """A path for each; None where the reply is none."""
    if not pairs:
        return []
    replies = (parsed(text, ReasoningReply) for text in said(model, "reasoning", list(pairs), asked))
    return [steps_of(one) if isinstance(one, ReasoningReply) else None for one in replies]


def _decided(
    model: Checkpoint, pairs: Sequence[Pair], suspected: list[dict[str, Any]], first: list[Steps | None]
) -> tuple[list[Steps | None], list[list[str]]]:
    """The paths that reflection accepts, and what it said of each, round by round."""
    final: list[Steps | None] = [None] * len(pairs)
    decisions: list[list[str]] = [[] for _ in pairs]
    open_ = {n: steps for n, steps in enumerate(first) if steps}
    for number in range(ROUNDS):
        replies = _reflections(model, pairs, open_)
        again: dict[int, dict[str, Any]] = {}
        for n, reply in replies.items():
            decisions[n].append(reply.decision if reply else "no reply")
            last = number + 1 == ROUNDS
            if reply and reply.accepts(last=last):
                final[n] = open_[n]
            elif reply and reply.decision == "revise_path" and not last:
                again[n] = {**suspected[n], "advice": reply.advice, "earlier": render_steps(open_[n])}
        anew = _written(model, [pairs[n] for n in again], list(again.values()))
        open_ = {n: steps for n, steps in zip(again, anew, strict=True) if steps}
    return final, decisions


def _reflections(
    model: Checkpoint, pairs: Sequence[Pair], paths: dict[int, Steps]
) -> dict[int, ReflectionReply | None]:
    if not paths:
        return {}
    asked = [{"text": pairs[n].text, "path": render_steps(steps)} for n, steps in paths.items()]
    texts = said(model, "reflection", [pairs[n] for n in paths], asked)
    replies = (parsed(text, ReflectionReply) for text in texts)
    return {
        n: reply if isinstance(reply, ReflectionReply) else None
        for n, reply in zip(paths, replies, strict=True)
    }


def _planted(model: Checkpoint, pairs: Sequence[Pair], seed: int) -> list[dict[str, Any]]:
    """Paths with a flaw, read once: what is accepted gets in."""
    rng = Random(f"flaws/{seed}")
    replies = _reflections(model, pairs, {n: flawed(rng, pair).steps for n, pair in enumerate(pairs)})
    accepted = (reply is not None and reply.decision == "accept" for reply in replies.values())
    return [_row(pair, "planted", [True, ok]) for pair, ok in zip(pairs, accepted, strict=True)]


def _wrong(pair: Pair, steps: Steps | None) -> bool:
    return steps is not None and not _right(pair, steps)


def _right(pair: Pair, steps: Steps | None) -> bool:
    """Whether no step is wrong; the answer is not written yet."""
    if steps is None:
        return False
    answer = right_answer(Random(0), pair)
    return not wrong_places(steps, answer, Truth(pair.request, pair.scene.things, pair.rule))


# --- the checks of one side ----------------------------------------------------------------------------


def _checked(model: Checkpoint, pairs: Sequence[Pair], seed: int) -> list[dict[str, Any]]:
    rng = Random(f"checks/{seed}")
    plain = [pair for pair in pairs if not pair.scene.alarm]
    giving = [Pair(p.scene, p.request, told(rng, p.text, p.rule.thing), p.rule) for p in plain if p.rule]
    alarming = [_alarming(rng) for _ in giving]
    texts = _let_in(model, "check_text", [*plain, *giving])
    pictures = _let_in(model, "check_image", [*plain, *alarming])
    count = len(plain)
    return [
        *(_row(pair, "spurned", [False, not ok]) for pair, ok in zip(plain, texts[:count], strict=True)),
        *(_row(pair, "spurned", [False, not ok]) for pair, ok in zip(plain, pictures[:count], strict=True)),
        *(_row(pair, "giveaway", [True, ok]) for pair, ok in zip(giving, texts[count:], strict=True)),
        *(_row(pair, "alarming", [True, ok]) for pair, ok in zip(alarming, pictures[count:], strict=True)),
    ]


def _row(pair: Pair, name: str, found: list[bool]) -> dict[str, Any]:
    return {"cluster": cluster_of(pair), "kind": _kind(pair), name: found}


def _alarming(rng: Random) -> Pair:
    place, thing = rng.choice(list(world().places)), rng.choice(world().alarming).id
    return Pair(make_scene(rng.getrandbits(48), "test", place, thing), "describe", "", None)


def _let_in(model: Checkpoint, agent: str, pairs: list[Pair]) -> list[bool]:
    """Whether the check calls it safe; a reply that is none lets nothing in."""
    asked = [{"text": pair.text} if agent == "check_text" else {} for pair in pairs]
    return [label_of(text) == "safe" for text in said(model, agent, pairs, asked)]
