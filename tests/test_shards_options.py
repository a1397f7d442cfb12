"""What the command of a shard is told beside its number: heeded, or refused before a call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_server import Fake
from jobs import plain
from test_shards import sharded


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


def test_an_empty_shard_is_no_whole_run(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake)
    end = many.here("")
    assert (end.code, fake.calls) == (1, 0) and "expected I/N" in end.err
