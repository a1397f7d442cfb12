"""RSBench through a real inspect_ai, on a local server: our runner's rows, read back and labelled."""

from __future__ import annotations

import json
import math
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from benching import PLAYED, Run, asked_in, benched, judge, unless_probed
from fake_answers import prompt_text
from fake_server import Fake, Whole, serve
from inspected import ROOT, evaluated, inspect, read
from jobs import here, rows

from ssui_gen.benching.kept import JUDGEMENTS, RESPONSES
from ssui_gen.benching.records import BenchJudgement, Drawn
from ssui_gen.jsonl import as_line
from ssui_gen.judging.questions import RSBENCH

pytestmark = [
    pytest.mark.inspect,
    pytest.mark.filterwarnings("default"),  # inspect_ai's own
]


class Eval(NamedTuple):
    """One eval, and a run of ours that asked the same server the same things."""

    run: Run
    log: Path
    read: Any

    def copy(self, to: Path) -> Run:
        """The run without what our runner made in it."""
        shutil.copytree(self.run.run, to / "run", ignore=shutil.ignore_patterns("fake-vlm*"))
        return Run(to / "run", self.run.url)

    def bring(self, run: Run, log: Path | None = None) -> Any:
        return here(["bench", "import-log", str(log or self.log), "--run", str(run.run)])


def made(folder: Path, fake: Fake, scenarios: int, *more: str, **bench: Any) -> Eval:
    run = benched(folder / "outputs", fake.url, scenarios)
    (folder / "bench.yaml").write_text(json.dumps({"bench": bench}))
    log = evaluated(run, "-T", "config=bench.yaml", *more)
    done = run.here(**bench)
    assert done.code == 0, done.err
    return Eval(run, log, read(log))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eval]:
    """Two scenarios."""
    with serve() as fake:
        fake.answers = PLAYED
        yield made(tmp_path_factory.mktemp("usual"), fake, 2)


def by_id(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["id"]: row for row in found}


def responses(log: Any) -> dict[str, Any]:
    return by_id([sample.store["response"] for sample in log.samples])


def judgements(log: Any) -> dict[str, Any]:
    return by_id([row for sample in log.samples for row in score(sample).metadata["judgements"]])


def score(sample: Any) -> Any:
    return next(value for name, value in sample.scores.items() if name.endswith("judged"))


def found(log: Any, key: str) -> Any:
    return next(one for one in log.results.scores if one.name == key)


def metric(log: Any, key: str, name: str) -> float:
    return float(next(one.value for full, one in found(log, key).metrics.items() if full.endswith(name)))


# --- the same as our runner -------------------------------------------------------------------------


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """As a file has it."""
    named = {("schema" if name == "schema_version" else name): value for name, value in row.items()}
    return dict(json.loads(json.dumps(named)))


def test_responses_and_judgements_are_those_of_our_runner(usual: Eval) -> None:
    assert usual.read.status == "success"
    ours, theirs = by_id(usual.run.responses), responses(usual.read)
    assert len(ours) == 4 and ours == {id: plain(row) for id, row in theirs.items()}
    ours, theirs = by_id(usual.run.judgements), judgements(usual.read)
    assert len(ours) == 4 * 7 and ours == {id: plain(row) for id, row in theirs.items()}
    assert all(len(row["made_by"]) == 2 and row["shares"] for row in ours.values()), "asked in both orders"


def test_a_score_is_a_figure_of_each_question_by_scenario(usual: Eval) -> None:
    assert usual.read.eval.task_version == usual.run.judgements[0]["rubric"]
    assert {one.name for one in usual.read.results.scores} == {*RSBENCH, "good", "answer_good"}
    assert metric(usual.read, "good", "mean") == 0.5
    assert metric(usual.read, "good", "clustered_stderr") == pytest.approx(0.5)
    first = usual.read.samples[0]
    assert first.metadata.keys() == {"scenario_id", "kind", "category", "language"}
    assert score(first).reason is None and set(score(first).value.values()) <= {0.0, 1.0}


def test_nothing_absolute_and_no_key_stands_in_a_log(usual: Eval) -> None:
    with zipfile.ZipFile(usual.log) as log:
        texts = {name: log.read(name).decode("utf-8") for name in log.namelist()}
    assert len(texts) > 4
    for word in (str(usual.run.run.parents[1]), str(ROOT), str(Path.home()), "MICRO_API_KEY"):
        assert [name for name, text in texts.items() if word in text] == [], word


# --- what a model and a judge may do ----------------------------------------------------------------

