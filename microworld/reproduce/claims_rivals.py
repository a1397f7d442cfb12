"""What others would do with the same branches, against SRPO. None of them reads a path without a pair, which
here are the harmless ones. Margins chosen by the set `dev`, fixed before anybody looked at `final`.
"""

from __future__ import annotations

from microworld.reproduce import recipes as r
from microworld.reproduce.claim import Claim, Source, above
from microworld.reproduce.claims_ours import against_srpo
from microworld.reproduce.outcomes import AWARE, LATE, NEEDLESS, UNSAFE
from microworld.reproduce.settings import Cell


def _warns_more(number: int, words: str, source: Source, rival: Cell, name: str) -> Claim:
    """That it warns for nothing is claimed, the rest is told beside it."""
    wanted = ((NEEDLESS, above(20)), (UNSAFE, None), (AWARE, None), (LATE, None))
    return Claim(number, words, source, against_srpo(rival, name, *wanted), scope="rivals")


RIVALS: tuple[Claim, ...] = (
    _warns_more(
        23,
        "the paths' likelihood in J pays: DPO on the same pairs warns for nothing, 20 points more",
        "paper",
        r.dpo,
        "DPO, the same pairs",
    ),
    _warns_more(
        24,
        "so does DPO on pairs of single steps by value (PRISM, arXiv 2508.18649)",
        "others",
        r.value_dpo,
        "DPO, pairs by value",
    ),
    _warns_more(
        25,
        "and GRPO over all branches of a cut (arXiv 2402.03300, offline)",
        "others",
        r.grpo,
        "GRPO, all branches of a cut",
    ),
)
