"""The door to pictures: a name under the seeds' root becomes a checked reference, then a data URL to send.

A string that names a file is not permission to read it. Nothing is fetched, nothing outside the root is
opened, and what is sent holds pixels alone. How bytes become pixels stands in `pixels`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ssui_gen.errors import ImageError
from ssui_gen.files import NotRegular, read_regular
from ssui_gen.pixels import FORMATS, decoded, fault
from ssui_gen.records import ImageRef, Reason
from ssui_gen.settings import ImageLimits

JPEG_QUALITY = 92
HASH_SIDE, HASH_LOW = 32, 16
"""Pixels that are transformed, and frequencies that are kept, along a side."""
HASH_BITS = HASH_LOW**2 - 1
ORIENTATION = 0x0112
"""The EXIF tag; 1 is upright."""
SWATCH_SIDE = 64
_STORAGE = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "progressive", "progression", "gamma"}
"""Of what Pillow tells of a picture, what is about its pixels."""
LOSSLESS_SIDE = 512
"""Pixels; pictures up to this size are sent as PNG."""


def inspect(root: Path, name: str, limits: ImageLimits) -> ImageRef:
    """Check and fully decode the picture `name` under `root`; raises ImageError with its reason code."""
    data = original(root, name, limits)
    picture = decoded(data, name, limits)
    return ImageRef(
        path=below(root, name),
        sha256=hashlib.sha256(data).hexdigest(),
        width=picture.width,
        height=picture.height,
    )


def inspect_together(root: Path, names: Sequence[str], limits: ImageLimits) -> list[ImageRef]:
    """Each as `inspect` has it, of pictures that are shown together; raises ImageError too where two of them
    are one: whoever asks in which picture something is would be asked for nothing.
    """
    found = [inspect(root, name, limits) for name in names]
    known = dict[str, str]()
    for name, ref in zip(names, found, strict=True):
        if other := known.get(ref.sha256):
            raise fault(Reason.IMAGE_TWICE, name, f"the same bytes as {other[:200]!r}: leave one of them out")
        known[ref.sha256] = name
    return found


def shown(root: Path, ref: ImageRef, limits: ImageLimits) -> Image.Image:
    """The picture as a model sees it: upright, RGB, no larger than `longest_side`, without metadata.

    Raises ImageError as `inspect` does, and if the file is no longer the one that `ref` names.
    """
    data = original(root, ref.path, limits)
    _check_unchanged(data, ref)
    picture = decoded(data, ref.path, limits)
    picture.thumbnail((limits.longest_side, limits.longest_side), Image.Resampling.LANCZOS)
    return picture


def original(root: Path, name: str, limits: ImageLimits) -> bytes:
    """The bytes of the file `name` under `root`, not looked at; raises ImageError."""
    return _read(_allowed(root, name), name, limits)


def cleaned(root: Path, ref: ImageRef, limits: ImageLimits) -> tuple[bytes, str]:
    """The picture of `shown` as a file: its bytes, and `png`, or `jpeg` where it is large."""
    picture = shown(root, ref, limits)
    kind = "png" if max(picture.size) <= LOSSLESS_SIDE else "jpeg"
    return _encoded(picture, kind), kind


def data_url(root: Path, ref: ImageRef, limits: ImageLimits) -> str:
    """The picture of `shown` as it is sent."""
    return _as_data_url(*cleaned(root, ref, limits))


def small_url(root: Path, ref: ImageRef, limits: ImageLimits, quality: int) -> str:
    """The picture of `shown` as a JPEG data URL, for pages that hold many."""
    return _as_data_url(_encoded(shown(root, ref, limits), "jpeg", quality), "jpeg")


def smaller(data: bytes, name: str, limits: ImageLimits, quality: int) -> bytes:
    """Bytes of a picture as a JPEG within the limits, its longest side too. Raises ImageError."""
    picture = decoded(data, name, limits)
    picture.thumbnail((limits.longest_side, limits.longest_side), Image.Resampling.LANCZOS)
    return _encoded(picture, "jpeg", quality)


def file_url(root: Path, ref: ImageRef, limits: ImageLimits) -> str | None:
    """The picture's own address for a server that reads `root`; None if it cannot be sent as it stands.

    As it stands: what `data_url` would send has the same pixels. Raises ImageError as that does.
    """
    path = _allowed(root, ref.path)
    data = _read(path, ref.path, limits)
    _check_unchanged(data, ref)
    if max(ref.width, ref.height) > limits.longest_side:
        return None
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        upright = picture.getexif().get(ORIENTATION, 1) == 1
        plain = picture.mode == "RGB" and picture.format in ("PNG", "JPEG", "WEBP")
    return path.as_uri() if upright and plain and "transparency" not in picture.info else None


def picture_part(
    root: Path, ref: ImageRef, limits: ImageLimits, *, by_file: bool, by_uuid: bool
) -> dict[str, Any]:
    """The part of a message that shows a picture. The uuid binds bytes, size and way of sending: a server
    that trusts it must never meet it with other pixels.
    """
    address = file_url(root, ref, limits) if by_file else None
    part = {"type": "image_url", "image_url": {"url": address or data_url(root, ref, limits)}}
    way = "file" if address else "data"
    return part | ({"uuid": f"{ref.sha256}-{limits.longest_side}-{way}"} if by_uuid else {})


def perceptual_hash(root: Path, name: str, limits: ImageLimits) -> int:
    """Of the picture `name` under `root`; see `hash_of`. Raises ImageError."""
    return hash_of(original(root, name, limits), name, limits)


def hash_of(data: bytes, name: str, limits: ImageLimits) -> int:
    """HASH_BITS bits that pictures share although their bytes differ: pHash, the signs about the median of
    the lowest frequencies of a cosine transform (hackerfactor.com, "Looks Like It", 2011). Re-encoded and
    resized copies differ in a few bits, other pictures in about half. Raises ImageError.
    """
    picture = decoded(data, name, limits)
    grey = picture.convert("L").resize((HASH_SIDE, HASH_SIDE), Image.Resampling.LANCZOS)
    k = np.arange(HASH_SIDE)
    cosines = np.cos(np.pi * np.outer(k, 2 * k + 1) / (2 * HASH_SIDE))
    low = (cosines @ np.asarray(grey, dtype=float) @ cosines.T)[:HASH_LOW, :HASH_LOW].ravel()[1:]
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes())


def metadata_of(data: bytes, name: str) -> list[str]:
    """What a PNG or JPEG holds beside its pixels: EXIF, texts, comments, profiles, by name.

    Raises ImageError for bytes that are no such picture.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            picture.load()
            found = set(picture.info) | ({"exif"} if picture.getexif() else set())
    except (OSError, ValueError, SyntaxError):
        raise fault(Reason.IMAGE_UNREADABLE, name, "no PNG or JPEG picture") from None
    return sorted(str(key) for key in found - _STORAGE)


