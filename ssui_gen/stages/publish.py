"""A run, or an adapter → a folder that can be given away and cited, and, where that is asked for, the hub.

    published/data/<configuration>/<split>-*.parquet    rows, pictures inside
    published/README.md, LICENSE, CITATION.cff          the card, the licences, how to cite
    published/croissant.json                            the same for programs
    published/prompts/                                  what the agents were told
    published/published.json                            every file with its sha256
    published_rejects.jsonl                             beside the folder: what is not published, and why

Written again, a folder keeps its canary. Nothing takes its place unless all of it was searched.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ssui_gen.errors import ConfigError
from ssui_gen.exploring.explored import source_of
from ssui_gen.files import atomic_write
from ssui_gen.fresh_folder import place_folder
from ssui_gen.jsonl import as_line
from ssui_gen.licences import require
from ssui_gen.manifest import check_root
from ssui_gen.publishing import adapter, card, croissant
from ssui_gen.publishing.facts import About, Facts, facts_of
from ssui_gen.publishing.folder import canary_of, copied, hashes_of, room, search, write_list
from ssui_gen.publishing.gather import Gathered
from ssui_gen.publishing.guard import guard_of, people_of
from ssui_gen.publishing.push import Sent, named, push, url_of
from ssui_gen.publishing.rows import Config
from ssui_gen.publishing.shards import Shard, Writer

FOLDER, REJECTS, CARD = "published", "published_rejects.jsonl", "README.md"


class Plan(NamedTuple):
    """What is to be published, and as what."""

    run: Path
    root: Path
    """Of the run's pictures."""
    about: About
    uncurated: bool = False
    licences: tuple[str, ...] = ()
    """Names of licences that a person has read and found to let a picture be given away."""
    words: tuple[str, ...] = ()
    """That may stand there although they look like what must not leave."""
    to: str = ""
    public: bool = False
    adapter: Path | None = None
    base: str = ""
    """What the hub calls the adapter's base; empty: as it says itself."""
    seeds: Path | None = None
    """Where the pictures lie, as it was said."""


class Published(NamedTuple):
    """What was written, and where it was sent."""

    folder: Path
    facts: Facts | None
    rejects: Path
    """Rows that are not in it, and why."""
    sent: Sent | None


def publish(plan: Plan) -> Published:
    """Write all of it. Raises ConfigError for no licence, for nothing to publish, for what must not leave,
    and as `push` does.
    """
    _check(plan)
    if plan.adapter:
        folder = _adapter(plan, plan.adapter)
        return Published(folder, None, plan.run / REJECTS, _send(plan, folder))
    check_root(plan.root, plan.run)
    folder = plan.run / FOLDER
    facts = _dataset(plan, folder)
    return Published(folder, facts, plan.run / REJECTS, _send(plan, folder))


def _check(plan: Plan) -> None:
    require(plan.about.licence)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+){0,2}", plan.about.version):
        raise ConfigError(f"--version: expected one such as 1.0.0; got {plan.about.version!r}")
    if plan.to:
        named(plan.to)


def _send(plan: Plan, folder: Path) -> Sent | None:
    if not plan.to:
        return None
    return push(folder, plan.to, "model" if plan.adapter else "dataset", public=plan.public)


def _dataset(plan: Plan, folder: Path) -> Facts:
    source = _source(plan)
    croissant.library()
    licences = (*plan.licences, plan.about.licence)
    with room(folder) as fresh:
        gathered = Gathered(plan.run, source, plan.root, plan.about.licence, licences, canary_of(folder))
        shards = _write(gathered, fresh)
        atomic_write(plan.run / REJECTS, b"".join(map(as_line, gathered.left)))
        if not gathered.paths:
            raise ConfigError(
                f"{source}: nothing is left to publish: the reasons are in {plan.run / REJECTS}"
            )
        facts = facts_of(plan.run, plan.about, gathered, shards)
        copied(plan.run, fresh, facts.used.files)
        atomic_write(fresh / CARD, card.card(facts, gathered.example))
        atomic_write(fresh / "LICENSE", card.licence_file(facts))
        atomic_write(fresh / "CITATION.cff", card.citation_file(facts))
        about = croissant.croissant(facts, hashes_of(fresh), url_of(plan.to, "dataset"))
        atomic_write(fresh / croissant.FILE, about)
        croissant.validate(fresh)
        write_list(fresh, canary=facts.canary, made_with=facts.made_with)
        names = {name for path in gathered.paths if path.curation for name in path.curation.by}
        search(fresh, guard_of(plan.run, plan.root, names, plan.words), _told(plan))
        place_folder(fresh, folder)
    return facts


def _write(gathered: Gathered, fresh: Path) -> list[Shard]:
    writers: dict[tuple[Config, str], Writer] = {}
    for row in gathered.rows():
        key = (row.config, row.split)
        if key not in writers:
            writers[key] = Writer(fresh, *key)
        writers[key].add(row.cells)
    return [shard for writer in writers.values() for shard in writer.close()]


def _source(plan: Plan) -> Path:
    """Curated paths, or others; whoever is refused is told the same command again, and what it lacks."""
    about = plan.about
    values = {"SEEDS": plan.seeds, "LICENCE": about.licence, "CONTACT": about.contact, "TO": plan.to}
    return source_of(plan.run, plan.uncurated, "publish", **values)


def _told(plan: Plan) -> set[str]:
    """What whoever publishes says of themselves, word for word."""
    about = plan.about
    return {plan.to, plan.base, about.contact, *(name.strip() for name in about.authors.split(";"))}


def _adapter(plan: Plan, source: Path) -> Path:
    folder = source.with_name(f"{source.name}-{FOLDER}")
    with room(folder) as fresh:
        adapter.write(source, fresh, plan.about, plan.base)
        write_list(fresh, made_with=adapter.made_with(source))
        guard = guard_of(adapter.run_of(source), plan.root, people_of(plan.run), plan.words)
        search(fresh, guard, _told(plan))
        place_folder(fresh, folder)
    return folder
