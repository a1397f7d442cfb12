"""What failed for circumstances is tried again by the same command; what is of the item only on request."""

import json
import re
import signal
from pathlib import Path

import pytest
from exploring import explored, judge, pairs, policy
from fake_server import Fake, serve
from jobs import Job, ended, job, plain, rows, wait_for
from PIL import Image

from ssui_gen.records import Reason
from ssui_gen.settings import ImageLimits

REJECTING = {
    "redundancy": "none", "completeness": "none", "faithfulness": "no such thing", "decision": "reject",
    "advice": "look again",
}  # fmt: skip


def whole(folder: Path, fake: Fake, seeds: list[dict[str, str]]) -> list[str]:
    """The rows of a run that met no trouble."""
    made = job(folder / "whole", fake.url, seeds)
    assert made.here().code == 0
    return made.content


def after_an_outage(folder: Path, fake: Fake, count: int) -> Job:
    fake.always = "500"
    made = job(folder, fake.url, plain(count), tries_per_call=1)
    assert made.here().code == 1
    assert made.reasons == {"call_failed": 2 * count} and not made.paths
    fake.always = None
    return made


def test_what_an_outage_cost_is_made_by_the_same_command(fake: Fake, tmp_path: Path) -> None:
    made = after_an_outage(tmp_path, fake, 3)
    said = made.here().out
    assert re.search(r"rejected before, tried again: call_failed +│ +6 ", said)
    assert "rejected at" not in said
    assert made.content == whole(tmp_path, fake, plain(3))
    assert "tried again" not in made.here().out


def test_an_outage_that_goes_on_leaves_one_row_each(fake: Fake, tmp_path: Path) -> None:
    made = after_an_outage(tmp_path, fake, 2)
    fake.always = "500"
    made.here()
    assert made.reasons == {"call_failed": 4}


def test_where_no_server_answers_nothing_is_forgotten(fake: Fake, tmp_path: Path) -> None:
    made = after_an_outage(tmp_path, fake, 2)
    before = made.rejects
    assert made.here("--base-url", "http://127.0.0.1:9/v1").code == 1
    assert made.rejects == before


def test_a_limit_leaves_the_rejects_beyond_it(fake: Fake, tmp_path: Path) -> None:
    made = after_an_outage(tmp_path, fake, 3)
    made.here("--limit", "1")
    assert (len(made.paths), made.reasons) == (2, {"call_failed": 4})


@pytest.mark.slow
def test_a_kill_while_failed_calls_are_tried_again_loses_nothing(tmp_path: Path) -> None:
    with serve(latency=0.02) as fake:
        made = after_an_outage(tmp_path, fake, 4)
        calls = fake.calls
        process = made.start()
        wait_for(lambda: fake.calls > calls + 20)
        process.send_signal(signal.SIGKILL)
        ended(process)
        assert len(made.content) < 8
        assert made.here().code == 0
        assert made.content == whole(tmp_path, fake, plain(4))


def test_a_picture_that_was_not_there_or_could_not_be_read_is_looked_for_again(
    fake: Fake, tmp_path: Path
) -> None:
    seeds = [{"id": "gone", "image": "late.png"}, {"id": "cut", "image": "cut.png"}]
    made = job(tmp_path, fake.url, seeds)
    (tmp_path / "cut.png").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    made.here()
    made.here()
    assert made.reasons == {"image_missing": 1, "image_unreadable": 1}
    for name in ("late.png", "cut.png"):
        Image.new("RGB", (9, 9), "red").save(tmp_path / name)
    assert made.here().code == 0
    assert (len(made.paths), made.rejects) == (4, [])


def test_a_line_of_the_seeds_that_was_mended_is_no_reject_any_more(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, [*plain(1), {"id": "typo", "imgae": "1.png"}])
    made.here()
    assert made.reasons == {"seed_invalid": 1}
    made.seeds.write_text(made.seeds.read_text().replace("imgae", "image"))
    made.here()
    assert (len(made.paths), made.rejects) == (4, [])


def test_any_other_reject_is_final_until_its_reason_is_named(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2, kind="risky"))
    Image.effect_noise((64, 64), 90).save(tmp_path / "0.png")
    small = json.loads((tmp_path / "run.yaml").read_text()) | {"images": {"max_bytes": 500}}
    usual = json.dumps(small | {"images": {"max_bytes": ImageLimits().max_bytes}})
    (tmp_path / "run.yaml").write_text(json.dumps(small))
    made.here()
    assert made.reasons == {"image_too_large": 1}
    (tmp_path / "run.yaml").write_text(usual)
    made.here()
    assert made.reasons == {"image_too_large": 1}
    assert "tried again: image_too_large" in made.here("--retry", "image_too_large").out
    assert (len(made.paths), made.rejects) == (2, [])


def test_a_reject_by_a_model_is_tried_again_with_its_own_reason_alone(fake: Fake, tmp_path: Path) -> None:
    fake.answers = {"reflection": REJECTING}
    made = job(tmp_path, fake.url, plain(1, kind="risky"))
    made.here()
    before, calls = made.rejects, fake.calls
    made.here("--retry", "text_not_safe")
    assert (made.rejects, fake.calls) == (before, calls)
    made.here("--retry", "text_not_safe", "--retry", "reflection_rejected")
    assert (made.rejects, fake.calls) == (before, calls), "the journal says what was said"


@pytest.mark.parametrize("command", ["dataset", "pairs"])
def test_an_unknown_reason_is_refused_with_the_list(fake: Fake, tmp_path: Path, command: str) -> None:
    made = job(tmp_path, fake.url, plain(1))
    end = made.here("--retry", "bad_luck") if command == "dataset" else pairs(made, "--retry", "bad_luck")
    assert end.code == 2 and not made.run.exists()
    assert all(reason.value in end.err for reason in Reason)


def test_pairs_that_are_replaced_are_said_and_kept(tmp_path: Path, fake: Fake) -> None:
    fake.answers = {"none": policy, "judge: right": judge}
    made = explored(tmp_path, fake.url)
    assert "They replace" not in pairs(made).out
    all_of_them = (made.run / "pairs.jsonl").read_bytes()
    assert "They replace" not in pairs(made).out
    (made.run / "curated.jsonl").write_text(json.dumps(made.paths[0]) + "\n")
    said = pairs(made).out
    former = made.run / "pairs.former.jsonl"
    assert f"They replace {len(all_of_them.splitlines())}, which are kept in {former}." in said
    assert former.read_bytes() == all_of_them != (made.run / "pairs.jsonl").read_bytes()
    assert not list(made.run.glob("*.new")) + list(made.run.glob("*.tmp"))


def test_paths_without_their_pictures_are_explored_when_these_are_there(tmp_path: Path, fake: Fake) -> None:
    fake.answers = {"none": policy, "judge: right": judge}
    made = explored(tmp_path / "job", fake.url)
    kept = {path: path.read_bytes() for path in made.folder.glob("*.png")}
    for path in list(kept)[:2]:
        path.unlink()
    assert pairs(made).code == 0
    lost = rows(made.run / "pairs_rejects.jsonl")
    assert lost and {row["reason"] for row in lost} == {"image_missing"}
    for path, content in kept.items():
        path.write_bytes(content)
    said = pairs(made).out
    assert "rejected before, tried again: image_missing" in said
    assert rows(made.run / "pairs_rejects.jsonl") == []
    assert {row["path_id"] for row in rows(made.run / "branches.jsonl")} == {row["id"] for row in made.paths}
