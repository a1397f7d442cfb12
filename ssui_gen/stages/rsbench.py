"""Curated, held-out paths of a run → an RSBench to be given away, and the proof that none was trained on.

    rsbench/bench.jsonl, bench.json    items, and what they are
    rsbench/pictures/                  upright copies without metadata, named by what they hold
    rsbench/README.md                  the card
    rsbench_rejects.jsonl              beside the folder: paths that became no item, and why

Written again, a folder keeps its canary. Nothing is written where an item was trained on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple
from uuid import uuid4

from ssui_gen.benching.bench import ITEMS, read_bench, write_bench
from ssui_gen.benching.dataset_card import Facts, card
from ssui_gen.benching.proof import Compared, Leak, compare, trained_on
from ssui_gen.benching.publishing import Imprint, NotPublished, counted, item_of, sifted, twinned
from ssui_gen.benching.records import BenchImage, Item
from ssui_gen.benching.scenarios import held_out, scenarios_of
from ssui_gen.commands import folder_word
from ssui_gen.config import Leaks
from ssui_gen.errors import ConfigError, ImageError, SsuiError
from ssui_gen.exploring.explored import read_paths, source_of
from ssui_gen.exploring.leaks import Bench
from ssui_gen.files import atomic_write
from ssui_gen.images import cleaned, inspect, original, shown
from ssui_gen.jsonl import as_line
from ssui_gen.licences import require
from ssui_gen.manifest import RUN, check_root, images_of, made_by_toy, read_manifest
from ssui_gen.records import ImageRef, ReasoningPath, Reject
from ssui_gen.rights import Rights
from ssui_gen.run_files import CURATED

FOLDER, PICTURES, CARD, REJECTS = "rsbench", "pictures", "README.md", "rsbench_rejects.jsonl"
_COPY = re.compile(r"[0-9a-f]{64}\.(png|jpeg)")
NAMED = 5
"""Leaks that a refusal tells of."""


class Plan(NamedTuple):
    """What is to be published, and as what."""

    run: Path
    root: Path
    """Of the run's pictures."""
    uncurated: bool
    holdout: str
    """A share of the scenarios, or a file with an id a line."""
    against: tuple[Path, ...]
    """Other runs that are trained on."""
    licence: str
    name: str
    version: str
    language: str
    seeds: Path | None = None
    """Where the pictures lie, as it was said."""

    @property
    def folder(self) -> Path:
        return self.run / FOLDER


class Published(NamedTuple):
    """What was written."""

    items: tuple[Item, ...]
    facts: Facts


def publish(plan: Plan) -> Published:
    """Write all of it. Raises ConfigError for a licence that lets nothing be given away, an unknown id or
    share, where nothing is left to publish, and where what is held out was trained on.
    """
    require(plan.licence)
    check_root(plan.root, plan.run)
    work = _Work(plan)
    compared = work.proven()
    _room(plan.folder)
    imprint = _imprint(plan)
    items = twinned(
        item_of(path, work.scenario_of[path.id], work.copies(path), imprint) for path in work.kept
    )
    write_bench(plan.folder, plan.name, plan.folder, items, version=plan.version, licence=plan.licence)
    facts = work.facts(imprint, compared)
    atomic_write(plan.folder / CARD, card(items, facts))
    atomic_write(plan.run / REJECTS, b"".join(map(as_line, work.rejects)))
    _sweep(plan.folder, items)
    return Published(tuple(items), facts)


