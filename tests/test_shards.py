"""A dataset in shards: rows of all are those of one machine, or a shard, a deal, a merge is refused."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from pathlib import Path

import pytest
from fake_server import Fake, serve
from jobs import Job, here, job, plain
from sharded import ANSWERS, SEEDS, Sharded

from ssui_gen.errors import ConfigError
from ssui_gen.shards.dealing import ranges, which_shard

OF = 3


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, int]:
    """A run on one machine, and how many calls it took."""
    with serve(answers=ANSWERS) as fake:
        done = job(tmp_path_factory.mktemp("whole"), fake.url, SEEDS[-14:])
        assert done.here().code == 0
        return done, fake.calls


def sharded(tmp_path: Path, fake: Fake, seeds: list[dict[str, str]] | None = None, of: int = OF) -> Sharded:
    fake.answers = ANSWERS
    return Sharded(job(tmp_path, fake.url, plain(3) if seeds is None else seeds), of, tmp_path / "big")


def test_rows_of_all_shards_are_those_of_one_machine(
    whole: tuple[Job, int], fake: Fake, tmp_path: Path
) -> None:
    """Duplicates, invalid rows and missing pictures among them."""
    one, calls = whole
    fake.answers = ANSWERS
    many = Sharded(dataclasses.replace(one, url=fake.url), OF, tmp_path / "big")
    assert [end.code for end in many.all()] == [0] * OF
    assert fake.calls == calls
    assert many.merged == one.content
    made_by = {call for row in dataclasses.replace(one, run=many.run).paths for call in row["made_by"]}
    with sqlite3.connect(many.run / "calls.sqlite") as db:
        assert made_by <= {id for (id,) in db.execute("SELECT id FROM calls")}
    assert [end.out.strip() for end in many.all()] == [f"Shard {i}/{OF} is done already." for i in range(OF)]
    assert fake.calls == calls
    assert here(["curation", "export", "--run", str(many.run), "--as", "ana"]).code == 0


def test_a_run_of_shards_lies_on_an_object_store_too(fake: Fake, tmp_path: Path) -> None:
    """fsspec's own, in memory; a real one's emulator is asked where it is installed (`test_shards_s3`)."""
    many = sharded(tmp_path, fake, SEEDS[-6:], of=3)
    assert many.job.here().code == 0
    calls, place = fake.calls, f"memory://bucket/{tmp_path.name}"
    ends = [many.here(number, "--run", place) for number in range(3)]
    assert [end.code for end in ends] == [0, 0, 0], ends
    into = dataclasses.replace(many.job, run=tmp_path / "merged")
    end = here(["shards", "merge", "--run", place, "--into", str(into.run)])
    assert (end.code, fake.calls) == (0, 2 * calls), end.err
    assert into.content == many.job.content
    assert "into which folder" in here(["shards", "merge", "--run", place]).err
    assert "in shards only" in here(many.job.command("--run", place)).err


def test_seeds_of_one_picture_go_together(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, plain(40), of=5)
    assert many.told("deal", "--seeds", str(many.job.seeds), "--shards", "5").code == 0
    homes: dict[str, set[str]] = {}
    for file in many.run.glob("shards/*/seeds-*.jsonl"):
        for line in file.read_text().splitlines():
            homes.setdefault(json.loads(line)["seed"]["image"], set()).add(file.parent.name)
    assert len(homes) == 8 and all(len(places) == 1 for places in homes.values())
    assert len({place for places in homes.values() for place in places}) > 1


def test_a_folder_of_pictures_and_a_limit_are_dealt_as_they_are_read(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, of=2)
    more = ["--seeds", str(tmp_path), "--limit", "3"]
    assert many.job.here(*more).code == 0
    assert [end.code for end in many.all(*more)] == [0, 0]
    assert many.merged == many.job.content


@pytest.mark.parametrize("change", ["N", "seeds", "limit"])
def test_another_deal_is_refused(fake: Fake, tmp_path: Path, change: str) -> None:
    many = sharded(tmp_path, fake)
    assert many.here(0).code == 0
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(plain(1)[0]) + "\n")
    more = {"N": ["--shard", "0/8"], "seeds": ["--seeds", str(other)], "limit": ["--limit", "2"]}
    end = many.here(1, *more[change])
    assert end.code == 1 and "was dealt otherwise" in end.err and "take a new RUN" in end.err
    assert not many.log(1).exists()


@pytest.mark.parametrize("edit", ["changed", "gone"])
def test_seeds_of_a_shard_that_were_edited_are_refused(fake: Fake, tmp_path: Path, edit: str) -> None:
    many = sharded(tmp_path, fake, of=1)
    assert many.told("deal", "--seeds", str(many.job.seeds), "--shards", "1").code == 0
    file = next(many.folder(0).glob("seeds-*"))
    text = file.read_text().replace("1.png", "2.png")
    file.unlink()
    if edit == "changed":
        file.write_text(text)
    end = many.here(0)
    assert end.code == 1 and "expected the seeds as they were dealt" in end.err
    assert fake.calls == 0


def test_another_prompt_is_refused_before_the_shard_is_taken_over(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, of=2)
    assert many.here(0).code == 0
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"language": "German", "twins": False}))
    end, calls = many.here(1), fake.calls
    assert end.code == 1 and "language" in end.err and "twins True → False" in end.err
    assert not many.log(1).exists() and fake.calls == calls


def test_another_model_is_refused_and_what_was_mixed_is_not_merged_unasked(
    fake: Fake, tmp_path: Path
) -> None:
    fake.models = ("fake-vlm", "other-vlm")
    many = sharded(tmp_path, fake, of=2)
    assert many.here(0, "--model", "fake-vlm").code == 0
    calls = fake.calls
    end = many.here(1, "--model", "other-vlm")
    assert end.code == 1 and "vlm fake-vlm → other-vlm" in end.err
    assert fake.calls == calls
    assert many.here(1, "--model", "other-vlm", "--mix").code == 0
    assert "made with something else" in many.told("merge").err
    assert many.told("merge", "--mix").code == 0


def test_another_version_of_this_package_is_refused(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, of=2)
    assert many.here(0).code == 0
    made = json.loads((many.run / "run.json").read_text())
    (many.run / "run.json").write_text(json.dumps(made | {"ssui_gen": "0.0.1"}))
    end = many.here(1)
    assert end.code == 1 and "ssui_gen 0.0.1 →" in end.err and not many.log(1).exists()
    assert many.here(1, "--mix").code == 0


def test_a_log_of_another_job_is_refused(fake: Fake, tmp_path: Path) -> None:
    first = sharded(tmp_path / "first", fake, of=1)
    second = sharded(tmp_path / "second", fake, of=1)
    for one in (first, second):
        assert one.told("deal", "--seeds", str(one.job.seeds), "--shards", "1").code == 0
    assert first.here(0).code == 0
    second.log(0).write_bytes(first.log(0).read_bytes())
    end = second.here(0)
    assert end.code == 1 and "of another job" in end.err


def test_merge_wants_every_shard_done_and_every_item_once(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, of=2)
    assert many.here(1).code == 0
    end = many.told("merge")
    assert end.code == 1 and "1 of 2 shards are not done: 0:" in end.err
    assert many.told("status", "--lacking").out == "0\n"
    assert many.here(0).code == 0
    logged = many.log(0).read_bytes()
    lines = logged.splitlines(keepends=True)
    row = next(line for line in lines if line.startswith(b'{"row"'))
    foreign = row.replace(b'"seed_id":"s', b'"seed_id":"t')
    for changed, why in [
        ([*lines[:-1], row, lines[-1]], "twice"),
        ([line for line in lines if line != row], "expected benign and risky"),
        ([*lines[:-1], foreign, lines[-1]], "was not dealt to this shard"),
        ([*lines[:-2], lines[-2][:40] + b"\n", lines[-1]], "damaged before its end"),
    ]:
        many.log(0).write_bytes(b"".join(changed))
        end = many.told("merge")
        assert end.code == 1 and why in end.err, (why, end)
        assert not (many.run / "reasoning_paths.jsonl").exists()
    many.log(0).write_bytes(logged)
    assert many.told("merge").code == 0


def test_rejects_that_circumstances_made_are_tried_again_when_asked(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, [*plain(3), {"id": "late", "image": "late.png"}], of=2)
    assert [end.code for end in many.all()] == [0, 0]
    (tmp_path / "late.png").write_bytes((tmp_path / "1.png").read_bytes())
    assert many.job.here().code == 0
    assert many.merged != many.job.content
    end = many.told("retry")
    home = next(i for i in range(2) if b'"late"' in many.log(i).read_bytes())
    assert f"Open again: {home}:" in end.out
    assert many.told("status", "--lacking").out == f"{home}\n"
    calls = fake.calls
    assert [end.code for end in many.all()] == [0, 0]
    assert many.merged == many.job.content
    assert 0 < fake.calls - calls < 30
    assert "No shard holds a reject" in many.told("retry").out
    assert "Open again: 1:" in many.told("retry", "1").out


def test_a_shard_that_this_machine_cannot_do_may_be_tried_elsewhere(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, of=1)
    with serve() as gone:
        url = gone.url
    assert many.here(0, "--base-url", url).code == 75
    fake.api_key = "secret"
    assert many.here(0).code == 1
    fake.api_key = None
    assert many.here(0).code == 0
    assert many.told("merge").code == 0


def test_a_run_that_was_dealt_is_no_run_of_one_machine(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake)
    assert "say which seeds" in here([*many.command(0)[:3], "--shard", "0/3"]).err
    assert many.here(0).code == 0
    end = here(many.job.command("--run", str(many.run)))
    assert end.code == 1 and "was dealt into shards" in end.err


@pytest.mark.parametrize("text", ["", "1", "4/4", "-1/4", "a/4", "auto/", "auto/4", "1/4/2", "٣/4"])
def test_a_shard_is_named_by_its_number_and_how_many_there_are(text: str) -> None:
    with pytest.raises(ConfigError, match="--shard"):
        which_shard(text, {})


def test_a_scheduler_may_say_which_shard() -> None:
    assert which_shard("auto/4", {"SLURM_ARRAY_TASK_ID": "3"}) == (3, 4)
    assert which_shard("auto/4", {"JOB_COMPLETION_INDEX": "0"}) == (0, 4)
    for said in ({"SLURM_ARRAY_TASK_ID": "4"}, {"SLURM_ARRAY_TASK_ID": "1", "JOB_COMPLETION_INDEX": "2"}):
        with pytest.raises(ConfigError, match="--shard"):
            which_shard("auto/4", said)


def test_shards_are_told_as_a_scheduler_takes_them() -> None:
    assert ranges([]) == ""
    assert ranges([0, 3, 4, 5, 9]) == "0,3-5,9"
