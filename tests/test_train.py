"""Whole trainings of a tiny policy: what they leave behind, how they go on, and what stops them."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from tiny_families import FAMILIES, tiny
from training import ROOT, Training, quiet
from transformers import AutoProcessor
from trees import Case, eyes, with_lora

from ssui_gen.errors import ConfigError, TrainError
from ssui_train.config import Lora, SrpoConfig, load
from ssui_train.encode import Encoder
from ssui_train.launch import arguments, refuse_data_parallel
from ssui_train.loss import USUAL
from ssui_train.model import adapted_layers, check_adapted, check_base, load_base, precision, with_adapter
from ssui_train.rows import RowMaker
from ssui_train.tally import NAMES
from ssui_train.trainer import SrpoTrainer, explained

pytestmark = pytest.mark.filterwarnings("default::FutureWarning", "default::UserWarning")


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def done(training: Training) -> Path:
    """One finished training."""
    return training.here("done").path


# --- what is left behind ---------------------------------------------------------------------------


def test_everything_a_server_and_a_reader_need_is_there(training: Training, done: Path) -> None:
    facts = json.loads((done / "training.json").read_text())
    assert facts["counts"] == {"trained": 4, "held_out": 0, "pairs": 8, "left_out": {}}
    assert set(facts["data"]["sha256"]) == {"reasoning_paths.jsonl", "branches.jsonl", "pairs.jsonl"}
    assert facts["figures"]["steps"] == 4
    assert json.loads((done / "adapter_config.json").read_text())["base_model_name_or_path"] == str(
        training.model
    )
    assert hasattr(AutoProcessor.from_pretrained(done), "image_processor")
    assert (done / "curves.png").read_bytes().startswith(b"\x89PNG")
    card = (done / "README.md").read_text()
    for part in (
        "library_name: peft",
        "λ 0.3",
        facts["data"]["sha256"]["pairs.jsonl"],
        "not curated",
        "| margin |",
    ):
        assert part in card
    assert not list(done.glob("*.bin")), "nothing pickled beside the adapter"


def test_the_resolved_settings_are_those_that_were_used(training: Training, done: Path) -> None:
    again = load(done / "srpo.yaml")
    assert again.resolved() == again
    assert again.objective == USUAL["srpo"]
    assert (again.lora.alpha, again.learning_rate) == (16, 0.003)


def test_every_figure_is_logged(training: Training, done: Path) -> None:
    rows = training.log("done")
    cuts = {name for name in NAMES if name.startswith("accuracy/cut")} - {"accuracy/cut0", "accuracy/cut3"}
    steps = [row for row in rows if "loss" in row]
    looks = [row for row in rows if "eval_loss" in row]
    assert [row["step"] for row in steps] == [1, 2, 3, 4]
    assert all(set(NAMES) - cuts <= row.keys() for row in steps)
    assert all(row["tokens_per_second"] > 0 and row["tree_ratio"] > 1.3 for row in steps)
    assert [row["step"] for row in looks] == [0, 2, 4]
    assert all(f"eval_{name}" in looks[0] for name in set(NAMES) - cuts)


def test_a_training_trains(training: Training, done: Path) -> None:
    looks = [row for row in training.log("done") if "eval_loss" in row]
    assert looks[-1]["eval_nll"] < looks[0]["eval_nll"]
    assert looks[-1]["eval_margin"] > looks[0]["eval_margin"]


@pytest.mark.slow
def test_loss_is_the_mean_over_examples_however_they_share_rows(training: Training, done: Path) -> None:
    training.here("two_a_row", "trees_per_row=2")
    training.here("alone", "packing=none")
    for other in ("two_a_row", "alone"):
        assert training.losses(other) == pytest.approx(training.losses("done"), rel=1e-4)


def test_gradient_checkpointing_changes_nothing(training: Training, done: Path) -> None:
    training.here("thrifty", "gradient_checkpointing=true")
    assert training.losses("thrifty") == pytest.approx(training.losses("done"), rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("loss", sorted(USUAL))
def test_every_loss_trains(training: Training, loss: str) -> None:
    training.here(f"loss_{loss}", f"loss={loss}", "epochs=3")
    looks = [row for row in training.log(f"loss_{loss}") if "eval_loss" in row]
    assert looks[-1]["eval_loss"] < looks[0]["eval_loss"]
    if USUAL[loss].needs_base:
        assert looks[0]["eval_margin"] == pytest.approx(0, abs=1e-4), "at first the policy is the base"


# --- going on --------------------------------------------------------------------------------------


def test_a_finished_training_is_not_done_again_and_another_make_is_refused(
    training: Training, done: Path
) -> None:
    before = (done / "adapter_model.safetensors").stat().st_mtime_ns
    said = Console(file=io.StringIO(), width=200)
    training.here("done", console=said)
    assert "is done already" in said.file.getvalue()  # type: ignore[attr-defined]
    assert (done / "adapter_model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match=r"another make \(lambda 0\.3 → 0\.5\): .* OUT=\S+-1 "):
        training.here("done", "lambda=0.5")


@pytest.mark.slow
def test_an_adapter_of_other_data_is_kept_under_a_name(training: Training) -> None:
    training.here("loop")
    before, pairs = training.weights("loop"), training.run / "pairs.jsonl"
    content = pairs.read_bytes()
    pairs.write_bytes(b"".join(content.splitlines(keepends=True)[:-1]))
    said = Console(file=io.StringIO(), width=400)
    folder = training.here("loop", console=said)
    pairs.write_bytes(content)
    assert folder.put_aside == training.folder / "loop-1"
    assert "held an adapter of other data, which is kept as" in said.file.getvalue()  # type: ignore[attr-defined]
    assert training.weights("loop-1") == before != training.weights("loop")
    training.here("loop")
    assert (training.folder / "loop-2").is_dir()


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_same_bits(training: Training) -> None:
    """SIGKILL as soon as a checkpoint is there, twice; pairs are capped, so that epochs differ."""
    words = ("epochs=4", "group_cap=1", "save_every=1")
    whole = training.there("whole", *words)
    assert whole.returncode == 0, whole.stderr
    kills = 0
    for wanted in (2, 5):
        process = subprocess.Popen(
            [sys.executable, *training.command("killed", *words)], cwd=ROOT, env=quiet(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        state = training.folder / "killed" / "checkpoints" / f"checkpoint-{wanted}" / "trainer_state.json"
        while process.poll() is None and not state.exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.communicate()
    assert kills == 2
    last = training.there("killed", *words)
    assert last.returncode == 0, last.stderr
    assert "Going on from checkpoint-" in last.stdout
    assert training.weights("killed") == training.weights("whole")
    assert training.losses("killed") == training.losses("whole")


def test_a_checkpoint_that_a_kill_left_half_written_is_passed_over(
    training: Training, tmp_path: Path
) -> None:
    from ssui_train.folder import Folder

    folder = Folder(training.config(str(tmp_path / "half")))
    for step, state in ((2, '{"global_step": 2}'), (4, '{"global_st'), (6, None)):
        place = folder.path / "checkpoints" / f"checkpoint-{step}"
        place.mkdir(parents=True)
        if state:
            (place / "trainer_state.json").write_text(state)
    found = folder.last_checkpoint()
    assert found is not None and found.name == "checkpoint-2"


def test_questions_that_cannot_be_shared_out_are_refused(training: Training) -> None:
    with pytest.raises(ConfigError, match="questions_per_step: 3 cannot be shared out"):
        arguments(training.config("odd", "questions_per_step=3", "trees_per_row=2"), cpu=True, half=False)


# --- what is adapted -------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("targets", ["all-linear", ("q_proj", "v_proj")])
def test_the_adapter_touches_the_language_model_alone(family: str, targets: Any) -> None:
    model, _ = tiny(family)
    config = SrpoConfig(model="tiny", lora=Lora(rank=4, targets=targets))
    adapted = with_adapter(model.requires_grad_(False), config)
    layers = adapted_layers(adapted)
    ends = {name.rpartition(".")[2] for name in layers}
    assert all(".language_model." in f".{name}." for name in layers)
    assert len(layers) == 2 * len(ends)
    assert ends == ({"q_proj", "v_proj"} if targets != "all-linear" else ends)
    assert {name for name, weight in adapted.named_parameters() if weight.requires_grad} == {
        name for name, _ in adapted.named_parameters() if ".lora_" in name
    }


def test_an_adapter_on_the_tower_is_noticed() -> None:
    from peft import LoraConfig, get_peft_model

    model, _ = tiny("qwen2_5_vl")
    strayed = get_peft_model(model, LoraConfig(r=2, target_modules=["gate_proj"]))
    with pytest.raises(AssertionError, match="outside of the language model"):
        check_adapted(strayed)


def test_targets_that_are_no_layers_are_refused() -> None:
    model, _ = tiny("llava")
    with pytest.raises(
        ConfigError, match=r"no linear layer qkv in .*language_model \(there are: down_proj, "
    ):
        with_adapter(model, SrpoConfig(model="tiny", lora=Lora(targets=("qkv",))))


def test_a_training_can_begin_with_an_adapter_of_its_base_and_of_no_other(
    training: Training, done: Path, tmp_path: Path
) -> None:
    training.here("onward", f"adapter={done}")
    first = training.losses("onward")[0]
    assert first < training.losses("done")[0]
    other, _ = tiny("llava", seed=1)
    with pytest.raises(ConfigError, match=r"was trained on .*tiny, and the weights of .* are others"):
        check_base(done, other)
    with pytest.raises(ConfigError, match="expected the folder of a LoRA adapter"):
        check_base(tmp_path, other)


# --- what stops a training -------------------------------------------------------------------------


def test_an_unknown_setting_is_refused_with_the_known_ones(training: Training) -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'lamda' \(known: adapter, .*lambda, "):
        training.config("x", "lamda=0.3")
    with pytest.raises(ConfigError, match=r"unknown key 'lora\.r' \(known: alpha, rank, targets\)"):
        training.config("x", "lora.r=4")
    with pytest.raises(ConfigError, match="expected KEY=VALUE"):
        training.config("x", "lambda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_what_needs_a_gpu_says_so(training: Training) -> None:
    with pytest.raises(ConfigError, match="bf16 needs a GPU"):
        precision(training.config("x", "precision=bf16"))
    with pytest.raises(ConfigError, match="4bit needs a GPU"):
        load_base(training.config("x", "quantize=4bit"))


def test_a_model_that_is_not_there_is_explained(training: Training, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model: .*nowhere: cannot be loaded"):
        load_base(training.config("x", f"model={tmp_path / 'nowhere'}"))


def test_data_parallel_is_refused(training: Training) -> None:
    with pytest.raises(ConfigError, match=r"accelerate launch --num_processes 4 -m ssui_train\.srpo"):
        refuse_data_parallel(4)
    refuse_data_parallel(1)
    model, processor = tiny("llava")
    case = Case(Encoder(processor, model))
    wrapped = torch.nn.DataParallel(with_lora(model))
    args = arguments(training.config("x"), cpu=True, half=False)
    with pytest.raises(ConfigError, match="DataParallel"):
        SrpoTrainer(
            wrapped, args, RowMaker(USUAL["srpo"]), eyes(Encoder(processor, model), case),
            train=[case.example], watched=[case.example], say=print,
        )  # fmt: skip


def test_a_loss_that_is_not_a_number_stops_at_once_and_names_the_example(
    training: Training, tmp_path: Path
) -> None:
    broken, processor = tiny("llava")
    with torch.no_grad():
        broken.model.language_model.layers[0].mlp.up_proj.weight[0, 0] = torch.nan
    broken.save_pretrained(tmp_path / "broken")
    processor.save_pretrained(tmp_path / "broken")
    with pytest.raises(TrainError, match=r"the loss of example path\d is nan \(nll nan"):
        training.here("nan", f"model={tmp_path / 'broken'}")


def test_a_gradient_that_is_not_a_number_never_reaches_the_weights(training: Training) -> None:
    model, processor = tiny("llava")
    encoder = Encoder(processor, model)
    case = Case(encoder)
    adapted = with_lora(model)
    weight = next(w for n, w in adapted.named_parameters() if "lora_B" in n)
    weight.register_hook(lambda gradient: gradient * torch.nan)
    before = weight.detach().clone()
    trainer = SrpoTrainer(
        adapted, arguments(training.config("gradient"), cpu=True, half=False), RowMaker(USUAL["srpo"]),
        eyes(encoder, case), train=[case.example] * 2, watched=[case.example], say=print,
    )  # fmt: skip
    with pytest.raises(TrainError, match=r"step 1: a gradient is not a number"):
        trainer.train()
    assert torch.equal(weight, before)


def test_memory_that_does_not_suffice_names_the_example_and_what_to_lower() -> None:
    model, processor = tiny("llava")
    case = Case(Encoder(processor, model))
    row = RowMaker(USUAL["srpo"])([case.example])
    said = (
        r"out of memory at example one: \d+ tokens, .* 3 pairs\. "
        r".* gradient_checkpointing=true\. With a lower max_row"
    )
    with (
        pytest.raises(TrainError, match=said),
        explained(row),
    ):
        torch.empty(10**15)
    with pytest.raises(RuntimeError, match="shape"), explained(row):
        torch.zeros(2) @ torch.zeros(3, 3)


@pytest.mark.slow
def test_a_likelihood_that_sinks_raises_the_alarm(training: Training) -> None:
    """SimPO has no likelihood to hold it: at a high rate the chosen sink for a while."""
    said = Console(file=io.StringIO(), width=300)
    training.here("sinking", "loss=simpo", "beta=20", "learning_rate=0.1", "epochs=6", console=said)
    looks = [row for row in training.log("sinking") if "eval_loss" in row]
    sunk = [row for row in looks if row["eval_logps/chosen"] < looks[0]["eval_logps/chosen"] - 0.01]
    assert sunk and all(row["eval_displaced"] > 0 for row in sunk)
    assert "chosen branches are less likely than at the start" in said.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_command_explains_itself_in_one_line(training: Training) -> None:
    done = training.there("wrong", "held_outt=0.1")
    assert done.returncode == 1
    assert done.stderr.startswith("train: ")
    assert "unknown key 'held_outt'" in done.stderr
    assert "Traceback" not in done.stderr
