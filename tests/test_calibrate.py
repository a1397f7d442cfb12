"""F against labels: the figures on worked examples, and the command on files."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from exploring import cuts, explored, pairs, policy
from fake_answers import prompt_text
from fake_server import Fake
from jobs import Ended, Job, rows

from ssui_gen.shares import Share, kappa
from ssui_gen.verifying.calibrate import Couples, Finding, calibrate, calibrations


def test_every_figure_on_a_worked_example() -> None:
    found = calibrate(
        [Finding("good", 0.9, True)] * 6
        + [Finding("good", 0.8, False)] * 2
        + [Finding("bad", 0.1, False)] * 3
        + [Finding("bad", 0.2, True)]
        + [Finding("unverified", 0.5, True)]
    )
    assert (found.precision, found.recall) == (Share(6, 8), Share(6, 8))
    assert found.f1.value == pytest.approx(0.75)
    assert (found.bad_precision, found.unverified) == (Share(3, 4), Share(1, 13))
    agreed, chance = 9 / 12, (8 / 12) * (7 / 12) + (4 / 12) * (5 / 12)
    assert found.kappa.value == pytest.approx((agreed - chance) / (1 - chance))
    assert [(round(mean, 1), good) for mean, good in found.bins] == [
        (0.1, Share(0, 3)), (0.2, Share(1, 1)), (0.5, Share(1, 1)), (0.8, Share(0, 2)), (0.9, Share(6, 6)),
    ]  # fmt: skip


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    """Newcombe 1998, table I: 81 of 263."""
    low, high = Share(81, 263).interval
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_kappa_without_any_difference_to_explain_is_not_a_number() -> None:
    assert math.isnan(kappa([(True, True)] * 5))
    assert kappa([(True, True), (False, False)]) == 1.0


def test_what_errors_cost_is_counted_in_pairs_of_one_cut() -> None:
    """A worked example: at cut a F takes one bad branch for good; at cut b it swaps both."""
    found = calibrate(
        [
            Finding("good", None, True, "a"), Finding("good", None, False, "a"),
            Finding("bad", None, False, "a"),
            Finding("good", None, False, "b"), Finding("bad", None, True, "b"),
            Finding("unverified", None, True, "c"), Finding("bad", None, False, "c"),
        ]
    )  # fmt: skip
    one = Share(1, 3)
    assert found.couples == Couples(right=one, inverted=one, empty=one, missed=Share(3, 4))
    assert found.couples.made == 3


def test_branches_of_one_path_are_no_more_sure_than_the_path() -> None:
    """Twenty branches of each of ten paths, each path right or wrong as a whole: worth ten, not 200."""
    rows = [Finding("good", None, path % 5 > 0, "", str(path)) for path in range(10) for _ in range(20)]
    apart = [row._replace(path=f"{number}") for number, row in enumerate(rows)]
    low, high = calibrate(rows).precision.interval
    assert calibrate(apart).precision == calibrate(rows).precision == Share(160, 200)
    assert calibrate(apart).precision.interval == Share(160, 200).interval
    assert low < Share(8, 10).interval[0] + 0.02 and high > Share(8, 10).interval[1] - 0.02


def test_each_kind_of_path_has_figures_of_its_own() -> None:
    rows = [Finding("bad", None, True, "a", "a", "risky")] + [
        Finding("good", None, True, "b", str(path), "benign") for path in range(9)
    ]
    found = calibrations(rows)
    assert {part: one.recall for part, one in found.items()} == {
        "all": Share(9, 10), "risky": Share(0, 1), "benign": Share(9, 9),
    }  # fmt: skip
    assert [one.paths for one in found.values()] == [10, 1, 9]
    assert "benign" not in calibrations(rows[:1])


def test_scores_have_intervals_by_paths_unless_the_paths_are_all_alike() -> None:
    mixed = [Finding("good", None, path > 2, "", str(path)) for path in range(9) for _ in range(3)]
    score = calibrate(mixed).f1
    assert score.interval[0] < score.value < score.interval[1]
    assert all(math.isnan(end) for end in calibrate(mixed[9:]).f1.interval), "not 1.00 – 1.00"


def test_thresholds_are_shown_and_none_is_picked() -> None:
    found = calibrate([Finding("good", 0.9, True), Finding("good", 0.6, False), Finding("bad", 0.3, True)])
    known = {at: (precision, recall) for at, precision, recall in found.thresholds}
    assert known[0.5] == (Share(1, 2), Share(1, 2))
    assert known[0.7] == (Share(1, 1), Share(1, 2))
    assert known[0.1] == (Share(2, 3), Share(2, 2))
    assert calibrate([Finding("good", None, True)]).thresholds == ()


# --- the command -------------------------------------------------------------------------------------


def judge_all(body: dict[str, Any]) -> str:
    """Right where the answer says RIGHT, but for two salts in six, where it errs both ways."""
    return "A" if _says_right(body) == _first_is_right(body) else "B"


def _says_right(body: dict[str, Any]) -> bool:
    user = prompt_text(body, "user")
    return ("Answer: RIGHT" in user) != bool(re.search(r"Nothing much, [23]\.", user))


def _first_is_right(body: dict[str, Any]) -> bool:
    return "A. right" in prompt_text(body, "user")


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    """A run with branches of two paths, judged by their label alone, and true labels for all of them."""
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge_all}
    config = {"verify": {"by": ["label"]}, "explore": {"adaptive": False, "k": 8}}
    assert pairs(todo, "--limit", "2", config=config).code == 0
    labels = [
        {"branch_id": branch["id"], "good": "RIGHT." in branch["text"]}
        for cut in cuts(todo)
        for branch in cut["branches"]
    ]
    (todo.run / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labels))
    return todo


def calibrated(todo: Job, *more: str) -> Ended:
    places = ["--run", str(todo.run), "--seeds", str(todo.seeds), "--base-url", todo.url]
    command = [sys.executable, "-m", "ssui_gen", "verify", "calibrate", *places, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def test_a_judge_who_goes_by_the_order_is_asked_in_both_here_too(made: Job, fake: Fake) -> None:
    fake.answers |= {"judge: right": "A"}
    with sqlite3.connect(made.run / "calls.sqlite") as journal:
        journal.execute("DELETE FROM calls WHERE agent = 'judge'")
    done = calibrated(made, "--json", "--by", "judge")
    assert done.code == 0 and "by the order of its options" in done.err
    numbers = json.loads((made.run / "calibration.json").read_text())
    assert json.loads(done.out) == numbers, "a script reads them on stdout, words are on stderr"
    tables = [line for line in done.err.partition("How often")[2].splitlines() if not line[:1].isalpha()]
    assert tables and max(map(len, tables)) <= 80 and "…" not in done.err
    hits, n = numbers["judge"]["unverified"]
    assert hits == n > 0, "no verdict of a judge who always names the first option counts"


@pytest.mark.slow
def test_every_way_is_run_on_every_labelled_branch_and_asked_once(made: Job, fake: Fake) -> None:
    (made.folder / "both.yaml").write_text(json.dumps({"verify": {"by": ["label", "judge"]}}))
    told = ("--config", str(made.folder / "both.yaml"))  # the run remembers that it used the label alone
    done = calibrated(made, *told)
    assert done.code == 0, done.err
    numbers = json.loads((made.run / "calibration.json").read_text())
    assert list(numbers) == ["label", "contains", "judge", "label and judge"]
    n = len(rows(made.run / "labels.jsonl"))
    assert {one["n"] for one in numbers.values()} == {n}
    assert {one["paths"] for one in numbers.values()} == {2}
    label = numbers["label"]
    assert sum(one["n"] for one in label["by_kind"].values()) == n
    low, high = label["intervals"]["precision"]
    assert low <= label["precision"][0] / label["precision"][1] <= high
    called, good = numbers["label"]["precision"], numbers["label"]["recall"]
    assert called[0] == called[1] and good[0] < good[1], (
        "right where step 4 is the branch's, silent behind it"
    )
    assert numbers["judge"]["couples"]["inverted"] > 0 == numbers["label"]["couples"]["inverted"]
    assert len(numbers["judge"]["thresholds"]) == 9 and not numbers["label"]["thresholds"]
    assert (made.run / "calibration.png").stat().st_size > 10_000
    assert "Good from a probability of 0.5 on (verify.threshold)" in done.out
    asked = fake.counts["judge: right"]
    assert n < asked <= 2 * n, "in both orders, but once where two cuts lead to the same response"
    assert calibrated(made, *told).code == 0
    assert fake.counts["judge: right"] == asked, "a second time the journal answers"


def test_ways_that_need_no_model_ask_none(made: Job, fake: Fake) -> None:
    (made.folder / "pure.yaml").write_text(json.dumps({"verify": {"by": ["label"]}}))
    before = fake.calls + fake.probes
    done = calibrated(made, "--config", str(made.folder / "pure.yaml"), "--by", "mcq")
    assert done.code == 0, done.err
    assert fake.calls + fake.probes == before
    assert "mcq" not in json.loads((made.run / "calibration.json").read_text()), "no reference is an option"


@pytest.mark.slow
def test_where_the_first_wrong_step_is_labelled_the_way_that_looks_for_it_is_measured(
    made: Job, fake: Fake
) -> None:
    labels = rows(made.run / "labels.jsonl")
    told = [{**row, "first_bad": "none" if row["good"] else "answer"} for row in labels]
    (made.run / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    fake.answers = {"none": policy, "judge: right": judge_all, "judge: first_bad": _finds_none}
    done = calibrated(made, "--by", "first_bad_step")
    assert done.code == 0, done.err
    good = sum(row["good"] for row in labels)
    assert f"names the true first wrong step in {good / len(labels):.1%} (" in done.out


def _finds_none(body: dict[str, Any]) -> str:
    return next(line[0] for line in prompt_text(body, "user").splitlines() if line[1:] == ". none")


def test_without_labels_it_says_what_is_expected(made: Job) -> None:
    (made.run / "labels.jsonl").unlink()
    done = calibrated(made)
    assert done.code == 1 and "expected rows {branch_id, good}" in done.err


def test_labels_of_other_branches_are_refused(made: Job) -> None:
    (made.run / "labels.jsonl").write_text('{"branch_id": "nobody", "good": true}\n')
    done = calibrated(made)
    assert done.code == 1 and "none of its 1 branches is in" in done.err
