"""Paths as the agents write them: what the Query agent suspects, six steps, reflection in rounds, the answer.

They are asked as the product asks them, without a grammar, about a data set's own scenes and texts. What
reflection does not accept is no path, as in the product; what it accepts nobody reviews, so it has the
agents' own faults, and the truth knows which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from microworld.learning.ask import Checkpoint
from microworld.measuring.agents import said
from microworld.reproduce.agents import Steps, reflected_paths
from microworld.reproduce.paths import Told
from microworld.truth.score import parsed
from microworld.truth.steps import Truth, first_bad_of
from ssui_gen.branching import render_path, render_steps
from ssui_gen.reading import read
from ssui_gen.records import Step
from ssui_gen.replies import SummaryReply


def written(model: Checkpoint, planned: Sequence[Told]) -> list[dict[str, Any]]:
    """A row for each path that the truth would write: `id`, `steps`, `answer`, and `right`, whether nothing
    in it is wrong. All but the id are None where the agents come to no path.
    """
    _, accepted, _ = reflected_paths(model, [one.pair for one in planned])
    answers = _answers(model, planned, accepted)
    return [_row(*one) for one in zip(planned, accepted, answers, strict=True)]


def as_written(planned: Sequence[Told], rows: Sequence[Mapping[str, Any]]) -> tuple[Told, ...]:
    """The agents' paths in the place of the truth's; where they came to none, none."""
    return tuple(_told(one, row) for one, row in zip(planned, rows, strict=True) if row["steps"])


def _answers(
    model: Checkpoint, planned: Sequence[Told], accepted: Sequence[Steps | None]
) -> list[str | None]:
    asked = {n: steps for n, steps in enumerate(accepted) if steps}
    pairs = [planned[n].pair for n in asked]
    values = [{"text": planned[n].pair.text, "path": render_steps(steps)} for n, steps in asked.items()]
    texts = said(model, "summary", pairs, values) if asked else []
    found = dict(zip(asked, (parsed(text, SummaryReply) for text in texts), strict=True))
    replies = [found.get(n) for n in range(len(planned))]
    return [reply.answer if isinstance(reply, SummaryReply) else None for reply in replies]


def _row(one: Told, steps: Steps | None, answer: str | None) -> dict[str, Any]:
    if steps is None or answer is None:
        return {"id": one.path.id, "steps": None, "answer": None, "right": None}
    pair = one.pair
    place = first_bad_of(read(render_path(steps, answer)), Truth(pair.request, pair.scene.things, pair.rule))
    rows = [step.model_dump(mode="json") for step in steps]
    return {"id": one.path.id, "steps": rows, "answer": answer, "right": place == 0}


def _told(one: Told, row: Mapping[str, Any]) -> Told:
    assert one.path.id == row["id"], f"{one.path.id} and {row['id']} are different paths"
    steps = tuple(Step.model_validate(step) for step in row["steps"])
    path = one.path.model_copy(update={"steps": steps, "answer": row["answer"]})
    return replace(one, path=path, right=row["right"])
