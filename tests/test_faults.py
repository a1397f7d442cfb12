"""A server or a disk that fails: every seed ends as a row or a reasoned reject, or the run can be resumed."""

import dataclasses
import re
from pathlib import Path

import pytest
from fake_server import Fake, serve, serve_apart
from jobs import Ended, Job, job, plain

from ssui_gen.records import ReasoningPath, Reject

GOES_AWAY = [
    "429",
    "500",
    "503",
    "408",
    "409",
    "drop",
    "garbage",
    "half",
    "empty",
    "null",
    "overloaded",
    "hang",
]
"""Faults after which the same call is tried again."""


def errors_of(end: Ended) -> str:
    """The one line that a failed command may write."""
    assert end.code == 1
    assert re.fullmatch(r"ssui dataset: [^\n]+\n", end.err), end.err
    return end.err


def counts_add_up(done: Job, items: int) -> None:
    """Each item is one valid row or one valid reject that says why."""
    paths = [ReasoningPath.model_validate(row) for row in done.paths]
    rejects = [Reject.model_validate(row) for row in done.rejects]
    keys = {(p.seed_id, p.kind) for p in paths} | {(r.seed_id, r.kind) for r in rejects}
    assert len(paths) + len(rejects) == len(keys) == items
    assert all(reject.detail for reject in rejects)


@pytest.mark.slow
def test_with_a_fifth_of_calls_failing_every_seed_still_ends(fake: Fake, tmp_path: Path) -> None:
    fake.fail_share = 0.2
    done = job(tmp_path, fake.url, plain(40), tries_per_call=3)
    end = done.here()
    assert (end.code, end.err) == (0, "")
    counts_add_up(done, 80)
    assert len(done.paths) > 60
    assert set(done.reasons) == {"call_failed"}
    retries = re.search(r"(\d+) retries", end.out)
    assert fake.calls > 80 * 6, retries


@pytest.mark.parametrize("fault", GOES_AWAY)
def test_a_fault_that_goes_away_costs_nothing(fake: Fake, tmp_path: Path, fault: str) -> None:
    fake.faults = (fault, "ok", fault)
    done = job(tmp_path, fake.url, plain(2), tries_per_call=3, timeout_seconds=2)
    end = done.here()
    assert (end.code, end.err) == (0, "")
    assert (len(done.paths), done.rejects) == (4, [])


@pytest.mark.parametrize("fault", ["429", "500", "drop", "garbage", "half", "empty", "null", "hang"])
def test_a_fault_that_stays_while_the_server_answers_is_a_reject(
    fake: Fake, tmp_path: Path, fault: str
) -> None:
    fake.always = fault
    done = job(tmp_path, fake.url, plain(2), tries_per_call=1, timeout_seconds=2)
    end = done.here()
    assert end.code == 1 and "no record was made" in end.err
    counts_add_up(done, 4)
    assert [(r["stage"], r["reason"]) for r in done.rejects] == [("query", "call_failed")] * 4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("400", "request_refused"), ("413", "request_refused"), ("overflow", "context_overflow")],
)
def test_a_request_that_is_refused_is_not_repeated(
    fake: Fake, tmp_path: Path, fault: str, reason: str
) -> None:
    fake.faults = (fault,)
    done = job(tmp_path, fake.url, plain(2), twins=False)
    assert done.here().code == 0
    counts_add_up(done, 2)
    assert dict(done.reasons) == {reason: 1}
    assert fake.counts["query"] == 2


def test_retry_after_is_honoured(fake: Fake, tmp_path: Path) -> None:
    fake.faults, fake.retry_after = ("429",), "2"
    end = job(tmp_path, fake.url, plain(1), twins=False).here()
    seconds = re.search(r"seconds +│ +([\d.]+)", end.out)
    assert seconds and float(seconds[1]) >= 2


@pytest.mark.parametrize("status", ["401", "403", "404"])
def test_no_access_stops_the_run_at_once(fake: Fake, tmp_path: Path, status: str) -> None:
    fake.faults, fake.latency = ("ok",) * 10 + (status,) * 100, 0.2
    done = job(tmp_path, fake.url, plain(30), calls_in_flight=4)
    said = errors_of(done.here())
    assert f"{fake.url}: HTTP {status}: " in said
    assert fake.calls <= 10 + 3 * 4
    assert done.rejects == []


