"""What the rows of all shards are made with, `run.json` of the whole job: written by the first, held by all.

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
from ssui_gen.jsonl import of_kind, parse
from ssui_gen.manifest import RUN, Edition, Manifest
from ssui_gen.shards.store import Store

DECIDING = (("twins",), ("images",), ("limits", "reflection_rounds"))
"""Settings that decide which rows there are; the others are of a machine, or stand in the edition."""


def find_manifest(store: Store) -> Manifest | None:
    """Of the whole job; None before its first shard. Raises RecordError."""
    raw, where = store.read(RUN), f"{store.place}/{RUN}"
    return None if raw is None else of_kind(Manifest, parse(raw, where), where)


def require_same(
    store: Store, known: Manifest, edition: Edition, settings: dict[str, Any], mix: bool
) -> None:
    """Raises ConfigError for a machine that would make other rows than the first; models that `edition` does
    not name are not compared.
    """
    changed = [] if mix else [*_changes(known, edition, settings)]
    if changed:
        raise ConfigError(
            f"{store.place}: its shards are made with something else ({'; '.join(changed)}): make this "
            "machine as the others are, take a new RUN, or --mix to go on here"
        )


def _changes(known: Manifest, edition: Edition, settings: dict[str, Any]) -> Iterator[str]:
    if known.last:
        asked = edition if edition.models else edition.model_copy(update={"models": known.last.models})
        yield from known.last.changes(asked)
    for path in DECIDING:
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


def share(store: Store, manifest: Manifest, used: Path) -> Manifest:
    """The whole job's manifest: `manifest`, with the folder `used`, if this is the first shard."""
    known = find_manifest(store)
    if known is None:
        store.create(RUN, (manifest.model_dump_json(indent=2) + "\n").encode())
        known = find_manifest(store) or manifest
    if known.last == manifest.last:
        for path in sorted(used.rglob("*")):
            if path.is_file():
                store.create(f"used/{path.relative_to(used).as_posix()}", path.read_bytes())
    return known
