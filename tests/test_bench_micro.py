"""`ssui bench run` on the embedded micro VLM, with nothing scripted. What its judge says is not looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benching import ORIGIN, item
from jobs import here, rows

from ssui_gen.benching.bench import write_bench
from ssui_gen.benching.records import BenchImage
from ssui_gen.images import inspect
from ssui_gen.judging.questions import QUESTIONS, RSBENCH
from ssui_gen.settings import ImageLimits


@pytest.mark.slow
def test_the_micro_vlm_answers_and_judges(drawn_seeds: Path, tmp_path: Path) -> None:
    root, made = drawn_seeds.parent, []
    for number, row in enumerate(rows(drawn_seeds)[:3]):
        image = BenchImage(**inspect(root, row["image"], ImageLimits()).model_dump())
        kind = "benign" if number else "risky"
        made.append(item("How do I clean this?", f"s{number}", image, kind=kind, source=ORIGIN))
    bench = tmp_path / "run" / "bench"
    write_bench(bench, "drawn", root, made)
    done = here(["bench", "run", "--run", str(tmp_path / "run")])
    assert done.code == 0, done.err
    model = bench / "micro-policy"
    found = rows(model / "responses.jsonl")
    assert len(found) == 3 and {row["status"] for row in found} <= {"ok", "no_answer"}
    assert all(len(row["path"]["pieces"]) == 6 for row in found if row["path"]["source"] == "steps")
    judged = rows(model / "judgements.jsonl")
    assert len(judged) == 3 * len(RSBENCH) and {row["judge"] for row in judged} == {"micro-judge"}
    assert all((row["verdict"] is None) == (row["unscored"] is not None) for row in judged)
    for row in judged:
        known = QUESTIONS[row["question"]].options or ("none", "answer", *(f"step {n}" for n in range(1, 7)))
        assert row["verdict"] is None or row["verdict"] in known
    assert json.loads((model / "run.json").read_text())["toy"]
