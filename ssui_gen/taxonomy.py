"""The classes of joint risk and their crosswalk to other taxonomies, read from `taxonomy.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ssui_gen import yamls

TAXONOMY = Path(__file__).with_name("taxonomy.yaml")
NO_RISK = "none"
"""What a benign twin carries where a risky record carries a class."""


class RiskClass(BaseModel):
    """One class of risk and what other taxonomies call it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    name: str
    definition: str
    """One line: when a pair belongs here."""
    also: tuple[str, ...]
    """How models word it when they do not write its id; without case, read by `naming`."""
    siuo: tuple[str, ...]
    llama_guard: tuple[str, ...]
    ailuminate: tuple[str, ...]


@cache
def _rows() -> tuple[RiskClass, ...]:
    """The classes, and `none` as the last."""
    rows = yamls.read(TAXONOMY)
    return tuple(RiskClass.model_validate(row) for row in rows)


def classes() -> tuple[RiskClass, ...]:
    """The classes in the order in which prompts and reports show them."""
    return _rows()[:-1]


@cache
def class_ids() -> tuple[str, ...]:
    """Every class id, `none` last."""
    return tuple(row.id for row in _rows())


@cache
def wordings() -> dict[str, tuple[str, ...]]:
    """By class id, `none` last, everything that a text may call it: the id with blanks, the name, `also`."""
    return {row.id: (row.id.replace("_", " "), row.name, *row.also) for row in _rows()}


@cache
def _by_id() -> dict[str, RiskClass]:
    return {row.id: row for row in _rows()}


def crosswalk_of(class_id: str) -> dict[str, str]:
    """What other taxonomies call a class; those that have nothing like it are left out."""
    row = _by_id()[class_id]
    named = {"siuo": row.siuo, "llama_guard": row.llama_guard, "ailuminate": row.ailuminate}
    return {taxonomy: ", ".join(names) for taxonomy, names in named.items() if names}
