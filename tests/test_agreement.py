"""Agreement figures against published worked examples, against their definitions, and against chance."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import permutations, product
from random import Random

import pytest

from ssui_gen.curation.outcomes.agreement import Agreement, Figure, Level, agreement

# Krippendorff (2011), Computing Krippendorff's alpha-reliability, section D: four observers, twelve units.
FOUR = [
    "123321412...",
    "1233224125.3",
    ".3332342251.",
    "12332441251.",
]  # fmt: skip


def columns(*rows: str) -> list[dict[str, Hashable]]:
    """Rows of signs, one a person, as ratings; a point is a value that is missing. Digits are numbers."""
    return [
        {f"p{who}": int(sign) if sign.isdigit() else sign for who, sign in enumerate(signs) if sign != "."}
        for signs in zip(*rows, strict=True)
    ]


def found(ratings: list[dict[str, Hashable]], level: Level = "nominal", draws: int = 0) -> Agreement:
    result = agreement(ratings, level, draws)
    assert result
    return result


def table(counts: list[list[int]]) -> list[dict[str, Hashable]]:
    """A joint table of two people as ratings."""
    cells = product(range(len(counts)), repeat=2)
    return [{"one": a, "two": b} for a, b in cells for _ in range(counts[a][b])]


# --- worked examples -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_four_observers_with_missing_values(level: Level, alpha: float) -> None:
    result = found(columns(*FOUR), level)
    assert result.alpha.value == pytest.approx(alpha, abs=0.0005)
    assert (result.items, result.people) == (11, 4)


def test_krippendorffs_two_observers_of_binary_values() -> None:
    """Section A of the same paper."""
    result = found(columns("0100000010", "1110010000"))
    assert result.alpha.value == pytest.approx(0.095, abs=0.0005)


def test_krippendorffs_two_observers_of_nominal_values() -> None:
    """Section B of the same paper."""
    result = found(columns("aabbdcccedda", "babbbccceddd"))
    assert result.alpha.value == pytest.approx(0.692, abs=0.0005)


def test_cohens_own_example() -> None:
    """Cohen (1960): two people, 200 cases, agreement .70, κ = .492."""
    result = found(table([[88, 14, 18], [10, 40, 10], [2, 6, 12]]))
    assert result.kappa.value == pytest.approx(0.492, abs=0.0005)
    assert result.percent.value == pytest.approx(0.70)


def test_kappa_of_a_common_textbook_table() -> None:
    """50 proposals, two readers, yes or no: agreement 0.70, chance 0.50, κ 0.40."""
    assert found(table([[20, 5], [10, 15]])).kappa.value == pytest.approx(0.4)


# --- by definition -------------------------------------------------------------------------------------


def alpha_by_definition(ratings: list[dict[str, Hashable]], level: Level) -> float:
    """1 − observed / expected disagreement over all pairs of values, written out."""
    units = [list(unit.values()) for unit in ratings if len(unit) > 1]
    values = [value for unit in units for value in unit]
    counts = {value: values.count(value) for value in set(values)}

    def delta(a: int, b: int) -> float:
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return float((a - b) ** 2)
        low, high = sorted((a, b))
        between = sum(n for value, n in counts.items() if low <= value <= high)  # type: ignore[operator]
        return (between - (counts[low] + counts[high]) / 2) ** 2

    seen = sum(delta(a, b) / (len(unit) - 1) for unit in units for a, b in permutations(unit, 2)) / len(
        values
    )  # type: ignore[arg-type]
    chance = sum(delta(a, b) for a, b in permutations(values, 2)) / (len(values) * (len(values) - 1))  # type: ignore[arg-type]
    return 1 - seen / chance


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_what_its_definition_says(level: Level, seed: int) -> None:
    rng = Random(seed)
    ratings: list[dict[str, Hashable]] = [
        {
            f"p{who}": min(5, max(1, middle + rng.choice([-1, 0, 0, 1])))
            for who in range(4)
            if rng.random() < 0.8
        }
        for middle in rng.choices(range(1, 6), k=25)
    ]
    assert found(ratings, level).alpha.value == pytest.approx(alpha_by_definition(ratings, level))


def test_of_labels_dealt_by_chance_nothing_is_left_but_percent() -> None:
    rng = Random(1)
    ratings: list[dict[str, Hashable]] = [
        {who: rng.choices(["keep", "drop"], [9, 1])[0] for who in ("ana", "ben", "cleo")} for _ in range(3000)
    ]
    result = found(ratings)
    assert result.percent.value == pytest.approx(0.82, abs=0.02)
    assert result.alpha.value == pytest.approx(0, abs=0.03)
    assert result.kappa.value == pytest.approx(0, abs=0.03)
    assert (result.usual, round(result.share, 1)) == ("keep", 0.9)


# --- intervals and edges -------------------------------------------------------------------------------


def test_intervals_hold_the_figure_narrow_with_items_and_are_the_same_each_time() -> None:
    few, many = found(columns(*FOUR), draws=1000), found(columns(*(row * 20 for row in FOUR)), draws=1000)
    for result in (few, many):
        for figure in (result.percent, result.kappa, result.alpha):
            assert figure.low is not None and figure.high is not None and figure.value is not None
            assert figure.low <= figure.value <= figure.high
    assert _width(many.alpha) < _width(few.alpha) / 3
    assert found(columns(*FOUR), draws=1000) == few


def _width(figure: Figure) -> float:
    return (figure.high or 0) - (figure.low or 0)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Two people who agree beyond chance half the time: κ and α are 0.5."""
    rng, inside = Random(2), 0
    for _ in range(200):
        ratings: list[dict[str, Hashable]] = []
        for _ in range(80):
            one = rng.random() < 0.5
            ratings.append({"a": one, "b": one if rng.random() < 0.5 else rng.random() < 0.5})
        alpha = found(ratings, draws=300).alpha
        inside += (alpha.low or 0) <= 0.5 <= (alpha.high or 0)
    assert 0.88 <= inside / 200 <= 0.99


def test_where_everybody_always_says_the_same_nothing_is_made_up() -> None:
    result = found(columns("kkk", "kkk"), draws=50)
    assert (result.percent.value, result.kappa, result.alpha) == (1.0, Figure(None), Figure(None))
    assert str(result.alpha) == "undefined"


def test_items_that_one_person_saw_do_not_count_and_without_others_there_is_no_figure() -> None:
    assert agreement([{"ana": "keep"}, {}]) is None
    assert found([{"ana": "keep"}, {"ana": "keep", "ben": "keep"}, {"ana": "drop", "ben": "drop"}]).items == 2


def test_of_more_than_two_people_kappa_is_the_mean_over_every_two() -> None:
    two = [
        found(columns(a, b)).kappa.value or 0
        for a, b in [("ababab", "abaaab"), ("ababab", "bbabab"), ("abaaab", "bbabab")]
    ]
    assert found(columns("ababab", "abaaab", "bbabab")).kappa.value == pytest.approx(sum(two) / 3)
