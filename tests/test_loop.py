"""The whole loop by pasting what is printed: dataset, pairs, train, merge, people, and once more around."""

import re
import subprocess
from pathlib import Path
from shlex import quote

import pytest
from jobs import SSUI, rows

pytestmark = pytest.mark.slow


def pasted(line: str) -> str:
    """What a shell prints that is given the line somewhere else than in the checkout."""
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout + done.stderr


def printed(said: str, what: str) -> str:
    """The line to be pasted that has these words."""
    lines = re.findall(r"^(?:Next|Or|Then)[^:]*: (.*)$", said, re.MULTILINE)
    found = [line for line in lines if what in line]
    assert found, (what, said)
    return found[0]


def test_every_printed_line_leads_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "a night's run"
    begun = pasted(f"{quote(str(SSUI))} dataset --run {quote(str(run))} --limit 5")
    drawn = pasted(printed(begun, " pairs "))
    trained = pasted(printed(drawn, " ssui_train.srpo "))
    assert (run / "adapter/adapter_model.safetensors").exists()
    merged = pasted(printed(trained, " merge "))
    assert (run / "merged/config.json").exists() and "/merged" in printed(merged, " serve ")
    assert " --adapter " in printed(trained, " serve ")

    opened = pasted(printed(begun, " curation export ") + " --as ana")
    lines = run / "curation/ana.jsonl"
    lines.write_text(re.sub(r'"decision": ?null', '"decision":"keep"', lines.read_text()))
    curated = pasted(printed(opened, " curation apply "))
    assert len(rows(run / "curated.jsonl")) == len(rows(run / "reasoning_paths.jsonl")) > 0
    again = pasted(printed(curated, " pairs "))
    assert rows(run / "pairs.jsonl")
    retrained = pasted(printed(again, " ssui_train.srpo "))
    assert "adapter-1" in retrained or "is done" in retrained
