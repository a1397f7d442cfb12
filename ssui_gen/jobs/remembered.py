"""What a run remembers of its settings, as a stage takes it: below what is said now, above the defaults.

A stage asks its own manifest and, where that is not there yet, the one of the stage before it (`recall`).
Covers neither where seeds and pictures lie (`manifest`) nor what the command line says (`plan`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ssui_gen.config import Config
from ssui_gen.config_roles import USUAL_ROLES
from ssui_gen.manifest import PAIRS, RUN, TOLD, read_manifest
from ssui_gen.settings import Settings, readable

Stage = Literal["dataset", "pairs", "distil", "calibrate", "bench", "label", "card"]
Way = tuple[str, ...]
"""The keys that lead to a setting; of models the whole role is one."""

_ASKING = ("models", "images", "limits", "serve")
USES: dict[Stage, tuple[str, ...]] = {
    "dataset": (*_ASKING, "language", "twins", "query", "leaks"),
    "pairs": (*_ASKING, "explore", "verify", "pairs", "leaks"),
    "distil": (*_ASKING, "explore", "leaks"),
    "calibrate": (*_ASKING, "verify"),
    "bench": (*_ASKING, "bench", "vqa"),
    "label": ("labelling",),
    "card": (*_ASKING, "bench", "card"),
}
"""Which settings mean something to a stage: it speaks of no others."""
MADE_BY: dict[str, Stage] = {RUN: "dataset", PAIRS: "pairs", TOLD: "distil"}
OF_ITS_TIME: tuple[Way, ...] = (
    *(("limits", name) for name in ("tokens", "usd", "hours")),
    *(("serve", name) for name in ("port", "gpus", "start_seconds", "flags")),
)
"""What is never taken over: what one command might spend, and how a machine started its server."""
_FREE = ("models", "limits", "serve")
"""Where another value than before is no contradiction: who is asked, how fast, by what machine."""
MOST = 8
"""So many settings stand in a line."""


@dataclass(frozen=True)
class Memory:
    """The settings of rows that are there, for a stage that builds on them."""

    stage: Stage
    file: Path
    """The manifest."""
    was: Config
    """As they were."""
    passed_over: Mapping[str, str] = field(default_factory=dict)
    """By key, what this version cannot read, and why."""

    @property
    def held(self) -> dict[str, Any]:
        """What differs from the defaults and is taken over."""
        held = _differing(self.was)
        for section, name in OF_ITS_TIME:
            held.get(section, {}).pop(name, None)
        return held

    def beneath(self, said: dict[str, Any], model: str | None, urls: Sequence[str]) -> dict[str, Any]:
        """The settings of a file over what is remembered, where the command line names this model and these
        servers.
        """
        held = self.held
        roles = _still_playing(held.get("models", {}), model, [*urls])
        return _over(Config, held | {"models": roles}, said)

    def lines(self, now: Config, said: dict[str, Any], where: Path | None) -> Iterator[str]:
        """What is to be told: what of it was passed over, is used, is not, and is contradicted by the file
        `where`, which says `said`.
        """
        if self.passed_over:
            keys = _listed(f"{key} ({why})" for key, why in self.passed_over.items())
            yield f"{self.file}: settings: passed over, as this version cannot read them: {keys}"
        found, held = now.model_dump(mode="json"), _flat(Config, self.held)
        told = dict(_flat(Config, {key: value for key, value in said.items() if value is not None}))
        uses = USES[self.stage]
        used = [one for one in held if one[0][0] in uses and one[0] not in told and _is(found, *one)]
        if used:
            yield f"As {self.file} remembers: {_listed(_shown(*one) for one in used)}."
        if gone := [*self._not_taken_over(found)]:
            yield f"Not taken over from {self.file}, as said of one command or machine: {_listed(gone)}."
        if other := [*self._contradicted(found, said, told)]:
            yield f"{where} says otherwise than {self.file}, and holds: {_listed(other)}."

    def _not_taken_over(self, found: dict[str, Any]) -> Iterator[str]:
        was, usual = self.was.model_dump(mode="json"), Config().model_dump(mode="json")
        for way in OF_ITS_TIME:
            value = _at(was, way)
            if way[0] in USES[self.stage] and value != _at(usual, way) == _at(found, way):
                yield _shown(way, value)

    def _contradicted(
        self, found: dict[str, Any], said: dict[str, Any], told: Mapping[Way, Any]
    ) -> Iterator[str]:
        """What the file says of rows otherwise than they were made with, where the command line does not."""
        file = Config.model_validate(said).model_dump(mode="json")
        was, held = self.was.model_dump(mode="json"), dict(_flat(Config, self.held))
        both = {*USES[self.stage]}.intersection(USES[MADE_BY.get(self.file.name, "bench")]) - {*_FREE}
        for way in told:
            if (way in held or way[0] in both) and way[0] in USES[self.stage]:
                before, now = _at(was, way), _at(found, way)
                if before != now == _at(file, way):
                    yield f"{_shown(way, now)} (there {_words(way, before)})"


def recall(stage: Stage, run: Path | None, *own: Path) -> Memory | None:
    """What a stage of `run` takes where nothing is said: what the first manifest remembers that is there, of
    `own`, then of the run. Raises RecordError.
    """
    rest = [run / name for name in ((RUN,) if stage == "dataset" else (PAIRS, RUN))] if run else []
    for file in (*own, *rest):
        if known := read_manifest(file).settings:
            return Memory(stage, file, *readable(Config, known))
    return None


def _differing(config: Config) -> dict[str, Any]:
    held = config.model_dump(mode="json", exclude_defaults=True)
    roles = held.pop("models", {})
    usual = {name: roles[name] for name in roles if roles[name] != USUAL_ROLES.get(name)}
    return held | ({"models": usual} if usual else {})


def _still_playing(roles: dict[str, Any], model: str | None, urls: list[str]) -> dict[str, Any]:
    """Who plays on when somebody is named to play the agents. Another server takes with it the key, dialect
    and prices that belonged to the old one, and whoever else was asked there; another model is one of the
    server that is known.
    """
    agents = roles.get("vlm", {})
    known = agents.get("base_urls", [])
    if urls and urls != known:
        gone = [name for name, role in roles.items() if known and role.get("base_urls") == known]
        stay = {
            name: USUAL_ROLES.get(name, {"like": "vlm"}) if name in gone else roles[name] for name in roles
        }
        return stay | {"vlm": {}}
    if model and model != agents.get("name"):
        return roles | {"vlm": {key: agents[key] for key in ("base_urls", "api_key_env") if key in agents}}
    return roles


def _over(kind: type[Settings], known: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """`known` with what is `said` key by key; what is no settings of its own is said whole, a role too, and
    of a role of which nothing is said what is known stays.
    """
    both = dict(known)
    for key, value in said.items():
        inner, before = _inner(kind, key), known.get(key)
        if key == "models" and isinstance(value, dict) and isinstance(before, dict):
            both[key] = before | {name: role for name, role in value.items() if role or name not in before}
        elif inner and isinstance(value, dict) and isinstance(before, dict):
            both[key] = _over(inner, before, value)
        else:
            both[key] = value
    return both


def _inner(kind: type[Settings], key: str) -> type[Settings] | None:
    known = kind.model_fields.get(key)
    inner = known.annotation if known else None
    return inner if isinstance(inner, type) and issubclass(inner, Settings) else None


def _flat(kind: type[Settings], data: Mapping[str, Any], above: Way = ()) -> list[tuple[Way, Any]]:
    """Each setting that stands in `data`; of models each role of which something is said."""
    found: list[tuple[Way, Any]] = []
    for key, value in data.items():
        inner = _inner(kind, key)
        if inner and isinstance(value, dict):
            found += _flat(inner, value, (*above, key))
        elif (*above, key) == ("models",) and isinstance(value, dict):
            found += [((key, name), role) for name, role in value.items() if role]
        else:
            found.append(((*above, key), value))
    return found


def _at(data: Any, way: Way) -> Any:
    for key in way:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _is(data: dict[str, Any], way: Way, value: Any) -> bool:
    """Whether a setting is this; of a role, whether it says all of this."""
    found = _at(data, way)
    if way[0] == "models" and isinstance(found, dict):
        return all(found.get(key) == one for key, one in value.items() if not isinstance(one, dict))
    return bool(found == value)


def _shown(way: Way, value: Any) -> str:
    return f"{'.'.join(way)} {_words(way, value)}"


def _words(way: Way, value: Any) -> str:
    return _player(value) if way[0] == "models" and isinstance(value, dict) else _value(value)


def _player(role: dict[str, Any]) -> str:
    """Who plays a role, in a few words."""
    said = {key: value for key, value in role.items() if value not in (None, [], {}, "", False)}
    if like := said.get("like"):
        return f"like {like}"
    who, servers = said.pop("name", None), said.pop("base_urls", [])
    words = [str(who)] if who else []
    words += [f"at {', '.join(map(str, servers))}"] if servers else []
    rest = ", ".join(sorted(said)) if not words else ""
    return " ".join(words) or rest or "as the embedded one"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _listed(some: Iterator[str] | Sequence[str]) -> str:
    every = [*some]
    more = f"; and {len(every) - MOST} more" if len(every) > MOST else ""
    return "; ".join(every[:MOST]) + more
