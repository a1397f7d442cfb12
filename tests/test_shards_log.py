"""The log of an attempt, cut anywhere, raced for, and on storage that is full."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_server import Fake
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import LIMITED, job, plain, rows
from sharded import ANSWERS, Sharded

from ssui_gen.calling.journal import CALLS, Journal
from ssui_gen.errors import ConfigError, RecordError, Superseded
from ssui_gen.jsonl import as_line
from ssui_gen.records import Reason, Reject
from ssui_gen.shards.attempt import begin, rebuild
from ssui_gen.shards.attempts import Counts, Past, claim
from ssui_gen.shards.bucket import PART_BYTES, Bucket
from ssui_gen.shards.dealing import Deal, Which, find_deal
from ssui_gen.shards.folder import Folder
from ssui_gen.shards.store import Store

WHICH = Which(0, 1)
DEAL = Deal(source="/seeds.jsonl", root="/", limit=None, dealt=())
STORES = ("folder", "bucket")


def store_of(kind: str, folder: Path) -> Store:
    return Folder(folder) if kind == "folder" else Bucket.at(f"memory://{folder}")


def left(store: Store, deal: Deal = DEAL) -> list[Any]:
    """All that counts of a shard, but for headers."""
    return [event for event in Past(store, deal, WHICH).events() if event[0] != "attempt"]


def row(number: int) -> bytes:
    return as_line(Reject(seed_id=f"s{number}", kind="risky", stage="x", reason=Reason.REFUSED, detail=""))


@pytest.mark.parametrize("kind", STORES)
def test_of_a_log_cut_at_any_byte_its_whole_lines_count_and_the_next_attempt_builds_on_them(
    tmp_path: Path, kind: str
) -> None:
    """On an object store a part is there or not; of a file any beginning may be."""
    attempt = begin(store_of(kind, tmp_path / "made"), DEAL, WHICH, tmp_path, mix=False)
    for number in range(2):
        attempt.rows("rejects.jsonl", row(number))
    attempt.log.close()
    name = f"{WHICH.folder}/a0001.log"
    whole = b"".join(attempt.store.lines(name))
    head = whole.index(b"\n") + 1
    for size in range(len(whole) + 1):
        store = Folder(tmp_path / f"cut{size}")
        log = store.begin(name, whole[:size])
        assert log
        log.close()
        expected = max(0, whole[head:size].count(b"\n")) if size >= head else 0
        assert len(left(store)) == expected
        past = Past(store, DEAL, WHICH)
        assert len([*past.events()]) == expected + (size >= head)
        assert past.links == ((("a0001.log", whole[:size].rfind(b"\n") + 1),) if size >= head else ())


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Sharded:
    """A shard that was done."""
    from fake_server import serve

    folder = tmp_path_factory.mktemp("logged")
    with serve(answers=ANSWERS) as fake:
        many = Sharded(job(folder, fake.url, [*plain(2), {"id": "typo"}]), 1, folder / "big")
        assert many.here(0).code == 0
    return many


@settings(max_examples=25)
@given(data=st.data())
def test_no_row_is_without_its_calls_wherever_a_log_ends(
    logged: Sharded, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Also when what stands behind the cut is rubbish, as after a power cut."""
    whole = logged.log(0).read_bytes()
    size = data.draw(st.integers(0, len(whole)))
    rubbish = data.draw(st.sampled_from([b"", b"\0" * 50, b"\n\n", b'{"row":', b'"x"\n', b'{"a":1,"b":2}\n']))
    folder = tmp_path_factory.mktemp("cut")
    store = Folder(folder)
    (folder / WHICH.folder).mkdir(parents=True)
    (folder / WHICH.folder / "a0001.log").write_bytes(whole[:size] + rubbish + whole[size:][:200])
    deal = find_deal(Folder(logged.run))
    assert deal
    calls = rebuild(Past(store, deal, WHICH), folder)
    made_by = {
        call
        for name in ("reasoning_paths.jsonl", "rejects.jsonl")
        for one in rows(folder / name)
        for call in one["made_by"]
    }
    journal = Journal(folder / CALLS)
    known = journal.rows_by_id(made_by)
    journal.close()
    assert set(known) == made_by and len(made_by) <= calls


