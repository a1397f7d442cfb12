"""Pictures as users bring them: what is refused and why, and what is sent of the rest."""

import base64
import hashlib
import io
import random
import struct
import zlib
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from ssui_gen.errors import ImageError
from ssui_gen.images import data_url, file_url, inspect, painted_url, picture_part
from ssui_gen.records import ImageRef
from ssui_gen.settings import ImageLimits

LIMITS = ImageLimits(max_bytes=200_000, max_pixels=1_000_000, longest_side=320)


def painted(size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, (220, 30, 30))
    picture.paste((30, 30, 220), (size[0] // 2, 0, size[0], size[1]))
    return picture.convert(mode)


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def sent(folder: Path, name: str, limits: ImageLimits = LIMITS) -> Image.Image:
    """The picture as a model would get it."""
    url = data_url(folder, inspect(folder, name, limits), limits)
    return Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2])))


def refused(folder: Path, name: str, limits: ImageLimits = LIMITS) -> tuple[str, str]:
    with pytest.raises(ImageError) as caught:
        inspect(folder, name, limits)
    return caught.value.reason, str(caught.value)


def bomb(path: Path, side: int) -> None:
    """A PNG of a few hundred bytes that claims `side` x `side` pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def test_a_picture_is_known_by_its_bytes_and_its_size(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", painted())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert inspect(tmp_path, "a.png", LIMITS) == ImageRef(path="a.png", sha256=digest, width=40, height=30)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "a/../../secret.png",
        "/etc/hostname",
        "http://example.org/a.png",
        "https://example.org/a.png",
        "file:///etc/hostname",
        "data:image/png;base64,AAAA",
        "..\\secret.png",
        "a\0.png",
    ],
)
def test_a_name_is_not_permission_to_read(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    saved(tmp_path / "secret.png", painted())
    assert refused(root, name)[0] == "image_refused"


def test_a_link_out_of_the_root_is_refused_and_one_inside_is_not(tmp_path: Path) -> None:
    root = tmp_path / "safe"
    (tmp_path / "safe_evil").mkdir()
    root.mkdir()
    saved(tmp_path / "safe_evil" / "b.png", painted())
    saved(root / "a.png", painted())
    (root / "out.png").symlink_to(tmp_path / "safe_evil" / "b.png")
    (root / "door").symlink_to(tmp_path / "safe_evil")
    (root / "in.png").symlink_to(root / "a.png")
    assert refused(root, "out.png")[0] == "image_refused"
    assert refused(root, "door/b.png")[0] == "image_refused"
    assert inspect(root, "in.png", LIMITS).width == 40


def test_an_absolute_name_below_the_root_is_kept_relative(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", painted())
    assert inspect(tmp_path, str(path), LIMITS).path == "a.png"


def test_a_message_is_one_line_whatever_the_name(tmp_path: Path) -> None:
    assert "\n" not in refused(tmp_path, "a\nb.png")[1]


def test_what_is_missing_or_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    assert refused(tmp_path, "none.png")[0] == "image_missing"
    assert refused(tmp_path, "folder.png")[0] == "image_refused"


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp"])
def test_a_truncated_picture_is_unreadable(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path / f"a.{kind}", painted((200, 150)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert refused(tmp_path, path.name)[0] == "image_unreadable"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "gif", "tiff"])
def test_flipped_bytes_give_a_picture_or_a_reason_and_nothing_else(tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "x"
    whole = saved(tmp_path / "whole", painted(), format=kind, exif=exif).read_bytes()
    draw = random.Random(1)
    ends = Counter[str]()
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(draw.choice([1, 5, 20])):
            broken[draw.randrange(min(len(broken), 300))] = draw.randrange(256)
        (tmp_path / "a").write_bytes(broken)
        try:
            sent(tmp_path, "a")
            ends["sent"] += 1
        except ImageError as error:
            ends[error.reason] += 1
    assert ends["image_unreadable"] > 0


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\0" * 200_001)
    reason, message = refused(tmp_path, "a.png")
    assert reason == "image_too_large"
    assert "200,001 bytes; at most 200,000" in message


@pytest.mark.parametrize("side", [1001, 30_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    bomb(tmp_path / "a.png", side)
    assert refused(tmp_path, "a.png")[0] == "image_too_large"


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_an_animated_picture_is_refused(tmp_path: Path, kind: str) -> None:
    frames = [painted(), painted((40, 30), "L").convert("RGB")]
    saved(tmp_path / f"a.{kind}", frames[0], save_all=True, append_images=frames[1:])
    reason, message = refused(tmp_path, f"a.{kind}")
    assert reason == "image_animated"
    assert "save one frame" in message


def test_the_content_decides_and_not_the_ending(tmp_path: Path) -> None:
    saved(tmp_path / "a.jpg", painted(), format="PNG")
    assert inspect(tmp_path, "a.jpg", LIMITS).width == 40


@pytest.mark.parametrize(
    ("name", "mode"), [("a.jpg", "CMYK"), ("a.png", "L"), ("a.png", "P"), ("a.png", "1"), ("a.png", "RGBA")]
)
def test_every_mode_is_sent_as_rgb(tmp_path: Path, name: str, mode: str) -> None:
    saved(tmp_path / name, painted(mode=mode))
    picture = sent(tmp_path, name)
    assert (picture.mode, picture.size) == ("RGB", (40, 30))


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    deep = Image.new("I;16", (40, 30), 32_768)
    saved(tmp_path / "a.png", deep)
    assert sent(tmp_path, "a.png").getpixel((5, 5)) in {(127, 127, 127), (128, 128, 128)}


def test_a_photo_with_a_second_picture_inside_is_a_still(tmp_path: Path) -> None:
    saved(tmp_path / "a.jpg", painted(), format="MPO", save_all=True, append_images=[painted((8, 8))])
    assert sent(tmp_path, "a.jpg").size == (40, 30)


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", Image.new("RGBA", (8, 8), (0, 0, 0, 0)))
    assert sent(tmp_path, "a.png").getpixel((4, 4)) == (255, 255, 255)


def test_a_picture_is_turned_as_the_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    saved(tmp_path / "a.jpg", painted(), exif=exif)
    ref = inspect(tmp_path, "a.jpg", LIMITS)
    picture = sent(tmp_path, "a.jpg")
    assert (ref.width, ref.height) == picture.size == (30, 40)
    red, _, blue = picture.getpixel((15, 3))  # type: ignore[misc]
    assert red > blue


@pytest.mark.parametrize("size", [(40, 30), (900, 700)])
def test_metadata_is_never_sent(tmp_path: Path, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x010E] = "HOME ADDRESS"
    saved(tmp_path / "a.jpg", painted(size), exif=exif, comment=b"SECRET COMMENT")
    url = data_url(tmp_path, inspect(tmp_path, "a.jpg", LIMITS), LIMITS)
    data = base64.b64decode(url.partition("base64,")[2])
    assert b"HOME ADDRESS" not in data
    assert b"SECRET COMMENT" not in data


def test_a_large_picture_is_scaled_down_and_a_small_one_left(tmp_path: Path) -> None:
    saved(tmp_path / "large.png", painted((900, 600)))
    saved(tmp_path / "small.png", painted((100, 50)))
    assert sent(tmp_path, "large.png").size == (320, 213)
    assert sent(tmp_path, "small.png").size == (100, 50)


@pytest.mark.parametrize("size", [(1, 1), (40, 30), (300, 20), (20, 300), (900, 700)])
def test_words_are_painted_on_a_band_below_and_above_it_all_is_as_it_was(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    saved(tmp_path / "a.png", painted(size))
    ref, plain = inspect(tmp_path, "a.png", LIMITS), sent(tmp_path, "a.png").convert("RGB")
    url = painted_url(tmp_path, ref, LIMITS, "verdict: safe")
    with Image.open(io.BytesIO(base64.b64decode(url.partition("base64,")[2]))) as found:
        assert found.size == plain.size
        if size == (1, 1):  # nothing can be read there
            return
        half, band = (0, 0, found.width, found.height // 3), (0, 2 * found.height // 3, *found.size)
        assert found.crop(half).tobytes() == plain.crop(half).tobytes()
        low, high = found.crop(band).convert("L").getextrema()
        assert low < 100 and high == 255


def test_what_is_sent_depends_on_the_file_alone(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", painted((900, 700)))
    ref = inspect(tmp_path, "a.png", LIMITS)
    assert data_url(tmp_path, ref, LIMITS) == data_url(tmp_path, ref, LIMITS)


def test_a_file_that_changed_meanwhile_is_not_sent(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", painted())
    ref = inspect(tmp_path, "a.png", LIMITS)
    saved(tmp_path / "a.png", painted((8, 8)))
    with pytest.raises(ImageError, match="has changed"):
        data_url(tmp_path, ref, LIMITS)


# --- by file, for a server that reads the root -------------------------------------------------------


def by_file(folder: Path, name: str, limits: ImageLimits = LIMITS) -> str | None:
    return file_url(folder, inspect(folder, name, limits), limits)


def test_a_picture_goes_by_file_when_its_pixels_are_what_would_be_sent(tmp_path: Path) -> None:
    path = saved(tmp_path / "with space.png", painted())
    assert by_file(tmp_path, path.name) == path.as_uri()


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("grey.png", "L", {}),
        ("alpha.png", "RGBA", {}),
        ("print.jpg", "CMYK", {}),
        ("bitmap.bmp", "RGB", {}),
        ("keyed.png", "RGB", {"transparency": (1, 2, 3)}),
    ],
)
def test_a_picture_that_must_be_changed_does_not_go_by_file(
    tmp_path: Path, name: str, mode: str, options: dict[str, object]
) -> None:
    saved(tmp_path / name, painted(mode=mode), **options)
    assert by_file(tmp_path, name) is None


def test_a_turned_or_too_large_picture_does_not_go_by_file(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    saved(tmp_path / "turned.jpg", painted(), exif=turned)
    saved(tmp_path / "large.png", painted((200, 20)))
    assert by_file(tmp_path, "turned.jpg") is None
    assert by_file(tmp_path, "large.png", ImageLimits(longest_side=100)) is None


def test_the_identity_differs_by_bytes_size_and_way_of_sending(tmp_path: Path) -> None:
    saved(tmp_path / "a.png", painted())
    saved(tmp_path / "b.png", painted((41, 30)))
    seen = {
        str(picture_part(tmp_path, inspect(tmp_path, n, LIMITS), limits, by_file=way, by_uuid=True)["uuid"])
        for n in ("a.png", "b.png")
        for limits in (LIMITS, ImageLimits(longest_side=64))
        for way in (True, False)
    }
    assert len(seen) == 8


def test_a_file_that_changed_meanwhile_does_not_go_by_file(tmp_path: Path) -> None:
    ref = inspect(tmp_path, saved(tmp_path / "a.png", painted()).name, LIMITS)
    saved(tmp_path / "a.png", painted((41, 30)))
    with pytest.raises(ImageError, match="has changed"):
        file_url(tmp_path, ref, LIMITS)