MANNERS = {
    "Question 0": "I see a ledge.</think>RIGHT.",
    "Question 1": Whole({"content": "<think>I see a ledge"}, "length"),
    "Question 2": "<think>I see a ledge.</think>RIGHT.",
    "Question 3": Whole({"content": None, "refusal": "No."}),
    "Question 4": Whole({"content": "RIGHT.", "reasoning_content": "I see a ledge."}),
    "Question 5": Whole({"content": ""}, "content_filter"),
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eval]:
    """A model of many manners before a judge that fails."""
    with serve() as fake:
        say = unless_probed(
            lambda body: next(v for k, v in MANNERS.items() if k in prompt_text(body, "user"))
        )
        fake.answers = {"none": say, "judge": _odd_judge}
        fake.fails = lambda body: "400" if "# Asked: refusal" in prompt_text(body, "user") else None
        yield made(tmp_path_factory.mktemp("odd"), fake, len(MANNERS), protocol="as_is")


def _odd_model(body: dict[str, Any]) -> Any:
    return next(said for text, said in MANNERS.items() if text in prompt_text(body, "user"))


def _odd_judge(body: dict[str, Any]) -> str:
    return "Z" if asked_in(body) == "answer_helpful" else judge(body)


def test_thoughts_are_split_by_our_reader(odd: Eval) -> None:
    """inspect_ai leaves half a pair of tags in the answer."""
    ours, theirs = by_id(odd.run.responses), responses(odd.read)
    assert ours.keys() == theirs.keys()
    for id, row in ours.items():
        assert (theirs[id]["status"], theirs[id]["answer"]) == (row["status"], row["answer"])
        assert theirs[id]["path"]["text"] == row["path"]["text"]
    texts = {item["id"]: item["text"] for item in rows(odd.run.bench / "bench.jsonl")}
    got = {texts[row["item_id"]]: (row["status"], row["path"]["source"]) for row in theirs.values()}
    assert got == {
        "Question 0?": ("ok", "think_tags"),
        "Question 1?": ("no_answer", "think_tags"),
        "Question 2?": ("ok", "reasoning_content"),  # it has taken the tags out
        "Question 3?": ("provider_refusal", "none"),
        "Question 4?": ("ok", "reasoning_content"),
        "Question 5?": ("provider_refusal", "none"),
    }


def test_what_a_judge_does_not_say_is_unscored_for_its_question_alone(odd: Eval) -> None:
    ours, theirs = by_id(odd.run.judgements), judgements(odd.read)
    assert {id: row["verdict"] or row["unscored"] for id, row in ours.items()} == {
        id: row["verdict"] or row["unscored"] for id, row in theirs.items()
    }
    said = {row["unscored"] for row in theirs.values() if row["question"] in ("refusal", "answer_helpful")}
    assert said == {"request_refused", "low_mass", "not_asked"}
    assert (found(odd.read, "refusal").scored_samples, found(odd.read, "answer_safe").scored_samples) == (
        0,
        6,
    )
    assert math.isnan(metric(odd.read, "refusal", "mean"))
    reasons = {score(sample).reason for sample in odd.read.samples}
    assert reasons == {"grader_failed", "no_response", "refusal"}


def test_one_scenario_has_no_clustered_error_and_ends_no_eval(tmp_path: Path, fake: Fake) -> None:
    """A metric that raises below two clusters ends an eval with its first sample."""
    fake.answers = PLAYED
    log = read(made(tmp_path, fake, 1, "--max-samples", "1").log)
    assert log.status == "success" and math.isnan(metric(log, "good", "clustered_stderr"))


def test_no_judge_and_no_such_run_end_before_the_first_call(tmp_path: Path, fake: Fake) -> None:
    run = benched(tmp_path / "outputs", fake.url, 1)
    task = ["eval", "ssui_gen/rsbench", "--model", "openai-api/micro/fake-vlm"]
    done = inspect(run, *task, "-T", "run=run")
    assert done.returncode == 1 and "Model role 'judge' is required" in done.stdout + done.stderr
    done = inspect(run, *task, "-T", f"run={run.run}", "--model-role", "judge=openai-api/micro/fake-vlm")
    assert done.returncode == 1 and "expected a name such as demo" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr and fake.calls == 0


# --- a log read back --------------------------------------------------------------------------------


def test_our_report_is_made_of_a_log(usual: Eval, tmp_path: Path) -> None:
    run = usual.copy(tmp_path)
    done = usual.bring(run)
    assert done.code == 0, done.err
    assert (
        "4 responses and 28 judgements" in done.out
        and "Of 4 responses the verdicts were made anew" in done.out
    )
    assert run.content == usual.run.content
    assert (run.model / "report.html").exists()
    ours, theirs = (json.loads((one.model / "report.json").read_text()) for one in (usual.run, run))
    for part in ("raw", "unscored", "both_right", "headline"):
        assert ours[part] == theirs[part]
    assert "holds rows already" in usual.bring(run).err


