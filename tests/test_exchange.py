"""Out to Argilla and Label Studio and back: nothing is lost on the way, and nothing half taken."""

from __future__ import annotations

import json
import xml.etree.ElementTree as Xml
from pathlib import Path
from random import Random
from typing import Any

import pytest
from curating import curation, exported, item, put_paths, record, review, say
from jobs import rows

from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.asked.texts import LONGEST
from ssui_gen.curation.formats import argilla, label_studio
from ssui_gen.curation.formats.outside import NAMES, answered, line_of
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.lines.shape import agreement_with

A, B, C = (record(letter * 4) for letter in "abc")
FILES = {"argilla": "records.json", "label_studio": "tasks.json"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B, C])


def sent(run: Path, tool: str, name: str = "ana") -> Path:
    done = curation(run, "export", "--as", name, "--to", tool)
    assert done.code == 0, done.out
    return run / "curation" / tool / FILES[tool]


def change(file: Path, id: str, new: Any) -> None:
    """Edit one record or task of a file as that tool's export would have it."""
    found = json.loads(file.read_text())
    for one in found:
        if id in (one.get("id"), one.get("data", {}).get("id")):
            new(one)
    file.write_text(json.dumps(found))


def random_line(rng: Random) -> Review:
    edits = {place: f"Other words {rng.random()}: violence." for place in LONGEST if rng.random() < 0.3}
    return review(
        A, "fix" if edits else rng.choice(["keep", "drop", None]), edits=edits,
        reasons=tuple(choice.value for choice in PATHS.reasons if rng.random() < 0.3),
        scores={score.value: rng.choice([None, 1, 5]) for score in PATHS.scores},
        note=rng.choice(["n", "two\nlines é \"q\""]), seconds=rng.choice([None, 3]),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(30))
def test_what_is_said_comes_back_as_it_went(seed: int) -> None:
    line, one = random_line(Random(seed)), item(A)
    there = answered(line)
    row = argilla.ArgillaRecord.model_validate_json(
        argilla.record(one, ["p"], "ana", there).model_dump_json()
    )
    back = argilla.answers_of(row, argilla.user_of("ana"))
    assert back and line_of(PATHS, one, back) == line.model_copy(update={"seconds": None}), "it times nobody"
    task = label_studio.Task.model_validate_json(label_studio.task(one, ["p"], there, 1).model_dump_json())
    back = label_studio.answers_of(task, "")
    assert back and line_of(PATHS, one, back) == line


@pytest.mark.parametrize("tool", FILES)
def test_a_whole_review_goes_out_and_comes_back_to_somebody_else(run: Path, tool: str) -> None:
    say(
        run, "ana", aaaa={"decision": "keep", "scores": {"safety": 4}, "note": "fine"},
        bbbb={"decision": "fix", "edits": {"/steps/2/text": "Better.", "/answer": "Mine."}},
        cccc={"decision": "drop", "reasons": ["too_easy", "private"]},
    )  # fmt: skip
    file = sent(run, tool)
    done = curation(run, "import", str(file), "--from", tool, "--as", "ben")
    assert (done.code, "3 items from" in done.out) == (0, True), done.out
    both = [rows(run / "curation" / f"{name}.jsonl") for name in ("ana", "ben")]
    plain = [
        [row | {"scores": {k: v for k, v in row["scores"].items() if v}} for row in each] for each in both
    ]
    assert plain[0] == plain[1]
    assert curation(run, "check").code == 0
    again = curation(run, "import", str(file), "--from", tool, "--as", "ben")
    assert again.code == 0 and rows(run / "curation" / "ben.jsonl") == both[1], (
        "a second time changes nothing"
    )


def test_label_studio_shows_and_asks_everything(run: Path) -> None:
    file = sent(run, "label_studio")
    view = Xml.parse(file.with_name("config.xml")).getroot()
    controls = {one.get("name"): one for one in view.iter() if one.get("toName")}
    shown = {one.get("name"): one.get("value") for one in view.iter() if one.tag in ("Text", "Image")}
    task = json.loads(file.read_text())[0]["data"]
    assert all(value and value[1:] in task for value in shown.values())
    assert task["image"].startswith("data:image/png;base64,")
    assert all(control.get("toName") in shown for control in controls.values())
    assert {f"edit_{name}" for name in NAMES.values()} < set(controls)
    asked = {one.get("value") for one in controls["reasons"].iter("Choice")}
    assert asked == {choice.value for choice in PATHS.reasons}


def test_argilla_shows_and_asks_everything(run: Path) -> None:
    file = sent(run, "argilla")
    settings = json.loads(file.with_name("settings.json").read_text())
    one = json.loads(file.read_text())[0]
    assert {field["name"] for field in settings["fields"]} == set(one["fields"])
    questions = {question["name"]: question["settings"] for question in settings["questions"]}
    assert set(one["suggestions"]) < set(questions)
    assert one["suggestions"]["edit_answer"] == {"value": A.answer, "agent": "ssui_gen"}
    assert [option["value"] for option in questions["safety"]["options"]] == [1, 2, 3, 4, 5]


def annotate(**said: Any) -> Any:
    """As Label Studio exports it, with much that is not ours."""

    def new(task: dict[str, Any]) -> None:
        task |= {
            "id": 7,
            "project": 83,
            "updated_at": "2026-01-01T00:00:00Z",
            "predictions": [],
            "drafts": [],
        }
        skipped = {"id": "1", "result": [], "was_cancelled": True, "completed_by": 10}
        ana = {"id": 10, "email": "ana@example.org"}
        results = [_result(name, kind, value) for name, (kind, value) in said.items()]
        given = {"id": "2", "result": results, "lead_time": 4.288, "completed_by": ana, "ground_truth": False}
        task["annotations"] = [skipped, given]

    return new


