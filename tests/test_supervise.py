"""A supervised command ends with whoever holds the supervisor's stdin, and takes all it started with it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from jobs import wait_for
from test_serve import gone_within, marked

from ssui_gen.serving.supervise import POLITE_SECONDS

ROOT = Path(__file__).resolve().parent.parent
SUPERVISE = [sys.executable, "-m", "ssui_gen.serving.supervise"]
FAMILY = """
import os, signal, subprocess, sys, time
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
"""A server that has a worker; the deaf one does not stop when asked."""
PARENT = """
import subprocess, sys
from pathlib import Path
from ssui_gen.serving.process import ServerProcess
server = ServerProcess(sys.argv[1:], Path("/dev/null"), listen=True)
print(server.output.readline().decode().strip(), flush=True)
server.output.read()
"""


@contextmanager
def supervised(manner: str, **how: bool) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor, and the pids of the server and the worker below it."""
    command = [*SUPERVISE, sys.executable, "-c", FAMILY, manner]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, **how) as supervisor:
        assert supervisor.stdout
        family = [int(pid) for pid in supervisor.stdout.readline().split()]
        assert len(family) == 2
        yield supervisor, family


@pytest.mark.parametrize("manner", ["willing", pytest.param("deaf", marks=pytest.mark.slow)])
def test_a_killed_parent_takes_server_and_worker_with_it(manner: str) -> None:
    command = [sys.executable, "-c", PARENT, *SUPERVISE, sys.executable, "-c", FAMILY, manner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout
        family = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(family) == 2
        parent.send_signal(signal.SIGKILL)
    assert all(gone_within(pid, 60) for pid in family)


def test_a_worker_is_not_left_when_its_server_dies_alone() -> None:
    with supervised("willing") as (supervisor, (server, worker)):
        os.kill(server, signal.SIGKILL)
        assert supervisor.wait(60) == 128 + signal.SIGKILL
        assert gone_within(worker, 60)


@pytest.mark.parametrize("manner", ["willing", pytest.param("deaf", marks=pytest.mark.slow)])
def test_a_killed_supervisor_takes_server_and_worker_with_it(manner: str) -> None:
    with supervised(manner) as (supervisor, family):
        supervisor.kill()
        assert all(gone_within(pid, 60) for pid in family)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="nothing else tells which process is whose")
def test_killed_in_its_first_moments_it_leaves_nothing() -> None:
    rng = random.Random(5)
    for _ in range(3):
        mark = f"{rng.random()}"
        command, env = [*SUPERVISE, "sleep", "600"], os.environ | {"MARK": mark}
        with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, env=env) as supervisor:
            wait_for(lambda mark=mark: len(marked(mark)) > 1)
            time.sleep(rng.random() * 0.02)
            supervisor.kill()
        wait_for(lambda mark=mark: not marked(mark))


def test_killed_with_its_whole_group_it_leaves_nothing() -> None:
    with supervised("willing", start_new_session=True) as (supervisor, family):
        os.killpg(supervisor.pid, signal.SIGKILL)
        assert all(gone_within(pid, 60) for pid in family)


def test_asked_to_stop_it_stops_before_it_would_insist() -> None:
    with supervised("willing") as (supervisor, family):
        began = time.monotonic()
        supervisor.terminate()
        supervisor.wait(60)
        assert time.monotonic() - began < POLITE_SECONDS
        assert all(gone_within(pid, 60) for pid in family)


@pytest.mark.parametrize(("command", "code"), [(["true"], 0), (["sh", "-c", "exit 3"], 3)])
def test_it_exits_as_the_command_does(command: list[str], code: int) -> None:
    with subprocess.Popen([*SUPERVISE, *command], stdin=subprocess.PIPE, cwd=ROOT) as supervisor:
        assert supervisor.wait(60) == code


def test_what_cannot_be_started_is_named() -> None:
    done = subprocess.run(
        [*SUPERVISE, "/nowhere/python"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert "/nowhere/python: No such file or directory" in done.stderr


BOUND = """
import os, subprocess, sys, time
command = [sys.executable, "-m", "ssui_gen.serving.bound", str(os.getpid()), *sys.argv[1:]]
child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
print(child.stdout.readline().strip(), flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does it there alone")
def test_a_bound_command_is_killed_with_its_parent() -> None:
    deaf = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    command = [sys.executable, "-c", BOUND, sys.executable, "-c", deaf]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone_within(pid, 60)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does it there alone")
def test_a_bound_command_whose_parent_is_gone_already_does_not_begin() -> None:
    command = [sys.executable, "-m", "ssui_gen.serving.bound", "999999999", "echo", "begun"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (137, "")
