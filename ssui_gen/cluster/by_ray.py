"""Ray: which nodes live, a worker on each, and what becomes of what they do. The one door to it.

Ray keeps nothing that counts: whatever it loses is read off the shards' logs. It starts nothing again by
itself, as its own retries go to the same node and are not fenced.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from ssui_gen.cluster.node import AT_ONCE, Ending, NodeWorker, Order
from ssui_gen.errors import ConfigError

LOCAL, AUTO = "local", "auto"
PATIENCE_SECONDS = 30.0
"""For a worker to end what it has started, before it is let go."""
SETTINGS = {"RAY_agent_register_timeout_ms": "180000", "RAY_USAGE_STATS_ENABLED": "0"}
"""Of a Ray that we start: a busy machine takes its time, and nobody is told of it. What is set wins."""
READY = -1
"""In the place of a shard's number: a worker has come to work, or could not."""


class Node(NamedTuple):
    """A living node that works."""

    id: str
    name: str
    gpus: float


class News(NamedTuple):
    """What has come of something on a node; `ending` None: the node, or its worker, is gone."""

    node: str
    shard: int
    ending: Ending | None


class WorkerActor(NodeWorker):
    """A node's worker, as an actor of Ray."""

    def __init__(self, order: Order) -> None:
        os.environ.pop("OMP_NUM_THREADS", None)  # Ray's own 1 is not meant for a model's server
        super().__init__(order)


class RayCluster:
    """The workers of a job on a Ray that is joined already (`joined`)."""

    def __init__(self, ray: Any, order: Order) -> None:
        self._ray, self._order = ray, order
        self._actors: dict[str, Any] = {}
        self._pending: dict[Any, tuple[str, int]] = {}

    def nodes(self) -> dict[str, Node]:
        return self.nodes_of(self._ray, self._order.model is not None)

    @staticmethod
    def nodes_of(ray: Any, serves: bool) -> dict[str, Node]:
        """Those that work: with CPUs or GPUs, and where models are to be served and any has GPUs, those. A
        node that was lost is told for some seconds still.
        """
        found = []
        for one in ray.nodes():
            given = one.get("Resources", {})
            if one["Alive"] and (given.get("CPU") or given.get("GPU")):
                name = f"{one['NodeManagerHostname']} ({one['NodeID'][:6]})"
                found.append(Node(one["NodeID"], name, given.get("GPU", 0.0)))
        if serves and any(node.gpus for node in found):
            found = [node for node in found if node.gpus]
        return {node.id: node for node in found}

    @property
    def working(self) -> set[str]:
        return set(self._actors)

    def start_worker(self, node: Node) -> None:
        """Ask for a worker there; news tell when it is ready. It takes all GPUs where it serves."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        actor = self._ray.remote(WorkerActor).options(
            num_cpus=0,
            num_gpus=node.gpus if self._order.model else 0,
            max_concurrency=AT_ONCE + 2,
            max_restarts=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
        )
        self._actors[node.id] = actor.remote(self._order)
        self._pending[self._actors[node.id].ready.remote()] = (node.id, READY)

    def begin(self, node: str, shard: int) -> None:
        self._pending[self._actors[node].shard.remote(shard)] = (node, shard)

    def news(self, seconds: float) -> list[News]:
        """What has ended since; waits for it so long at most. A lost worker is let go, and told once."""
        if not self._pending:
            time.sleep(seconds)
            return []
        ended, _ = self._ray.wait(list(self._pending), num_returns=1, timeout=seconds)
        found: list[News] = []
        for ref in ended:
            if place := self._pending.pop(ref, None):
                found.append(News(*place, self._ending(ref)))
                if found[-1].ending is None:
                    self.dismiss(place[0])
        return found

    def _ending(self, ref: Any) -> Ending | None:
        """Ray's errors about an actor, its worker, node or memory all mean that nothing more is to come."""
        try:
            ending: Ending = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError:
            raise  # of our own code
        except self._ray.exceptions.RayError:
            return None
        return ending

    def drain(self) -> None:
        for actor in self._actors.values():
            actor.drain.remote()

    def dismiss(self, node: str) -> None:
        """Let a worker go, with all that it has started; of its shards there are no more news."""
        self._dismiss([node])

    def _dismiss(self, nodes: list[str]) -> None:
        actors = [self._actors.pop(node) for node in nodes]
        self._pending = {ref: place for ref, place in self._pending.items() if place[0] not in nodes}
        stopping = [actor.stop.remote() for actor in actors]
        if stopping:
            self._ray.wait(stopping, num_returns=len(stopping), timeout=PATIENCE_SECONDS)
        for actor in actors:
            with suppress(self._ray.exceptions.RayError):
                self._ray.kill(actor)

    def close(self) -> None:
        self._dismiss(list(self._actors))


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """Ray, joined at `HOST:PORT` of its head, at what this node belongs to (auto), or started here (local).

    Raises ConfigError where it is not installed, or cannot be reached.
    """
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "--cluster: needs Ray, which is not installed: `make cluster`, or pip install "
            "'ssui_gen[cluster]', in the same environment on every node"
        ) from None
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    here = {"include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **here)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise ConfigError(
            f"--cluster {address}: no Ray can be joined: {str(error).strip().splitlines()[0]} (expected "
            f"{AUTO} on a node of a cluster, {LOCAL}, or HOST:PORT of a head, as `ray start --head` says it)"
        ) from None
    try:
        with _unsaid():
            yield ray
    finally:
        ray.shutdown()


@contextmanager
def _unsaid() -> Iterator[None]:
    """Ray prints pages of a lost node's log into the driver's stdout, by a printer that can only be replaced:
    what matters is told in our words, and a script reads stdout.
    """
    from ray._private import worker

    usual, worker.print_to_stdstream = worker.print_to_stdstream, lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = usual
