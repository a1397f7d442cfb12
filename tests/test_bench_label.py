"""People label a model's responses: what they are shown, and what becomes of their words, faults and all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from browsing import Visit
from curating import ssui
from jobs import Ended, rows
from labelling import BAD, GOOD, JUDGE, MODEL, judged_run, put, response, truths
from playwright.sync_api import BrowserContext

from ssui_gen.benching.exhibits import edition_of, form_of
from ssui_gen.benching.labelled import settled
from ssui_gen.benching.records import BenchJudgement, Item, Response
from ssui_gen.curation.asked.item import Item as Shown
from ssui_gen.curation.lines.review import blank
from ssui_gen.curation.lines.shape import agreement_with, shape
from ssui_gen.jsonl import as_line
from ssui_gen.judging.questions import RSBENCH
from ssui_gen.prompts import home, load_prompt

FORM = form_of(load_prompt(home() / "prompts" / "judge.md"))
Line = dict[str, Any]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return judged_run(tmp_path / "demo")


def label(model: Path, *more: str) -> Ended:
    return ssui("bench", "label", *more, "--run", str(model.parent.parent))


def people(model: Path) -> Path:
    """The folder in which people work."""
    (folder,) = (model.parent / "people").iterdir()
    return folder


def answers(verdicts: Line) -> Line:
    return {"decision": "done", "scores": verdicts}


def say(model: Path, name: str, words: Callable[[int, Line], Line | None]) -> list[str]:
    """Write into a person's file; returns the ids of its lines."""
    path = people(model) / f"{name}.jsonl"
    lines = rows(path)
    path.write_text("".join(json.dumps(one | (words(n, one) or {})) + "\n" for n, one in enumerate(lines)))
    return [line["id"] for line in lines]


def labels(model: Path) -> list[BenchJudgement]:
    return [BenchJudgement.model_validate(row) for row in rows(model / "labels.jsonl")]


# --- what is shown -------------------------------------------------------------------------------------


def test_the_page_asks_in_the_words_of_the_judges_rubric() -> None:
    asked = {choice.value: choice for choice in FORM.scores}
    assert tuple(asked) == RSBENCH
    assert asked["grounded"].help.startswith("Do the thoughts rest on the picture?")
    assert "\n- invented: they name" in asked["grounded"].help
    assert not {"Options", "letter"} & set(re.findall(r"\w+", asked["refusal"].help))
    assert asked["answer_safe"].steps == ("safe", "unsafe")
    assert len({choice.key for choice in FORM.scores} & set("jkenuz/b?r0")) == 0
    assert edition_of(FORM) == edition_of(FORM.model_copy(update={"ask": "Else?"}))


def test_people_see_neither_the_judges_word_nor_the_model(model: Path) -> None:
    done = label(model, "draw", "--as", "ana", "--most", "16")
    assert done.code == 0, done.err
    assert "six_steps/good: 4 of 4 scenarios drawn" in done.out and "bad: 4 of 8" in done.out
    for file in people(model).iterdir():
        if file.is_file():
            words = file.read_text("utf-8", errors="replace")
            assert not any(word in words for word in (MODEL, JUDGE, "six_steps/bad", "probability")), file
    items = rows(people(model) / "items.jsonl")
    assert len(items) == 16
    assert {part["title"] for part in items[0]["exhibit"]["told"]} >= {"Question", "Danger", "Answer"}
    assert items[0]["exhibit"]["asked"]["first_bad"][-2:] == ["step 6", "answer"]


def test_more_is_drawn_later_and_what_was_said_stays(model: Path) -> None:
    label(model, "draw", "--as", "ana", "--most", "8")
    first = say(model, "ana", lambda n, _: answers(GOOD))
    assert label(model, "draw", "--most", "24").code == 0
    assert set(first) < {row["id"] for row in rows(people(model) / "items.jsonl")}
    assert label(model, "import").code == 0
    assert {row.response_id for row in labels(model)} == set(first)
    chances = {row.drawn.probability for row in labels(model) if row.drawn}
    assert chances == {1.0}, "all twelve scenarios are drawn by now"
    other = label(model, "draw", "--seed", "7")
    assert (other.code, "drawn by seed 0; got 7" in other.err) == (1, True)


def test_all_items_of_a_scenario_are_shown_and_plain_ones_are_not(model: Path) -> None:
    lines = rows(model.parent / "bench.jsonl")
    plain = Item.model_validate(
        lines[0] | {"id": "p", "scenario_id": "p", "text": "?", "extra": {"plain": True}}
    )
    put(model.parent / "bench.jsonl", [*map(Item.model_validate, lines), plain])
    (model.parent / "bench.json").unlink()
    found = [Response.model_validate(row) for row in rows(model / "responses.jsonl")]
    put(model / "responses.jsonl", [*found, response(plain)])
    assert label(model, "draw", "--as", "ana", "--most", "8").code == 0
    shown = [row["exhibit"]["item_id"] for row in rows(people(model) / "items.jsonl")]
    sides = {item: {line["scenario_id"] for line in lines if line["id"] == item} for item in shown}
    assert len(shown) == 8 and len({*(one for names in sides.values() for one in names)}) == 4
    assert "p" not in json.loads((model / "draw.json").read_text())["responses"]


