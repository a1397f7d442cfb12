"""A job of many nodes on paper: how much of them is used, by shards, losses and slow nodes.

    .venv/bin/python benchmarks/cluster_sim.py docs/nodes.png [--nodes 64] [--seeds 10000000]

Discrete events: nodes load a model, take shards two at a time, are lost and come back. Which shard goes
where is decided by the product's own queue (`ssui_gen.cluster.queue`). A shard's start and end were measured
here (`benchmarks/cluster.py`, the worse of its two figures); what a node does is assumed: 4 seeds a second (8
GPUs of half a seed), give or take 15 %. Efficiency is the time in which these nodes would do the seeds if
nothing were ever loaded, lost or waited for, as a share of the time that they take. Five throws of the dice.
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from statistics import mean
from typing import NamedTuple

from ssui_gen.cluster.queue import Queue

EACH = 2
"""Shards that a node does at a time."""
EDGES = 6.0
"""Seconds of a shard in which its part of the node is idle: its start, and its last calls."""
LOST = 1.0
"""Seconds of work that go with a node: what was not brought to safety."""
FAILS_AFTER = 30.0
"""Seconds until a shard fails on a bad node."""
THROWS = 5
HOUR = 3600.0


@dataclass(frozen=True)
class Case:
    """A job, and what befalls its nodes; times in seconds."""

    nodes: int = 64
    seeds: int = 10_000_000
    shards: int = 4096
    rate: float = 4.0
    """Seeds a second."""
    spread: float = 0.15
    load: float = 300.0
    """Until a node's model answers."""
    between: float = 24 * HOUR
    """Mean time until a node is lost."""
    back: float = 600.0
    slow: float = 0.0
    """Share of nodes that are half as fast."""
    bad: int = 0
    """Nodes on which every shard fails."""


class Outcome(NamedTuple):
    hours: float
    ideal: float
    lost: int
    """Nodes."""
    again: float
    """Seeds done a second time."""
    aside: int
    """Shards."""


@dataclass
class Node:
    """A machine; each time that it comes back it is another to the queue."""

    number: int
    speed: float
    bad: bool
    life: int = 0
    begun: dict[int, float] = field(default_factory=dict)
    """Shard → since when."""

    @property
    def id(self) -> str:
        return f"{self.number}.{self.life}"


Act = Callable[[Node, int], None]
"""What an event does with a node, and a shard where it is of one."""


