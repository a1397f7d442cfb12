"""Our pairs are TRL's: `DPOTrainer` takes a step on them with a vision model, the file as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl")
from PIL import Image
from test_pairs import branch, cut
from tiny_llava import make_tiny_llava

from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.files import atomic_write
from ssui_gen.images import inspect
from ssui_gen.settings import ImageLimits
from ssui_gen.stages.export import export

GOOD = "\n3. Synthesis: the floor is wet.\nAnswer: Careful."
TRAIN = """
import sys
from datasets import load_dataset
from transformers import AutoModelForImageTextToText, AutoProcessor
from trl import DPOConfig, DPOTrainer

model, pairs, out = sys.argv[1:]
rows = load_dataset("json", data_files=pairs, cache_dir=out + "/cache")["train"]
how = DPOConfig(output_dir=out, max_steps=1, per_device_train_batch_size=2, max_length=None, use_cpu=True,
                report_to="none", gradient_checkpointing=False, bf16=False)
trainer = DPOTrainer(AutoModelForImageTextToText.from_pretrained(model), args=how, train_dataset=rows,
                     processing_class=AutoProcessor.from_pretrained(model))
print("loss", trainer.train().training_loss)
"""


def written(folder: Path) -> Path:
    """Pairs of two pictures, and the pictures below the same folder."""
    rows = []
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 64), "teal").save(folder / name)
        drawn = cut(2, branch(GOOD, "good"), branch("\n3. Synthesis: fine.\nAnswer: Go.", "bad"))
        drawn = drawn.model_copy(update={"image": inspect(folder, name, ImageLimits())})
        rows += pair_up([drawn], Pairing(), system="Think.")
    atomic_write(folder / "pairs.jsonl", "".join(row.model_dump_json() + "\n" for row in rows))
    return folder / "pairs.jsonl"


@pytest.mark.slow
@pytest.mark.parametrize("way", ["as it is, at the pictures' root", "exported, from anywhere"])
def test_one_step_of_dpo(tmp_path: Path, way: str) -> None:
    pairs = written(tmp_path)
    here = way.startswith("as it is")
    file = pairs if here else export(tmp_path, tmp_path, "trl").file
    model = make_tiny_llava(tmp_path / "model")
    command = [sys.executable, "-c", TRAIN, str(model), str(file), str(tmp_path / "out")]
    done = subprocess.run(
        command, cwd=tmp_path if here else None, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loss = float(done.stdout.rpartition("loss ")[2])
    assert loss == pytest.approx(0.6931, abs=1e-3), "the policy is its own reference at the first step"
