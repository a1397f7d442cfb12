"""Another's benchmark from beginning to end: our questions and its own rules, through one journal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import benches
import pytest
from benching import GOOD, PLAYED, Run, unless_probed
from fake_answers import prompt_text
from fake_server import Fake, serve
from jobs import Ended, rows, wait_for
from test_bench_kill import IN_FLIGHT, start

Row = dict[str, Any]
BEST = ("safe", "very effective", "aware", "unaware")
"""Of the options of a rubric the first of these that it has, for the best a judge can say."""


def rules(body: Row) -> str:
    """A judge that finds every answer as good as the rubric allows."""
    options = prompt_text(body, "user").rpartition("Options: ")[2].split(" | ")
    return f"It is.\nVerdict: {next(option for option in BEST if option in options)}"


THEIRS = {**PLAYED, "none": unless_probed(lambda body: GOOD), "official": rules}


class Theirs(Run):
    """A run of somebody's copy of a benchmark."""

    @property
    def name(self) -> str:
        return next(iter(self.run.parent.glob("copy-*"))).name.removeprefix("copy-")

    @property
    def bench(self) -> Path:
        return self.run / f"bench-{self.name}"

    def command(self, *more: str) -> list[str]:
        data = self.run.parent / f"copy-{self.name}"
        return super().command("--bench", self.name, "--data", str(data), *more)

    @property
    def official(self) -> list[Row]:
        return rows(self.model / "official.jsonl")

    @property
    def report(self) -> Row:
        found: Row = json.loads((self.model / "report.json").read_text("utf-8"))
        return found

    @property
    def content(self) -> list[str]:
        return sorted([*super().content, *(json.dumps(row, sort_keys=True) for row in self.official)])


def made(name: str, folder: Path, url: str, **copy: Any) -> Theirs:
    getattr(benches, name)(folder / f"copy-{name}", **copy)
    return Theirs(folder / "run", url)


def lines(found: Row) -> dict[str, tuple[float | None, int, int]]:
    """Value, n and what is unscored, by line of a table."""
    return {line["name"]: (line["value"], line["n"], line["unscored"]) for line in found["lines"]}


def words(done: Ended) -> str:
    return " ".join(done.out.split())


def test_siuo_is_scored_by_our_questions_and_by_its_own_rules(fake: Fake, tmp_path: Path) -> None:
    fake.answers = THEIRS
    siuo = made("siuo", tmp_path, fake.url)
    done = siuo.here("--score", "rsbench", "official", "copsd", questions=["answer_safe"])
    assert done.code == 0, done.err
    assert len(siuo.judgements) == 3 and len(siuo.official) == 2 * 3
    assert "Ahead: at most 3 answers and 18 calls to the judge" in done.out
    official, copsd = siuo.report["official"]
    assert (official["protocol"], copsd["protocol"], official["judge"]) == ("official", "copsd", "fake-vlm")
    for one in (official, copsd):
        assert lines(one) == dict.fromkeys(("safe", "effective", "safe and effective"), (1, 3, 0))
    assert "siuo, protocol copsd, judge fake-vlm" in words(done)
    assert "count_differs (2): 3 items; sinwang20/SIUO@18974b6 has 167: figures are of this copy" in done.out
    assert not rows(siuo.model / "rejects.jsonl"), "what is only told costs no row"
    assert "one draw each has no vote to win" in done.out
    apart = [" ".join(one["reservations"]) for one in (official, copsd)]
    assert ["one draw" in told for told in apart] == [True, False]
    assert all("asked by protocol six_steps, which tells it more" in told for told in apart)
    page = (siuo.model / "report.html").read_text("utf-8")
    assert "By the benchmark’s own rules" in page and "safe and effective" in page


def test_draws_vote_where_there_are_several(fake: Fake, tmp_path: Path) -> None:
    fake.answers = THEIRS
    siuo = made("siuo", tmp_path, fake.url)
    done = siuo.here("--score", "official", "--protocol", "as_is", draws=3, temperature=1.0)
    assert done.code == 0 and "no vote to win" not in done.out
    (official,) = siuo.report["official"]
    assert (official["draws"], official["reservations"], official["responses"]) == (3, [], 9)
    assert lines(official)["safe"] == (1, 3, 0), "an item counts once"


def test_mssbench_is_scored_on_both_sides_of_both_halves(fake: Fake, tmp_path: Path) -> None:
    fake.answers = THEIRS
    mss = made("mssbench", tmp_path, fake.url)
    done = mss.here(questions=["answer_safe"])
    assert done.code == 0, done.err
    (official,) = mss.report["official"]
    assert {name: value for name, (value, _, _) in lines(official).items()} == {
        "chat safe": 0, "chat unsafe": 1, "embodied safe": 0, "embodied unsafe": 1,
        "chat": 0.5, "embodied": 0.5,
    }  # fmt: skip
    assert "uneven (1): embodied:1: 1 instructions more on the unsafe side" in done.out


def test_rules_may_be_chosen_one_after_the_other(fake: Fake, tmp_path: Path) -> None:
    fake.answers = THEIRS
    siuo = made("siuo", tmp_path, fake.url)
    done = siuo.here("--score", "official")
    assert done.code == 0 and not siuo.judgements and siuo.report["status"] == "complete"
    assert siuo.report["headline"] == [
        "fake-vlm: scored by the benchmark's own rules alone; RSBench's questions were not asked."
    ]
    assert "raw rates" not in done.out
    first = siuo.official
    assert siuo.here("--score", "rsbench", "copsd").code == 0
    assert siuo.official[: len(first)] == first and len(siuo.official) == 6 and len(siuo.judgements) == 21
    calls = fake.calls
    again = siuo.here("--score", "copsd", "--bench", str(siuo.bench))
    assert again.code == 0 and "protocol copsd" in words(again), "the run knows whose rules these are"
    assert fake.calls == calls


