"""Make a virtual environment and install this project into it, repeatably, with plain pip.

    python scripts/install.py .venv [EXTRA ...]

Versions come from `constraints.txt`. torch comes first: where there is no NVIDIA GPU its CPU build is
taken, a tenth of the size. If pip's own settings offer that build, pip takes it; else uv does, which knows
where PyTorch keeps it; else pip installs what it finds, and says so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
EXTRAS = ("micro", "review", "train", "publish", "dev")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is just what this is about
        sys.exit(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}: make PYTHON=python3.12 ..."
        )
    target, extras = Path(sys.argv[1]), sys.argv[2:] or list(EXTRAS)
    if not (target / "bin" / "python").exists():
        venv.create(target, with_pip=True)
    python = str(target / "bin" / "python")
    if {"micro", "train"} & {*extras} and not shutil.which("nvidia-smi"):
        install_cpu_torch(python)
    pip(python, "install", "-c", str(CONSTRAINTS), "-e", f"{ROOT}[{','.join(extras)}]")


def install_cpu_torch(python: str) -> None:
    """Put the CPU build of torch where the later, general install finds it satisfied."""
    wanted = next(line for line in CONSTRAINTS.read_text().splitlines() if line.startswith("torch=="))
    if sys.platform != "linux" or "+cpu" in offered(python, wanted):
        pip(python, "install", "-c", str(CONSTRAINTS), wanted)
        return
    pip(python, "install", "-c", str(CONSTRAINTS), "uv")
    command = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend", "cpu", wanted]
    if subprocess.run(command, check=False).returncode:
        print("No CPU build of torch could be had: pip installs the general one, which is large but works.")


def offered(python: str, requirement: str) -> str:
    """The version that pip would install; empty if it cannot say."""
    arguments = ["install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--report", "-"]
    done = subprocess.run(
        [python, "-m", "pip", *arguments, requirement], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return ""
    return str(json.loads(done.stdout)["install"][0]["metadata"]["version"])


def pip(python: str, *arguments: str) -> None:
    done = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments], check=False
    )
    if done.returncode:
        sys.exit(f"pip {' '.join(arguments)} failed (see above): mend it and run the same command again")


if __name__ == "__main__":
    main()
