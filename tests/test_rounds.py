"""`ssui pairs --round 2`: the same paths, drawn from anew by what was trained; what was drawn stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from exploring import explored, goes_on, judge, pairs, policy, written
from fake_server import Fake
from jobs import Job, here, rows

from ssui_gen.config import Config
from ssui_gen.errors import ConfigError
from ssui_gen.manifest import pictures_of, read_manifest
from ssui_gen.stages.rounds import Round, begin, played

MICRO = Path(__file__).parents[1] / "microworld" / "models" / "policy"
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    """A run with paths and a first round's branches, and an adapter that was trained on them."""
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    assert pairs(todo, "--limit", "2").code == 0
    trained(todo.run / "adapter", b"first")
    return todo


def trained(folder: Path, weights: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4}))
    (folder / WEIGHTS).write_bytes(weights)


def other_words(body: dict[str, Any]) -> str:
    """A policy that has been trained since."""
    kind = ("dangerous_behavior", "RIGHT.") if body["draw"] % 2 else ("none", "WRONG.")
    return goes_on(body, *written(*kind, 10 + body["draw"] % 6))


def test_a_round_draws_the_same_paths_anew_and_leaves_what_was_drawn(made: Job, fake: Fake) -> None:
    fake.answers = {"none": other_words, "judge: right": judge}
    before = {file.name: file.read_bytes() for file in made.run.glob("*.jsonl")}
    done = pairs(made, "--limit", "2", "--round", "2", "--policy", "fake-vlm")
    assert done.code == 0, done.err
    second = made.run / "round2"
    assert {file.name: file.read_bytes() for file in made.run.glob("*.jsonl")} == before
    assert (second / "reasoning_paths.jsonl").read_bytes() == before["reasoning_paths.jsonl"]
    drawn = rows(second / "branches.jsonl")
    assert {cut["path_id"] for cut in drawn} <= {path["id"] for path in made.paths} and len(drawn) == 12
    made_now = {pair["id"] for pair in rows(second / "pairs.jsonl")}
    assert {pair["id"] for pair in rows(made.run / "pairs.jsonl")} < made_now, "earlier pairs stay"
    assert len(rows(second / "pairs.jsonl")) == len(made_now), "each once"
    assert str(second) in done.out and f"adapter={made.run / 'adapter'}" in done.out
    assert pictures_of(second, None).resolve() == pictures_of(made.run, None).resolve()
    again = pairs(made, "--limit", "2", "--round", "2", "--policy", "fake-vlm")
    assert again.code == 0 and rows(second / "branches.jsonl") == drawn, "the same command goes on"


def test_the_next_round_begins_where_the_last_one_was_trained(made: Job) -> None:
    with pytest.raises(ConfigError, match=r"round2/adapter: no adapter: round 3 is drawn by what"):
        begin(Round(made.run, 3), served=False)
    second, third = Round(made.run, 2), Round(made.run, 3)
    begin(second, served=False)
    trained(second.run / "adapter", b"second")
    begin(third, served=False)
    assert third.run == made.run / "round3" and third.adapter == second.run / "adapter"
    settings = played(Config(), third)
    assert settings.models[settings.player("policy")].adapter == str(third.adapter)
    assert settings.models[settings.player("judge")].adapter is None


def test_a_round_remembers_what_it_was_told_and_the_next_one_what_it_was(made: Job) -> None:
    """Neither is what the run's own branches were drawn with."""
    config = made.folder / "explore.yaml"
    config.write_text("explore: {k: 4}")
    round2 = ["pairs", "--run", str(made.run), "--uncurated", "--limit", "1", "--round", "2"]
    first = here([*round2, "--policy", "fake-vlm", "--config", str(config)])
    assert first.code == 0, first.err
    drawn = rows(made.run / "round2" / "branches.jsonl")
    again = here(round2)
    assert again.code == 0, again.err
    assert f"As {made.run / 'round2' / 'pairs.json'} remembers: " in again.out and "explore.k 4" in again.out
    assert rows(made.run / "round2" / "branches.jsonl") == drawn
    trained(made.run / "round2" / "adapter", b"second")
    third = here([*round2[:-1], "3", "--policy", "fake-vlm"])
    assert third.code == 0, third.err
    assert f"As {made.run / 'round2' / 'pairs.json'} remembers: " in third.out
    assert read_manifest(made.run / "round3" / "pairs.json").config.explore.k == 4


