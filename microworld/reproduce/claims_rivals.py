"""What others would do with the same branches, against SRPO. None of them reads a path without a pair, which
here are the harmless ones. Margins chosen by the set `dev`, fixed before anybody looked at `final`.
"""

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
        "the paths' likelihood in J pays: DPO on the same pairs warns for nothing, 20 points more",
        "paper",
        _against_srpo(r.dpo, "DPO, the same pairs", NEEDLESS, above(20)),
        scope="rivals",
    ),
    Claim(
        24,
        "so does DPO on pairs of single steps by value (PRISM, arXiv 2508.18649)",
        "others",
        _against_srpo(r.value_dpo, "DPO, pairs by value", NEEDLESS, above(20)),
        scope="rivals",
    ),
    Claim(
        25,
        "and GRPO over all branches of a cut (arXiv 2402.03300, offline)",
        "others",
        _against_srpo(r.grpo, "GRPO, all branches of a cut", NEEDLESS, above(20)),
        scope="rivals",
    ),
)
