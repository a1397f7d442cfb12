"""The trainings whose shares the page shows, each with what people call it."""

from __future__ import annotations

from microworld.reproduce import claims_novel as n
from microworld.reproduce import recipes as r
from microworld.reproduce.claim import Scope
from microworld.reproduce.claims import (
    NO_TWINS,
    OTHER_LAMBDAS,
    OTHER_TEMPERATURES,
    RAW,
    REVIEWED,
    SOME,
    STRANGERS,
)
from microworld.reproduce.claims_recipes import ALIKE, SWAPPED
from microworld.reproduce.settings import Cell


def named(scope: Scope) -> dict[str, Cell]:
    """By name."""
    quick = {
        "the bare policy": r.bare,
        "SFT, 48 paths": r.sft,
        "SRPO, 48 paths": r.srpo,
        "SFT, 240 paths": r.sft_many,
        "SRPO, 240 paths": r.srpo_many,
        "SFT, 24 risky : 136 harmless": r.sft_few_risky,
        "SRPO, 24 risky : 136 harmless": r.srpo_few_risky,
        **{f"SRPO, λ {value:g}": r.lam(value) for value in OTHER_LAMBDAS},
        "SRPO, root only": r.root_only,
    }
    more = _more() if scope != "quick" else {}
    rivals = _rivals() if scope in ("rivals", "recipes", "worlds") else {}
    recipes = _recipes() if scope in ("recipes", "worlds") else {}
    return quick | more | rivals | recipes | (_worlds() if scope == "worlds" else {})


def _more() -> dict[str, Cell]:
    return {
        "chosen branches as paths": r.rft,
        **{f"SRPO, branches at T {value:g}": r.drawn_at(value) for value in OTHER_TEMPERATURES},
        **{f"SRPO, {k} draws a cut": r.draws(k) for k in (2, 8)},
        "SRPO, 10 % of paths wrong": r.on(SOME),
        "SRPO, 25 % of paths wrong": r.on(RAW),
        "SRPO, 25 % wrong, reviewed": r.on(REVIEWED),
        "SRPO, risky paths alone": r.on(NO_TWINS),
        "SRPO, other harmless paths": r.on(STRANGERS),
        "SRPO, span: error": r.span_error,
        "SRPO, twins' pairs": r.twin_pairs,
        "SRPO, recovery": r.recovery,
        "SRPO, recovery, balanced": r.balanced,
        "SRPO, recovery, twins, span: error": r.all_three,
        "SRPO, twins, span: error": r.both,
        "SRPO, twins, span: error, 240 paths": r.both_many,
        **{
            f"SRPO, {100 * share:g} % of F's verdicts turned round": r.noisy(share)
            for share in (0.1, 0.2, 0.4)
        },
    }


def _rivals() -> dict[str, Cell]:
    return {
        "DPO, the same pairs": r.dpo,
        "DPO, pairs by value": r.value_dpo,
        "GRPO, all branches of a cut": r.grpo,
        "corrected branches": r.rewritten,
        "the bare policy, told the danger": r.bare_told,
        "its words without being told, distilled": r.distilled,
    }


def _recipes() -> dict[str, Cell]:
    return {
        "SRPO, two rounds": r.two_rounds,
        "SRPO for the goal, 240 paths": r.goal,
        "SRPO, swapped twins": r.on(SWAPPED),
        "SRPO, look-alike twins": r.on(ALIKE),
        "SRPO, F judges every step": r.judged_by_steps,
        "SRPO, F judges every step, span: error": r.steps_span,
    }


def _worlds() -> dict[str, Cell]:
    return {
        "the bare policy, on novel rules": n.bare_rules,
        "SFT, 48 paths, on novel rules": n.sft_rules,
        "SRPO, 48 paths, on novel rules": n.srpo_rules,
        "the bare policy, on novel things": n.bare_things,
        "SRPO, 48 paths, on novel things": n.srpo_things,
        "SFT, 48 novel paths, on novel rules": n.sft_own,
        "SRPO, 48 novel paths, on novel rules": n.srpo_own,
        "SRPO, 48 novel paths, on known rules": n.srpo_own_known,
        "SRPO, paths by the agents": r.on(n.UNREVIEWED),
    }
