"""Another round of a run: its paths are explored anew from the adapter of the round before.

A round is a run of its own in the run's folder (`RUN/round2`), with the same paths; what was drawn before
stays as it is, and its pairs stand beside the new ones (`exploring.earlier`). In the first round a policy
hardly ever warns for nothing, so such warnings stand in no pair; once it is trained it does, and there they
are paired. Draws nothing (`stages.pairs`) and trains nothing.
"""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ssui_gen.benching.players import weights_of
from ssui_gen.commands import command
from ssui_gen.config import Config
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.earlier import FILE, Begun, begun
from ssui_gen.files import atomic_write, own_folder
from ssui_gen.manifest import PAIRS, RUN, read_manifest, seen_from_within
from ssui_gen.run_files import BRANCHES, CURATED, PATHS

FIRST = 2
"""The first round is the run itself."""
ADAPTER, CONFIG = "adapter", "adapter_config.json"
CHUNK = 1 << 20


class Round(NamedTuple):
    """Which one, of which run."""

    of: Path
    number: int

    @property
    def run(self) -> Path:
        """Its folder."""
        return self.of / f"round{self.number}"

    @property
    def before(self) -> Path:
        """The folder of the round before."""
        return self.of if self.number == FIRST else self.of / f"round{self.number - 1}"

    @property
    def adapter(self) -> Path:
        """What the round before has trained."""
        return self.before / ADAPTER

    @property
    def manifests(self) -> tuple[Path, Path]:
        """What says how its branches are drawn: its own, then that of the round before."""
        return self.run / PAIRS, self.before / PAIRS


def begin(one: Round, *, served: bool) -> None:
    """Make the round's folder with the run's paths. `served`: the adapter plays the policy on a server that
    the user names; else it must lie in its folder. Raises ConfigError, and RecordError for a link where the
    folder is to be.
    """
    of, number = one
    if number < FIRST:
        raise ConfigError(f"--round {number}: expected {FIRST} or more: the first round is the run itself")
    if not (of / PATHS).exists():
        raise ConfigError(f"{of / PATHS}: no such file: make it with `{command('dataset', of)}`")
    weights = weights_of(str(one.adapter)) if (one.adapter / CONFIG).is_file() else ""
    if not served and not weights:
        raise ConfigError(
            f"{one.adapter}: no adapter: round {number} is drawn by what the round before has trained: "
            f"`{command('train', one.before)}` first, or name the model that is served with --policy"
        )
    _check_weights(one, weights)
    own_folder(one.run)
    for name in (PATHS, CURATED):
        if (of / name).exists():
            _copy(one, name)
    _remember(one, weights)


def is_served(config: Config, one: Round) -> bool:
    """Whether a round that has begun is drawn by a served model, which these settings name still."""
    last = read_manifest(one.run / PAIRS).last
    name = config.models[config.player("policy")].name
    return bool(last and name and last.models.get("policy") == name)


def played(config: Config, one: Round) -> Config:
    """The settings with the policy under the adapter of the round before."""
    models = dict(config.models)
    policy = models[config.player("policy")]
    models["policy"] = policy.model_copy(update={"adapter": str(one.adapter)})
    return config.model_copy(update={"models": models})


def _check_weights(one: Round, weights: str) -> None:
    """Branches of two adapters are of no one policy."""
    known = begun(one.run)
    if known and known.weights != weights and (one.run / BRANCHES).exists():
        raise ConfigError(
            f"{one.adapter}: was trained anew since round {one.number} began, whose branches are of another: "
            f"move them away to draw again: mv {one.run} {one.run}.old"
        )


def _copy(one: Round, name: str) -> None:
    old, new = one.of / name, one.run / name
    if not new.exists():
        with old.open("rb") as file:
            atomic_write(new, _chunks(file.read))
    elif not filecmp.cmp(old, new, shallow=False):
        raise ConfigError(
            f"{new}: is not {old} any more, of which round {one.number} began: move the round away to begin "
            f"it anew: mv {one.run} {one.run}.old"
        )


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    return iter(lambda: read(CHUNK), b"")


def _remember(one: Round, weights: str) -> None:
    before = os.path.relpath(one.before, one.run)
    told = Begun(round=one.number, before=before, weights=weights)
    atomic_write(one.run / FILE, told.model_dump_json() + "\n")
    if not (one.run / RUN).exists():
        manifest = read_manifest(one.of / RUN)
        atomic_write(one.run / RUN, seen_from_within(manifest).model_dump_json(indent=2) + "\n")
