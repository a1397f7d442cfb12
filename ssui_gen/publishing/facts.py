"""What the card and croissant.json tell of a published run, put together once for both. Writes nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ssui_gen import __version__
from ssui_gen.curation.outcomes import stats
from ssui_gen.curation.outcomes.agreement import agreement
from ssui_gen.curation.workspace.board import read_board
from ssui_gen.curation.workspace.folder import ITEMS, folder_of
from ssui_gen.errors import ConfigError
from ssui_gen.jsonl import read
from ssui_gen.licences import Terms, terms_of
from ssui_gen.manifest import PAIRS as EXPLORED
from ssui_gen.manifest import RUN, TOLD, Edition, made_by_toy, read_manifest
from ssui_gen.publishing.gather import Gathered, LeftOut
from ssui_gen.publishing.shards import Shard
from ssui_gen.publishing.used import Used, used_of
from ssui_gen.run_files import PATHS, REJECTS
from ssui_gen.strict_json import value_of

PAPER = (
    "When Safe Unimodal Inputs Collide: Optimizing Reasoning Chains for Cross-Modal Safety in Multimodal "
    "Large Language Models, AAAI-26, arXiv:2509.12060"
)
FEW = 0.2
"""A share of harmless pairs below which the card says that pairs point one way."""
THIN = 30
"""Rows of a kind below which no rate is worth telling: half of 30 is known to within 17 points (95 %)."""
EMBEDDED = re.compile(r"micro(?:-[a-z]+)+")


class About(NamedTuple):
    """What a person says of what they publish."""

    name: str
    version: str
    licence: str
    contact: str
    authors: str
    language: str
    models: Mapping[str, str]
    """Licences of models, by name."""


class Agreed(NamedTuple):
    """How far people said the same of the same record."""

    items: int
    people: int
    percent: str
    kappa: str
    alpha: str


class Pictures(NamedTuple):
    """How many pictures stand under one licence."""

    terms: Terms
    number: int
    sourced: int
    """Of these with a source."""


class Draws(BaseModel):
    """How branches were drawn, and by what ways F judged them."""

    model_config = ConfigDict(frozen=True)
    temperature: Annotated[float, Field(strict=True, gt=0, le=2)]
    by: Annotated[tuple[str, ...], Field(min_length=1)]


class Facts(NamedTuple):
    """All of it."""

    about: About
    terms: Terms
    canary: str
    date: str
    made_with: str
    shards: tuple[Shard, ...]
    rows: Mapping[str, Mapping[str, int]]
    """By configuration and split."""
    kinds: Mapping[str, Mapping[str, int]]
    """By configuration and kind."""
    risky: Mapping[str, Mapping[str, int]]
    """Risky rows by configuration and split."""
    classes: Mapping[str, int]
    scenarios: int
    twinned: int
    """Paths whose row of the other kind is here."""
    editions: tuple[tuple[str, Edition], ...]
    """What rows were made with, and where that is said."""
    toy: bool
    uncurated: int
    settled: Mapping[str, int]
    agreed: Agreed | None
    pictures: tuple[Pictures, ...]
    made: int
    """Paths that the agents brought to an end."""
    dropped: Mapping[str, int]
    """What they began and dropped, by reason."""
    left: Mapping[tuple[str, str], int]
    """By configuration and reason."""
    used: Used
    """What agents were told."""
    rsbench: str
    """The canary of the benchmark; empty where there is none."""

    @property
    def taken_out(self) -> int:
        """Paths that people have dropped, or not decided, where people looked."""
        left = sum(count for (config, _), count in self.left.items() if config == "paths")
        return max(0, self.made - sum(self.rows["paths"].values()) - left) if self.settled else 0

    @property
    def models(self) -> dict[str, str]:
        """Every model that made a row, by its name, with its licence as it was told; empty: nobody said."""
        names = {shown_model(name) for _, edition in self.editions for name in edition.models.values()}
        return {name: self.about.models.get(name) or _born(name, self.toy) for name in sorted(names)}

    @property
    def unnamed(self) -> int:
        """Pictures under a licence that asks for their maker's name, where nobody said it."""
        return sum(one.number - one.sourced for one in self.pictures if one.terms.credited)

    @property
    def one_sided(self) -> bool:
        """Whether hardly any pair is of a harmless row."""
        kinds = self.kinds.get("pairs", {})
        return kinds.get("benign", 0) < FEW * sum(kinds.values())

    @property
    def thin(self) -> tuple[str, ...]:
        """Configurations whose test split tells nothing of one of the kinds."""
        found = []
        for name, rows in self.rows.items():
            whole, risky = rows.get("test", 0), self.risky.get(name, {}).get("test", 0)
            if whole and min(risky, whole - risky) < THIN:
                found.append(name)
        return tuple(found)

    @property
    def draws(self) -> tuple[Draws, ...]:
        """How branches were drawn and judged, as each edition of pairs says."""
        told = (edition.cards for what, edition in self.editions if what == "pairs")
        return tuple(dict.fromkeys(found for cards in told if (found := drawn_as(cards))))

    @property
    def noncommercial(self) -> bool:
        """Whether anything of it stands under a licence for other than commercial use."""
        return any(one.use == "noncommercial" for one in (self.terms, *(p.terms for p in self.pictures)))


