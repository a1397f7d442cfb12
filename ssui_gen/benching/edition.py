"""What a model's rows of a benchmark are made with: the same wherever they were made, so that a run goes on
with rows that another program has made as it would have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ssui_gen.benching.bench import Bench
from ssui_gen.benching.official.asking import PROMPT
from ssui_gen.benching.theirs import has_rules
from ssui_gen.config import Bench as Settings
from ssui_gen.manifest import Edition


class Makers(NamedTuple):
    """Who answered and who judged, and the ids of the prompts that each was told."""

    model: str
    judge: str
    asked: str
    """Empty of a model that was asked the question alone."""
    rubric: str
    official: str
    """Of the judge by a benchmark's own rules."""


def edition_of(bench: Bench, settings: Settings, makers: Makers, rendered: Mapping[str, str]) -> Edition:
    """`rendered` is what the prompts showed beside their own words. Which rules score the rows is no part of
    it: more of them may come later, to rows of their own.
    """
    official = makers.official if has_rules(bench.name) else ""
    prompts = {"judge": makers.rubric, "policy": makers.asked, PROMPT: official}
    return Edition(
        prompts={name: id for name, id in prompts.items() if id},
        cards={"bench": settings.model_dump_json(exclude={"score"}), "items": bench.sha[:16]},
        models={"policy": makers.model, "judge": makers.judge},
        rendered=dict(rendered),
    )
