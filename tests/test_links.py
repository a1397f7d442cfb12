"""Links of all kinds where files of a run, or people's, are written: nothing outside is changed or shown."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_server import Fake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs import Job, here, job, plain, rows

from ssui_gen.calling.journal import Journal
from ssui_gen.errors import RecordError, SsuiError
from ssui_gen.files import (
    atomic_write,
    claim,
    keep_former,
    open_own,
    own_folder,
    replace,
    require_no_link,
)
from ssui_gen.fresh_folder import folder_beside, place_folder
from ssui_gen.jsonl import Appender
from ssui_gen.seeds import Seed

KINDS = ("file", "folder", "dangling", "loop", "chain", "hard")


def lead(link: Path, kind: str, target: Path) -> None:
    """Make `link` one of that kind; what it leads to, if anything, is `target`."""
    if kind in ("file", "hard", "chain"):
        target.write_bytes(b"precious\n")
    if kind == "folder":
        target.mkdir()
        (target / "mine").write_bytes(b"precious\n")
    if kind == "hard":
        link.hardlink_to(target)
    elif kind == "loop":
        link.symlink_to(link)
    elif kind == "chain":
        between = target.with_name("between")
        between.symlink_to(target)
        link.symlink_to(between)
    else:
        link.symlink_to(target)


def everything(folder: Path) -> dict[str, Any]:
    """What lies there, links as they stand."""
    found = sorted(folder.rglob("*"))
    return {str(path): path.readlink() if path.is_symlink() else _content(path) for path in found}


def _content(path: Path) -> Any:
    return path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else path.lstat().st_mode


def grow(path: Path) -> None:
    file = Appender(path)
    file.write(Seed(id="a", image="a.png"))
    file.close()


def place(path: Path) -> None:
    with folder_beside(path) as fresh:
        (fresh / "new").write_text("new")
        place_folder(fresh, path)


WRITES: dict[str, Callable[[Path], object]] = {
    "whole": lambda path: atomic_write(path, "new"),
    "kept": lambda path: replace(path, ["new"]),
    "grows": grow,
    "locked": lambda path: os.close(open_own(path)),
    "calls": lambda path: Journal(path).close(),
    "a folder": lambda path: atomic_write(own_folder(path) / "new", "new"),
    "a folder, whole": place,
}


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), how=st.sampled_from([*WRITES]), deep=st.integers(0, 2), data=st.data())
def test_whatever_link_stands_on_the_way_nothing_outside_is_written(
    tmp_path_factory: pytest.TempPathFactory, kind: str, how: str, deep: int, data: st.DataObject
) -> None:
    """`deep` folders below the run, one of them the link, or the file itself."""
    top = tmp_path_factory.mktemp("t")
    outside, run = top / "outside", top / "run"
    outside.mkdir()
    run.mkdir()
    claim(run)
    names = [*"abc"[:deep], "file"]
    place = data.draw(st.integers(0, deep)) if kind != "hard" else deep
    link = run.joinpath(*names[: place + 1])
    link.parent.mkdir(parents=True, exist_ok=True)
    lead(link, kind, outside / "target")
    before = everything(outside)
    path = run.joinpath(*names)
    try:
        WRITES[how](path)
    except SsuiError as error:
        assert isinstance(error, RecordError) and str(run) in str(error) and "\n" not in str(error)
        assert "link" in str(error) or (how.startswith("a folder") and "expected a folder" in str(error))
    else:  # what is replaced whole takes the link's place
        assert place == deep and how in ("whole", "kept", "locked")
        assert how == "locked" or (path.read_bytes() == b"new" and not path.is_symlink())
    assert everything(outside) == before


def test_the_folder_that_a_person_names_may_be_a_link(fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "big disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "big disk")
    made = job(tmp_path / "photos", fake.url, plain(1))
    run = tmp_path / "run"
    assert made.here("--run", str(run)).code == 0
    assert here(["curation", "export", "--run", str(run), "--as", "ana"]).code == 0
    assert (tmp_path / "big disk/curation/ana.jsonl").is_file()


@pytest.mark.parametrize("name", ["a.json", "curated.jsonl"])
def test_what_a_link_leads_to_is_not_copied_as_what_was_there_before(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    (tmp_path / name).symlink_to(secret)
    (tmp_path / "new").write_text("new")
    assert keep_former(tmp_path / name, tmp_path / "new") is None
    assert not [*tmp_path.glob("*.former.*")]


def test_a_folder_that_another_program_fills_holds_no_link(tmp_path: Path) -> None:
    (tmp_path / "adapter/checkpoints/deep").mkdir(parents=True)
    require_no_link(tmp_path / "adapter")
    require_no_link(tmp_path / "not there yet")
    (tmp_path / "adapter/checkpoints/deep/adapter_model.safetensors").symlink_to(tmp_path / "thesis")
    with pytest.raises(RecordError, match=r"safetensors: is a link to .*thesis; expected"):
        require_no_link(tmp_path / "adapter")


# --- a run that was brought ------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Iterator[Job]:
    found = job(tmp_path / "photos", fake.url, plain(2, kind="risky"), twins=False)
    assert found.here("--limit", "1").code == 0
    (tmp_path / "outside").mkdir()
    yield found


def curation(made: Job, *words: str) -> list[str]:
    return ["curation", *words, "--run", str(made.run)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("curation", "folder"),
        ("curation", "dangling"),
        ("used/2", "folder"),
        ("calls.sqlite", "file"),
        ("calls.sqlite", "dangling"),
        ("calls.sqlite", "hard"),
        ("calls.sqlite-wal", "dangling"),
        ("reasoning_paths.jsonl", "hard"),
        ("rejects.jsonl", "dangling"),
    ],
)
def test_links_that_were_packed_into_a_run_lead_no_command_outside(
    made: Job, tmp_path: Path, name: str, kind: str
) -> None:
    outside, link = tmp_path / "outside", made.run / name
    if link.exists() and kind != "hard":
        link.unlink()
    if kind == "hard":
        (outside / "target").hardlink_to(link)
    else:
        lead(link, kind, outside / "target")
    before = everything(outside)
    (made.folder / "run.yaml").write_text(json.dumps({"twins": True, "language": "German"}))
    ends = [made.here("--mix"), here(curation(made, "export", "--as", "ana"))]
    assert everything(outside) == before
    told = [end.err for end in ends if end.code]
    assert told and all(err.count("\n") == 1 and "link" in err for err in told), ends


ELSEWHERE = ["", "export PATH\n", '{"id": "x"}\n', "-----BEGIN OPENSSH PRIVATE KEY-----\n"]


@pytest.mark.parametrize("content", ELSEWHERE)
def test_a_persons_link_to_no_such_file_is_neither_written_nor_shown(
    made: Job, tmp_path: Path, content: str
) -> None:
    assert here(curation(made, "export", "--as", "ana")).code == 0
    other = tmp_path / "outside/rc"
    other.write_text(content)
    (made.run / "curation/ben.jsonl").symlink_to(other)
    for words in (("export", "--as", "ben"), ("check",), ("apply",), ("stats",)):
        end = here(curation(made, *words))
        assert other.read_text() == content
        assert "BEGIN" not in end.out + end.err and "PATH" not in end.out + end.err
        assert end.code and "holds no line about an item of this folder" in end.out + end.err, end


def test_a_person_may_keep_their_own_file_elsewhere(made: Job, tmp_path: Path) -> None:
    assert here(curation(made, "export", "--as", "ana")).code == 0
    link, kept = made.run / "curation/ana.jsonl", tmp_path / "outside/mine.jsonl"
    kept.write_text(link.read_text().replace('"decision":null', '"decision":"keep"'))
    link.unlink()
    link.symlink_to(kept)
    assert made.here().code == 0, "one more path"
    assert here(curation(made, "export", "--as", "ana")).code == 0
    assert link.is_symlink() and len(rows(kept)) == 2
    assert rows(kept)[0]["decision"] == "keep" or rows(kept)[1]["decision"] == "keep"


def test_a_persons_file_is_no_link_to_anothers(made: Job) -> None:
    assert here(curation(made, "export", "--as", "ana")).code == 0
    (made.run / "curation/ben.jsonl").symlink_to("ana.jsonl")
    before = (made.run / "curation/ana.jsonl").read_bytes()
    end = here(curation(made, "export", "--as", "ben"))
    assert end.code == 1 and "is a link to ana.jsonl beside it" in end.out + end.err
    assert (made.run / "curation/ana.jsonl").read_bytes() == before


def test_another_name_of_a_persons_file_keeps_what_it_said(made: Job, tmp_path: Path) -> None:
    assert here(curation(made, "export", "--as", "ana")).code == 0
    copy = tmp_path / "outside/backup.jsonl"
    copy.hardlink_to(made.run / "curation/ana.jsonl")
    before = copy.read_bytes()
    assert made.here().code == 0
    assert here(curation(made, "export", "--as", "ana")).code == 0
    assert copy.read_bytes() == before and len(rows(made.run / "curation/ana.jsonl")) == 2