@pytest.mark.parametrize("cut", [0.6, pytest.param(0.999, marks=pytest.mark.slow)])
def test_a_shard_goes_on_from_a_torn_log_and_repeats_no_call_that_is_in_it(
    fake: Fake, tmp_path: Path, cut: float
) -> None:
    fake.answers = ANSWERS
    many = Sharded(job(tmp_path, fake.url, plain(2)), 1, tmp_path / "big")
    assert many.here(0).code == 0
    calls, whole = fake.calls, many.log(0).read_bytes()
    many.log(0).write_bytes(whole[: int(len(whole) * cut)])
    known = many.count("call", 0)
    assert many.here(0).code == 0
    assert fake.calls - calls == calls - known
    assert many.job.here().code == 0
    assert many.merged == many.job.content


def test_less_than_an_attempt_built_upon_is_refused(logged: Sharded, tmp_path: Path) -> None:
    store, deal = Folder(tmp_path), find_deal(Folder(logged.run))
    assert deal
    first = tmp_path / WHICH.folder / "a0001.log"
    first.parent.mkdir(parents=True)
    first.write_bytes(logged.log(0).read_bytes())
    begin(store, deal, WHICH, tmp_path, mix=False).log.close()
    first.write_bytes(first.read_bytes()[:-300])
    with pytest.raises(ConfigError, match=r"bytes of it count for a0002\.log"):
        left(store, deal)


@pytest.mark.parametrize("kind", STORES)
def test_an_attempt_fences_off_the_one_before(tmp_path: Path, kind: str) -> None:
    store = store_of(kind, tmp_path)
    old = begin(store, DEAL, WHICH, tmp_path, mix=False)
    old.rows("rejects.jsonl", row(1))
    if kind == "bucket":
        old.log.sync()  # nothing is due yet
        assert left(store) == []
        old.log.write(b" " * PART_BYTES + b'{"edition":"x"}\n')
    old.look()
    new = begin(store, DEAL, WHICH, tmp_path, mix=False)
    old.rows("rejects.jsonl", row(8))
    new.rows("rejects.jsonl", row(9))
    with pytest.raises(Superseded, match="shard 0/1 was taken over"):
        old.look()
    new.look()
    with pytest.raises(Superseded):
        old.finish(Counts())
    new.finish(Counts())
    ids = [value[1]["seed_id"] for kind_, value in left(store) if kind_ == "row"]
    assert ids == ["s1", "s9"]
    assert Past(store, DEAL, WHICH).done == Counts()


@pytest.mark.parametrize("kind", STORES)
def test_two_that_begin_at_once_get_two_logs(tmp_path: Path, kind: str) -> None:
    """The slower one reads again what there is by then."""
    store = store_of(kind, tmp_path)
    late = Past(store, DEAL, WHICH)
    first = begin(store, DEAL, WHICH, tmp_path, mix=False)
    assert claim(late) is None
    second = begin(store, DEAL, WHICH, tmp_path, mix=False)
    assert (first.header.number, second.header.number) == (1, 2)
    assert [name for name, _ in second.header.chain] == ["a0001.log"]


def test_a_file_is_made_once_and_whole(tmp_path: Path) -> None:
    for kind in STORES:
        store = store_of(kind, tmp_path / kind)
        assert store.create("a/b", b"one") and not store.create("a/b", b"two")
        assert (store.read("a/b"), store.read("a/c")) == (b"one", None)
        assert (store.names("a"), store.names("z")) == (["b"], [])


FULL = """
import sys
from pathlib import Path
from ssui_gen.errors import RecordError
from ssui_gen.shards.folder import Folder
store, refused = Folder(Path(sys.argv[1])), 0
log = store.begin("a.log", b'{"n": 0}\\n')
for number in range(1, 200):
    try:
        log.write(b'{"n": %d}\\n' % number)
    except RecordError as error:
        assert "the shared storage refuses" in str(error)
        refused += 1
print(refused)
"""


def test_a_log_on_full_storage_ends_and_takes_nothing_behind_a_torn_line(tmp_path: Path) -> None:
    script = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "1001", *script], capture_output=True, text=True, check=True
    )
    numbers = [json.loads(line)["n"] for line in Folder(tmp_path).lines("a.log")]
    assert numbers == [*range(len(numbers))]
    assert int(done.stdout) == 200 - len(numbers) > 50
    assert (tmp_path / "a.log").stat().st_size <= 1001


@pytest.mark.parametrize("scheme", ["file", "local"])
def test_a_folder_is_none_of_an_object_store(tmp_path: Path, scheme: str) -> None:
    with pytest.raises(ConfigError, match=f"is a folder: name it as one, {tmp_path}/run"):
        Bucket.at(f"{scheme}://{tmp_path}/run")


def test_an_unknown_storage_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="nowhere://x: this storage cannot be used"):
        Bucket.at("nowhere://x")


def test_storage_that_is_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="the shared storage refuses"):
        Folder(tmp_path / "file").create("a", b"")