def test_a_benchmark_without_the_rules_that_were_named_is_told(fake: Fake, tmp_path: Path) -> None:
    done = made("mis", tmp_path, fake.url).here("--score", "copsd")
    assert done.code == 1 and "bench: score: mis is scored by rsbench, official; got copsd" in done.err
    assert not fake.calls and not fake.probes


def test_what_their_judge_leaves_unscored_is_counted_and_failed_calls_are_tried_again(
    fake: Fake, tmp_path: Path
) -> None:
    """One rubric's calls fail for one item, and another's replies hold no verdict."""
    fake.answers = {
        **THEIRS, "official": lambda body: "Perhaps." if "ineffective" in rubric(body) else rules(body)
    }  # fmt: skip
    fake.fails = lambda body: "500" if "Step back" in prompt_text(body, "user") else None
    copy = (benches.siuo_row(1), benches.siuo_row(2, reference_answer="Ask first."))
    benches.siuo(tmp_path / "copy-siuo", *copy)
    siuo = Theirs(tmp_path / "run", fake.url)
    done = siuo.here("--score", "official")
    assert done.code == 0 and "1 rows lack since calls failed" in done.out
    assert words(done).rpartition("tried again by: ")[2].split(" Look")[0].endswith("--score official")
    (official,) = siuo.report["official"]
    assert official["unscored"] == {"call_failed": 1, "reply_invalid": 2}
    assert siuo.report["status"] == "incomplete"
    assert lines(official) == {
        "safe": (1, 1, 1), "effective": (None, 0, 2), "safe and effective": (None, 0, 2)
    }  # fmt: skip
    fake.fails = None
    calls = fake.calls
    assert siuo.here("--score", "official").code == 0
    assert fake.calls == calls + 1, "a reply without a verdict was an answer"
    (official,) = siuo.report["official"]
    assert lines(official)["safe"] == (1, 2, 0) and official["unscored"] == {"reply_invalid": 2}


def rubric(body: Row) -> str:
    return prompt_text(body, "user").rpartition("Options: ")[2]


def test_another_versions_columns_are_one_line(fake: Fake, tmp_path: Path) -> None:
    old = {"id": 1, "image": "S-01.png", "prompt": "Which pose?"}
    benches.siuo(tmp_path / "copy-siuo", old, old)
    done = Theirs(tmp_path / "run", fake.url).here()
    assert done.code == 1 and len(done.err.strip().splitlines()) == 1
    assert "not one item of SIUO could be read; the first: siuo_gen.json:1: no 'category'" in done.err
    assert "(columns: id, image, prompt): another edition? Expected data/siuo_gen.json" in done.err


def test_rows_of_another_version_among_others_are_rejects(fake: Fake, tmp_path: Path) -> None:
    fake.answers = THEIRS
    benches.siuo(tmp_path / "copy-siuo", benches.siuo_row(1), {"id": 2, "image": "S-02.png"})
    siuo = Theirs(tmp_path / "run", fake.url)
    done = siuo.here("--score", "official")
    assert done.code == 0 and "1 rows are left out (rejects.jsonl); the first: item_invalid" in done.out
    (reject,) = rows(siuo.model / "rejects.jsonl")
    assert (reject["seed_id"], reject["reason"]) == ("siuo_gen.json:2", "item_invalid")


@pytest.mark.slow
def test_a_run_killed_while_it_scores_goes_on_and_is_as_one_that_was_not(tmp_path: Path) -> None:
    """By SIGKILL, twice."""
    more = ("--score", "rsbench", "official", "copsd")
    with serve(answers=THEIRS) as fake:
        whole = made("mssbench", tmp_path / "whole", fake.url)
        assert whole.here(*more).code == 0
        calls = fake.calls
    log = tmp_path / "calls.txt"
    with serve(answers=THEIRS, latency=0.01, log=log) as fake:
        cut = made("mssbench", tmp_path / "cut", fake.url)
        for least in (1, 5):
            process = start(cut, *more)
            wait_for(lambda least=least: len(cut.official) >= least)  # type: ignore[misc]
            process.kill()
            process.join()
            wait_for(lambda: fake.in_flight == 0)
            assert len(cut.judgements) == 9 * 7, "it was killed in the last phase"
        assert len(cut.official) < len(whole.official)
        assert cut.here(*more).code == 0
    asked = log.read_text().splitlines()
    assert cut.content == whole.content
    assert len(set(asked)) == calls and len(asked) - calls <= 2 * IN_FLIGHT


@pytest.mark.parametrize("name", ["siuo", "mssbench"])
def test_a_second_run_has_nothing_to_do(fake: Fake, tmp_path: Path, name: str) -> None:
    fake.answers = THEIRS
    theirs = made(name, tmp_path, fake.url)
    theirs.here("--score", "official")
    before, calls = theirs.content, fake.calls
    done = theirs.here("--score", "official")
    assert (theirs.content, fake.calls) == (before, calls)
    assert re.search(r"at most 0 answers and 0 calls", done.out)
