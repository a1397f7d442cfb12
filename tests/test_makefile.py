"""What make runs for each policy: the micro VLMs by their served names, any other as it is named."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def commands(*arguments: str) -> str:
    """What make would run, without installing anything."""
    made = ["make", "-n", "-o", ".venv/.ready", *arguments]
    return subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("policy", "settings", "model", "measured"),
    [
        ("", "train/micro.yaml", None, True),
        ("micro-policy", "train/micro.yaml", "microworld/models/policy", True),
        ("micro-untidy", "train/micro.yaml", "microworld/models/untidy", True),
        ("micro-drifting", "train/micro.yaml", "microworld/models/drifting", True),
        ("micro-two-policy", "train/micro.yaml", "microworld/models/two-policy", True),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "train/srpo.yaml", "Qwen/Qwen2.5-VL-7B-Instruct", False),
        ("micro-llama", "train/srpo.yaml", "micro-llama", False),
    ],
)
def test_the_policy_that_pairs_are_made_of_is_the_one_that_is_trained(
    policy: str, settings: str, model: str | None, measured: bool
) -> None:
    train = commands("train", "RUN=demo", f"POLICY={policy}")
    assert f"--config='{settings}'" in train
    assert (f"--model='{model}'" in train) if model else ("--model" not in train)
    assert ("microworld.measure_adapter" in train) == measured
    for target in ("pairs", "distil"):
        drawn = commands(target, "RUN=demo", f"POLICY={policy}")
        assert (f"--policy='{policy}'" in drawn) == bool(policy)


def test_the_claims_of_one_of_our_policies_are_reproduced_on_it() -> None:
    assert "--model='microworld/models/drifting' --quick" in commands(
        "reproduce", "POLICY=micro-drifting", "QUICK=1"
    )
    assert "--model" not in commands("reproduce")


@pytest.mark.parametrize(
    ("said", "scope"),
    [
        ("RIVALS", "rivals"),
        ("RIVALS RECIPES", "recipes"),
        ("RIVALS WORLDS", "worlds"),
        ("RECIPES WORLDS", "worlds"),
    ],
)
def test_of_several_scopes_the_widest_is_measured(said: str, scope: str) -> None:
    words = commands("reproduce", *(f"{name}=1" for name in said.split())).split()
    assert [word for word in words if word.startswith("--")] == [f"--{scope}"]


def test_more_data_sets_are_taken_where_they_are_asked_for() -> None:
    assert commands("reproduce", "QUICK=1", "MORE=1").split()[-3:] == ["--quick", "--set", "more"]


def test_nothing_is_sent_anywhere_unless_to_is_said() -> None:
    words = commands("publish", "RUN=mine", "LICENCE=CC-BY-4.0", "CONTACT=a desk", "UNCURATED=1").split()
    told = " ".join(words)
    assert "publish --run='outputs/mine' --licence='CC-BY-4.0' --contact='a desk' --uncurated" in told
    assert "--to" not in told and "--public" not in told
    told = commands("publish", "RUN=mine", "LICENCE=MIT", "TO=ana/street", "ADAPTER=outputs/mine/adapter")
    assert "--to='ana/street' --adapter='outputs/mine/adapter'" in told


def test_somebodys_benchmark_is_named_with_their_copy_and_its_rules() -> None:
    bench = commands(
        "bench", "RUN=mine", "BENCH=siuo", "DATA=a copy", "MODEL=the/model", "BASE_URL=http://127.0.0.1:1/v1",
        "JUDGE=the/judge@http://127.0.0.1:2/v1", "ARGS=--score official copsd",
    )  # fmt: skip
    assert "bench run --run='outputs/mine' --bench='siuo' --data='a copy'" in bench
    assert "--judge='the/judge@http://127.0.0.1:2/v1'" in bench and "--model='the/model'" in bench
    assert bench.rstrip().endswith("--score official copsd")
    assert "microworld.bench" not in bench, "drawn scenes are not made for another's benchmark"
    assert "microworld.bench 'outputs/mine/bench'" in commands("bench", "RUN=mine")


@pytest.mark.parametrize("target", ["dataset", "pairs", "bench"])
def test_a_cluster_is_named_to_every_stage_that_is_done_in_shards(target: str) -> None:
    assert "--cluster='head:6379'" in commands(target, "CLUSTER=head:6379")
    assert "--cluster" not in commands(target)


def test_the_list_of_make_begins_with_where_to_begin_and_fits_80_columns() -> None:
    listed = subprocess.run(
        ["make"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert listed[0].startswith("Begin with `make dataset LIMIT=12`")
    assert not [line for line in listed if len(line) > 80]
    groups = [line for line in listed[1:] if line and not line.startswith(" ")]
    assert groups[0] == "Make a dataset" and len(groups) == len(set(groups))
    known = re.findall(
        r"^([a-z-]+):.*## |^([A-Z_]+) \?=", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    for target, variable in known:
        assert any(line.startswith(f"  {f'make {target}' if target else variable} ") for line in listed)


def test_what_make_was_told_is_shown_whatever_stands_in_it() -> None:
    told = ["make", "help", "RUN=it's", 'SEEDS="; false #']
    listed = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert listed.splitlines()[-1] == """Now: RUN=it's SEEDS="; false # CONFIG=run.yaml"""


def test_the_fast_tests_are_there() -> None:
    fast = [word for word in commands("test-fast").split() if word.startswith("tests/")]
    assert len(fast) > 20 and all((ROOT / path).is_file() for path in fast)


def test_a_dry_run_is_asked_for_in_the_same_words_everywhere() -> None:
    for target in ("dataset", "pairs", "distil", "bench", "train"):
        made = commands(target, "DRY=1", "RUN=mine")
        assert made.count("--dry") == 1 and "--dry" not in commands(target, "RUN=mine")
    assert "bench report" not in commands("bench", "DRY=1"), "there are no new rows to report"
    assert "--sample 50" in commands("dataset", "SAMPLE=50")
