"""branches.jsonl and pairs.jsonl → pairs.html, and a page for the tree of each path under trees/."""

from __future__ import annotations

import itertools
import os
from contextlib import closing
from pathlib import Path

from ssui_gen.branches import Cut, Pair
from ssui_gen.job import CALLS
from ssui_gen.journal import Journal
from ssui_gen.jsonl import atomic_write, read, validate
from ssui_gen.records import ReasoningPath
from ssui_gen.report import Numbers, overview, tree

OVERVIEW, TREES = "pairs.html", "trees"


def make_report(run: Path, source: Path, root: Path) -> Path:
    """Write the pages of `run`: its paths are in `source`, pictures below `root`. Returns the overview."""
    numbers = Numbers()
    paths = {row.id: row for row in (validate(ReasoningPath, line) for line in read(source))}
    (run / TREES).mkdir(exist_ok=True)
    named = []
    with closing(Journal(run / CALLS)) as journal:
        for path_id, cuts in _by_path(run):
            path = paths.get(path_id)
            for cut in cuts:
                numbers.add_cut(cut, path.query.category if path else "unknown")
                _count_calls(numbers, journal, cut)
            if path:
                picture = os.path.relpath(root / path.image.path, run / TREES)
                atomic_write(run / TREES / f"{path_id}.html", tree(path, cuts, picture))
                named.append((path.query.text, f"{TREES}/{path_id}.html"))
    for line in read(run / "pairs.jsonl"):
        numbers.add_pair(validate(Pair, line))
    atomic_write(run / OVERVIEW, overview(numbers, named))
    return run / OVERVIEW


def _by_path(run: Path) -> list[tuple[str, list[Cut]]]:
    cuts = (validate(Cut, line) for line in read(run / "branches.jsonl"))
    ordered = sorted(cuts, key=lambda cut: (cut.path_id, cut.cut))
    return [(id, list(group)) for id, group in itertools.groupby(ordered, key=lambda cut: cut.path_id)]


def _count_calls(numbers: Numbers, journal: Journal, cut: Cut) -> None:
    judged = (call for branch in cut.branches for call in branch.judgement.made_by)
    for call in {*cut.made_by, *judged}:
        if known := journal.get(call):
            numbers.add_call(known.usage)
