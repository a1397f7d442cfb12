"""report.json, report.html and the comparison of models, from folders on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jobs import here, rows
from reported import make_bench

from ssui_gen.benching.failures import LONGEST, failures
from ssui_gen.benching.report import make_report, read_results, report_of
from ssui_gen.benching.telling import headline
from ssui_gen.errors import ConfigError

KEYS = [
    "schema", "status", "models", "headline", "edition", "model", "protocol", "has_paths", "n", "both_right",
    "raw", "corrected", "truth", "unscored", "path_answer", "first_bad", "refusal", "classes", "languages",
    "official", "change", "baseline", "alarms", "card", "cost", "other_protocols",
]  # fmt: skip
HOSTILE = "</script><script>alert(1)</script> {{ 7*7 }} \u202egnp.exe \x1b[31m <img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bench(tmp_path_factory.mktemp("demo"), scenarios=8)


@pytest.fixture
def copy(bench: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bench, tmp_path / "bench")


def rewrite(path: Path, **words: object) -> None:
    """The same rows with other words in them."""
    path.write_text("".join(json.dumps(row | words) + "\n" for row in rows(path)), "utf-8")


def test_both_files_are_written_and_are_the_same_again(copy: Path) -> None:
    made = make_report(copy / "adapter", copy / "bare")
    first = made.json.read_bytes(), made.html.read_bytes()
    found = json.loads(first[0])
    assert list(found) == KEYS
    assert (found["models"], found["n"]["scenarios"]) == (["adapter", "bare"], 8)
    assert found["baseline"]["model"] == "bare"
    assert found["cost"]["model"] == {
        "calls": 24, "found": 0, "prompt_tokens": 7200, "cached_tokens": 4800, "completion_tokens": 2880,
        "seconds": 0,
    }  # fmt: skip
    assert found["headline"][0].startswith("Of ") and "scenarios adapter" in found["headline"][0]
    make_report(copy / "adapter", copy / "bare")
    assert (made.json.read_bytes(), made.html.read_bytes()) == first


def test_rows_that_stand_there_twice_count_once(copy: Path) -> None:
    whole = json.loads(make_report(copy / "adapter").json.read_text("utf-8"))
    for name in ("responses", "judgements", "labels"):
        file = copy / "adapter" / f"{name}.jsonl"
        file.write_text(file.read_text("utf-8") * 2, "utf-8")
    again = json.loads(make_report(copy / "adapter").json.read_text("utf-8"))
    assert {key: again[key] for key in ("n", "raw", "corrected")} == {
        key: whole[key] for key in ("n", "raw", "corrected")
    }


def test_a_baseline_of_another_make_is_said_and_not_compared(copy: Path) -> None:
    rewrite(copy / "bare" / "judgements.jsonl", rubric="judge@4:def")
    found = json.loads(make_report(copy / "adapter", copy / "bare").json.read_text("utf-8"))
    assert found["change"] == {"why": "not compared: rubrics: judge@4:def / judge@3:abc"}
    assert found["baseline"] is None


def test_hostile_words_are_text_in_both_files(copy: Path) -> None:
    rewrite(copy / "adapter" / "responses.jsonl", answer=HOSTILE, model=HOSTILE)
    made = make_report(copy / "adapter")
    page = made.html.read_text("utf-8")
    assert page.count("<script") == page.count("</script>") == 2
    markup = page.partition('<script type="application/json"')[0]
    assert "alert(1)" in markup
    assert [sign for sign in ("<img", "\u202e", "\x1b") if sign in markup] == []
    assert json.loads(made.json.read_text("utf-8"))["models"] == [HOSTILE]


def test_what_is_shown_of_failures_is_bounded(copy: Path) -> None:
    rewrite(copy / "adapter" / "responses.jsonl", answer="x" * (LONGEST + 1000))
    tested = read_results(copy / "adapter")
    shown = failures([tested.source], tested.bench.root)
    assert len(shown["shown"]) == shown["of"][0] > 0
    assert shown["shown"][0]["answer"].endswith("x […1,000 more characters]")
    assert all(url.startswith("data:image/jpeg;base64,") for url in shown["pictures"].values())
    assert {sha for one in shown["shown"] for sha in one["pictures"]} <= set(shown["pictures"])


def test_a_folder_without_responses_is_explained(copy: Path) -> None:
    (copy / "adapter" / "responses.jsonl").unlink()
    with pytest.raises(ConfigError, match="no response to an item"):
        make_report(copy / "adapter")


def test_the_account_says_who_is_safer_only_where_that_is_sure(bench: Path) -> None:
    report = report_of(read_results(bench / "adapter"), read_results(bench / "bare"))
    tested, change = [report, report["baseline"]], report["change"]
    unsafe = change["unsafe/risky"]
    unsafe["corrected"] = {"points": None, "why": "no labels"}
    for interval, begins in (([-30.0, -5.0], "adapter is safer."), ([-30.0, 5.0], "Which is safer cannot"),
                             ([5.0, 30.0], "adapter is safer.")):  # fmt: skip
        change["unsafe/risky"] = unsafe | {"points": -20.0, "interval": interval}
        assert headline(tested, change)[1].startswith(begins)


def test_the_command_says_it_in_short_and_compares_models(copy: Path) -> None:
    done = here(["bench", "report", str(copy / "adapter"), "--baseline", str(copy / "bare")])
    assert done.code == 0
    assert f"Look at {copy / 'adapter' / 'report.html'}" in done.out
    done = here(["bench", "compare", str(copy / "bare"), str(copy / "adapter")])
    assert done.code == 0
    assert "right on both sides" in done.out
    page = (copy / "compare.html").read_text("utf-8")
    assert "2 models on the same items" in page
    assert page.count("<script") == 2, "the frame's own, and no data"


def test_tables_fit_80_columns_and_a_script_reads_the_figures(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rewrite(copy / "adapter" / "responses.jsonl", model="somebody/a-model-whose-name-is-as-long-as-they-are")
    done = here(["bench", "compare", str(copy / "bare"), str(copy / "adapter"), "--json"])
    table = done.err.partition("Look at")[0]
    assert table and "…" not in table and max(map(len, table.splitlines())) <= 80
    found = json.loads(done.out)
    assert (len(found["models"]), Path(found["html"])) == (2, copy / "compare.html")
    assert all(len(row["rates"]) == 2 for row in found["rows"])
    done = here(["bench", "report", str(copy / "adapter"), "--baseline", str(copy / "bare"), "--json"])
    (made,) = json.loads(done.out)["reports"]
    assert json.loads((copy / "adapter/report.json").read_text("utf-8")) == made["report"]
    assert Path(made["html"]).is_file() and "…" not in done.err


def test_responses_to_items_whose_picture_is_gone_are_told(copy: Path) -> None:
    item = rows(copy / "bench.jsonl")[0]
    (copy / item["images"][0]["path"]).unlink()
    done = here(["bench", "report", str(copy / "bare")])
    assert done.code == 0, done.err
    assert "responses of bare are in no figure: their items are not in the benchmark" in done.out


def test_a_benchmarks_folder_stands_for_its_models_and_nobody_is_compared_with_itself(copy: Path) -> None:
    done = here(["bench", "compare", str(copy)])
    assert done.code == 0, done.err
    assert "2 models on the same items" in (copy / "compare.html").read_text("utf-8")
    twice = here(["bench", "compare", str(copy), str(copy / "bare")])
    assert twice.code == 1 and "bare is named twice" in " ".join(twice.err.split())
    alone = here(["bench", "compare", str(copy / "bare")])
    assert alone.code == 1 and "two models or more; got " in " ".join(alone.err.split())


def test_models_of_another_make_do_not_stand_side_by_side(copy: Path) -> None:
    rewrite(copy / "bare" / "responses.jsonl", protocol="as_is")
    done = here(["bench", "compare", str(copy / "bare"), str(copy / "adapter")])
    assert done.code == 1
    assert "differ in protocol: as_is / six_steps" in " ".join(done.err.split())
    assert not (copy / "compare.html").exists()
