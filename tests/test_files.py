"""What is written goes to a file of our own: no link is followed, and nobody sees a part."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ssui_gen.curation.workspace.swap import replace_if
from ssui_gen.errors import RecordError
from ssui_gen.files import PRIVATE, atomic_write, open_own
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import Appender

GROWS: dict[str, Callable[[Path], object]] = {
    "a file that grows": Appender,
    "a lock": open_own,
    "a run": lambda path: RunDir(path.parent),
}


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "thesis.txt"
    path.write_bytes(b"precious")
    return path


@pytest.mark.parametrize("write", GROWS.values(), ids=GROWS)
def test_a_link_where_a_file_of_ours_grows_is_refused(
    write: Callable[[Path], object], victim: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    link = tmp_path / "run" / ".lock"
    link.symlink_to(victim)
    with pytest.raises(RecordError, match=r"\.lock: is a link to .*thesis\.txt; expected"):
        write(link)
    assert victim.read_bytes() == b"precious"


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordError, match="pipe: is no file"):
        open_own(tmp_path / "pipe")


def test_a_link_is_replaced_and_what_it_names_stays(victim: Path, tmp_path: Path) -> None:
    link = tmp_path / "page.html"
    link.symlink_to(victim)
    atomic_write(link, "page")
    assert (link.is_symlink(), link.read_text(), victim.read_bytes()) == (False, "page", b"precious")


def test_links_under_every_name_that_could_be_guessed_change_nothing(victim: Path, tmp_path: Path) -> None:
    folder = tmp_path / "brought"
    folder.mkdir()
    for name in ("a.json.tmp", ".a.json.tmp", ".a.json.new", "a.json.new", f".a.json.{os.getpid()}.tmp"):
        (folder / name).symlink_to(victim)
    atomic_write(folder / "a.json", "one")
    assert replace_if(folder / "a.json", b"two", b"one")
    assert ((folder / "a.json").read_text(), victim.read_bytes()) == ("two", b"precious")


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic_write(path, "old")

    def broken() -> object:
        yield "new"
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        atomic_write(path, broken())  # type: ignore[arg-type]
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "old"


def test_what_is_private_is_never_readable_for_others(tmp_path: Path) -> None:
    atomic_write(tmp_path / "keys", "secret", PRIVATE)
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    atomic_write(tmp_path / ("n" * 255), "x")
    assert (tmp_path / ("n" * 255)).read_text() == "x"


def test_a_lock_that_holds_somebodys_words_keeps_them(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("my own notes")
    RunDir(tmp_path).close()
    assert (tmp_path / ".lock").read_text() == "my own notes"
