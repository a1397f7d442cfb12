"""responses.jsonl → people/, where people label what was drawn of them → labels.jsonl, for corrected rates.

May be done at any time and again: a later draw holds the earlier one, and no word of a person is lost. The
folder in which people work is not called after the model, so that they do not know whose words they read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ssui_gen.benching.drawn import Draw, begun, enlarged
from ssui_gen.benching.exhibits import edition_of, exhibit, form_of
from ssui_gen.benching.folders import Rows, drawables, judged_rows
from ssui_gen.benching.kept import DRAW, LABELS, RESPONSES, rows_in
from ssui_gen.benching.labelled import heard, together
from ssui_gen.benching.records import BenchJudgement
from ssui_gen.config_trust import Labelling
from ssui_gen.curation.lines.sheet import Fault
from ssui_gen.curation.page.pictures import Below
from ssui_gen.curation.workspace.board import read_board
from ssui_gen.curation.workspace.folder import ITEMS, Folder
from ssui_gen.curation.workspace.publish import Published, assign, publish
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import as_line, of_kind, read_object
from ssui_gen.manifest import images_of
from ssui_gen.prompts import Prompt, home, load_prompt
from ssui_gen.records import digest

PEOPLE = "people"
TITLE = "RSBench: responses"


class Taken(NamedTuple):
    """What a draw gave people to do."""

    published: Published
    draw: Draw
    folder: Folder


class Imported(NamedTuple):
    """What became of people's words."""

    file: Path | None
    """None where nobody has labelled anything."""
    rows: int
    faults: list[Fault]
    undrawn: int


def judges_prompt() -> Prompt:
    return load_prompt(home() / "prompts" / "judge.md")


def folder_at(model: Path) -> Folder:
    """Where people work on the responses in a model's folder, as they are asked now."""
    return people_folder(model, judges_prompt())


def people_folder(model: Path, prompt: Prompt) -> Folder:
    """Where people work on the responses in a model's folder."""
    return Folder(model.parent / PEOPLE / digest(model.name)[:8], form_of(prompt))


def draw_labels(model: Path, names: Sequence[str], prompt: Prompt, settings: Labelling) -> Taken:
    """Draw what lacks of `settings.most`, and write it out beside what people have said.

    Several people get shares that overlap. Raises as `draw_rows`.
    """
    rows = judged_rows(model)
    draw = draw_rows(model, rows, settings)
    folder = people_folder(model, prompt)
    edition = edition_of(folder.form)
    there = (rows.responses[id] for id in draw.drawn if id in rows.responses)
    items = [exhibit(rows.items[one.item_id], one, edition) for one in there]
    done = publish(folder, items, names, Below(rows.bench.root, images_of(model)), TITLE)
    everybody = list(dict.fromkeys([*folder.manifest().shares, *names]))
    if len(everybody) > 1:
        assign(folder, everybody, overlap=settings.overlap, each=2, seed=settings.seed, title=TITLE)
    return Taken(done, draw, folder)


def draw_rows(model: Path, rows: Rows, settings: Labelling) -> Draw:
    """Draw what lacks of `settings.most` responses, and keep it in `draw.json`.

    Raises ConfigError where there is nothing to label, or where the earlier draw was made by another seed.
    """
    before = read_draw(model)
    if before and before.seed != settings.seed:
        raise ConfigError(
            f"{model / DRAW}: drawn by seed {before.seed}; got {settings.seed}: leave the seed as it is to "
            "draw more, or move that file away to begin anew"
        )
    found = list(drawables(rows))
    if not found:
        raise ConfigError(f"{model / RESPONSES}: no response has a path or an answer: nothing to be labelled")
    draw = enlarged(before or begun(settings.seed), found, settings.most)
    atomic_write(model / DRAW, draw.model_dump_json(indent=1) + "\n")
    return draw


def read_draw(model: Path) -> Draw | None:
    """What was drawn so far. Raises RecordError for a file that is no draw."""
    value = read_object(model / DRAW)
    return None if value is None else of_kind(Draw, value, f"{model / DRAW}: not what was written there")


def import_labels(model: Path, prompt: Prompt) -> Imported:
    """Write what people have said as rows of `labels.jsonl`, beside those of others; a line with a fault is
    left out, and told.
    """
    folder, draw = people_folder(model, prompt), read_draw(model)
    if not (folder.root / ITEMS).exists():
        raise ConfigError(f"{folder.root}: nothing was drawn yet: `{folder.form.export}`")
    board = read_board(folder)
    found = heard(board, draw.drawn if draw else {})
    file = model / LABELS
    before = list(rows_in(file, BenchJudgement))
    rows = together(found.rows, before, board.names)
    if rows != before:
        atomic_write(file, b"".join(map(as_line, rows)))
    return Imported(file if found.rows else None, len(found.rows), found.faults, found.undrawn)
