"""The shortest proof on a real Ray cluster: two nodes, one of which is lost, and every row there once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_server import Fake
from jobs import Job, ended, job, plain, wait_for
from ray_nodes import nodes
from sharded import ANSWERS, Sharded
from test_cluster import SLOW, logged, shards_at_work, start

pytestmark = pytest.mark.cluster
OF, IN_FLIGHT = 4, 3
SECONDS = 400
"""A Ray takes its time on a busy machine."""


def test_a_node_is_lost_midway_and_every_row_is_there_once(fake: Fake, tmp_path: Path) -> None:
    fake.answers, fake.latency = ANSWERS, SLOW
    made = job(tmp_path, fake.url, plain(16), calls_in_flight=IN_FLIGHT, steer=False)
    todo = Sharded(made, OF, made.run)
    assert todo.told("deal", "--seeds", str(made.seeds), "--shards", str(OF)).code == 0
    with nodes(2, MARK=str(os.getpid())) as cluster:
        driver = start(made, cluster.address)
        wait_for(lambda: driver.poll() is not None or (len(shards_at_work()) > 2 and logged(todo)), SECONDS)
        cluster.kill(0)
        fake.latency = 0.1
        end = ended(driver, SECONDS)
        assert end.code == 0, end
        assert "lost; shards" in end.out and "each once" in end.out
        assert not shards_at_work()
    fake.latency = 0.0
    once = Job(made.folder, tmp_path / "once", made.url)
    assert once.here().code == 0
    assert made.content == once.content and len(once.content) == 32
