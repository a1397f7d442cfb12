"""Exploration on a real vLLM: prefixes rendered to the letter, sampled tokens kept, shared prompts cached."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import regex
from jobs import rows
from real_vllm import ROOT, Serving

from ssui_gen.reading import rest_of_path

pytestmark = pytest.mark.vllm


def ssui(folder: Path, server: Serving, seeds: Path, stage: str, *more: str, **config: Any) -> str:
    """What a stage said."""
    (folder / "config.json").write_text(json.dumps({"verify": {"by": ["label"]}, **config}))
    places = ["--run", str(folder), "--seeds", str(seeds), "--config", str(folder / "config.json")]
    command = [stage, *places, "--base-url", server.url, "--model", server.model, *more]
    done = subprocess.run(
        [sys.executable, "-m", "ssui_gen", *command], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run(real_vllm: Serving, drawn_seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run whose paths were explored by the model that wrote them, no good policy; and what was said."""
    folder = tmp_path_factory.mktemp("explored")
    ssui(folder, real_vllm, drawn_seeds, "dataset", "--limit", "6")
    return folder, ssui(folder, real_vllm, drawn_seeds, "pairs", "--uncurated")


def test_every_prefix_is_rendered_to_the_letter(run: tuple[Path, str]) -> None:
    assert "renders each prefix as it stands (compared by text)" in run[1]


def test_the_sampled_tokens_are_kept(run: tuple[Path, str]) -> None:
    branches = [branch for cut in rows(run[0] / "branches.jsonl") for branch in cut["branches"]]
    assert branches
    assert all(branch["token_ids"] and len(branch["token_ids"]) == branch["tokens"] for branch in branches)


def test_most_prompt_tokens_come_from_the_prefix_cache(run: tuple[Path, str]) -> None:
    """Picture and question are the same at all cuts of a path, and so are the steps before a later cut."""
    with sqlite3.connect(f"file:{run[0] / 'calls.sqlite'}?mode=ro", uri=True) as journal:
        found = journal.execute("SELECT completion FROM calls WHERE agent = 'policy'").fetchall()
    usages = [json.loads(row[0])["usage"] for row in found]
    cached, prompt = (sum(usage[key] for usage in usages) for key in ("cached_tokens", "prompt_tokens"))
    assert cached / prompt > 0.5


def test_by_an_expression_whatever_the_model_writes_is_a_path_as_far_as_it_goes(
    run: tuple[Path, str], real_vllm: Serving, drawn_seeds: Path, tmp_path: Path
) -> None:
    """The same paths and the same model, which left to itself writes something else. It hardly ever ends."""
    shutil.copy(run[0] / "reasoning_paths.jsonl", tmp_path)
    held = {"form": "regex", "adaptive": False, "k": 4, "max_tokens": 256}
    ssui(tmp_path, real_vllm, drawn_seeds, "pairs", "--uncurated", "--limit", "2", explore=held)
    assert set(map(begins_a_path, rows(tmp_path / "branches.jsonl"))) == {True}
    assert False in set(map(begins_a_path, rows(run[0] / "branches.jsonl")))


def begins_a_path(cut: dict[str, Any]) -> bool:
    """Whether each branch is the rest of a path, or the beginning of one."""
    form = regex.compile(rest_of_path(cut["cut"]))
    return all(form.fullmatch(branch["text"], partial=True) for branch in cut["branches"])
