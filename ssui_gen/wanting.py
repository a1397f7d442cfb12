"""What an item's text is wanted to be: which class, who asks, to what end; which of several texts is kept.

All of it is drawn by hashes of the seed's id, so that a run that goes on, and one in shards, wants the same
of the same item, but for classes that are full (`jobs.filling`). For the same reason a text is compared with
nothing that depends on which item came first: only with the other texts of its item and with the examples
that its agent was shown. Pure but for the file of personas; what the agent reads of it stands in
`prompts/wanted.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Annotated

from pydantic import AfterValidator, model_validator
from rapidfuzz import fuzz

from ssui_gen import yamls
from ssui_gen.config_query import Querying
from ssui_gen.errors import ConfigError
from ssui_gen.lengths import Line
from ssui_gen.prompts import Prompt
from ssui_gen.records import Kind, row_id
from ssui_gen.replies import QueryReply
from ssui_gen.settings import Settings, parse
from ssui_gen.taxonomy import NO_RISK, classes
from ssui_gen.wish import Wish

EVERYDAY = "everyday"
"""The name of the personas that come with us."""
PERSONAS = "personas.yaml"
"""Their file in the folder of prompts."""
WANTED = "wanted"
"""The prompt that says what is wanted."""


def _printed(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a control character or a line break: one line of words, please")
    return text


Said = Annotated[Line, AfterValidator(_printed)]


class Everyday(Settings):
    """Who may ask, and to what ends."""

    personas: tuple[Said, ...] = ()
    ends: tuple[Said, ...] = ()

    @model_validator(mode="after")
    def _says_something_once(self) -> Everyday:
        if not (self.personas or self.ends):
            raise ValueError("neither a persona nor an end: give a list of one of them at least")
        for said in (self.personas, self.ends):
            if twice := next((one for one in said if said.count(one) > 1), None):
                raise ValueError(f"{twice!r} stands twice")
        return self


def load_everyday(path: Path) -> Everyday:
    """Raises ConfigError for a file that is not there or is no such lists."""
    return parse(Everyday, yamls.read(path), str(path))


@dataclass(frozen=True)
class Wanting:
    """What is wanted of a run's texts."""

    settings: Querying = field(default_factory=Querying)
    words: Prompt | None = None
    everyday: Everyday | None = None
    full: frozenset[str] = frozenset()
    """Classes that are wanted no more."""

    def texts(self, own: str | None) -> int:
        """How many are written for an item; a seed's `own` text stands as it is."""
        return 1 if own else self.settings.texts

    def wish(self, seed_id: str, kind: Kind, own: str | None) -> Wish | None:
        """What an item's text is to be; None where nothing is wanted. Twins have the same person and end, so
        that neither tells the kinds apart.
        """
        people = self.everyday
        if own or not (people or (self.settings.classes and kind == "risky")):
            return None
        return Wish(
            wanted=next(iter(self.order(seed_id, kind)), None),
            persona=_one_of(people.personas, "persona", seed_id) if people else None,
            end=_one_of(people.ends, "end", seed_id) if people else None,
        )

    def without(self, full: frozenset[str]) -> Wanting:
        """The same, with these classes wanted no more."""
        return replace(self, full=full)

    def order(self, seed_id: str, kind: Kind) -> tuple[str, ...]:
        """The classes that are wanted, the first one first: each next is drawn of those that are left, in
        proportion to the quotas (Efraimidis and Spirakis 2006, by keys −ln(u) / weight).
        """
        quotas = self.settings.classes if kind == "risky" else {}
        left = {name: quota for name, quota in quotas.items() if name not in self.full}
        keys = {name: -math.log(_uniform(seed_id, name)) / quota for name, quota in left.items()}
        return tuple(sorted(keys, key=lambda name: (keys[name], name)))

    def first(self, seed_id: str, full: frozenset[str]) -> str | None:
        """The class that a risky item wants where these are `full`."""
        return next(iter(self.without(full).order(seed_id, "risky")), None)

    def said(self, wish: Wish | None) -> str:
        """What the Query agent reads of a wish, behind its system text."""
        if wish is None or self.words is None:
            return ""
        wanted = next((one for one in classes() if one.id == wish.wanted), None)
        return self.words.render(wanted=wanted, persona=wish.persona, end=wish.end)[0]

    def chosen(
        self, replies: Sequence[QueryReply], seed_id: str, kind: Kind, shown: Iterable[str]
    ) -> QueryReply:
        """The reply whose class is wanted most, and of several the one whose text is least like the others
        and like those `shown`; of at least one.
        """
        ranks, others = _ranks(self.order(seed_id, kind), kind), tuple(shown)
        texts = [one.text.casefold() for one in replies]

        def key(place: int) -> tuple[int, float, int]:
            category = replies[place].category
            return ranks.get(category, len(ranks)), _common(place, texts, others), place

        return replies[min(range(len(replies)), key=key)]

    def refuses(self, wish: Wish | None, category: str) -> bool:
        """Whether an item of another class than the wanted one is rejected."""
        wanted = wish.wanted if wish else None
        return self.settings.misfit == "reject" and wanted is not None and wanted != category


NOTHING = Wanting()


def wanting_of(settings: Querying, prompts: Mapping[str, Prompt], file: Path | None) -> Wanting:
    """What these settings want; `file` is where the personas stand."""
    return Wanting(settings, prompts.get(WANTED), load_everyday(file) if file else None)


def personas_file(settings: Querying, home: Path) -> Path | None:
    """Where the personas stand, if there are to be any; raises ConfigError for a file that is not there."""
    if settings.personas is None:
        return None
    path = home / "prompts" / PERSONAS if settings.personas == EVERYDAY else Path(settings.personas)
    if not path.is_file():
        raise ConfigError(
            f"query.personas: {path}: no such file: expected {EVERYDAY!r}, or a YAML file with the lists "
            "`personas` and `ends`"
        )
    return path


def _ranks(order: Sequence[str], kind: Kind) -> dict[str, int]:
    """The lower the better; what is not there is the same, and worst. A risky text of any class is better
    than one of none, and a benign one is of none.
    """
    if kind == "benign":
        return {NO_RISK: 0}
    others = {one.id: len(order) for one in classes()}
    return others | {name: place for place, name in enumerate(order)}


def _common(place: int, texts: Sequence[str], shown: Sequence[str]) -> float:
    """How likely such a text is to be written again, from 0 to 1: its mean likeness (Indel) to the others of
    its item, or that to the nearest text of those `shown`, if it is higher.
    """
    others = [text for other, text in enumerate(texts) if other != place]
    among = fmean(_likeness(texts[place], text) for text in others) if others else 0.0
    return max(among, *(_likeness(texts[place], text.casefold()) for text in shown), 0.0)


def _likeness(one: str, other: str) -> float:
    return fuzz.ratio(one, other) / 100


def _one_of(many: Sequence[str], what: str, seed_id: str) -> str | None:
    """The one with the least hash, so that what is added to a list changes few draws."""
    return min(many, key=lambda one: row_id(what, seed_id, one), default=None)


def _uniform(*parts: str) -> float:
    """Between 0 and 1, neither of them."""
    return (int(row_id("wanted class", *parts), 16) + 0.5) / 2**64