def test_our_runner_goes_on_where_a_log_ends(usual: Eval, tmp_path: Path) -> None:
    run = usual.copy(tmp_path)
    assert usual.bring(run).code == 0
    for name in (RESPONSES, JUDGEMENTS):
        file = run.model / name
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    done = run.here()
    assert done.code == 0, done.err
    assert {row["id"] for row in run.judgements} == {row["id"] for row in usual.run.judgements}


@pytest.fixture
def changed(usual: Eval, tmp_path: Path) -> Path:
    """The log with a verdict that its calls do not give."""
    from inspect_ai.log import write_eval_log

    log = read(usual.log)
    row = score(log.samples[0]).metadata["judgements"][0]
    row["verdict"] = "invented"
    write_eval_log(log, str(tmp_path / "changed.eval"))
    return tmp_path / "changed.eval"


def test_a_verdict_that_the_calls_of_the_log_do_not_give_is_refused(
    usual: Eval, changed: Path, tmp_path: Path
) -> None:
    run = usual.copy(tmp_path)
    done = usual.bring(run, changed)
    assert done.code == 1 and "grounded: verdict is 'invented', and the judge's calls" in done.err
    assert not (run.model / RESPONSES).exists()


def test_a_log_of_other_items_and_a_file_that_is_none_are_refused(
    usual: Eval, tmp_path: Path, fake: Fake
) -> None:
    other = benched(tmp_path, fake.url, 1)
    assert "its items are not those of" in usual.bring(other).err
    for name, content in (
        ("a.eval", b"no log"),
        ("b.json", b"{}"),
        ("c.eval", usual.log.read_bytes()[:-900]),
    ):
        (tmp_path / name).write_bytes(content)
        done = usual.bring(other, tmp_path / name)
        assert done.code == 1 and f"{name}: not a log of inspect_ai" in done.err
    assert "no such file" in usual.bring(other, tmp_path / "d.eval").err


# --- people -----------------------------------------------------------------------------------------


def label(row: dict[str, Any], verdict: str | None, drawn: bool = True) -> BenchJudgement:
    by = "person:ann"
    return BenchJudgement(
        id=BenchJudgement.id_of(row["response_id"], row["question"], by),
        **{name: row[name] for name in ("response_id", "item_id", "question")},
        rubric="page",
        judge=by,
        verdict=verdict,
        unscored=None if verdict else "undecided",
        drawn=Drawn(stratum="s", probability=0.5) if drawn else None,
    )


def labelled(run: Run, *labels: BenchJudgement) -> Run:
    (run.model / "labels.jsonl").write_bytes(b"".join(map(as_line, labels)))
    return run


def test_people_s_labels_stand_beside_the_judge_s(
    usual: Eval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither key nor address of a model is needed for that."""
    monkeypatch.delenv("MICRO_API_KEY", raising=False)
    run = usual.copy(tmp_path)
    usual.bring(run)
    safe = [row for row in run.judgements if row["question"] == "answer_safe"]
    labelled(run, label(safe[0], "unsafe"), label(safe[1], "safe"), label(safe[2], None))
    to = tmp_path / "with people.eval"
    command = ["bench", "label-log", str(usual.log), "--run", str(run.run), "--output", str(to)]
    done = here(command)
    assert done.code == 0, done.err
    assert "2 labelled responses" in done.out
    log = read(to)
    people = next(one for one in log.results.scores if one.scorer == "people" and one.name == "answer_safe")
    assert (people.scored_samples, people.metrics["mean"].value) == (2, 0.5)
    assert found(log, "good").scored_samples == 4, "the judge's are there still"
    assert log.eval.model_roles["judge"].model == "openai-api/micro/fake-vlm"
    assert "is there already" in here(command).err
    with zipfile.ZipFile(to) as packed:
        assert not [name for name in packed.namelist() if str(tmp_path).encode() in packed.read(name)]


def test_labels_of_responses_that_a_log_does_not_hold_are_refused(usual: Eval, tmp_path: Path) -> None:
    run = usual.copy(tmp_path)
    usual.bring(run)
    row = next(row for row in run.judgements if row["question"] == "answer_safe")
    to = tmp_path / "with people.eval"
    command = ["bench", "label-log", str(usual.log), "--run", str(run.run), "--output", str(to)]
    assert "no labels yet" in here(command).err
    labelled(run, label(row, "safe"), label({**row, "response_id": "another"}, "safe"))
    assert "1 labelled responses are not in it, such as another" in here(command).err
    labelled(run, label(row, "safe", drawn=False))
    assert "no label counts" in here(command).err and not to.exists()
