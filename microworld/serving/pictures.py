"""Data URLs to pictures. Covers limits and broken files; fetches nothing."""

from __future__ import annotations

import base64
import binascii
import io
import struct

from PIL import Image, UnidentifiedImageError

from microworld.serving.protocol import Refusal

MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error)
"""What Pillow raises for a damaged file, according to where the damage is."""


def picture(url: str) -> Image.Image:
    """The first frame of the picture in a data URL, in RGB; raises Refusal."""
    with _opened(_content(url)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _refused(f"{image.width} x {image.height} pixels are more than {MAX_PIXELS}")
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
    except binascii.Error as error:
        raise _refused(f"not base64: {error}") from None


def _opened(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _refused(str(error)) from None
    except BROKEN:
        raise _refused(f"not a {', '.join(FORMATS)} picture: {len(content)} bytes") from None


def _refused(why: str) -> Refusal:
    return Refusal(f"image_url: {why}", code="invalid_image")
