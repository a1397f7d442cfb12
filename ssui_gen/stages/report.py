"""branches.jsonl and pairs.jsonl → pairs.html, and a page for the tree of each path under trees/."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from ssui_gen.branches import Cut, Pair
from ssui_gen.calling.journal import CALLS, Journal
from ssui_gen.exploring.cost import Who
from ssui_gen.exploring.counted import Numbers
from ssui_gen.exploring.explored import Explored, read_paths
from ssui_gen.exploring.report import Beside, Grown, overview, tree
from ssui_gen.files import atomic_write, name_of
from ssui_gen.jsonl import read, validate
from ssui_gen.pages.masthead import masthead
from ssui_gen.records import ReasoningPath, Reject
from ssui_gen.run_files import BRANCHES, NOT_EXPLORED, PAIRS

OVERVIEW, TREES = "pairs.html", "trees"
DATASET = "dataset.html"
"""Written by whoever has these pages written, after them."""
Tree = tuple[ReasoningPath, list[Cut]]


class Report(NamedTuple):
    """Where the overview is, and the one figure of it that a person is told at once."""

    overview: Path
    cost: str
    """Of a pair of each kind."""


def make_report(run: Path, source: Path, root: Path) -> Report:
    """Write the pages of `run`: its paths are in `source`, pictures below `root`."""
    numbers, explored = Numbers(), Explored(run / BRANCHES)
    if (run / TREES).is_symlink():
        (run / TREES).unlink()
    (run / TREES).mkdir(exist_ok=True)
    trees, head = [], masthead(run, f"{TREES}/", OVERVIEW, DATASET)
    with closing(Journal(run / CALLS)) as journal:
        for (path, cuts), beside in _neighbours(_grown(source, explored)):
            _count(numbers, journal, path, cuts, explored.off(path))
            pictures = [_address(root / image.path, run / TREES) for image in path.images]
            atomic_write(run / TREES / _file(path), tree(path, cuts, pictures, head, beside))
            trees.append(Grown(path, f"{TREES}/{_file(path)}", _kinds(cuts)))
    for line in read(run / NOT_EXPLORED):
        numbers.dropped[validate(Reject, line).reason] += 1
    for line in read(run / PAIRS):
        numbers.add_pair(validate(Pair, line))
    atomic_write(run / OVERVIEW, overview(numbers, trees, masthead(run, OVERVIEW, DATASET)))
    return Report(run / OVERVIEW, numbers.cost.account(numbers.pairs_by_kind))


def _address(picture: Path, page: Path) -> str:
    return quote(os.fsencode(os.path.relpath(picture, page)))


def _grown(source: Path, explored: Explored) -> Iterator[Tree]:
    """Paths with their cuts, of those that have any."""
    for path in read_paths(source):
        if isinstance(path, ReasoningPath) and (cuts := explored.of(path)):
            yield path, cuts


def _neighbours(trees: Iterator[Tree]) -> Iterator[tuple[Tree, Beside]]:
    """Each with the pages of those before and after it."""
    before, now = "", next(trees, None)
    while now is not None:
        after = next(trees, None)
        yield now, Beside(before, _file(after[0]) if after else "")
        before, now = _file(now[0]), after


def _file(path: ReasoningPath) -> str:
    return f"{name_of(path.id)}.html"


def _kinds(cuts: list[Cut]) -> Counter[str]:
    return Counter(branch.judgement.polarity for cut in cuts for branch in cut.branches)


def _count(numbers: Numbers, journal: Journal, path: ReasoningPath, cuts: list[Cut], off: list[Cut]) -> None:
    """The path's cuts; and each call that they, those `off` it and their judgements took: once, though
    several may share it.
    """
    for cut in cuts:
        numbers.add_cut(cut, path.query.category)
    cuts = [*cuts, *off]
    judged = {call for cut in cuts for branch in cut.branches for call in branch.judgement.made_by}
    asked: dict[Who, set[str]] = {"policy": {call for cut in cuts for call in cut.made_by}, "F": judged}
    for who, calls in asked.items():
        for known in filter(None, map(journal.get, calls)):
            numbers.cost.add(path.kind, who, known)
