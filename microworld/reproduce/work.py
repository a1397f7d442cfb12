"""Pieces of work done by several processes, one file each; what is there already and fits is not done again.

Killed at any moment, the next call goes on: a file is whole or not there. A worker whose parent is gone ends.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import torch
from transformers.utils import logging

from microworld.reproduce import kept
from microworld.reproduce.cell import Place, Work, do, needs
from microworld.reproduce.settings import Agents, Branches, Data, Drawn, Written
from ssui_gen.errors import TrainError

Say = Callable[[str], None]
LOOK = 1.0
"""Seconds between two looks of a worker for its parent."""


@dataclass(frozen=True)
class Done:
    """One piece, as it comes in."""

    work: Work
    left: int
    """Pieces that are not done."""
    seconds_left: float
    """A guess from the pace so far; 0 at the end."""


def cost(work: Work) -> float:
    """About how many seconds of one core it takes; for the guess of what is left alone."""
    if isinstance(work, Branches):
        share = work.data.wrong or 1.0
        if work.off:
            return 0.024 * share * work.data.paths * work.off.cuts * work.off.draws / 2
        return share * _drawing(work.data, work.drawn)
    if isinstance(work, Agents):
        return 0.3 * work.pairs
    if isinstance(work, Written):
        return 0.5 * work.data.paths
    test = work.test
    answers = 2 * test.each * (test.cool + test.hot) + 2 * test.probes * test.cool
    tree = 0.22 * bool(work.drawn) * len(work.drawn.cuts if work.drawn else ()) / 6
    learnt = work.data.paths * (0.2 + tree) if work.data else 0.0
    anew = (work.rounds - 1) * _drawing(work.data, work.drawn) if work.data and work.drawn else 0.0
    return 0.033 * answers + learnt + anew


def _drawing(data: Data, drawn: Drawn) -> float:
    return 0.024 * data.paths * len(drawn.cuts) * drawn.k


def in_order(cells: Iterable[Work]) -> list[Work]:
    """Each once, after what it needs."""
    found: dict[Work, None] = {}
    for cell in cells:
        found |= dict.fromkeys([*in_order(needs(cell)), cell])
    return list(found)


def missing(place: Place, wanted: Sequence[Work], say: Say) -> list[Work]:
    """What must be made; says why where a file is there and may not be used, of many stale ones once."""
    left: dict[Work, None] = {}
    stale: Counter[str] = Counter()
    for work in wanted:
        try:
            if left.keys().isdisjoint(needs(work)):
                place.read(work)
                continue
        except kept.Stale as why:
            stale[why.other] += 1
        except kept.Refused as why:
            if place.file(work).exists():
                say(f"{why}: it is made anew")
        left[work] = None
    for other, count in stale.items():
        say(f"{place.folder}: files made of other {other}, made anew: {count}")
    return list(left)


def work_off(place: Place, left: Sequence[Work], workers: int) -> Iterator[Done]:
    """Do it all, first things first as far as what they need is there. Raises SsuiError of the first piece
    that fails, TrainError if a worker dies.
    """
    todo, running = list(left), dict[Future[None], Work]()
    began, whole = time.monotonic(), sum(map(cost, left))
    with _pool(place, workers) as pool:
        while todo or running:
            for work in _ready(todo, running.values(), workers - len(running)):
                todo.remove(work)
                running[pool.submit(_do, work)] = work
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                work = running.pop(future)
                _result(future)
                rest = sum(map(cost, (*todo, *running.values())))
                pace = (time.monotonic() - began) / max(whole - rest, 1e-9)
                yield Done(work, len(todo) + len(running), pace * rest)


def _ready(todo: Sequence[Work], running: Iterable[Work], free: int) -> list[Work]:
    """The first pieces that nothing still to be made stands before."""
    open_ = {*todo, *running}
    return [work for work in todo if not open_.intersection(needs(work))][: max(0, free)]


def _result(future: Future[None]) -> None:
    try:
        future.result()
    except BrokenProcessPool:
        raise TrainError(
            "a worker was killed, perhaps for want of memory: run the same again to go on from here"
        ) from None


@contextmanager
def _pool(place: Place, workers: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(place, os.getpid())
    )
    with ExitStack() as unless_done:
        unless_done.callback(_give_up, pool)
        yield pool
        pool.shutdown()
        unless_done.pop_all()


def _give_up(pool: ProcessPoolExecutor) -> None:
    """End the workers where they are; what they have finished is on disk."""
    children = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for child in children:
        child.kill()


# --- in a worker -----------------------------------------------------------------------------------------

_place: Place | None = None


def _begin(place: Place, parent: int) -> None:
    """One thread for torch; Ctrl-C is the parent's affair."""
    global _place
    _place = place
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # PEFT's, of an old word


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)


def _do(work: Work) -> None:
    assert _place is not None, "the pool begins each worker with its place"
    do(_place, work)
