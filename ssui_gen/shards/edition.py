"""What the rows of all shards are made with: written by the first shard, held by all.

A machine with other prompts, another model or another version of this package is refused before its first
call; `--mix` lets it go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ssui_gen import __version__
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.rundir import git_state
from ssui_gen.manifest import Edition, Manifest
from ssui_gen.shards.stage import Manifests, Stage
from ssui_gen.shards.store import Store


def require_same(
    store: Store, stage: Stage, known: Manifest, edition: Edition, settings: dict[str, Any]
) -> None:
    """Raises ConfigError for a machine that would make other rows than the first; models that `edition` does
    not name are not compared.
    """
    changed = [*_changes(stage, known, edition, settings)]
    if changed:
        raise ConfigError(
            f"{store.place}: its shards are made with something else ({'; '.join(changed)}): make this "
            "machine as the others are, take a new RUN, or --mix to go on here"
        )


def _changes(stage: Stage, known: Manifest, edition: Edition, settings: dict[str, Any]) -> Iterator[str]:
    if known.last:
        asked = edition if edition.models else edition.model_copy(update={"models": known.last.models})
        yield from known.last.changes(asked)
    for path in stage.deciding:
        was, now = _at(known.settings, path), _at(settings, path)
        if was != now:
            yield f"{'.'.join(path)} {was} → {now}"
    if known.ssui_gen != __version__:
        yield f"ssui_gen {known.ssui_gen} → {__version__}"
    was, now = (commit.removesuffix("-dirty") for commit in (known.git, git_state()))
    if was and now and was != now:
        yield f"ssui_gen's commit {was} → {now}"


def _at(settings: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = settings
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def share(store: Store, stage: Stage, made: Manifests, used: Path, mix: bool) -> None:
    """See that the whole job is made with this: with `made`, and the folder `used` that holds it word for
    word, if this is the first shard. Raises ConfigError for one that makes other rows, unless `mix`.
    """
    known = stage.read(store)
    if not known:
        stage.write(store, made)
        known = stage.read(store) or made
    if all(file in known and known[file].last == one.last for file, one in made.items()):
        for path in sorted(used.rglob("*")):
            if path.is_file():
                store.create(f"used/{path.relative_to(used).as_posix()}", path.read_bytes())
    if not mix:
        _require_same_files(store, known, made)
        for file, manifest in made.items():
            if manifest.last:
                require_same(store, stage, known[file], manifest.last, manifest.settings)


def _require_same_files(store: Store, known: Manifests, made: Manifests) -> None:
    """A shard that measures one model more than another is no part of the same."""
    if known.keys() != made.keys():
        was, now = (", ".join(sorted(one)) for one in (known, made))
        raise ConfigError(
            f"{store.place}: its shards make {was}; this one would make {now}: ask the same models as the "
            "others did, or take a new RUN"
        )
