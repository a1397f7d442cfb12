"""branches.jsonl → labels/, where people label a sample → labels_people.jsonl, for F's calibration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ssui_gen.commands import command
from ssui_gen.curation.asked.form import BRANCHES as FORM
from ssui_gen.curation.choosing.sample import Candidate, sample
from ssui_gen.curation.lines.sheet import Fault
from ssui_gen.curation.outcomes.settle import labels
from ssui_gen.curation.page.pictures import Below
from ssui_gen.curation.workspace.board import read_board
from ssui_gen.curation.workspace.folder import ITEMS, Folder
from ssui_gen.curation.workspace.publish import Published, publish
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.explored import Explored, read_paths, source_of
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import as_line
from ssui_gen.manifest import PAIRS as EXPLORED
from ssui_gen.manifest import images_of, title_of
from ssui_gen.records import ReasoningPath
from ssui_gen.run_files import BRANCHES, LABELS_PEOPLE

FOLDER = "labels"


def labels_folder(run: Path) -> Folder:
    return Folder(run / FOLDER, FORM)


def export_labels(run: Path, names: Sequence[str], root: Path, *, most: int, seed: int) -> Published:
    """Draw a sample, beside what people have begun to label; see `publish`.

    Raises ConfigError where there are no branches.
    """
    if not (run / BRANCHES).exists():
        raise ConfigError(f"{run / BRANCHES}: no such file: make it with `{command('pairs', run)}`")
    folder = labels_folder(run)
    begun = frozenset(folder.items()) if (folder.root / ITEMS).exists() else frozenset()
    items = sample(_branches(run), most, seed, begun)
    return publish(folder, items, names, Below(root, images_of(run, EXPLORED)), f"{title_of(run)}: branches")


def _branches(run: Path) -> Iterator[Candidate]:
    explored = Explored(run / BRANCHES)
    for path in read_paths(source_of(run, uncurated=True)):
        if isinstance(path, ReasoningPath):
            for cut in explored.of(path):
                yield from (Candidate(path, cut, branch) for branch in cut.branches)


def collect(run: Path) -> tuple[Path | None, Counter[str], list[Fault]]:
    """Write what people agree on as labels; returns the file, how many items gave none and why, and faults.

    No file where nobody has labelled anything, or where a person's file has a fault.
    """
    folder = labels_folder(run)
    if not (folder.root / ITEMS).exists():
        return None, Counter(), []
    board = read_board(folder)
    faults = board.all_faults
    given, others = labels(list(board.outcomes.values()))
    if faults or not given:
        return None, others, faults
    atomic_write(run / LABELS_PEOPLE, b"".join(map(as_line, given)))
    return run / LABELS_PEOPLE, others, []
