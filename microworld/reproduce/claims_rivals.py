"""What others would do with the same branches, against SRPO. Margins fixed before any figure was seen."""

from __future__ import annotations

from microworld.reproduce import recipes as r
from microworld.reproduce.claim import Bound, Claim, Part, above
from microworld.reproduce.outcomes import AWARE, LATE, NEEDLESS, UNSAFE, Measure
from microworld.reproduce.settings import Cell


def _against_srpo(rival: Cell, name: str, claimed: Measure, bound: Bound) -> tuple[Part, ...]:
    """What becomes of SRPO's shares by the rival: one measure is claimed, the others are told beside it."""
    others = [one for one in (UNSAFE, AWARE, NEEDLESS, LATE) if one is not claimed]
    wanted = [(claimed, bound), *((one, None) for one in others)]
    return tuple(Part(r.srpo, rival, (m,), limit, named=f"SRPO → {name}") for m, limit in wanted)


RIVALS: tuple[Claim, ...] = (
    Claim(
        23,
        "the path's likelihood in J pays: DPO on the same pairs leaves more unsafe",
        "paper",
        _against_srpo(r.dpo, "DPO, the same pairs", UNSAFE, above(0)),
        few=True,
        scope="rivals",
    ),
    Claim(
        24,
        "pairs of single steps by value, with DPO (PRISM, arXiv 2508.18649), leave more unsafe than SRPO",
        "others",
        _against_srpo(r.value_dpo, "DPO, pairs by value", UNSAFE, above(0)),
        few=True,
        scope="rivals",
    ),
    Claim(
        25,
        "GRPO over the same branches (arXiv 2402.03300, offline) buys its safety with more needless warnings",
        "others",
        _against_srpo(r.grpo, "GRPO, all branches of a cut", NEEDLESS, above(0)),
        few=True,
        scope="rivals",
    ),
)
