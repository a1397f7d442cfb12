"""How varied the rows of a run are: classes, word pairs, and what nearly says or shows what another does.

Texts are compared within their kind, as a twin may share its text on purpose, by the shingles of `likeness`;
pictures by perceptual hash (`images.hash_of`), found by bands, of which two pictures that differ in few bits
share one. Earlier runs may be compared with, too. Decides nothing: it is for a person to drop rows.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ssui_gen.curation.choosing.likeness import near_duplicates
from ssui_gen.errors import ConfigError, ImageError
from ssui_gen.files import atomic_write
from ssui_gen.images import HASH_BITS, perceptual_hash
from ssui_gen.jobs.lots import drawn
from ssui_gen.jsonl import read, validate
from ssui_gen.manifest import pictures_of
from ssui_gen.quotas import Met, Tally, told
from ssui_gen.records import KINDS, Kind, ReasoningPath, Reject
from ssui_gen.run_files import PATHS, REJECTS
from ssui_gen.settings import ImageLimits

FILE = "variety.json"
MOST = 5000
"""Rows of a run whose texts and pictures are compared; of more these are drawn at random, so that it costs
little memory and time. Classes are counted over all."""
TOO_MUCH, LEAST = 0.4, 10
"""Share of one class among risky rows beyond which it is warned of, where there are so many of them."""


@dataclass
class Variety:
    """What was found; of pairs, `later id → earlier id`, that of another run with the run's folder before."""

    classes: Counter[str] = field(default_factory=Counter)
    """Of risky rows."""
    rows: int = 0
    compared: int = 0
    pictures: int = 0
    """Different ones by bytes that were compared."""
    distinct_2: float = 0.0
    """Different pairs of words in a row by all such pairs, in all texts (Li et al., 1510.03055)."""
    texts: dict[str, str] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)
    """Pictures, by name."""
    wanted: dict[str, Met] = field(default_factory=dict)
    """What became of each class of which rows are wanted."""

    def lines(self) -> Iterator[str]:
        """What a person is told."""
        total = self.classes.total()
        if total:
            shares = (f"{name} {n:,} ({n / total:.0%})" for name, n in self.classes.most_common())
            yield f"Classes of {total:,} risky rows: {', '.join(shares)}."
        yield from told(self.wanted)
        some = f", of {self.compared:,} drawn at random" if self.compared < self.rows else ""
        yield (
            f"Variety{some}: distinct-2 {self.distinct_2:.2f}; {len(self.texts):,} of {self.compared:,} "
            f"texts nearly say what an earlier one of their kind says, {len(self.alike):,} of "
            f"{self.pictures:,} pictures nearly show what an earlier one shows ({FILE})."
        )
        name, most = next(iter(self.classes.most_common(1)), ("", 0))
        if total >= LEAST and most > TOO_MUCH * total:
            yield (
                f"Warning: {name} takes {most / total:.0%} of the risky rows, more than {TOO_MUCH:.0%}: "
                "what is trained on them learns that class best; look at the pictures, or at prompts/query.md"
            )

    def write(self, run: Path) -> None:
        wanted = {name: one._asdict() for name, one in self.wanted.items()}
        said = vars(self) | {"wanted": wanted}
        kept = {name: value for name, value in said.items() if name != "wanted" or wanted}
        atomic_write(run / FILE, json.dumps(kept, ensure_ascii=False, indent=1) + "\n")


class _Row(NamedTuple):
    """What of a row is compared."""

    id: str
    kind: Kind
    category: str
    text: str
    pictures: tuple[str, ...]


class _Run(NamedTuple):
    """Another run, and some of its rows."""

    mark: str
    """Before its ids and names."""
    root: Path
    rows: list[_Row]


