"""A run's rows → dataset.html, streamed: counts of all of them, some of them to be looked at.

Reads only, but for the page itself; may be done at any time, while the run is going on too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from ssui_gen.calling.journal import CALLS, Journal, Spent
from ssui_gen.errors import ConfigError, ImageError, RecordError, SsuiError
from ssui_gen.files import atomic_write, name_of
from ssui_gen.images import inspect
from ssui_gen.jobs.plan import AGENTS
from ssui_gen.jsonl import read, validate
from ssui_gen.manifest import RUN, Manifest, images_of, read_manifest, source_of_seeds
from ssui_gen.pages.album import Album
from ssui_gen.pages.masthead import masthead
from ssui_gen.records import ImageRef, ReasoningPath, Reject, Seed
from ssui_gen.run_files import CURATED, PATHS, REJECTS
from ssui_gen.seeds import read_seeds
from ssui_gen.showing.counted import Counts
from ssui_gen.showing.page import EACH, MOST, PICTURES, QUALITY, SIDE, Example, Shown, dataset_page
from ssui_gen.showing.sample import Sample
from ssui_gen.taxonomy import classes

TREES = "trees"
PAGE = "dataset.html"


class Looked(NamedTuple):
    """What was written."""

    page: Path
    records: int
    passed_over: int
    """Rows that cannot be read."""


def make_page(run: Path, root: Path) -> Looked:
    """Write the page of `run`, whose pictures lie below `root`. Raises ConfigError where no rows are."""
    source = next((run / name for name in (CURATED, PATHS) if (run / name).exists()), None)
    if source is None and not (run / REJECTS).exists():
        raise ConfigError(f"{run}: neither {PATHS} nor {REJECTS}: expected a run; RUN= (--run) names it")
    counts, records, rejects, bad = Counts(), Sample[ReasoningPath](MOST), Sample[Reject](EACH), 0
    for line in read(source or run / PATHS):
        try:
            path = validate(ReasoningPath, line)
        except RecordError:
            bad += 1
            continue
        counts.add(path)
        records.add(f"{path.kind} {path.query.category}", path.id, path)
    for line in read(run / REJECTS):
        try:
            reject = validate(Reject, line)
        except RecordError:
            bad += 1
            continue
        counts.drop(reject)
        rejects.add(reject.reason, f"{reject.seed_id} {reject.kind}", reject)
    taken, manifest = records.taken(MOST), read_manifest(run / RUN)
    shown = Shown(
        counts=counts,
        records=taken,
        examples=_examples(run, root, rejects.taken(EACH * len(counts.reasons))),
        costs=_costs(run),
        editions=manifest.editions,
        trees=_trees(run, taken),
        quotas=_quotas(manifest),
    )
    album = Album(root, PICTURES, images_of(run, longest_side=SIDE), QUALITY)
    atomic_write(run / PAGE, dataset_page(shown, masthead(run, PAGE), album))
    return Looked(run / PAGE, counts.kinds.total(), bad)


def _quotas(manifest: Manifest) -> dict[str, int]:
    """What the run's settings want of each class; of a run of another version what can be read."""
    asked = manifest.settings.get("query")
    found = asked.get("classes") if isinstance(asked, dict) else None
    known, told = {one.id for one in classes()}, found if isinstance(found, dict) else {}
    return {name: n for name, n in told.items() if name in known and isinstance(n, int)}


def _trees(run: Path, paths: Iterable[ReasoningPath]) -> dict[str, str]:
    pages = {path.id: f"{TREES}/{name_of(path.id)}.html" for path in paths}
    return {id: page for id, page in pages.items() if (run / page).is_file()}


def _costs(run: Path) -> list[Spent]:
    """Of the agents of the graph, in its order; other stages' calls stand on their pages."""
    if not (run / CALLS).exists():
        return []
    with closing(Journal(run / CALLS)) as journal:
        found = journal.spent()
    order = list(AGENTS)
    return sorted((one for one in found if one.agent in AGENTS), key=lambda one: order.index(one.agent))


def _examples(run: Path, root: Path, rejects: list[Reject]) -> list[Example]:
    images = _images(run, root, {one.seed_id for one in rejects})
    asked = _asked(run, rejects)
    return [
        Example(one, images.get(one.seed_id, ()), asked.get(one.seed_id + str(one.kind), ""))
        for one in rejects
    ]


def _images(run: Path, root: Path, wanted: set[str]) -> dict[str, tuple[ImageRef, ...]]:
    """The pictures of these seeds, as far as both are there: a page can do without."""
    source, limits, found = source_of_seeds(run), images_of(run), dict[str, tuple[ImageRef, ...]]()
    if not wanted or source is None or not source.exists():
        return found
    with suppress(SsuiError):
        for seed in read_seeds(source, lambda _: True, run):
            if isinstance(seed, Seed) and seed.id in wanted:
                with suppress(ImageError):
                    found[seed.id] = tuple(inspect(root, name, limits) for name in seed.images)
                wanted = wanted - {seed.id}
                if not wanted:
                    break
    return found


def _asked(run: Path, rejects: Iterable[Reject]) -> dict[str, str]:
    """What the query agent had written last, by seed and kind."""
    if not (run / CALLS).exists():
        return {}
    found = {}
    with closing(Journal(run / CALLS)) as journal:
        for one in rejects:
            calls = journal.rows_by_id(one.made_by)
            queries = [calls[id] for id in one.made_by if id in calls and calls[id].agent == "query"]
            if queries:
                found[one.seed_id + str(one.kind)] = _text_of(queries[-1].completion.choices[0].text)
    return found


def _text_of(reply: str) -> str:
    """Of a query agent's reply; empty where it is none."""
    with suppress(ValueError, RecursionError):
        value = json.loads(reply)
        if isinstance(value, dict) and isinstance(value.get("text"), str):
            return str(value["text"])
    return ""
