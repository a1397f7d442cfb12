"""An adapter that is none, or was damaged, is one line that says where; nothing is written."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ssui_gen.errors import SsuiError
from ssui_train.merge import merge

BASE = Path(__file__).parents[1] / "microworld/models/policy"
CONFIG = {
    "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8,
    "target_modules": ".*language_model.*q_proj", "base_model_name_or_path": str(BASE),
}  # fmt: skip


def adapter(folder: Path, **files: str | bytes) -> Path:
    """An adapter with other content in some of its `files`."""
    folder.mkdir()
    save_file({"a": torch.zeros(1)}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG))
    names = {
        "config": "adapter_config.json",
        "facts": "training.json",
        "weights": "adapter_model.safetensors",
    }
    for name, content in files.items():
        (folder / names[name]).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"config": "{"}, r"adapter_config\.json:1:2: not JSON"),
        ({"config": "[]"}, r"adapter_config\.json:1:1: expected an object"),
        ({"config": '{"r": 8}'}, r"peft_type: expected LORA; got None"),
        ({"config": json.dumps(CONFIG | {"peft_type": "IA3"})}, r"peft_type: expected LORA; got 'IA3'"),
        ({"config": json.dumps(CONFIG | {"base_model_name_or_path": None})}, "say it with --base"),
        (
            {"config": json.dumps(CONFIG | {"base_model_name_or_path": "/nowhere"})},
            "the base cannot be loaded",
        ),
        ({"config": json.dumps(CONFIG | {"r": "four"})}, "the adapter cannot be loaded"),
        ({"config": json.dumps(CONFIG | {"target_modules": "nothing"})}, "the adapter cannot be loaded"),
        ({"facts": "{"}, r"training\.json:1:2: not JSON"),
        ({"facts": '{"base": {"x": 1}}'}, r"training\.json: base: expected model and fingerprint"),
        ({"facts": '{"base": 3}'}, r"training\.json: base: expected model and fingerprint"),
        ({"weights": b"\xff" * 100}, "the adapter cannot be loaded"),
        ({"weights": b""}, "the adapter cannot be loaded"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else None,
)
def test_what_is_wrong_with_an_adapter_is_one_line(
    tmp_path: Path, files: dict[str, str | bytes], said: str
) -> None:
    with pytest.raises(SsuiError, match=said) as error:
        merge(adapter(tmp_path / "adapter", **files), tmp_path / "merged")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "merged").exists()
