"""An adapter: the user's copy of one benchmark becomes items, and every row that gives none is told.

What its rows look like stands in the module of the benchmark's name, what is made of them in `making`, how
its figures are counted by its own rules in `benching/official`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ssui_gen.benching.adapters.copy import Copy
from ssui_gen.benching.adapters.making import made
from ssui_gen.benching.adapters.shape import About, Group, Refused
from ssui_gen.benching.official.shape import Official
from ssui_gen.benching.records import Item
from ssui_gen.errors import ConfigError
from ssui_gen.settings import ImageLimits


@dataclass(frozen=True)
class Adapter:
    """One benchmark."""

    about: About
    read: Callable[[Copy], Iterator[Item | Refused]]
    protocols: Mapping[str, Official] = field(default_factory=dict)
    """`official`, and `copsd` where that harness has the benchmark."""

    @property
    def name(self) -> str:
        return self.about.name

    @property
    def version(self) -> str:
        return self.about.version

    @property
    def licence(self) -> str:
        return self.about.licence

    @property
    def official(self) -> Official | None:
        return self.protocols.get("official")

    def items(self, data: Path, limits: ImageLimits | None = None) -> Iterator[Item | Refused]:
        """Every item of the user's copy, and why other rows are none. Raises ConfigError where there is none
        at all, or where what should hold the rows cannot be read.
        """
        title, layout = self.about.title, self.about.layout
        if not data.is_dir():
            raise ConfigError(f"{data}: no such folder: DATA= names your copy of {title}: {layout}")
        found, first = 0, None
        for one in self.read(Copy(data, limits or ImageLimits(), f"{layout} ({self.about.version})")):
            found += isinstance(one, Item)
            first = first or (one if isinstance(one, Refused) and one.lost else None)
            yield one
        if not found:
            why = f"; the first: {first.detail}" if first else ""
            raise ConfigError(f"{data}: not one item of {title} could be read{why}")


def adapter(about: About, groups: Callable[[Copy], Iterator[Group]], **protocols: Official) -> Adapter:
    """The adapter of a benchmark whose rows are drafts of items."""
    return Adapter(about, lambda copy: made(about, copy, groups(copy)), protocols)
