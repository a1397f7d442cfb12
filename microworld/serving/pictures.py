"""Data URLs to pictures. Covers limits and broken files; fetches nothing, and keeps nothing (`sight`).

All pictures of a request are measured by their headers before one is decoded.
"""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from typing import TypeVar

from PIL import Image, UnidentifiedImageError

from microworld.serving.protocol import Refusal

MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
"""Of all pictures of a request together."""
MAX_RATIO = 200
"""Of the longer side to the shorter one."""
MAX_PICTURES = 16
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error)
"""What Pillow raises for a damaged file, according to where the damage is."""
TakenT = TypeVar("TakenT")


def pictures(urls: Sequence[str], take: Callable[[bytes, Callable[[], Image.Image]], TakenT]) -> list[TakenT]:
    """What `take` makes of each picture, by the hash of its bytes and, if it wants that, its first frame in
    RGB; raises Refusal.
    """
    if len(urls) > MAX_PICTURES:
        raise _refused(f"expected at most {MAX_PICTURES} pictures in a request; got {len(urls)}")
    with ExitStack() as stack:
        contents = [_content(url) for url in urls]
        opened = [stack.enter_context(_opened(content)) for content in contents]
        _check(opened)
        shas = [sha256(content).digest() for content in contents]
        return [take(sha, partial(_decoded, image)) for sha, image in zip(shas, opened, strict=True)]


def _check(opened: Sequence[Image.Image]) -> None:
    if (pixels := sum(image.width * image.height for image in opened)) > MAX_PIXELS:
        raise _refused(f"expected at most {MAX_PIXELS:,} pixels in a request; got {pixels:,}")
    for image in opened:
        if max(image.size) > MAX_RATIO * min(image.size):
            what = f"{image.width} x {image.height} pixels"
            raise _refused(f"expected sides of at most {MAX_RATIO} to 1; got {what}")


def _decoded(image: Image.Image) -> Image.Image:
    try:
        return image.convert("RGB")
    except BROKEN as error:
        raise _refused(f"the picture is damaged: {error}") from None


def _content(url: str) -> bytes:
    head, comma, data = url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise _refused(f"expected data:image/...;base64,...; got {url[:40]!r}; nothing is fetched here")
    if len(data) > MAX_BYTES * 4 // 3 + 4:
        raise _refused(f"the picture has more than {MAX_BYTES} bytes")
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise _refused(f"not base64: {error}") from None


def _opened(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise _refused(f"expected at most {MAX_PIXELS:,} pixels in a request; got far more") from None
    except BROKEN:
        raise _refused(f"not a {', '.join(FORMATS)} picture: {len(content)} bytes") from None


def _refused(why: str) -> Refusal:
    return Refusal(f"image_url: {why}", code="invalid_image")