def within(data: bytes, name: str, limits: ImageLimits) -> bytes:
    """The same bytes, of a picture that came in a row, if they are not too many. Raises ImageError."""
    if len(data) > limits.max_bytes:
        raise _too_many(len(data), name, limits)
    return data


def _too_many(size: int, name: str, limits: ImageLimits) -> ImageError:
    what = f"{size:,} bytes; at most {limits.max_bytes:,} (images.max_bytes)"
    return fault(Reason.IMAGE_TOO_LARGE, name, what)


def plain_url(colour: str) -> str:
    """A small picture of one colour, for asking a server whether it sees."""
    picture = Image.new("RGB", (SWATCH_SIDE, SWATCH_SIDE), colour)
    return _as_data_url(_encoded(picture, "png"), "png")


def painted_url(root: Path, ref: ImageRef, limits: ImageLimits, words: str) -> str:
    """The picture of `shown` with these words on a white band along its lower edge, as it is sent."""
    picture = shown(root, ref, limits)
    draw, (width, height) = ImageDraw.Draw(picture), picture.size
    wide = ImageFont.load_default(100).getlength(words) / 100
    font = ImageFont.load_default(max(6, min(0.95 * width / wide, height / 8)))
    draw.rectangle((0, height - 1.5 * font.size, width, height), fill="white")  # type: ignore[union-attr]
    draw.text((width / 2, height - 0.75 * font.size), words, "black", font, "mm")  # type: ignore[union-attr]
    kind = "png" if max(picture.size) <= LOSSLESS_SIDE else "jpeg"
    return _as_data_url(_encoded(picture, kind), kind)


def _allowed(root: Path, name: str) -> Path:
    """The file itself, if `name` stays under `root` after every symlink is followed."""
    if "\\" in name or "\0" in name or "://" in name or name.startswith(("data:", "file:")):
        raise _refused(name, "expected a path below the seeds' root, not an address")
    if ".." in PurePosixPath(name).parts:
        raise _refused(name, "'..' is not allowed; put the picture below the seeds' root")
    base = root.resolve()
    path = Path(os.path.realpath(base / name))
    if not path.is_relative_to(base):
        raise _refused(name, _outside(root, base / name))
    return path


def _outside(root: Path, path: Path) -> str:
    what = f"it lies outside the seeds' root {root}; "
    if ".git/annex/objects/" in _target(path):
        return what + "git-annex keeps it there: copy the folder with `cp -rL`"
    if path.is_symlink():
        return (
            what
            + "it is a link: copy the folder with `cp -rL`, which takes the files themselves, and name that"
        )
    return what + "copy it there, or name the folder that holds all as the seeds"


def _target(path: Path) -> str:
    try:
        return path.readlink().as_posix()
    except OSError:
        return ""


def below(root: Path, name: str) -> str:
    """The name relative to the root; an absolute one may lie below it."""
    path = PurePosixPath(name)
    return (_allowed(root, name).relative_to(root.resolve()) if path.is_absolute() else path).as_posix()


def _refused(name: str, why: str) -> ImageError:
    return fault(Reason.IMAGE_REFUSED, name, why)


def _read(path: Path, name: str, limits: ImageLimits) -> bytes:
    """The bytes of a path that has no link in it any more."""
    try:
        data = read_regular(path, limits.max_bytes)
        size = path.stat().st_size
    except FileNotFoundError:
        raise fault(Reason.IMAGE_MISSING, name, _missing(path)) from None
    except NotRegular as error:
        raise _refused(name, str(error.strerror)) from None
    except OSError as error:
        raise fault(Reason.IMAGE_UNREADABLE, name, error.strerror or str(error)) from None
    if data is None:
        raise _too_many(size, name, limits)
    return data


def _missing(path: Path) -> str:
    annex = ".git/annex/objects/" in path.as_posix()
    return "git-annex has not got it: run `git annex get`" if annex else "no such file below the seeds' root"


def _check_unchanged(data: bytes, ref: ImageRef) -> None:
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise fault(Reason.IMAGE_CHANGED, ref.path, "the file has changed since it was inspected")


def _as_data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _encoded(picture: Image.Image, kind: str, quality: int = JPEG_QUALITY) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"quality": quality} if kind == "jpeg" else {"compress_level": 6}))
    return buffer.getvalue()
