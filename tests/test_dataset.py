"""`ssui dataset` from seeds to rows against a real server: what is written, said, resumed, never redone."""

import json
import re
import shutil
import signal
from pathlib import Path

import pytest
from fake_server import Fake
from jobs import ended, job, plain, wait_for

from ssui_gen.records import ReasoningPath, Reject

REJECTING = {
    "redundancy": "none",
    "completeness": "none",
    "faithfulness": "a thing that is not there",
    "decision": "reject",
    "advice": "look again",
}


def test_each_seed_becomes_a_risky_row_and_its_benign_twin(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, plain(3))
    assert done.here().code == 0
    paths = [ReasoningPath.model_validate(row) for row in done.paths]
    by_id = {path.id: path for path in paths}
    assert sorted((p.seed_id, p.kind) for p in paths) == [
        (seed, kind) for seed in ("s0", "s1", "s2") for kind in ("benign", "risky")
    ]
    for path in paths:
        twin = by_id[path.twin_of or ""]
        assert (twin.twin_of, twin.seed_id, twin.image) == (path.id, path.seed_id, path.image)
        assert twin.kind != path.kind
    assert done.rejects == []


def test_a_seed_that_names_its_kind_has_no_twin(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, plain(2, kind="benign", text="A benign question: may I sit here?"))
    done.here()
    assert [(row["kind"], row["twin_of"]) for row in done.paths] == [("benign", None)] * 2


def test_without_twins_only_risky_rows_are_made(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, plain(2), twins=False)
    done.here()
    assert [(row["kind"], row["twin_of"]) for row in done.paths] == [("risky", None)] * 2


def test_the_end_shows_the_funnel_with_reasons_and_what_to_read(fake: Fake, tmp_path: Path) -> None:
    left = [REJECTING]
    fake.answers = {"reflection": lambda body: left.pop() if left else {**REJECTING, "decision": "accept"}}
    done = job(tmp_path, fake.url, plain(2, kind="risky"))
    said = done.here().out
    assert re.search(r"risky kept +│ +1 ", said)
    assert re.search(r"rejected at reflect: reflection_rejected +│ +1 ", said)
    assert re.search(rf"calls made / answered from the journal +│ +{fake.calls} / \d", said)
    assert f"Look at {done.run / 'dataset.html'}" in said
    assert [(r["stage"], r["detail"]) for r in done.rejects] == [("reflect", "look again")]
    assert len(done.rejects[0]["made_by"]) == 5


def test_progress_is_plain_lines_when_nobody_watches(fake: Fake, tmp_path: Path) -> None:
    said = job(tmp_path, fake.url, plain(1)).here().out
    assert re.match(
        r"0 done, 0 rejected, \d in flight \| 64 at once, 0\.0 calls/s, 0 tokens \| ETA not yet known\n", said
    )
    assert "\x1b" not in said


def test_limit_takes_the_first_seeds_and_a_higher_limit_the_next(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, plain(5, kind="risky"))
    done.here("--limit", "2")
    assert sorted(row["seed_id"] for row in done.paths) == ["s0", "s1"]
    done.here("--limit", "3")
    assert sorted(row["seed_id"] for row in done.paths) == ["s0", "s1", "s2"]


def test_a_second_run_makes_no_call_and_redoes_no_reject(fake: Fake, tmp_path: Path) -> None:
    fake.answers = {"reflection": REJECTING}
    done = job(tmp_path, fake.url, [*plain(2), {"id": "gone", "image": "gone.png"}])
    done.here()
    before, calls = done.content, fake.calls
    fake.answers = {}
    again = done.here()
    assert (again.code, fake.calls, done.content) == (1, calls, before)
    assert len(before) == 5
    assert "0 / 0" in again.out


def test_what_is_wrong_with_one_seed_costs_only_that_seed(fake: Fake, tmp_path: Path) -> None:
    seeds = [*plain(2), {"id": "s0", "image": "3.png"}, {"id": "cut", "image": "cut.png"}]
    seeds += [{"id": "out", "image": "../out.png"}, {"id": "typo", "imgae": "1.png"}]
    done = job(tmp_path, fake.url, seeds)
    (tmp_path / "cut.png").write_bytes((tmp_path / "0.png").read_bytes()[:40])
    with done.seeds.open("a") as file:
        file.write('{"id": "torn", "image": "1.p')
    assert done.here().code == 0
    assert len(done.paths) == 4
    rejects = [Reject.model_validate(row) for row in done.rejects]
    assert sorted((r.stage, r.reason.value) for r in rejects) == [
        ("image", "image_refused"),
        ("image", "image_unreadable"),
        ("seed", "seed_duplicate"),
        ("seed", "seed_invalid"),
        ("seed", "seed_invalid"),
    ]
    assert all(r.detail and r.kind is None for r in rejects)


