"""What all settings are made of: a base that refuses unknown keys, and how a file's faults are told.

Which settings there are stands in `config` (a run) and in `train/ssui_train/config.py` (a training).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from reprlib import Repr
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ssui_gen import yamls
from ssui_gen.errors import ConfigError


class Settings(BaseModel):
    """Base of all settings: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class OneOf:
    """Annotates a word that must be a name of a registry, so that its names stand nowhere else."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.names))


PIXELS = 1_003_520
"""1,280 patches of 28 × 28: what the processors of Qwen2-VL and Qwen2.5-VL scale larger pictures to, as vLLM
is started and as training sees them. Their own files say 12,845,056, ten times the tokens."""


class ImageLimits(Settings):
    """What a picture may be; anything beyond is rejected before it is decoded."""

    max_bytes: Annotated[int, Field(ge=1)] = 20_000_000
    max_pixels: Annotated[int, Field(ge=1)] = 40_000_000
    max_ratio: Annotated[float, Field(ge=1)] = 30.0
    """Of the longer side to the shorter; beyond it few rows of pixels are left, and processors refuse it."""
    longest_side: Annotated[int, Field(ge=16)] = 1280
    """Pixels; larger pictures are scaled down before they are sent."""


SECRET = "secret"
"""The type of a fault whose value is shown to nobody."""
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80

SettingsT = TypeVar("SettingsT", bound=Settings)


def secret(advice: str) -> PydanticCustomError:
    """A fault of a value that holds a secret: settings are kept in `run.json`, and runs are given away."""
    return PydanticCustomError(
        SECRET, "holds a secret, which the run would keep: {advice}", {"advice": advice}
    )


def parse(kind: type[SettingsT], data: Any, where: str) -> SettingsT:
    """Validate `data` as `kind`; raises ConfigError that names every wrong key of `where`."""
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: expected a mapping of keys; got {_SHORT.repr(data)}")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(kind, where, e) for e in error.errors())) from None


def readable(kind: type[SettingsT], data: Any) -> tuple[SettingsT, dict[str, str]]:
    """Settings that another version of us may have written: what `kind` can read of them, and by key why the
    rest is passed over. A fault of several keys together takes all of them.
    """
    kept, passed_over = deepcopy(data) if isinstance(data, dict) else {}, dict[str, str]()
    while True:
        try:
            return kind.model_validate(kept), passed_over
        except ValidationError as error:
            for way, why in {_there(kept, one["loc"]): str(one["msg"]) for one in error.errors()}.items():
                passed_over[".".join(way) or "all"] = why
                _take_out(kept, way)


def _there(data: dict[str, Any], loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """As far as the keys of `loc` are in `data`."""
    inner, way = data, list[str]()
    for part in loc:
        if not isinstance(inner, dict) or part not in inner:
            break
        inner = inner[part]
        way.append(str(part))
    return tuple(way)


def _take_out(data: dict[str, Any], way: tuple[str, ...]) -> None:
    *above, last = way or ("",)
    for part in above:
        data = data.get(part, {})
    if way:
        data.pop(last, None)
    else:
        data.clear()


def _explain(kind: type[Settings], where: str, error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key {key!r} (known: {', '.join(_known(kind, error['loc']))})"
    got = "" if error["type"] == SECRET else f"; got {_SHORT.repr(error['input'])}"
    return f"{where}: {key}: {error['msg']}{got}"


def _known(kind: type[Settings], loc: tuple[str | int, ...]) -> list[str]:
    for part in loc[:-1]:
        field = kind.model_fields.get(str(part))
        kind = (field and _settings_in(field.annotation)) or kind
    return sorted(field.alias or name for name, field in kind.model_fields.items())


def _settings_in(annotation: Any) -> type[Settings] | None:
    """The settings that a field holds, be it alone or as the values of a mapping."""
    found = [annotation, *get_args(annotation)]
    return next((one for one in found if isinstance(one, type) and issubclass(one, Settings)), None)


def as_yaml(settings: Settings) -> str:
    """Settings as a file that is read back as the same."""
    return yamls.dump(settings.model_dump(mode="json", by_alias=True))
