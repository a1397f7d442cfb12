"""Make an environment for inspect_ai that also has all of another one's packages: `.venv-inspect`.

    python scripts/install_inspect.py .venv-inspect .venv

inspect_ai brings much that nothing else of us needs, so it gets an environment of its own, on top of the
usual one: what that has is not installed again.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from install import ROOT, pip

PACKAGES = "import sysconfig; print(sysconfig.get_path('purelib'))"


def main() -> None:
    target, base = map(Path, sys.argv[1:3])
    if not (target / "bin" / "python").exists():
        venv.create(target, with_pip=True)
    python = str(target / "bin" / "python")
    pip(python, "uninstall", "--yes", "setuptools")  # an old one of Python's own would hide the newer below
    below = packages(str(base / "bin" / "python"))
    line = f"import site; site.addsitedir({below!r})\n"  # which also follows what stands in its .pth files
    (Path(packages(python)) / "_base.pth").write_text(line)
    pip(python, "install", "-e", f"{ROOT}[inspect]")


def packages(python: str) -> str:
    """Where an environment keeps what is installed into it."""
    done = subprocess.run([python, "-c", PACKAGES], capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
