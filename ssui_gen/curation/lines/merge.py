"""A new export meets what people have said: by id, and no word is ever lost. Pure.

Where the texts of an item have changed, what was said of them moves into `before` of a line that is blank
again. It comes back by itself if the texts do. What was said of items that are gone stays at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ssui_gen.curation.asked.form import Form
from ssui_gen.curation.lines.review import Earlier, Review, Words, blank


def merged(form: Form, items: Mapping[str, str], lines: Iterable[Review]) -> list[Review]:
    """The lines of a person who is to look at `items` (id → sha, in their order) and has said `lines`."""
    return list(merging(form, items, {line.id: line for line in lines}))


def merging(form: Form, items: Mapping[str, str], said: Mapping[str, Review]) -> Iterator[Review]:
    """The same, one after another, of lines by id."""
    for id, sha in items.items():
        yield _line(form, id, sha, said.get(id))
    yield from (said[id] for id in said if id not in items and said[id].matters)


def _line(form: Form, id: str, sha: str, line: Review | None) -> Review:
    if line is None:
        return blank(form, id, sha)
    if line.sha == sha:
        return line
    before = ((line.earlier,) if line.said else ()) + line.before
    return _again(blank(form, id, sha), before)


def _again(line: Review, before: tuple[Earlier, ...]) -> Review:
    """What was said of the very texts that are there again holds again."""
    back = next((one for one in before if one.sha == line.sha), None)
    if back is None:
        return line.model_copy(update={"before": before})
    rest = tuple(one for one in before if one is not back)
    return line.model_copy(update={**back.words, "before": rest})


def three_way(base: Review, mine: Review, theirs: Review) -> tuple[Review, list[str]]:
    """Two changes of one line together, and the fields in which they contradict each other (`theirs` stands).

    Scores and edits are fields of their own, each by its name; `before` is never changed by hand.
    """
    lines = [_flat(line) for line in (base, mine, theirs)]
    merged = dict(lines[2])
    clashes = []
    for name in sorted({name for line in lines for name in line}):
        was, here, there = (line.get(name) for line in lines)
        if here in (was, there):
            continue
        if there != was:
            clashes.append(name)
        elif here is None and name not in lines[1]:
            merged.pop(name, None)
        else:
            merged[name] = here
    return _round(theirs, merged), clashes


def _flat(line: Review) -> dict[str, Any]:
    plain: dict[str, Any] = {
        name: value for name, value in line.words.items() if name not in ("scores", "edits")
    }
    deep = (("scores", line.scores), ("edits", line.edits))
    return plain | {f"{field}.{name}": value for field, inner in deep for name, value in inner.items()}


def _round(line: Review, flat: Mapping[str, Any]) -> Review:
    deep: dict[str, dict[str, Any]] = {"scores": {}, "edits": {}}
    for name, value in flat.items():
        field, _, inner = name.partition(".")
        if field in deep:
            deep[field][inner] = value
    plain = {name: value for name, value in flat.items() if name in Words.model_fields}
    return line.model_copy(update={**plain, **deep})
