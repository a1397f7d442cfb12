"""Rates corrected by labels: what must hold of every one, and when there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.benching.correcting import Corrected, How, Judged, Refused, corrected, raw
from ssui_gen.benching.estimating import labels_for
from ssui_gen.shares import wilson

cell = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 20))
"""What the judge said, what is true, whether it is labelled, the scenario."""
tables = st.lists(cell, min_size=4, max_size=80)


def rows_of(cells: list[tuple[bool, bool, bool, int]]) -> list[Judged]:
    return [Judged(said, truth if known else None, str(c), 0.5) for said, truth, known, c in cells]


def drawn(n: int, share: float, judge: Callable[[Random, bool], bool | None], seed: int = 0) -> list[Judged]:
    """n rows in scenarios of two, 60 % true, of which a share is labelled."""
    rng, rows = Random(seed), []
    for k in range(n):
        truth = rng.random() < 0.6
        known = truth if rng.random() < share else None
        rows.append(Judged(judge(rng, truth), known, str(k // 2), share))
    return rows


def mostly_right(rng: Random, truth: bool) -> bool:
    return truth if rng.random() < 0.9 else not truth


def number(found: Corrected | Refused) -> Corrected:
    assert isinstance(found, Corrected), found
    return found


def reason(found: Corrected | Refused) -> str:
    assert isinstance(found, Refused), found
    return found.reason


@given(tables, st.sampled_from(["mover", "ppi"]))
def test_every_interval_holds_its_rate_and_lies_in_what_is_possible(
    cells: list[tuple[bool, bool, bool, int]], how: How
) -> None:
    found = corrected(rows_of(cells), how)
    if isinstance(found, Corrected):
        low, high = found.interval
        assert 0 <= low <= high <= 1 and low < high
        if how == "mover":
            assert low <= found.value <= high
    elif not math.isnan(found.interval[0]):
        assert 0 <= found.interval[0] < found.interval[1] <= 1


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(cells: list[tuple[bool, bool, bool, int]], rng: Random) -> None:
    rows = rows_of(cells)
    mixed = rng.sample(rows, len(rows))
    one, other = corrected(rows), corrected(mixed)
    assert type(one) is type(other)
    assert one.interval == pytest.approx(other.interval, abs=1e-9, nan_ok=True)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=6, max_size=40))
def test_with_half_of_the_labels_the_interval_is_wider(cells: list[tuple[bool, bool]]) -> None:
    def rows(times: int) -> list[Judged]:
        copies = [(said, truth, copy < times) for said, truth in cells for copy in range(4)]
        known = [(said, truth if label else None) for said, truth, label in copies]
        return [Judged(said, truth, str(k), times / 4) for k, (said, truth) in enumerate(known)]

    few, many = corrected(rows(2)), corrected(rows(4))
    if isinstance(many, Corrected):
        assert number(few).value == pytest.approx(many.value)
        assert width(number(few)) > width(many)


def width(found: Corrected) -> float:
    return found.interval[1] - found.interval[0]


@pytest.mark.parametrize(("hits", "n"), [(300, 400), (60, 400), (1000, 2000)])
def test_a_perfect_judge_is_as_sure_as_all_its_rows(hits: int, n: int) -> None:
    """With ever more labels that agree, the interval becomes Wilson's of what the judge said."""
    rows = [Judged(k < hits, k < hits, str(k), 1.0) for k in range(n)]
    found = number(corrected(rows))
    assert found.value == hits / n
    low, high = wilson(hits / n, n)
    assert found.interval[0] <= low and high <= found.interval[1]
    assert width(found) < 1.06 * (high - low)


