"""One item and what is said of it as a Markdown file that people edit, and back. Pure.

The front matter holds what is asked; below the picture each text stands under its heading and is edited in
place. What a person has not touched comes back word for word: only words count, not how lines are wrapped.
Texts are escaped, so that nothing a model wrote is markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ssui_gen import yamls
from ssui_gen.branching import one_line
from ssui_gen.curation.asked.form import MOST, Choice, Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.texts import Part, parts
from ssui_gen.curation.lines.located import Way
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.lines.shape import Found, shape

ASKED = ("decision", "reasons", "scores", "note")
"""What the front matter asks."""
_MARKUP = re.compile(r"[\\`*\[\]<>&|~$]|(?<![^\W_])_|_(?![^\W_])")
_AT_START = re.compile(r"^([ \t]*)([#+=-]|\d+(?=[.)]))", re.MULTILINE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~]|(?=\n))")
_HEADING = re.compile(r"## (.+?)\s*")
_QUOTED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class Wrong(NamedTuple):
    """What is wrong with a file: line and column from 1, the field, and words."""

    line: int
    column: int
    field: str
    message: str


class Page(NamedTuple):
    """What a file says."""

    values: dict[str, Any]
    """Of the front matter."""
    texts: dict[str, str]
    """By pointer, as they stand there now."""


def unfolded(form: Form, item: Item, line: Review, pictures: Sequence[str]) -> str:
    """The file; `pictures` are their addresses from there."""
    about = ". ".join([f"{item.path.kind}, {item.path.query.category}", *item.why])
    sections = (
        f"## {part.title}\n\n{_escaped(line.edits.get(part.pointer, part.text))}\n" for part in parts(item)
    )
    one = len(pictures) == 1
    shown = [
        f"![{'the picture' if one else f'picture {number}'}]({address})\n"
        for number, address in enumerate(pictures, 1)
    ]
    return "\n".join([_front(form, line), *shown, f"{_escaped(about)}\n", *sections])


def _front(form: Form, line: Review) -> str:
    lines = [
        "---",
        f"id: {json.dumps(line.id)}",
        f"sha: {json.dumps(line.sha)}",
        f"# {form.ask} {_values(form.decisions)}; nothing: undecided",
        f"decision: {line.decision or ''}".rstrip(),
    ]
    if form.reasons:
        lines += [f"# {_values(form.reasons)}", f"reasons: [{', '.join(line.reasons)}]"]
    if form.scores:
        scores = {choice.value: None for choice in form.scores} | line.scores
        each = (f"  {name}: {score or ''}".rstrip() for name, score in scores.items())
        lines += [f"# 1 to {MOST}, or nothing", "scores:", *each]
    return "\n".join([*lines, f"note: {_quoted(line.note)}", "---", ""])


def _quoted(text: str) -> str:
    """In double quotes, as YAML and JSON have them; what is not printed is escaped."""
    return '"' + "".join(_QUOTED.get(sign) or _printed(sign) for sign in text) + '"'


def _printed(sign: str) -> str:
    return sign if sign.isprintable() else f"\\U{ord(sign):08X}"


def _values(choices: tuple[Choice, ...]) -> str:
    return ", ".join(choice.value for choice in choices)


def _escaped(text: str) -> str:
    marked = _MARKUP.sub(r"\\\g<0>", text)
    return _AT_START.sub(_start, marked).replace("\n", "\\\n")


def _start(found: re.Match[str]) -> str:
    """A sign that would begin a heading or a list; of a numbered one the point after the number."""
    space, sign = found[1], found[2]
    return f"{space}&#{ord(sign[0])};{sign[1:]}" if sign.isdigit() else f"{space}\\{sign}"


def _plain(text: str) -> str:
    """What `_escaped` was given, as far as words go."""
    numbers = re.sub(r"(?<!\\)&#(\d{2,3});", lambda found: chr(int(found[1])), text)
    return _ESCAPED.sub(r"\1", numbers)


# --- back ----------------------------------------------------------------------------------------------


def read_page(form: Form, item: Item, content: str) -> Page | list[Wrong]:
    """What a person has made of the file of `item`, or everything that is wrong with it."""
    lines = content.split("\n")
    ends = [number for number, line in enumerate(lines) if line.rstrip() == "---"][:2]
    if len(ends) < 2 or ends[0]:
        return [Wrong(1, 1, "", "expected front matter between two lines of ---; got none at the top")]
    try:
        values = yamls.load("\n".join(lines[1 : ends[1]]), item.id) or {}
    except yamls.NotYaml as error:
        return [_not_yaml(error)]
    values = (
        {name: value for name, value in values.items() if value is not None}
        if isinstance(values, dict)
        else values
    )
    texts = _sections(parts(item), lines, ends[1] + 1)
    wrong = [Wrong(*_place(lines, way), _field(way), says) for way, says in _shape(form, values)]
    wrong += [
        Wrong(len(lines), 1, "", f"expected the heading '## {name}'; got none")
        for name in _missing(item, texts)
    ]
    wrong += _not_edited(form, item, lines, texts)
    return wrong or Page(values, texts)


def _shape(form: Form, values: Any) -> Iterator[Found]:
    """Texts are edited under their headings, and the rest is not for people."""
    yield from shape(form, values)
    if isinstance(values, dict):
        for name in values.keys() & {"edits", "seconds", "before"}:
            yield (name,), f"expected one of {', '.join(ASKED)} here; got {name!r}"


def _not_yaml(error: yamls.NotYaml) -> Wrong:
    hint = 'a text with a colon or a quote stands in double quotes: note: "so: …"'
    return Wrong(error.line + 1, error.column, "", f"not YAML: {error.says} ({hint})")


def _sections(known: tuple[Part, ...], lines: list[str], start: int) -> dict[str, str]:
    """By pointer, what stands under each heading that is one of ours."""
    places = {part.title: part.pointer for part in known}
    found: dict[str, list[str]] = {}
    here: list[str] = []
    for line in lines[start:]:
        heading = _HEADING.fullmatch(line)
        if heading and heading[1] in places:
            here = found.setdefault(places[heading[1]], [])
        else:
            here.append(line.rstrip("\r"))
    return {pointer: _plain("\n".join(text)).strip() for pointer, text in found.items()}


def _missing(item: Item, texts: Mapping[str, str]) -> Iterator[str]:
    return (part.title for part in parts(item) if part.pointer not in texts)


def _not_edited(form: Form, item: Item, lines: list[str], texts: Mapping[str, str]) -> Iterator[Wrong]:
    """Where nothing may be edited, each text that was."""
    for part in parts(item) if not form.edited else ():
        if one_line(texts.get(part.pointer, part.text)) != one_line(part.text):
            where = next(
                number for number, line in enumerate(lines, 1) if line.rstrip() == f"## {part.title}"
            )
            yield Wrong(where, 1, part.pointer, "expected the text as it was; got another: put it back")


def _place(lines: list[str], way: Way) -> tuple[int, int]:
    """Line and column of a key of the front matter, or of the value after it."""
    for name in reversed(way):
        for number, line in enumerate(lines, 1):
            if found := re.match(rf"\s*{re.escape(str(name))}:\s*", line):
                return number, found.end() + 1
    return 1, 1


def _field(way: Way) -> str:
    return ".".join(map(str, way))


def said_there(item: Item, page: Page, line: Review) -> Review:
    """`line` as the page says it: a text that has other words is edited, one with the record's own is not."""
    words = {name: page.values.get(name) for name in ASKED}
    edits = dict(line.edits)
    for part in parts(item):
        now, shown = one_line(page.texts[part.pointer]), one_line(line.edits.get(part.pointer, part.text))
        if now != shown and now == one_line(part.text):
            edits.pop(part.pointer, None)
        elif now != shown:
            edits[part.pointer] = now
    return line.model_copy(
        update={
            "decision": words["decision"],
            "note": words["note"] or "",
            "reasons": tuple(words["reasons"] or ()),
            "scores": dict.fromkeys(line.scores) | (words["scores"] or {}),
            "edits": edits,
        }
    )
