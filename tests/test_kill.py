"""SIGKILL at random moments: the rows of a run that was killed are those of a run that was not.

The command is a real process, forked from one that has imported it already: the starts would take longer
than the work between them. `make test-slow` kills fifty times.
"""

import dataclasses
import os
import random
import shutil
import sqlite3
import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from fake_answers import number
from fake_server import Fake, serve
from jobs import Job, job, plain, wait_for

from ssui_gen.cli import main

KILLS = int(os.environ.get("KILLS", "20"))
CALLS_IN_FLIGHT = 8
SEEDS = [
    *plain(40),
    {"id": "s0", "image": "1.png"},
    {"id": "gone", "image": "gone.png"},
    {"id": "typo", "imgae": "1.png"},
]


def reflection(body: dict[str, Any]) -> dict[str, str]:
    """Rejects some paths and sends some back, by the request alone."""
    decision = ("reject", "revise_path", "accept", "accept")[number(body["messages"]) % 4]
    faithful = "not to be seen" if decision == "revise_path" else "none"
    findings = {"redundancy": "none", "completeness": "none", "faithfulness": faithful}
    return {**findings, "decision": decision, "advice": f"advice on {decision}"}


def summary(body: dict[str, Any]) -> str | dict[str, str]:
    """Now and then it has to be asked again."""
    draw = number(body["messages"])
    return '{"answer": ' if draw % 4 == 0 else {"answer": f"Yes, and so: {draw}"}


ANSWERS = {"reflection": reflection, "summary": summary}


def start(todo: Job) -> BaseProcess:
    """`ssui` in a process of its own, ready in milliseconds."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["ssui_gen.cli", "ssui_gen.stages.dataset"])
    process = context.Process(target=main, args=(todo.command(),))
    process.start()
    return process


def wait_for_a_moment(rng: random.Random, todo: Job, process: BaseProcess, fake: Fake) -> None:
    """In the start, before or at the first calls; soon after; or much later."""
    lock = todo.run / ".lock"
    soonest, latest = rng.choices([(0, 0), (1, 60), (150, 350)], weights=[2, 7, 1])[0]
    goal = fake.calls + rng.randint(soonest, latest)
    wait_for(lambda: not process.is_alive() or (lock.exists() and f"pid {process.pid}" == lock.read_text()))
    wait_for(lambda: not process.is_alive() or fake.calls >= goal)
    time.sleep(rng.random() * 0.05)


def call_ids(run: Path, scratch: Path) -> set[str]:
    """What the journal knows; a copy is read: the next start is to meet the files as the kill left them."""
    scratch.mkdir()
    for file in run.glob("calls.sqlite*"):
        shutil.copy(file, scratch)
    with sqlite3.connect(scratch / "calls.sqlite") as db:
        has_table = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return {id for (id,) in db.execute("SELECT id FROM calls")} if has_table else set()


def run_with_kills(rng: random.Random, todo: Job, fake: Fake, kills: int) -> list[int]:
    """Start and kill, at most `kills` times, until the run is done; the calls that each kill lost."""
    lost: list[int] = []
    while True:
        process = start(todo)
        if len(lost) < kills:
            wait_for_a_moment(rng, todo, process, fake)
            process.kill()
        process.join()
        if process.exitcode == 0:
            return lost
        assert process.exitcode == -9
        wait_for(lambda: fake.in_flight == 0)
        known = call_ids(todo.run, todo.run / f"kill-{len(lost)}")
        assert {call for row in todo.paths + todo.rejects for call in row["made_by"]} <= known
        lost.append(fake.calls - len(known) - sum(lost))


@pytest.mark.slow
def test_kills_lose_nothing_and_repeat_only_what_was_in_flight(tmp_path: Path) -> None:
    with serve(answers=ANSWERS) as fake:
        whole = job(tmp_path / "whole", fake.url, SEEDS, calls_in_flight=CALLS_IN_FLIGHT, seeds_in_flight=12)
        assert whole.here().code == 0
        calls = fake.calls
    assert len(whole.content) == 80 + 3
    assert {"reflection_rejected", "not_converged", "image_missing"} < set(whole.reasons)

    rng = random.Random(3)
    lost: list[int] = []
    while len(lost) < KILLS:
        folder = tmp_path / f"after-{len(lost)}"
        log = folder / "calls.txt"
        folder.mkdir()
        with serve(answers=ANSWERS, latency=0.01, log=log) as fake:
            cut = dataclasses.replace(whole, run=folder, url=fake.url)
            lost_here = run_with_kills(rng, cut, fake, KILLS - len(lost))
        asked = log.read_text().splitlines()
        assert cut.content == whole.content
        assert len(set(asked)) == calls
        assert len(asked) - calls == sum(lost_here)
        lost += lost_here
    assert max(lost) <= CALLS_IN_FLIGHT
    print(f"{len(lost)} kills: {sum(lost) / len(lost):.1f} calls repeated each, at most {max(lost)}")


@pytest.mark.parametrize("name", ["reasoning_paths.jsonl", "rejects.jsonl"])
@pytest.mark.parametrize("left", [0.5, 0.999])
def test_a_row_torn_by_a_kill_is_cut_off_and_written_whole(
    fake: Fake, tmp_path: Path, name: str, left: float
) -> None:
    fake.answers = ANSWERS
    cut = job(tmp_path, fake.url, SEEDS[-6:])
    cut.here()
    before, calls, file = cut.content, fake.calls, cut.run / name
    rows = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(rows[:-1]) + rows[-1][: int(len(rows[-1]) * left)])
    assert cut.here().code == 0
    assert (cut.content, fake.calls) == (before, calls)
    assert file.read_bytes().endswith(b"}\n")
