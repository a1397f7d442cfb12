"""Which shard goes to which node next, and what is concluded from what failed. Pure rules, no Ray.

Nothing here is kept: a driver that starts anew asks the shards' logs which are left.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable

POISON = 3
"""Failures of a shard, each on another node while there is one, after which it is set aside."""
LOSSES = 6
"""Nodes that a shard may be lost with: one that ends them all would never come to an end."""
FAULTY = 2
"""Shards that failed on a node, with none done there since, after which it gets no more."""
HOPELESS = 5
"""Shards that failed anywhere, with none done since, after which all stop: it is not a node's fault."""


class Queue:
    """The shards of a job that are not done; nodes are known by their ids."""

    def __init__(self, shards: Iterable[int]) -> None:
        self.waiting = deque(shards)
        self.running: dict[int, str] = {}
        """Shard → node."""
        self.done: list[int] = []
        self.aside: dict[int, str] = {}
        """Shard → why it is not tried again."""
        self._failed: dict[int, list[str]] = defaultdict(list)
        self._faults: dict[str, set[int]] = defaultdict(set)
        self._lost = Counter[int]()
        self._in_vain: set[int] = set()

    @property
    def ended(self) -> bool:
        return not (self.waiting or self.running)

    @property
    def hopeless(self) -> bool:
        return len(self._in_vain) >= HOPELESS

    def retired(self, nodes: Collection[str]) -> set[str]:
        """Those that get no more; of all that there are, the one with the fewest faults always works on."""
        faulty = {node for node in nodes if len(self._faults[node]) >= FAULTY}
        if faulty and len(faulty) == len(nodes):
            faulty.remove(min(nodes, key=lambda node: len(self._faults[node])))
        return faulty

    def take(self, node: str, nodes: Collection[str]) -> int | None:
        """The next for `node`: not one that has failed there, while there is one of `nodes` that has not
        tried it.
        """
        for shard in self.waiting:
            tried = set(self._failed[shard])
            if node not in tried or tried.issuperset(nodes):
                self.waiting.remove(shard)
                self.running[shard] = node
                return shard
        return None

    def finish(self, shard: int) -> None:
        node = self.running.pop(shard)
        self.done.append(shard)
        self._faults[node].clear()
        self._in_vain.clear()

    def fail(self, shard: int, why: str) -> None:
        """It may do better elsewhere, behind the others."""
        node = self.running.pop(shard)
        self._failed[shard].append(node)
        self._faults[node].add(shard)
        self._in_vain.add(shard)
        if len(self._failed[shard]) < POISON:
            self.waiting.append(shard)
        else:
            self.set_aside(shard, why)

    def give_back(self, shard: int) -> None:
        """It was drained."""
        del self.running[shard]
        self.waiting.appendleft(shard)

    def set_aside(self, shard: int, why: str) -> None:
        """A fault of the shard, then: no node is blamed for it any more."""
        self.running.pop(shard, None)
        self.aside[shard] = why
        for faults in self._faults.values():
            faults.discard(shard)

    def lose(self, node: str) -> list[int]:
        """A node is gone: its shards go first, and nobody is blamed; returns them."""
        lost = sorted(shard for shard, where in self.running.items() if where == node)
        for shard in reversed(lost):
            self._lost[shard] += 1
            if self._lost[shard] < LOSSES:
                self.give_back(shard)
            else:
                self.set_aside(shard, f"{LOSSES} nodes were lost while they did it")
        return lost