def test_under_whose_adapter_a_round_was_drawn_is_no_setting_of_later_stages(made: Job, fake: Fake) -> None:
    """A bench of the round would measure that adapter as the bare policy."""
    fake.models = ("fake-vlm", "adapter")
    config = made.folder / "models.yaml"
    config.write_text("models: {vlm: {name: fake-vlm}, policy: {like: vlm}}")
    round2 = ["--limit", "1", "--round", "2", "--config", str(config)]
    for _ in range(2):
        done = pairs(made, *round2)
        assert done.code == 0, done.err
        found = read_manifest(made.run / "round2" / "pairs.json")
        assert found.last and found.last.models["policy"] == "adapter"
        models = found.config.models
        assert models["vlm"].name == "fake-vlm" and {role.adapter for role in models.values()} == {None}


@pytest.mark.parametrize(("number", "says"), [("1", "the first round is the run itself"), ("0", "2 or more")])
def test_there_is_no_round_before_the_second(made: Job, number: str, says: str) -> None:
    done = pairs(made, "--round", number)
    assert done.code == 1 and says in done.err and not (made.run / f"round{number}").exists()


def test_without_an_adapter_it_says_what_to_do(made: Job) -> None:
    (made.run / "adapter" / WEIGHTS).unlink()
    (made.run / "adapter" / "adapter_config.json").unlink()
    done = pairs(made, "--round", "2")
    assert done.code == 1 and "no adapter" in done.err and "--policy" in done.err
    assert not (made.run / "round2").exists()


@pytest.mark.parametrize("what", ["a file", "a link"])
def test_a_round_is_begun_in_a_folder_of_the_runs_own_alone(made: Job, what: str) -> None:
    second, outside = made.run / "round2", made.folder / "outside"
    if what == "a file":
        second.write_text("")
    else:
        second.symlink_to(outside)  # to nothing: it would be made there
    done = pairs(made, "--round", "2", "--policy", "fake-vlm")
    assert done.code == 1 and f"{second}: " in done.err.strip().splitlines()[-1], done.err
    assert "Traceback" not in done.err and not outside.exists()


def edited(file: Path) -> None:
    found = rows(file)
    found[0]["answer"] = "Another answer."
    file.write_text("".join(json.dumps(row) + "\n" for row in found))


def test_branches_of_two_adapters_are_never_mixed_and_paths_that_changed_are_told(made: Job) -> None:
    asked = ("--limit", "1", "--round", "2", "--policy", "fake-vlm")
    assert pairs(made, *asked).code == 0
    drawn = (made.run / "round2" / "branches.jsonl").read_bytes()
    trained(made.run / "adapter", b"anew")
    done = pairs(made, *asked)
    assert done.code == 1 and "was trained anew since round 2 began" in done.err and "mv " in done.err
    trained(made.run / "adapter", b"first")
    edited(made.run / "reasoning_paths.jsonl")
    done = pairs(made, *asked)
    assert done.code == 1 and "move the round away to begin it anew" in done.err
    assert (made.run / "round2" / "branches.jsonl").read_bytes() == drawn


@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_place_of_a_round_leads_nowhere(made: Job, tmp_path: Path, there: bool) -> None:
    outside = tmp_path / "outside"
    if there:
        outside.mkdir()
    (made.run / "round2").symlink_to(outside)
    done = pairs(made, "--round", "2", "--policy", "fake-vlm")
    assert done.code == 1 and "is a link" in done.err and done.err.count("\n") == 1, done
    assert [*outside.glob("*")] == []


def test_a_shard_is_of_no_round(made: Job) -> None:
    done = pairs(made, "--round", "2", "--shard", "1/2")
    assert done.code == 1 and "--round 2" in done.err and not (made.run / "round2").exists()


def test_what_lies_in_the_run_is_one_up_from_the_round(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "seeds").mkdir(parents=True)
    (run / "reasoning_paths.jsonl").write_text("")
    manifest: dict[str, Any] = {"schema": 1, "seeds": {"source": "seeds/seeds.jsonl", "root": "seeds"}}
    (run / "run.json").write_text(json.dumps(manifest))
    one = Round(run, 2)
    begin(one, served=True)
    assert pictures_of(one.run, None).resolve() == (run / "seeds").resolve()
    kept = read_manifest(one.run / "run.json").seeds
    assert kept and not Path(kept.root).is_absolute(), "a run that is moved takes its rounds along"


@pytest.mark.slow
def test_the_embedded_policy_draws_under_its_adapter(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from test_served_adapters import make_tiny_adapter

    run = tmp_path / "run"
    assert here(["dataset", "--run", str(run), "--limit", "1"]).code == 0
    make_tiny_adapter(MICRO, run / "adapter")
    done = here(["pairs", "--run", str(run), "--uncurated", "--limit", "1", "--round", "2"])
    assert done.code in (0, 1), done.err
    last = read_manifest(run / "round2" / "pairs.json").last
    assert last and last.models["policy"] == "adapter"
    assert rows(run / "round2" / "branches.jsonl")
