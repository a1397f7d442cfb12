"""What a file is that cannot be read as a picture, and what to do about it, by its first bytes."""

from __future__ import annotations

HEAD = 1024
"""Bytes that are enough to tell."""
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_SAVE = "save it as JPEG or PNG"
_VIDEO = "a video: save one frame of it as JPEG or PNG"
_OTHERS = (
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer, not the picture: run `git lfs pull`"),
    (b"/annex/objects/", "a git-annex pointer, not the picture: run `git annex get`"),
    (b"\0\x05\x16\x07", "the side file of a Mac (AppleDouble), not the picture: copy the one without `._`"),
    (b"%PDF-", "a PDF: save its page as JPEG or PNG"),
    (b"%!PS", f"PostScript: {_SAVE}"),
    (b"8BPS", f"a Photoshop file: {_SAVE}"),
    (b"\xff\x0a", f"JPEG XL: {_SAVE}"),
    (b"\0\0\0\x0cJXL ", f"JPEG XL: {_SAVE}"),
    (b"\0\0\0\x0cjP  ", f"JPEG 2000: {_SAVE}"),
    (b"\xff\x4f\xff\x51", f"JPEG 2000: {_SAVE}"),
    (b"\0\0\x01\0", f"an icon (ICO): {_SAVE}"),
    (b"\0\0\x01\xb3", _VIDEO),
    (b"\0\0\x01\xba", _VIDEO),
    (b"\x1a\x45\xdf\xa3", _VIDEO),
    (b"FLV", _VIDEO),
    (b"OggS", _VIDEO),
    (b"PK\x03\x04", "a ZIP archive: unpack it"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"PAR1", "Parquet rows: name that file as the seeds"),
)
_OURS = (
    (b"II*\0", f"a TIFF whose channels or depth are not read, or a broken one: {_SAVE}"),
    (b"MM\0*", f"a TIFF whose channels or depth are not read, or a broken one: {_SAVE}"),
    (b"\x89PNG", "a PNG that is broken or cut off: copy it again"),
    (b"\xff\xd8", "a JPEG that is broken or cut off: copy it again"),
    (b"GIF8", "a GIF that is broken or cut off: copy it again"),
)


def what_is(head: bytes) -> str:
    """What a file that begins with `head` is, and what to do; empty where nothing is known of it.

    Of a format that is read it says that the file is broken: ask only if it could not be read.
    """
    if not head.strip(b"\0"):
        return "an empty file: copy it again"
    return what_else(head) or _by_beginning(_OURS, head)


def what_else(head: bytes) -> str:
    """The same for what is surely no picture of a format that is read; empty for all others."""
    return _container(head) or _by_beginning(_OTHERS, head) or _markup(head)


def _by_beginning(known: tuple[tuple[bytes, str], ...], head: bytes) -> str:
    return next((what for beginning, what in known if head.startswith(beginning)), "")


def _container(head: bytes) -> str:
    """Formats in boxes: their kind stands behind the length of the first one."""
    if head[4:8] == b"ftyp":
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(_length(head), len(head)), 4))]
        if any(brand in (b"avif", b"avis") for brand in brands):
            return f"AVIF, which is not read: {_SAVE}"
        if any(brand in _HEIC for brand in brands):
            return f"HEIC (HEIF), as phones write it, which is not read: {_SAVE}"
        return _VIDEO
    return _VIDEO if head[:4] == b"RIFF" and head[8:12] == b"AVI " else ""


def _length(head: bytes) -> int:
    return int.from_bytes(head[:4], "big")


def _markup(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in text and text.startswith(b"<"):
        return f"SVG: {_SAVE}"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "a web page (HTML), not the picture: download the picture itself"
    if text.startswith(b"<?xml"):
        return "XML, not a picture: download the picture itself"
    return "JSON, perhaps the error of a server: download the picture itself" if text[:1] == b"{" else ""
