"""Some rows of many, drawn evenly by their ids: the same in every run, and a rare group is seen. Pure."""

from __future__ import annotations

import heapq
from collections import defaultdict
from itertools import chain, zip_longest
from typing import Generic, TypeVar

from ssui_gen.records import row_id

RowT = TypeVar("RowT")


class Sample(Generic[RowT]):
    """At most `each` rows of every group are kept, those whose hashed ids are the least; places tell in which
    order rows came.
    """

    def __init__(self, each: int) -> None:
        self.each = each
        self.seen = 0
        self._groups: dict[str, list[tuple[int, int, RowT]]] = defaultdict(list)

    def add(self, group: str, id: str, row: RowT) -> None:
        self.seen += 1
        kept = self._groups[group]
        entry = (-int(row_id(id), 16), -self.seen, row)
        if len(kept) < self.each:
            heapq.heappush(kept, entry)
        elif entry[:2] > kept[0][:2]:
            heapq.heapreplace(kept, entry)

    def taken(self, most: int) -> list[RowT]:
        """At most `most` rows, groups taking turns; in the order in which they came."""
        ranked = (sorted(kept, key=lambda one: one[:2], reverse=True) for kept in self._groups.values())
        in_turn = [one for one in chain.from_iterable(zip_longest(*ranked)) if one is not None]
        return [row for _, _, row in sorted(in_turn[:most], key=lambda one: -one[1])]
