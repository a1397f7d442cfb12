"""People's labels beside the judge's in a log of inspect_ai.

It takes scores from a file by the id of a sample, and passes over those that it does not know; so whoever is
unknown is refused here first. What counts as true of a response is said by `benching.labelled`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from inspect_ai import score
from inspect_ai.log import write_eval_log
from inspect_ai.scorer import Scorer, mean, precomputed_scores, scorer

from ssui_gen.benching.labelled import settled
from ssui_gen.benching.records import BenchJudgement
from ssui_gen.errors import ConfigError
from ssui_gen.inspecting.logs import Drawn, opened
from ssui_gen.inspecting.scoring import clustered_stderr
from ssui_gen.judging.questions import QUESTIONS, RSBENCH

NAME = "people"
"""What their scores are called in the log."""


def ratings(labels: Sequence[BenchJudgement], drawn: Iterable[Drawn], log: Path) -> list[dict[str, Any]]:
    """A record for each response that people labelled: `id`, `epoch`, and by question 1, 0 or NaN. Raises
    ConfigError for labels of responses that the log does not hold, or without any that counts.
    """
    places = {one.response.id: (one.response.item_id, one.response.draw + 1) for one in drawn}
    strangers = sorted({row.response_id for row in labels} - places.keys())
    if strangers:
        raise ConfigError(
            f"{log}: {len(strangers):,} labelled responses are not in it, such as {strangers[0]}: these are "
            "labels of another run, protocol or model"
        )
    found = list(_records(labels, places))
    if not found:
        raise ConfigError(
            f"{log}: no label counts: none was drawn by chance, or people differ in all of them"
        )
    return found


def _records(
    labels: Sequence[BenchJudgement], places: dict[str, tuple[str, int]]
) -> Iterator[dict[str, Any]]:
    said = settled(labels)
    for response, (item, epoch) in places.items():
        verdicts = {name: said[response, name].verdict for name in RSBENCH if (response, name) in said}
        if verdicts:
            value = {name: _value(name, verdicts.get(name)) for name in RSBENCH}
            yield {"id": item, "epoch": epoch, "value": value, "metadata": verdicts}


def _value(question: Any, verdict: str | None) -> float:
    return math.nan if verdict is None else float(verdict in QUESTIONS[question].good)


def as_lines(records: Iterable[dict[str, Any]]) -> str:
    """As inspect_ai reads them: NaN, which JSON has not, says that a question is unscored."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def add(log: Path, file: Path, to: Path) -> None:
    """Write the log to `to` with the scores in `file` appended. No model is asked: those of the log are not
    even made, which would want their addresses and keys. Raises ConfigError where the log has them already.
    """

    @scorer(metrics={name: [mean(), clustered_stderr()] for name in RSBENCH}, name=NAME)
    def people() -> Scorer:
        return precomputed_scores(str(file))

    read = opened(log)
    if any(NAME in (sample.scores or {}) for sample in read.samples or ()):
        raise ConfigError(f"{log}: has scores of {NAME} already: take the log as it was before")
    roles, read.eval.model_roles = read.eval.model_roles, None
    scored = score(read, people(), model="none", action="append", display="none")
    scored.eval.model_roles = roles
    write_eval_log(scored, str(to))
