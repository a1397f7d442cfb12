"""A new export meets what people have said: by id, and no word is ever lost. Pure.

Where the texts of an item have changed, what was said of them moves into `before` of a line that is blank
again. It comes back by itself if the texts do. What was said of items that are gone stays at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ssui_gen.curation.review import Earlier, Form, Review, blank


def merged(form: Form, items: Mapping[str, str], lines: Iterable[Review]) -> list[Review]:
    """The lines of a person who is to look at `items` (id → sha, in their order) and has said `lines`."""
    said = {line.id: line for line in lines}
    fresh = [_line(form, id, sha, said.get(id)) for id, sha in items.items()]
    gone = [line for line in said.values() if line.id not in items and line.matters]
    return fresh + gone


def _line(form: Form, id: str, sha: str, line: Review | None) -> Review:
    if line is None:
        return blank(form, id, sha)
    if line.sha == sha:
        return line
    before = ((_earlier(line),) if line.said else ()) + line.before
    return _again(blank(form, id, sha), before)


def _earlier(line: Review) -> Earlier:
    return Earlier(sha=line.sha, **line.words)


def _again(line: Review, before: tuple[Earlier, ...]) -> Review:
    """What was said of the very texts that are there again holds again."""
    back = next((one for one in before if one.sha == line.sha), None)
    if back is None:
        return line.model_copy(update={"before": before})
    rest = tuple(one for one in before if one is not back)
    return line.model_copy(update={**back.words, "before": rest})
