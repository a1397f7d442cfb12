"""A dataset in shards: rows of all are those of one machine, or a shard, a deal, a merge is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fake_server import Fake, serve
from jobs import Job, here, job, plain
from sharded import ANSWERS, SEEDS, Sharded

from ssui_gen.cli import _parser
from ssui_gen.errors import ConfigError
from ssui_gen.shards.dealing import ranges, which_shard

OF = 3


class Whole(NamedTuple):
    """A run on one machine and the same in shards, not yet merged."""

    job: Job
    calls: int
    many: Sharded
    calls_of_many: int


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    with serve(answers=ANSWERS) as fake:
        one = job(tmp_path_factory.mktemp("whole"), fake.url, SEEDS[-9:])
        assert one.here().code == 0
        many, calls = Sharded(one, OF, one.folder / "big"), fake.calls
        assert [end.code for end in many.all()] == [0] * OF
        return Whole(one, calls, many, fake.calls - calls)


@pytest.fixture
def done(whole: Whole, fake: Fake, tmp_path: Path) -> Sharded:
    """A copy of all shards, done."""
    fake.answers = ANSWERS
    shutil.copytree(whole.many.run, tmp_path / "big")
    return Sharded(dataclasses.replace(whole.job, url=fake.url), OF, tmp_path / "big")


@pytest.fixture
def begun(done: Sharded) -> Sharded:
    """The same without the log of shard 1."""
    done.log(1).unlink()
    return done


def sharded(tmp_path: Path, fake: Fake, seeds: list[dict[str, str]] | None = None, of: int = OF) -> Sharded:
    fake.answers = ANSWERS
    return Sharded(job(tmp_path, fake.url, plain(3) if seeds is None else seeds), of, tmp_path / "big")


def test_rows_of_all_shards_are_those_of_one_machine(whole: Whole, done: Sharded, fake: Fake) -> None:
    """Duplicates, invalid rows and missing pictures among them."""
    assert whole.calls_of_many == whole.calls
    assert len(whole.job.reasons) >= 3
    assert done.merged == whole.job.content
    made_by = {call for row in dataclasses.replace(whole.job, run=done.run).paths for call in row["made_by"]}
    with sqlite3.connect(done.run / "calls.sqlite") as db:
        assert made_by <= {id for (id,) in db.execute("SELECT id FROM calls")}
    assert [end.out.strip() for end in done.all()] == [f"Shard {i}/{OF} is done already." for i in range(OF)]
    assert fake.calls == 0
    assert here(["curation", "export", "--run", str(done.run), "--as", "ana"]).code == 0


def test_a_run_of_shards_lies_on_an_object_store_too(fake: Fake, tmp_path: Path) -> None:
    """fsspec's own, in memory; a real one's emulator is asked where it is installed (`test_shards_s3`)."""
    many = sharded(tmp_path, fake, SEEDS[-5:], of=2)
    assert many.job.here().code == 0
    calls, place = fake.calls, f"memory://bucket/{tmp_path.name}"
    ends = [many.here(number, "--run", place) for number in range(2)]
    assert [end.code for end in ends] == [0, 0], ends
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


@pytest.mark.slow
def test_a_folder_of_pictures_and_a_limit_are_dealt_as_they_are_read(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, of=2)
    more = ["--seeds", str(tmp_path), "--limit", "3"]
    assert many.job.here(*more).code == 0
    assert [end.code for end in many.all(*more)] == [0, 0]
    assert many.merged == many.job.content


@pytest.mark.parametrize("change", ["N", "seeds", "limit"])
def test_another_deal_is_refused(begun: Sharded, fake: Fake, tmp_path: Path, change: str) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(plain(1)[0]) + "\n")
    more = {"N": ["--shard", "1/8"], "seeds": ["--seeds", str(other)], "limit": ["--limit", "2"]}
    end = begun.here(1, *more[change])
    assert end.code == 1 and "was dealt otherwise" in end.err and "take a new RUN" in end.err
    assert not begun.log(1).exists()


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


def test_another_prompt_is_refused_before_the_shard_is_taken_over(
    begun: Sharded, fake: Fake, tmp_path: Path
) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps({"language": "German", "twins": False}))
    end = begun.here(1, "--config", str(config))
    assert end.code == 1 and "language" in end.err and "twins True → False" in end.err
    assert not begun.log(1).exists() and fake.calls == fake.probes == 0


def test_another_version_of_this_package_is_refused(begun: Sharded) -> None:
    made = json.loads((begun.run / "run.json").read_text())
    (begun.run / "run.json").write_text(json.dumps(made | {"ssui_gen": "0.0.1"}))
    end = begun.here(1)
    assert end.code == 1 and "ssui_gen 0.0.1 →" in end.err and not begun.log(1).exists()


@pytest.mark.slow
def test_another_model_is_refused_and_what_was_mixed_is_not_merged_unasked(
    begun: Sharded, fake: Fake
) -> None:
    fake.models = ("other-vlm",)
    end = begun.here(1)
    assert end.code == 1 and "vlm fake-vlm → other-vlm" in end.err
    assert fake.calls == 0
    assert begun.here(1, "--mix").code == 0
    assert "made with something else" in begun.told("merge").err
    assert begun.told("merge", "--mix").code == 0


def test_a_log_of_another_job_is_refused(done: Sharded, fake: Fake, tmp_path: Path) -> None:
    other = sharded(tmp_path / "other", fake, of=1)
    assert other.told("deal", "--seeds", str(other.job.seeds), "--shards", "1").code == 0
    other.log(0).write_bytes(done.log(0).read_bytes())
    end = other.here(0)
    assert end.code == 1 and "of another job" in end.err


HEADED = {"number": 2, "chain": [], "deal": "", "shard": 1, "ssui_gen": "", "host": "", "pid": 1, "nonce": ""}


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"done": ["all"]}, "done: the row"),
        ({"done": {"kept": None}}, "done: kept"),
        ({"done": {"weather": 3}}, "done: weather"),
        ({"attempt": HEADED | {"chain": [["../../../notes.log", 9]]}}, ":1: chain"),
        ({"attempt": HEADED | {"chain": [["a\0b", 9]]}}, ":1: chain"),
    ],
)
def test_what_no_attempt_writes_is_refused_with_its_place_and_not_tried_elsewhere(
    done: Sharded, event: dict[str, Any], why: str
) -> None:
    """Nor does a log name files that are none of its own."""
    if "done" in event:
        *kept, _ = done.log(1).read_bytes().splitlines(keepends=True)
        done.log(1).write_bytes(b"".join(kept) + json.dumps(event).encode() + b"\n")
    else:
        done.log(1, 2).write_text(json.dumps(event) + "\n")
    for end in (done.told("status"), done.told("retry"), done.told("merge"), done.here(1)):
        assert end.code == 1
        assert re.search(
            rf"shards/00001/a000[12]\.log.*{why}.*another version of ssui_gen, or edited", end.err
        )


@pytest.mark.parametrize(
    "call", [[["id"], "query", {}, {}, 0.0], ["id", "query", "asked", {}, 0.0], {"id": 1}, 7]
)
def test_a_call_that_no_attempt_writes_is_refused_with_its_place(begun: Sharded, call: Any) -> None:
    lines = begun.log(0).read_bytes().splitlines(keepends=True)
    begun.log(0).write_bytes(b"".join([*lines[:-1], json.dumps({"call": call}).encode() + b"\n"]))
    end = begun.here(0)
    assert end.code == 1
    assert re.search(
        r"shards/00000: a log holds .* as a call.*another version of ssui_gen, or edited", end.err
    )


@pytest.mark.parametrize("odd", ["pipe", "link"])
def test_storage_that_holds_no_file_under_a_logs_name_is_told_and_never_waited_for(
    done: Sharded, odd: str
) -> None:
    path = done.log(1, 2)
    os.mkfifo(path) if odd == "pipe" else path.symlink_to(done.log(1))
    ends = done.told("status"), done.told("merge"), done.here(1)
    assert [end.code for end in ends] == [1, 1, 75]
    assert all("a0002.log: the shared storage refuses: expected a file" in end.err for end in ends)


def test_a_shard_that_there_is_not_is_not_opened_again(done: Sharded) -> None:
    for number in ("-1", "3"):
        end = done.told("retry", number)
        assert (end.code, len(list(done.run.rglob("a*.log")))) == (1, OF)
        assert f"shards are 0 to 2; got {number}" in end.err


def test_merge_wants_every_shard_done_and_every_item_once(begun: Sharded, whole: Whole) -> None:
    end = begun.told("merge")
    assert end.code == 1 and f"1 of {OF} shards are not done: 1:" in end.err
    assert begun.told("status", "--lacking").out == "1\n"
    lines = whole.many.log(1).read_bytes().splitlines(keepends=True)
    row = next(line for line in lines if line.startswith(b'{"row"') and b'"risky"' in line)
    foreign = re.sub(rb'"seed_id":"[^"]*', b'"seed_id":"else', row)
    for changed, why in [
        ([*lines[:-1], row, lines[-1]], "twice"),
        ([line for line in lines if line != row], "expected benign and risky"),
        ([*lines[:-1], foreign, lines[-1]], "was not dealt to this shard"),
        ([*lines[:-1], b'{"row":["a.jsonl",{}]}\n', lines[-1]], "does not write"),
        ([*lines[:-1], b'{"call":[1,2]}\n', lines[-1]], "does not write"),
        ([*lines[:-2], lines[-2][:40] + b"\n", lines[-1]], "damaged before its end"),
    ]:
        begun.log(1).write_bytes(b"".join(changed))
        end = begun.told("merge")
        assert end.code == 1 and why in end.err, (why, end)
        assert not (begun.run / "reasoning_paths.jsonl").exists()
    begun.log(1).write_bytes(b"".join(lines))
    assert begun.merged == whole.job.content


def test_merge_replaces_no_other_run_and_no_answer_of_a_later_stage(done: Sharded, tmp_path: Path) -> None:
    other = job(tmp_path / "other", done.job.url, plain(3))
    other.here()
    before = other.content
    assert before
    end = done.told("merge", "--into", str(other.run))
    assert end.code == 1 and f"holds a run of {other.seeds}" in end.err and other.content == before
    assert done.told("merge").code == 0
    with closing(sqlite3.connect(done.run / "calls.sqlite")) as db, db:
        db.execute("INSERT INTO calls SELECT 'later', agent, request, completion, created FROM calls LIMIT 1")
    assert done.told("merge").code == 0
    with closing(sqlite3.connect(done.run / "calls.sqlite")) as db:
        assert db.execute("SELECT count(*) FROM calls WHERE id = 'later'").fetchone() == (1,)


def test_rejects_that_circumstances_made_are_tried_again_when_asked(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, [*plain(2), {"id": "late", "image": "late.png"}], of=2)
    assert [end.code for end in many.all()] == [0, 0]
    (tmp_path / "late.png").write_bytes((tmp_path / "5.png").read_bytes())
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
    for number in ("-1", "2"):
        assert f"shards are 0 to 1; got {number}" in many.told("retry", number).err


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


def test_a_run_that_was_dealt_is_no_run_of_one_machine(done: Sharded, fake: Fake, tmp_path: Path) -> None:
    new = here(["dataset", "--run", str(tmp_path / "new"), "--shard", "0/3", "--base-url", fake.url])
    assert new.code == 1 and "say which seeds" in new.err
    end = here(done.job.command("--run", str(done.run)))
    assert end.code == 1 and "was dealt into shards" in end.err


def test_the_line_that_a_deal_prints_names_the_run_that_was_dealt(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = job(tmp_path, fake.url, plain(2)).seeds
    monkeypatch.chdir(tmp_path)
    end = here(["shards", "deal", "--run", "./my run", "--seeds", str(made), "--shards", "2"])
    line = end.out.partition("Next, for each I from 0 to 1: ")[2]
    args = _parser().parse_args(shlex.split(line)[1:])
    assert (args.run, args.shard) == (Path("my run"), "I/2")


def test_a_shard_without_seeds_is_done_without_a_server(fake: Fake, tmp_path: Path) -> None:
    many = sharded(tmp_path, fake, plain(1), of=3)
    with serve() as gone:
        url = gone.url
    assert sorted(end.code for end in many.all("--base-url", url)) == [0, 0, 75]
    assert [end.code for end in many.all()] == [0, 0, 0]
    merged = many.told("merge")  # whether the fake model keeps the one seed hangs on its file's name
    assert "each once, of 4 attempts" in merged.out


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
