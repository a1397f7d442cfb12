"""A benchmark's own rules: which of them score a run, and what they make of a model's responses, as data for
`report.json`. Pure; who is asked is `official.asking`'s, what is counted `official.table`'s.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ssui_gen.benching.adapters import ADAPTERS
from ssui_gen.benching.figures import MOST_UNSCORED
from ssui_gen.benching.gist import Alike, Reply
from ssui_gen.benching.official.shape import Judged, Official, Scored
from ssui_gen.benching.official.table import Row, table
from ssui_gen.benching.rates import number, plain
from ssui_gen.benching.records import Item
from ssui_gen.benching.vqa.marking import OFFICIAL

ONE_DRAW = (
    "By this rule the draws of an item vote, and one draw each has no vote to win: `bench: {draws: 3}` in "
    "the settings asks three times, as its authors do."
)
TOLD_MORE = (
    "The model was asked by protocol {asked}, which tells it more than the question: ask `--protocol as_is` "
    "for a figure by the benchmark's own rules."
)


def protocols_of(bench: str, wanted: Collection[str]) -> list[Official]:
    """Those of `wanted` that a benchmark of this name has."""
    return [official for name, official in _known(bench).items() if name in wanted]


def _known(bench: str) -> Mapping[str, Official]:
    if bench == OFFICIAL.bench:
        return {OFFICIAL.name: OFFICIAL}
    return ADAPTERS[bench].protocols if bench in ADAPTERS else {}


def is_judged(bench: str) -> bool:
    """Whether a judge is asked about responses to a benchmark of this name."""
    return bench != OFFICIAL.bench


def has_rules(bench: str) -> bool:
    """Whether a benchmark of this name has any of its own."""
    return bool(_known(bench))


def reservations(official: Official, asked: str, draws: int) -> list[str]:
    """What sets figures apart from those by the very rules: how the model was asked, and how often."""
    one = [ONE_DRAW] if official.majority and draws == 1 else []
    return one + ([TOLD_MORE.format(asked=asked)] if asked != "as_is" else [])


def scores(
    items: Mapping[str, Item], responses: Sequence[Reply], rows: Iterable[Judged]
) -> list[dict[str, Any]]:
    """A table for each protocol and judge, of these responses to `items` (by id). Of rows with the same id
    the first counts.
    """
    ids = {response.id for response in responses if response.item_id in items}
    by, alike = defaultdict[tuple[str, str, str], dict[str, Scored]](dict), Alike()
    for row in rows:
        if row.response_id in ids and row.id not in by[row.bench, row.protocol, row.judge]:
            by[row.bench, row.protocol, row.judge][row.id] = Scored.of(row, alike)
    draws = max(Counter(response.item_id for response in responses).values(), default=0)
    asked = ", ".join(sorted({response.protocol for response in responses}))
    return [
        _of_rules(official, items, list(found.values())) | {
            "asked": asked, "draws": draws, "reservations": reservations(official, asked, draws),
            "without_row": len(ids) - len(found),
        }
        for (bench, protocol, _), found in by.items()
        for official in protocols_of(bench, (protocol,))
    ]  # fmt: skip


def _of_rules(official: Official, items: Mapping[str, Item], rows: Sequence[Scored]) -> dict[str, Any]:
    unscored = Counter(reason for row in rows for reason in row.unscored.values())
    return {
        "bench": official.bench,
        "protocol": official.name,
        "source": official.source,
        "judge": rows[0].judge,
        "rubrics": sorted({row.rubric for row in rows}),
        "lines": [_line(row) for row in table(official, items, rows)],
        "responses": len(rows),
        "unscored": dict(sorted(unscored.items())),
    }


def _line(row: Row) -> dict[str, Any]:
    found = row._asdict() | {"value": number(row.value)}
    return found | {"interval": plain(row.interval), "bounds": plain(row.bounds)}


def is_whole(found: Mapping[str, Any]) -> bool:
    """Whether a table is of all responses, and almost nothing that was asked lacks its verdict."""
    lacking: int = sum(found["unscored"].values())
    return not found["without_row"] and lacking <= MOST_UNSCORED * found["responses"]
