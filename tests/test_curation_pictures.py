"""Copies of pictures where people work: ours or none, whatever a brought folder holds under their names."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from curating import curation, exported, record
from PIL import Image

from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.texts import sha_of
from ssui_gen.curation.page.pictures import FOLDER, SUMS, addresses, copies, read_copy, shown_in

A = record("aaaa")
SHA = A.image.sha256
SECRET = b"-----BEGIN PRIVATE KEY----- marker"


def other() -> bytes:
    """Another picture, as well-formed as a copy."""
    buffer = io.BytesIO()
    Image.new("RGB", (96, 64), "navy").save(buffer, "png")
    return buffer.getvalue()


def as_link(copy: Path) -> bytes:
    secret = copy.parent.parent.parent / "id_rsa"
    secret.write_bytes(SECRET)
    copy.unlink()
    copy.symlink_to(secret)
    return SECRET


def as_other_picture(copy: Path) -> bytes:
    copy.write_bytes(other())
    return other()


def as_no_picture(copy: Path) -> bytes:
    copy.write_bytes(SECRET)
    return SECRET


def as_folder_link(copy: Path) -> bytes:
    """With sums that fit what lies there."""
    elsewhere = copy.parent.parent.parent / "elsewhere"
    copy.parent.rename(elsewhere)
    copy.parent.symlink_to(elsewhere)
    return as_other_picture(elsewhere / copy.name)


def as_sums_link(copy: Path) -> bytes:
    secret = copy.parent.parent.parent / "id_rsa"
    secret.write_bytes(SECRET)
    (copy.parent / SUMS).unlink()
    (copy.parent / SUMS).symlink_to(secret)
    return SECRET


FORGED = (as_link, as_other_picture, as_no_picture, as_folder_link, as_sums_link)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "run", [A])


@pytest.mark.parametrize("forge", FORGED)
def test_what_is_no_copy_of_ours_goes_nowhere_and_is_made_anew(
    run: Path, forge: Callable[[Path], bytes]
) -> None:
    home = run / "curation"
    copy, item = home / FOLDER / f"{SHA}.png", Item(id=A.id, sha=sha_of(A), risk=0.0, why=(), of=A)
    ours = copy.read_bytes()
    found = forge(copy)
    assert read_copy(home, copy.name) in (None, ours)
    assert base64.b64encode(found).decode() not in json.dumps(addresses(home, shown_in([item])))
    assert curation(run, "export", "--as", "ana", "--to", "argilla").code == 0
    assert curation(run, "export", "--as", "ana").code == 0
    for name in ("gallery.html", "argilla/records.json"):
        assert base64.b64encode(found) not in (home / name).read_bytes()
    assert not copy.is_symlink() and not (home / FOLDER).is_symlink()
    assert read_copy(home, copy.name) == copy.read_bytes() == ours


def test_a_copy_that_is_there_is_not_made_again(run: Path) -> None:
    before = (run / "curation" / FOLDER / f"{SHA}.png").stat().st_ino
    (run / "seeds" / "a.png").unlink()
    assert curation(run, "export", "--as", "ana").code == 0
    assert copies(run / "curation")[SHA].stat().st_ino == before
