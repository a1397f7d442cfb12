"""Runs a command and ends it, with all it started, when stdin ends.

    python -m ssui_gen.serving.supervise COMMAND...

For servers that do not watch their parent: the parent holds stdin's other end, and the kernel closes it
however the parent ends. If this process is killed itself, its twin ends the command: each holds a pipe that
tells it of the other's end. Covers no waiting for readiness (`process`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

POLITE_SECONDS = 10.0
"""Between asking and insisting."""


def main() -> None:
    """Exit as the command does; 1 if it cannot be started."""
    twin = _twin()
    try:
        child = subprocess.Popen(
            sys.argv[1:],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: os.write(twin, str(os.getpid()).encode()),
        )
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error.strerror}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=end, args=(child.pid,)).start())
    threading.Thread(target=_end_with_stdin, args=(child.pid,), daemon=True).start()
    code = child.wait()
    end(child.pid)
    sys.exit(code if code >= 0 else 128 - code)


def end(group: int) -> None:
    """Ask every process of the group to stop, then insist; returns when none is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGTERM)
        until = time.monotonic() + POLITE_SECONDS
        while time.monotonic() < until:
            time.sleep(0.05)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


def _twin() -> int:
    """Forks a process that ends a group when this process is gone, and returns the pipe that tells it which:
    the command itself says so before it begins, so that there is no moment in which nobody would end it.
    """
    told, tell = os.pipe()
    if os.fork():
        os.close(told)
        return tell
    try:
        os.close(tell)
        _outlive(told)
    finally:
        os._exit(0)


def _outlive(told: int) -> None:
    os.setsid()  # out of reach of what is sent to the supervisor's group
    os.closerange(0, 3)
    group = os.read(told, 32)
    while os.read(told, 32):
        pass
    if group:
        end(int(group))


def _end_with_stdin(group: int) -> None:
    while os.read(0, 4096):
        pass
    end(group)


if __name__ == "__main__":
    main()
