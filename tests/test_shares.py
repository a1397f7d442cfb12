"""Intervals: those of the textbooks, and what must hold of every one of them."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.shares import Change, Share, bootstrap, clustered_error, newcombe, share, student, wilson, worth

rows = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 8)), min_size=1, max_size=120)


@pytest.mark.parametrize(
    ("cells", "difference", "low", "high"),
    [
        ((1, 1, 7, 12), -0.2857, -0.5069, -0.0256),  # Bentur et al. 2009, airways before and after
        ((59, 6, 16, 80), -0.0621, -0.1186, -0.0046),  # Cavo et al. 2012, response before and after
    ],
)
def test_a_paired_difference_has_the_published_interval(
    cells: tuple[int, int, int, int], difference: float, low: float, high: float
) -> None:
    """As in Fagerland, Lydersen, Laake: Statistical Analysis of Contingency Tables (2017), chapter 8."""
    found = newcombe(*cells)
    assert (cells[1] - cells[2]) / sum(cells) == pytest.approx(difference, abs=5e-5)
    assert found == pytest.approx((low, high), abs=5e-5)


@given(rows)
def test_every_change_lies_in_its_interval_and_the_interval_in_what_is_possible(
    found: list[tuple[bool, bool, int]],
) -> None:
    before, after, clusters = ([row[k] for row in found] for k in range(3))
    for change in (Change.of(before, after), Change.of(before, after, clusters)):
        assert -100 <= change.low <= change.points + 1e-9
        assert change.points - 1e-9 <= change.high <= 100
        assert change.high - change.low > 0


@given(rows)
def test_a_change_turned_round_is_its_mirror_image(found: list[tuple[bool, bool, int]]) -> None:
    before, after, clusters = ([row[k] for row in found] for k in range(3))
    there, back = Change.of(before, after, clusters), Change.of(after, before, clusters)
    assert (back.points, back.low, back.high) == pytest.approx((-there.points, -there.high, -there.low))


@given(rows)
def test_clusters_never_make_a_share_surer(found: list[tuple[bool, bool, int]]) -> None:
    hits, _, clusters = ([row[k] for row in found] for k in range(3))
    plain, clustered = share(hits), share(hits, clusters)
    assert plain == clustered
    assert clustered.worth is not None and 0 < clustered.worth <= len(hits)
    assert clustered.interval[0] <= plain.interval[0] + 1e-12
    assert clustered.interval[1] >= plain.interval[1] - 1e-12
    assert share(hits, range(len(hits))).interval == plain.interval


@pytest.mark.parametrize("n", [1, 5, 200])
def test_nothing_of_n_is_not_nothing_for_sure(n: int) -> None:
    never, always = [False] * n, [True] * n
    for same in (never, always):
        change = Change.of(same, same)
        assert (
            change.points == 0 and change.high == pytest.approx(-change.low) and change.high > 100 / (n + 4)
        )
    assert Change.of(always, never).high > -100
    assert Share(0, n).interval[1] > 1 / (n + 4)
    assert str(Change.of([False] * 200, [False] * 200)) == "+0.0 (-1.9 – +1.9)"


def test_nothing_of_many_in_few_clusters_is_as_sure_as_nothing_of_few() -> None:
    assert share([False] * 700, [k % 49 for k in range(700)]).interval == Share(0, 49).interval
    one = [k == 0 for k in range(700)]
    assert share(one, [k % 49 for k in range(700)]).interval == wilson(1 / 700, 49)


def test_rows_that_repeat_their_cluster_are_worth_no_more_than_it() -> None:
    clusters = [k // 10 for k in range(1000)]
    assert worth([c % 3 == 0 for c in clusters], clusters) == pytest.approx(100, rel=0.12)
    assert worth([k % 10 < 3 for k in range(1000)], clusters) == pytest.approx(1000, rel=0.05)


def test_intervals_of_clustered_shares_hold_the_truth_where_plain_ones_do_not() -> None:
    """49 clusters of 14 rows, each with its own probability around 0.95: what a run's paths look like."""
    rng, plain, clustered = Random(5), 0, 0
    clusters = [k // 14 for k in range(49 * 14)]
    for _ in range(300):
        chances = [rng.betavariate(0.95 * 7 / 3, 0.05 * 7 / 3) for _ in range(49)]
        hits = [rng.random() < chances[cluster] for cluster in clusters]
        plain += _holds(share(hits).interval)
        clustered += _holds(share(hits, clusters).interval)
    assert plain < 220, "of 300 that should be 285"
    assert clustered >= 280


def _holds(interval: tuple[float, float]) -> bool:
    return interval[0] <= 0.95 <= interval[1]


def test_students_quantiles_are_those_of_the_tables() -> None:
    for freedom, quantile in ((2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (1000, 1.962)):
        assert student(freedom) == pytest.approx(quantile, rel=0.032)


def test_a_bootstrap_is_that_of_its_clusters_and_says_nothing_where_they_are_alike() -> None:
    def mean(drawn: object) -> float:
        return sum(drawn) / len(drawn)  # type: ignore[arg-type,call-overload]

    halves = [0.0] * 50 + [1.0] * 50
    assert bootstrap(halves, mean) == pytest.approx((0.40, 0.60), abs=0.02)
    assert bootstrap(halves, mean) == bootstrap(halves, mean)
    for nothing in (bootstrap([1.0] * 9, mean), bootstrap([], mean), bootstrap([1.0], lambda _: math.nan)):
        assert all(math.isnan(end) for end in nothing)


def test_a_clustered_error_is_that_of_the_clusters_means_and_unknown_below_two() -> None:
    """Clusters of one size: the error of a mean of means."""
    values, clusters = [1, 1, 0, 0, 1, 0], ["a", "a", "b", "b", "c", "c"]
    means = [1, 0, 0.5]
    assert clustered_error(values, clusters) == pytest.approx(statistics.stdev(means) / math.sqrt(3))
    assert clustered_error([1, 1, 1], ["a", "b", "c"]) == 0
    assert math.isnan(clustered_error([1, 0], ["a", "a"])) and math.isnan(clustered_error([], []))
