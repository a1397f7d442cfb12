"""A Ray cluster of real processes on this machine, for tests: a head that does no work, and nodes.

    python tests/ray_nodes.py COUNT

prints its address and each node's process as JSON, and adds a node for each line on stdin; when that ends,
so does the cluster. In a process of its own, as Ray reaches beyond what a test may.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

MEMORY = 80_000_000
"""Bytes of each object store, the least there is."""


@dataclass
class Nodes:
    """A cluster that runs."""

    address: str
    raylets: list[int]
    process: subprocess.Popen[str]

    def add(self) -> int:
        """One node more; its raylet's pid."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("add\n")
        self.process.stdin.flush()
        self.raylets.append(int(self.process.stdout.readline()))
        return self.raylets[-1]

    def kill(self, number: int) -> None:
        """A node is gone from one moment to the next, with all that runs on it."""
        for pid in family(self.raylets.pop(number)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in family(int(child)))]


@contextmanager
def nodes(count: int, **environment: str) -> Iterator[Nodes]:
    """Start a cluster, and end it; nodes have `environment`."""
    command, pipe = [sys.executable, __file__, str(count)], subprocess.PIPE
    known = os.environ | {"RAY_agent_register_timeout_ms": "180000", "RAY_USAGE_STATS_ENABLED": "0"}
    known |= {"PYTHONPATH": str(Path(__file__).parents[1])} | environment
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=known
    ) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        try:
            yield Nodes(told["address"], told["raylets"], process)
        finally:
            process.communicate(timeout=60)


def main() -> None:
    from ray._private import ray_constants
    from ray.cluster_utils import Cluster

    usual = {"object_store_memory": MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**usual, "num_cpus": 0})

    def add() -> int:
        node = cluster.add_node(**usual, num_cpus=1)
        return node.all_processes[ray_constants.PROCESS_TYPE_RAYLET][0].process.pid

    raylets = [add() for _ in range(int(sys.argv[1]))]
    print(json.dumps({"address": cluster.address, "raylets": raylets}), flush=True)
    for _ in sys.stdin:
        print(add(), flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