class Simulation:
    """One throw of the dice."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case, self.dice = case, Random(seed)
        self.queue = Queue(range(case.shards))
        self.left = [case.seeds / case.shards] * case.shards
        self.nodes = [self._node(number) for number in range(case.nodes)]
        self.up: dict[str, Node] = {}
        self.now, self.lost, self.again = 0.0, 0, 0.0
        self._order = count()
        self._events: list[tuple[float, int, Act, Node, int, int]] = []

    def run(self) -> Outcome:
        for node in self.nodes:
            self._at(self.case.load, self._ready, node)
        while not self.queue.ended:
            self.now, _, act, node, life, shard = heapq.heappop(self._events)
            if life == node.life:
                act(node, shard)
                self._hand_out()
        ideal = self.case.seeds / sum(node.speed for node in self.nodes)
        return Outcome(self.now / HOUR, ideal / HOUR, self.lost, self.again, len(self.queue.aside))

    def _node(self, number: int) -> Node:
        speed = self.case.rate * self.dice.uniform(1 - self.case.spread, 1 + self.case.spread)
        half = self.dice.random() < self.case.slow
        return Node(number, speed / 2 if half else speed, number < self.case.bad)

    def _at(self, seconds: float, act: Act, node: Node, shard: int = -1) -> None:
        """So many seconds from now; an event of a life that is over is passed by."""
        heapq.heappush(self._events, (self.now + seconds, next(self._order), act, node, node.life, shard))

    def _ready(self, node: Node, _: int) -> None:
        self.up[node.id] = node
        self._at(self.dice.expovariate(1 / self.case.between), self._gone, node)

    def _done(self, node: Node, shard: int) -> None:
        del node.begun[shard]
        self.queue.finish(shard)

    def _failed(self, node: Node, shard: int) -> None:
        del node.begun[shard]
        self.queue.fail(shard, "a bad node")

    def _gone(self, node: Node, _: int) -> None:
        """What its shards had brought to safety stays."""
        del self.up[node.id]
        self.queue.lose(node.id)
        each = node.speed / EACH
        for shard, since in node.begun.items():
            at_work = max(0.0, self.now - since - EDGES / 2)
            kept = max(0.0, at_work - LOST)
            self.left[shard] = max(1.0, self.left[shard] - each * kept)
            self.again += each * (at_work - kept)
        node.begun.clear()
        node.life += 1
        self.lost += 1
        self._at(self.case.back + self.case.load, self._ready, node)

    def _hand_out(self) -> None:
        retired = self.queue.retired(self.up)
        taking = [id for id in self.up if id not in retired]
        for id in taking:
            node = self.up[id]
            while len(node.begun) < EACH and (shard := self.queue.take(id, taking)) is not None:
                node.begun[shard] = self.now
                if node.bad:
                    self._at(FAILS_AFTER, self._failed, node, shard)
                else:
                    self._at(EDGES + self.left[shard] / (node.speed / EACH), self._done, node, shard)


def thrown(case: Case) -> list[Outcome]:
    return [Simulation(case, seed).run() for seed in range(THROWS)]


def efficiency(found: list[Outcome]) -> float:
    return mean(one.ideal / one.hours for one in found)


def cases(usual: Case) -> Iterator[tuple[str, Case]]:
    """What stands in the table."""
    yield "as it is", usual
    yield "8 nodes", replace(usual, nodes=8)
    yield "8 nodes, a million seeds", replace(usual, nodes=8, seeds=1_000_000)
    for hours in (6, 2):
        yield f"a node is lost each {hours} h", replace(usual, between=hours * HOUR)
    yield "a node is lost each 2 h, model loaded in 60 s", replace(usual, between=2 * HOUR, load=60)
    yield "one node in ten half as fast", replace(usual, slow=0.1)
    yield "two nodes on which every shard fails", replace(usual, bad=2)
    yield "no node is ever lost", replace(usual, between=1e9)


def table(usual: Case) -> None:
    head = "| | nodes | shards | hours | efficiency | nodes lost | seeds done twice | shards set aside |"
    print(f"{head}\n|{'---|' * (head.count('|') - 1)}")
    for name, case in cases(usual):
        found = thrown(case)
        again = mean(one.again for one in found) / case.seeds
        print(
            f"| {name} | {case.nodes} | {case.shards:,} | {mean(one.hours for one in found):.1f} "
            f"| {efficiency(found):.1%} | {mean(one.lost for one in found):.0f} | {again:.3%} "
            f"| {mean(one.aside for one in found):.1f} |"
        )


def draw(usual: Case, file: Path) -> None:
    """Efficiency against the number of shards, for some fates."""
    from matplotlib.figure import Figure

    shards = [usual.nodes * 2**power for power in range(1, 9)]
    lines = {
        "lost each 24 h": usual,
        "lost each 2 h": replace(usual, between=2 * HOUR),
        "one in ten half as fast": replace(usual, slow=0.1),
    }
    figure = Figure(figsize=(6.4, 3.6), dpi=150, layout="constrained")
    axes = figure.subplots()
    for (name, case), colour in zip(lines.items(), ("#4a6fa5", "#c2410c", "#2e8b57"), strict=True):
        share = [100 * efficiency(thrown(replace(case, shards=number))) for number in shards]
        axes.plot([number / usual.nodes for number in shards], share, "o-", color=colour, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks([number / usual.nodes for number in shards], [str(n // usual.nodes) for n in shards])
    axes.set(xlabel="shards a node", ylabel="efficiency, %", ylim=(0, 100))
    axes.set_title(f"{usual.nodes} nodes, {usual.seeds / 1e6:g} million seeds, on paper", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("figure", type=Path, help="where the figure is drawn")
    parser.add_argument("--nodes", type=int, default=Case.nodes)
    parser.add_argument("--seeds", type=int, default=Case.seeds)
    args = parser.parse_args()
    usual = Case(nodes=args.nodes, seeds=args.seeds)
    table(usual)
    draw(usual, args.figure)


if __name__ == "__main__":
    main()