@given(st.integers(1, 5), st.integers(0, 2**20))
def test_bounds_of_unscored_rows_hold_whatever_they_are(unscored: int, seed: int) -> None:
    rows = drawn(60, 0.5, mostly_right, seed)
    bounded = corrected(rows + [Judged(None, None, f"u{k}", None) for k in range(unscored)])
    if isinstance(bounded, Refused):
        return
    assert bounded.bounded == unscored
    for true in range(unscored + 1):
        known = rows + [Judged(None, k < true, f"u{k}", 1.0) for k in range(unscored)]
        found = number(corrected(known))
        assert bounded.interval[0] <= found.value <= bounded.interval[1]
        assert found.bounded == 0


@pytest.mark.parametrize("how", ["mover", "ppi", "rogan_gladen"])
def test_a_corrected_rate_is_near_the_truth_where_the_judges_is_far(how: How) -> None:
    def lenient(rng: Random, truth: bool) -> bool:
        return truth or rng.random() < 0.5

    rows = drawn(4000, 0.3, lenient)
    found = number(corrected(rows, how))
    assert raw(rows).value > 0.75
    assert found.value == pytest.approx(0.6, abs=0.03)
    assert found.labels == sum(row.truth is not None for row in rows)


def test_rows_drawn_by_verdict_are_weighed_as_they_were_drawn() -> None:
    """100 of 900 yes and 50 of 100 no are labelled: the plain share of true labels would be 61 %."""
    rows = [Judged(True, k < 90 if k < 100 else None, f"y{k}", 1 / 9) for k in range(900)]
    rows += [Judged(False, k < 2 if k < 50 else None, f"n{k}", 1 / 2) for k in range(100)]
    for how in ("mover", "ppi"):
        assert number(corrected(rows, how)).value == pytest.approx(0.9 * 0.9 + 0.1 * 0.04), how


def test_labels_of_one_verdict_that_were_drawn_unequally_are_weighed_too() -> None:
    """Half of the yes were looked at ten times as often, and only they are wrong."""
    rows = [Judged(True, k >= 25, f"a{k}", 0.5) for k in range(50)]
    rows += [Judged(True, None, f"b{k}", 0.5) for k in range(50)]
    rows += [Judged(True, True if k < 5 else None, f"c{k}", 0.05) for k in range(100)]
    rows += [Judged(False, False, f"d{k}", 1.0) for k in range(10)]
    assert number(corrected(rows)).value == pytest.approx(200 / 210 * 0.75)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([], "none of the 0 responses"),
        ([Judged(True, None, "a"), Judged(False, None, "b")], "none of the 2 responses was drawn"),
        ([Judged(True, True, "a"), Judged(False, False, "b")], "drawn at random and labelled"),
        ([Judged(True, True, "a", 1.0), Judged(False, False, "a", 1.0)], "at least two"),
        ([Judged(None, True, "a", 1.0), Judged(None, False, "b", 1.0)], "scored none"),
    ],
)
def test_what_cannot_be_corrected_has_a_reason_and_no_number(rows: list[Judged], wanted: str) -> None:
    assert wanted in reason(corrected(rows))


def test_a_judge_that_always_says_the_same_tells_nothing_but_labels_do() -> None:
    rows = [Judged(True, True if k < 60 else None, str(k), 0.2) for k in range(300)]
    found = corrected(rows)
    assert "said yes of all 300" in reason(found) and "60 labels" in reason(found)
    assert 0.94 < found.interval[0] < 0.97 and found.interval[1] == 1


def test_a_verdict_without_labels_is_named_and_bounded() -> None:
    rows = [Judged(True, True if k < 50 else None, str(k), 0.5) for k in range(90)]
    rows += [Judged(False, None, f"n{k}", None) for k in range(10)]
    found = corrected(rows)
    assert "none of the 10 of which the judge said no" in reason(found)
    assert found.interval[0] < 0.9 < 0.98 < found.interval[1]


def test_labels_that_are_all_as_the_judge_has_it_give_ppi_no_width() -> None:
    rows = [Judged(k % 2 == 0, True if k < 40 else None, str(k), 0.2) for k in range(200)]
    assert "has no width" in reason(corrected(rows, "ppi"))
    assert width(number(corrected(rows))) > 0.05


