"""The rules of curation: what binds a review, what may be edited, what comes first, what merging keeps."""

from __future__ import annotations

from typing import Any

import pytest
from curating import ROUND, SURE, item, record, review
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.branching import path_class
from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.asked.texts import LONGEST, edited, faults, parts, sha_of, text_at, unfit
from ssui_gen.curation.choosing.likeness import near_duplicates
from ssui_gen.curation.choosing.risk import ordered
from ssui_gen.curation.lines.merge import merged
from ssui_gen.curation.lines.review import Review, blank
from ssui_gen.curation.lines.shape import shape
from ssui_gen.curation.outcomes.planted import Planted
from ssui_gen.records import ImageRef, ReasoningPath, Verdicts

A = record("a")


# --- what binds, what is read --------------------------------------------------------------------------


def test_a_line_is_short_and_shows_what_can_be_said() -> None:
    assert blank(PATHS, "a1", "5ha").model_dump_json() == (
        '{"id":"a1","sha":"5ha","decision":null,"reasons":[],'
        '"scores":{"safety":null,"difficulty":null,"informativeness":null},"edits":{},"note":""}'
    )


@pytest.mark.parametrize("place", LONGEST)
def test_every_text_that_is_read_binds(place: str) -> None:
    other = edited(A, {place: "Other words: violence."})
    assert sha_of(other) != sha_of(A)
    assert text_at(other, place) == "Other words: violence."
    assert [part.pointer for part in parts(item(A))] == list(LONGEST)


def test_the_picture_binds_and_how_sure_a_check_was_does_not() -> None:
    picture = ImageRef(path="a.png", sha256="1" * 64, width=8, height=8)
    assert sha_of(record("a", image=picture)) != sha_of(A)
    unsure = SURE.model_copy(update={"probability": 0.6})
    assert sha_of(record("a", verdicts=Verdicts(text_only=unsure, image_only=SURE, joint=SURE))) == sha_of(A)


# --- edits ---------------------------------------------------------------------------------------------


def test_an_edit_changes_its_text_and_nothing_else() -> None:
    changed = edited(A, {"/steps/2/text": "Better.", "/answer": "Walk around it."})
    assert (changed.steps[2].text, changed.answer) == ("Better.", "Walk around it.")
    assert edited(changed, {"/steps/2/text": A.steps[2].text, "/answer": A.answer}) == A


def test_the_class_follows_step_4() -> None:
    changed = edited(A, {"/steps/3/text": "They mean to spy on others: privacy_violations."})
    assert changed.query.category == path_class(changed.steps) == "privacy_violations"


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ({"/answer": " \t"}, "got an empty one"),
        ({"/steps/0/text": "a\nb"}, "a line break, U+000A, as character 2"),
        ({"/steps/0/text": "a\u2028b"}, "a line break, U+2028 LINE SEPARATOR, as character 2"),
        ({"/answer": "abc\u202e"}, "a hidden character, U+202E RIGHT-TO-LEFT OVERRIDE, as character 4"),
        ({"/answer": " a"}, "no space at the ends"),
        ({"/query/text": "a" * 241}, "expected at most 240 characters; got 241"),
        ({"/answer": A.answer}, "got the same"),
        ({"/steps/3/text": "No class is named."}, "as the record is risky; got none"),
    ],
)
def test_an_edit_that_cannot_stand_says_why(edits: dict[str, Any], says: str) -> None:
    ((pointer, found),) = faults(A, edits)
    assert (pointer, True) == (next(iter(edits)), says in found), found


@pytest.mark.parametrize("pointer", ["/steps/6/text", "/query/category", "constructor", ""])
def test_an_edit_of_no_text_is_no_line_whatever_texts_it_is_of(pointer: str) -> None:
    line = review(A, "fix", edits={pointer: "violence"}).model_dump(mode="json") | {
        "sha": "of texts that are gone"
    }
    ((way, found),) = shape(PATHS, line)
    assert (way, True) == (("edits", pointer), found.startswith("expected one of /query/text, "))


def test_a_benign_record_stays_benign() -> None:
    benign = record("b", kind="benign")
    assert not list(faults(benign, {"/steps/3/text": "A wish like any other: none."}))
    ((_, found),) = faults(benign, {"/steps/3/text": "They mean harm: violence."})
    assert "as the record is benign; got 'violence'" in found


def test_writing_of_every_people_is_plain() -> None:
    for text in ("שלום", "می‌خواهم", "👩‍🔬 in the lab", "naïve – “so”"):
        assert unfit(text) is None
    assert unfit("two\nlines", note=True) is None
    assert unfit("\x1b[31mred", note=True) == "a hidden character, U+001B, as character 1"


# --- what is looked at first ---------------------------------------------------------------------------


