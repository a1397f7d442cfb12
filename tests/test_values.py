"""Steps paired by the share of good ends behind them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import path_of
from test_pairs import IMAGE

from ssui_gen.branches import Branch, Cut, Judgement, Pair
from ssui_gen.branching import prefix_at
from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.exploring.values import by_value

PATH = path_of(0, IMAGE)
TAIL = "4. Intent and risk: r\n5. Consequences: c\n6. Response strategy: s\nAnswer: {}"


def branch(step: str, good: bool | None, times: int = 1, tail: str = TAIL) -> Branch:
    polarity = "unverified" if good is None else "good" if good else "bad"
    text = f"3. Synthesis: {step}\n{tail.format(f'{step} {good}')}"
    judgement = Judgement(polarity=polarity)  # type: ignore[arg-type]
    return Branch(id=f"{step}/{good}", text=text, finish="stop", times=times, judgement=judgement)


def cut(number: int, *branches: Branch) -> Cut:
    return Cut(
        id=f"cut-{number}", path_id="p", kind="risky", cut=number, prefix=prefix_at(PATH.steps, number),
        image=IMAGE, query="q", branches=branches, draws=9, made_by=(),
    )  # fmt: skip


def test_a_cut_behind_another_branch_is_nobodys_next_step() -> None:
    """As off-path cuts are: their prefix is not this one and then a step."""
    off = cut(3, branch("on", True)).model_copy(update={"prefix": "1. a\n2. b\n3. Synthesis: another.\n"})
    assert values(cut(2, branch("own", False)), off) == values(cut(2, branch("own", False)))


def values(*cuts: Cut) -> dict[str, float | None]:
    first = next(by_value(cuts, 0.8))
    return {one.text: one.judgement.probability for one in first.branches}


def behind(good: int, bad: int) -> Cut:
    said = [(True, good), (False, bad)]
    return cut(3, *(branch("x", kind, times) for kind, times in said if times))


def made(*cuts: Cut, **settings: Any) -> list[Pair]:
    return pair_up(cuts, Pairing.model_validate({"mode": "value", **settings}))


def said(pair: Pair) -> tuple[str, str]:
    chosen, rejected = (side[0]["content"][0]["text"] for side in (pair.chosen, pair.rejected))
    return chosen.removeprefix(pair.prefix), rejected.removeprefix(pair.prefix)


def test_a_step_is_worth_the_share_of_good_ends_of_all_draws_that_begin_with_it() -> None:
    row = cut(2, branch("a", True, 4), branch("a", False, 1), branch("b", False, 2), branch("c", None))
    assert values(row) == {"3. Synthesis: a\n": 0.8, "3. Synthesis: b\n": 0.0}


def test_the_path_s_own_step_is_worth_what_was_drawn_behind_it() -> None:
    own = prefix_at(PATH.steps, 3).removeprefix(prefix_at(PATH.steps, 2))
    row = cut(2, branch("b", False, 2))
    assert values(row, behind(9, 1)) == {"3. Synthesis: b\n": 0.0, own: 0.9}
    words = own.removeprefix("3. Synthesis: ").strip()
    again = cut(2, branch(words, False, 2))
    assert values(again, behind(9, 1)) == {own: 9 / 12}, "said by a branch, too"


def test_pairs_hold_single_steps_far_enough_apart() -> None:
    row = cut(2, branch("a", True, 9), branch("a", False, 1), branch("b", True, 4), branch("b", False, 6))
    assert made(row) == [], "0.9 over 0.4 is no more than 0.5 apart"
    (pair,) = made(row, gap=0.4)
    assert said(pair) == ("3. Synthesis: a\n", "3. Synthesis: b\n")
    assert (pair.level, pair.margin) == ("step", pytest.approx(0.5))
    low = cut(2, branch("a", True, 7), branch("a", False, 3), branch("b", False, 6))
    assert made(low) == [], "0.7 is too little to be chosen"
    assert len(made(low, value=0.7)) == 1
    assert pair_up([low], Pairing(mode="value"), level="outcome") == pair_up([low], Pairing(mode="value"))


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([True, False, None]), st.integers(1, 5)), max_size=8
    )
)
def test_every_pair_is_what_its_shares_say(drawn: list[tuple[str, bool | None, int]]) -> None:
    known = {(step, good): times for step, good, times in drawn}
    row = cut(2, *(branch(step, good, times) for (step, good), times in known.items()))

    def share(step: str) -> float:
        good, bad = (known.get((step, kind), 0) for kind in (True, False))
        return good / (good + bad)

    judged = {step for step, good in known if good is not None}
    wanted = {
        (a, b)
        for a in judged
        for b in judged
        if share(a) >= 0.8 and share(b) < 0.8 and share(a) - share(b) > 0.5
    }
    found = {tuple(line[len("3. Synthesis: ")] for line in said(pair)) for pair in made(row, per_cut=99)}
    assert found == wanted
