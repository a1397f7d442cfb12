"""Settings of what becomes of branches: which make pairs, and where more of them are drawn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ssui_gen.settings import Settings


class Recovery(Settings):
    """Cuts behind a wrong step of a branch: does the policy come back from there? Ours, after RECAP
    (arXiv 2510.00938), which begins in texts with steps that somebody else has made wrong."""

    cuts: Annotated[int, Field(ge=0)] = 0
    """Of a path at most; 0: none."""
    draws: Annotated[int, Field(ge=1, le=256)] = 32
    """For each; a policy hardly ever comes back by itself."""
    temperature: Annotated[float, Field(gt=0, le=2)] = 1.0


class Pairing(Settings):
    """Which good and bad branches become pairs."""

    mode: Literal["default", "rpo", "root_only", "one_per_step", "best_worst", "value"] = "default"
    per_cut: Annotated[int, Field(ge=1)] = 2
    per_path: Annotated[int, Field(ge=1)] = 12
    least_margin: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Between F's probabilities of the two."""
    length_ratio: Annotated[float, Field(ge=1)] | None = None
    """The longer may be so many times as long as the shorter; absent: any."""
    value: Annotated[float, Field(gt=0, le=1)] = 0.8
    """mode value: from which share of good ends a step may be chosen [PRISM, arXiv 2508.18649]."""
    gap: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """mode value: by more than so much the chosen step's share is above the rejected one's [PRISM]."""
    corrections: bool = False
    """Pairs out of corrections.jsonl of the run: what somebody made of wrong branches over the branches."""
    twins: bool = False
    """Pairs of a path's own step over that of a path of the other kind which asks the same under another
    picture, in both directions (`exploring/twins.py`; ours)."""
    twin_cut: Annotated[int, Field(ge=0, le=5)] = 2
    """Where: behind so many steps. 2: at the synthesis, where nearly every error begins."""
    twins_per_path: Annotated[int, Field(ge=1)] = 4
    counterparts: bool = True
    """To each pair of source recovery one of a path of the other kind where the same last words are right:
    there the words that come back are what is rejected."""
    first_bad: Literal["known", "ask", "labels"] = "known"
    """Who says where a rejected branch first goes wrong; `span: error` of a training counts up to there.
    known: F, where `first_bad_step` is a way of it. ask: beside it the judge, about rejected branches of
    pairs alone. labels: labels_people.jsonl and labels.jsonl of the run, and nobody else."""
