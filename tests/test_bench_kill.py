"""SIGKILL at random moments of `ssui bench run`: its rows are those of a run that was not killed, and no call
is made twice but those that were in flight.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

import pytest
from benching import PLAYED, Run, benched
from fake_server import Fake, serve
from jobs import wait_for

from ssui_gen.cli import main

KILLS = int(os.environ.get("KILLS", "20"))
SCENARIOS, IN_FLIGHT = 10, 4


class Runs(Protocol):
    """A run of any benchmark."""

    @property
    def run(self) -> Path: ...
    def command(self, *more: str) -> list[str]: ...


def start(made: Runs, *more: str) -> BaseProcess:
    """`ssui` in a process of its own, ready in milliseconds."""
    file = made.run.parent / "bench.yaml"
    limits = {"calls_in_flight": IN_FLIGHT, "most_calls_in_flight": IN_FLIGHT, "seeds_in_flight": 6}
    file.write_text(json.dumps({"limits": limits}))
    context = get_context("forkserver")
    context.set_forkserver_preload(["ssui_gen.cli", "ssui_gen.stages.bench"])
    process = context.Process(target=main, args=(made.command("--config", str(file), *more),))
    process.start()
    return process


def run_whole(folder: Path) -> tuple[Run, int]:
    with serve(answers=PLAYED) as fake:
        made = benched(folder, fake.url, SCENARIOS)
        process = start(made)
        process.join()
        assert process.exitcode == 0
        return made, fake.calls


def killed(made: Runs, fake: Fake, moments: list[Callable[[], object]]) -> None:
    """Kill at each moment, then run to the end."""
    for moment in moments:
        process = start(made)
        wait_for(lambda moment=moment, process=process: moment() or not process.is_alive())  # type: ignore[misc]
        process.kill()
        process.join()
        wait_for(lambda: fake.in_flight == 0)
    process = start(made)
    process.join()
    assert process.exitcode == 0


def compare(folder: Path, moments: Callable[[Run, Fake], list[Callable[[], object]]]) -> None:
    whole, calls = run_whole(folder / "whole")
    log = folder / "calls.txt"
    with serve(answers=PLAYED, latency=0.005, log=log) as fake:
        cut = Run(folder / "cut" / "run", fake.url)
        shutil.copytree(whole.bench, cut.bench, ignore=shutil.ignore_patterns("fake-vlm"))
        chosen = moments(cut, fake)
        killed(cut, fake, chosen)
    asked = log.read_text().splitlines()
    assert cut.content == whole.content
    assert len(set(asked)) == calls
    assert len(asked) - calls <= IN_FLIGHT * len(chosen)


@pytest.mark.slow
def test_a_run_that_is_killed_while_answering_and_while_judging_is_as_one_that_was_not(
    tmp_path: Path,
) -> None:
    compare(tmp_path, lambda cut, fake: [lambda: len(cut.responses) >= 3, lambda: len(cut.judgements) >= 30])


@pytest.mark.slow
def test_it_may_be_killed_at_any_moment(tmp_path: Path) -> None:
    rng = random.Random(5)

    def moments(cut: Run, fake: Fake) -> list[Callable[[], object]]:
        goals = sorted(rng.randint(1, 250) for _ in range(KILLS))
        return [lambda goal=goal: fake.calls >= goal for goal in goals]  # type: ignore[misc]

    compare(tmp_path, moments)


@pytest.mark.parametrize("name", ["responses.jsonl", "judgements.jsonl"])
def test_a_row_that_a_kill_tore_is_written_whole(fake: Fake, tmp_path: Path, name: str) -> None:
    fake.answers = PLAYED
    made = benched(tmp_path, fake.url)
    made.here()
    before, calls, file = made.content, fake.calls, made.model / name
    file.write_bytes(file.read_bytes()[:-20])
    assert made.here().code == 0
    assert (made.content, fake.calls) == (before, calls)


@pytest.mark.slow
def test_a_signal_drains_what_is_in_flight_and_the_same_command_goes_on(tmp_path: Path) -> None:
    with serve(answers=PLAYED, latency=0.05) as fake:
        made = benched(tmp_path, fake.url)
        words = [sys.executable, "-m", "ssui_gen", *made.command()]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        wait_for(lambda: fake.calls > 3)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 130 and "The same command goes on from here" in out
        known = fake.calls
        assert made.here().code == 0
        assert len(made.judgements) == 42 and fake.calls == 84 > known
