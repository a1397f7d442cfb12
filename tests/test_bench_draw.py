"""Which scenarios people are shown: how many of what, how probably, and that more keep the rest."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from ssui_gen.benching.drawn import Draw, Drawable, Verdict, allotted, begun, enlarged, verdict_of

SIZES = st.fixed_dictionaries({verdict: st.integers(0, 60) for verdict in get_args(Verdict)})


def scenario(id: str, verdict: Verdict, cell: str = "six_steps", items: int = 2) -> Drawable:
    return Drawable(id, cell, verdict, tuple(f"{id}/{item}" for item in range(items)))


def frame(sizes: dict[Verdict, int], wave: str = "") -> list[Drawable]:
    return [scenario(f"{wave}{verdict}-{n}", verdict) for verdict, size in sizes.items() for n in range(size)]


def test_half_come_from_each_verdict_and_what_is_unscored_is_likelier() -> None:
    assert allotted({"good": 300, "bad": 200, "unscored": 10}, 200) == {"good": 96, "bad": 96, "unscored": 8}
    assert allotted({"good": 300, "bad": 20, "unscored": 0}, 200) == {"good": 180, "bad": 20, "unscored": 0}
    assert allotted({"good": 300, "bad": 300, "unscored": 300}, 200) == {
        "good": 50,
        "bad": 50,
        "unscored": 100,
    }
    assert allotted({"good": 5, "bad": 4, "unscored": 300}, 200) == {"good": 5, "bad": 4, "unscored": 191}


@given(sizes=SIZES, most=st.integers(2, 90))
def test_no_more_than_there_are_and_all_of_what_was_asked_for(sizes: dict[Verdict, int], most: int) -> None:
    found = allotted(sizes, most)
    assert all(0 <= found[verdict] <= size for verdict, size in sizes.items())
    assert sum(found.values()) == min(most, sum(sizes.values()))


@settings(max_examples=10)
@given(
    sizes=st.fixed_dictionaries({verdict: st.integers(2, 12) for verdict in get_args(Verdict)}),
    most=st.integers(6, 14),
    later=st.integers(0, 5),
)
def test_a_scenario_is_drawn_as_often_as_is_written(sizes: dict[Verdict, int], most: int, later: int) -> None:
    """Over seeds, after a second draw that is larger and of more scenarios: inclusion has the frequency that
    the draw writes, for every single response, within five standard errors, and no scenario comes in part.
    """
    seeds, often, chance = 300, Counter[str](), dict[str, float]()
    first, more = frame(sizes), frame({"good": later, "bad": 0, "unscored": 0}, "late-")
    for seed in range(seeds):
        draw = enlarged(enlarged(begun(seed), first, 2 * most - 6), [*first, *more], 2 * most)
        assert set(Counter(one.unit for one in draw.drawn.values()).values()) == {2}
        for id, one in draw.drawn.items():
            often[id] += 1
            assert chance.setdefault(id, one.probability) == one.probability
    for id in (id for one in (*first, *more) for id in one.responses):
        p = chance.get(id, 0.0)
        assert abs(often[id] / seeds - p) <= 5 * (p * (1 - p) / seeds) ** 0.5


@given(sizes=SIZES, most=st.integers(2, 60), more=st.integers(0, 60), moved=st.booleans())
def test_a_larger_draw_holds_the_smaller_whatever_the_judge_says_since(
    sizes: dict[Verdict, int], most: int, more: int, moved: bool
) -> None:
    small = enlarged(begun(3), frame(sizes), most)
    again = [one._replace(verdict="good") if moved else one for one in frame(sizes)]
    large = enlarged(small, again, most + more)
    assert small.drawn.keys() <= large.drawn.keys()
    assert large.strata == small.strata
    assert all(large.drawn[id].probability >= one.probability for id, one in small.drawn.items())
    assert list(Draw.model_validate_json(large.model_dump_json()).drawn) == list(large.drawn)


def test_the_order_tells_nothing_of_stratum_or_scenario() -> None:
    drawn = enlarged(begun(0), frame({"good": 50, "bad": 50, "unscored": 0}), 80).drawn
    ids = list(drawn)
    assert 10 < sum(id.startswith("good") for id in ids[:40]) < 30
    assert sum(drawn[one].unit == drawn[other].unit for one, other in pairwise(ids)) < 8


def test_another_protocol_is_drawn_from_for_itself_and_most_counts_responses() -> None:
    rows = [
        scenario(f"{cell}-{n}", "good", cell, items)
        for cell, items in (("think", 3), ("as_is", 1))
        for n in range(9)
    ]
    assert Counter(one.stratum for one in enlarged(begun(0), rows, 6).drawn.values()) == {
        "think/good": 6, "as_is/good": 6,
    }  # fmt: skip


def test_what_comes_later_to_a_drawn_scenario_belongs_to_it() -> None:
    rows = frame({"good": 6, "bad": 6, "unscored": 0})
    small = enlarged(begun(0), rows, 8)
    longer = [one._replace(responses=(*one.responses, f"{one.id}/late")) for one in rows]
    large = enlarged(small, longer, 8)
    late = {id: one for id, one in large.drawn.items() if id.endswith("late")}
    assert {one.unit for one in late.values()} == {one.unit for one in small.drawn.values()}
    assert {one.probability for one in late.values()} == {2 / 6}


def test_the_judges_word_on_all_items_makes_the_stratum() -> None:
    assert [verdict_of(said) for said in (True, False, None)] == ["good", "bad", "unscored"]
