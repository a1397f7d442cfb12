"""`pairs.jsonl`, made anew of all rows of exploration that are on disk, whoever wrote them. Asks no model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ssui_gen.branches import Pair, Place
from ssui_gen.config import Config
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.earlier import earlier_pairs
from ssui_gen.exploring.leaks import load_bench
from ssui_gen.exploring.locating import labelled
from ssui_gen.exploring.making import Counts, Making
from ssui_gen.files import replace
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import read
from ssui_gen.manifest import PAIRS as EXPLORED
from ssui_gen.manifest import read_manifest
from ssui_gen.prompts import home, load_prompt, policy_prompt
from ssui_gen.run_files import PAIRS


class Written(NamedTuple):
    """The pairs of a run."""

    made: int
    before: int
    """How many there were."""
    former: Path | None
    """Where those are kept, if they were others."""
    asked_for: bool = False
    """Whether the judge is still to say where rejected branches go wrong."""


def pair_up_again(run: Path, source: Path, root: Path, say: Callable[[str], None]) -> Written:
    """The pairs of rows that are on disk, as their settings ask for them; no model is asked. Raises
    ConfigError where the policy was told something else than it would be told here.
    """
    made = read_manifest(run / EXPLORED)
    config = made.config
    prompt = load_prompt(home() / "prompts" / "policy.md")
    if made.last is None or made.last.prompts.get(prompt.name) != prompt.id:
        raise ConfigError(f"{run / EXPLORED}: was made with another prompts/policy.md: put that file back")
    bench = load_bench(config.leaks, config.images)
    making = Making(run, source, root, config, policy_prompt(prompt, "")[0], bench)
    written = write_pairs(making, labels_of(run, config) or {}, say)
    return written._replace(asked_for=config.pairs.first_bad == "ask")


def labels_of(run: Path, config: Config) -> dict[str, Place] | None:
    """Where rejected branches go wrong, if people or a truth say so and the settings want it."""
    return labelled(run) if config.pairs.first_bad == "labels" else None


def write_pairs(making: Making, places: Mapping[str, Place], say: Callable[[str], None]) -> Written:
    """Pair up what is on disk; `places` are of rejected branches, by id. Raises RunLocked."""
    file, counts = making.run / PAIRS, Counts(Counter)
    made, before = 0, sum(1 for _ in read(file))

    def rows() -> Iterator[str]:
        nonlocal made
        for pair in _all(making, places, counts):
            made += 1
            yield pair.model_dump_json() + "\n"

    with RunDir(making.run, "pairs") as folder:
        former = replace(file, rows())
        folder.note({source: dict(found) for source, found in counts.items()})
    for source, found in counts.items():
        others = ", ".join(f"{why.replace('_', ' ')} {n:,}" for why, n in found.items() if why != "made")
        say(f"{found['made']:,} {source} pairs; not made: {others or 'none'}.")
    return Written(made, before, former)


def _all(making: Making, places: Mapping[str, Place], counts: Counts) -> Iterator[Pair]:
    """Its own, then those of the round before that are not made again, such as a person's edits."""
    made = set[str]()
    for pair in making.pairs(places, counts):
        made.add(pair.id)
        yield pair
    for pair in earlier_pairs(making.run):
        counts["earlier"]["made_again" if pair.id in made else "made"] += 1
        if pair.id not in made:
            yield pair