def _born(name: str, toy: bool) -> str:
    return "Apache-2.0" if toy and EMBEDDED.fullmatch(name) else ""


def drawn_as(cards: Mapping[str, str]) -> Draws | None:
    """From the settings that an edition of branches keeps; None where it is of another make."""
    try:
        explored, verified = (value_of(cards[name].encode()) for name in ("explore", "verify"))
        return Draws(temperature=explored["temperature"], by=verified["by"])
    except (KeyError, TypeError, ValueError):
        return None


def shown_model(name: str) -> str:
    """A served model's name; of a folder the last part, which is nobody's home."""
    return Path(name).name if name.startswith(("/", "~", ".")) or re.match(r"[A-Za-z]:\\", name) else name


def facts_of(run: Path, about: About, gathered: Gathered, shards: Sequence[Shard]) -> Facts:
    """To be called when all rows are out."""
    editions = tuple(_editions(run))
    return Facts(
        about=about,
        terms=terms_of(about.licence),
        canary=gathered.canary,
        date=_date(run),
        made_with=f"ssui_gen {__version__}",
        shards=tuple(shards),
        rows=_by(gathered.counts, 1),
        kinds=_by(gathered.counts, 2),
        risky=_by({key: n for key, n in gathered.counts.items() if key[2] == "risky"}, 1),
        classes=dict(gathered.classes.most_common()),
        twinned=gathered.twinned,
        scenarios=len({gathered.scenario_of[path.id] for path in gathered.paths}),
        editions=editions,
        toy=made_by_toy(run),
        uncurated=gathered.settled[""],
        settled={name: n for name, n in sorted(gathered.settled.items()) if name},
        agreed=agreed(run),
        pictures=tuple(_pictures(gathered)),
        made=sum(1 for _ in read(run / PATHS)),
        dropped=_dropped(run),
        left=_left(gathered.left),
        used=used_of(run),
        rsbench=gathered.bench.items[0].canary if gathered.bench else "",
    )


def _by(counts: Mapping[tuple[str, str, str], int], place: int) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for key, count in counts.items():
        found.setdefault(key[0], Counter())[key[place]] += count
    return {config: dict(each) for config, each in found.items()}


def _editions(run: Path) -> list[tuple[str, Edition]]:
    """Those of paths, of paths in the words of a policy, then of branches; the same make once."""
    found: list[tuple[str, Edition]] = []
    for what, name in (("paths", RUN), ("told the danger", TOLD), ("pairs", EXPLORED)):
        for made in read_manifest(run / name).editions:
            if (what, made.edition) not in found:
                found.append((what, made.edition))
    return found


def _date(run: Path) -> str:
    """The day since which its rows are of their make; of a run that does not say, today."""
    editions = read_manifest(run / RUN).editions
    try:
        return date.fromisoformat(editions[-1].since[:10] if editions else "").isoformat()
    except ValueError:
        return datetime.now(UTC).date().isoformat()


def _pictures(gathered: Gathered) -> list[Pictures]:
    counts, sourced = Counter[Terms](), Counter[Terms]()
    for terms, source in gathered.pictures.values():
        counts[terms] += 1
        sourced[terms] += bool(source)
    return [Pictures(terms, count, sourced[terms]) for terms, count in counts.most_common()]


def _dropped(run: Path) -> dict[str, int]:
    rows = (line.value or {} for line in read(run / REJECTS))
    return dict(Counter(str(row.get("reason", "unreadable")) for row in rows).most_common())


def _left(rows: Sequence[LeftOut]) -> dict[tuple[str, str], int]:
    return dict(sorted(Counter((row.config, row.reason.value) for row in rows).items()))


def agreed(run: Path) -> Agreed | None:
    """On the decision; None where no record was decided by two people."""
    folder = folder_of(run)
    if not (folder.root / ITEMS).exists():
        return None
    board = read_board(folder)
    if faults := board.all_faults:
        raise ConfigError(f"{faults[0]}: mend it first: agreement is counted from people's files")
    ratings, level = stats.questions(folder.form, board.said)["decision"]
    one = agreement(ratings, level)
    return one and Agreed(one.items, one.people, str(one.percent), str(one.kappa), str(one.alpha))
