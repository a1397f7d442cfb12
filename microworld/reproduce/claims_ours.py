"""Recipes of ours beyond the paper's, none of them a default: what each is to bring, and its margin. Chosen
by the set `dev`, fixed before anybody looked at `final`.
"""

from __future__ import annotations

from microworld.reproduce import recipes as r
from microworld.reproduce.claim import Bound, Claim, Part, above, below
from microworld.reproduce.outcomes import (
    LATE,
    NEEDLESS,
    RECOVERY,
    SECONDS,
    TOKENS,
    TWINS,
    UNSAFE,
    Measure,
)
from microworld.reproduce.settings import Cell


def against_srpo(after: Cell, recipe: str, *wanted: tuple[Measure, Bound | None]) -> tuple[Part, ...]:
    """What becomes of SRPO by a recipe, measure by measure."""
    return tuple(Part(r.srpo, after, (m,), bound, named=f"SRPO → {recipe}") for m, bound in wanted)


def costs(before: Cell, after: Cell, named: str) -> tuple[Part, ...]:
    """What it takes more, in tokens and in seconds; nothing is claimed of it."""
    return tuple(Part(before, after, (one,), None, named=named) for one in (TOKENS, SECONDS))


OURS: tuple[Claim, ...] = (
    Claim(
        18,
        "what a pair counts may end with the error: no less safe, and fewer late false alarms (span: error)",
        "ours",
        against_srpo(r.span_error, "span: error", (LATE, below(0)), (UNSAFE, below(3)), (NEEDLESS, None)),
        all=True,
    ),
    Claim(
        19,
        "a twin's step as the rejected side keeps from warning for nothing (pairs: twins)",
        "ours",
        against_srpo(
            r.twin_pairs,
            "pairs: twins",
            (NEEDLESS, below(0)),
            *((one, None) for one in (*TWINS.values(), UNSAFE)),
        ),
    ),
    Claim(
        20,
        "branches from behind wrong steps teach to come back: 20 points more than SRPO (explore: recovery)",
        "ours",
        (
            *against_srpo(r.recovery, "recovery", (RECOVERY, above(20)), (NEEDLESS, None)),
            *against_srpo(r.balanced, "recovery, balanced", (RECOVERY, None), (NEEDLESS, None)),
            *against_srpo(r.all_three, "recovery, twins, span: error", (RECOVERY, None), (NEEDLESS, None)),
        ),
        few=True,
    ),
    Claim(
        21,
        "18 and 19 together: fewer needless warnings, at most 3 points more unsafe",
        "ours",
        against_srpo(r.both, "twins, span: error", (NEEDLESS, below(0)), (UNSAFE, below(3)), (LATE, None)),
        all=True,
    ),
    Claim(
        22,
        "… and on 240 paths",
        "ours",
        (
            Part(r.srpo_many, r.both_many, (NEEDLESS,), below(0), named="SRPO → both, 240 paths"),
            Part(r.srpo_many, r.both_many, (UNSAFE,), below(3), named="SRPO → both, 240 paths"),
        ),
        all=True,
        few=True,
    ),
)
