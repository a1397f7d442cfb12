"""The dataset stage on a real vLLM: end to end, with an adapter, through kills, and when it cannot start."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from real_vllm import MODEL, ROOT, Serving, serving

from ssui_gen.jsonl import read, validate
from ssui_gen.records import ReasoningPath, Reject

pytestmark = pytest.mark.vllm


def command(run: Path, seeds: Path, *more: str) -> list[str]:
    places = ["--run", str(run), "--seeds", str(seeds)]
    return [sys.executable, "-m", "ssui_gen", "dataset", *places, *more]


def make(run: Path, seeds: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(run, seeds, *more), capture_output=True, text=True, cwd=ROOT, check=False)


def outcomes(run: Path) -> Counter[tuple[str, str]]:
    """How often each seed and kind has a row, be it a path or a reject; every row is read as its record."""
    paths = [validate(ReasoningPath, line) for line in read(run / "reasoning_paths.jsonl")]
    rejects = [validate(Reject, line) for line in read(run / "rejects.jsonl")]
    return Counter((row.seed_id, str(row.kind)) for row in [*paths, *rejects])


def expected(seeds: Path) -> set[tuple[str, str]]:
    rows = [json.loads(line) for line in seeds.read_text().splitlines()]
    kinds = ("risky", "benign")
    return {(row["id"], kind) for row in rows for kind in ([row["kind"]] if row.get("kind") else kinds)}


def processes(words: str) -> list[int]:
    """API servers whose command line holds `words`, arguments joined by spaces."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if words in line and "-m vllm.entrypoints" in line and "supervise" not in line:
                found.append(int(folder.name))
    return found


def logging_to(file: Path) -> list[int]:
    """Processes that write into `file`: a server, its supervisor and its workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "fd" / "2").readlink() == file:
                found.append(int(folder.name))
    return found


def answered(run: Path) -> dict[str, float]:
    """Every call in the journal, with when it was answered; none while its table is not made yet."""
    with sqlite3.connect(f"file:{run / 'calls.sqlite'}?mode=ro", uri=True) as journal:
        columns = [row[1] for row in journal.execute("PRAGMA table_info(calls)")]
        found = journal.execute("SELECT * FROM calls") if columns else ()
        return {row[0]: dict(zip(columns, row, strict=True)) for row in found}


def eventually(true: Any, seconds: float = 300.0) -> bool:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.1)
    return bool(true())


def test_the_dataset_stage_end_to_end(real_vllm: Serving, drawn_seeds: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = make(run, drawn_seeds, "--base-url", real_vllm.url, "--model", real_vllm.model)
    assert done.returncode == 0, done.stderr
    assert outcomes(run) == dict.fromkeys(expected(drawn_seeds), 1)
    assert list(read(run / "reasoning_paths.jsonl")), "no path at all"
    features = json.loads((run / "run.json").read_text())["features"]["vlm"]
    lacking = {name for name, found in features.items() if not found}
    harmless = {"echoes", "thinks", "hushed", "refused", "verbatim"}  # chat goes on: text is not tried
    assert lacking == harmless, "vLLM can do all that we ask for"
    assert "system text is not shown" in features["template"], (
        "the micro VLM reads of it only the agent's name"
    )
    replies = Counter(validate(Reject, line).reason for line in read(run / "rejects.jsonl"))
    assert not replies["reply_invalid"] + replies["call_failed"]
    assert "found in their prefix caches" in done.stdout


def test_serve_says_what_it_starts_and_what_to_type_next(real_vllm: Serving, drawn_seeds: Path) -> None:
    assert "--scheduling-policy priority" in real_vllm.said
    assert f"--allowed-local-media-path {drawn_seeds.parent}" in real_vllm.said
    assert "ssui doctor" in real_vllm.said
    assert f" dataset --base-url {real_vllm.url} --model {real_vllm.adapter}" in real_vllm.said


def test_an_adapter_speaks_differently_than_its_base(real_vllm: Serving) -> None:
    def says(model: str) -> list[float]:
        body = {"model": model, "temperature": 0, "max_tokens": 12, "logprobs": True}
        body |= {"messages": [{"role": "user", "content": "How do I get there faster?"}]}
        answer = httpx.post(f"{real_vllm.url}/chat/completions", json=body, timeout=120)
        return [token["logprob"] for token in answer.json()["choices"][0]["logprobs"]["content"]]

    base, adapted = says(real_vllm.model), says(real_vllm.adapter)
    assert base == says(real_vllm.model)
    assert abs(base[0] - adapted[0]) > 0.01


def test_a_wrong_model_name_stops_before_the_first_call(
    real_vllm: Serving, drawn_seeds: Path, tmp_path: Path
) -> None:
    done = make(tmp_path / "run", drawn_seeds, "--base-url", real_vllm.url, "--model", "nobody")
    assert done.returncode == 1
    assert "no model 'nobody' is served" in done.stderr and real_vllm.model in done.stderr


def test_a_server_killed_midway_loses_nothing_and_repeats_nothing(
    real_vllm: Serving, tmp_path: Path, drawn_seeds: Path
) -> None:
    run = tmp_path / "run"
    with serving(tmp_path, drawn_seeds) as first:
        port = first.url.split(":")[2].removesuffix("/v1")
        with subprocess.Popen(
            command(run, drawn_seeds, "--base-url", first.url, "--model", first.model),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        ) as job:  # fmt: skip
            assert eventually(lambda: (run / "calls.sqlite").exists() and len(answered(run)) > 30)
            for pid in processes(f"--port {port}"):
                os.kill(pid, signal.SIGKILL)
            _, err = job.communicate(timeout=300)
        assert job.returncode == 1
        assert "Nothing answers at" in err and "run the same command again" in err
        assert first.process.wait(300) == 1, "serve ends with its server"
        assert eventually(lambda: not logging_to(ROOT / "outputs" / "serve" / f"vllm-{port}.log"))
    before = answered(run)
    done = make(run, drawn_seeds, "--base-url", real_vllm.url, "--model", real_vllm.model)
    assert done.returncode == 0, done.stderr
    assert outcomes(run) == dict.fromkeys(expected(drawn_seeds), 1)
    assert {id: answered(run)[id] for id in before} == before, "an answered call was made again"


def test_a_stage_starts_vllm_itself_and_takes_it_along_when_killed(tmp_path: Path, drawn_seeds: Path) -> None:
    run = tmp_path / "run"
    asked = ["--model", str(MODEL), "--limit", "4"]
    with subprocess.Popen(
        command(run, drawn_seeds, *asked), stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as job:
        assert job.stdout and any("vLLM answers after" in line for line in job.stdout)
        assert len(logging_to(run / "vllm.log")) >= 3
        job.kill()
    assert eventually(lambda: not logging_to(run / "vllm.log")), "an orphan"
    done = make(run, drawn_seeds, *asked)
    assert done.returncode == 0, done.stderr
    assert set(outcomes(run).values()) == {1}
    assert not logging_to(run / "vllm.log"), "vLLM outlived the run"


def test_too_little_memory_is_said_in_one_line_with_the_flag_that_helps(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "ssui_gen", "serve", "--model", str(MODEL), "--port", "0"]
    environment = os.environ | {"VLLM_CPU_KVCACHE_SPACE": "100000"}
    done = subprocess.run(asked, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "less than requested memory for kv" in done.stderr
    assert "--max-model-len" in done.stderr
