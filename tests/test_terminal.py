"""A run ends well on every terminal: what others wrote is seen and never obeyed, what cannot be shown is
replaced, and whoever has gone is not missed.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_server import Fake
from jobs import SSUI, job, plain
from rich.table import Table

from ssui_gen.terminal import Terminal

TITLE = "\x1b]0;pwned\x07"


def printed(*what: object, **how: object) -> str:
    out = io.StringIO()
    Terminal(file=out, width=80, **how).print(*what, markup=False, highlight=False)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(
    "steering", [TITLE, "\x1b[2J", "\x9b31m", "\x9d0;x\x9c", "\u202egnp.exe", "\x7f", "\ud800"]
)
@pytest.mark.parametrize("colours", [False, True])
def test_nothing_steers(steering: str, colours: bool) -> None:
    table = Table("name")
    table.add_row(f"a{steering}b")
    for shown in (printed(f"a{steering}b"), printed(table, force_terminal=False)):
        assert not any(sign in shown for sign in "\x1b\x07\x9b\x9d\x7f\u202e\ud800")


def test_colours_of_ours_stay_and_words_of_others_are_plain() -> None:
    out = io.StringIO()
    Terminal(file=out, force_terminal=True, color_system="standard").print(f"[red]ssui[/red] {TITLE}")
    assert out.getvalue().startswith("\x1b[31mssui\x1b[0m ")
    assert "\x1b]" not in out.getvalue()


@pytest.mark.parametrize("text", ["नमस्ते दुनिया", "👩\u200d🔬 माँ", "a\tb", "two\nlines", "Größe – „so“"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printed(text).replace("        ", "\t").split() == text.split()


def test_a_servers_words_do_not_steer(fake: Fake, tmp_path: Path) -> None:
    fake.models = (f"a{TITLE}", "b")
    made = job(tmp_path, fake.url, plain(1))
    command = [str(SSUI), *made.command("--model", "another")]
    end = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert end.returncode == 1 and rb"\x1b]0;pwned" in end.stderr
    assert b"\x1b]" not in end.stderr + end.stdout


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
