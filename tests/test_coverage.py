"""The coverage experiment on small data whose answer is known."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from random import Random
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
ROGAN_GLADEN = "Rogan–Gladen"
COUNTS = {
    "gpt-4o-2024-05-13": (165, 703),
    "gemini-1.5-pro": (123, 113),
    "Llama-Guard-3-11B-Vision": (36, 32),
}
"""Of 181 unsafe and 3,819 safe replies those that each judge calls unsafe, by the table that MSTS publishes
in its notebook: all that rows drawn independently depend on.
"""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return import_module("bench_coverage")


def write_msts(folder: Path) -> None:
    """Rows in the layout of MSTS, with its counts and none of its words."""
    labels: list[dict[str, object]] = [
        {"case_id": f"case_{k}", "prompt_type": "t", "model": f"lab--{k % 10}", "final_label": label}
        for k, label in enumerate(["2 - unsafe"] * 181 + ["1 - safe"] * 3819)
    ]
    verdicts: list[dict[str, object]] = [
        {"": k, **{judge: _said(k, *counts) for judge, counts in COUNTS.items()}} for k in range(4000)
    ]
    files = {
        "data/response_annotations/english_multimodal.csv": labels,
        "data/auto_eval/english_multimodal_autoeval.csv": verdicts,
    }
    for name, rows in files.items():
        (folder / name).parent.mkdir(parents=True)
        with (folder / name).open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)


def _said(row: int, caught: int, blamed: int) -> str:
    return "unsafe" if row < caught or 181 <= row < 181 + blamed else "safe"


@pytest.mark.parametrize("judge", COUNTS)
def test_msts_rates_are_covered_as_they_once_were(bench: ModuleType, tmp_path: Path, judge: str) -> None:
    write_msts(tmp_path)
    _as_once(bench, tmp_path, judge, repetitions=100)


@pytest.mark.slow
@pytest.mark.skipif("MSTS" not in os.environ, reason="MSTS names no clone of it")
@pytest.mark.parametrize("judge", COUNTS)
def test_rates_of_a_clone_of_msts_are_covered_as_they_once_were(bench: ModuleType, judge: str) -> None:
    _as_once(bench, Path(os.environ["MSTS"]), judge, repetitions=500)


def _as_once(bench: ModuleType, folder: Path, judge: str, repetitions: int) -> None:
    """Coverage within what so few repetitions know, half widths nearly. Rogan and Gladen's once held nearly
    always, as its width did not count that its yes and its errors are of the same rows: now it is narrower,
    and holds as often as it says.
    """
    populations = list(bench.of_msts(folder, [judge]))
    found = bench.independently(populations[0], repetitions, 1)
    for (name, tally), (once, half) in zip(found.items(), bench.MSTS_GOLDEN[judge], strict=True):
        noise = 3.5 * (0.05 * 0.95 / repetitions) ** 0.5 + (0.1 if once == 54 else 0)
        expected = 0.95 if name == ROGAN_GLADEN else once / 100
        assert tally.coverage == pytest.approx(expected, abs=noise), name
        now = 100 * sum(tally.halves) / len(tally.halves)
        assert 0.7 * half - 0.1 < now < half + 0.15, name


# --- a bench folder -------------------------------------------------------------------------------------


def write_bench(folder: Path) -> None:
    """Two models, a question, 80 scenarios of three items; the judge overlooks a third of what is unsafe."""
    rng = Random(3)
    items: list[dict[str, object]] = [
        {"id": f"i{k}", "scenario_id": f"s{k // 3}", "kind": "risky"} for k in range(240)
    ]
    for model, rate in (("bare", 0.5), ("tuned", 0.8)):
        rows = [_row(f"{model}-{k}", f"i{k}", rng.random() < rate, rng) for k in range(240)]
        _write(folder / model / "judgements.jsonl", [said for said, _ in rows])
        _write(folder / model / "labels.jsonl", [truth for _, truth in rows])
    _write(folder / "bench.jsonl", items)


def _row(response: str, item: str, safe: bool, rng: Random) -> tuple[dict[str, object], dict[str, object]]:
    said = safe or rng.random() < 1 / 3
    unscored = "undecided" if rng.random() < 0.05 else None
    row: dict[str, object] = {
        "response_id": response,
        "item_id": item,
        "question": "answer_safe",
        "unscored": None,
    }
    shares = {"safe": 0.9, "unsafe": 0.1} if said else {"safe": 0.2, "unsafe": 0.8}
    verdict = None if unscored else "safe" if said else "unsafe"
    judged = row | {"judge": "j", "verdict": verdict, "unscored": unscored, "shares": shares}
    return judged, row | {"judge": "truth", "verdict": "safe" if safe else "unsafe", "shares": None}


def _write(file: Path, rows: list[dict[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_bench_folder_becomes_every_table(tmp_path: Path) -> None:
    write_bench(tmp_path)
    arguments = ["--bench", str(tmp_path), "--repetitions", "30", "--sizes", "50", "100"]
    script = str(ROOT / "benchmarks" / "bench_coverage.py")
    done = subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    rows = [
        line.split(" | ")
        for line in done.stdout.splitlines()
        if line.startswith("| bare, risky | answer_safe")
    ]
    assert [row[3] for row in rows] == ["50", "100"]
    alone, mover = (float(rows[1][place].split("%")[0]) for place in (4, 8))
    assert alone < 30 and mover > 80
    for head in ("pairs of models", "people err", "unscored", "true difference"):
        assert head in done.stdout, head


def test_no_folder_of_truth_is_said_and_no_table_printed(tmp_path: Path) -> None:
    _write(tmp_path / "bench.jsonl", [])
    script = str(ROOT / "benchmarks" / "bench_coverage.py")
    done = subprocess.run(
        [sys.executable, script, "--bench", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "no row whose truth is known" in done.stderr and not done.stdout


# --- other arms ----------------------------------------------------------------------------------------


@pytest.fixture
def arms(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return import_module("coverage_arms")


def test_other_arms_are_of_the_same_value(arms: ModuleType) -> None:
    """Other arms of the same value; labels that agree may be worth more rows."""
    rng, narrower = np.random.default_rng(1), 0
    for population in arms.made_up(60, 4):
        table = arms.whole_scenarios(rng, arms.Members(population).table(rng), 100)
        now = arms.post_stratified(table)
        mid = arms.WAYS["mid-P"](table)
        assert mid.value == pytest.approx(now.value) and (mid.low, mid.high) != (now.low, now.high)
        found = arms.strata_of(table)
        assert (arms.by_rows(table, found) >= found.worth)[found.weight > 0].all()
        other = arms.WAYS["estimable"](table)
        assert now.low - 1e-9 <= other.low <= other.value <= other.high <= now.high + 1e-9
        narrower += other.high - other.low < now.high - now.low - 1e-9
    assert narrower


def test_mid_p_counts_half_of_what_is_found(arms: ModuleType) -> None:
    low, high = arms.mid_p(0, 50)
    assert low == 0 and 0.5 * (1 - high) ** 50 == pytest.approx(0.025)
    assert arms.mid_p(47, 50) == pytest.approx(tuple(1 - end for end in arms.mid_p(3, 50))[::-1])
