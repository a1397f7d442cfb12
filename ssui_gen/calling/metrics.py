"""What a vLLM server says of its load: the few lines of its `/metrics` that steering and the account need.

Pure: `client` fetches the text, `steer` decides. Knows vLLM's names and no other server's.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

RUNNING = "vllm:num_requests_running"
WAITING = "vllm:num_requests_waiting"
KV_SHARE = "vllm:kv_cache_usage_perc"
PREEMPTIONS = "vllm:num_preemptions_total"
CACHE_QUERIES = "vllm:prefix_cache_queries_total"
CACHE_HITS = "vllm:prefix_cache_hits_total"
NAMES = (RUNNING, WAITING, KV_SHARE, PREEMPTIONS, CACHE_QUERIES, CACHE_HITS)
LINE = re.compile(r"([\w:]+)(?:\{.*\})?\s+(\S+)(?:\s+-?\d+)?\s*")
"""A sample: name, labels, value, and perhaps a time."""


class Counts(NamedTuple):
    """What only grows while a server lives."""

    preemptions: float = 0.0
    cache_queries: float = 0.0
    """Prompt tokens looked up in the prefix cache."""
    cache_hits: float = 0.0
    """Those of them that it held."""

    def plus(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


class Load(NamedTuple):
    """One server, or several together; a server's engines count together."""

    running: float
    waiting: float
    """Sequences in the servers' own queues."""
    kv_share: float
    """How full the KV cache is where it is fullest, from 0 to 1."""
    counts: Counts


def read(text: str) -> Load | None:
    """The load in the text of a `/metrics` page; None when it is not vLLM's."""
    values: dict[str, list[float]] = defaultdict(list)
    for line in text.split("\n"):
        if line.startswith(NAMES) and (sample := LINE.fullmatch(line)) and sample[1] in NAMES:
            values[sample[1]].append(_number(sample[2]))
    if RUNNING not in values or WAITING not in values:
        return None
    counts = Counts(*(sum(values[name]) for name in (PREEMPTIONS, CACHE_QUERIES, CACHE_HITS)))
    return Load(sum(values[RUNNING]), sum(values[WAITING]), max(values[KV_SHARE], default=0.0), counts)


def _number(text: str) -> float:
    """What is no number counts as nothing."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def together(loads: Iterable[Load]) -> Load | None:
    """The load of several servers as one; None of none."""
    all_ = list(loads)
    if not all_:
        return None
    counts = Counts()
    for load in all_:
        counts = counts.plus(load.counts)
    running, waiting = sum(load.running for load in all_), sum(load.waiting for load in all_)
    return Load(running, waiting, max(load.kv_share for load in all_), counts)


class Meter:
    """How much the counts of servers grow from one reading to the next."""

    def __init__(self) -> None:
        self._last: dict[str, Counts] = {}

    def grown(self, loads: Mapping[str, Load]) -> Counts:
        """Growth since each server's last reading; nothing for one that is read for the first time."""
        total = Counts()
        for url, load in loads.items():
            total = total.plus(_growth(self._last.get(url, load.counts), load.counts))
            self._last[url] = load.counts
        return total


def _growth(before: Counts, now: Counts) -> Counts:
    """A server that was started anew counts from nothing again."""
    if any(new < old for old, new in zip(before, now, strict=True)):
        return now
    return Counts(*(new - old for old, new in zip(before, now, strict=True)))
