"""What must not leave: keys, paths of somebody's home, names of the people who looked.

Searches texts; how a folder's files become texts stands in `folder`. It knows what a key looks like, which
keys this computer holds, where its folders lie and who has a file in the run; a name that nobody here bears
it does not know. What is found is shown no further than is needed to find it again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ssui_gen.curation.asked.people import RESOLVED, is_name
from ssui_gen.terminal import harmless

PEOPLE = "items.jsonl"
"""Beside it lie people's files, named after them."""
NAME = "the name of a reviewer"
SHORTEST_NAME, SHORTEST_SECRET = 3, 8
"""Characters; what is shorter stands in too many words to be searched for."""
_SECRET_NAMES = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)S?$")
_LOOKS = {
    "a key": (
        r"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{20,}|\bhf_[A-Za-z0-9]{20,}|\bgh[pousr]_[A-Za-z0-9]{20,}"
        r"|\bgithub_pat_[A-Za-z0-9_]{20,}|\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{30,}"
        r"|\b(?:gsk_|fw_|r8_|nvapi-|xai-|pplx-|glpat-)[A-Za-z0-9_-]{20,}"
        r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bey[JI][A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bBearer [A-Za-z0-9._~+/-]{20,}|://[^/\s:@]+:[^/\s:@]+@"
    ),
    "a path of somebody's home": (
        r"(?:(?<![\w./])(?:/[\w.-]+){1,6}|(?<![\w.]))/(?:home|Users)/[^/\s\"'<>|]+"
        r"|(?<![\w.])/root/[\w.]|\b[A-Za-z]:\\+Users\\+[^\\\s\"']+|\bfile://"
    ),
}


class Found(NamedTuple):
    """Something that must not leave."""

    what: str
    words: str
    """As they stand there; of a key the first characters."""


class Guard:
    """What is searched for on behalf of one run."""

    def __init__(
        self,
        names: Collection[str] = (),
        places: Collection[str] = (),
        secrets: Collection[str] = (),
        allowed: Collection[str] = (),
    ) -> None:
        """`allowed` are words that may stand there although they look like it."""
        self.allowed = {word.casefold() for word in allowed}
        looks = {what: re.compile(pattern) for what, pattern in _LOOKS.items()}
        told = {
            "a key of this computer": _any_of(secrets, SHORTEST_SECRET),
            "a path of this computer": _any_of(places, SHORTEST_NAME, whole=True),
            NAME: _any_of(names, SHORTEST_NAME, whole=True),
        }
        self._patterns = {**told, **looks}

    def find(self, text: str, told: Collection[str] = (), *, words: bool = True) -> Iterator[Found]:
        """Everything in `text` that must not leave. In what whoever publishes has `told` for all, such
        as whom to write to, a name is one that they mean. Where it is no `words`, but pieces of words as a
        tokenizer has them, none is a name.
        """
        rest = _without(text, told) if words else ""
        for what, pattern in self._patterns.items():
            for match in pattern.finditer(rest if what == NAME else text) if pattern else ():
                if match[0].casefold() not in self.allowed:
                    yield Found(what, _shown(what, match[0]))


def _any_of(words: Collection[str], shortest: int, *, whole: bool = False) -> re.Pattern[str] | None:
    long = sorted({word for word in words if len(word) >= shortest}, key=len, reverse=True)
    if not long:
        return None
    one = "|".join(map(re.escape, long))
    return re.compile(rf"(?<![\w.-])(?:{one})(?![\w-])", re.IGNORECASE) if whole else re.compile(one)


def _without(text: str, told: Collection[str]) -> str:
    for one in sorted(told, key=len, reverse=True):
        text = text.replace(one, "") if one else text
    return text


def _shown(what: str, words: str) -> str:
    return f"{words[:4]}…" if "key" in what else harmless(words[:80])


def guard_of(run: Path, root: Path, names: Collection[str] = (), allowed: Collection[str] = ()) -> Guard:
    """For what is made of a run whose pictures lie below `root`; `names` are people known besides."""
    places = {str(path) for path in (Path.home(), run.resolve(), root.resolve(), Path.cwd())}
    return Guard(
        names={*people_of(run), *names},
        places={place for place in places if place.count("/") > 1},
        secrets=secrets_of(os.environ),
        allowed=allowed,
    )


def people_of(run: Path) -> set[str]:
    """Whoever has a file in the run, be it of paths, of branches or of responses."""
    folders = {path.parent for path in run.rglob(PEOPLE)} if run.is_dir() else set()
    stems = {path.stem for folder in folders for path in folder.glob("*.jsonl")}
    ours = {"past", Path(PEOPLE).stem, RESOLVED}
    return {name for name in stems - ours if is_name(name)}


def secrets_of(environment: Mapping[str, str]) -> set[str]:
    """Values that a program is told and nobody else is to know."""
    return {value for name, value in environment.items() if _SECRET_NAMES.search(name.upper())}
