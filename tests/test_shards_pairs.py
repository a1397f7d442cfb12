"""Pairs in shards: each path explored whole by one of them, pairs made of all rows when they are merged."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from exploring import PATHS, command, explored, half_benign, judge, pairs, policy, seldom
from fake_server import Fake, serve
from jobs import Ended, Job, here, rows, wait_for
from sharded import start

from ssui_gen.errors import ConfigError
from ssui_gen.shards.dealing import Deal
from ssui_gen.shards.paths import lay_out

PLAYED = {"none": policy, "judge: right": judge}


@dataclass(frozen=True)
class Many:
    """A run whose paths are explored in shards."""

    todo: Job
    of: int

    def command(self, shard: int, *more: str) -> list[str]:
        return [*command(self.todo, "--shard", f"{shard}/{self.of}"), *more]

    def here(self, shard: int, *more: str) -> Ended:
        return here(self.command(shard, *more))

    def start(self, shard: int) -> BaseProcess:
        return start(self.command(shard))

    def all(self) -> list[int]:
        return [self.here(number).code for number in range(self.of)]

    def told(self, order: str, *more: str) -> Ended:
        return here(["shards", order, "--run", str(self.todo.run), "--stage", "pairs", *more])

    def log(self, shard: int, attempt: int = 1) -> Path:
        return self.todo.run / "pairs" / "shards" / f"{shard:05}" / f"a{attempt:04}.log"

    def count(self, kind: str, shard: int, attempt: int = 1) -> int:
        path = self.log(shard, attempt)
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return sum(next(iter(json.loads(line))) == kind for line in lines)


def content(run: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of both files, by id: they stand in the order in which they ended."""
    found = {name: rows(run / f"{name}.jsonl") for name in ("branches", "pairs")}
    return {name: sorted(some, key=lambda row: str(row["id"])) for name, some in found.items()}


def linked(page: Path) -> list[str]:
    """Files beside a page to which it leads."""
    found = re.findall(r'href="([^"#:]+)"', page.read_text("utf-8"))
    assert found, page
    return found


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    """A run with paths, and a server that plays policy and judge from here on."""
    fake.answers = PLAYED
    return explored(tmp_path / "many", fake.url)


def test_one_shard_gives_what_one_machine_gives_for_as_many_calls(
    made: Job, fake: Fake, tmp_path: Path
) -> None:
    one = explored(tmp_path / "one", fake.url)
    assert pairs(one).code == 0
    calls, many = fake.calls, Many(made, 1)
    assert many.all() == [0] and fake.calls == 2 * calls
    assert not (made.run / "branches.jsonl").exists(), "nothing counts before it is merged"
    end = many.told("merge")
    assert end.code == 0, end.err
    assert content(made.run) == content(one.run)
    assert f"{len(rows(one.run / 'pairs.jsonl'))} pairs in" in end.out and "Next: " in end.out
    for page in ("pairs.html", "dataset.html"):
        assert not [name for name in linked(made.run / page) if not (made.run / name).exists()]
    assert pairs(made).code == 0 and content(made.run) == content(one.run), "it goes on as any other run"
    assert fake.calls == 2 * calls


def test_a_cut_that_is_drawn_from_again_has_its_last_row_alone(made: Job, fake: Fake, tmp_path: Path) -> None:
    one, judged = explored(tmp_path / "one", fake.url), tmp_path / "judged.yaml"
    careful, *never = half_benign(made)
    assert half_benign(one) == [careful, *never]
    fake.answers = {"none": seldom(careful, never), "judge: right": judge}
    judged.write_text("verify: {by: [judge]}")
    assert "benign pairs are rarer" in pairs(one, "--config", str(judged)).out
    many = Many(made, 1)
    assert many.here(0, "--config", str(judged)).code == 0
    logged = [
        json.loads(line)["row"][1]["id"]
        for line in many.log(0).read_text().splitlines()
        if line.startswith('{"row"')
    ]
    assert len(logged) > len(set(logged)) == 6 * PATHS
    assert many.told("merge").code == 0
    assert content(made.run) == content(one.run)


def test_every_path_is_explored_once_by_one_of_several(made: Job, fake: Fake) -> None:
    many = Many(made, 3)
    dealt = many.told("deal", "--shards", "3", "--uncurated", "--seeds", str(made.seeds))
    assert dealt.code == 0 and f"{PATHS} paths in 3 shards" in dealt.out, dealt.err
    assert [many.here(number).code for number in (2, 0)] == [0, 0]
    lacks = many.told("merge")
    assert lacks.code == 1 and "1 of 3 shards are not done: 1" in lacks.err
    assert pairs(made).code == 1, "what is dealt is no one machine's"
    assert many.here(1).code == 0 and "is done already" in many.here(1).out
    assert many.told("merge").code == 0
    cuts = rows(made.run / "branches.jsonl")
    assert Counter(cut["path_id"] for cut in cuts) == {path["id"]: 6 for path in made.paths}
    found = rows(made.run / "pairs.jsonl")
    assert found and {pair["path_id"] for pair in found} <= {path["id"] for path in made.paths}
    assert many.told("merge").code == 0 and rows(made.run / "pairs.jsonl") == found


