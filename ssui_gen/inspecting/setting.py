"""What a task is made of: the run's benchmark, the settings and the prompts, found by names alone.

A task's arguments stand in its log, and a log is given away: so they are names, and where runs lie is said by
the environment (`SSUI_OUTPUTS`), or is `outputs` below the folder in which inspect_ai was started.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ssui_gen.benching.answering import PROMPTS
from ssui_gen.benching.bench import Bench, read_bench
from ssui_gen.benching.records import Item
from ssui_gen.calling.pictures import Pictures
from ssui_gen.commands import OUTPUTS
from ssui_gen.config import Config
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.plan import configure
from ssui_gen.jobs.remembered import recall
from ssui_gen.prompts import Prompt, home, load_prompts, rendered

ENVIRONMENT = "SSUI_OUTPUTS"
"""The variable that names the folder of all runs."""


class Setting(NamedTuple):
    """All that solver and scorer need."""

    bench: Bench
    items: dict[str, Item]
    config: Config
    prompts: dict[str, Prompt]
    pictures: Pictures

    @property
    def prompt(self) -> Prompt | None:
        """What the model under test is told."""
        name = PROMPTS.get(self.config.bench.protocol)
        return self.prompts[name] if name else None

    @property
    def rubric(self) -> str:
        """The judge's prompt, which is the task's version."""
        return self.prompts["judge"].id


def folder_of(run: str, bench: str) -> Path:
    """The folder of a benchmark in a run. Raises ConfigError for names that are no names."""
    home_of_runs = Path(os.environ.get(ENVIRONMENT) or OUTPUTS)
    return home_of_runs / _name("run", run) / (f"bench-{_name('bench', bench)}" if bench else "bench")


@lru_cache(maxsize=4)
def setting(run: str, bench: str = "", protocol: str = "", config: str = "") -> Setting:
    """Read once for a task, its solver and its scorer. Raises ConfigError and RecordError."""
    file = Path(_name("config", config)) if config else None
    folder = folder_of(run, bench)
    found = configure(file, None, None, memory=recall("bench", folder.parent), protocol=protocol or None)
    read = read_bench(folder, found.images)
    pictures = Pictures(read.root, found.images, found.limits.seeds_in_flight)
    items = {item.id: item for item in read.items}
    return Setting(read, items, found, load_prompts(home() / "prompts"), pictures)


def about(made: Setting) -> dict[str, Any]:
    """What the log must say so that rows can be made of it."""
    asked = {"policy": made.prompt.id} if made.prompt else {}
    return {
        "bench": made.bench.name,
        "items": made.bench.sha,
        "settings": made.config.bench.model_dump(mode="json"),
        "prompts": {"judge": made.rubric} | asked,
        "rendered": rendered(),
    }


def _name(what: str, value: str) -> str:
    """A name as it may stand in a log: relative, inside."""
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts or "\\" in value or ":" in value:
        raise ConfigError(
            f"-T {what}=: expected a name such as demo, since it stands in the log; got {value!r}: "
            f"{ENVIRONMENT} names the folder of all runs"
        )
    return value
