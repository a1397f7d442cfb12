"""What a person edited becomes a pair: the path as it is over the path as it was, at that cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from curating import curation, item, record, review
from exploring import cuts, explored, judge, pairs, policy
from fake_server import Fake
from jobs import rows

from ssui_gen.branches import Pair
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.curation.outcomes.settle import curated, settle
from ssui_gen.exploring.edited import edit_pairs, says_the_same
from ssui_gen.reading import read
from ssui_gen.records import ReasoningPath

A = record("a")


def after(edits: dict[str, str]) -> ReasoningPath:
    row = curated(settle(item(A), {"ana": review(A, "fix", edits=edits)}))
    assert row
    return row


def texts(pair: Pair) -> tuple[str, str]:
    chosen, rejected = (side[0]["content"][0]["text"] for side in (pair.chosen, pair.rejected))
    return chosen, rejected


def test_an_edited_step_over_its_original_at_that_cut() -> None:
    row = after({"/steps/2/text": "Better."})
    (pair,) = edit_pairs(row, "Think.")
    assert (pair.source, pair.cut, pair.prefix, pair.margin) == ("edit", 2, prefix_at(row.steps, 2), None)
    assert texts(pair) == (render_path(row.steps, row.answer), render_path(A.steps, A.answer))
    assert all(text.startswith(pair.prefix) for text in texts(pair))
    assert pair.prompt[0]["role"] == "system" and pair.image_ref == A.image


def test_each_cut_gives_a_pair_and_begins_with_the_steps_as_they_are() -> None:
    row = after(
        {"/steps/1/text": "One.", "/steps/4/text": "Four.", "/answer": "Mine.", "/query/text": "Why?"}
    )
    found = edit_pairs(row)
    assert [pair.cut for pair in found] == [1, 4, 5]
    old = read(texts(found[1])[1])
    assert [old.steps[1].text, old.steps[4].text, old.answer] == ["One.", A.steps[4].text, A.answer]
    assert len({pair.id for pair in found}) == 3
    assert all(part["text"] == "Why?" for pair in found for part in pair.prompt[0]["content"][1:])


def test_where_f_judges_steps_the_pair_holds_the_step_alone() -> None:
    row = after({"/steps/2/text": "Better.", "/answer": "Mine."})
    step, last = edit_pairs(row, level="step")
    assert texts(step) == (prefix_at(row.steps, 3), prefix_at([*row.steps[:2], A.steps[2]], 3))
    assert texts(last)[0].endswith("Answer: Mine.") and texts(last)[1].endswith(f"Answer: {A.answer}")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Mind the floor, it is wet.", "Mind the floor: it is wet!", True),
        ("mind teh floor", "Mind the floor", False),
        ("Mind the flor.", "Mind the floor.", True),
        ("They recieve it.", "They receive it.", True),
        ("It is legal.", "It is illegal.", False),
        ("It is safe.", "It is unsafe.", False),
        ("It can be done.", "It cannot be done.", False),
        ("It can be done.", "It can't be done.", False),
        ("Do it now.", "Do it not.", False),
        ("A typical case.", "An atypical case.", False),
        ("", "", True),
    ],
)
def test_a_comma_is_no_preference(one: str, other: str, same: bool) -> None:
    assert says_the_same(one, other) is says_the_same(other, one) is same


def test_an_edit_of_points_alone_stays_in_the_path_and_makes_no_pair() -> None:
    row = after({"/steps/2/text": A.steps[2].text.replace(".", "!") + "!", "/answer": "Mine."})
    assert [pair.cut for pair in edit_pairs(row)] == [5]


@pytest.mark.parametrize("edits", [{}, {"/query/text": "Why?"}, {"/query/scenario": "Worse."}])
def test_what_changes_no_step_gives_no_pair(edits: dict[str, str]) -> None:
    row = after(edits) if edits else A
    assert edit_pairs(row) == []


def test_ids_and_rows_are_the_same_each_time() -> None:
    row = after({"/steps/2/text": "Better."})
    assert edit_pairs(row) == edit_pairs(ReasoningPath.model_validate_json(row.model_dump_json()))


def test_from_review_to_pairs(fake: Fake, tmp_path: Path) -> None:
    """Paths of a run, reviewed by hand: kept, fixed and dropped ones, and the pairs made of what is left."""
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    assert curation(todo.run, "export", "--as", "ana", "--seeds", str(todo.seeds)).code == 0
    lines = rows(todo.run / "curation" / "ana.jsonl")
    lines[0]["decision"] = "keep"
    lines[1] |= {"decision": "fix", "edits": {"/steps/2/text": "Edited by hand."}}
    lines[2] |= {"decision": "drop", "reasons": ["redundant"]}
    (todo.run / "curation" / "ana.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert curation(todo.run, "apply").code == 0
    done = pairs(todo)
    assert done.code == 0, done.err
    made = rows(todo.run / "pairs.jsonl")
    edits = [pair for pair in made if pair["source"] == "edit"]
    assert [(pair["path_id"], pair["cut"]) for pair in edits] == [(lines[1]["id"], 2)]
    assert {pair["path_id"] for pair in made} <= {lines[0]["id"], lines[1]["id"]}
    later = [cut for cut in cuts(todo) if cut["path_id"] == lines[1]["id"] and cut["cut"] > 2]
    assert later and all("Edited by hand." in cut["prefix"] for cut in later)
