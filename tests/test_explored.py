"""Which paths later stages read, what is unfit among them, and rows of cuts found again by path."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from curating import record
from exploring import cuts, explored, judge, pairs, policy
from fake_server import Fake
from jobs import Job, rows
from test_verify import path

from ssui_gen.branches import Cut
from ssui_gen.errors import RecordError
from ssui_gen.exploring.explored import Explored, cut_id, read_paths
from ssui_gen.jsonl import Appender, at, read
from ssui_gen.placed import every
from ssui_gen.records import Reason, ReasoningPath, Reject


def row_of(one: ReasoningPath, cut: int) -> Cut:
    return Cut(
        id=cut_id(one, cut), path_id=one.id, kind=one.kind, cut=cut, prefix="", image=one.image,
        query=one.query.text, branches=(), draws=0, made_by=(),
    )  # fmt: skip


def test_a_line_is_found_again_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes('\n{"a": "é"}\n\n  {"b": 2}\nnonsense\n{"c": 3}'.encode())
    lines = list(read(file))
    assert [line.value for line in lines] == [{"a": "é"}, {"b": 2}, None, {"c": 3}]
    assert [at(line).value for line in lines] == [line.value for line in lines]
    assert [at(line).number for line in lines] == [2, 4, 5, 6]


def one_of(id: str, answer: str = "Be careful.") -> ReasoningPath:
    return record(id, answer=answer)


def laid(file: Path, *paths: ReasoningPath) -> Path:
    file.write_text("".join(one.model_dump_json() + "\n" for one in paths))
    return file


def _swap(file: Path) -> None:
    """Rows as long as each other change places, in place."""
    first, second = file.read_bytes().splitlines(keepends=True)
    with file.open("r+b") as open_:
        open_.write(second + first)


def _cut_off(file: Path) -> None:
    os.truncate(file, 10)


def _emptied(file: Path) -> None:
    os.truncate(file, 0)


def _shifted(file: Path) -> None:
    content = file.read_bytes()
    with file.open("r+b") as open_:
        open_.write(b"\n" + content)


def _blanked(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as open_:
        open_.write(b" " * (size - 1) + b"\n")


@pytest.mark.parametrize("edit", [_swap, _cut_off, _emptied, _shifted, _blanked])
def test_no_other_row_is_given_for_one_whose_file_was_edited_meanwhile(
    tmp_path: Path, edit: Callable[[Path], None]
) -> None:
    file = laid(tmp_path / "paths.jsonl", one_of("a"), one_of("b"))
    found, lines = every(ReasoningPath, file), list(read(file))
    edit(file)
    for again in (lambda: found[1], lambda: at(lines[1])):
        with pytest.raises(RecordError, match=r"paths\.jsonl:2: was changed by somebody.*same command again"):
            again()


def test_a_file_that_grows_or_is_replaced_is_read_on(tmp_path: Path) -> None:
    file = laid(tmp_path / "paths.jsonl", one_of("a"), one_of("b"))
    found, lines = every(ReasoningPath, file), list(read(file))
    with file.open("a") as open_:
        open_.write('{"torn')
    assert [one.id for one in found] == ["a", "b"] and at(lines[1]) == lines[1]
    laid(tmp_path / "new", one_of("c"), one_of("d")).replace(file)
    assert [one.id for one in found] == ["a", "b"], "as it was"
    with pytest.raises(RecordError, match="was changed by somebody"):
        at(lines[1])


@pytest.mark.parametrize("how", ["gone", "pipe", "folder"])
def test_what_is_no_file_any_more_is_told_in_a_line(tmp_path: Path, how: str) -> None:
    file = laid(tmp_path / "paths.jsonl", one_of("a"), one_of("b"))
    (line, _), _ = list(read(file)), file.unlink()
    if how == "pipe":
        os.mkfifo(file)
    elif how == "folder":
        file.mkdir()
    with pytest.raises(RecordError, match=r"paths\.jsonl: (could not be read|is a pipe)"):
        at(line)


def test_the_cuts_of_a_path_come_in_order_and_stale_ones_do_not(tmp_path: Path) -> None:
    one = path()
    file = tmp_path / "branches.jsonl"
    writer = Appender(file)
    for cut in (3, 0, 1):
        writer.write(row_of(one, cut))
    writer.close()
    assert [row.cut for row in Explored(file).of(one)] == [0, 1, 3]
    first, second, *rest = one.steps
    edited = one.model_copy(
        update={"steps": (first, second.model_copy(update={"text": "Other words."}), *rest)}
    )
    assert [row.cut for row in Explored(file).of(edited)] == [0, 1], "cuts before the edit still hold"


def test_unfit_rows_are_told_with_their_place(tmp_path: Path) -> None:
    good = path().model_dump(mode="json", by_alias=True)
    blank = [{**step, "text": " "} if step["name"] == "synthesis" else step for step in good["steps"]]
    empty = {**good, "id": "e", "steps": blank}
    short = {**good, "id": "k", "steps": good["steps"][:5]}
    file = tmp_path / "curated.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (good, empty, short)) + "{half")
    fit, *unfit = read_paths(file)
    assert isinstance(fit, ReasoningPath)
    assert all(isinstance(one, Reject) and one.reason == Reason.PATH_INVALID for one in unfit)
    details = [one.detail for one in unfit if isinstance(one, Reject)]
    assert re.search(r"curated\.jsonl:2: steps\.2\.text: step 3 is empty; expected words", details[0])
    assert re.search(r"curated\.jsonl:3: steps: .*at least 6", details[1])
    assert re.search(r"curated\.jsonl:4:\d+: not JSON.*torn last line", details[2])


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    return todo


def test_an_unfit_path_is_a_reject_and_may_be_mended(made: Job) -> None:
    whole = [json.dumps(one) + "\n" for one in made.paths]
    broken = {**made.paths[0], "steps": made.paths[0]["steps"][:5]}
    curated = made.run / "curated.jsonl"
    curated.write_text(json.dumps(broken) + "\n" + "".join(whole[1:]))
    done = pairs(made)
    assert done.code == 0, done.err
    (reject,) = rows(made.run / "pairs_rejects.jsonl")
    assert (reject["seed_id"], reject["reason"]) == (broken["id"], "path_invalid")
    assert len({cut["path_id"] for cut in cuts(made)}) == len(whole) - 1
    curated.write_text("".join(whole))
    assert pairs(made).code == 0
    assert not rows(made.run / "pairs_rejects.jsonl")
    assert len({cut["path_id"] for cut in cuts(made)}) == len(whole)


def test_an_edited_path_is_explored_anew_from_the_edit_on(made: Job) -> None:
    assert pairs(made, "--limit", "1").code == 0
    first = made.paths[0]
    first["steps"][3]["text"] = "A person's own words: dangerous_behavior."
    (made.run / "curated.jsonl").write_text(json.dumps(first) + "\n")
    assert pairs(made).code == 0
    drawn = [cut["cut"] for cut in cuts(made) if cut["path_id"] == first["id"]]
    assert sorted(drawn) == [0, 1, 2, 3, 4, 4, 5, 5]
    for pair in rows(made.run / "pairs.jsonl"):
        assert "own words" in pair["prefix"] or pair["cut"] < 4


def test_a_curated_file_of_another_run_is_refused(made: Job) -> None:
    stranger = {**made.paths[0], "id": "0123456789abcdef"}
    (made.run / "curated.jsonl").write_text(json.dumps(made.paths[0]) + "\n" + json.dumps(stranger) + "\n")
    done = pairs(made)
    assert done.code == 1
    assert re.search(r"curated\.jsonl:2: id: '0123456789abcdef' is no path of this run \(1 such", done.err)
    assert not cuts(made)


def test_branches_of_before_the_line_break_are_refused_with_what_makes_them_anew(
    fake: Fake, tmp_path: Path
) -> None:
    """They were drawn after other tokens, so moving the line break would not make them what they are not."""
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    assert pairs(todo, "--limit", "1").code == 0
    file = todo.run / "branches.jsonl"
    old = [{**row, "schema": 1, "prefix": row["prefix"].rstrip()} for row in rows(file)]
    file.write_text("".join(json.dumps(row) + "\n" for row in old))
    done = pairs(todo, "--limit", "1")
    assert done.code == 1
    assert f"{file}:1: schema: expected 2; got 1" in done.err
    put_away = re.search(r"mv (\S+) (\S+) && ssui pairs", done.err)
    assert put_away
    Path(put_away[1]).rename(put_away[2])
    assert pairs(todo, "--limit", "1").code == 0 and len(cuts(todo)) == 6
