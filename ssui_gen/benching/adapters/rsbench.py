"""A published RSBench: `bench.jsonl` as it is, every row checked, every picture compared with its hash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ssui_gen.benching.adapters.copy import Copy, refused
from ssui_gen.benching.adapters.shape import About, Refused
from ssui_gen.benching.records import BenchImage, Item
from ssui_gen.errors import ConfigError, ImageError, RecordError
from ssui_gen.jsonl import read, read_object, validate
from ssui_gen.records import Reason

ABOUT = About(
    name="rsbench",
    title="RSBench",
    version="bench.jsonl, schema 1",
    licence="as each row says",
    layout="bench.jsonl, bench.json, and the pictures below the folder that bench.json calls root",
)


def items(copy: Copy) -> Iterator[Item | Refused]:
    """Rows as they stand, pictures as seen from the copy's folder. Whoever reads all sees to twins."""
    path, known = copy.find("bench.jsonl"), set[str]()
    base = root(copy)
    for line in read(path):
        where = f"{path.name}:{line.number}"
        try:
            item = _placed(copy, base, validate(Item, line))
        except (RecordError, ImageError) as error:
            yield refused(where, error)
            continue
        if item.id in known:
            yield Refused(
                where, "item_duplicate", f"{where}: the id {item.id} came before; the first is kept"
            )
            continue
        known.add(item.id)
        yield item


def root(copy: Copy) -> str:
    """The pictures' folder as seen from the copy's. Raises ConfigError for one beyond it."""
    path = copy.root / "bench.json"
    try:
        name = (read_object(path) or {}).get("root", ".")
    except RecordError as error:
        raise ConfigError(str(error)) from None
    if not isinstance(name, str) or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise ConfigError(f"{path}: root: expected a folder below this one; got {str(name)[:80]!r}")
    return name


def _placed(copy: Copy, base: str, item: Item) -> Item:
    """With its pictures as seen from the copy's folder, each looked at."""
    return item.model_copy(update={"images": tuple(_picture(copy, base, one) for one in item.images)})


def _picture(copy: Copy, base: str, picture: BenchImage) -> BenchImage:
    name = picture.path[:200]
    if PurePosixPath(picture.path).is_absolute():
        raise ImageError(Reason.IMAGE_REFUSED, f"{name!r}: expected a path below the bench's folder")
    found = copy.picture(copy.below(copy.root / base, picture.path), picture.licence)
    if found.sha256 != picture.sha256:
        raise ImageError(Reason.IMAGE_CHANGED, f"{name!r}: is not the picture whose hash the row gives")
    return picture.model_copy(update={"path": found.path})
