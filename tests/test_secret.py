"""A key is sent to its server and stands nowhere else, whatever stage runs and however it ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.request import urlopen

import giving
import pytest
import test_rsbench
from benching import PLAYED, benched
from curating import curation
from exploring import cuts, explored, judge, pairs, policy
from fake_server import Fake
from imported import bring, llava
from jobs import Ended, Job, ended, here, job, plain
from serving_reviews import reviewing
from sharded import ANSWERS, Sharded

KEY = "sk-marker-7391-of-nobody"


def processes() -> bytes:
    """What every process of this machine was started with."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes())
        except OSError:
            continue  # it has ended
    return b"\n".join(found)


def later(made: Job) -> list[list[str]]:
    """The orders that follow on a run with pairs."""
    run = ["--run", str(made.run)]
    return [
        ["curation", "export", *run, "--as", "ana"],
        ["curation", "unfold", *run, "--as", "ana"],
        ["curation", "export", *run, "--to", "label_studio"],
        ["curation", "stats", *run],
        ["page", *run],
        ["show", "s0", *run],
        ["prompt", "query", *run, "--json"],
        ["prompt", "policy", *run],
        ["verify", "label", *run, "--as", "ana"],
        ["export", *run, "--to", "trl"],
        ["doctor", "--base-url", made.url],
    ]


@pytest.mark.slow
def test_every_stage_keeps_the_key_to_itself(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    fake.api_key = KEY
    made = job(tmp_path, fake.url, plain(2), twins=False)
    process = made.start()
    seen = b""
    while process.poll() is None:
        seen += processes()
    done = ended(process)
    fake.answers = {"none": policy, "judge: right": judge}
    said = [done, pairs(made), *map(here, later(made))]
    fake.answers = PLAYED
    bench = benched(tmp_path / "bench", fake.url, scenarios=2)
    said += [bench.here(), here(["bench", "card", "--run", str(bench.run)])]
    assert [end.code for end in said] == [0] * len(said), [end.err for end in said]
    fake.api_key = "another"
    said += [job(tmp_path / "refused", fake.url, plain(1)).here(), here(["doctor", "--base-url", fake.url])]
    assert [end.code for end in said[-2:]] == [1, 1]
    assert KEY.encode() not in seen
    assert told_nowhere(said, tmp_path) > 20


def told_nowhere(said: Iterable[Ended], folder: Path) -> int:
    """Neither in what was printed nor in any file; returns how many files were read."""
    assert KEY not in "".join(end.out + end.err for end in said)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert not [file for file in files if KEY.encode() in file.read_bytes()]
    return len(files)


@pytest.fixture
def keyed(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A server that answers whoever has the key, which stands in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    fake.api_key = KEY
    return fake


@pytest.mark.slow
def test_shards_and_what_joins_them_keep_it_too(keyed: Fake, tmp_path: Path) -> None:
    """Their logs lie where other machines read them."""
    keyed.answers = ANSWERS
    many = Sharded(job(tmp_path, keyed.url, plain(4)), 2, tmp_path / "big")
    said = [many.job.here(), *many.all(), many.told("merge"), many.told("merge", "--parquet")]
    keyed.answers = {"none": policy, "judge: right": judge}
    deal = ["--run", str(many.run), "--seeds", str(many.job.seeds)]
    said += [
        here(["pairs", *deal, "--uncurated", "--base-url", keyed.url, "--shard", f"{n}/2"]) for n in (0, 1)
    ]
    said += [here(["shards", "merge", "--run", str(many.run), "--stage", "pairs"])]
    said += [here(["merge-runs", str(many.run), str(many.job.run), "--to", str(tmp_path / "joined")])]
    assert [end.code for end in said] == [0] * len(said), [end.err for end in said]
    assert told_nowhere(said, tmp_path) > 20


@pytest.mark.slow
def test_f_against_labels_keeps_it_and_what_a_reviewer_is_served(keyed: Fake, tmp_path: Path) -> None:
    made = explored(tmp_path, keyed.url)
    keyed.answers = {"none": policy, "judge: right": judge}
    said = [pairs(made, "--limit", "2")]
    labels = [{"branch_id": one["id"], "good": True} for cut in cuts(made) for one in cut["branches"]]
    (made.run / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labels))
    said += [here(["verify", "calibrate", "--run", str(made.run), "--by", "judge", "--json"])]
    said += [curation(made.run, "export", "--as", "ana")]
    assert [end.code for end in said] == [0] * len(said), [end.err for end in said]
    with reviewing(made.run, "ana") as served:
        for place in ("", "lines"):
            with urlopen(served.addresses["ana"] + place, timeout=20) as answer:
                assert answer.status == 200 and KEY.encode() not in answer.read()
    assert told_nowhere(said, tmp_path) > 10


def test_what_is_published_and_imported_holds_it_nowhere(keyed: Fake, tmp_path: Path) -> None:
    run = giving.given(tmp_path / "given")
    said = [giving.publish(run), test_rsbench.publish(test_rsbench.made(tmp_path / "bench"))]
    said += [bring("llava", llava(tmp_path / "theirs"), tmp_path / "brought", "--licence", "CC0-1.0")]
    assert [end.code for end in said] == [0] * 3, [end.err for end in said]
    assert told_nowhere(said, tmp_path) > 20


@pytest.mark.slow
def test_a_training_and_its_card_hold_it_nowhere(keyed: Fake, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from training import Training

    todo = Training(tmp_path)
    done = todo.there("adapter")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "adapter" / "README.md").exists()
    assert told_nowhere([Ended(0, done.stdout, done.stderr)], tmp_path) > 10
