"""Trainings of two processes, each a real one: what they share out, and that it changes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_families import FAMILIES
from training import ROOT, Training, quiet, several

from ssui_gen.errors import ConfigError
from ssui_train.launch import arguments, refuse_other_sharding
from ssui_train.model import load_base

pytestmark = pytest.mark.filterwarnings("default::FutureWarning", "default::UserWarning")
CAPPED = ("epochs=4", "group_cap=1")
STEPS = ("questions_per_step=4", "epochs=4")
SHARED = (*CAPPED, "shard=true", "gradient_checkpointing=true", "save_every=4")
LONE = {
    "done": CAPPED,
    "batches": ("packing=none", "batch_tokens=600"),
    "undivided": (*STEPS, "attention=mask"),
}
"""Trainings of one process."""
PAIRS: dict[str, tuple[str, ...]] = {
    "two": CAPPED,
    "two_batches": ("packing=none", "batch_tokens=600"),
    "two_parts_1": (*STEPS, "part_tokens=1"),
    "two_parts_60": (*STEPS, "part_tokens=60"),
    "shared": SHARED,
    "shared_parts": (*STEPS, "part_tokens=60", "shard=true"),
}
"""Trainings of two."""


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training(tmp_path_factory.mktemp("training"))


# --- rows that no other process reads --------------------------------------------------------------


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes says of a base that they share."""
    folder = tmp_path_factory.mktemp("told")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "several.py"), "rows", str(folder)],
        cwd=ROOT, env=quiet(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_a_shared_base_teaches_each_process_its_own_rows(told: list[dict[str, Any]]) -> None:
    """Of trees in as many parts as they have, kept graphs and none, the model without its adapter too."""
    ways = [one["llava"]["read"] for one in told]
    assert set(ways[0]) == {"in parts", "torn", "at once", "masked", "apart"}
    assert ways[0]["torn"]["kept"]["parts"] > ways[1]["torn"]["kept"]["parts"], "rows are unlike"
    for one in told:
        for family in FAMILIES:
            off = [read["off"] for way in one[family]["read"].values() for read in way.values()]
            assert off
            assert max(off) < 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_each_process_holds_half_of_the_layers(told: list[dict[str, Any]], family: str) -> None:
    for one in told:
        own, whole, all_of_it = one[family]["held"]
        shared_out = all_of_it - whole
        assert shared_out > 0.65 * all_of_it, "projectors and norms alone are whole"
        assert own == pytest.approx(shared_out / 2, rel=0.05)


# --- whole trainings -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two(training: Training) -> Training:
    """All trainings of two processes, done."""
    for name, words in LONE.items():
        training.here(name, *words)
    done = training.together(*(training.words(name, *words) for name, words in PAIRS.items()))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Adapter in") == len(PAIRS), "one process speaks"
    assert done.stdout.count("shard: each of 2 processes holds") == 2
    return training


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("two", "done"),
        ("two_batches", "batches"),
        ("two_parts_1", "undivided"),
        ("two_parts_60", "undivided"),
    ],
)
def test_two_processes_see_the_losses_of_one(two: Training, name: str, one: str) -> None:
    """In batches only one goes through DDP's wrapper; parts are of each row's own number, closed or torn."""
    assert two.losses(name) == pytest.approx(two.losses(one), rel=1e-4)


@pytest.mark.slow
def test_two_processes_log_the_figures_of_one(two: Training) -> None:
    figures = [[row[name] for row in two.log(run) if "loss" in row] for run in ("two", "done")
               for name in ("nll", "margin", "accuracy", "tokens")]  # fmt: skip
    assert figures[:4] == [pytest.approx(one, rel=1e-3) for one in figures[4:]]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "whole"), [("shared", "two"), ("shared_parts", "two_parts_60")])
def test_a_shared_base_is_learnt_from_as_a_whole_one(two: Training, name: str, whole: str) -> None:
    assert two.losses(name) == pytest.approx(two.losses(whole), rel=1e-5)
    found, wanted = (load_file(two.folder / run / "adapter_model.safetensors") for run in (name, whole))
    assert found.keys() == wanted.keys()
    for key, weight in wanted.items():
        torch.testing.assert_close(found[key], weight, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_what_was_learnt_of_a_shared_base_says_the_same_on_a_whole_one(two: Training) -> None:
    """In one process; at its start a training looks at what the last one looked at in the end."""
    two.here("onward", "group_cap=1", f"adapter={two.folder / 'shared'}")
    last = [row for row in two.log("shared") if "eval_loss" in row][-1]
    first = next(row for row in two.log("onward") if "eval_loss" in row)
    for name in ("eval_loss", "eval_logps/chosen", "eval_logps/rejected", "eval_nll"):
        assert first[name] == pytest.approx(last[name], rel=1e-5)


@pytest.mark.slow
def test_killed_and_started_again_a_shared_base_ends_with_the_same_bits(two: Training) -> None:
    command = two.words("killed", *SHARED)
    process = subprocess.Popen(
        several(command), cwd=ROOT, env=quiet(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    state = two.folder / "killed" / "checkpoints" / "checkpoint-4" / "trainer_state.json"
    while process.poll() is None and not state.exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    again = two.together(command)
    assert again.returncode == 0, again.stderr
    assert "Going on from checkpoint-" in again.stdout
    assert two.weights("killed") == two.weights("shared")


# --- what is refused -------------------------------------------------------------------------------


def test_one_process_has_nobody_to_share_a_base_with(training: Training) -> None:
    with pytest.raises(ConfigError, match=r"several processes hold .* this is one: start them"):
        load_base(training.config("x", "shard=true"))


def test_four_bits_are_not_shared_out(training: Training) -> None:
    with pytest.raises(ConfigError, match="shard: true divides weights as they are, and quantize 4bit packs"):
        training.config("x", "shard=true", "quantize=4bit")


@pytest.mark.parametrize("name", ["FSDP", "DEEPSPEED", "MEGATRON_LM"])
def test_what_accelerate_would_shard_is_refused(
    training: Training, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    refuse_other_sharding({f"ACCELERATE_USE_{name}": "false"})
    monkeypatch.setenv(f"ACCELERATE_USE_{name}", "true")
    with pytest.raises(ConfigError, match=rf"to use {name}, which reads no trees in parts: .* shard=true"):
        arguments(training.config("x"), cpu=True, half=False)
