"""Bytes become a picture as a person sees it: checked before a pixel is decoded, upright, RGB, no metadata.

Knows neither files nor how a picture is sent (`images`).
"""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ssui_gen.errors import ImageError
from ssui_gen.records import Reason
from ssui_gen.settings import ImageLimits
from ssui_gen.unreadable import HEAD, what_is

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
"""What photos and drawings come in; formats that run code or hold vectors are left out. JPEG includes MPO."""
SIXTEEN = 65_535
TWELVE = 4_095
"""Sixteen bits of which no value is larger hold the twelve bits of a camera or a scanner, or fewer."""
_BROKEN = (OSError, ValueError, TypeError, SyntaxError, EOFError, LookupError, ArithmeticError, struct.error)
"""What Pillow raises on damaged bytes."""

warnings.filterwarnings("ignore", module=r"PIL\.")  # for good: `catch_warnings` is not safe in threads


def fault(reason: Reason, name: str, why: str) -> ImageError:
    """The error that names a picture in one line."""
    return ImageError(reason, f"{name[:200]!r}: {why}")


def decoded(data: bytes, name: str, limits: ImageLimits) -> Image.Image:
    """The whole picture, upright and RGB. Raises ImageError; header limits come before any pixel."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        _check(picture, name, limits)
        picture.load()
        return _flattened(ImageOps.exif_transpose(picture), name)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(name, "far too many", limits) from None
    except UnidentifiedImageError:
        raise _unknown(data, name) from None
    except _BROKEN as error:
        raise fault(Reason.IMAGE_UNREADABLE, name, f"broken or cut off: {error}") from None


def ending_of(data: bytes) -> str:
    """How the name of a file ends that holds this picture: of bytes that `decoded` takes."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        return {"JPEG": "jpg", "MPO": "jpg"}.get(str(picture.format), str(picture.format).lower())


def _unknown(data: bytes, name: str) -> ImageError:
    found = what_is(data[:HEAD]) or f"{len(data):,} bytes that are no picture"
    return fault(Reason.IMAGE_UNREADABLE, name, f"{found}; expected one of {', '.join(FORMATS)}")


def _check(picture: Image.Image, name: str, limits: ImageLimits) -> None:
    pixels, (short, long) = picture.width * picture.height, sorted(picture.size)
    if pixels > limits.max_pixels:
        raise _too_many_pixels(name, f"{pixels:,}", limits)
    if long > short * limits.max_ratio:
        found = f"{picture.width} × {picture.height} pixels"
        most = f"one side at most {limits.max_ratio:g} times the other (images.max_ratio)"
        raise fault(Reason.IMAGE_TOO_THIN, name, f"{found}; {most}: cut it")
    if getattr(picture, "is_animated", False) and picture.format != "MPO":
        what = "more than one frame or page; expected a still picture: save one frame"
        raise fault(Reason.IMAGE_ANIMATED, name, what)


def _too_many_pixels(name: str, found: str, limits: ImageLimits) -> ImageError:
    what = f"{found} pixels; at most {limits.max_pixels:,} (images.max_pixels)"
    return fault(Reason.IMAGE_TOO_LARGE, name, what)


def _flattened(picture: Image.Image, name: str) -> Image.Image:
    """RGB without metadata; what is transparent lies on white."""
    if picture.mode.startswith("I;16"):
        picture = _of_sixteen(picture)
    elif picture.mode in ("I", "F"):
        picture = _of_any_range(picture, name)
    if "A" in picture.getbands() or "transparency" in picture.info:
        over = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    flat = picture.convert("RGB")
    return Image.frombytes("RGB", flat.size, flat.tobytes())


def _of_sixteen(picture: Image.Image) -> Image.Image:
    """Scaled, not clipped; with the range of as many bits as are used, where these are twelve or fewer."""
    deep = picture.convert("I")
    most = int(np.asarray(deep).max())
    top = SIXTEEN if most > TWELVE else max(2 ** most.bit_length() - 1, 1)
    return deep.point(lambda value: value / (top / 255), "L")


def _of_any_range(picture: Image.Image, name: str) -> Image.Image:
    """Whole or fractional numbers of 32 bits have no white: the least is shown black, the largest white."""
    values = np.asarray(picture, dtype=np.float64)
    known = np.isfinite(values)
    least, most = values[known].min(initial=np.inf), values[known].max(initial=-np.inf)
    if not known.any() or least == most:
        what = "one value throughout, of 32 bits: how bright that is nobody can say; save it as JPEG or PNG"
        raise fault(Reason.IMAGE_UNREADABLE, name, what)
    shares = (np.where(known, values, least) - least) / (most - least)
    return Image.fromarray(np.rint(shares * 255).astype(np.uint8), "L")
