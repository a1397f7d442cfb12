"""Is this machine and this model server fit for a run? Each finding comes with what to do.

Asks the server by trying, not by version. Changes nothing.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Column, Table

from ssui_gen.calling.probe import IN_WORDS, LEAST_HITS, LOST, REMEDY, lost, probe, remedy, told
from ssui_gen.completions import Features
from ssui_gen.config import Config
from ssui_gen.errors import SsuiError
from ssui_gen.jobs.served import served
from ssui_gen.schemas import all_formats
from ssui_gen.serving.embedded import EMBEDDED

FREE_GIGABYTES = 2.0
MARKS = {True: "[green]ok[/green]", False: "[red]no[/red]", None: "[yellow]?[/yellow]"}
FATAL = ("sees_pictures", "room", "json_schema")


class Finding(NamedTuple):
    """One line of the report; `good` is None where the answer does not decide."""

    what: str
    good: bool | None
    found: str
    remedy: str = ""


async def examine(config: Config) -> list[Finding]:
    """Every finding: of the machine, of the server, of each feature of its model."""
    findings = [python(), disk()]
    with tempfile.TemporaryDirectory() as folder:
        return findings + [finding async for finding in server(config, Path(folder))]


def is_fit(findings: Iterable[Finding]) -> bool:
    """Whether all of them are good enough for `make dataset`."""
    return all(finding.good is not False for finding in findings)


def table(findings: Sequence[Finding], every: bool = False) -> Table:
    """What a person can act on, in plain words; `every` one by the name that it has in run.json."""
    columns = (Column(name, overflow="fold") for name in ("", "what", "found, and what to do"))
    made = Table(*columns, title="ssui doctor", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    shown = [one for one in findings if every or not _goes_without_saying(one)]
    for one in shown:
        what = one.what if every else IN_WORDS.get(one.what, one.what)
        found = f"{one.found}\n→ {one.remedy}" if one.remedy else one.found
        made.add_row(MARKS[one.good], escape(what), escape(found))
    if rest := len(findings) - len(shown):
        made.add_row(MARKS[True], "all else", f"{rest} features: `ssui doctor --all` names them")
    return made


def _goes_without_saying(one: Finding) -> bool:
    """Whether it is a feature that is there, or one that nobody could bring."""
    return one.what in IN_WORDS and (one.good is True or (one.good is None and not one.remedy))


def python() -> Finding:
    return Finding("Python", True, platform.python_version())


def disk() -> Finding:
    free = shutil.disk_usage(".").free / 1e9
    remedy = "" if free > FREE_GIGABYTES else "free some space: a journal of 10,000 pairs takes about 0.5 GB"
    return Finding("disk", free > FREE_GIGABYTES, f"{free:.1f} GB free here", remedy)


async def server(config: Config, folder: Path) -> AsyncIterator[Finding]:
    """What the server can do; ends at the first thing without which the rest is idle."""
    try:
        async with served(config, folder, ["vlm"], folder, lambda _: None) as models:
            client, name = models.clients["vlm"], models.names["vlm"]
            yield Finding("server", True, ", ".join(config.models["vlm"].base_urls) or "embedded")
            yield Finding("model", True, name)
            formats = all_formats()
            found = await probe(client, name, dialect=config.dialect("vlm"), formats=formats)
            for finding in reported(found, name in EMBEDDED):
                yield finding
    except SsuiError as error:
        yield Finding("server", False, str(error), "start it, or correct BASE_URL and MODEL; then try again")


def reported(features: Features, ours: bool) -> Iterator[Finding]:
    """A finding for each feature; unfit is only a model that is blind, that has no room for its thoughts, or
    that keeps to no schema. Nothing is to be done about our own embedded server, which was trained so.
    """
    for line in told(features, ours):
        yield Finding("terms", None, line)
    for name in LOST:
        found = getattr(features, name)
        good = found if found or name in FATAL else None
        said = "yes" if found else "the answers do not decide" if found is None else lost(features, name)
        idle = found or (ours and good is None)
        yield Finding(name, good, said, "" if idle else remedy(features, name, "vlm"))
    hits = features.prefix_hits
    good = True if hits is not None and hits >= LEAST_HITS else None
    said = "not reported" if hits is None else f"{hits:.0%} of prompt tokens when calls share a picture"
    yield Finding("prefix_hits", good, said, "" if good else REMEDY["prefix_hits"])
