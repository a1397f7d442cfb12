"""What a kept figure was made of: whatever may change it changes its identity, and nothing else does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ssui_gen.errors import ConfigError
from ssui_gen.provenance import as_kept, code, files, kept

ROOT = Path(__file__).parent.parent


def test_a_figure_is_served_for_the_same_making_alone(tmp_path: Path) -> None:
    made_of = {"n": 200, "parts": ("a", "b"), "code": {"sha256": "1"}}
    path = tmp_path / "kept.json"
    assert kept(path, made_of) is None
    path.write_text(as_kept({"share": 0.5}, made_of))
    found = kept(path, made_of)
    assert found and found["share"] == 0.5
    for other in ({**made_of, "n": 201}, {**made_of, "more": 1}, {"n": 200}, {}):
        assert kept(path, other) is None
    for old in ("[]", "{}", '{"make": {"n": 200}}', '{"made_of": {"n"', "[" * 100_000, ""):
        path.write_text(old)
        assert kept(path, made_of) is None, "made before this was kept, or cut off"


def test_files_are_known_by_their_names_and_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    first = files([one, two])
    assert files([two, one]) == first
    one.write_text("2")
    two.write_text("1")
    assert files([one, two]) != first


def identity(folder: Path, module: str = "tool.main") -> str:
    """As a process that runs in `folder` finds it."""
    script = f"from ssui_gen.provenance import code; print(code({module!r})['sha256'])"
    command = [sys.executable, "-c", script]
    env = {"PYTHONPATH": f"{ROOT}:{folder}", "PATH": ""}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_code_is_known_by_all_that_it_reaches_and_by_nothing_else(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.mkdir()
    sources = {
        "__init__.py": "",
        "main.py": "from tool.near import f\nimport json\n\ndef late():\n    from . import far\n",
        "near.py": "raise SystemExit('nobody runs this')\n",
        "far.py": "FAR = 1\n",
        "words.yaml": "a: 1\n",
        "other.py": "OTHER = 1\n",
    }
    for name, text in sources.items():
        (tool / name).write_text(text)
    first = identity(tmp_path)
    for name in sources:
        (tool / name).write_text(f"{sources[name]}# changed\n")
        assert (identity(tmp_path) != first) == (name != "other.py"), name
        (tool / name).write_text(sources[name])
    assert identity(tmp_path) == first


def test_the_evaluator_reaches_its_world_and_scores_and_no_stage() -> None:
    found = code("microworld.measure_adapter")
    assert found["libraries"]["torch"] != "not installed"
    assert found["sha256"] != code("ssui_train.srpo")["sha256"]


def test_a_module_that_is_not_there_is_said_so() -> None:
    for name in ("nobody.has_this", "microworld.nobody"):
        with pytest.raises(ConfigError, match="no such module"):
            code(name)