def test_rows_that_a_merge_replaces_are_kept(made: Job) -> None:
    assert pairs(made).code == 0
    before = rows(made.run / "branches.jsonl")
    many = Many(made, 1)
    assert many.here(0, "--limit", "2").code == 0
    end = many.told("merge")
    assert end.code == 0 and "What they replace is kept in" in end.out
    assert len(rows(made.run / "branches.jsonl")) == 12 and rows(made.run / "branches.former.jsonl") == before


def test_what_is_unfit_is_a_reject_of_its_shard_and_a_missing_picture_is_tried_again(made: Job) -> None:
    kept, *others = made.paths
    empty = others[0] | {"steps": [others[0]["steps"][0] | {"text": " "}, *others[0]["steps"][1:]]}
    text = "".join(json.dumps(row) + "\n" for row in (kept, empty, *others[1:]))
    (made.run / "reasoning_paths.jsonl").write_text(text + "{}\n")
    picture = made.seeds.parent / kept["image"]["path"]
    away = picture.rename(picture.with_suffix(".away"))
    many = Many(made, 2)
    assert many.all() == [0, 0]
    assert many.told("merge").code == 0
    reasons = {row["seed_id"]: row["reason"] for row in rows(made.run / "pairs_rejects.jsonl")}
    assert reasons.pop(kept["id"]) == "image_missing"
    assert Counter(reasons.values()) == {"path_invalid": 2} and empty["id"] in reasons
    away.rename(picture)
    assert many.told("retry").code == 0
    assert many.all() == [0, 0] and many.told("merge").code == 0
    assert kept["id"] not in {row["seed_id"] for row in rows(made.run / "pairs_rejects.jsonl")}
    assert kept["id"] in {cut["path_id"] for cut in rows(made.run / "branches.jsonl")}


def test_a_killed_shard_goes_on_and_repeats_no_call_that_was_logged(tmp_path: Path) -> None:
    log = tmp_path / "calls.txt"
    with serve(answers=PLAYED, latency=0.01, log=log) as fake:
        many = Many(explored(tmp_path / "many", fake.url), 1)
        one = explored(tmp_path / "one", fake.url)
        assert pairs(one).code == 0
        before = fake.calls
        process = many.start(0)
        wait_for(lambda: many.count("row", 0) >= 8 or not process.is_alive())
        process.kill()
        process.join()
        assert process.exitcode == -9
        wait_for(lambda: fake.in_flight == 0)
        known = many.count("call", 0)
        assert 0 < known < before and many.count("row", 0) > 0
        begun = fake.calls
        assert many.here(0).code == 0
        assert fake.calls - begun == many.count("call", 0, 2)
        assert known + many.count("call", 0, 2) == before, "no logged call is asked again"
        assert many.told("merge").code == 0
        assert content(many.todo.run) == content(one.run)


def test_a_deal_names_no_other_file_of_a_shard(tmp_path: Path) -> None:
    deal = Deal(stage="pairs", source="/shared/pairs.json", root="/", limit=None, dealt=())
    with pytest.raises(ConfigError, match=r"pairs\.json: was dealt as paths: expected a reasoning_paths"):
        lay_out(deal, lambda: (), tmp_path)
    assert not [*tmp_path.iterdir()]


def test_other_paths_settings_and_places_are_refused(made: Job) -> None:
    many = Many(made, 2)
    assert many.here(0).code == 0
    other = made.folder / "other.yaml"
    other.write_text("explore: {k: 3}")
    assert "explore" in many.here(1, "--config", str(other)).err
    (made.run / "curated.jsonl").write_text((made.run / "reasoning_paths.jsonl").read_text())
    refused = many.here(1)
    assert refused.code == 1 and "the file of paths" in refused.err and "curated.jsonl" in refused.err
    (made.run / "curated.jsonl").unlink()
    asking = made.folder / "asking.yaml"
    asking.write_text("explore: {recovery: {cuts: 1}}\npairs: {first_bad: ask}")
    assert "nobody says it before all shards are merged" in many.here(1, "--config", str(asking)).err
    assert many.here(1, "--dry").code == 1
    assert many.here(1).code == 0 and many.told("merge").code == 0