def test_clusters_make_a_corrected_rate_less_sure() -> None:
    apart = [Judged(k % 10 != 0, k % 4 != 0, str(k), 1.0) for k in range(400)]
    alike = [row._replace(cluster=str(k % 20)) for k, row in enumerate(apart)]
    assert width(number(corrected(alike))) > 2 * width(number(corrected(apart)))


def test_a_good_judge_saves_labels_and_one_that_guesses_none() -> None:
    def guesses(rng: Random, truth: bool) -> bool:
        return rng.random() < 0.5

    good = number(corrected(drawn(2000, 0.1, mostly_right)))
    blind = number(corrected(drawn(2000, 0.1, guesses)))
    assert good.saved > 100
    assert -20 < blind.saved < 20


@given(st.floats(0, 1), st.integers(10, 5000))
def test_labels_for_a_width_are_wilsons(value: float, n: int) -> None:
    low, high = wilson(value, n)
    if low > 0 and high < 1:
        assert labels_for((high - low) / 2, value, 1.0) == pytest.approx(n, rel=1e-6)


# --- labels from elsewhere ------------------------------------------------------------------------------


def test_labels_from_elsewhere_help_where_the_judge_errs_alike() -> None:
    own, other = drawn(4000, 0.4, mostly_right, 3), drawn(4000, 1.0, mostly_right, 4)
    alone = number(corrected(own, "rogan_gladen"))
    both = number(corrected(own, "rogan_gladen", [row._replace(drawn=None) for row in other]))
    assert width(both) < width(alone)
    assert both.value == pytest.approx(0.6, abs=0.05)


def test_few_labels_cannot_show_that_the_judge_errs_alike() -> None:
    own, other = drawn(1000, 0.15, mostly_right, 3), drawn(1000, 1.0, mostly_right, 4)
    assert "do not exclude" in reason(corrected(own, "rogan_gladen", other))


def test_labels_from_elsewhere_are_refused_where_the_judge_errs_otherwise() -> None:
    def lenient(rng: Random, truth: bool) -> bool:
        return truth or rng.random() < 0.5

    own, other = drawn(1000, 0.15, mostly_right, 1), drawn(1000, 1.0, lenient, 2)
    assert "specificity differs" in reason(corrected(own, "rogan_gladen", other))


def test_a_judge_whose_yes_means_nothing_has_no_rate_by_its_errors() -> None:
    def turned(rng: Random, truth: bool) -> bool:
        return not mostly_right(rng, truth)

    assert "does not go with the truth" in reason(corrected(drawn(400, 0.5, turned), "rogan_gladen"))


# --- golden values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "n", "labels", "rate", "noise", "value", "low", "high"),
    [
        (1, 1000, 200, 0.7, 0.2, 0.696007, 0.652469, 0.739544),
        (2, 1000, 200, 0.1, 0.3, 0.132719, 0.093023, 0.172415),
        (3, 600, 300, 0.5, 0.1, 0.487298, 0.445361, 0.529234),
    ],
)
def test_ppi_is_that_of_its_authors(
    seed: int, n: int, labels: int, rate: float, noise: float, value: float, low: float, high: float
) -> None:
    """ppi-python 0.2.3: `ppi_mean_ci(Y, Yhat, Yhat_unlabeled, alpha=0.05)` and `ppi_mean_pointestimate`,
    where λ comes of all rows and the normal quantile stands for Student's.
    """
    rng, rows = Random(seed), []
    for k in range(n):
        truth = rng.random() < rate
        probability = round(min(1, max(0, (0.8 if truth else 0.2) + rng.gauss(0, noise))), 3)
        rows.append(Judged(probability > 0.5, truth if k < labels else None, str(k), labels / n, probability))
    found = number(corrected(rows, "ppi"))
    assert found.value == pytest.approx(value, abs=0.002)
    assert width(found) == pytest.approx(high - low, rel=0.025)