def look(
    run: Path,
    root: Path,
    limits: ImageLimits,
    bits: int,
    against: Sequence[Path] = (),
    quotas: Mapping[str, int] | None = None,
) -> Variety:
    """What the rows of `run` hold, of whose classes so many are wanted. Pictures are alike that differ in at
    most `bits` of their hash. Raises RecordError for a row that cannot be read, ConfigError for an earlier
    run without rows.
    """
    earlier = [_Run(f"{other}: ", pictures_of(other, None), _some(with_rows(other))) for other in against]
    mine = _some(run)
    rows, classes = _counted(run)
    hashes = dict(_hashes(_Run("", root, mine), limits))
    before = (pair for other in earlier for pair in _hashes(other, limits))
    alike = near_pictures([*before, *hashes.items()], bits)
    return Variety(
        classes=classes,
        rows=rows,
        compared=len(mine),
        pictures=len(hashes),
        distinct_2=distinct_2(row.text for row in mine),
        texts={later: first for kind in KINDS for later, first in _texts(mine, earlier, kind)},
        alike={one: other for one, other in alike.items() if one in hashes},
        wanted=_tally(run).of(quotas) if quotas else {},
    )


def _tally(run: Path) -> Tally:
    """What rows and rejects were wanted to be, and are."""
    tally = Tally()
    for line in read(run / PATHS):
        tally.add(validate(ReasoningPath, line))
    for line in read(run / REJECTS):
        tally.add(validate(Reject, line))
    return tally


def _texts(mine: Sequence[_Row], earlier: Sequence[_Run], kind: Kind) -> Iterator[tuple[str, str]]:
    """Of one kind those that nearly say what an earlier one says."""
    before = ((run.mark + row.id, row.text) for run in earlier for row in run.rows if row.kind == kind)
    ours = {row.id: row.text for row in mine if row.kind == kind}
    found = near_duplicates([*before, *ours.items()])
    return ((later, first) for later, first in found.items() if later in ours)


def _counted(run: Path) -> tuple[int, Counter[str]]:
    """Rows, and the classes of risky ones."""
    rows, classes = 0, Counter[str]()
    for row in _rows(run):
        rows += 1
        classes.update([row.category] if row.kind == "risky" else [])
    return rows, classes


def _rows(run: Path) -> Iterator[_Row]:
    for line in read(run / PATHS):
        path = validate(ReasoningPath, line)
        yield _Row(
            path.id,
            path.kind,
            path.query.category,
            path.query.text,
            tuple(image.path for image in path.images),
        )


def _some(run: Path) -> list[_Row]:
    return sorted(drawn(_rows(run), MOST, lambda row: row.id))


def with_rows(run: Path) -> Path:
    """That very folder; raises ConfigError for one that is no run's."""
    if not (run / PATHS).is_file():
        raise ConfigError(f"--against {run}: no {PATHS} there: expected the folder of an earlier run")
    return run


def _hashes(run: _Run, limits: ImageLimits) -> Iterator[tuple[str, int]]:
    """Each picture once, by name; one that is not there any more is left out."""
    for name in dict.fromkeys(name for row in run.rows for name in row.pictures):
        with suppress(ImageError):
            yield run.mark + name, perceptual_hash(run.root, name, limits)


def distinct_2(texts: Iterable[str]) -> float:
    """1 where no pair of words comes twice; 0 without any pair."""
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        pairs.update(pairwise(re.findall(r"\w+", text.casefold())))
    return len(pairs) / pairs.total() if pairs else 0.0


def near_pictures(hashes: Iterable[tuple[str, int]], bits: int) -> dict[str, str]:
    """For each name that is within `bits` of an earlier one: the earlier one's. Exact: of `bits` + 1 bands at
    least one is the same.
    """
    width = max(1, HASH_BITS // (bits + 1))
    buckets: dict[tuple[int, int], list[tuple[str, int]]] = {}
    found: dict[str, str] = {}
    for name, hash_ in hashes:
        bands = [(start, hash_ >> start & (1 << width) - 1) for start in range(0, width * (bits + 1), width)]
        known = (one for band in bands for one in buckets.get(band, ()))
        like = next((other for other, its in known if (its ^ hash_).bit_count() <= bits), None)
        if like is not None:
            found[name] = like
            continue
        for band in bands:
            buckets.setdefault(band, []).append((name, hash_))
    return found
