"""vLLM of any age: what it lacks is left out aloud, what it spells otherwise is spelt so, and it starts."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from fake_vllm import GUIDED, KWARGS, OF_VERSION, QUEUE, STRUCTURED, nvidia_smi, python_with_vllm
from hypothesis import given
from hypothesis import strategies as st
from real_vllm import ROOT

from ssui_gen.config_serve import Serve
from ssui_gen.errors import ServerError
from ssui_gen.serving.vllm import VllmServers
from ssui_gen.serving.vllm_flags import choose
from ssui_gen.serving.vllm_known import NEWEST, OLDEST, SINCE, Installed, adapted, installed
from ssui_gen.serving.vllm_launch import OWN, PYTHON, Launch, plan
from ssui_gen.serving.vllm_machine import Machine
from ssui_gen.serving.vllm_model import Adapter, Model

THINKER = "Qwen/Qwen3.5-9B"
"""Gets every flag that not all versions know."""


def planned(
    folder: Path, python: str, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> tuple[list[Launch], list[str]]:
    monkeypatch.setenv(PYTHON, python)
    said: list[str] = []
    flags = more.pop("flags", {})
    launches = plan(more.pop("model", THINKER), [], folder, Serve(**more), flags=flags, notice=said.append)
    return launches, said


def start(launches: list[Launch], folder: Path) -> None:
    async def run() -> None:
        log = folder / "run" / "vllm.log"
        async with VllmServers(launches, log=log, start_seconds=60, notice=lambda _: None):
            pass

    asyncio.run(run())


@pytest.mark.parametrize(
    ("version", "megabytes"),
    list(zip(OF_VERSION, [(81920,), (), (24576,), (81920,), (), (81920,)], strict=True)),
)
def test_a_vllm_of_any_age_starts_with_what_is_chosen_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, megabytes: tuple[int, ...]
) -> None:
    nvidia_smi(tmp_path, monkeypatch, *megabytes)
    launches, said = planned(tmp_path, python_with_vllm(tmp_path, version), monkeypatch)
    start(launches, tmp_path)
    lost = [line for line in said if f"this vLLM ({version}) has no --" in line]
    known = {*OF_VERSION[version]} | ({STRUCTURED} if version == "0.10.2" else set())
    assert len(lost) == len({STRUCTURED, KWARGS, QUEUE} - known), "a line for each that is lost"


def test_what_is_lost_is_said_with_what_to_do_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launches, said = planned(tmp_path, python_with_vllm(tmp_path, "0.11.2"), monkeypatch)
    assert any("(0.11.2) has no --max-num-queued-reqs: a flood of requests waits" in line for line in said)
    assert any("models: {vlm: {preset: no_thinking}}" in line for line in said)
    assert "--structured-outputs-config" in launches[0].command


def test_an_older_spelling_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launches, said = planned(tmp_path, python_with_vllm(tmp_path, "0.10.2"), monkeypatch)
    words = " ".join(launches[0].command)
    assert "--guided-decoding-backend guidance --guided-decoding-disable-any-whitespace" in words
    assert "structured-outputs" not in words and not any("structured-outputs" in line for line in said)


def test_a_flag_that_the_user_gave_is_never_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = python_with_vllm(tmp_path, "0.11.2")
    for more in ({"flags": {"max-num-queued-reqs": "9"}}, {"flags": {"max_num_queued_reqs": "9"}}):
        launches, said = planned(tmp_path, python, monkeypatch, **more)
        assert not any("max-num-queued-reqs" in line for line in said)
        with pytest.raises(ServerError, match=r"unrecognized arguments: --max-num-queued-reqs 9: this vLLM"):
            start(launches, tmp_path)


@pytest.mark.parametrize("version", ["0.40.0", "0.1.dev99+gabc", "dev", None, "0.9.2"])
def test_a_version_that_nobody_held_the_table_against_is_asked_for_its_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    """It kept one of the three, and lost it for another name."""
    python = python_with_vllm(tmp_path, version, (KWARGS,))
    assert (found := installed(python)).flags is not None and KWARGS in found.flags
    launches, said = planned(tmp_path, python, monkeypatch)
    start(launches, tmp_path)
    assert f"--{KWARGS}" in launches[0].command
    assert sum(" has no --" in line for line in said) == 2


def test_a_vllm_that_says_nothing_gets_what_all_of_them_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = python_with_vllm(tmp_path, None)
    assert installed(python) == Installed("unknown", None)
    _, said = planned(tmp_path, python, monkeypatch)
    assert sum("(unknown) does not say whether it has --" in line for line in said) == 3


def test_it_is_asked_once(tmp_path: Path) -> None:
    python = python_with_vllm(tmp_path, "0.40.0", (KWARGS,))
    first = installed(python)
    Path(python).unlink()
    assert installed(python) is first


def test_a_python_without_vllm_or_that_is_not_there_is_named(tmp_path: Path) -> None:
    python = tmp_path / "python"
    with pytest.raises(
        ServerError, match=r"python: No such file or directory: expected a Python that has vL"
    ):
        installed(str(python))
    python.write_text("#!/bin/sh\necho no module named vllm >&2; exit 1\n")
    python.chmod(0o755)
    with pytest.raises(ServerError, match=r"no module named vllm: .*SSUI_VLLM_PYTHON"):
        installed(str(python))


FLAGS = {
    **choose(Model(THINKER), Machine(2, 80.0), "/p", [Adapter("a", "/a", 8)], each=2),
    **choose(Model("Qwen/Qwen2.5-VL-7B-Instruct"), Machine(0, 0.0), "/p"),
}


@given(
    number=st.tuples(st.integers(0, 1), st.integers(0, 60)),
    known=st.none() | st.frozensets(st.sampled_from([*FLAGS, *(flag.lstrip("+") for flag in GUIDED)])),
)
def test_whatever_a_vllm_knows_it_gets_that_and_each_loss_is_said(
    number: tuple[int, int], known: frozenset[str] | None
) -> None:
    vllm, said = Installed("{}.{}.0".format(*number), known), list[str]()
    kept = adapted(FLAGS, vllm, said.append)
    assert all(vllm.knows(name) for name in kept)
    lost = [name for name in FLAGS if name not in kept]
    renamed = [name for name in kept if name not in FLAGS]
    assert len(said) == len(lost) - (STRUCTURED in lost and bool(renamed))
    assert all(FLAGS[name] == kept[name] for name in kept if name in FLAGS)


def test_the_table_names_flags_that_are_chosen_and_versions_that_it_was_held_against() -> None:
    assert set(SINCE) <= set(FLAGS)
    assert all(OLDEST < since.version <= NEWEST for since in SINCE.values())


@pytest.mark.vllm
def test_the_real_parser_knows_every_flag_that_is_chosen_and_its_version_is_told_fast() -> None:
    began = time.monotonic()
    found = installed(str(OWN))
    assert time.monotonic() - began < 3, "told without importing vLLM"
    assert found.flags is None and found.version.count(".") >= 2
    help_ = [str(OWN), "-m", "vllm.entrypoints.openai.api_server", "--help=all"]
    said = subprocess.run(help_, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert [name for name in FLAGS if f"--{name} " not in said and f"--{name}," not in said] == []


@pytest.mark.vllm
def test_the_real_parser_is_read_when_it_is_asked() -> None:
    from ssui_gen.serving.vllm_known import _asked

    assert (flags := _asked(str(OWN))) and set(FLAGS) <= flags
    assert json.dumps(sorted(flags)), "plain words"
