"""A running job is paused, resumed and paced from another process; one that was killed is in nobody's way."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_server import Fake, serve
from jobs import SSUI, Ended, Job, ended, job, plain, wait_for


def ctl(run: Path, *order: str) -> Ended:
    command = [str(SSUI), "ctl", "--run", str(run), *order]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(folder: Path, fake: Fake, seeds: int = 1500) -> Iterator[tuple[Job, subprocess.Popen[str]]]:
    """A job that is well under way and would take a while, also where `ssui ctl` is slow to start."""
    todo = job(folder, fake.url, plain(seeds, kind="risky"), calls_in_flight=4, seeds_in_flight=16)
    process = todo.start()
    try:
        wait_for(lambda: fake.calls > 20)
        yield todo, process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def slow() -> Iterator[Fake]:
    with serve(latency=0.05) as fake:
        yield fake


def still(fake: Fake) -> bool:
    """Whether no call comes for a while."""
    before = fake.calls
    time.sleep(0.4)
    return fake.calls == before and fake.in_flight == 0


def most_at_once(fake: Fake) -> int:
    """Over the next calls."""
    fake.most_in_flight, goal = 0, fake.calls + 12
    wait_for(lambda: fake.calls >= goal)
    return fake.most_in_flight


@pytest.mark.slow
def test_a_paused_job_makes_no_call_until_it_is_resumed_and_then_ends(fake: Fake, tmp_path: Path) -> None:
    fake.latency = 0.02
    with running(tmp_path, fake, seeds=40) as (todo, process):
        fake.latency = 0.5
        said = ctl(todo.run, "pause")
        assert said.code == 0 and "Paused" in said.out
        wait_for(lambda: still(fake))
        assert "paused" in ctl(todo.run, "status").out
        told = ctl(todo.run, "status", "--json")
        assert json.loads(told.out)["paused"] and "paused" in told.err
        assert still(fake) and len(todo.paths) < 40
        fake.latency = 0.02
        assert "Going on" in ctl(todo.run, "resume").out
        assert ended(process).code == 0
    assert len(todo.paths) == 40
    assert not (todo.run / "ctl.sock").exists()


@pytest.mark.slow
def test_a_paused_job_still_drains_on_a_signal(slow: Fake, tmp_path: Path) -> None:
    with running(tmp_path, slow) as (todo, process):
        ctl(todo.run, "pause")
        process.send_signal(signal.SIGINT)
        assert ended(process).code == 130
    assert todo.paths


@pytest.mark.slow
def test_the_number_of_calls_at_once_is_obeyed(slow: Fake, tmp_path: Path) -> None:
    with running(tmp_path, slow) as (todo, _):
        assert "Held at 12" in ctl(todo.run, "concurrency", "12").out
        wait_for(lambda: slow.in_flight == 12)
        assert "Held at 2" in ctl(todo.run, "concurrency", "2").out
        wait_for(lambda: most_at_once(slow) == 2)
        status = ctl(todo.run, "status").out
        assert "of 2 places" in status and "held at 2" in status
        assert "Steered by the servers' load again" in ctl(todo.run, "concurrency", "auto").out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("places", "code", "said"),
    [
        ("0", 1, "expected a number from 1 to 512 (limits.most_calls_in_flight), or auto; got 0"),
        ("100000", 1, "from 1 to 512"),
        ("-1", 2, "expected a number or auto; got '-1'"),
        ("many", 2, "expected a number or auto; got 'many'"),
    ],
)
def test_a_wrong_number_is_refused_in_one_line(
    slow: Fake, tmp_path: Path, places: str, code: int, said: str
) -> None:
    with running(tmp_path, slow) as (todo, process):
        refused = ctl(todo.run, "concurrency", places)
        assert refused.code == code
        assert said in refused.err
        assert process.poll() is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent", [b"", b"\n", b"no JSON\n", b'{"command": "dance"}\n', b"[1]\n", b"x" * 100_000]
)
def test_whatever_else_comes_in_the_job_goes_on(slow: Fake, tmp_path: Path, sent: bytes) -> None:
    with running(tmp_path, slow) as (todo, process):
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.connect(str(todo.run / "ctl.sock"))
            visitor.sendall(sent)
            visitor.shutdown(socket.SHUT_WR)
            answer = json.loads(visitor.makefile("rb").readline())
        assert "expected" in answer["error"]
        calls = slow.calls
        wait_for(lambda: slow.calls > calls)
        assert process.poll() is None


def test_only_its_owner_may_use_the_socket(slow: Fake, tmp_path: Path) -> None:
    with running(tmp_path, slow) as (todo, _):
        assert stat.S_IMODE((todo.run / "ctl.sock").stat().st_mode) == 0o600


def test_a_folder_without_a_job_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        said = ctl(folder, "status")
        assert said.code == 1
        assert "no job runs here. `--run` names the folder of a job that is going on" in said.err
        assert str(folder) in said.err


@pytest.mark.slow
def test_what_a_killed_job_left_is_told_and_then_taken_over(slow: Fake, tmp_path: Path) -> None:
    with running(tmp_path, slow) as (todo, process):
        process.kill()
        process.communicate()
        assert (todo.run / "ctl.sock").is_socket()
        assert "the last one was killed" in ctl(todo.run, "status").err
    slow.calls = 0
    with running(tmp_path, slow) as (todo, _):
        assert "in flight" in ctl(todo.run, "status").out


def test_a_run_folder_with_a_very_long_path_is_reached_too(slow: Fake, tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    with running(folder, slow) as (todo, _):
        assert ctl(todo.run, "status").code == 0
