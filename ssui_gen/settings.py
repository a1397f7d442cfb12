"""Settings out of YAML: immutable, each default once, unknown keys refused with the known ones listed.

So a misspelling cannot pass for a default. Which settings there are is `config`'s (and training's own).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ssui_gen.errors import ConfigError


class Settings(BaseModel):
    """Base of all settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SettingsT = TypeVar("SettingsT", bound=Settings)


def parse(kind: type[SettingsT], data: Any, where: str) -> SettingsT:
    """Validate `data` as `kind`; raises ConfigError that names every wrong key of `where`."""
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: expected a mapping of keys; got {data!r}")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(kind, where, e) for e in error.errors())) from None


def _explain(kind: type[Settings], where: str, error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key {key!r} (known: {', '.join(_known(kind, error['loc']))})"
    return f"{where}: {key}: {error['msg']}; got {error['input']!r}"


def _known(kind: type[Settings], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand where the unknown one does, behind mappings of names to settings too."""
    for part in loc[:-1]:
        field = kind.model_fields.get(str(part))
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        kind = next((one for one in kinds if _is_settings(one)), kind)
    return sorted(kind.model_fields)


def _is_settings(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Settings)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; raises ConfigError with line and column."""
    try:
        return yaml.safe_load(path.read_text("utf-8")) or {}
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
