"""Which records of a run are one scenario, and which scenarios are held out.

A record, its twin of the same seed, and whatever shows the same picture are one scenario. A benign record
whose scenario has nothing risky joins that of a risky one with its words: the twin under another picture.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path

from ssui_gen.errors import ConfigError
from ssui_gen.records import ReasoningPath, row_id


def scenarios_of(paths: Sequence[ReasoningPath]) -> dict[str, str]:
    """By the path's id its scenario's, which hangs on a seed alone: on the first risky record's by name."""
    groups = _Groups()
    for path in paths:
        groups.join(path.id, ("seed", path.seed_id))
        for image in path.images:
            groups.join(path.id, ("picture", image.sha256))
    _join_by_words(groups, paths)
    members = defaultdict[Hashable, list[ReasoningPath]](list)
    for path in paths:
        members[groups.of(path.id)].append(path)
    names = {group: row_id("scenario", _first_seed(found)) for group, found in members.items()}
    return {path.id: names[groups.of(path.id)] for path in paths}


def _join_by_words(groups: _Groups, paths: Sequence[ReasoningPath]) -> None:
    risky = [path for path in paths if path.kind == "risky"]
    have = {groups.of(path.id) for path in risky}
    asked = {path.query.text: path.id for path in sorted(risky, key=_by_seed, reverse=True)}
    for path in paths:
        if groups.of(path.id) not in have and path.query.text in asked:
            groups.join(path.id, asked[path.query.text])


def _by_seed(path: ReasoningPath) -> tuple[bool, str, str]:
    return path.kind != "risky", path.seed_id, path.id


def _first_seed(members: Iterable[ReasoningPath]) -> str:
    return min(members, key=_by_seed).seed_id


class _Groups:
    """What was joined, directly or not, is one group (union-find)."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def of(self, one: Hashable) -> Hashable:
        while (above := self._above.get(one, one)) != one:
            one = above
        return one

    def join(self, one: Hashable, other: Hashable) -> None:
        self._above[self.of(one)] = self.of(other)


# --- which are held out ----------------------------------------------------------------------------------


def held_out(told: str, paths: Iterable[ReasoningPath], scenario_of: Mapping[str, str]) -> set[str]:
    """The scenarios that are held out: a share of them, or those that a file names, an id a line.

    By a share each is drawn by a hash of its own, so that one more scenario changes nothing for the others.
    Raises ConfigError for what is neither, and for an id that is unknown.
    """
    if Path(told).is_file():
        names = [line.strip() for line in Path(told).read_text("utf-8", "replace").splitlines()]
        return _named([name for name in names if name and not name.startswith("#")], paths, scenario_of)
    try:
        share = float(told)
    except ValueError:
        share = math.nan
    if not 0 < share <= 1:
        raise ConfigError(
            f"--holdout: expected a share from 0 to 1, or a file with an id a line; got {told!r}"
        )
    return {one for one in scenario_of.values() if _lot(one) < share}


def _lot(scenario: str) -> float:
    """From 0 to 1, and never 1."""
    lot = hashlib.blake2b(f"held out/{scenario}".encode(), digest_size=6).digest()
    return int.from_bytes(lot, "big") / 2**48


def _named(names: list[str], paths: Iterable[ReasoningPath], scenario_of: Mapping[str, str]) -> set[str]:
    """By a scenario's own id, or by that of a path or a seed of it."""
    known = {path.seed_id: scenario_of[path.id] for path in paths} | dict(scenario_of)
    known |= {scenario: scenario for scenario in scenario_of.values()}
    strangers = [name for name in names if name not in known]
    if strangers:
        raise ConfigError(
            f"--holdout: {strangers[0]!r} is the id of no scenario, path or seed of this run "
            f"({len(strangers)} such names): expected one such id a line"
        )
    return {known[name] for name in names}
