"""`ssui ctl` for all shards of a job: each process hears it within seconds, wherever the shards lie."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exploring import explored
from fake_server import Fake, serve
from jobs import Ended, here, plain, wait_for
from sharded import ANSWERS
from test_ctl import most_at_once, still
from test_shards import sharded
from test_shards_pairs import PLAYED, Many

from ssui_gen.errors import RecordError
from ssui_gen.shards.bucket import Bucket
from ssui_gen.shards.control import CONTROL, heard, say
from ssui_gen.shards.folder import Folder

SLOW, SLOWER = 0.25, 1.0
"""Seconds an answer takes, and once work has begun: there is work left when a shard hears a word."""


def ctl(run: Path | str, *order: str) -> Ended:
    return here(["ctl", "--run", str(run), *order], asks=False)


def status(run: Path) -> dict[str, Any]:
    end = ctl(run, "status", "--json")
    assert end.code == 0, end
    found: dict[str, Any] = json.loads(end.out)
    return found


def begun(fake: Fake, condition: Callable[[], object]) -> None:
    """Wait until work has begun, and let it take longer from then on."""
    wait_for(condition)
    fake.latency = SLOWER


@pytest.mark.slow
def test_shards_at_work_and_those_that_start_later_are_paused_until_they_are_told_to_go_on(
    tmp_path: Path,
) -> None:
    with serve(answers=ANSWERS, latency=0.4) as fake:
        many = sharded(tmp_path, fake, plain(72), of=3)
        many.job.folder.joinpath("run.yaml").write_text("limits: {calls_in_flight: 3, steer: false}")
        assert many.told("deal", "--seeds", str(many.job.seeds), "--shards", "3").code == 0
        shards = [many.start(0), many.start(1)]
        try:
            wait_for(lambda: many.count("call", 0) and many.count("call", 1))
            said = ctl(many.run, "pause")
            assert said.code == 0 and "Paused" in said.out
            wait_for(lambda: still(fake))
            paused = [True, True]
            wait_for(lambda: [one["paused"] for one in status(many.run)["shards"].values()] == paused, 30)
            assert "2 shards at work (2 paused)" in ctl(many.run, "status").out
            shards.append(many.start(2))
            wait_for(lambda: len(status(many.run)["shards"]) == 3)
            assert still(fake) and not many.count("call", 2)
            assert all(shard.is_alive() for shard in shards)
            assert ctl(many.run, "concurrency", "2").code == 0
            assert "Going on" in ctl(many.run, "resume").out
            wait_for(lambda: many.count("call", 2) > 0)
            fake.latency = 0.1
            assert most_at_once(fake) <= 3 * 2
            assert ctl(many.run, "concurrency", "auto").code == 0
            fake.latency = 0.0
            for shard in shards:
                shard.join()
            assert [shard.exitcode for shard in shards] == [0, 0, 0]
        finally:
            for shard in shards:
                shard.kill()
        assert many.told("merge").code == 0
        after = ctl(many.run, "pause")
        assert after.code == 1 and "all shards are done" in after.err


def test_a_shard_on_an_object_store_is_paused_and_goes_on(fake: Fake, tmp_path: Path) -> None:
    """The job is this process, as the store is its memory: somebody else speaks from a thread."""
    fake.answers, fake.latency = ANSWERS, SLOW
    place = f"memory://bucket/{tmp_path.name}"
    many, store, quiet = sharded(tmp_path, fake, plain(16), of=1), Bucket.at(place), list[bool]()
    told = "shards/00000/now.json"

    def speak() -> None:
        begun(fake, lambda: fake.calls > 4)
        say(store, paused=True)
        wait_for(lambda: json.loads(store.read(told) or b"{}").get("paused"))
        wait_for(lambda: still(fake))
        quiet.append(still(fake))
        fake.latency = 0.0
        say(store, paused=False)

    speaker = threading.Thread(target=speak)
    speaker.start()
    end = here([*many.command(0)[:1], *many.command(0, "--run", place)[1:]])
    speaker.join()
    assert end.code == 0 and quiet == [True]
    assert "Paused, as all shards are" in end.out and "Going on, as all shards do" in end.out
    assert json.loads(store.read(told) or b"")["calls"] > 4


def test_shards_of_pairs_are_named_by_their_stage(tmp_path: Path) -> None:
    with serve(answers=PLAYED, latency=SLOW) as fake:
        many = Many(explored(tmp_path, fake.url), 1)
        alone = ctl(many.todo.run, "pause")
        assert alone.code == 1 and "no job runs here" in alone.err
        shard = many.start(0)
        try:
            begun(fake, lambda: many.count("call", 0) > 2)
            assert ctl(many.todo.run, "--stage", "pairs", "pause").code == 0
            wait_for(lambda: still(fake))
            fake.latency = 0.0
            assert ctl(many.todo.run, "--stage", "pairs", "resume").code == 0
            shard.join()
            assert shard.exitcode == 0
        finally:
            shard.kill()


def test_a_socket_that_a_killed_job_has_left_hides_no_shards(tmp_path: Path) -> None:
    """The run was made on one machine; its pairs are made in shards."""
    with serve(answers=PLAYED) as fake:
        many = Many(explored(tmp_path, fake.url), 2)
    assert many.told("deal", "--uncurated", "--shards", "2").code == 0
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(many.todo.run / "ctl.sock"))
    alone = ctl(many.todo.run, "pause")
    assert alone.err.startswith("ssui ctl: ") and "killed" in alone.err, (
        "of the dataset, which no shards made"
    )
    assert ctl(many.todo.run, "--stage", "pairs", "pause").code == 0
    assert heard(Folder(many.todo.run / "pairs")).paused


def test_a_paused_shard_still_drains_on_a_signal(tmp_path: Path) -> None:
    with serve(answers=ANSWERS, latency=SLOW) as fake:
        many = sharded(tmp_path, fake, plain(64), of=1)
        assert many.told("deal", "--seeds", str(many.job.seeds), "--shards", "1").code == 0
        shard = many.start(0)
        try:
            begun(fake, lambda: many.count("call", 0) > 2)
            assert ctl(many.run, "pause").code == 0
            wait_for(lambda: still(fake))
            shard.terminate()
            shard.join()
            assert shard.exitcode == 130
        finally:
            shard.kill()


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"paused": "perhaps"}', b'{"places": 0}', b"\xff"])
def test_a_word_that_cannot_be_read_disturbs_no_shard_and_is_replaced_by_the_next(
    fake: Fake, tmp_path: Path, said: bytes
) -> None:
    many = sharded(tmp_path, fake, plain(1), of=1)
    many.run.mkdir()
    (many.run / CONTROL).write_bytes(said)
    store = Folder(many.run)
    with pytest.raises(RecordError, match=r"control\.json"):
        heard(store)
    assert many.here(0).code == 0
    say(store, paused=True)
    say(store, places=7)
    assert (heard(store).paused, heard(store).places) == (True, 7), "what was said before still holds"


@pytest.mark.parametrize("places", ["0", "5000"])
def test_a_number_that_no_shard_could_heed_is_refused(fake: Fake, tmp_path: Path, places: str) -> None:
    many = sharded(tmp_path, fake, plain(2), of=1)
    assert many.told("deal", "--seeds", str(many.job.seeds), "--shards", "1").code == 0
    end = ctl(many.run, "concurrency", places)
    assert end.code == 1 and f"expected a number from 1 to 4096, or auto; got {places}" in end.err
    assert not (many.run / CONTROL).exists()


def test_what_a_shard_said_long_ago_or_in_an_attempt_before_is_not_counted(
    fake: Fake, tmp_path: Path
) -> None:
    many = sharded(tmp_path, fake, plain(4), of=1)
    assert many.here(0).code == 0
    now = many.folder(0) / "now.json"
    told = json.loads(now.read_text())
    log = many.log(0).read_bytes()
    many.log(0).write_bytes(log[: log.rindex(b'{"done"')])  # as if killed before its end
    assert status(many.run)["shards"] == {"0": told}
    for stale in ({"at": time.time() - 3600}, {"attempt": 0}, {"at": "now"}):
        now.write_text(json.dumps(told | stale))
        assert (status(many.run)["shards"], status(many.run)["silent"]) == ({}, [0])
