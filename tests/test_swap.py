"""A file that others save meanwhile: nothing of theirs is ever overwritten unseen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest
from jobs import wait_for

from ssui_gen.curation.workspace.swap import replace_if
from ssui_gen.errors import RecordError

ROUNDS = 300


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_replaces_what_was_seen_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert replace_if(path, b"one", None)
    assert not replace_if(path, b"two", None)
    assert not replace_if(path, b"two", b"other")
    assert path.read_bytes() == b"one"
    assert replace_if(path, b"two", b"one")
    assert path.read_bytes() == b"two"
    assert not replace_if(tmp_path / "gone", b"x", b"seen")
    assert names(tmp_path) == ["a.jsonl"]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.jsonl", tmp_path / "ana.jsonl"
    real.write_bytes(b"one")
    real.chmod(0o600)
    link.symlink_to(real)
    assert replace_if(link, b"two", b"one")
    assert (real.read_bytes(), link.is_symlink(), real.stat().st_mode & 0o777) == (b"two", True, 0o600)


def editor(path: Path, rounds: int) -> None:
    """Saves again and again without looking, by renaming or in place; we must take up each save."""
    for number in range(rounds):
        save = b"save %d:" % number
        if number % 2:
            beside = path.with_suffix(".swp")
            beside.write_bytes(save)
            beside.replace(path)
        else:
            path.write_bytes(save)
        wait_for(lambda save=save: path.read_bytes().startswith(save + b"+"), 20)  # type: ignore[misc]


@pytest.mark.slow
def test_no_save_of_an_editor_is_overwritten_unseen(tmp_path: Path) -> None:
    """We write only what we read and a sign more: a save we have not read would be gone for good."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"")
    process = get_context("forkserver").Process(target=editor, args=(path, ROUNDS))
    process.start()
    while process.is_alive():
        seen = path.read_bytes()
        replace_if(path, seen[:20] + b"+", seen)
    process.join()
    assert process.exitcode == 0
    assert path.read_bytes().startswith(b"save %d:" % (ROUNDS - 1))
    assert names(tmp_path) == ["a.jsonl"]


def test_a_file_that_an_editor_has_emptied_and_not_yet_written_goes_back_to_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("w") as editor:
        assert not replace_if(path, b"ours", b""), "it says what was read: nothing, for now"
        editor.write("theirs")
    assert (path.read_bytes(), names(tmp_path)) == (b"theirs", ["a.jsonl"])
    assert replace_if(path, b"ours", b"theirs")
    with path.open("rb"):
        assert replace_if(path, b"ours again", b"ours"), "a reader does no harm"


FULL = """
import resource, signal, sys
from pathlib import Path
from ssui_gen.curation.workspace.swap import replace_if
from ssui_gen.errors import RecordError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    replace_if(Path(sys.argv[1]), b"x" * 1000, b"old")
except RecordError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)
    assert "a.jsonl: could not be written" in done.stdout
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["a.jsonl"])


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="could not be written"):
        replace_if(tmp_path / "none" / "a.jsonl", b"x", None)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("vim") is None, reason="needs vim")
@pytest.mark.parametrize("in_place", [True, False])
def test_what_vim_says_it_saved_is_there(tmp_path: Path, in_place: bool) -> None:
    """It empties the file and writes, or renames it and makes a new one, while we write all the time. Where
    it sees that the file is another one than it read, it asks, and without a person ends: that is no save.
    """
    path, said = tmp_path / "a.jsonl", tmp_path / "said"
    path.write_bytes(b"")
    saved = 0
    for number in range(60):
        with vim(path, f"save {number}:", said, in_place) as editor:
            while editor.poll() is None:
                add_sign(path)
        add_sign(path)
        if said.exists() and said.read_text() == "\n0\n":
            saved += 1
            assert path.read_bytes() == f"save {number}:+".encode()
        said.unlink(missing_ok=True)
    assert saved > 20


def vim(path: Path, save: str, said: Path, in_place: bool) -> subprocess.Popen[bytes]:
    """Puts `save` in the place of all; then into `said` what went wrong, and whether anything is unsaved."""
    commands = [
        f"set backupcopy={'yes' if in_place else 'no'} noendofline nofixendofline",
        f"%d|call setline(1,'{save}')", "w!", f"call writefile([v:errmsg,&modified],'{said}')", "q!",
    ]  # fmt: skip
    given = [part for command in commands for part in ("-c", command)]
    return subprocess.Popen(
        ["vim", "-es", "-u", "NONE", "-n", *given, path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


def add_sign(path: Path) -> None:
    """To whatever stands there; nothing where the file is gone for a moment."""
    with suppress(FileNotFoundError):
        seen = path.read_bytes()
        replace_if(path, seen.rstrip(b"+\n") + b"+", seen)
