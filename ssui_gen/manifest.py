"""What a run remembers, `run.json` (and `pairs.json`, of the branches; `distil.json`, of what a policy said
that was told the danger): its shape, and the one door to it.

With what its rows were made, where its pictures lie, and whether a toy model made them. Later stages take
from here what they are not told. Covers neither how it is written nor who may write (`jobs.rundir`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from ssui_gen.config import Config
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import of_kind, read_object
from ssui_gen.records import SCHEMA, Record
from ssui_gen.seeds import root_of
from ssui_gen.settings import ImageLimits, readable

RUN, PAIRS, TOLD = "run.json", "pairs.json", "distil.json"
PARTS = ("prompts", "cards", "models", "rendered")
SINCE = frozenset({"pictures"})
"""What prompts show today that no row of an older run was shown: to lack it there is no difference."""


class Edition(Record):
    """What decides the words of a row: when any of it changes, rows are no longer of one make."""

    prompts: dict[str, str]
    """Agent to prompt id, for example `reasoning@1:669a4de5`."""
    cards: dict[str, str]
    """Agent to the git blob id of its card."""
    models: dict[str, str]
    """Role to the served model's name."""
    rendered: dict[str, str] = Field(default_factory=dict)
    """What prompts show beside their own words: file to git blob id. Not known of older runs."""

    def changes(self, new: Edition) -> list[str]:
        """`old → new` for each thing that differs."""
        pairs = ((getattr(self, part), getattr(new, part)) for part in PARTS if part in self.model_fields_set)
        return [
            f"{key} {old.get(key, 'nothing')} → {now.get(key, 'nothing')}"
            for old, now in pairs
            for key in sorted(old.keys() | now.keys())
            if old.get(key) != now.get(key) and (key not in SINCE or (key in old and key in now))
        ]


class Made(Record):
    """From which row on rows are of an edition."""

    from_row: int = 0
    edition: Edition
    since: str = ""


class Seeds(Record):
    """Where the seeds of a run come from; what lies in the run's folder is named relative to it."""

    source: str
    root: str
    """The folder below which the pictures lie."""


class Manifest(Record):
    """The content of `run.json`; of an old or a new run not everything is known."""

    schema_version: int = Field(default=SCHEMA, alias="schema")
    ssui_gen: str = ""
    git: str = ""
    editions: tuple[Made, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)
    features: dict[str, dict[str, Any]] = Field(default_factory=dict)
    seeds: Seeds | None = None
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Of pairs that were not drawn: by their source how many were made, and why others were not."""
    merged: tuple[str, ...] = ()
    """Names of the runs that were joined as this one (`ssui merge-runs`)."""
    toy: bool = False
    """Whether any row was made by the embedded micro VLM, which knows drawn scenes and nothing else."""

    @property
    def config(self) -> Config:
        """The settings, as far as this version can read what another one may have written."""
        return readable(Config, self.settings)[0]

    def forgetting(self, servers: Sequence[str]) -> Manifest:
        """Without these addresses, which are gone when the work is: who played there is a model to be served
        anew.
        """
        if not servers:
            return self
        models = self.settings.get("models", {})
        there = [name for name, role in models.items() if role.get("base_urls") == [*servers]]
        gone = {name: models[name] | {"base_urls": []} for name in there}
        return self.model_copy(update={"settings": self.settings | {"models": models | gone}})

    @property
    def last(self) -> Edition | None:
        """The edition of the last rows."""
        return self.editions[-1].edition if self.editions else None


def read_manifest(path: Path) -> Manifest:
    """The manifest of a run; empty where there is none yet. Raises RecordError."""
    advice = f"put it back as it was (a copy?), or move it away: mv {path} {path}.old"
    try:
        value = read_object(path)
        return Manifest() if value is None else of_kind(Manifest, value, str(path))
    except RecordError as error:
        raise RecordError(f"{error}; {advice}") from None


def seeds_of(source: Path, run: Path) -> Seeds | None:
    """`source` as a run remembers it; None for a path that is not UTF-8, which no JSON can hold."""
    try:
        return Seeds(source=_kept(source, run), root=_kept(root_of(source, run), run))
    except UnicodeDecodeError:
        return None


def _kept(path: Path, run: Path) -> str:
    """Relative to the run where it lies in its folder, which may be moved; else absolute: the next command
    may be given elsewhere.
    """
    full, home = Path.cwd() / path, Path.cwd() / run
    kept = full.relative_to(home) if full.is_relative_to(home) else full
    return os.fsencode(kept).decode("utf-8")


def _found(kept: str, run: Path) -> Path:
    """The path that `_kept` wrote down, whatever the locale is now."""
    return run / os.fsdecode(kept.encode("utf-8"))


def source_of_seeds(run: Path) -> Path | None:
    """The seeds that the run was made of; None for a new one."""
    known = read_manifest(run / RUN).seeds
    return _found(known.source, run) if known else None


def pictures_of(run: Path, seeds: Path | None) -> Path:
    """The folder below which the pictures of a finished run lie: as told, else as the run remembers, else in
    its own `seeds`. Raises ConfigError for seeds that are not there.
    """
    if seeds and not seeds.exists():
        raise ConfigError(f"{seeds}: no such file or folder: SEEDS= (--seeds) says where the pictures lie")
    if seeds:
        return root_of(seeds, run)
    known = read_manifest(run / RUN).seeds
    return _found(known.root, run) if known else run / "seeds"


def check_root(root: Path, run: Path) -> None:
    """For whoever can do nothing without pictures; raises ConfigError where there is no such folder."""
    if not root.is_dir():
        raise ConfigError(
            f"{root}: no such folder; the pictures of {run} lay there: say where they are with SEEDS=... "
            "(--seeds)"
        )


def images_of(run: Path, name: str = RUN, **own: int) -> ImageLimits:
    """What pictures of a run may be, as those who made its rows took it (`name` is their manifest), with what
    is our `own` for the purpose.
    """
    return read_manifest(run / name).config.images.model_copy(update=own)


def was_toy(run: Path, root: Path) -> bool:
    """Whether a toy model has looked at the pictures below `root` in this run."""
    known = read_manifest(run / RUN)
    return bool(known.toy and known.seeds and _found(known.seeds.root, run).resolve() == root.resolve())


def title_of(run: Path) -> str:
    """What pages call a run."""
    return f"{run.resolve().name}{' (made by a toy model)' if made_by_toy(run) else ''}"


def made_by_toy(run: Path) -> bool:
    """Whether a toy model made paths or branches of this run."""
    return any(read_manifest(run / name).toy for name in (RUN, PAIRS, TOLD))


def drawn_with(run: Path) -> Manifest:
    """How the policy of a run was asked: for branches, else for what it says where it is told the danger;
    empty where it was not. Raises RecordError.
    """
    known = read_manifest(run / PAIRS)
    return known if known.editions else read_manifest(run / TOLD)


def seen_from_within(manifest: Manifest) -> Manifest:
    """As a run in the run's folder has it: seeds that lie in the run's are one up."""
    if not (seeds := manifest.seeds):
        return manifest
    up = Seeds(source=_one_up(seeds.source), root=_one_up(seeds.root))
    return manifest.model_copy(update={"seeds": up})


def _one_up(kept: str) -> str:
    return kept if Path(kept).is_absolute() else str(Path(os.pardir, kept))