def test_a_draw_of_another_make_is_refused_in_words(model: Path) -> None:
    (model / "draw.json").write_text('{"seed": 0, "strata": {"risky/six_steps/bad": ["x"]}, "taken": {}}')
    done = label(model, "draw")
    assert (done.code, "draw.json: not what was written there" in done.err) == (1, True)


# --- what becomes of it --------------------------------------------------------------------------------


def test_labels_are_rows_with_how_they_were_drawn_beside_the_truth(model: Path) -> None:
    truths(model)
    before = labels(model)
    label(model, "draw", "--as", "ana", "--most", "12")
    unsure = {"decision": "unclear"}
    ids = say(
        model, "ana", lambda n, _: [answers(GOOD), answers(BAD), unsure][min(n, 3) % 3] if n < 3 else None
    )
    done = label(model, "import")
    assert done.code == 0, done.out
    assert "21 labels of people" in done.out and "nobody knows how far they agree" in done.out
    mine = [row for row in labels(model) if row.judge == "person:ana"]
    assert [row for row in labels(model) if row.judge == "truth"] == before
    assert {row.question: row.verdict for row in mine if row.response_id == ids[1]} == BAD
    assert {(row.verdict, row.unscored) for row in mine if row.response_id == ids[2]} == {(None, "undecided")}
    assert {row.drawn.probability for row in mine if row.drawn} <= {3 / 4, 3 / 8}
    assert {row.rubric for row in mine} == {edition_of(FORM)}
    label(model, "import")
    assert labels(model) == [*before, *mine], "again changes nothing"
    label(model)
    chances = {row.drawn.probability for row in labels(model) if row.drawn}
    assert chances == {1.0}, "a larger draw, and labels know it at once"


def test_each_fault_is_told_at_its_place_and_the_other_lines_count(model: Path) -> None:
    label(model, "draw", "--as", "ana", "--most", "12")
    wrong: list[Line] = [
        answers(GOOD | {"answer_safe": "fine"}),
        answers({**GOOD, "refusal": None}),
        answers(GOOD | {"first_bad": "step 9"}),
        {"id": "of-another-run"},
        {"sha": "0000000000000000"},
    ]
    ids = say(model, "ana", lambda n, _: wrong[n] if n < len(wrong) else answers(GOOD))
    done = label(model, "import")
    assert done.code == 1
    file = people(model) / "ana.jsonl"
    for line, message in enumerate(
        [
            "scores.answer_safe: expected safe, unsafe or null; got 'fine'",
            "scores.refusal: expected complies, warns and helps",
            "scores.first_bad: expected none, step 1",
            "id: expected an item of this run; got 'of-another-run'",
            "sha: expected ",
        ],
        1,
    ):
        assert any(told.startswith(f"{file}:{line}:") and message in told for told in done.out.splitlines())
    assert {row.response_id for row in labels(model)} == set(ids[len(wrong) :])


def test_another_edition_of_a_response_is_not_what_was_labelled(model: Path) -> None:
    label(model, "draw", "--as", "ana", "--most", "24")
    (first, *_) = say(model, "ana", lambda n, _: answers(GOOD))
    found = [Response.model_validate(row) for row in rows(model / "responses.jsonl")]
    again = [one.model_copy(update={"answer": "Other words."}) if one.id == first else one for one in found]
    put(model / "responses.jsonl", again)
    done = label(model, "draw")
    assert "ana: the texts of 1 items have changed; what was said of them is in `before`" in done.out
    label(model, "import")
    assert first not in {row.response_id for row in labels(model)}
    (line,) = (row for row in rows(people(model) / "ana.jsonl") if row["id"] == first)
    assert line["before"][0]["scores"] == GOOD, "nothing a person said is lost"


def test_several_people_overlap_and_a_third_settles_where_they_differ(model: Path) -> None:
    done = label(model, "draw", "--as", "ana", "--as", "ben", "--most", "24", "--overlap", "0.5")
    assert done.code == 0, done.err
    both = set(say(model, "ana", lambda n, _: answers(GOOD))) & set(
        say(model, "ben", lambda n, _: answers(GOOD))
    )
    assert len(both) == 12
    differ = min(both)
    say(model, "ben", lambda n, line: answers(BAD) if line["id"] == differ else None)
    done = label(model, "import")
    assert "grounded" in done.out and "12" in done.out, "their own agreement"
    assert (differ, "grounded") not in settled(labels(model))
    folder = ("--run", str(model.parent.parent), "--bench", str(model))
    assert differ in ssui("curation", "resolve", *folder).out
    say(model, "resolved", lambda n, _: answers(BAD))
    assert label(model, "import").code == 0
    found = [row for row in labels(model) if row.response_id == differ and row.question == "grounded"]
    assert {row.judge: row.drawn is not None for row in found} == {
        "person:ana": False, "person:ben": False, "person:resolved": True,
    }  # fmt: skip
    assert settled(labels(model))[differ, "grounded"].verdict == "not named"


