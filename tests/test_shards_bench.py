"""A benchmark in shards: rows of all are those of one machine, or a shard, a deal, a merge is refused."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from benches import siuo
from benching import PLAYED, Run, benched
from fake_server import Fake, serve
from jobs import Ended, here, rows, wait_for
from sharded import start

from ssui_gen.shards.attempts import Past
from ssui_gen.shards.bucket import Bucket
from ssui_gen.shards.dealing import Which, find_deal

OF, SCENARIOS, IN_FLIGHT = 2, 7, 4


@dataclass(frozen=True)
class Many:
    """A run whose benchmark is asked in shards."""

    run: Run
    of: int = OF
    more: tuple[str, ...] = ()

    def command(self, shard: int | str, *more: str) -> list[str]:
        which = shard if isinstance(shard, str) else f"{shard}/{self.of}"
        return self.run.command("--shard", which, *self.more, *more)

    def here(self, shard: int | str, *more: str) -> Ended:
        return here(self.command(shard, *more))

    def start(self, shard: int) -> BaseProcess:
        return start(self.command(shard))

    def all(self, *more: str) -> list[int]:
        return [self.here(number, *more).code for number in range(self.of)]

    def told(self, order: str, *more: str) -> Ended:
        return here(["shards", order, "--run", str(self.run.run), "--stage", "bench", *more])

    def log(self, shard: int, attempt: int = 1) -> Path:
        return self.run.bench / "shards" / f"{shard:05}" / f"a{attempt:04}.log"

    def events(self, shard: int, attempt: int = 1) -> list[tuple[str, Any]]:
        path = self.log(shard, attempt)
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [next(iter(json.loads(line).items())) for line in lines]

    def count(self, kind: str, shard: int, attempt: int = 1, file: str = "") -> int:
        return sum(one == kind and file in str(value) for one, value in self.events(shard, attempt))


class Whole(NamedTuple):
    """On one machine and in shards, not yet merged."""

    one: Run
    calls: int
    many: Many
    calls_of_many: int


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    with serve(answers=PLAYED) as fake:
        one = benched(folder / "one", fake.url, SCENARIOS)
        assert here(one.command()).code == 0
        many, calls = Many(benched(folder / "many", fake.url, SCENARIOS)), fake.calls
        assert many.all() == [0] * OF
        return Whole(one, calls, many, fake.calls - calls)


@pytest.fixture
def done(whole: Whole, fake: Fake, tmp_path: Path) -> Iterator[Many]:
    """All shards, done; what a test does to them is taken back."""
    fake.answers, run = PLAYED, whole.many.run.run
    shutil.copytree(run, tmp_path / "kept")
    yield Many(Run(run, fake.url))
    shutil.rmtree(run)
    shutil.copytree(tmp_path / "kept", run)


def test_rows_of_all_shards_are_those_of_one_machine_and_cost_as_many_calls(
    whole: Whole, done: Many, fake: Fake
) -> None:
    assert whole.calls_of_many == whole.calls
    assert not (done.run.bench / "fake-vlm").exists()
    end = done.told("merge")
    assert end.code == 0, end.err
    assert "each once" in end.out and "report.html" in end.out
    assert done.run.content == whole.one.content and len(done.run.responses) == 2 * SCENARIOS
    for name in ("report.json", "run.json"):
        ours, theirs = (json.loads((one.model / name).read_text()) for one in (done.run, whole.one))
        if name == "report.json":
            assert ours["headline"] == theirs["headline"]
        else:
            assert ours["editions"][0]["edition"] == theirs["editions"][0]["edition"]
    assert [done.here(i).out.strip() for i in range(OF)] == [
        f"Shard {i}/{OF} is done already." for i in range(OF)
    ]
    assert fake.calls == 0
    assert done.told("merge").code == 0, "merged again"


def test_a_scenario_goes_into_one_shard_and_all_shards_have_some(whole: Whole) -> None:
    homes: dict[str, set[str]] = {}
    for file in whole.many.run.bench.glob("shards/*/items-*.jsonl"):
        for row in rows(file):
            homes.setdefault(row["item"]["scenario_id"], set()).add(file.parent.name)
    assert len(homes) == SCENARIOS and all(len(places) == 1 for places in homes.values())
    assert len({place for places in homes.values() for place in places}) == OF


def test_a_killed_shard_goes_on_and_repeats_no_call_that_was_logged(tmp_path: Path, whole: Whole) -> None:
    """Killed among the answers, then among the judgements, each time in a process of its own."""
    log = tmp_path / "calls.txt"
    with serve(answers=PLAYED, latency=0.02, log=log) as fake:
        config = tmp_path / "pace.yaml"
        pace = {"calls_in_flight": IN_FLIGHT, "most_calls_in_flight": IN_FLIGHT, "seeds_in_flight": 6}
        config.write_text(json.dumps({"limits": pace}))
        many = Many(benched(tmp_path, fake.url, SCENARIOS), of=1, more=("--config", str(config)))
        logged = 0
        for attempt, file in ((1, "responses"), (2, "judgements")):
            process = many.start(0)
            wait_for(lambda: many.count("row", 0, attempt, file) >= 3)  # noqa: B023
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
            wait_for(lambda: fake.in_flight == 0)
            logged += many.count("call", 0, attempt)
            assert fake.calls - logged <= attempt * IN_FLIGHT
        lost = fake.calls - logged
        process = many.start(0)
        process.join()
        assert process.exitcode == 0
        ids = [value[0] for n in (1, 2, 3) for kind, value in many.events(0, n) if kind == "call"]
        assert len(ids) == len(set(ids)) == fake.calls - lost == whole.calls
    assert many.told("merge").code == 0
    assert many.run.content == whole.one.content


def test_another_number_of_shards_bench_or_limit_midway_is_refused(done: Many, fake: Fake) -> None:
    done.log(1).unlink()
    for more in (["--shard", "1/5"], ["--limit", "2"], ["--data", str(done.run.run)]):
        end = done.here(1, *more)
        assert end.code == 1 and "was dealt otherwise" in end.err, (more, end)
    assert (fake.calls, done.log(1).exists()) == (0, False)


def test_another_make_is_refused_before_the_shard_is_taken_over(
    done: Many, fake: Fake, tmp_path: Path
) -> None:
    done.log(1).unlink()
    config = tmp_path / "bench.yaml"
    config.write_text(json.dumps({"bench": {"draws": 2}}))
    for more, why in (
        (["--config", str(config)], "bench"),
        (["--protocol", "as_is"], "policy"),
        (["--score", "rsbench"], "bench.score"),
        (["--mix"], "--mix"),
        (["--dry"], "--dry"),
    ):
        end = done.here(1, *more)
        assert end.code == 1 and why in end.err, (more, end)
    assert (fake.calls, fake.probes, done.log(1).exists()) == (0, 0, False)


def test_another_model_is_refused_before_it_is_asked(done: Many, fake: Fake) -> None:
    done.log(1).unlink()
    fake.models = ("other-vlm",)
    end = done.here(1)
    assert end.code == 1 and "fake-vlm/run.json; this one would make other-vlm/run.json" in end.err
    assert fake.calls == 0
    assert "2 of" not in done.told("merge").err and done.told("merge").code == 1


def test_merge_wants_every_shard_done_and_every_row_once(done: Many, whole: Whole) -> None:
    whole_log = done.log(1).read_bytes()
    done.log(1).unlink()
    end = done.told("merge")
    assert end.code == 1 and f"1 of {OF} shards are not done: 1:" in end.err
    assert done.told("status", "--lacking").out == "1\n"
    lines = whole_log.splitlines(keepends=True)
    row = next(line for line in lines if b"responses.jsonl" in line)
    judged = next(line for line in lines if b"judgements.jsonl" in line)
    foreign = re.sub(rb'\{"id":"[^"]*', b'{"id":"else', judged)
    for changed, why in [
        ([*lines[:-1], row, lines[-1]], "twice"),
        ([line for line in lines if line != row], "expected a row"),
        ([line for line in lines if line != judged], "judgements.jsonl"),
        ([*lines[:-1], foreign, lines[-1]], "is of no item that was dealt"),
        ([*lines[:-1], row.replace(b"fake-vlm/resp", b"../../resp"), lines[-1]], "does not write"),
        ([*lines[:-1], row.replace(b"fake-vlm/resp", b"../resp"), lines[-1]], "does not write"),
        ([*lines[:-2], lines[-2][:40] + b"\n", lines[-1]], "damaged before its end"),
    ]:
        done.log(1).write_bytes(b"".join(changed))
        end = done.told("merge")
        assert end.code == 1 and why in end.err, (why, end)
        assert not (done.run.model / "responses.jsonl").exists()
    done.log(1).write_bytes(whole_log)
    assert done.told("merge").code == 0 and done.run.content == whole.one.content


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("models.json", "fake-vlm/run.json", "../run.json", "names files that no model has"),
        ("models.json", "fake-vlm/run.json", "a/b/run.json", "names files that no model has"),
        ("models.json", '"draws": 1', '"draws": "some"', "models.json: fake-vlm/run.json: bench: draws"),
        ("shards.json", '"folder": "bench"', '"folder": "../bench"', "folder"),
        ("shards.json", '"folder": "bench"', '"folder": "bench/../.."', "folder"),
        ("bench.jsonl", "Question 0?", "Question 9?", "holds other items"),
    ],
)
def test_what_nobody_of_ours_wrote_is_refused_with_its_place(
    done: Many, name: str, old: str, new: str, why: str
) -> None:
    file = done.run.bench / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    end = done.told("merge")
    assert end.code == 1 and why in end.err, end
    assert not (done.run.model / "responses.jsonl").exists()


def test_a_benchmark_that_was_dealt_is_asked_by_no_other_way_and_replaces_nothing(
    done: Many, fake: Fake, tmp_path: Path
) -> None:
    end = here(done.run.command())
    assert end.code == 1 and "was dealt into shards" in end.err
    other = benched(tmp_path / "other", fake.url, 2)
    assert here(other.command()).code == 0
    before = other.content
    end = done.told("merge", "--into", str(other.run))
    assert end.code == 1 and "holds other items" in end.err and other.content == before
    same = tmp_path / "new"
    assert done.told("merge", "--into", str(same)).code == 0
    assert Run(same, fake.url).content and (same / "bench" / "bench.json").is_file()
    assert here(Run(same, fake.url).command()).code == 0, "goes on there as on one machine"


def test_calls_that_failed_are_asked_again_when_a_shard_is_opened_again(fake: Fake, tmp_path: Path) -> None:
    fake.answers = PLAYED
    many = Many(benched(tmp_path, fake.url), of=2)
    lost = next((many.run.bench / "pictures").glob("0-1.png"))
    assert many.told("deal", "--shards", "2").code == 0
    kept = lost.read_bytes()
    lost.unlink()
    assert many.all() == [0, 0]
    lost.write_bytes(kept)
    end = many.told("retry")
    home = next(i for i in range(2) if b"image_missing" in many.log(i).read_bytes())
    assert f"Open again: {home}:" in end.out
    before = fake.calls
    assert many.all() == [0, 0] and 0 < fake.calls - before < 20
    assert many.told("merge").code == 0
    assert {row["status"] for row in many.run.responses} == {"ok"}
    one = benched(tmp_path / "one", fake.url)
    assert here(one.command()).code == 0
    assert one.content == many.run.content


def test_a_copy_of_somebodys_benchmark_is_asked_in_shards_on_an_object_store(
    fake: Fake, tmp_path: Path
) -> None:
    """Its own rules score it too; what was unfit is told in the merged run."""
    fake.answers = PLAYED
    copy = siuo(tmp_path / "copy")
    which = ["--bench", "siuo", "--data", str(copy)]
    place = f"memory://bucket/{tmp_path.name}"
    one = Run(tmp_path / "one", fake.url)
    assert here(one.command(*which)).code == 0
    calls = fake.calls
    command = ["bench", "run", "--run", place, "--base-url", fake.url, *which]
    ends = [here([*command, "--shard", f"{number}/2"]) for number in range(2)]
    assert [end.code for end in ends] == [0, 0], ends
    store = Bucket.at(place).within("bench-siuo")
    deal = find_deal(store)
    assert deal
    pasts = [Past(store, deal, Which(number, 2)) for number in range(2)]
    asked = [value[0] for past in pasts for kind, value in past.events() if kind == "call"]
    assert fake.calls - calls == len(asked) and len({*asked}) == calls
    into = Run(tmp_path / "merged", fake.url)
    end = here(["shards", "merge", "--run", place, "--bench", "siuo", "--into", str(into.run)])
    assert end.code == 0, end.err
    for name in ("responses", "judgements", "official", "rejects"):
        ours, theirs = (
            sorted(map(json.dumps, rows(run.run / "bench-siuo" / "fake-vlm" / f"{name}.jsonl")))
            for run in (into, one)
        )
        assert ours == theirs and (ours or name == "rejects"), name
    assert here(["bench", "run", "--run", place, "--base-url", fake.url, "--shard", "0/2"]).code == 1


def test_what_is_dealt_by_a_command_of_its_own_is_what_shards_deal_themselves(
    fake: Fake, tmp_path: Path
) -> None:
    fake.answers = PLAYED
    many = Many(benched(tmp_path, fake.url), of=2)
    end = many.told("deal", "--shards", "2", "--limit", "2")
    assert end.code == 0 and "4 items in 2 shards" in end.out and "bench run" in end.out
    assert many.all() == [0, 0] and many.told("merge").code == 0
    assert len(many.run.responses) == 4
    assert "items dealt" in many.told("status").out
    assert many.told("deal", "--shards", "2", "--seeds", "x.jsonl").code == 1
    assert here(["shards", "deal", "--run", str(many.run.run), "--shards", "2"]).code == 1


def test_a_model_beside_another_is_merged_with_its_report_against_it(fake: Fake, tmp_path: Path) -> None:
    """A shard that measures one of them alone is refused: no figure would be of the same items."""
    fake.answers, fake.models = PLAYED, ("fake-vlm", "tuned")
    config = tmp_path / "two.yaml"
    vlm = {"name": "fake-vlm", "base_urls": [fake.url]}
    config.write_text(json.dumps({"models": {"vlm": vlm, "adapter": vlm | {"name": "tuned"}}}))
    many = Many(benched(tmp_path, fake.url), of=2)
    assert many.here(0, "--config", str(config)).code == 0
    end = many.here(1, "--model", "fake-vlm")
    assert end.code == 1 and "this one would make fake-vlm/run.json: ask the same models" in end.err
    assert many.here(1, "--config", str(config)).code == 0
    assert many.told("merge").code == 0
    report = json.loads((many.run.bench / "tuned" / "report.json").read_text())
    assert report["baseline"] and len(rows(many.run.bench / "tuned" / "responses.jsonl")) == 6


@pytest.mark.slow
def test_a_shard_of_a_benchmark_stops_at_its_limit_and_goes_on_with_more(fake: Fake, tmp_path: Path) -> None:
    fake.answers = PLAYED
    many = Many(benched(tmp_path, fake.url), of=1)
    end = many.here(0, "--most-tokens", "3000")
    assert end.code == 3 and "the same command with --most-tokens" in end.out
    before = fake.calls
    assert before and many.told("status", "--lacking").out == "0\n"
    assert many.here(0).code == 0 and many.told("merge").code == 0
    assert len(many.run.responses) == 6 and len(many.run.judgements) == 42
