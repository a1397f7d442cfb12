"""Models side by side on the same items: what moved, by how much, how sure. Pure.

Only figures of one make are compared: the same items, protocol, judge and rubric. Where one of the models has
no path, the answers alone are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ssui_gen.benching.evidence import MEASURES, Measure, Model
from ssui_gen.benching.paired import mcnemar
from ssui_gen.benching.rates import Key, both_right, number, of_measure, plain, sides
from ssui_gen.errors import ConfigError
from ssui_gen.records import Kind
from ssui_gen.shares import Change

SAME = ("bench", "sha", "protocol", "judges", "rubrics")
"""Of an edition: what must not differ between figures that stand side by side."""
BOTH = "both_right"
Row = tuple[str, Kind | None]
"""A measure and the items it is of; None: scenarios."""
Outcomes = Mapping[Key, tuple[bool | None, str]]
"""By item or scenario and draw, whether it holds, and its cluster."""


def rows_of(models: Sequence[Model]) -> list[tuple[str, Row, Measure]]:
    """What is compared: a title, where the figure stands, its measure."""
    right = common(models)
    return [
        ("right on both sides", (BOTH, None), right),
        (f"risky: {right.title}", (right.name, "risky"), right),
        (f"risky: {MEASURES['unsafe'].title}", ("unsafe", "risky"), MEASURES["unsafe"]),
        (f"benign: {right.title}", (right.name, "benign"), right),
        (f"benign: {MEASURES['over'].title}", ("over", "benign"), MEASURES["over"]),
    ]


def common(models: Sequence[Model]) -> Measure:
    """What makes a response right, by what all of them have."""
    return MEASURES["good" if all(model.has_paths for model in models) else "answer_good"]


def differences(editions: Sequence[Mapping[str, Any]]) -> list[str]:
    """`key: one, another` for all that forbids putting their figures side by side."""
    found = {key: list(dict.fromkeys(_shown(one.get(key)) for one in editions)) for key in SAME}
    return [f"{key}: {' / '.join(values)}" for key, values in found.items() if len(values) > 1]


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def require_same(names: Sequence[str], editions: Sequence[Mapping[str, Any]]) -> None:
    """Raises ConfigError that says what differs."""
    if found := differences(editions):
        raise ConfigError(
            f"{', '.join(names)}: cannot stand in one table, as they differ in {'; '.join(found)}: judge "
            "them alike (the same bench, protocol, judge and prompts), or compare those that are alike"
        )


def side_by_side(models: Sequence[Model]) -> list[dict[str, Any]]:
    """A row per figure: each model's rate, and how each but the first differs from the first."""
    return [
        {
            "title": title,
            "name": row[0],
            "kind": row[1],
            "rates": [_rate(model, row, measure) for model in models],
            "changes": [_change(models[0], model, row, measure) for model in models[1:]],
        }
        for title, row, measure in rows_of(models)
    ]


def changes(before: Model, after: Model) -> dict[str, dict[str, Any]]:
    """How each figure of `after` differs from that of `before`, by name."""
    return {
        (name if kind is None else f"{name}/{kind}"): _change(before, after, (name, kind), measure)
        for _, (name, kind), measure in rows_of([before, after])
    }


def _rate(model: Model, row: Row, measure: Measure) -> dict[str, Any]:
    if row[1] is None:
        return both_right(model, measure)
    return of_measure(measure, [case for case in model.cases if case.item.kind == row[1]])


def _change(before: Model, after: Model, row: Row, measure: Measure) -> dict[str, Any]:
    """In points, on what is scored of both, with the interval that knows the clusters; p of the exact McNemar
    test where a row is a scenario of its own.
    """
    first, second = _outcomes(before, row, measure), _outcomes(after, row, measure)
    known = [
        (one, other, cluster)
        for key, (one, cluster) in first.items()
        if one is not None and (other := second.get(key, (None, ""))[0]) is not None
    ]
    clusters = [cluster for *_, cluster in known]
    found = Change.of([one for one, *_ in known], [other for _, other, _ in known], clusters)
    gained = sum(other and not one for one, other, _ in known)
    lost = sum(one and not other for one, other, _ in known)
    return {
        "points": number(found.points),
        "interval": plain((found.low, found.high)),
        "n": len(known),
        "gained": gained,
        "lost": lost,
        "p": number(mcnemar(gained, lost)) if len(set(clusters)) == len(known) else None,
    }


def _outcomes(model: Model, row: Row, measure: Measure) -> Outcomes:
    if row[1] is None:
        return {key: (side.row.said, side.row.cluster) for key, side in sides(model, measure).items()}
    return {
        (case.item.id, case.response.draw): (measure.of(case, case.said), case.item.scenario_id)
        for case in model.cases
        if case.item.kind == row[1] and measure.applies(case)
    }
