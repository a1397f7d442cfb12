"""Runs a command that the kernel kills when the process that started it ends.

    python -m ssui_gen.serving.bound PID COMMAND...

For work that may break off at any moment and wants no farewell. The command takes this process's place, so
signals reach it directly. PID is who is to be outlived by nobody. Linux only: elsewhere the command is run,
and outlives its parent. Covers nothing that the command starts (`supervise` does).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Becomes the command; exits with 1 if it cannot be started, with 137 if the parent is gone already."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(128 + signal.SIGKILL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
