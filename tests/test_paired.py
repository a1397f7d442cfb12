"""Two models on the same items, and many figures at once."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.benching.correcting import Judged, Refused
from ssui_gen.benching.paired import (
    Pair,
    compared,
    difference,
    has_not_risen,
    mcnemar,
    sign_flip,
)
from ssui_gen.shares import Change

pairs = st.lists(st.builds(Pair, st.booleans(), st.booleans(), st.integers(0, 30)), min_size=1, max_size=90)


@given(pairs)
def test_a_comparison_turned_round_is_its_mirror_image(found: list[Pair]) -> None:
    there = compared(found)
    back = compared([Pair(after, before, cluster) for before, after, cluster in found])
    change = back.change
    assert (change.points, change.low, change.high) == pytest.approx(
        (-there.change.points, -there.change.high, -there.change.low)
    )
    assert back.p == pytest.approx(there.p) and 0 < there.p <= 1
    assert there.change.low - 1e-9 <= there.change.points <= there.change.high + 1e-9


def test_one_pair_a_scenario_takes_mcnemar_and_several_take_sign_flips() -> None:
    alone = compared([Pair(k < 40, k < 40 or k > 90, k) for k in range(100)])
    assert alone.test == "McNemar" and alone.p == mcnemar(0, 9) == 2 / 2**9
    several = compared([Pair(k < 40, k < 40 or k > 90, k // 2) for k in range(100)])
    assert several.test == "sign flip" and several.scenarios == 50 and several.n == 100
    assert several.error == pytest.approx(3.96, abs=0.01)


def test_sign_flips_are_exact_where_few_clusters_differ() -> None:
    assert sign_flip([]) == 1
    assert sign_flip([1, 1, 1, 1, 1, 0, 0]) == 2 / 2**5
    assert sign_flip([3, -1, 1]) == 6 / 2**3
    assert sign_flip([1] * 10) == pytest.approx(mcnemar(0, 10))
    assert sign_flip([1] * 30 + [-1] * 10) == pytest.approx(mcnemar(10, 30), abs=0.001)
    assert sign_flip([1] * 200) == 1 / 10_001


def test_rows_that_repeat_their_scenario_prove_no_more_than_it() -> None:
    few = [Pair(k % 3 == 0, k % 3 == 0 or k % 5 == 0, k) for k in range(30)]
    many = [Pair(p.before, p.after, p.cluster) for p in few for _ in range(10)]
    assert compared(many).error == pytest.approx(compared(few).error)
    assert compared(many).p == pytest.approx(sign_flip([p.after - p.before for p in few]))


def test_over_refusal_has_not_risen_if_the_upper_end_says_so() -> None:
    same = compared([Pair(k % 50 == 0, k % 50 == 0, k) for k in range(400)]).change
    risen = compared([Pair(k % 50 == 0, k % 25 == 0, k) for k in range(400)]).change
    assert has_not_risen(same, 5) and has_not_risen(risen, 5) and not has_not_risen(risen, 2)
    assert not has_not_risen(compared([Pair(False, False, k) for k in range(30)]).change, 5)
    assert not has_not_risen(Change(math.nan, math.nan, math.nan), 5)


def test_a_comparison_of_nothing_is_a_fault() -> None:
    with pytest.raises(ValueError, match="at least one pair"):
        compared([])
    assert math.isnan(compared([Pair(True, False, 0), Pair(True, True, 0)]).error)


# --- corrected -----------------------------------------------------------------------------------------


def model(rate: float, seed: int, labelled: range, noise: float = 0.0, lot: int = 7) -> list[Judged]:
    """500 responses, of which those of a range of scenarios are labelled; the judge is wrong in a tenth. Rows
    of two models with one `lot` are alike but for their noise.
    """
    rng, common, rows = Random(seed), Random(lot), []
    for k in range(500):
        fate, own = common.random(), rng.random()
        truth = (own if rng.random() < noise else fate) < rate
        said = truth if rng.random() < 0.9 else not truth
        rows.append(Judged(said, truth if k in labelled else None, str(k), len(labelled) / 500))
    return rows


def change(found: Change | Refused) -> Change:
    assert isinstance(found, Change), found
    return found


def test_a_corrected_difference_is_near_the_truth_and_its_own_mirror_image() -> None:
    before, after = model(0.5, 3, range(200)), model(0.8, 4, range(200))
    there, back = change(difference(before, after)), change(difference(after, before))
    assert there.low < 30 < there.high and there.low > 10
    assert (back.points, back.low, back.high) == pytest.approx((-there.points, -there.high, -there.low))


def test_labels_of_the_same_scenarios_make_a_difference_surer() -> None:
    before = model(0.5, 1, range(200))
    same = change(difference(before, model(0.55, 2, range(200))))
    others = change(difference(before, model(0.55, 2, range(300, 500))))
    strangers = change(difference(before, model(0.55, 2, range(200), noise=1.0)))
    assert same.high - same.low < 0.9 * (others.high - others.low)
    assert same.high - same.low < 0.9 * (strangers.high - strangers.low)


def test_a_difference_needs_labels_of_both_models() -> None:
    found = difference(model(0.5, 1, range(200)), model(0.8, 2, range(0)))
    assert isinstance(found, Refused) and found.reason.startswith("the second model: none of the 500")


def test_bounded_rows_widen_a_difference_by_all_that_they_may_be() -> None:
    before, after = model(0.5, 1, range(200)), model(0.8, 2, range(200))
    plain = change(difference(before, after))
    bounded = change(difference(before, [*after, *[Judged(None, None, f"u{k}", None) for k in range(50)]]))
    assert bounded.high - bounded.low > plain.high - plain.low + 100 * 50 / 550
