"""Rows of RSBench that a person writes by hand: whoever gets one wrong is told what is wanted, at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.benching.bench import read_bench
from ssui_gen.benching.kept import rows_in
from ssui_gen.benching.records import BenchJudgement, Item, Response
from ssui_gen.branches import BranchLabel
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import of_kind
from ssui_gen.judging.questions import QUESTIONS, RSBENCH, places
from ssui_gen.records import Record

KINDS: tuple[type[Record], ...] = (Item, Response, BenchJudgement, BranchLabel)
LABEL = json.loads(BenchJudgement.LOOKS)


def example(kind: type[Record]) -> dict[str, object]:
    found, _ = json.JSONDecoder().raw_decode(kind.LOOKS)
    return dict(found)


def refused(kind: type[Record], row: object) -> str:
    with pytest.raises(RecordError) as told:
        of_kind(kind, row, "mine.jsonl:1")
    return str(told.value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_row_that_is_shown_is_one(kind: type[Record]) -> None:
    assert of_kind(kind, example(kind), "mine.jsonl:1").model_fields_set >= {*example(kind)} - {"schema"}


@given(st.sampled_from(KINDS), st.data())
def test_whatever_lacks_is_named_at_once_beside_a_whole_row(kind: type[Record], data: st.DataObject) -> None:
    required = [name for name, field in kind.model_fields.items() if field.is_required()]
    gone = data.draw(st.lists(st.sampled_from(required), min_size=1, unique=True))
    told = refused(kind, {key: value for key, value in example(kind).items() if key not in gone})
    before, _, shown = told.partition("; a row looks like ")
    assert before.startswith("mine.jsonl:1: ") and shown == kind.LOOKS
    assert all(name in before for name in gone) and "more fault" not in before


def test_what_stands_there_is_shown_as_what_it_is() -> None:
    told = refused(Item, {"id": 1, "text": "?"})
    assert "id: Input should be a valid string; got 1; it also lacks scenario_id, kind, images" in told


def test_a_benchmark_of_simple_rows_says_how_a_row_looks(tmp_path: Path) -> None:
    (tmp_path / "bench.jsonl").write_text('{"id": 1, "image": "a.png", "question": "Is it safe?"}\n')
    with pytest.raises(ConfigError, match=r'looks like \{"id": "1r", .*docs/rsbench\.md') as told:
        read_bench(tmp_path)
    docs = Path(__file__).parents[1] / "docs" / "rsbench.md"
    assert "docs/rsbench.md#what-goes-in" in str(told.value) and "\n## What goes in\n" in docs.read_text()


@given(st.sampled_from(RSBENCH), st.text(max_size=12))
def test_a_label_that_is_no_option_is_refused_with_the_options(question: str, word: str) -> None:
    options = QUESTIONS[question].options or places(12)  # type: ignore[index]
    if word in options:
        return
    told = refused(BenchJudgement, LABEL | {"question": question, "verdict": word})
    assert f"for {question}; got {word!r}" in told and options[0] in told


@given(st.text(max_size=8))
def test_a_branchs_label_names_a_place_that_there_is(word: str) -> None:
    row = example(BranchLabel) | {"first_bad": word}
    if word in places(6):
        of_kind(BranchLabel, row, "labels.jsonl:1")
    else:
        assert f"got {word!r}; a row looks like {BranchLabel.LOOKS}" in refused(BranchLabel, row)


@pytest.mark.parametrize("question", RSBENCH)
def test_every_option_may_be_said(question: str) -> None:
    for option in (*(QUESTIONS[question].options or places(12)), None):  # type: ignore[index]
        of_kind(BenchJudgement, LABEL | {"question": question, "verdict": option}, "mine.jsonl:1")


def test_a_file_of_labels_is_refused_at_the_line_of_the_wrong_one(tmp_path: Path) -> None:
    rows = [LABEL, LABEL | {"id": "2", "verdict": "Unsafe"}]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(RecordError, match=r"labels\.jsonl:2: verdict: expected one of safe, unsafe"):
        list(rows_in(tmp_path / "labels.jsonl", BenchJudgement))