def test_a_model_that_is_not_served_is_named_with_those_that_are(fake: Fake, tmp_path: Path) -> None:
    said = errors_of(job(tmp_path, fake.url, plain(1)).here("--model", "fake-vml"))
    assert "'fake-vml'" in said
    assert "served: fake-vlm" in said
    assert fake.calls == 0


def test_of_several_served_models_one_must_be_chosen(fake: Fake, tmp_path: Path) -> None:
    fake.models = ("big", "small")
    done = job(tmp_path, fake.url, plain(1))
    assert "several models are served (big, small): say which, MODEL=" in errors_of(done.here())
    assert done.here("--model", "small").code == 0


def test_a_server_that_is_down_from_the_start_is_one_line_and_no_reject(tmp_path: Path) -> None:
    with serve() as fake:
        url = fake.url
    done = job(tmp_path, url, plain(3))
    assert f"no model server answers: {url}: no connection" in errors_of(done.here())
    assert done.content == []
    with serve() as fake:
        assert dataclasses.replace(done, url=fake.url).here().code == 0
    counts_add_up(done, 6)


@pytest.mark.slow
def test_a_server_that_dies_midway_costs_no_row_and_no_seed(fake: Fake, tmp_path: Path) -> None:
    whole = job(tmp_path / "whole", fake.url, plain(12))
    whole.here()
    cut = job(tmp_path / "cut", fake.url, plain(12), tries_per_call=2, seeds_in_flight=3)
    with serve_apart("--die-after", "60") as url:
        said = errors_of(dataclasses.replace(cut, url=url).here())
    assert f"Nothing answers at {url}: start it and run the same command again" in said
    assert 0 < len(cut.paths) < 24
    assert cut.rejects == []
    kept, port = set(cut.content), url.split(":")[2].removesuffix("/v1")
    with serve(port=int(port)) as again:
        assert dataclasses.replace(cut, url=again.url).here().code == 0
        assert again.calls <= fake.calls - 60 + 3 * 2 * 2
    assert kept < set(cut.content)
    assert cut.content == whole.content


@pytest.mark.slow
def test_a_full_disk_under_the_rows_loses_none_of_them(fake: Fake, tmp_path: Path) -> None:
    whole = job(tmp_path / "whole", fake.url, plain(8, kind="risky"))
    whole.here()
    cut = job(tmp_path / "cut", fake.url, plain(8, kind="risky"), seeds_in_flight=1)
    cut.here("--limit", "1")
    file = cut.run / "reasoning_paths.jsonl"
    filled = file.read_bytes() + b" " * 400_000 + b"\n"
    file.write_bytes(filled)
    said = errors_of(cut.apart(disk=len(filled) + 5000))
    assert f"{file}: a row could not be written: " in said
    assert "free some space and run the same command again" in said
    after = file.read_bytes()
    assert len(filled) < len(after) <= len(filled) + 5000
    assert after.startswith(filled)
    assert after.endswith(b"}\n")
    assert cut.here().code == 0
    assert cut.content == whole.content


@pytest.mark.slow
def test_a_full_disk_under_the_journal_stops_the_run_and_it_goes_on(fake: Fake, tmp_path: Path) -> None:
    whole = job(tmp_path / "whole", fake.url, plain(10))
    whole.here()
    cut = job(tmp_path / "cut", fake.url, plain(10), seeds_in_flight=2)
    said = errors_of(cut.apart(disk=150_000))
    assert "calls.sqlite: the call journal cannot be used" in said
    assert set(cut.content) < set(whole.content)
    assert cut.here().code == 0
    assert cut.content == whole.content


def test_a_disk_full_from_the_start_is_one_clear_line(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, plain(1))
    assert "the run folder cannot be written" in errors_of(done.apart(disk=0))
    assert fake.calls == 0


@pytest.mark.parametrize("what", ["seeds", "config"])
def test_a_missing_file_is_named_before_the_first_call(fake: Fake, tmp_path: Path, what: str) -> None:
    said = errors_of(job(tmp_path, fake.url, plain(1)).here(f"--{what}", str(tmp_path / "nowhere")))
    assert f"{tmp_path / 'nowhere'}: no such file" in said
    assert fake.calls == 0
