"""What the command of a shard is told beside its number: heeded, or refused before a call."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from benching import benched
from exploring import command as pairs_command
from exploring import explored
from fake_server import Fake
from jobs import here, job, plain
from test_shards import sharded

from ssui_gen.manifest import read_manifest


def test_a_shard_stops_at_its_limit_which_counts_earlier_attempts(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, plain(12), of=1)
    first = many.here(0, "--most-tokens", "3000")
    assert first.code == 3 and "--most-tokens 6000" in first.out
    before, rows = fake.calls, many.count("row", 0)
    assert 0 < rows < 24 and before
    assert many.here(0, "--most-tokens", "3000").code == 3
    assert fake.calls == before, "what the first attempt spent was not counted"
    assert many.here(0).code == 0


def test_a_shard_tells_a_script_what_came_of_it(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, of=1)
    worked, again = (json.loads(many.here(0, "--json").out) for _ in range(2))
    assert (worked["shard"], worked["of"], worked["interrupted"]) == (0, 1, False)
    assert worked["calls"] == fake.calls > 0
    assert again == {"run": str(many.run), "shard": 0, "of": 1, "interrupted": False}


@pytest.mark.parametrize("more", [["--dry"], ["--sample", "2"], ["--against", "outputs/june"]])
def test_what_is_of_whole_runs_is_refused_before_any_call(
    fake: Fake, tmp_path: Path, more: list[str]
) -> None:
    many = sharded(tmp_path, fake)
    end = many.here(0, *more)
    assert (end.code, fake.calls, many.run.exists()) == (1, 0, False)
    assert more[0] in end.err


def test_servers_that_end_with_a_machines_work_are_not_remembered(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, plain(2), of=2)
    ours = ("--own-servers", "--model", "fake-vlm")
    assert [end.code for end in many.all(*ours)] == [0, 0]
    assert many.merged and fake.calls
    vlm = read_manifest(many.run / "run.json").config.models["vlm"]
    assert (vlm.name, vlm.base_urls) == ("fake-vlm", ()), "it is to be served anew"
    for more, said in (([], "is of a shard alone"), (["--cluster", "local"], "is of one shard")):
        whole = here(many.job.command("--run", str(tmp_path / "whole"), *more, *ours))
        assert whole.code == 1 and f"--own-servers: {said}" in whole.err


def test_an_empty_shard_is_no_whole_run(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake)
    end = many.here("")
    assert (end.code, fake.calls) == (1, 0) and "expected I/N" in end.err


def test_a_cluster_without_ray_is_one_line_that_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    made = job(tmp_path, "http://127.0.0.1:9/v1", plain(1))
    end = made.here("--cluster", "auto")
    assert end.code == 1 and not made.run.exists()
    assert "needs Ray, which is not installed: `make cluster`" in end.err


@pytest.mark.parametrize(
    ("more", "said"),
    [(["--shard", "0/2"], "leave one of them out"), (["--dry"], "--dry"), (["--sample", "3"], "--sample")],
)
def test_what_is_no_matter_of_a_cluster_is_refused(tmp_path: Path, more: list[str], said: str) -> None:
    end = job(tmp_path, "http://127.0.0.1:9/v1", plain(1)).here("--cluster", "auto", *more)
    assert end.code == 1 and said in end.err


def test_what_no_shard_of_pairs_or_of_a_benchmark_may_do_no_cluster_does(tmp_path: Path) -> None:
    made = explored(tmp_path, "http://127.0.0.1:9/v1")
    asking = tmp_path / "asking.yaml"
    asking.write_text("explore: {recovery: {cuts: 1}}\npairs: {first_bad: ask}")
    cluster = ("--cluster", "auto")
    end = here(pairs_command(made, *cluster, "--config", str(asking)))
    assert end.code == 1 and "nobody says it before all shards are merged" in end.err
    run = benched(tmp_path, "http://127.0.0.1:9/v1")
    end = here(run.command(*cluster, "--mix"))
    assert end.code == 1 and "shards of a benchmark are of one make" in end.err
    for command in (pairs_command(made, *cluster, "--dry"), run.command(*cluster, "--shard", "0/2")):
        end = here(command)
        assert end.code == 1 and ("--dry" in end.err or "leave one of them out" in end.err)
    assert not (made.run / "pairs").exists() and not (run.bench / "shards").exists()