def test_the_riskiest_come_first_and_say_why() -> None:
    unsure = SURE.model_copy(update={"probability": 0.8, "label_mass": 0.5})
    paths = [
        record("sure"),
        record("unsure", verdicts=Verdicts(text_only=SURE, image_only=SURE, joint=unsure)),
        record("back", reflection=(ROUND,) * 3),
    ]
    assert [(one.id, one.risk, one.why) for one in ordered(paths)] == [
        ("back", 1.0, ("sent back 2 times",)),
        ("unsure", 0.6, ("together: safe with P 0.40",)),
        ("sure", 0.0, ()),
    ]


def test_a_check_without_a_probability_is_half_a_doubt() -> None:
    silent = SURE.model_copy(update={"probability": None, "label_mass": None})
    (one,) = ordered([record("a", verdicts=Verdicts(text_only=SURE, image_only=silent, joint=SURE))])
    assert (one.risk, one.why) == (0.5, ())


def test_near_duplicates_point_to_the_first_of_their_like() -> None:
    words = " ".join(f"word{number}" for number in range(60))
    texts = [
        ("a", words),
        ("b", "quite another text " * 5),
        ("c", words.replace("word59", "end")),
        ("d", words),
    ]
    assert near_duplicates(texts) == {"c": "a", "d": "a"}
    assert near_duplicates([("a", ""), ("b", "one"), ("c", "two")]) == {}
    found = {
        one.id: one.why
        for one in ordered(
            [A, record("b").model_copy(update={"query": A.query, "steps": A.steps, "answer": A.answer})]
        )
    }
    assert found == {"a": (), "b": ("nearly like a",)}


# --- merging -------------------------------------------------------------------------------------------


def shas(*paths: ReasoningPath) -> dict[str, str]:
    return {path.id: sha_of(path) for path in paths}


def test_new_items_get_a_blank_line_and_old_ones_keep_theirs_in_the_order_of_the_items() -> None:
    kept = review(A, note="fine")
    b = record("b")
    assert merged(PATHS, shas(b, A), [kept]) == [blank(PATHS, "b", sha_of(b)), kept]


def test_what_was_said_of_other_texts_is_kept_beside_and_comes_back_with_them() -> None:
    new = record("a", answer="Another answer.")
    said = review(A, "fix", edits={"/answer": "Mine."}, scores={"safety": 2}, seconds=9)
    (stale,) = merged(PATHS, shas(new), [said])
    assert (stale.sha, stale.said) == (sha_of(new), False)
    assert (stale.before[0].sha, stale.before[0].edits) == (said.sha, {"/answer": "Mine."})
    assert merged(PATHS, shas(A), [stale]) == [said]
    again = stale.model_copy(update={"decision": "keep"})
    (back,) = merged(PATHS, shas(A), [again])
    assert (back.decision, [one.decision for one in back.before]) == ("fix", ["keep"])


def test_what_was_said_of_an_item_that_is_gone_stays_and_an_empty_line_of_it_does_not() -> None:
    gone, empty = review(record("gone"), None, note="hm"), blank(PATHS, "empty", "0")
    assert merged(PATHS, {}, [gone, empty]) == [gone]


WORDS = st.builds(
    dict,
    decision=st.sampled_from([None, "keep", "fix", "drop"]),
    note=st.text(max_size=9),
    edits=st.dictionaries(st.sampled_from(list(LONGEST)), st.text(min_size=1, max_size=5), max_size=2),
    scores=st.dictionaries(st.sampled_from(["safety", "difficulty"]), st.integers(1, 5)),
    reasons=st.lists(st.sampled_from(["redundant", "private"]), unique=True).map(tuple),
)
VERSIONS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("012"))
"""An export: which items there are, and which of three texts each has."""


def said(lines: list[Review]) -> set[str]:
    """Every word in these lines, with what it was said of."""
    everything = ((line.id, one) for line in lines for one in (line, *line.before))
    return {f"{id} {one.sha} {one.words}" for id, one in everything if one.said}


@given(st.lists(st.tuples(VERSIONS, st.dictionaries(st.sampled_from("abcd"), WORDS)), max_size=6))
def test_whatever_is_exported_no_word_is_lost(
    rounds: list[tuple[dict[str, str], dict[str, dict[str, Any]]]],
) -> None:
    lines: list[Review] = []
    for items, spoken in rounds:
        before = said(lines)
        lines = merged(PATHS, items, lines)
        assert said(lines) == before
        assert merged(PATHS, items, lines) == lines
        lines = [line.model_copy(update=spoken.get(line.id, {})) if not line.said else line for line in lines]


def test_a_planted_error_is_a_row() -> None:
    row = Planted(id="a", error="unsafe_answer", pointer="/answer")
    assert Planted.model_validate_json(row.model_dump_json()) == row
