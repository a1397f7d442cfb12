"""What is done with trainings: merging, learning by heart, sweeping over settings, measuring by the world."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel
from safetensors.torch import load_file, save_file
from tiny_families import tiny
from training import ROOT, Training, quiet
from transformers import AutoModelForImageTextToText, AutoProcessor
from trees import picture

from microworld.measure_adapter import adapted, base_of, measure
from ssui_gen.errors import ConfigError, TrainError
from ssui_train.encode import Encoder
from ssui_train.merge import merge
from ssui_train.model import load_base, with_adapter
from ssui_train.sweep import cells, together

pytestmark = pytest.mark.filterwarnings("default::FutureWarning", "default::UserWarning")
LOUD = ("learning_rate=0.02", "lora.rank=16", "lora.targets=all-linear", "epochs=6")
POLICY = ROOT / "microworld" / "models" / "policy"


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def loud(training: Training) -> Path:
    """An adapter strong enough to change what is said."""
    return training.here("loud", *LOUD).path


@torch.no_grad()
def says(model: Any, processor: Any) -> str:
    encoder = Encoder(processor, model)
    asked = encoder.asked("think", "what now?", [picture(0)])
    out = model.eval().generate(**asked, do_sample=False, max_new_tokens=12)
    return encoder.text(out[0, asked["input_ids"].shape[1] :].tolist())


# --- merging ---------------------------------------------------------------------------------------


def test_the_merged_model_says_what_the_adapter_says_and_not_what_the_base_says(
    training: Training, loud: Path, tmp_path: Path
) -> None:
    assert merge(loud, tmp_path / "merged") > 0.1
    base, processor = load_base(training.config("x"))
    plain = says(base, processor)
    under = says(PeftModel.from_pretrained(base, loud), processor)
    merged = AutoModelForImageTextToText.from_pretrained(tmp_path / "merged")
    assert says(merged, AutoProcessor.from_pretrained(tmp_path / "merged")) == under != plain
    with pytest.raises(ConfigError, match="is there already"):
        merge(loud, tmp_path / "merged")


def test_an_adapter_that_changes_nothing_is_not_merged(
    training: Training, loud: Path, tmp_path: Path
) -> None:
    silent = shutil.copytree(loud, tmp_path / "silent")
    weights = load_file(silent / "adapter_model.safetensors")
    still = {name: w * 0 if "lora_B" in name else w for name, w in weights.items()}
    save_file(still, silent / "adapter_model.safetensors")
    with pytest.raises(TrainError, match=r"answers as .*tiny does: nothing was written"):
        merge(silent, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_another_base_is_refused(training: Training, loud: Path, tmp_path: Path) -> None:
    other, processor = tiny("llava", seed=5)
    other.save_pretrained(tmp_path / "other")
    processor.save_pretrained(tmp_path / "other")
    with pytest.raises(ConfigError, match="was trained on"):
        merge(loud, tmp_path / "merged", base=str(tmp_path / "other"))
    with pytest.raises(ConfigError, match=r"adapter_config\.json: no such file"):
        merge(tmp_path, tmp_path / "merged")


@pytest.mark.slow
def test_ssui_merge_does_it_without_importing_torch_itself(loud: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ssui_gen", "merge", str(loud), "--output", str(tmp_path / "merged")]
    done = subprocess.run(command, cwd=ROOT, env=quiet(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "merged; its logits differ" in done.stdout
    assert (tmp_path / "merged" / "model.safetensors").exists()
    again = subprocess.run(command, cwd=ROOT, env=quiet(), capture_output=True, text=True, check=False)
    assert (again.returncode, "is there already" in again.stderr) == (1, True)


# --- by heart --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_batch_is_learnt_by_heart_and_a_rate_of_nothing_is_noticed(training: Training) -> None:
    """A tiny random head is never sure, so half a nat must do; each path is said word for word."""
    words = ("lora.rank=64", "lora.targets=all-linear", "learning_rate=0.005", "epochs=100")
    command = [
        sys.executable,
        "-m",
        "ssui_train.overfit",
        "--config",
        str(training.yaml),
        "--near-zero",
        "0.5",
    ]
    done = subprocess.run(
        [*command, *words], cwd=ROOT, env=quiet(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "learnt by heart" in done.stdout
    shutil.rmtree(training.run / "overfit")
    idle = ("learning_rate=1.0e-9", "epochs=2")
    lazy = subprocess.run(
        [*command, *idle], cwd=ROOT, env=quiet(), capture_output=True, text=True, check=False
    )
    assert lazy.returncode == 1
    assert "NOT learnt by heart" in lazy.stdout


# --- sweeping --------------------------------------------------------------------------------------

FIGURE = {"share": 0.5, "low": 0.4, "high": 0.6}


def test_every_combination_is_a_cell() -> None:
    assert cells(["a=1,2", "b=x"]) == [("a=1", "b=x"), ("a=2", "b=x")]
    for wrong in ("lambda", "lambda="):
        with pytest.raises(ConfigError, match="expected KEY=VALUE,VALUE"):
            cells([wrong])


def test_seeds_are_put_together_and_what_was_before_comes_first() -> None:
    def one(share: float) -> dict[str, Any]:
        figure = {
            "before": {"share": 0.5, "low": 0.4, "high": 0.6},
            "after": {"share": share, "low": 0, "high": 1},
        }
        return {"headlines": {"unsafe": "name"}, "figures": {"name": figure}}

    lines = together(
        {("lambda=0", "seed=0"): one(0.2), ("lambda=0", "seed=1"): one(0.4), ("lambda=1", "seed=0"): one(0.1)}
    )
    assert [line.setting for line in lines] == [("before",), ("lambda=0",), ("lambda=1",)]
    assert lines[0].shares["unsafe"] == (0.5, 0.4, 0.6)
    assert lines[1].shares["unsafe"] == pytest.approx((0.3, 0.2, 0.4))
    assert lines[2].shares["unsafe"] == (0.1, 0, 1)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_what_seeds_come_to_together_lies_among_them(shares: list[float]) -> None:
    """A mean of floats may lie a hair outside, and no figure has a negative bar."""
    found = {
        ("lambda=0", f"seed={seed}"): {
            "headlines": {"a": "a"},
            "figures": {"a": {"before": FIGURE, "after": FIGURE | {"share": share}}},
        }
        for seed, share in enumerate(shares)
    }
    middle, low, high = together(found)[1].shares["a"]
    assert low == min(shares) <= middle <= high == max(shares)


def swept(
    training: Training, folder: Path, *words: str, code: Path = ROOT / "tests"
) -> subprocess.CompletedProcess[str]:
    """The command, with the evaluator that lies in the folder `code`."""
    command = [
        sys.executable, "-m", "ssui_train.sweep", "--config", str(training.yaml), "--output", str(folder),
        "--evaluator", "evaluator", *words,
    ]  # fmt: skip
    env = quiet() | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(code)))}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_sweep_trains_and_measures_every_cell_once(training: Training) -> None:
    folder = training.folder / "sweep"
    done = swept(training, folder, "lambda=0,0.3", "epochs=1")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((folder / "sweep.json").read_text())
    assert [row["setting"] for row in rows] == [
        ["before"],
        ["lambda=0"],
        ["lambda=0.3"],
    ]
    assert (folder / "sweep.png").read_bytes().startswith(b"\x89PNG")
    adapter = folder / "lambda=0.3 epochs=1"
    assert json.loads((adapter / "training.json").read_text())["settings"]["lambda"] == 0.3
    kept = [adapter / "adapter_model.safetensors", adapter / "measured.json"]
    made = [path.stat().st_mtime_ns for path in kept]
    again = swept(training, folder, "lambda=0,0.3", "epochs=1")
    assert again.returncode == 0
    assert "steps" not in again.stdout
    assert [path.stat().st_mtime_ns for path in kept] == made


@pytest.mark.slow
def test_a_sweep_serves_no_figure_of_other_data_code_or_seeds(tmp_path: Path) -> None:
    """Each thing in turn is other than what was measured: it is measured anew, or refused in words."""
    training, folder, code = Training(tmp_path), tmp_path / "sweep", tmp_path / "code"
    code.mkdir()
    evaluator = Path(shutil.copy(ROOT / "tests" / "evaluator.py", code))
    cell = folder / "lambda=0.3 epochs=1"

    def again() -> subprocess.CompletedProcess[str]:
        return swept(training, folder, "lambda=0.3", "epochs=1", code=code)

    assert again().returncode == 0
    good = json.loads((cell / "measured.json").read_text())

    by_hand = {key: value for key, value in good.items() if key != "made_of"} | {"headlines": {}}
    (cell / "measured.json").write_text(json.dumps(by_hand))
    assert again().returncode == 0
    assert json.loads((cell / "measured.json").read_text()) == good, "what somebody else wrote is not served"

    evaluator.write_text(evaluator.read_text().replace('{"right": "pairs', '{"sorted": "pairs'))
    assert again().returncode == 0
    assert list(json.loads((cell / "measured.json").read_text())["headlines"]) == ["sorted"], "other scoring"

    facts = json.loads((cell / "training.json").read_text())
    facts["code"]["sha256"] = "0" * 64
    (cell / "training.json").write_text(json.dumps(facts))
    refused = again()
    assert refused.returncode == 1 and "was trained by other code than this" in refused.stderr

    pairs = training.run / "pairs.jsonl"
    pairs.write_text("".join(pairs.read_text().splitlines(keepends=True)[:-1]))
    assert again().returncode == 0
    assert cell.with_name(f"{cell.name}-1").is_dir(), "the cell of other data is put aside"


@pytest.mark.slow
def test_a_sweep_of_a_run_without_data_ends_in_an_error_whatever_lies_in_its_folder(
    training: Training, tmp_path: Path
) -> None:
    cell = tmp_path / "sweep" / "lambda=0.3"
    cell.mkdir(parents=True)
    figure = {"share": 0.1, "low": 0.0, "high": 0.2}
    found = {"headlines": {"right": "x"}, "figures": {"x": {"before": figure, "after": figure}}}
    (cell / "measured.json").write_text(json.dumps(found))
    done = swept(training, tmp_path / "sweep", "lambda=0.3", "--run", str(tmp_path / "empty"))
    assert done.returncode == 1
    assert re.search(r"no such file: make it with `(\S+/)?ssui dataset", done.stderr)
    assert not (tmp_path / "sweep" / "sweep.json").exists()


# --- measuring -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_adapter_is_measured_beside_its_bare_model(tmp_path: Path) -> None:
    from microworld.learning.model import load
    from ssui_train.config import Lora, SrpoConfig

    model, _ = load(POLICY)
    config = SrpoConfig(model=str(POLICY), lora=Lora(rank=2))
    with_adapter(model, config).save_pretrained(tmp_path / "fresh")
    found = measure(tmp_path / "fresh", POLICY, n=6, seed=1)
    for name in found["headlines"].values():
        figure = found["figures"][name]
        assert figure["before"] == figure["after"], "a fresh adapter changes nothing"
        assert figure["change"]["points"] == 0
    made = (tmp_path / "before.json").stat().st_mtime_ns
    measure(tmp_path / "fresh", POLICY, n=6, seed=1)
    assert (tmp_path / "before.json").stat().st_mtime_ns == made
    assert base_of(tmp_path / "fresh") == POLICY


def test_an_adapter_that_touches_nothing_is_refused(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    other, _ = tiny("qwen2_5_vl")
    strange = get_peft_model(other, LoraConfig(r=2, target_modules=["qkv"]))
    strange.save_pretrained(tmp_path / "strange")
    with pytest.raises((ConfigError, ValueError), match=r"touches no layer|not found in the base model"):
        adapted(POLICY, tmp_path / "strange")
