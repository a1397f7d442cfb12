"""What people mean by each word they can choose: one text for the page, the command and the document.

`codebook.yaml` holds it, the form says which words there are. A form that is not in the file explains itself
(`benching.exhibits`: people and judge read the same rubric), and its own helps are the codebook.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from pydantic import Field

from ssui_gen import yamls
from ssui_gen.curation.asked.form import MOST, Choice, Form
from ssui_gen.errors import ConfigError
from ssui_gen.settings import Settings, parse

CODEBOOK = Path(__file__).with_name("codebook.yaml")
GROUPS = ("decisions", "reasons", "scores")


class Meaning(Settings):
    """When to choose a word."""

    means: str
    example: str
    rather: str = ""
    """Which other word is meant where this one nearly fits."""
    anchors: dict[int, str] = Field(default_factory=dict)
    """Of a score: what some of its steps stand for."""


class Meanings(Settings):
    """Those of a form, by the values of its words."""

    decisions: dict[str, Meaning]
    reasons: dict[str, Meaning] = Field(default_factory=dict)
    scores: dict[str, Meaning] = Field(default_factory=dict)


class Entry(Settings):
    """A word as it is shown: what the form says of it, and what it means."""

    value: str
    key: str
    title: str
    help: str
    steps: tuple[str, ...] = ()
    meaning: Meaning | None = None


class Section(Settings):
    """The words of one kind."""

    title: str
    entries: tuple[Entry, ...]


def codebook(form: Form) -> list[Section]:
    """In the order of the form. Raises ConfigError where the file has other words than the form."""
    meanings = _meanings().get(form.name)
    sections = []
    for group in GROUPS:
        choices: Sequence[Choice] = getattr(form, group)
        known: dict[str, Meaning] = getattr(meanings, group) if meanings else {}
        if meanings:
            _check(f"{CODEBOOK.name}: {form.name}.{group}", choices, known)
        if choices:
            entries = tuple(_entry(choice, known.get(choice.value)) for choice in choices)
            sections.append(Section(title=group.capitalize(), entries=entries))
    return sections


@cache
def _meanings() -> dict[str, Meanings]:
    found = yamls.read(CODEBOOK)
    return {name: parse(Meanings, rows, f"{CODEBOOK.name}: {name}") for name, rows in found.items()}


def _check(where: str, choices: Sequence[Choice], known: dict[str, Meaning]) -> None:
    wanted = {choice.value for choice in choices}
    if wanted != known.keys():
        lack, more = sorted(wanted - known.keys()), sorted(known.keys() - wanted)
        raise ConfigError(f"{where}: expected the form's own words; lacks {lack}, and has {more} beside them")


def _entry(choice: Choice, meaning: Meaning | None) -> Entry:
    return Entry(meaning=meaning, **{name: getattr(choice, name) for name in Choice.model_fields})


# --- as a document -------------------------------------------------------------------------------------


def as_markdown(form: Form) -> str:
    """The codebook as it is printed and stands in docs/reviewing.md."""
    return "\n".join(line for section in codebook(form) for line in _section(section))


def _section(section: Section) -> Iterator[str]:
    yield f"### {section.title}\n"
    for entry in section.entries:
        yield from _told(entry)
    yield ""


def _told(entry: Entry) -> Iterator[str]:
    yield f"- **{entry.title}** (`{entry.key}`): {' '.join(entry.help.split())}"
    if entry.steps:
        yield f"  - *Answers*: {', '.join(entry.steps)}"
    if (meaning := entry.meaning) is None:
        return
    yield f"  - {meaning.means}"
    for step, words in sorted(meaning.anchors.items()):
        yield f"  - *{step} of {MOST}*: {words}"
    yield f"  - *Example*: {meaning.example}"
    if meaning.rather:
        yield f"  - *Rather*: {meaning.rather}"
