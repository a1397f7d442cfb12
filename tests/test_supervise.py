"""A supervised command ends with whoever holds the supervisor's stdin, and takes all it started with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_serve import gone_within

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


@pytest.mark.parametrize("manner", ["willing", pytest.param("deaf", marks=pytest.mark.slow)])
def test_a_killed_parent_takes_server_and_worker_with_it(manner: str) -> None:
    command = [sys.executable, "-c", PARENT, *SUPERVISE, sys.executable, "-c", FAMILY, manner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout
        family = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(family) == 2
        parent.send_signal(signal.SIGKILL)
    assert all(gone_within(pid, 20) for pid in family)


def test_a_worker_is_not_left_when_its_server_dies_alone() -> None:
    with subprocess.Popen(
        [*SUPERVISE, sys.executable, "-c", FAMILY, "willing"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as supervisor:  # fmt: skip
        assert supervisor.stdout
        server, worker = map(int, supervisor.stdout.readline().split())
        os.kill(server, signal.SIGKILL)
        assert supervisor.wait(20) == 128 + signal.SIGKILL
        assert gone_within(worker, 5)


def test_asked_to_stop_it_stops_at_once() -> None:
    began = time.monotonic()
    with subprocess.Popen([*SUPERVISE, "sleep", "600"], stdin=subprocess.PIPE, cwd=ROOT) as supervisor:
        time.sleep(0.5)
        supervisor.terminate()
        supervisor.wait(20)
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(("command", "code"), [(["true"], 0), (["sh", "-c", "exit 3"], 3)])
def test_it_exits_as_the_command_does(command: list[str], code: int) -> None:
    with subprocess.Popen([*SUPERVISE, *command], stdin=subprocess.PIPE, cwd=ROOT) as supervisor:
        assert supervisor.wait(20) == code


def test_what_cannot_be_started_is_named() -> None:
    done = subprocess.run(
        [*SUPERVISE, "/nowhere/python"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert "/nowhere/python: No such file or directory" in done.stderr
