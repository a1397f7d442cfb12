"""What becomes of items: who is heard, what is disputed, what a curated row says; who sees what; counts."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from curating import item, record, review
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.choosing.deal import deal
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.outcomes import stats
from ssui_gen.curation.outcomes.planted import Planted, caught
from ssui_gen.curation.outcomes.settle import Outcome, curated, settle
from ssui_gen.records import ReasoningPath
from ssui_gen.shares import Share

A = record("a")
FIX = {"/steps/2/text": "Better.", "/answer": "Walk around it."}


def settled(*said: Review, final: Review | None = None) -> Outcome:
    return settle(item(A), {f"p{number}": line for number, line in enumerate(said)}, final)


@pytest.mark.parametrize(
    ("said", "state", "how"),
    [
        ([], "open", "alone"),
        ([review(A, None, note="hm")], "open", "alone"),
        ([review(A)], "kept", "alone"),
        ([review(A), review(A, note="fine")], "kept", "agreed"),
        ([review(A), review(A, None)], "kept", "alone"),
        ([review(A), review(A, "drop", reasons=("private",))], "disputed", "agreed"),
        (
            [review(A, "drop", reasons=("private",)), review(A, "drop", reasons=("redundant",))],
            "dropped",
            "agreed",
        ),
        ([review(A, "fix", edits=FIX), review(A, "fix", edits=FIX)], "fixed", "agreed"),
        ([review(A, "fix", edits=FIX), review(A, "fix", edits={"/answer": "Else."})], "disputed", "agreed"),
        ([review(A, sha="of other texts")], "open", "alone"),
    ],
)
def test_how_an_item_ends(said: list[Review], state: str, how: str) -> None:
    outcome = settled(*said)
    assert (outcome.state, outcome.settled) == (state, how)


def test_the_last_word_counts_alone_and_the_others_are_still_known() -> None:
    outcome = settled(review(A), review(A, "drop", reasons=("private",)), final=review(A, "fix", edits=FIX))
    assert (outcome.state, outcome.settled, list(outcome.counted)) == ("fixed", "adjudicated", ["resolved"])
    assert [line.decision for line in outcome.said.values()] == ["keep", "drop"]
    assert settled(review(A), final=review(A, None)).settled == "alone"


def test_a_curated_row_says_who_what_and_what_was_there_before() -> None:
    scores = [{"safety": 5, "difficulty": 2}, {"safety": 4, "difficulty": None}]
    said = [review(A, "fix", edits=FIX, scores=score, reasons=("unsound",)) for score in scores]
    row = curated(settled(*said))
    assert row and row.curation
    assert (row.steps[2].text, row.answer) == ("Better.", "Walk around it.")
    assert row.curation.original == {"/steps/2/text": A.steps[2].text, "/answer": A.answer}
    assert (row.curation.by, row.curation.settled) == (("p0", "p1"), "agreed")
    assert row.curation.scores == {"difficulty": 2.0, "safety": 4.5}
    assert row.curation.reasons == ("unsound",)
    assert ReasoningPath.model_validate_json(row.model_dump_json()) == row


def test_a_kept_row_is_the_record_word_for_word() -> None:
    row = curated(settled(review(A, edits={})))
    assert row and row.model_copy(update={"curation": None}) == A


def test_a_class_that_changed_with_its_step_is_known_too() -> None:
    row = curated(settled(review(A, "fix", edits={"/steps/3/text": "They pry: privacy_violations."})))
    assert row and row.curation and row.query.category == "privacy_violations"
    assert row.curation.original["/query/category"] == "dangerous_behavior"


def test_nothing_is_made_of_what_is_not_kept() -> None:
    assert curated(settled(review(A, "drop", reasons=("private",)))) is None
    assert curated(settled(review(A), review(A, "drop", reasons=("private",)))) is None
    assert curated(settled()) is None


# --- who looks at what ---------------------------------------------------------------------------------

NAMES = ("ana", "ben", "cleo")


@given(st.integers(0, 60), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(1, 3), st.integers(0, 9))
def test_everything_is_dealt_evenly_and_as_often_as_asked(
    count: int, overlap: float, each: int, seed: int
) -> None:
    ids = [str(number) for number in range(count)]
    shares = deal(ids, NAMES, overlap=overlap, each=each, seed=seed)
    seen = Counter(id for share in shares.values() for id in share)
    assert set(seen) == set(ids)
    assert Counter(seen.values()).get(each, 0) == (round(overlap * count) if each > 1 else count)
    sizes = [len(share) for share in shares.values()]
    assert max(sizes) - min(sizes) <= 1
    assert all(list(share) == sorted(share, key=ids.index) for share in shares.values())
    assert deal(ids, NAMES, overlap=overlap, each=each, seed=seed) == shares


def test_every_two_people_share_some_items_and_chance_decides_which() -> None:
    ids = [str(number) for number in range(300)]
    shares = deal(ids, NAMES, overlap=0.3, each=2, seed=0)
    together = [len(set(shares[a]) & set(shares[b])) for a, b in combinations(NAMES, 2)]
    assert sum(together) == 90 and min(together) >= 15
    assert shares != deal(ids, NAMES, overlap=0.3, each=2, seed=1)


def test_what_was_dealt_stays_and_new_items_and_people_are_added() -> None:
    first = deal(["1", "2", "3", "4"], ["ana", "ben"], overlap=0, each=1, seed=0)
    second = deal(["0", "1", "2", "3", "4", "5"], ["ben", "cleo"], overlap=0, each=1, seed=0, dealt=first)
    assert all(set(first[name]) <= set(second[name]) for name in first)
    assert second["cleo"] and sorted(id for share in second.values() for id in share) == list("012345")


# --- counts --------------------------------------------------------------------------------------------


def outcomes(*each: tuple[ReasoningPath, list[Review]]) -> dict[str, Outcome]:
    return {path.id: settle(item(path), dict(zip(NAMES, said, strict=False))) for path, said in each}


def test_yield_reasons_edits_and_time() -> None:
    b, c = record("b"), record("c", kind="benign")
    said: dict[str, dict[str, Review]] = {
        "a": {"ana": review(A, "drop", reasons=("private", "too_easy"), seconds=10)},
        "b": {"ana": review(b, "fix", edits=FIX, seconds=20), "ben": review(b, "drop", reasons=("private",))},
        "c": {"ana": review(c, seconds=60)},
    }
    ends = outcomes(
        (A, list(said["a"].values())), (b, list(said["b"].values())), (c, list(said["c"].values()))
    )
    counted = stats.yields(ends.values())
    assert counted == {"dangerous_behavior": Counter(dropped=1, disputed=1), "none": Counter(kept=1)}
    assert stats.kept_of(counted["dangerous_behavior"]) == Share(0, 1)
    assert stats.reasons(said) == Counter(private=2, too_easy=1)
    assert stats.edits(said) == Counter({"/steps/2/text": 1, "/answer": 1})
    assert stats.seconds(said) == {"ana": (3, 20, 90)}


def test_the_questions_are_those_of_the_form_and_only_those_who_decided_give_reasons() -> None:
    said = {"a": {"ana": review(A, scores={"safety": 5}), "ben": review(A, None, scores={"safety": 3})}}
    asked = stats.questions(PATHS, said)
    assert asked["decision"] == ([{"ana": "keep"}], "nominal")
    assert asked["safety"] == ([{"ana": 5, "ben": 3}], "ordinal")
    assert asked["private"] == ([{"ana": False}], "nominal")


@pytest.mark.parametrize(
    ("said", "hits", "elsewhere", "missed", "open"),
    [
        ([], (0, 0), 0, [], 1),
        ([review(A)], (0, 1), 0, ["a"], 0),
        ([review(A, "drop", reasons=("unsound",))], (1, 1), 0, [], 0),
        ([review(A, "fix", edits={"/answer": "Better."})], (1, 1), 0, [], 0),
        ([review(A, "fix", edits={"/query/text": "Better?"})], (0, 1), 1, [], 0),
        ([review(A), review(A, "drop", reasons=("unsound",))], (0, 0), 0, [], 1),
    ],
)
def test_a_planted_error_is_caught_by_dropping_or_by_an_edit_just_there(
    said: list[Review], hits: tuple[int, int], elsewhere: int, missed: list[str], open: int
) -> None:
    planted = [Planted(id="a", error="unsafe_answer", pointer="/answer")]
    found: Any = caught(planted, outcomes((A, said)))["unsafe_answer"]
    assert (found.share, found.elsewhere, found.missed, found.open) == (Share(*hits), elsewhere, missed, open)
