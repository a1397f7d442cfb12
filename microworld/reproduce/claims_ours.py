"""Recipes of ours beyond the paper's, none of them a default: what each is to bring, and its margin. Chosen
by the set `dev`, fixed before anybody looked at `final`.
"""

from __future__ import annotations

from microworld.reproduce import recipes as r
from microworld.reproduce.claim import Claim, Part, above, below
from microworld.reproduce.outcomes import LATE, NEEDLESS, RECOVERY, TWINS, UNSAFE
from microworld.reproduce.settings import Cell


def _back(after: Cell, named: str) -> tuple[Part, Part]:
    """What another way of teaching to come back brings and costs, told beside what is claimed."""
    return (
        Part(r.srpo, after, (RECOVERY,), None, named=f"SRPO → {named}"),
        Part(r.srpo, after, (NEEDLESS,), None, named=f"SRPO → {named}"),
    )


OURS: tuple[Claim, ...] = (
    Claim(
        18,
        "what a pair counts may end with the error: no less safe, and fewer late false alarms (span: error)",
        "ours",
        (
            Part(r.srpo, r.span_error, (LATE,), below(0), named="SRPO → span: error"),
            Part(r.srpo, r.span_error, (UNSAFE,), below(3), named="SRPO → span: error"),
            Part(r.srpo, r.span_error, (NEEDLESS,), None, named="SRPO → span: error"),
        ),
        all=True,
    ),
    Claim(
        19,
        "a twin's step as the rejected side keeps from warning for nothing (pairs: twins)",
        "ours",
        (
            Part(r.srpo, r.twin_pairs, (NEEDLESS,), below(0), named="SRPO → pairs: twins"),
            *(
                Part(r.srpo, r.twin_pairs, (one,), None, named="SRPO → pairs: twins")
                for one in (*TWINS.values(), UNSAFE)
            ),
        ),
    ),
    Claim(
        20,
        "branches from behind wrong steps teach to come back: 20 points more than SRPO (explore: recovery)",
        "ours",
        (
            Part(r.srpo, r.recovery, (RECOVERY,), above(20), named="SRPO → recovery"),
            Part(r.srpo, r.recovery, (NEEDLESS,), None, named="SRPO → recovery"),
            *_back(r.balanced, "recovery, balanced"),
            *_back(r.all_three, "recovery, twins, span: error"),
        ),
        few=True,
    ),
    Claim(
        21,
        "18 and 19 together: fewer needless warnings, at most 3 points more unsafe",
        "ours",
        (
            Part(r.srpo, r.both, (NEEDLESS,), below(0), named="SRPO → twins, span: error"),
            Part(r.srpo, r.both, (UNSAFE,), below(3), named="SRPO → twins, span: error"),
            Part(r.srpo, r.both, (LATE,), None, named="SRPO → twins, span: error"),
        ),
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
