"""A job in shards on all nodes of a cluster: workers started, shards handed out, news heard, to the end.

All truth is in the shards' logs: a driver that is killed is started again, and goes on with what they lack.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from ssui_gen.cluster.by_ray import READY, News, Node, RayCluster
from ssui_gen.cluster.node import AT_ONCE, WRONG, Ending
from ssui_gen.cluster.queue import Queue
from ssui_gen.config import Config
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jobs.runner import Stop
from ssui_gen.shards.control import working
from ssui_gen.shards.dealing import Which, find_deal, ranges
from ssui_gen.shards.stages import stage_of
from ssui_gen.shards.store import Store

LOOK_SECONDS = 1.0
"""Between two looks for new nodes."""
TELL_SECONDS = 30.0
"""Between two lines about how far it is."""
LIMITED, USAGE = 3, 2
"""Exit codes of a shard: at a limit of its own; called wrongly."""
SHARDS_A_NODE, MOST_SHARDS = 8, 4096
"""Where nobody says how many shards: some for every node."""


class Result(NamedTuple):
    """What came of it; what lacks is asked of the logs."""

    aside: dict[int, str]
    """Shards that are not tried again, and why."""
    limited: bool
    """Whether one stopped at a limit."""
    interrupted: bool
    in_vain: str
    """Why all stopped, where nothing succeeded any more."""


def count_shards(items: int, each: int, nodes: int) -> int:
    """How many for so many nodes; `each` is about how many items one does in minutes."""
    return max(1, min(items, max(-(-items // each), SHARDS_A_NODE * nodes), MOST_SHARDS))


def require_models(store: Store, config: Config, roles: Iterable[str]) -> None:
    """Raises ConfigError where the shards that are done asked other models than those that are named now:
    they would be told as these.
    """
    if (deal := find_deal(store)) is None:
        return
    made = [manifest.last for manifest in stage_of(deal).read(store).values() if manifest.last]
    known = {name for edition in made for name in edition.models.values()}
    players = [config.models[config.player(role)] for role in roles]
    others = {str(role.name) for role in players if role.name and not role.adapter} - known
    if made and others:
        raise ConfigError(
            f"{store.place}: its shards ask {', '.join(sorted(known))}; got {', '.join(sorted(others))}: "
            "name the same models, or take a new RUN"
        )


async def drive(cluster: RayCluster, shards: list[int], store: Store, say: Callable[[str], None]) -> Result:
    """Have `shards` done, whatever dies meanwhile; they lie in `store`. Raises ConfigError where a shard says
    that no node would fare better, with its words.
    """
    driver = _Driver(cluster, shards, store, say)
    with driver.stop.on_signals():
        try:
            await driver.run()
        finally:
            await asyncio.to_thread(cluster.close)
    return Result(driver.queue.aside, driver.limited, driver.stop.asked, driver.useless)


class _Driver:
    def __init__(
        self, cluster: RayCluster, shards: list[int], store: Store, say: Callable[[str], None]
    ) -> None:
        self.cluster, self.queue, self.store, self.say = cluster, Queue(shards), store, say
        self.stop = Stop(self._drain)
        self.limited, self.in_vain = False, ""
        self._of = len(shards)
        self._nodes: dict[str, Node] = {}
        self._ready: set[str] = set()
        self._retired: set[str] = set()
        self._unfit: dict[str, str] = {}
        """Nodes on which the model does not start, and why."""
        self._told = time.monotonic()

    async def run(self) -> None:
        while not self._ended:
            if not self.stop.asked:
                await asyncio.to_thread(self._start_workers)
                self._hand_out()
            for news in await asyncio.to_thread(self.cluster.news, LOOK_SECONDS):
                self._hear(news)
            await self._tell()

    @property
    def _ended(self) -> bool:
        if self.queue.running:
            return False
        return self.stop.asked or self.queue.ended or bool(self.useless)

    @property
    def useless(self) -> str:
        """Why it is no use to go on."""
        if self.queue.hopeless:
            return self.in_vain
        all_unfit = self._nodes and self._nodes.keys() <= self._unfit.keys()
        return next(iter(self._unfit.values())) if all_unfit else ""

    def _start_workers(self) -> None:
        """A worker on every living node that is good, none on others."""
        self._nodes = self.cluster.nodes()
        retired = self.queue.retired(self._nodes.keys() - self._unfit.keys())
        for id in retired - self._retired:
            self.say(f"{self._name(id)}: shards failed there and none was done since: it gets no more")
        self._retired = retired | self._unfit.keys()
        for id, node in self._nodes.items():
            if id not in self.cluster.working | self._retired:
                self.cluster.start_worker(node)
        for id in (self.cluster.working & self._retired) - set(self.queue.running.values()):
            self._ready.discard(id)
            self.cluster.dismiss(id)

    def _hand_out(self) -> None:
        """One a node at a time, so that the last ones are spread."""
        for _ in range(AT_ONCE):
            for node in sorted(self._ready - self._retired):
                busy = sum(where == node for where in self.queue.running.values())
                if busy < AT_ONCE and not self.queue.hopeless:
                    self._begin(node)

    def _begin(self, node: str) -> None:
        shard = self.queue.take(node, self.cluster.working - self._retired)
        if shard is not None:
            self.cluster.begin(node, shard)

    def _hear(self, news: News) -> None:
        if news.ending is None:
            self._lose(news.node)
        elif news.shard == READY:
            self._welcome(news.node, news.ending)
        else:
            self._end(news.shard, news.ending)

    def _lose(self, node: str) -> None:
        """A node that was lost is told for some seconds still, so a worker asked for there is lost too."""
        lost = self.queue.lose(node)
        if lost or node in self._ready:
            shards = f"shards {ranges(lost)} go first" if lost else "with no shard"
            self.say(f"{self._name(node)}: lost; {shards}")
        self._ready.discard(node)

    def _welcome(self, node: str, ending: Ending) -> None:
        if ending.code == WRONG:
            raise ConfigError(f"{self._name(node)}: {ending.words}")
        if ending.code:
            self.say(f"{self._name(node)}: gets no shard: {ending.words}")
            self._unfit[node] = ending.words
        else:
            self.say(f"{self._name(node)}: ready")
            self._ready.add(node)

    def _end(self, shard: int, ending: Ending) -> None:
        name = self._name(self.queue.running[shard])
        if ending.code == 0:
            self.queue.finish(shard)
        elif ending.code in (WRONG, USAGE):
            raise ConfigError(f"shard {shard}, on {name}: {ending.words}")
        elif ending.code == LIMITED:
            self.limited = True
            self.queue.set_aside(shard, ending.words)
        elif self.stop.asked:
            self.queue.give_back(shard)
        else:
            self.say(f"Shard {shard} failed on {name} (exit code {ending.code}): {ending.words}")
            self.in_vain = ending.words
            self.queue.fail(shard, ending.words)

    def _drain(self) -> None:
        self.say("Stopping: what is in flight is finished. The same signal again gives that up.")
        self.cluster.drain()

    async def _tell(self) -> None:
        """How far all are, by what shards say of themselves."""
        if time.monotonic() - self._told > TELL_SECONDS:
            self._told = time.monotonic()
            at_work = {Which(shard, shard + 1): None for shard in self.queue.running}
            with suppress(RecordError):
                found = await asyncio.to_thread(working, self.store, at_work)
                nodes = len(set(self.queue.running.values()))
                self.say(f"{len(self.queue.done):,} of {self._of:,} shards done; {nodes} nodes, {found.line}")

    def _name(self, node: str) -> str:
        return self._nodes[node].name if node in self._nodes else node[:6]