class _Work:
    """The paths of a run that are to be published."""

    def __init__(self, plan: Plan) -> None:
        """Raises ConfigError where none is left."""
        self.plan, self.source = plan, _source(plan)
        self._copies: dict[str, BenchImage] = {}
        self.limits = images_of(plan.run)
        found = list(read_paths(self.source))
        paths = [path for path in found if isinstance(path, ReasoningPath)]
        self.scenario_of = scenarios_of(paths)
        self.held_out = held_out(plan.holdout, paths, self.scenario_of)
        candidates = [path for path in paths if self.scenario_of[path.id] in self.held_out]
        self.kept, unfit = sifted(candidates, self.scenario_of, self._picture_fault, (plan.licence,))
        self.rejects = [*map(NotPublished.of_row, (row for row in found if isinstance(row, Reject))), *unfit]
        if not self.kept:
            counts = ", ".join(f"{n} {reason}" for reason, n in counted(self.rejects).items())
            raise ConfigError(f"{self.source}: nothing is left to publish: {counts or 'no path is held out'}")

    def _picture_fault(self, path: ReasoningPath) -> str:
        """Why one of its pictures cannot be published; empty when all can."""
        try:
            for image in path.images:
                shown(self.plan.root, image, self.limits)
        except ImageError as error:
            return str(error)
        return ""

    def proven(self) -> tuple[Compared, ...]:
        """What was trained on, held against all that is to be published; raises ConfigError for a leak."""
        bench, plan = Bench(Leaks()), self.plan
        for path in self.kept:
            bench.add_text(path.query.text)
            for image in path.images:
                bench.add_picture(original(plan.root, image.path, self.limits), path.id, self.limits)
        runs = (trained_on(plan.run, whole=False), *(trained_on(run, whole=True) for run in plan.against))
        compared = tuple(compare(bench, run) for run in runs)
        if leaks := [leak for one in compared for leak in one.leaks]:
            raise ConfigError(f"{plan.run}: {_leaked(leaks, plan.folder / ITEMS)}")
        return compared

    def copies(self, path: ReasoningPath) -> list[BenchImage]:
        """Its pictures as the agents saw them, each a file of its own, with the path's licence where it has
        one.
        """
        return [self._copy(image, path.rights or Rights()) for image in path.images]

    def _copy(self, ref: ImageRef, rights: Rights) -> BenchImage:
        if ref.sha256 not in self._copies:
            data, kind = cleaned(self.plan.root, ref, self.limits)
            name, folder = f"{PICTURES}/{ref.sha256}.{kind}", self.plan.folder
            atomic_write(folder / name, data)
            said = {
                "licence": rights.licence or self.plan.licence,
                "source": rights.source or f"sha256:{ref.sha256}",
            }
            self._copies[ref.sha256] = BenchImage(**inspect(folder, name, self.limits).model_dump(), **said)
        return self._copies[ref.sha256]

    def facts(self, imprint: Imprint, compared: tuple[Compared, ...]) -> Facts:
        return Facts(
            imprint=imprint,
            sha=read_bench(self.plan.folder).sha,
            curated=self.source.name == CURATED,
            toy=made_by_toy(self.plan.run),
            holdout=self.plan.holdout,
            held_out=len(self.held_out),
            scenarios=len(set(self.scenario_of.values())),
            compared=compared,
            rejects=tuple(self.rejects),
        )


def _source(plan: Plan) -> Path:
    """Curated paths, or others; whoever is refused is told the same command again, and what it lacks."""
    values = {"SEEDS": plan.seeds, "LICENCE": plan.licence, "HOLDOUT": plan.holdout}
    against = " ".join(f"--against {quote(folder_word(run))}" for run in plan.against)
    return source_of(plan.run, plan.uncurated, "rsbench", **values, ARGS=against)


def _leaked(leaks: Sequence[Leak], items: Path) -> str:
    """What was trained on, and what to do."""
    named = "; ".join(f"{leak.path_id} of {leak.run}: {leak.why}" for leak in leaks[:NAMED])
    more = f"; {len(leaks) - NAMED} more" if len(leaks) > NAMED else ""
    return (
        f"{len(leaks)} paths were trained on, and what is held out has them: {named}{more}. Hold out others "
        f"(--holdout). To keep these out of training, publish before you explore, name {items} in run.yaml "
        "under `leaks: bench:`, and make pairs and adapter after that"
    )


def _imprint(plan: Plan) -> Imprint:
    last = read_manifest(plan.run / RUN).last
    by = ", ".join(sorted(set(last.models.values()))) if last else ""
    canary = _canary(plan.folder) or str(uuid4())
    return Imprint(plan.name, plan.version, plan.licence, plan.language, canary, by or "a served model")


def _canary(folder: Path) -> str:
    """The one that copies already bear; empty where there are none, or what is there cannot be read."""
    try:
        return read_bench(folder).items[0].canary if (folder / ITEMS).exists() else ""
    except SsuiError:
        return ""


def _room(folder: Path) -> None:
    """The folder of the copies: our own, whatever a folder that was brought may have in its place."""
    pictures = folder / PICTURES
    for place in (folder, pictures):
        if place.is_symlink():
            raise ConfigError(f"{place}: is a link; expected a folder of this run's own: remove the link")
    pictures.mkdir(parents=True, exist_ok=True)


def _sweep(folder: Path, items: Sequence[Item]) -> None:
    """Copies of what is published no more must not go out with the rest."""
    named = {folder / image.path for item in items for image in item.images}
    for path in (folder / PICTURES).iterdir():
        if path not in named and _COPY.fullmatch(path.name):
            path.unlink()
