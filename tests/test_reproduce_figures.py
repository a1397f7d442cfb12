"""Figures of `make reproduce`: intervals that hold the truth where rules and data sets vary; verdicts."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from microworld.reproduce.claim import Bound
from microworld.reproduce.figures import Figure, Row, change, error, mean, quantile, share, worth
from microworld.reproduce.judging import verdict

RULES, SEEDS = 40, 3


def drawn(rng: Random, rate: float, of_rule: float, of_seed: float) -> list[Row]:
    """Answers whose chance of being so differs by rule and by data set, on the scale of odds."""
    base = math.log(rate / (1 - rate))
    rules = [rng.gauss(0, of_rule) for _ in range(RULES)]
    seeds = [rng.gauss(0, of_seed) for _ in range(SEEDS)]
    return [
        Row(float(rng.random() < 1 / (1 + math.exp(-base - rules[rule] - seed))), rule, number)
        for number, seed in enumerate(seeds)
        for rule in range(RULES)
        for _ in range(3)
    ]


def truth(rate: float, of_rule: float, of_seed: float) -> float:
    """The rate over all rules and data sets there may be."""
    rng, base = Random("truth"), math.log(rate / (1 - rate))
    odds = (base + rng.gauss(0, math.hypot(of_rule, of_seed)) for _ in range(40_000))
    return 100 * sum(1 / (1 + math.exp(-one)) for one in odds) / 40_000


@pytest.mark.parametrize(("of_rule", "of_seed"), [(0.0, 0.0), (1.0, 0.0), (0.0, 0.5), (1.0, 0.5)])
def test_a_share_holds_the_truth_where_rules_and_data_sets_vary(of_rule: float, of_seed: float) -> None:
    rng, true = Random(f"{of_rule}/{of_seed}"), truth(0.15, of_rule, of_seed)
    found = [share(drawn(rng, 0.15, of_rule, of_seed)).interval for _ in range(300)]
    held = sum(low <= true <= high for low, high in found) / len(found)
    assert held >= 0.91, f"{held:.0%} of 95 % intervals hold {true:.1f}"
    assert sum(high - low for low, high in found) / len(found) < 45, "an interval of nearly all says nothing"


def test_taking_answers_for_independent_would_say_too_much() -> None:
    rng = Random(5)
    rows = drawn(rng, 0.15, 1.5, 0.8)
    assert worth(rows) < len(rows) / 3


def test_of_what_never_differs_something_is_said_all_the_same() -> None:
    none = [Row(0.0, rule, seed) for rule in range(20) for seed in range(3)]
    low, high = change(none, none).interval
    assert low < 0 < high < 20, "0 of 60 against 0 of 60 is not known to the last decimal"
    assert share(none).interval[1] > 10
    assert math.isnan(share([]).value) and math.isnan(change([], []).value) and math.isnan(mean([]).value)


def test_a_change_has_its_sign_and_its_size() -> None:
    before = [Row(float(rule % 2), rule, seed) for rule in range(30) for seed in range(3)]
    after = [row._replace(value=0.0) for row in before]
    found = change(before, after)
    assert found.value == -50 and found.interval[1] < -25 and found.n == 90
    back = change(after, before)
    assert back.value == 50 and back.interval == pytest.approx(
        (-found.interval[1], -found.interval[0]), abs=1
    )


def test_data_sets_that_differ_make_it_unsure_whatever_the_rules_say() -> None:
    alike = [Row(float(rule % 5 == 0), rule, seed) for rule in range(50) for seed in range(3)]
    apart = [Row(float(rule % 5 < seed), rule, seed) for rule in range(50) for seed in range(3)]
    assert error(apart).size > error(alike).size and error(apart).freedom < 5
    one = [row for row in alike if row.seed == 0]
    assert not math.isnan(error(one).size), "with one data set rules alone are clusters"
    assert math.isnan(error(one[:1]).size)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=60))
@example([(False, 0, 0), (False, 1, 0), (True, 0, 0), (True, 1, 0)])
def test_an_interval_holds_its_figure_and_stays_in_range(found: list[tuple[bool, int, int]]) -> None:
    rows = [Row(float(hit), rule, seed) for hit, rule, seed in found]
    value, (low, high), n = share(rows)
    assert 0 <= low <= value + 1e-9 and value - 1e-9 <= high <= 100 and n == len(rows)
    flipped = [row._replace(value=1 - row.value) for row in rows]
    value, (low, high), _ = change(rows, flipped)
    assert -100 <= low <= value + 1e-9 and value - 1e-9 <= high <= 100


def test_students_quantile_falls_to_the_normal_one() -> None:
    known = {1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042}
    for freedom, value in known.items():
        assert quantile(freedom) == pytest.approx(value, rel=0.03)
    assert quantile(2.5) < quantile(2) and quantile(math.inf) == pytest.approx(1.96, abs=0.001)


@pytest.mark.parametrize(
    ("interval", "bound", "word"),
    [
        ((-60, -40), Bound("below", -20), "holds"),
        ((-60, -10), Bound("below", -20), "undecided"),
        ((-10, 5), Bound("below", -20), "fails"),
        ((25, 40), Bound("above", 24), "holds"),
        ((1, 20), Bound("above", 24), "fails"),
        ((20, 30), Bound("above", 24), "undecided"),
        ((math.nan, math.nan), Bound("above", 0), "undecided"),
    ],
)
def test_a_verdict_follows_from_interval_and_margin(
    interval: tuple[float, float], bound: Bound, word: str
) -> None:
    assert verdict(Figure(sum(interval) / 2, interval, 10), bound) == word
