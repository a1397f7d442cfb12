"""A run ends well on every terminal: what cannot be shown is replaced, and whoever has gone is not missed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_server import Fake
from jobs import SSUI, job, plain


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=["latin-1", "ascii", "C"],
)
def test_a_terminal_of_few_letters_shows_what_it_can(fake: Fake, tmp_path: Path, env: dict[str, str]) -> None:
    made = job(tmp_path / "☃ Grüße", fake.url, plain(1))
    command = [str(SSUI), *made.command()]
    end = subprocess.run(command, env={**os.environ, **env}, capture_output=True, timeout=60, check=False)
    assert (end.returncode, end.stderr) == (0, b"")
    assert b"risky kept" in end.stdout and b"Next" in end.stdout
    assert len(made.paths) == 2


@pytest.mark.parametrize("closed", ["stdout", "both"])
def test_a_run_whose_reader_has_gone_does_its_work(fake: Fake, tmp_path: Path, closed: str) -> None:
    made = job(tmp_path, fake.url, plain(2))
    read, write = os.pipe()
    os.close(read)
    errors = write if closed == "both" else subprocess.PIPE
    command = [str(SSUI), *made.command()]
    end = subprocess.run(command, stdout=write, stderr=errors, timeout=60, check=False)
    os.close(write)
    assert end.returncode == 0 and not end.stderr
    assert len(made.paths) == 4


def test_help_is_shown_to_a_terminal_of_few_letters() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "ssui_gen", "--help"]
    assert b"dataset" in subprocess.run(command, env=env, capture_output=True, timeout=60, check=True).stdout
