"""What `ssui bench publish` holds out, and how it proves that no training has read it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from curating import record
from exploring import explored, judge, pairs, policy
from fake_server import Fake
from jobs import rows
from PIL import Image, ImageOps
from runs import change
from test_exporters import BAD, GOOD
from test_pairs import branch, cut
from test_rsbench import LIMITS, made, publish

from ssui_gen.benching.bench import read_bench
from ssui_gen.benching.scenarios import held_out, scenarios_of
from ssui_gen.config import Leaks
from ssui_gen.config_pairs import Pairing
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.leaks import load_bench
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.images import inspect
from ssui_gen.records import ReasoningPath


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return made(tmp_path / "mine")


def test_what_is_held_out_hangs_on_each_scenario_alone() -> None:
    paths = [
        record(f"r{n}", image=record("x").image.model_copy(update={"sha256": str(n)})) for n in range(200)
    ]
    some, every = scenarios_of(paths[:150]), scenarios_of(paths)
    assert some == {id: every[id] for id in some}
    before, after = held_out("0.3", paths[:150], some), held_out("0.3", paths, every)
    assert before == after & set(some.values()) and 0.2 < len(after) / 200 < 0.4
    assert held_out("0.1", paths, every) < after < held_out("1", paths, every) == set(every.values())


@pytest.mark.parametrize("told", ["0", "1.5", "-1", "nan", "half", "no/such/file"])
def test_a_share_that_is_none_is_refused(told: str) -> None:
    with pytest.raises(ConfigError, match=r"--holdout: expected a share from 0 to 1, or a file"):
        held_out(told, [], {})


def test_scenarios_can_be_named(run: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("# held out in May\nseed-grill\n")
    assert publish(run, "--holdout", str(names)).code == 0
    assert {item.source.row for item in read_bench(run / "rsbench").items} == {"grill", "grill-twin"}
    assert len(list((run / "rsbench" / "pictures").iterdir())) == 1
    names.write_text("seed-roof\n")
    done = publish(run, "--holdout", str(names))
    assert done.code == 1 and "'seed-roof' is the id of no scenario, path or seed" in done.err


def trained(run: Path, *left_out: str, stale: bool = False) -> None:
    """An adapter that has read the run's curated paths, but for these."""
    folder = run / "adapter"
    folder.mkdir()
    sha = sha256((run / "curated.jsonl").read_bytes()).hexdigest()
    data = {"paths": "curated.jsonl", "sha256": {"curated.jsonl": "0" if stale else sha}}
    (folder / "training.json").write_text(json.dumps({"data": data}))
    lines = [
        {"what": "path", "id": id, "path_id": id, "reason": "in_benchmark", "detail": ""} for id in left_out
    ]
    (folder / "train_rejects.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def only(run: Path, name: str) -> str:
    """A file that holds out the scenario of one name."""
    file = run.with_name(f"{name}.txt")
    file.write_text(f"seed-{name}\n")
    return str(file)


def test_what_this_run_has_trained_on_is_refused_with_ids(run: Path) -> None:
    trained(run)
    done = publish(run, "--holdout", only(run, "grill"))
    assert done.code == 1 and not (run / "rsbench").exists()
    assert "2 paths were trained on" in done.err
    assert "grill of mine: the benchmark has this very picture, grill" in done.err
    assert "--holdout" in done.err and "leaks: bench:" in done.err


def test_what_training_left_out_may_be_published_and_the_card_proves_it(run: Path) -> None:
    trained(run, "grill", "grill-twin")
    assert publish(run, "--holdout", only(run, "grill")).code == 0
    card = (run / "rsbench" / "README.md").read_text()
    assert "| mine | adapter | 4 | 0 | 0 |" in card


def test_of_an_adapter_of_other_data_every_path_counts(run: Path) -> None:
    trained(run, "grill", "grill-twin", stale=True)
    assert publish(run, "--holdout", only(run, "grill")).code == 1


@pytest.mark.parametrize("facts", ["{}", '{"data": []}', '{"data": {"paths": "..", "sha256": 1}}'])
def test_of_an_adapter_that_says_nothing_of_its_data_every_path_counts(run: Path, facts: str) -> None:
    trained(run, "grill", "grill-twin")
    (run / "adapter" / "training.json").write_text(facts)
    assert publish(run, "--holdout", only(run, "grill")).code == 1


def test_a_pair_counts_as_soon_as_it_is_made(run: Path) -> None:
    paths = [ReasoningPath.model_validate(row) for row in rows(run / "curated.jsonl")]
    grill = next(path for path in paths if path.id == "grill")
    (pair,) = pair_up([cut(2, branch(GOOD, "good"), branch(BAD, "bad"))], Pairing(), system="")
    of_grill = pair.model_copy(update={"path_id": grill.id, "image_ref": grill.image})
    (run / "pairs.jsonl").write_text(of_grill.model_dump_json() + "\n")
    refused = publish(run, "--holdout", only(run, "grill"))
    assert refused.code == 1 and "1 paths were trained on" in refused.err
    assert publish(run, "--holdout", only(run, "kettle")).code == 0
    assert "| mine | pairs.jsonl | 1 | 0 | 0 |" in (run / "rsbench" / "README.md").read_text()


def test_another_runs_copy_is_found_by_its_look_and_its_words(run: Path, tmp_path: Path) -> None:
    other = made(tmp_path / "other", ("kettle",))
    with Image.open(run / "seeds" / "grill.png") as picture:
        picture.save(other / "seeds" / "kettle.png")  # other bytes, and no word of how it lay
    ref = inspect(other / "seeds", "kettle.png", LIMITS)
    change(
        other / "reasoning_paths.jsonl", lambda found: [{**row, "image": ref.model_dump()} for row in found]
    )
    (other / "curated.jsonl").unlink()
    assert publish(run, "--holdout", only(run, "ladder"), "--against", str(other)).code == 0
    words = publish(run, "--holdout", only(run, "kettle"), "--against", str(other))
    assert words.code == 1 and "100 % the same" in words.err


def test_another_runs_resized_picture_is_found(run: Path, tmp_path: Path) -> None:
    other = made(tmp_path / "other", ("ladder",))
    with Image.open(run / "seeds" / "grill.png") as picture:
        ImageOps.exif_transpose(picture).resize((160, 80)).save(other / "seeds" / "ladder.png")
    ref = inspect(other / "seeds", "ladder.png", LIMITS)
    change(other / "curated.jsonl", lambda found: [{**row, "image": ref.model_dump()} for row in found])
    done = publish(run, "--holdout", only(run, "grill"), "--against", str(other))
    assert done.code == 1 and "ladder of other: the benchmark's picture grill differs in" in done.err


def test_a_training_run_without_its_pictures_is_compared_by_bytes_and_words(
    run: Path, tmp_path: Path
) -> None:
    other = made(tmp_path / "other", ("ladder",))
    (other / "seeds" / "ladder.png").unlink()
    assert publish(run, "--holdout", only(run, "grill"), "--against", str(other)).code == 0
    assert "| other | all its paths | 2 | 2 | 0 |" in (run / "rsbench" / "README.md").read_text()
    found = publish(run, "--holdout", only(run, "ladder"), "--against", str(other))
    assert found.code == 1 and "100 % the same" in found.err


def test_a_run_to_be_held_against_that_is_not_there_is_told(run: Path, tmp_path: Path) -> None:
    done = publish(run, "--against", str(tmp_path / "none"))
    assert done.code == 1 and "expected the folder of a run (--against)" in done.err


@pytest.mark.slow
def test_published_first_and_explored_then_nothing_has_leaked(fake: Fake, tmp_path: Path) -> None:
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge": judge}
    told = ("--seeds", str(todo.seeds), "--uncurated", "--holdout", "0.5")
    first = publish(todo.run, *told)
    assert first.code == 0, first.err
    held = {item.source.row for item in read_bench(todo.run / "rsbench").items}
    bench = str(todo.run / "rsbench" / "bench.jsonl")
    assert pairs(todo, config={"leaks": {"bench": [bench]}}).code == 0
    paired = {row["path_id"] for row in rows(todo.run / "pairs.jsonl")}
    assert paired and not paired & held
    again = publish(todo.run, *told)
    assert again.code == 0, again.err
    card = (todo.run / "rsbench" / "README.md").read_text()
    assert f"| run | pairs.jsonl | {len(paired)} | 0 | 0 |" in card


def test_what_is_published_is_kept_out_of_pairs_by_the_leak_guard(run: Path) -> None:
    """The line that the command ends with: `leaks.bench` reads what was written."""
    assert publish(run, "--holdout", only(run, "grill")).code == 0
    bench = load_bench(Leaks(bench=(str(run / "rsbench" / "bench.jsonl"),)), LIMITS)
    paths = [ReasoningPath.model_validate(row) for row in rows(run / "curated.jsonl")]
    held = {path.id for path in paths if bench.holds(path, run / "seeds", LIMITS)}
    assert held == {"grill", "grill-twin"}
