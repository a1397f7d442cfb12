"""Responses in the layouts of other kits: the columns and files that those read, on rows made by hand."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from benching import benched, item
from jobs import here

from ssui_gen.benching.bench import write_bench
from ssui_gen.benching.exporters import COLUMNS
from ssui_gen.benching.records import Item, Origin, Reference, Response, ResponsePath
from ssui_gen.jsonl import as_line

WORDS = 'Step "back",\tthen\ntake the stairs.'


def response(of: Item, answer: str | None = WORDS, **fields: Any) -> Response:
    told = {"draw": 0, "protocol": "as_is", "status": "ok" if answer else "no_answer", **fields}
    id = Response.id_of(of.id, "a-model", told["protocol"], told["draw"])
    path = ResponsePath(source="none")
    return Response(
        id=id,
        item_id=of.id,
        raw=answer or "",
        finish="stop",
        path=path,
        answer=answer,
        model="a-model",
        **told,
    )


def run_of(folder: Path, name: str, items: list[Item], *responses: Response) -> Path:
    """A run with a benchmark of this name, and one model's responses."""
    run = folder / "run"
    home = run / f"bench-{name}"
    write_bench(home, name, home, items)
    (home / "a-model").mkdir()
    (home / "a-model" / "responses.jsonl").write_bytes(b"".join(map(as_line, responses)))
    return run


def export(run: Path, name: str, to: str) -> Any:
    return here(["export", "--run", str(run), "--bench", name, "--to", to])


def table(run: Path, name: str, file: str) -> list[dict[str, str]]:
    with (run / f"bench-{name}" / "a-model" / "vlmevalkit" / file).open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, delimiter="\t"))


def siuo(number: int) -> Item:
    origin = Origin(bench="siuo", row=f"question_id {number}")
    theirs: dict[str, Any] = {"crosswalk": {"siuo": "self-harm"}, "category": "self_harm"}
    good = Reference(answer="Step back first.")
    return item(f"Which pose, {number}?", f"siuo:{number}", source=origin, reference=good, **theirs)


def test_siuo_is_a_prediction_file_of_vlmevalkit(tmp_path: Path) -> None:
    one, two = siuo(1), siuo(2)
    run = run_of(tmp_path, "siuo", [one, two], response(two, None), response(one))
    done = export(run, "siuo", "vlmevalkit")
    assert done.code == 0, done.err
    rows = table(run, "siuo", "a-model_SIUO_GEN.tsv")
    assert tuple(rows[0]) == COLUMNS
    first, second = rows
    assert (first["index"], first["question"], first["prediction"]) == ("0", "Which pose, 1?", WORDS)
    assert (first["category"], first["safety_warning"]) == ("self-harm", "They fall.")
    assert first["answer"] == "Step back first."
    assert (second["index"], second["prediction"]) == ("1", ""), "an answer that never came is an empty one"


def test_mssbench_says_what_it_expects_of_each_side(tmp_path: Path) -> None:
    origin = Origin(bench="mssbench")
    items = [
        item("How?", "p1", kind=kind, source=origin, extra={"half": "chat", "side": side, "warning": "x"})
        for kind, side in (("risky", "unsafe"), ("benign", "safe"))
    ]
    run = run_of(tmp_path, "mssbench", items, *map(response, items))
    assert export(run, "mssbench", "vlmevalkit").code == 0
    rows = table(run, "mssbench", "a-model_MSSBench.tsv")
    assert [(row["answer"], row["subset"]) for row in rows] == [("refuse", "chat"), ("comply", "chat")]


def test_mm_safetybench_keeps_its_scenarios_names(tmp_path: Path) -> None:
    """Their judge has other rubrics for some of them."""
    scenario = {"scenario": "12-Health_Consultation", "picture": "SD"}
    one = item("How?", "s1", source=Origin(bench="mm_safetybench"), extra=scenario, category="other")
    run = run_of(tmp_path, "mm_safetybench", [one], response(one))
    assert export(run, "mm_safetybench", "vlmevalkit").code == 0
    (row,) = table(run, "mm_safetybench", "a-model_MMSafetyBench.tsv")
    assert row["category"] == "12-Health_Consultation"


def test_rows_are_numbered_whatever_was_drawn_and_failed_calls_are_left_out(tmp_path: Path) -> None:
    one, two = siuo(1), siuo(2)
    drawn = [response(one, draw=1), response(one), response(two, None, status="error")]
    run = run_of(tmp_path, "siuo", [one, two], *drawn)
    done = export(run, "siuo", "vlmevalkit")
    assert "2 responses are in it; 1 are not" in done.out
    rows = table(run, "siuo", "a-model_SIUO_GEN.tsv")
    assert [(row["index"], row["draw"]) for row in rows] == [("0", "0"), ("1", "1")]


def played_back(file: Path) -> dict[str, dict[int, str]]:
    """As lmms-eval's `from_log` reads a file."""
    log = json.loads(file.read_text("utf-8"))
    assert log["args"]["limit"] is None and isinstance(log["args"]["model_args"], str)
    return {log["model_configs"]["task"]: {row["doc_id"]: row["resps"][0][0] for row in log["logs"]}}


def test_lmms_eval_plays_the_first_draw_of_each_item_back(tmp_path: Path) -> None:
    one, two, three = siuo(1), siuo(2), siuo(3)
    run = run_of(
        tmp_path, "siuo", [one, two, three], response(three), response(one), response(one, "No.", draw=1)
    )
    done = export(run, "siuo", "lmms_eval")
    assert done.code == 0, done.err
    folder = run / "bench-siuo" / "a-model" / "lmms_eval"
    assert played_back(folder / "siuo_results.json") == {"siuo": {0: WORDS, 2: WORDS}}
    samples = [json.loads(line) for line in (folder / "siuo_samples.jsonl").read_text("utf-8").splitlines()]
    assert [(row["doc_id"], row["filtered_resps"], row["item_id"]) for row in samples] == [
        (0, [WORDS], one.id),
        (2, [WORDS], three.id),
    ]
    assert "2 responses are in it; 1 are not" in done.out


def test_a_benchmark_s_name_is_part_of_a_file_s_and_no_path(tmp_path: Path) -> None:
    one = item("How?", "s1")
    run = run_of(tmp_path, "x", [one], response(one))
    about = run / "bench-x" / "bench.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"name": "../../over"}))
    assert export(run, "x", "vlmevalkit").code == 0
    made = [path.name for path in (run / "bench-x" / "a-model" / "vlmevalkit").iterdir()]
    assert made == ["a-model_over.tsv"]


@pytest.mark.parametrize(
    ("to", "said"), [("vlmevalkit", "several protocols (as_is, think)"), ("other", "of responses vlmevalkit")]
)
def test_what_cannot_be_exported_is_refused(tmp_path: Path, to: str, said: str) -> None:
    one, two = siuo(1), siuo(2)
    run = run_of(tmp_path, "siuo", [one, two], response(one), response(two, protocol="think"))
    done = export(run, "siuo", to)
    assert done.code == 1 and said in done.err


def test_who_has_no_inspect_ai_is_told_how_to_get_it(tmp_path: Path) -> None:
    run = benched(tmp_path, "http://127.0.0.1:9/v1", 1)
    done = here(["bench", "import-log", "a.eval", "--run", str(run.run)])
    there = importlib.util.find_spec("inspect_ai") is not None
    assert done.code == 1 and ("no such file" if there else "`make inspect`") in done.err
