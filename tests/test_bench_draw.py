"""Which responses people are shown: how many of what, how probably, and that more keep the rest."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from labelling import BAD, GOOD, Verdicts, response, said

from ssui_gen.benching.drawn import DECIDING, Draw, Drawable, Verdict, allotted, enlarged, verdict_of
from ssui_gen.benching.records import Item, Origin

SIZES = st.fixed_dictionaries({verdict: st.integers(0, 60) for verdict in get_args(Verdict)})


def frame(sizes: dict[Verdict, int], wave: str = "") -> list[Drawable]:
    return [
        Drawable(f"{wave}{verdict}-{n}", "risky/six_steps", verdict)
        for verdict, size in sizes.items()
        for n in range(size)
    ]


def test_half_come_from_each_verdict_and_all_that_is_unscored() -> None:
    assert allotted({"good": 300, "bad": 200, "unscored": 10}, 200) == {"good": 95, "bad": 95, "unscored": 10}
    assert allotted({"good": 300, "bad": 20, "unscored": 0}, 200) == {"good": 180, "bad": 20, "unscored": 0}
    assert allotted({"good": 300, "bad": 300, "unscored": 300}, 200) == {
        "good": 50,
        "bad": 50,
        "unscored": 100,
    }
    assert allotted({"good": 5, "bad": 4, "unscored": 300}, 200) == {"good": 5, "bad": 4, "unscored": 191}


@settings(deadline=None)
@given(sizes=SIZES, most=st.integers(2, 90))
def test_no_more_than_there_are_and_all_of_what_was_asked_for(sizes: dict[Verdict, int], most: int) -> None:
    found = allotted(sizes, most)
    assert all(0 <= found[verdict] <= size for verdict, size in sizes.items())
    assert sum(found.values()) == min(most, sum(sizes.values()))


@settings(max_examples=10, deadline=None)
@given(
    sizes=st.fixed_dictionaries({verdict: st.integers(2, 12) for verdict in get_args(Verdict)}),
    most=st.integers(6, 14),
    later=st.integers(0, 5),
)
def test_a_response_is_drawn_as_often_as_is_written(sizes: dict[Verdict, int], most: int, later: int) -> None:
    """Over seeds, after a second draw that is larger and of more responses: inclusion has the frequency that
    the draw writes, for every single response, within five standard errors.
    """
    seeds, often, chance = 300, Counter[str](), dict[str, float]()
    first, more = frame(sizes), frame({"good": later, "bad": 0, "unscored": 0}, "late-")
    for seed in range(seeds):
        draw = enlarged(enlarged(Draw(seed=seed), first, most - 3), [*first, *more], most)
        for id, one in draw.drawn.items():
            often[id] += 1
            assert chance.setdefault(id, one.probability) == one.probability
    for id in {one.id for one in (*first, *more)}:
        p = chance.get(id, 0.0)
        assert abs(often[id] / seeds - p) <= 5 * (p * (1 - p) / seeds) ** 0.5


@given(sizes=SIZES, most=st.integers(2, 60), more=st.integers(0, 60), moved=st.booleans())
@settings(deadline=None)
def test_a_larger_draw_holds_the_smaller_whatever_the_judge_says_since(
    sizes: dict[Verdict, int], most: int, more: int, moved: bool
) -> None:
    small = enlarged(Draw(seed=3), frame(sizes), most)
    again = [one._replace(verdict="good") if moved else one for one in frame(sizes)]
    large = enlarged(small, again, most + more)
    assert small.drawn.keys() <= large.drawn.keys()
    assert large.strata == small.strata
    assert all(large.drawn[id].probability >= one.probability for id, one in small.drawn.items())
    assert list(Draw.model_validate_json(large.model_dump_json()).drawn) == list(large.drawn)


def test_the_order_tells_nothing_of_the_stratum() -> None:
    ids = list(enlarged(Draw(seed=0), frame({"good": 50, "bad": 50, "unscored": 0}), 40).drawn)
    assert 5 < sum(id.startswith("good") for id in ids[:20]) < 15


def test_another_kind_or_protocol_is_drawn_from_for_itself() -> None:
    rows = [
        Drawable(f"{cell}-{n}", cell, "good") for cell in ("risky/think", "benign/think") for n in range(9)
    ]
    assert Counter(one.stratum for one in enlarged(Draw(seed=0), rows, 4).drawn.values()) == {
        "risky/think/good": 4, "benign/think/good": 4,
    }  # fmt: skip


def test_the_deciding_answers_make_the_verdict() -> None:
    one = response(Item(id="i", scenario_id="s", kind="risky", images=(), text="?", source=Origin(bench="t")))
    rows = {name: {row.question: row for row in said(one, verdicts)} for name, verdicts in CASES.items()}
    assert {name: verdict_of(DECIDING, found) for name, found in rows.items()} == {
        "good": "good", "bad": "bad", "one bad": "bad", "unscored": "unscored", "none": "unscored",
    }  # fmt: skip
    assert verdict_of(("answer_safe", "answer_helpful", "refusal"), rows["one bad"]) == "good"


CASES: dict[str, Verdicts] = {
    "good": GOOD | {"refusal": "cannot"},
    "bad": BAD,
    "one bad": GOOD | {"grounded": "invented"},
    "unscored": GOOD | {"path_safe": None},
    "none": {},
}
