"""Make a virtual environment and install this project into it, repeatably, with plain pip.

    python scripts/install.py .venv [EXTRA ...]

Versions come from `constraints.txt`. torch comes first: where there is no NVIDIA GPU its CPU build is
taken, a tenth of the size. If pip's own settings offer that build, pip takes it; else uv does, which knows
where PyTorch keeps it; else pip installs what it finds, and says so.

A line says what is being done and what has come of it; on a terminal it is kept up to date. All that pip
says is shown where it fails, and is in `install.log` of the environment in any case.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
EXTRAS = ("micro", "review", "train", "publish", "dev")
LOG = "install.log"
DOING = re.compile(r"(?:Collecting|Downloading|Building|Installing|Using cached) ?(?:\S*/)?([\w.-]*)")
"""What pip says when it begins something, and with what."""
QUIET_SECONDS = 20.0
"""Off a terminal a line comes so often."""


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is just what this is about
        sys.exit(
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}: make PYTHON=python3.12 ..."
        )
    target, extras = Path(sys.argv[1]), sys.argv[2:] or list(EXTRAS)
    began = time.monotonic()
    print(f"Installing into {target}, once: a few minutes, most of them downloads.", flush=True)
    if not (target / "bin" / "python").exists():
        venv.create(target, with_pip=True)
    python = str(target / "bin" / "python")
    if {"micro", "train"} & {*extras} and not shutil.which("nvidia-smi"):
        install_cpu_torch(python)
    pip(python, "install", "-c", str(CONSTRAINTS), "-e", f"{ROOT}[{','.join(extras)}]")
    print(f"Done in {time.monotonic() - began:.0f} s; what pip said is in {target / LOG}.", flush=True)


def install_cpu_torch(python: str) -> None:
    """Put the CPU build of torch where the later, general install finds it satisfied."""
    wanted = next(line for line in CONSTRAINTS.read_text().splitlines() if line.startswith("torch=="))
    if sys.platform != "linux" or "+cpu" in offered(python, wanted):
        pip(python, "install", "-c", str(CONSTRAINTS), wanted)
        return
    pip(python, "install", "-c", str(CONSTRAINTS), "uv")
    command = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend", "cpu", wanted]
    if run(command, f"{wanted}, CPU build", log_of(python)):
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
    """Run pip; ends this program, with all that it said, where it fails."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    if said := run(command, named(arguments), log_of(python)):
        print(said)
        sys.exit(f"pip {' '.join(arguments)} failed (see above): mend it and run the same command again")


def named(arguments: Sequence[str]) -> str:
    """What is installed, for people: without options and this project's path."""
    words = [word for before, word in zip(("", *arguments), arguments, strict=False) if before != "-c"]
    things = [word.replace(str(ROOT), ROOT.name) for word in words[1:] if not word.startswith("-")]
    return " ".join(things) or words[0]


def log_of(python: str) -> Path:
    return Path(python).parent.parent / LOG


def run(command: Sequence[str], what: str, log: Path) -> str:
    """Run a command that says much, and show a line about it; what it said, if it failed."""
    began = told = time.monotonic()
    said: list[str] = []
    many = 0
    with (
        log.open("a", encoding="utf-8") as kept,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
    ):
        assert process.stdout
        show(f"  {what} ...", 0.0, live=True)
        for line in process.stdout:
            kept.write(line)
            said.append(line)
            if doing := DOING.match(line.strip()):
                many += line.strip().startswith("Collecting")
                now = f"  {what}: {many} packages so far, {doing[0].strip()}"
                live = sys.stdout.isatty()
                if live or time.monotonic() - told > QUIET_SECONDS:
                    told = time.monotonic()
                    show(now, told - began, live=live)
    failed = process.returncode != 0
    show(f"  {what}: {'FAILED' if failed else 'done'}", time.monotonic() - began, live=False)
    return "".join(said) or f"exit code {process.returncode}" if failed else ""


def show(text: str, seconds: float, *, live: bool) -> None:
    """A line that stays, or one that the next replaces on a terminal; off one those are not shown."""
    if not sys.stdout.isatty():
        if not live:
            print(f"{text} ({seconds:.0f} s)", flush=True)
        return
    columns = shutil.get_terminal_size().columns - 1
    print(f"\r{f'{text} ({seconds:.0f} s)'[:columns]:{columns}}", end="" if live else "\n", flush=True)


if __name__ == "__main__":
    main()
