"""Pictures that are none, or are odd, thin or endless: named by what they are, seen as a person sees them."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ssui_gen.errors import ImageError
from ssui_gen.files import NotRegular, read_regular
from ssui_gen.images import inspect, shown
from ssui_gen.pixels import decoded
from ssui_gen.settings import ImageLimits
from ssui_gen.unreadable import what_else, what_is

LIMITS = ImageLimits()


def box(*brands: bytes) -> bytes:
    """The beginning of a file of that kind."""
    names = brands[0] + b"\0\0\0\0" + b"".join(brands[1:])
    return struct.pack(">I", 8 + len(names)) + b"ftyp" + names + b"\0" * 400


def refused(folder: Path, name: str) -> tuple[str, str]:
    with pytest.raises(ImageError) as error:
        inspect(folder, name, LIMITS)
    return error.value.reason, str(error.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (box(b"heic", b"mif1", b"heic"), "HEIC"),
        (box(b"mif1", b"heic"), "HEIC"),
        (box(b"mif1", b"avif"), "AVIF"),
        (box(b"avif"), "AVIF"),
        (box(b"qt  "), "a video: save one frame"),
        (box(b"isom", b"mp42"), "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "run `git lfs pull`"),
        (b"/annex/objects/SHA256E-s1--0.png\n", "run `git annex get`"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "a web page (HTML)"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "SVG"),
        (b'{"error": "no such picture"}', "the error of a server"),
        (b"%PDF-1.7", "a PDF: save its page"),
        (b"", "an empty file"),
        (b"\0" * 40, "an empty file"),
        (b"\0\x05\x16\x07\0\x02", "AppleDouble"),
        (b"\x89PNG\r\n\x1a\n", "broken or cut off"),
        (b"some words", "10 bytes that are no picture"),
    ],
)
def test_what_is_no_picture_is_named_whatever_it_is_called(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    reason, message = refused(tmp_path, "a.jpg")
    assert reason == "image_unreadable" and says in message and "\n" not in message


def test_a_depth_that_is_not_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(1, bits=24))
    assert "a TIFF whose channels or depth are not read" in refused(tmp_path, "a.tif")[1]


@given(st.binary(max_size=64))
def test_any_bytes_are_looked_at_without_an_error(head: bytes) -> None:
    assert isinstance(what_is(head), str) and isinstance(what_is(b"\0\0\0\x18ftyp" + head), str)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "gif", "tiff"])
def test_no_picture_that_is_read_is_taken_for_something_else(tmp_path: Path, kind: str) -> None:
    Image.new("RGB", (8, 8), "teal").save(tmp_path / "a", kind)
    assert not what_else((tmp_path / "a").read_bytes())


def test_avif_is_refused_although_it_could_be_opened(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "teal").save(tmp_path / "a.png", "avif")
    assert "AVIF, which is not read" in refused(tmp_path, "a.png")[1]


def test_a_link_out_of_the_root_is_told_with_what_to_do(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / "0"
    blob.parent.mkdir()
    Image.new("RGB", (8, 8)).save(blob, "png")
    root = tmp_path / "snapshots"
    root.mkdir()
    (root / "a.png").symlink_to(blob)
    (root / "b.png").symlink_to("../.git/annex/objects/x/y.png")
    (root / "c.png").symlink_to("nothing.png")
    assert "lies outside" in refused(root, "a.png")[1] and "`cp -rL`" in refused(root, "a.png")[1]
    assert "git-annex" in refused(root, "b.png")[1]
    assert refused(root, "c.png")[0] == "image_missing"


# --- depths --------------------------------------------------------------------------------------------

RAMP = np.tile(np.linspace(0, 1, 64), (64, 1))


@pytest.mark.parametrize(
    "values",
    [
        RAMP.astype(np.float32),
        (RAMP * 4000 - 90).astype(np.float32),
        (RAMP * 255).astype(np.int32),
        (RAMP * 1e6).astype(np.int32),
        (RAMP * 4095).astype(np.uint16),
        (RAMP * 65535).astype(np.uint16),
        np.where(RAMP > 0.9, np.nan, RAMP).astype(np.float32),
    ],
    ids=["fractions", "any", "few", "many", "twelve_bits", "sixteen_bits", "holes"],
)
def test_every_depth_is_seen_from_black_to_white(tmp_path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / "a.tif")
    seen = np.asarray(shown(tmp_path, inspect(tmp_path, "a.tif", LIMITS), LIMITS))
    assert seen.min() == 0 and seen.max() >= 250
    grey = seen[0, :50, 0].astype(int)
    assert (np.diff(grey) >= 0).all() and len(set(grey)) > 40


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf])
def test_one_value_of_unknown_range_is_refused(tmp_path: Path, value: float) -> None:
    Image.fromarray(np.full((8, 8), value, np.float32)).save(tmp_path / "a.tif")
    assert "one value throughout" in refused(tmp_path, "a.tif")[1]


# --- bounds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1240, 40), (40, 1240)])
def test_a_thin_picture_is_refused_with_its_sides(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    reason, message = refused(tmp_path, "a.png")
    assert reason == "image_too_thin" and f"{size[0]} × {size[1]} pixels" in message


def test_a_picture_at_the_limit_is_taken(tmp_path: Path) -> None:
    Image.new("RGB", (1200, 40)).save(tmp_path / "a.png")
    assert inspect(tmp_path, "a.png", LIMITS).width == 1200


def tiff(pages: int, bits: int = 8) -> bytes:
    """So many pages of one pixel."""
    out, size = bytearray(b"II*\0" + struct.pack("<I", 8)), 2 + 12 * 8 + 4 + 8
    for page in range(pages):
        start = 8 + page * size
        tags = [
            (256, 1),
            (257, 1),
            (258, bits),
            (259, 1),
            (262, 1),
            (273, start + size - 8),
            (278, 1),
            (279, 1),
        ]
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, 4, 1, v) for t, v in tags)
        out += struct.pack("<I", start + size if page < pages - 1 else 0) + b"\0" * 8
    return bytes(out)


def test_pages_are_not_counted() -> None:
    """To count them takes minutes."""
    data, start = tiff(100_000), time.process_time()
    with pytest.raises(ImageError, match="more than one frame or page"):
        decoded(data, "a.tif", LIMITS)
    assert time.process_time() - start < 2


# --- files ---------------------------------------------------------------------------------------------


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    assert (read_regular(tmp_path / "a", 5), read_regular(tmp_path / "a", 4)) == (b"12345", None)
    for name in ("link", "pipe", "."):
        with pytest.raises(NotRegular):
            read_regular(tmp_path / name, 5)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", 5)
