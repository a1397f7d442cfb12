"""Jobs on a real Ray cluster here: nodes and drivers are killed, rows are as of one machine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benching import PLAYED as ASKED
from benching import benched
from exploring import command as pairs_command
from exploring import explored
from fake_server import Fake
from fake_vllm import python_with_answers
from jobs import Ended, Job, ended, here, job, plain, wait_for
from ray_nodes import Nodes, nodes
from sharded import ANSWERS, Sharded
from test_serve import marked
from test_shards_pairs import PLAYED as EXPLORED
from test_shards_pairs import content as pairs_content

pytestmark = pytest.mark.cluster
pytest.importorskip("ray")
OF, IN_FLIGHT = 6, 3
SECONDS = 180
SLOW = 4.0
"""Seconds an answer takes until a node is killed: no shard ends before both nodes are at work."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    """Two nodes, and a head that does no work; what is started there is marked by its environment."""
    with nodes(2, MARK=str(os.getpid())) as found:
        yield found


def start(made: Job, where: str, *more: str, **environment: str) -> subprocess.Popen[str]:
    return begin(made.command("--cluster", where, *more), **environment)


def begin(arguments: list[str], **environment: str) -> subprocess.Popen[str]:
    command, pipe = [sys.executable, "-m", "ssui_gen", *arguments], subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=os.environ | environment)


def run(made: Job, where: str, *more: str, **environment: str) -> Ended:
    return ended(start(made, where, *more, **environment), SECONDS)


def shards_at_work() -> list[int]:
    return [pid for pid in marked(str(os.getpid())) if b"--shard" in words_of(pid)]


def is_ours(pid: int) -> bool:
    """An agent of a killed Ray may stay for a while."""
    return any(word in words_of(pid) for word in (b"ssui_gen", b"fake_server", b"WorkerActor"))


def words_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_nodes_and_drivers_are_killed_a_shard_is_poisoned_and_every_row_is_there_once(
    cluster: Nodes, fake: Fake, tmp_path: Path
) -> None:
    fake.answers, fake.latency = ANSWERS, SLOW
    made = job(tmp_path / "it's a job", fake.url, plain(24), calls_in_flight=IN_FLIGHT, steer=False)
    todo = Sharded(made, OF, made.run)
    dealt = todo.told("deal", "--seeds", str(made.seeds), "--shards", str(OF))
    assert dealt.code == 0, dealt.err
    poisoned = max(range(OF), key=lambda number: todo_seeds(todo, number).stat().st_size)
    seeds, aside = todo_seeds(todo, poisoned), tmp_path / "aside.jsonl"
    seeds.rename(aside)
    seeds.symlink_to(aside)  # refused, with 75

    driver = start(made, cluster.address)
    wait_for(lambda: driver.poll() is not None or (len(shards_at_work()) > 2 and logged(todo)), SECONDS)
    cluster.kill(0)
    fake.latency = 0.1
    cluster.add()
    before = logged(todo)
    assert driver.stdout
    said = [driver.stdout.readline()]
    while "lost; shards" not in said[-1]:
        assert said[-1], "".join(said)
        said.append(driver.stdout.readline())
    wait_for(lambda: driver.poll() is not None or logged(todo) > before + 20, SECONDS)
    assert driver.poll() is None, ended(driver)
    driver.kill()
    driver.communicate()
    wait_for(lambda: not shards_at_work())

    second = run(made, cluster.address)
    assert second.code == 75, second
    assert f"Shard {poisoned} was set aside" in second.out and f"Lacking: {poisoned}." in second.out
    assert second.out.count(f"Shard {poisoned} failed on") == 3
    assert f"--cluster {cluster.address}" in second.out

    seeds.unlink()
    aside.rename(seeds)
    third = run(made, cluster.address)
    assert third.code == 0, third
    assert f"{OF - 1} of {OF} shards are done" in third.out
    calls = int(re.search(r"with ([0-9,]+) calls", third.out)[1].replace(",", ""))  # type: ignore[index]
    repeated = fake.calls - calls
    assert repeated <= IN_FLIGHT * (2 + 4), "calls in flight: of a node, and of the driver's two"
    once = Job(made.folder, tmp_path / "once", made.url)
    assert once.here().code == 0
    assert made.content == once.content and len(once.content) == 48
    assert not shards_at_work()


def todo_seeds(todo: Sharded, number: int) -> Path:
    [found] = todo.folder(number).glob("seeds-*.jsonl")
    return found


def logged(todo: Sharded) -> int:
    """Calls in all logs."""
    return sum(log.read_bytes().count(b'{"call":[') for log in (todo.run / "shards").glob("*/a*.log"))


def test_pairs_are_those_of_one_machine_though_a_node_is_lost(
    cluster: Nodes, fake: Fake, tmp_path: Path
) -> None:
    fake.answers, fake.latency = EXPLORED, SLOW
    config = tmp_path / "explore.yaml"  # else a path's spared draws go to others of its shard
    config.write_text("explore: {adaptive: false, k: 4}\nlimits: {calls_in_flight: 3, steer: false}")
    one, many = explored(tmp_path / "one", fake.url), explored(tmp_path / "many", fake.url)
    told = ("--config", str(config))
    driver = begin(pairs_command(many, *told, "--cluster", cluster.address, "--shards", "4"))
    wait_for(lambda: driver.poll() is not None or len(shards_at_work()) > 2, SECONDS)
    cluster.kill(0)
    fake.latency = 0.05
    end = ended(driver, SECONDS)
    cluster.add()
    assert end.code == 0, end
    assert "lost; shards" in end.out and "each once" in end.out
    assert here(pairs_command(one, *told)).code == 0
    assert pairs_content(many.run) == pairs_content(one.run) and pairs_content(one.run)["pairs"]
    assert not shards_at_work()


def test_a_benchmark_is_asked_on_all_nodes_and_reported_as_on_one(
    cluster: Nodes, fake: Fake, tmp_path: Path
) -> None:
    fake.answers = ASKED
    one, many = benched(tmp_path / "one", fake.url), benched(tmp_path / "many", fake.url)
    end = ended(begin(many.command("--cluster", cluster.address, "--shards", "3")), SECONDS)
    assert end.code == 0, end
    assert here(one.command()).code == 0
    assert many.content == one.content and one.content
    ours, theirs = (json.loads((run.model / "report.json").read_text()) for run in (many, one))
    assert ours["headline"] == theirs["headline"] and ours["headline"][0] in end.out
    other = ended(begin(many.command("--cluster", cluster.address, "--model", "other-vlm")), SECONDS)
    assert other.code == 1 and "its shards ask fake-vlm; got other-vlm" in other.err


@pytest.mark.parametrize("way", ["to its end", "driver killed"])
def test_replicas_of_a_node_answer_its_shards_and_none_is_left(tmp_path: Path, way: str) -> None:
    mark = f"{tmp_path}"
    python = python_with_answers(tmp_path / "vllm", tmp_path / "calls.txt")
    made = job(tmp_path / "job", "", plain(4), calls_in_flight=IN_FLIGHT)
    told = {"MARK": mark, "SSUI_VLLM_PYTHON": python, "CUDA_VISIBLE_DEVICES": ""}
    driver = start(made, "local", "--shards", "2", "--model", "fake-vlm", **told)
    if way == "driver killed":
        wait_for(lambda: driver.poll() is not None or (tmp_path / "calls.txt").exists(), SECONDS)
        driver.kill()
    end = ended(driver, SECONDS)
    assert end.code == (0 if way == "to its end" else -signal.SIGKILL), end
    if not end.code:
        assert len(made.content) == 8 and "8 records" in end.out
        vlm = json.loads((made.run / "run.json").read_text())["settings"]["models"]["vlm"]
        assert (vlm["name"], vlm["base_urls"]) == ("fake-vlm", []), "the replicas are gone"
        assert here(["shards", "retry", "--run", str(made.run), "0"]).code == 0
        again = ended(start(made, "local", "--model", "fake-vlm", **told), SECONDS)
        assert again.code == 0 and "1 of 2 shards are done" in again.out and ": ready" in again.out, again
    wait_for(lambda: not [pid for pid in marked(mark) if is_ours(pid)], 60)


def test_what_no_node_would_do_better_stops_all_with_one_line(fake: Fake, tmp_path: Path) -> None:
    fake.api_key = "secret"
    made = job(tmp_path / "job", fake.url, plain(8))
    end = run(made, "local", "--shards", "4")
    assert end.code == 1
    assert re.match(r"ssui dataset: shard \d, on .*API key", end.err.strip().splitlines()[-1]), end.err