@pytest.mark.slow
def test_sigterm_drains_says_how_to_resume_and_costs_no_call(fake: Fake, tmp_path: Path) -> None:
    whole = job(tmp_path / "whole", fake.url, plain(20))
    whole.here()
    calls, fake.calls, fake.latency = fake.calls, 0, 0.05
    cut = job(tmp_path / "cut", fake.url, plain(20), seeds_in_flight=4)
    process = cut.start()
    wait_for(lambda: fake.calls > 20)
    process.send_signal(signal.SIGTERM)
    end = ended(process)
    assert (end.code, end.err) == (130, "")
    assert "Stopping: what is in flight will be finished" in end.out
    assert end.out.endswith("Interrupted; all that was finished is written. "
                            "The same command goes on from here.\n")  # fmt: skip
    assert 0 < len(cut.paths) < 40
    assert set(cut.content) < set(whole.content)
    assert cut.here().code == 0
    assert (cut.content, fake.calls) == (whole.content, calls)


def test_the_second_signal_gives_up_at_once(fake: Fake, tmp_path: Path) -> None:
    fake.always = "hang"
    cut = job(tmp_path, fake.url, plain(3))
    process = cut.start()
    wait_for(lambda: fake.calls)
    process.send_signal(signal.SIGINT)
    wait_for(lambda: "Stopping" in (process.stdout.readline() if process.stdout else ""))
    process.send_signal(signal.SIGINT)
    end = ended(process)
    assert (end.code, end.err) == (130, "ssui dataset: interrupted; the same command goes on from here\n")
    assert cut.content == []


def test_a_damaged_row_stops_the_run_with_its_place(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, plain(2))
    done.here()
    rows = done.run / "reasoning_paths.jsonl"
    first, second, *more = rows.read_text().splitlines(keepends=True)
    rows.write_text(first + second[:50] + "\n" + "".join(more))
    end = done.here()
    assert (end.code, end.err.count("\n")) == (1, 1)
    assert f"{rows}:2:" in end.err


@pytest.mark.parametrize("fault", ["garbage", "401", "400"])
def test_the_key_is_in_no_file_and_no_message(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key := "sk-a-secret-that-must-not-leak")
    fake.api_key = key
    done = job(tmp_path, fake.url, plain(2), tries_per_call=1)
    done.here("--limit", "1")
    fake.always = fault
    end = done.here()
    fake.api_key = "another"
    refused = done.here()
    assert key not in end.out + end.err + refused.out + refused.err
    assert "<key>" in refused.err
    assert len(done.paths) == 2
    for file in done.run.rglob("*"):
        assert file.is_dir() or key.encode() not in file.read_bytes(), file


def test_seeds_may_be_a_folder_of_pictures(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path / "job", fake.url, [])
    album = tmp_path / "album"
    (album / "below").mkdir(parents=True)
    shutil.copy(done.folder / "1.png", album / "b.png")
    shutil.copy(done.folder / "2.png", album / "below/a.PNG")
    (album / "notes.txt").write_text("no picture")
    assert done.here("--seeds", str(album)).code == 0
    assert {(row["seed_id"], row["image"]["path"]) for row in done.paths} == {
        ("b.png", "b.png"),
        ("below/a.PNG", "below/a.PNG"),
    }


def test_seeds_may_be_a_dataset_on_disk(fake: Fake, tmp_path: Path) -> None:
    from datasets import Dataset, Features, Image, Value

    done = job(tmp_path, fake.url, [])
    columns = {"image": [str(tmp_path / "1.png"), str(tmp_path / "2.png")], "id": ["one", "two"]}
    data = Dataset.from_dict(columns, Features({"image": Image(), "id": Value("string")}))
    data.save_to_disk(tmp_path / "data")
    assert done.here("--seeds", str(tmp_path / "data")).code == 0
    assert sorted(row["seed_id"] for row in done.paths) == ["one", "one", "two", "two"]
    assert all((done.run / "pictures" / row["image"]["path"]).is_file() for row in done.paths)
    calls = fake.calls
    assert done.here("--seeds", str(tmp_path / "data")).code == 0
    assert fake.calls == calls


def test_unusual_line_separators_of_a_model_stay_inside_their_row(fake: Fake, tmp_path: Path) -> None:
    answer = "one\u2028two\u2029three\x85four\x1cfive\x0bsix\r\nseven 🙂"
    fake.answers = {"summary": {"answer": answer}}
    done = job(tmp_path, fake.url, plain(2))
    assert done.here().code == 0
    lines = (done.run / "reasoning_paths.jsonl").read_bytes().decode().splitlines()
    assert [json.loads(line)["answer"] for line in lines] == [answer] * 4
    calls = fake.calls
    assert done.here().code == 0
    assert fake.calls == calls
