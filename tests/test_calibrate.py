"""F against labels: the figures on worked examples, and the command on files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from test_pairs import branch, cut
from test_verify import path

from ssui_gen.branching import render_path, render_steps
from ssui_gen.calibrate import Finding, calibrate
from ssui_gen.cli import main
from ssui_gen.shares import Share, kappa


def test_every_figure_on_a_worked_example() -> None:
    found = calibrate(
        [Finding("good", 0.9, True)] * 6
        + [Finding("good", 0.8, False)] * 2
        + [Finding("bad", 0.1, False)] * 3
        + [Finding("bad", 0.2, True)]
        + [Finding("unverified", 0.5, True)]
    )
    assert (found.precision, found.recall) == (Share(6, 8), Share(6, 8))
    assert found.f1 == pytest.approx(0.75)
    assert (found.bad_precision, found.unverified) == (Share(3, 4), Share(1, 13))
    agreed, chance = 9 / 12, (8 / 12) * (7 / 12) + (4 / 12) * (5 / 12)
    assert found.kappa == pytest.approx((agreed - chance) / (1 - chance))
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


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """One path with a good and a bad branch at the root, as the judge alone saw them."""
    one = path()
    good = render_path(one.steps, one.answer)
    bad = good.replace("dangerous_behavior", "none")
    branches = []
    for text, polarity, probability in ((good, "good", 0.9), (bad, "good", 0.7)):
        made = branch(text, polarity, probability)
        judged = made.judgement.model_copy(update={"by": {"judge": [[probability, 1.0, "right"]] * 2}})
        branches.append(made.model_copy(update={"judgement": judged}))
    row = cut(0, *branches).model_copy(update={"path_id": one.id, "prefix": render_steps(())})
    (tmp_path / "reasoning_paths.jsonl").write_text(one.model_dump_json() + "\n")
    (tmp_path / "branches.jsonl").write_text(row.model_dump_json() + "\n")
    labels = [{"branch_id": b.id, "good": b is branches[0]} for b in branches]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(label) + "\n" for label in labels))
    return tmp_path


def test_the_command_says_what_each_way_is_worth(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["verify", "calibrate", "--run", str(run)])
    assert end.value.code == 0
    numbers = json.loads((run / "calibration.json").read_text())
    assert numbers["judge"]["precision"] == [1, 2]
    assert numbers["label"]["precision"] == numbers["label+judge"]["precision"] == [1, 1]
    assert numbers["contains"]["recall"] == [1, 1]
    assert (run / "calibration.png").stat().st_size > 5000
    assert "Reliability diagram" in capsys.readouterr().out


def test_without_labels_it_says_what_is_expected(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "labels.jsonl").unlink()
    with pytest.raises(SystemExit):
        main(["verify", "calibrate", "--run", str(run)])
    assert "expected rows {branch_id, good}" in capsys.readouterr().err
