"""Which columns of a row of others are its id, its pictures and its text; where it is not clear, none.

A row of our own form (`records.Seed`) passes unchanged, but for a number as its id and an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ssui_gen.records import MOST_IMAGES

ID = ("question_id", "image_id", "sample_id", "idx", "index", "uid")
IMAGE = ("image_path", "image_file", "image_name", "img", "img_path", "file_name", "filename", "picture")
IMAGES = (
    *("image_paths", "image_files", "image_names", "imgs", "img_paths", "file_names", "filenames"),
    "pictures",
)
"""All of a row's pictures in a list."""
MORE = "more_images"
TEXT = ("question", "caption", "query", "prompt", "instruction")
OURS = {"id": ID, "image": IMAGE, "text": TEXT}
"""Our names, and what others call the same; ours wins where it is there."""
RIGHTS = {"licence": ("licence", "license"), "source": ("source",)}
"""What may be said of the picture's rights."""
LONGEST = {"licence": 200, "source": 1000}
"""Characters; what is longer in other people's rows is cut: a licence that is lost would be none."""
OPTIONAL = ("id", "image", MORE, "text", "kind", "licence", "source")
"""Left out where empty, so that what lacks is told as lacking."""
EXAMPLE = '{"id": "1", "image": "a.png", "text": "Can I sit here?"}'
"""A row of seeds; the text may lack."""
_WORDS = frozenset(
    {
        *(*TEXT, "text", "request", "input", "captions", "questions", "prompts", "instructions", "instr"),
        *("conversations", "messages", "value", "content"),
    }
)
_NO_WORDS = frozenset(("id", "ids", "type", "path", "file", "index"))


def as_seed(row: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
    """`row` by our names. Its other columns are passed over; strict: not where it has our id and image, so
    that a misspelt name is found. Raises ValueError where two columns could be the same.
    """
    ours = strict and "id" in row and ("image" in row or "images" in row)
    kept = {name: row[name] for name in row if name != "images"} if ours else _optional(row)
    found = {name: _value(row, name, others) for name, others in OURS.items()}
    named = {**kept, **found, **_shown(row, found["image"])}
    if isinstance(named["id"], int) and not isinstance(named["id"], bool):
        named["id"] = str(named["id"])
    return {
        name: value for name, value in named.items() if name not in OPTIONAL or value not in ("", None, [])
    }


def _optional(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": row.get("kind"), MORE: row.get(MORE), **_rights(row)}


def _shown(row: Mapping[str, Any], image: Any) -> dict[str, Any]:
    """The pictures of a row that has a list of them: the first, and the others."""
    name, listed = "images", _value(row, "images", IMAGES)
    others = {"image": image, MORE: row.get(MORE)}
    if listed in (None, "", []) and isinstance(image, list | tuple):
        name, listed = "image", others.pop("image")
    if listed in (None, "", []):
        return {}
    if other := next((other for other, value in others.items() if value), None):
        raise ValueError(f"{other} and {name} could each be the picture: keep one of them")
    if not isinstance(listed, list | tuple):
        return {"image": listed}
    if len(listed) > MOST_IMAGES:
        raise ValueError(f"{len(listed)} pictures; at most {MOST_IMAGES}")
    return {"image": next(iter(listed), None), MORE: list(listed[1:])}


def _value(row: Mapping[str, Any], name: str, others: tuple[str, ...]) -> Any:
    if name in row:
        return row[name]
    found = [key for key in row if key.lower() in others and row[key] not in ("", None)]
    if len(found) > 1:
        raise ValueError(f"{' and '.join(found)} could each be the {name}: call one of them {name!r}")
    return row[found[0]] if found else None


def _rights(row: Mapping[str, Any]) -> dict[str, str]:
    """The licence and source of a row's picture, where it tells them."""
    told = {name: next(filter(None, map(words, map(row.get, names))), "") for name, names in RIGHTS.items()}
    return {name: value[: LONGEST[name]].strip() for name, value in told.items() if value}


def words(value: Any) -> str:
    """What is said of rights, on one line: a text, or several; empty for numbers, as they count in somebody
    else's table (COCO's licences).
    """
    if isinstance(value, Mapping):
        return words(list(value.values()))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(words, value)))
    return " ".join(value.split()) if isinstance(value, str) else ""


def of_pictures(names: Iterable[str]) -> list[str]:
    """Those columns that are for a picture, or its name."""
    return [name for name in names if name.lower() in ("image", "images", MORE, *IMAGE, *IMAGES)]


def texts(value: Any, *, asked: bool = False) -> Iterator[str]:
    """Every text of a row that may be a question, however deep: by the words of its column's name."""
    if isinstance(value, str) and asked:
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, asked=_asks(str(key)) or (asked and not isinstance(inner, str)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner, asked=asked)


def _asks(key: str) -> bool:
    words = set(re.findall(r"[a-z]+", key.lower()))
    return bool(words & _WORDS) and not words & _NO_WORDS


def pictures(row: Mapping[str, Any]) -> Iterator[str | bytes]:
    """Every picture of a row, by the name of its column: its bytes, or the name of its file."""
    for value in map(row.__getitem__, of_pictures(row)):
        for one in value if isinstance(value, list | tuple) else [value]:
            found = (one.get("bytes") or one.get("path")) if isinstance(one, Mapping) else one
            if isinstance(found, str | bytes) and found:
                yield found
