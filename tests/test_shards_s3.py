"""Shards on S3, by an emulator of it: real requests, real processes. Needs s3fs and moto, whose pins are not
ours (docs/scale.md), so an environment of its own.
"""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from fake_server import Fake
from jobs import here, job, wait_for
from sharded import ANSWERS, SEEDS, Sharded

from ssui_gen.shards.attempts import Past
from ssui_gen.shards.bucket import Bucket
from ssui_gen.shards.dealing import Which, find_deal

pytestmark = pytest.mark.s3


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    """A store that its processes reach by what a cloud's environment says."""
    pytest.importorskip("s3fs")
    servers = pytest.importorskip("moto.server")
    server = servers.ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    said = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**said, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}.items():
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem(skip_instance_cache=True).makedirs("bucket", exist_ok=True)
    yield Bucket.at(f"s3://bucket/{tmp_path.name}/big")
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def events(store: Bucket, name: str) -> list[bytes]:
    """Of a log; nothing while it is not there."""
    return [*store.lines(f"shards/00000/{name}")]


def start(many: Sharded, store: Bucket) -> BaseProcess:
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return many.start(0, "--run", store.place, environment=environment)


def test_a_name_is_made_once(s3: Bucket) -> None:
    assert s3.create("a/b", b"one") and not s3.create("a/b", b"two")
    assert (s3.read("a/b"), s3.read("a/c"), s3.names("a"), s3.names("c")) == (b"one", None, ["b"], [])
    log = s3.begin("x.log", b"1\n")
    assert log and s3.begin("x.log", b"2\n") is None and s3.begun("x.log") and not s3.begun("y.log")


def test_a_killed_one_and_one_that_was_superseded_leave_the_rows_of_one_machine(
    s3: Bucket, fake: Fake, tmp_path: Path
) -> None:
    fake.answers, fake.latency = ANSWERS, 1.0
    pace = {"calls_in_flight": 4, "most_calls_in_flight": 4}
    many = Sharded(job(tmp_path, fake.url, SEEDS[-9:], **pace), 1, tmp_path / "unused")
    first = start(many, s3)
    wait_for(lambda: len(events(s3, "a0001.log")) > 10)
    first.kill()
    first.join()
    assert first.exitcode == -signal.SIGKILL
    second = start(many, s3)
    wait_for(lambda: s3.begun("shards/00000/a0002.log"))
    before = fake.calls
    wait_for(lambda: fake.calls > before + 4)
    assert second.pid
    os.kill(second.pid, signal.SIGSTOP)
    third = start(many, s3)
    wait_for(lambda: s3.begun("shards/00000/a0003.log"))
    os.kill(second.pid, signal.SIGCONT)
    for process in (second, third):
        process.join()
    assert (second.exitcode, third.exitcode) == (75, 0)
    deal = find_deal(s3)
    assert deal and Past(s3, deal, Which(0, 1)).done is not None
    fake.latency = 0
    assert many.job.here().code == 0
    merged = dataclasses.replace(many.job, run=tmp_path / "merged")
    end = here(["shards", "merge", "--run", s3.place, "--into", str(merged.run)])
    assert end.code == 0, end.err
    assert merged.content == many.job.content
