"""Exploration on a real vLLM: prefixes rendered to the letter, sampled tokens kept, shared prompts cached."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from jobs import rows
from real_vllm import ROOT, Serving

pytestmark = pytest.mark.vllm


@pytest.fixture(scope="module")
def run(real_vllm: Serving, drawn_seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run whose paths were explored by the model that wrote them, no good policy; and what was said."""
    folder = tmp_path_factory.mktemp("explored")
    (folder / "config.json").write_text(json.dumps({"verify": {"by": ["label"]}}))
    places = ["--run", str(folder), "--seeds", str(drawn_seeds), "--config", str(folder / "config.json")]
    places += ["--base-url", real_vllm.url, "--model", real_vllm.model]
    for stage in (["dataset", *places, "--limit", "6"], ["pairs", *places, "--uncurated"]):
        done = subprocess.run(
            [sys.executable, "-m", "ssui_gen", *stage], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert done.returncode == 0, done.stderr
    return folder, done.stdout


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
