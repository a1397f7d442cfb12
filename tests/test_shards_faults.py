"""Shards whose processes are killed, stopped, woken, raced and drained: rows are those of one machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from fake_server import Fake, serve
from jobs import job, plain, wait_for
from sharded import ANSWERS, SEEDS, Sharded, start

CALLS_IN_FLIGHT = 4


def slow_job(tmp_path: Path, fake: Fake, seeds: list[dict[str, str]], of: int = 1) -> Sharded:
    fake.answers, fake.latency = ANSWERS, 0.03
    pace = {"calls_in_flight": CALLS_IN_FLIGHT, "most_calls_in_flight": CALLS_IN_FLIGHT}
    made = job(tmp_path, fake.url, seeds, **pace)
    return Sharded(made, of, tmp_path / "big")


def as_on_one_machine(many: Sharded, fake: Fake) -> bool:
    fake.latency = 0
    assert many.job.here().code == 0
    return many.merged == many.job.content


def test_a_killed_shard_goes_on_elsewhere_and_repeats_only_what_was_in_flight(
    fake: Fake, tmp_path: Path
) -> None:
    """Each attempt has a folder of its own, as if on another machine; the clocks are hours apart."""
    many, lost, logged = slow_job(tmp_path, fake, SEEDS[-8:]), 0, 0
    for attempt, hours in ((1, 1.0), (2, -1.0)):
        process = many.start(0, hours=hours)
        wait_for(lambda: many.count("row", 0, attempt) >= 2)  # noqa: B023
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        wait_for(lambda: fake.in_flight == 0)
        logged += many.count("call", 0, attempt)
        lost = fake.calls - logged
        assert lost <= attempt * CALLS_IN_FLIGHT
    process = many.start(0)
    process.join()
    assert process.exitcode == 0
    made = fake.calls
    ids = [value[0] for attempt in (1, 2, 3) for kind, value in many.events(0, attempt) if kind == "call"]
    assert len(ids) == len(set(ids)) == made - lost
    for link in many.events(0, 3)[0][1]["chain"]:
        assert link[1] > 0
    fake.calls = 0
    assert as_on_one_machine(many, fake)
    assert fake.calls == len(ids)


def test_a_shard_that_wakes_up_behind_its_successor_ends_and_is_not_counted(
    fake: Fake, tmp_path: Path
) -> None:
    many = slow_job(tmp_path, fake, SEEDS[-10:])
    zombie = many.start(0)
    wait_for(lambda: many.count("row", 0, 1) >= 2)
    assert zombie.pid
    os.kill(zombie.pid, signal.SIGSTOP)
    heir = many.start(0)
    wait_for(lambda: many.count("row", 0, 2) >= 1)
    os.kill(zombie.pid, signal.SIGCONT)
    zombie.join()
    heir.join()
    assert (zombie.exitcode, heir.exitcode) == (75, 0)
    [(name, size)] = many.events(0, 2)[0][1]["chain"]
    assert name == "a0001.log" and size <= many.log(0, 1).stat().st_size
    assert as_on_one_machine(many, fake)


@pytest.mark.slow
def test_a_shard_that_is_told_to_end_drains_and_goes_on_later(fake: Fake, tmp_path: Path) -> None:
    many = slow_job(tmp_path, fake, plain(6))
    process = many.start(0)
    wait_for(lambda: many.count("call", 0) >= 3)
    process.terminate()
    process.join()
    assert process.exitcode == 130
    assert many.told("status", "--lacking").out == "0\n"
    assert many.count("call", 0) == fake.calls
    assert many.here(0).code == 0
    assert as_on_one_machine(many, fake)


def test_two_that_deal_at_once_agree_or_one_is_refused(fake: Fake, tmp_path: Path) -> None:
    fake.answers = ANSWERS
    many = Sharded(job(tmp_path, fake.url, plain(30)), 2, tmp_path / "big")
    processes = [many.start(number) for number in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert as_on_one_machine(many, fake)
    orders = [["shards", "deal", "--run", str(tmp_path / "other"), "--seeds", str(many.job.seeds)]] * 2
    rivals = [start([*order, "--shards", str(of)]) for order, of in zip(orders, (3, 5), strict=True)]
    for process in rivals:
        process.join()
    assert sorted(process.exitcode or 0 for process in rivals) == [0, 1]


@pytest.mark.slow
def test_a_full_disk_is_no_end(fake: Fake, tmp_path: Path) -> None:
    many = slow_job(tmp_path, fake, plain(4))
    fake.latency = 0
    process = many.start(0, disk=150_000)
    process.join()
    assert process.exitcode == 75
    assert many.count("call", 0) > 3
    assert many.here(0).code == 0
    assert as_on_one_machine(many, fake)


@pytest.mark.slow
def test_many_kills_over_many_shards(tmp_path: Path) -> None:
    """Every attempt is killed after some calls of its own, until none is left to kill."""
    log = tmp_path / "calls.txt"
    with serve(log=log) as fake:
        many, kills = slow_job(tmp_path, fake, SEEDS, of=3), 0
        for number in range(3):
            attempt, code = 0, None
            while code != 0:
                attempt += 1
                process = many.start(number)
                goal = 10 + 7 * attempt
                wait_for(lambda: many.count("call", number, attempt) >= goal or not process.is_alive())  # noqa: B023
                process.kill()
                process.join()
                code = process.exitcode
                kills += code != 0
        asked = rows_of(log)
        assert len(asked) - len(set(asked)) <= kills * CALLS_IN_FLIGHT
        assert kills > 10
        assert as_on_one_machine(many, fake)
        print(f"{kills} kills, {len(asked) - len(set(asked))} calls repeated")


def rows_of(log: Path) -> list[str]:
    return log.read_text().splitlines()
