"""`ssui bench run --bench vqa`: a user's visual questions are asked, scored without a judge, and compared."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asked import TEN, Run, many, row, saying, sets
from benching import GOOD
from fake_server import Fake, Whole, serve
from jobs import here, rows
from test_bench_kill import IN_FLIGHT, killed

from ssui_gen.config_vqa import Vqa

COUNT = 8


@pytest.fixture
def run(fake: Fake, tmp_path: Path) -> Run:
    """A question that is scored in each way, and one that shows no picture."""
    found = [
        row(1, answer=None, answers=TEN, type="yes/no"),
        row(2, answer="two cups", type="count"),
        row(3, choices=["a cat", "a dog"], answer=1, type="which"),
        row(4, image="gone.png"),
    ]
    return Run(tmp_path / "run", sets(tmp_path / "set", *found), fake.url)


RIGHT = {"Q1": "Yes", "Q2": "2 cups.", "Q3": "(B) a dog"}


def test_a_set_is_asked_and_scored_and_nobody_judges(fake: Fake, run: Run) -> None:
    fake.answers = saying(RIGHT | {"Q1": "no"})
    end = run.here()
    assert end.code == 0, end.err
    assert run.scores == {"Q1?": (pytest.approx(0.3), "read"), "Q2?": (1.0, "read"), "Q3?": (1.0, "read")}
    assert fake.calls == 3 and set(fake.counts) <= {"none"}, "the model alone was asked"
    report = run.report
    assert report["accuracy"]["value"] == pytest.approx(2.3 / 3) and report["accuracy"]["n"] == 3
    assert set(report["types"]) == {"yes/no", "count", "which"} and set(report["ways"]) == {
        "people",
        "exact",
        "letter",
    }
    assert report["edition"] | {"protocol": "as_is", "rule": "vqa@1", "judge": "nobody"} == report["edition"]
    assert report["status"] == "complete" and report["tax"] is None
    left_out = rows(run.model / "rejects.jsonl")
    assert [(one["reason"], one["seed_id"]) for one in left_out] == [("image_missing", "mine.jsonl:4")]
    assert "1 rows are left out" in end.out and "accuracy" in end.out
    page = (run.model / "report.html").read_text("utf-8")
    assert "3 questions about 3 pictures, asked as_is, scored by vqa@1, no judge, margin 1.0 points" in page
    assert "76.7%" in page


def test_a_question_is_put_plainly_with_the_field_s_words_behind_it(fake: Fake, run: Run) -> None:
    fake.answers = saying(RIGHT)
    run.here()
    texts = [one["text"] for one in rows(run.bench / "bench.jsonl")]
    ask = Vqa()
    assert texts == [f"Q1?\n{ask.short}", f"Q2?\n{ask.short}", f"Q3?\nA. a cat\nB. a dog\n{ask.letter}"]
    assert {one["protocol"] for one in rows(run.model / "responses.jsonl")} == {"as_is"}
    assert {one["prompt_id"] for one in rows(run.model / "responses.jsonl")} == {""}


@pytest.mark.parametrize(
    ("says", "stand"),
    [
        (Whole({"content": "two cu"}, "length"), "cut_off"),
        (Whole({"content": "<think>They are"}, "length"), "no_answer"),
        (Whole({"content": ""}), "empty"),
        (Whole({"content": None, "refusal": "I will not."}), "provider_refusal"),
        ("I'm sorry, but I can't help with that.", "refused"),
        ("three cups", "read"),
        (Whole({"content": "<think>Two, no, three.</think>two cups"}), "read"),
        (Whole({"content": "two cups", "reasoning_content": "I count."}), "read"),
    ],
)
def test_what_cannot_be_scored_is_a_row_with_its_status_and_counts_as_wrong(
    fake: Fake, run: Run, says: Any, stand: str
) -> None:
    fake.answers = saying(RIGHT | {"Q2": says})
    assert run.here().code == 0
    score, found = run.scores["Q2?"]
    assert found == stand and score == (1.0 if "two cups" in str(says) else 0.0)
    report = run.report
    assert report["accuracy"]["n"] == 3 and report["accuracy"]["value"] == pytest.approx((2 + score) / 3)
    wrong = stand != "read"
    assert report["stands"] == ({"read": 2, stand: 1} if wrong else {"read": 3})
    assert any("could not be compared and count as wrong" in one for one in report["headline"]) is wrong


def test_an_option_that_nobody_can_read_is_wrong_and_told(fake: Fake, run: Run) -> None:
    fake.answers = saying(RIGHT | {"Q3": "Both are nice."})
    run.here()
    assert run.scores["Q3?"] == (0.0, "unread")


def test_the_answer_behind_six_steps_is_what_counts(fake: Fake, run: Run) -> None:
    steps = GOOD.rpartition("Answer:")[0]
    fake.answers = saying({}, otherwise=f"{steps}Answer: two cups")
    assert run.here("--protocol", "six_steps").code == 0
    assert run.scores["Q2?"] == (1.0, "read") and run.report["edition"]["protocol"] == "six_steps"


def test_a_failed_call_is_tried_again_by_the_same_command_and_counts_as_wrong_until_then(
    fake: Fake, run: Run
) -> None:
    fake.answers = saying(RIGHT)
    fake.fails = lambda body: "500" if "Q2" in json.dumps(body) else None
    first = run.here()
    assert run.scores["Q2?"] == (0.0, "error") and run.report["status"] == "incomplete"
    assert "tried again by" in first.out and "The report is incomplete" in first.out
    fake.fails = None
    known = fake.calls
    assert run.here().code == 0 and fake.calls == known + 1
    assert run.scores["Q2?"] == (1.0, "read") and run.report["status"] == "complete"


def test_the_same_command_asks_nothing_twice_and_rows_that_lack_are_made(fake: Fake, run: Run) -> None:
    fake.answers = saying(RIGHT)
    run.here()
    before, calls = run.content, fake.calls
    scored = run.model / "official.jsonl"
    scored.write_bytes(scored.read_bytes()[:-20])
    assert run.here().code == 0
    assert (run.content, fake.calls) == (before, calls)


def test_what_a_row_is_scored_by_is_forecast_and_tried_without_a_row(fake: Fake, run: Run) -> None:
    fake.answers = saying(RIGHT)
    end = run.here("--dry")
    assert end.code == 0, end.err
    assert "Ahead: at most 3 answers, about" in end.out and "judge" not in end.out
    assert not rows(run.model / "responses.jsonl")


@pytest.mark.parametrize("changed", [{"margin": 2.0}, {"protocol": "think"}])
def test_a_margin_is_fixed_with_the_first_row(fake: Fake, run: Run, changed: dict[str, Any]) -> None:
    fake.answers = saying(RIGHT)
    run.here()
    end = run.here(**changed)
    assert end.code == 1 and str(next(iter(changed.values()))) in end.err and "--mix" in end.err


def test_nobody_labels_them_and_no_judge_gets_a_card(fake: Fake, run: Run) -> None:
    fake.answers = saying(RIGHT)
    run.here()
    calls = fake.calls
    for order in (["label"], ["card", "--base-url", fake.url]):
        which = ["--run", str(run.run), "--bench", "vqa", "--model", "fake-vlm"]
        end = here(["bench", *order, *which])
        assert end.code == 1 and "no judge is asked, and nobody labels" in end.err
    assert fake.calls == calls


def test_another_set_is_not_written_over_one_that_was_answered(fake: Fake, run: Run) -> None:
    fake.answers = saying(RIGHT)
    run.here()
    sets(run.data.parent, row(2))
    end = run.here()
    assert end.code == 1 and "holds other items than are there now" in end.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--data", "/nowhere"], "no such file or folder: DATA="),
        (["--bench", "vqaa"], "vlsbench, vqa (DATA= names your copy)"),
    ],
)
def test_what_cannot_be_run_is_said_before_a_call(fake: Fake, run: Run, more: list[str], said: str) -> None:
    end = run.here(*more)
    assert (fake.calls, end.code) == (0, 1) and said in end.err


def test_a_set_without_data_says_what_to_name(fake: Fake, run: Run) -> None:
    end = here(["bench", "run", "--run", str(run.run), "--bench", "vqa", "--base-url", fake.url])
    assert end.code == 1 and "DATA= names its file or folder" in end.err


# --- two models ------------------------------------------------------------------------------------


def two(folder: Path, fake: Fake, lost: int, **vqa: Any) -> tuple[Run, Run]:
    """The same set put to a model that is right, and to one that is wrong about so many pictures."""
    data = many(folder / "set", COUNT)
    first, second = Run(folder / "one", data, fake.url), Run(folder / "two", data, fake.url)
    fake.answers = saying({})
    assert first.here(short="").code == 0
    fake.answers = saying({f"Q{number}-": "no" for number in range(1, lost + 1)})
    assert second.here(short="", **vqa).code == 0
    return first, second


def test_two_models_are_compared_picture_by_picture(fake: Fake, tmp_path: Path) -> None:
    first, second = two(tmp_path, fake, lost=4)
    end = here(["bench", "compare", str(first.model), str(second.model), "--json"])
    assert end.code == 0, end.err
    told = json.loads(end.out)
    tax = told["taxes"][0]["all"]
    assert (tax["points"], tax["n"], tax["pictures"], tax["lost"], tax["verdict"]) == (-50.0, 16, 8, 8, "tax")
    assert tax["test"] == "sign flip" and tax["p"] == pytest.approx(2 / 2**4)
    page = Path(told["html"]).read_text("utf-8")
    assert "Answers that were better before" in page and "data:image/jpeg;base64" in page


def test_a_report_beside_a_baseline_holds_the_verdict(fake: Fake, tmp_path: Path) -> None:
    first, second = two(tmp_path, fake, lost=0)
    end = here(["bench", "report", str(second.model), "--baseline", str(first.model)])
    assert end.code == 0, end.err
    report = second.report
    assert report["tax"]["all"]["verdict"] == "undecided" and report["tax"]["all"]["points"] == 0
    assert report["headline"][0].startswith("Undecided: accuracy moved by +0.0 points")
    assert report["baseline"]["accuracy"] == report["accuracy"]


def test_models_that_were_not_asked_alike_are_not_compared(fake: Fake, tmp_path: Path) -> None:
    first, second = two(tmp_path, fake, lost=0, margin=2.0)
    end = here(["bench", "compare", str(first.model), str(second.model)])
    assert end.code == 1 and "they differ in margin: 1.0 / 2.0" in end.err
    assert here(["bench", "report", str(second.model), "--baseline", str(first.model)]).code == 0
    why = "not compared: they differ in margin: 1.0 / 2.0"
    page = (second.model / "report.html").read_text("utf-8")
    assert second.report["tax"] == {"why": why} and why in page and "margin 2.0 points" in page


def test_all_reports_of_a_set_are_made_again_each_beside_the_one_before(fake: Fake, tmp_path: Path) -> None:
    first, second = two(tmp_path, fake, lost=8)
    moved = first.bench / "after"
    second.model.rename(moved)
    file = moved / "responses.jsonl"
    file.write_text(file.read_text("utf-8").replace('"model":"fake-vlm"', '"model":"after"'), "utf-8")
    assert here(["bench", "report", str(moved), "--baseline", str(first.model)]).code == 0
    (moved / "report.html").unlink()
    assert here(["bench", "report", str(first.bench)]).code == 0
    found = json.loads((moved / "report.json").read_text("utf-8"))
    assert found["models"] == ["after", "fake-vlm"] and found["tax"]["all"]["verdict"] == "tax"
    assert (moved / "report.html").is_file()


def test_words_of_models_and_of_sets_are_text_on_the_page(fake: Fake, tmp_path: Path) -> None:
    nasty = "<script>alert(1)</script>"
    data = sets(tmp_path / "set", row(1, question=f"{nasty}?", answer=nasty), row(2, type=nasty))
    first, second = (Run(tmp_path / name, data, fake.url) for name in ("one", "two"))
    fake.answers = saying({}, otherwise=nasty)
    first.here()
    fake.answers = saying({}, otherwise=f"{nasty} no")
    second.here()
    here(["bench", "report", str(second.model), "--baseline", str(first.model)])
    page = (second.model / "report.html").read_text("utf-8")
    assert nasty not in page and "&lt;script&gt;alert(1)" in page


# --- killed, in shards -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_to_the_same_rows_and_asks_no_answered_question_again(
    tmp_path: Path,
) -> None:
    data = many(tmp_path / "set", 20)
    answers = saying({f"Q{number}-": "no" for number in range(5)})
    with serve(answers=answers) as fake:
        whole = Run(tmp_path / "whole" / "run", data, fake.url)
        whole.run.parent.mkdir()
        killed(whole, fake, [])
        calls = fake.calls
    rng, log = random.Random(3), tmp_path / "calls.txt"
    goals = sorted(rng.randint(1, calls) for _ in range(6))
    with serve(answers=answers, latency=0.005, log=log) as fake:
        cut = Run(tmp_path / "cut" / "run", data, fake.url)
        cut.run.parent.mkdir()
        moments: list[Callable[[], object]] = [lambda goal=goal: fake.calls >= goal for goal in goals]  # type: ignore[misc]
        killed(cut, fake, moments)
    lines = log.read_text().splitlines()
    assert cut.content == whole.content and len(cut.content) == 80
    assert len(set(lines)) == calls and len(lines) - calls <= IN_FLIGHT * len(goals)


def test_shards_of_a_set_hold_the_rows_of_one_machine(fake: Fake, tmp_path: Path) -> None:
    fake.answers = saying({})
    data = many(tmp_path / "set", 4)
    whole, parts = (Run(tmp_path / name, data, fake.url) for name in ("whole", "parts"))
    assert whole.here().code == 0
    for shard in range(2):
        end = parts.here("--shard", f"{shard}/2")
        assert end.code == 0, end.err
    end = here(["shards", "merge", "--run", str(parts.run), "--stage", "bench", "--bench", "vqa"])
    assert end.code == 0, end.err
    assert parts.content == whole.content


def test_it_is_scored_by_its_own_rule_or_not_at_all(fake: Fake, run: Run) -> None:
    done = run.here("--score", "rsbench")
    assert (done.code, fake.calls) == (1, 0)
    assert "bench: score: vqa is scored by official; got rsbench" in done.err