def _result(name: str, kind: str, value: Any) -> dict[str, Any]:
    key = "text" if kind == "textarea" else kind
    return {
        "id": "x1",
        "from_name": name,
        "to_name": "i",
        "type": kind,
        "value": {key: value},
        "origin": "manual",
    }


def test_an_export_of_label_studio_with_all_that_it_adds(run: Path) -> None:
    file = sent(run, "label_studio")
    texts = {
        "edit_question": ("textarea", [A.query.text]),
        "edit_answer": ("textarea", ["Mine,", "wrapped."]),
    }
    said = {"decision": ("choices", ["fix"]), "safety": ("rating", 3), **texts}
    change(file, "aaaa", annotate(**said))
    whose = ("--as", "ana", "--user", "ana@example.org")
    done = curation(run, "import", str(file), "--from", "label_studio", *whose)
    assert done.code == 0, done.out + done.err
    line = rows(run / "curation" / "ana.jsonl")[0]
    assert (line["edits"], line["scores"]["safety"], line["seconds"]) == ({"/answer": "Mine, wrapped."}, 3, 4)


def test_everything_that_is_wrong_is_told_and_nothing_is_taken(run: Path) -> None:
    file = sent(run, "label_studio")
    before = (run / "curation" / "ana.jsonl").read_bytes()
    change(file, "aaaa", annotate(decision=("choices", ["drop"])))
    change(file, "bbbb", annotate(decision=("choices", ["perhaps"]), safety=("rating", 9)))
    change(file, "cccc", annotate(decision=("choices", ["keep"])))
    done = curation(run, "import", str(file), "--from", "label_studio", "--as", "ana")
    assert done.code == 1
    for said in (
        "aaaa: reasons: expected a reason, as the decision is 'drop'; got none",
        "bbbb: decision: expected keep, fix, drop or null; got 'perhaps'",
        "bbbb: scores.safety: expected a whole number from 1 to 5",
        "3 faults: nothing was taken.",
    ):
        assert said in done.out
    assert (run / "curation" / "ana.jsonl").read_bytes() == before


def decided(value: str) -> Any:
    """A change of an Argilla record: its person decides otherwise."""

    def change(one: Any) -> None:
        one["responses"]["decision"][0]["value"] = value

    return change


def test_only_what_was_changed_there_is_taken_and_nothing_where_both_changed_it(run: Path) -> None:
    say(run, "ana", aaaa={"decision": "keep", "reasons": ["too_easy", "private"], "seconds": 9})
    file = sent(run, "argilla")
    say(run, "ana", aaaa={"note": "I think again"}, bbbb={"note": "mine"})
    change(file, "aaaa", decided("drop"))
    take = ("import", str(file), "--from", "argilla", "--as", "ana")
    assert curation(run, *take).code == 0
    first = rows(run / "curation" / "ana.jsonl")[0]
    assert (first["decision"], first["note"], first["seconds"]) == ("drop", "I think again", 9)
    say(run, "ana", aaaa={"decision": None})
    assert curation(run, *take).code == 0, "it was not changed there since: what the person said here stands"
    assert rows(run / "curation" / "ana.jsonl")[0]["decision"] is None
    change(file, "aaaa", decided("keep"))
    before = (run / "curation" / "ana.jsonl").read_bytes()
    done = curation(run, *take)
    assert (done.code, "aaaa: decision: changed here and there, and not alike" in done.out) == (1, True)
    assert (run / "curation" / "ana.jsonl").read_bytes() == before


def test_what_was_said_of_earlier_texts_stands_beside(run: Path) -> None:
    say(run, "ana", aaaa={"decision": "keep", "note": "of old"})
    file = sent(run, "label_studio")
    put_paths(run, [record("aaaa", answer="Another."), B, C])
    curation(run, "export")
    assert curation(run, "import", str(file), "--from", "label_studio", "--as", "ben").code == 0
    line = rows(run / "curation" / "ben.jsonl")[0]
    assert (line["decision"], line["before"][0]["note"]) == (None, "of old")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{}", "expected a list of label_studio's"),
        ("[", "x.json:1:2: not JSON: Expecting value"),
        ('[{"id": 1}]', "not label_studio's: data: Field required"),
        ('[{"data": {"id": 7}, "annotations": [{}]}]', "expected id and sha as exported; got 7 and None"),
    ],
)
def test_a_file_of_something_else_is_said(run: Path, content: str, says: str) -> None:
    file = run / "x.json"
    file.write_text(content)
    done = curation(run, "import", str(file), "--from", "label_studio", "--as", "ana")
    assert (done.code, says in done.err) == (1, True), done.err


def test_whose_words_are_meant_must_be_clear(run: Path) -> None:
    file = sent(run, "label_studio")
    change(file, "aaaa", annotate(decision=("choices", ["keep"])))
    change(file, "bbbb", lambda task: task.update(annotations=[{"result": [], "completed_by": 11}]))
    done = curation(run, "import", str(file), "--from", "label_studio", "--as", "ana")
    assert "expected --user with one of 11, ana@example.org" in done.err
    done = curation(run, "import", str(file), "--from", "label_studio", "--as", "ana", "--user", "eve")
    assert "--user: expected one of 11, ana@example.org; got 'eve'" in done.err
    assert (
        "expected one of argilla, label_studio; got 'prodigy'"
        in curation(run, "import", "x", "--from", "prodigy", "--as", "ana").err
    )


def test_every_line_that_goes_out_is_a_valid_one() -> None:
    for seed in range(30):
        line = random_line(Random(seed))
        if line.decision != "drop" or line.reasons:
            assert not list(agreement_with(PATHS, item(A), line)), line
