"""A folder that takes its place whole: whatever kills the process, nothing half done stays for ever."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ssui_gen.errors import RecordError
from ssui_gen.fresh_folder import folder_beside, place_folder

HOLD = """
import sys, time
from pathlib import Path
from ssui_gen.fresh_folder import folder_beside
with folder_beside(Path(sys.argv[1])) as fresh:
    (fresh / "half").write_text("done")
    print(fresh, flush=True)
    time.sleep(600)
"""


def put(folder: Path, words: str) -> None:
    with folder_beside(folder) as fresh:
        (fresh / "whole").write_text(words)
        place_folder(fresh, folder)


def test_what_a_killed_process_left_goes_and_what_a_living_one_holds_stays(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]"
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        held = Path(process.stdout.readline().strip())
        try:
            put(folder, "first")
            assert (held / "half").exists()
        finally:
            process.send_signal(signal.SIGKILL)
    assert held.exists()
    put(folder, "second")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (folder / "whole").read_text() == "second"


def test_one_that_was_giving_place_comes_back(tmp_path: Path) -> None:
    """As a kill between two renames leaves it."""
    folder = tmp_path / "published"
    put(folder, "first")
    folder.rename(tmp_path / f".published.{'0' * 16}.former.tmp")
    with pytest.raises(RecordError, match="no room"), folder_beside(folder):
        assert (folder / "whole").read_text() == "first"
        raise RecordError("no room")
    assert [path.name for path in tmp_path.iterdir()] == ["published"]


def test_names_that_are_not_of_this_place_and_links_are_left_alone(tmp_path: Path) -> None:
    others = [
        f".other.{'0' * 16}.tmp",
        ".published.tmp",
        f"published.{'0' * 16}.tmp",
        f".published.{'0' * 15}.tmp",
    ]
    for name in others:
        (tmp_path / name).mkdir()
    (tmp_path / f".published.{'1' * 16}.tmp").symlink_to(tmp_path / others[0])
    put(tmp_path / "published", "x")
    assert len(list(tmp_path.iterdir())) == len(others) + 2


def test_a_full_disk_is_told_in_words_and_what_was_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "published"
    put(folder, "first")
    with pytest.raises(RecordError, match=r"No space left.*free some space"), folder_beside(folder) as fresh:
        (fresh / "full").symlink_to("/dev/full")
        (fresh / "full").write_text("more")
    assert [path.name for path in tmp_path.iterdir()] == ["published"]
    assert (folder / "whole").read_text() == "first"