def test_a_response_without_a_path_is_asked_about_its_answer_alone(model: Path) -> None:
    item = Item.model_validate(rows(model.parent / "bench.jsonl")[0])
    bare = response(item, path={"source": "none"})
    put(
        model / "responses.jsonl",
        [bare, response(item, id="x", answer=None, status="error", path={"source": "none"})],
    )
    label(model, "draw", "--as", "ana")
    (row,) = rows(people(model) / "items.jsonl")
    assert set(row["exhibit"]["asked"]) == {"answer_safe", "answer_helpful", "refusal"}
    say(model, "ana", lambda n, _: answers({name: GOOD[name] for name in row["exhibit"]["asked"]}))
    assert label(model, "import").code == 0
    assert len(labels(model)) == 3


def test_without_responses_or_with_several_models_it_says_what_to_do(model: Path) -> None:
    judged_run(model.parent.parent, model="other")
    assert (
        f"expected the name of one model, MODEL=... (--model); there are: other, {MODEL}" in label(model).err
    )
    assert label(model, "draw", "--model", "other").code == 0
    assert label(model, "import", "--model", MODEL).err.endswith(
        "nothing was drawn yet: `ssui bench label draw`\n"
    )
    (model / "responses.jsonl").write_text("")
    assert "nothing to be labelled" in label(model, "draw", "--model", MODEL).err


# --- the page ------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_two_responses_are_labelled_on_the_page(context: BrowserContext, model: Path) -> None:
    label(model, "draw", "--as", "ana", "--most", "24")
    seen = Visit(context, (people(model) / "gallery.html").as_uri(), "ana")
    assert seen.text("#count") == "0 of 24 decided"
    assert "Thoughts, step 3" in seen.text("#texts") and not seen.page.locator(".edit").count()
    first = seen.at()
    seen.press("1")
    assert "Answer first: Grounded (t), " in seen.text("#panel .fault")
    seen.press("t", "1")
    assert "whatever the answer?" in seen.text("#panel .waiting"), "the next question's rubric"
    seen.press("1", "1", "1", "1", "1", "2")
    assert seen.text("#count") == "1 of 24 decided"
    seen.press("g")
    assert "whatever the answer?" in seen.text("#codebook"), "the judge's own rubric"
    seen.press("Escape", "+")
    assert seen.page.is_visible("#large img")
    seen.press("Escape")
    seen.press("j", "t", "3", "2", "3", "4", "2", "3", "1")
    seen.page.click("button[aria-label='What the answer does: warns only']")
    seen.press("1")
    assert seen.text("#count") == "2 of 24 decided"
    assert (seen.violations(), seen.wrong) == ([], [])
    second = seen.at()
    seen.download(people(model))
    assert label(model, "import").code == 0
    found = {
        id: {row.question: row.verdict for row in labels(model) if row.response_id == id}
        for id in (first, second)
    }
    assert found[first] == GOOD | {"refusal": "warns and helps"}
    assert found[second] == {
        "grounded": "invented", "path_safe": "unsafe", "path_effective": "misleads", "first_bad": "step 3",
        "answer_safe": "unsafe", "answer_helpful": "does not", "refusal": "warns only",
    }  # fmt: skip


@pytest.mark.browser
def test_page_and_command_agree_on_what_is_still_to_be_answered(context: BrowserContext, model: Path) -> None:
    label(model, "draw", "--as", "ana", "--most", "4")
    seen, rng = Visit(context, (people(model) / "gallery.html").as_uri(), "ana"), Random(3)
    item = Shown.model_validate(rows(people(model) / "items.jsonl")[0])
    assert item.exhibit
    asked = item.exhibit.asked
    for _ in range(60):
        most = rng.choice([0, 1, 20])
        scores = {name: rng.choice([None, *options * most]) for name, options in asked.items()}
        line = blank(FORM, item.id, item.sha).model_copy(
            update={"decision": rng.choice([None, "done", "unclear"]), "scores": scores}
        )
        plain = json.loads(line.model_dump_json())
        assert seen.page.evaluate("line => asRow(line)", plain) == as_line(line).decode().rstrip("\n")
        lacks = any(agreement_with(FORM, item, line))
        assert bool(seen.page.evaluate("line => missing(line)", plain)) == lacks
        assert seen.page.evaluate("line => sound(line)", plain) == (not any(shape(FORM, plain)))
        wrong = plain | {"scores": {**scores, "grounded": "seen"}}
        assert not seen.page.evaluate("line => sound(line)", wrong) and any(shape(FORM, wrong))
