"""A trained adapter as a folder to be given away: what loads it, what it came to, nothing of its makers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from curating import exported, record, ssui
from jobs import Ended
from local_hub import TOKEN, local_hub
from yaml import safe_load

from ssui_train.show import draw

FACTS: dict[str, Any] = {
    "ssui_gen": "0.1.0", "base": {"model": "org/base", "fingerprint": "f5"}, "toy": False,
    "data": {"paths": "curated.jsonl", "curated": True, "sha256": {"pairs.jsonl": "ea20"}, "examples": "d3"},
    "prompt": "policy@2:8a197095",
    "settings": {"model": "org/base", "run": "/home/rosa/street", "seeds": None, "output": "/home/rosa/x",
                 "adapter": None, "prompt": None, "loss": "srpo", "lambda": 0.3},
    "counts": {"trained": 11, "held_out": 1, "pairs": 67, "left_out": {}}, "versions": {"peft": "0.21.2"},
    "figures": {"steps": 6, "watched": {"start": {"loss": 0.5}, "end": {"loss": 0.25}}},
}  # fmt: skip
RATE = {"share": 0.6, "low": 0.5, "high": 0.7, "n": 200}
MEASURED: dict[str, Any] = {
    "n": 200, "base": "/home/rosa/models/base", "made_of": {"sha256": "ab"},
    "figures": {
        "unsafe answers | <b>": {
            "before": RATE, "after": {**RATE, "share": 0.1, "low": 0.05, "high": 0.2},
            "change": {"points": -50.0, "low": -57.2, "high": -41.7},
        },
    },
}  # fmt: skip


def trained(folder: Path, **facts: Any) -> Path:
    """What a training leaves behind, its log, settings and checkpoints among it."""
    (folder / "checkpoints").mkdir(parents=True)
    draw([{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}], folder / "curves.png")
    for name, value in {
        "adapter_config.json": {"base_model_name_or_path": "/home/rosa/models/base", "r": 32},
        "training.json": {**FACTS, **facts}, "measured.json": MEASURED, "tokenizer.json": {"model": {}},
    }.items():  # fmt: skip
        (folder / name).write_text(json.dumps(value))
    (folder / "adapter_model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    (folder / "srpo.yaml").write_text("run: /home/rosa/street\n")
    (folder / "log.jsonl").write_text("{}\n")
    return folder


def publish(adapter: Path, *more: str) -> Ended:
    told = ("--run", str(adapter.parent), "--adapter", str(adapter), "--licence", "Apache-2.0")
    return ssui("publish", *told, *more)


def test_an_adapter_goes_out_with_its_figures_and_without_anybodys_home(tmp_path: Path) -> None:
    adapter = trained(tmp_path / "street" / "adapter")
    done = publish(adapter, "--contact", "desk@example.org")
    assert done.code == 0, done.err
    folder = adapter.with_name("adapter-published")
    assert {path.name for path in folder.iterdir()} == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "curves.png", "measured.json",
        "published.json", "tokenizer.json", "training.json",
    }  # fmt: skip
    assert (folder / "adapter_model.safetensors").read_bytes() == b"\x02\0\0\0\0\0\0\0{}"
    assert json.loads((folder / "adapter_config.json").read_text()) == {
        "base_model_name_or_path": "org/base", "r": 32,
    }  # fmt: skip
    assert not [path for path in folder.iterdir() if b"rosa" in path.read_bytes()]
    card = (folder / "README.md").read_text()
    head = safe_load(card.split("---\n")[1])
    told = {"base_model": "org/base", "license": "apache-2.0", "library_name": "peft"}
    assert head.items() >= told.items()
    assert "| unsafe answers \\| &lt;b&gt; | 60.0 % (50.0 – 70.0) |" in card
    assert "| 10.0 % (5.0 – 20.0) | -50.0 (-57.2 – -41.7) |" in card
    assert 'from_pretrained("org/base")' in card and "![The curves" in card and "desk@example.org" in card
    code = card.split("```python\n")[1].split("```")[0]
    compile(code, "card", "exec")
    assert len([line for line in code.splitlines() if line.strip()]) == 4


def test_a_base_that_is_a_folder_is_named_as_the_hub_has_it(tmp_path: Path) -> None:
    home = {"model": "/home/rosa/models/base", "fingerprint": "f5"}
    adapter = trained(tmp_path / "street" / "adapter", base=home)
    assert publish(adapter).code == 0
    card = (adapter.with_name("adapter-published") / "README.md").read_text()
    assert "rosa" not in card and "base_model:" not in card
    assert publish(adapter, "--base", "org/base").code == 0
    card = (adapter.with_name("adapter-published") / "README.md").read_text()
    assert "base_model: org/base" in card


def weights(**said: str) -> bytes:
    """A file of weights without one, whose header says something."""
    header = json.dumps({"__metadata__": said}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * 8


def test_what_the_header_of_weights_says_is_searched(tmp_path: Path) -> None:
    adapter = trained(tmp_path / "street" / "adapter")
    (adapter / "adapter_model.safetensors").write_bytes(weights(saved_from="/home/rosa/street"))
    done = publish(adapter)
    assert done.code == 1 and "adapter_model.safetensors: a path of somebody's home" in done.err
    assert not adapter.with_name("adapter-published").exists()
    (adapter / "adapter_model.safetensors").write_bytes(weights(format="pt"))
    assert publish(adapter).code == 0


def test_people_of_the_run_that_it_was_trained_on_are_known_and_pieces_of_words_are_nobody(
    tmp_path: Path,
) -> None:
    run = exported(tmp_path / "street", [record("kettle")], "wilma")
    said = {**FACTS["settings"], "run": str(run)}
    adapter = trained(tmp_path / "elsewhere" / "adapter", settings=said)
    (adapter / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"wilma": 3, "b": 4}}}))
    assert publish(adapter).code == 0
    (adapter / "measured.json").write_text(json.dumps({**MEASURED, "by": "wilma"}))
    done = publish(adapter)
    assert done.code == 1 and "measured.json: the name of a reviewer (wilma)" in done.err
    (adapter / "measured.json").write_text(json.dumps(MEASURED))
    (adapter / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {"hf_" + "a" * 30: 3}}}))
    assert publish(adapter).code == 1, "a key is one everywhere"


@pytest.mark.parametrize("gone", ["adapter_model.safetensors", "training.json"])
def test_what_is_no_finished_adapter_is_refused(tmp_path: Path, gone: str) -> None:
    adapter = trained(tmp_path / "street" / "adapter")
    (adapter / gone).unlink()
    done = publish(adapter)
    assert done.code == 1 and gone in done.err and not adapter.with_name("adapter-published").exists()


def test_it_is_sent_as_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = trained(tmp_path / "street" / "adapter")
    with local_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        hub.large = ()
        done = publish(adapter, "--to", "ana/adapter")
        assert done.code == 0, done.err
        repo = hub.repos["ana/adapter"]
    assert repo.kind == "model" and repo.private
    assert repo.files.keys() == {path.name for path in adapter.with_name("adapter-published").iterdir()}
