"""Raw rates of a model: how many responses the judge calls good, by question and kind. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ssui_gen.benching.records import BenchJudgement, Item
from ssui_gen.judging.questions import QUESTIONS, RSBENCH, QuestionName
from ssui_gen.shares import Share, share


class Rates(NamedTuple):
    """Of one question; intervals know the scenarios."""

    risky: Share
    benign: Share
    unscored: Share
    """Of those that were asked."""


def raw_rates(judgements: Iterable[tuple[Item, BenchJudgement]]) -> dict[QuestionName, Rates]:
    """Of every question that was asked at all, in their order."""
    counted = ((item, row) for item, row in judgements if item.counted)
    asked = [(item, row) for item, row in counted if row.unscored != "not_asked"]
    by = {name: [(item, row) for item, row in asked if row.question == name] for name in RSBENCH}
    return {name: _rates(rows) for name, rows in by.items() if rows}


def _rates(rows: list[tuple[Item, BenchJudgement]]) -> Rates:
    def good(kind: str) -> Share:
        scored = [(item, row) for item, row in rows if item.kind == kind and row.verdict is not None]
        found = (row.verdict in QUESTIONS[row.question].good for _, row in scored)
        return share(found, [item.scenario_id for item, _ in scored])

    unscored = share((row.verdict is None for _, row in rows), [item.scenario_id for item, _ in rows])
    return Rates(good("risky"), good("benign"), unscored)
