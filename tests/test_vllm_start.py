"""Starting vLLM: what is found before, what is said when it fails. The servers here are small scripts."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fake_vllm import nvidia_smi, python_with_vllm
from real_vllm import MODEL, ROOT, free_port

from ssui_gen.config_serve import Serve
from ssui_gen.errors import ConfigError, ServerError
from ssui_gen.serving.vllm import VllmServers
from ssui_gen.serving.vllm_launch import PYTHON, Launch, find_python, plan
from ssui_gen.serving.vllm_model import about, about_adapter

HEALTHY = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def launch(code: str, port: int | None = None) -> Launch:
    port = port or free_port()
    return Launch((sys.executable, "-c", code, str(port)), {}, port)


def started(folder: Path, *launches: Launch, seconds: float = 120.0) -> list[str]:
    """Enter and leave; what was said meanwhile."""
    said: list[str] = []

    async def run() -> None:
        log = folder / "run" / "vllm.log"
        async with VllmServers(launches, log=log, start_seconds=seconds, notice=said.append) as servers:
            servers.check()

    asyncio.run(run())
    return said


def test_every_replica_is_waited_for_and_logs_apart(tmp_path: Path) -> None:
    said = started(tmp_path, launch(HEALTHY), launch("import time; time.sleep(1)\n" + HEALTHY))
    assert "its log" in said[0] and re.fullmatch(r"vLLM answers after \d+ s\.", said[-1])
    assert len(list((tmp_path / "run").glob("vllm*.log"))) == 2


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=rf"port {port}: .*in use.*choose another --port"):
            started(tmp_path, launch(HEALTHY, port))


def test_a_server_that_never_answers_is_given_up_and_not_left_behind(tmp_path: Path) -> None:
    """Its words are shown, once it has had the time to say some."""
    busy = launch("import time; print('busy loading', flush=True); time.sleep(600)")
    said = ""
    for seconds in (1, 5, 25, 125):
        with pytest.raises(ServerError, match=rf"within {seconds} seconds \(it still runs\)") as caught:
            started(tmp_path, busy, seconds=seconds)
        if "busy loading" in (said := str(caught.value)):
            break
    assert re.search(r"busy loading.*start_seconds", said, re.DOTALL)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "(EngineCore pid=7) ERROR 11-24 04:35:24 [core.py:1510] torch.OutOfMemoryError: CUDA out of "
            "memory.",
            r"torch\.OutOfMemoryError: CUDA out of memory\.: take a smaller model.*--max-model-len 4096",
        ),
        (
            "ValueError: No available memory for the cache blocks.\nRuntimeError: Engine core initialization "
            "failed. See root cause above.",
            r"ValueError: No available memory for the cache blocks\..*--gpu-memory-utilization",
        ),
        (
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n  Value "
            "error, max_model_len (99) is greater than 9 [type=value_error, input_value=...]",
            r"max_model_len \(99\) is greater than 9: take a shorter context: -- --max-model-len 4096",
        ),
        ("api_server.py: error: unrecognized arguments: --bogus", r"unrecognized .*--bogus: this vLLM"),
        ("OSError: x/y is not a local folder and is not a valid model", r"name a folder, or a model that"),
        ("nothing that looks like one", r"vLLM ended \(exit code 1\); the end of .*vllm\.log:"),
    ],
)  # fmt: skip
def test_a_death_while_loading_is_explained_in_its_own_words(tmp_path: Path, words: str, says: str) -> None:
    code = f"import sys; print({words!r}, flush=True); sys.exit(1)"
    with pytest.raises(ServerError, match=re.compile(says, re.DOTALL)):
        started(tmp_path, launch(code))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone/config\.json: no such file: expected a model's folder"):
        about(str(tmp_path / "gone"))


def test_a_model_that_sees_no_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    with pytest.raises(ConfigError, match=r"not a vision-language model \(LlamaForCausalLM\)"):
        about(str(tmp_path))


def test_what_a_folder_tells() -> None:
    model = about(str(MODEL))
    assert model.local and model.kind == "llava" and model.context == 4096
    assert model.gigabytes == pytest.approx(0.0053, rel=0.1)


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"adapter_config\.json: no such file: expected a LoRA adapter"):
        about_adapter(str(tmp_path))


@pytest.mark.parametrize("config", ["{", "[1]", "7", "[" * 100_000, '{"r": "x"}', '{"r": null}', '{"r": -1}'])
def test_a_broken_adapter_is_told_in_one_line(tmp_path: Path, config: str) -> None:
    (tmp_path / "adapter_config.json").write_text(config)
    with pytest.raises(ConfigError, match=r"adapter_config\.json: .*expected") as caught:
        about_adapter(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_named_python_wins_and_without_any_the_command_that_helps_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PYTHON, "/some/python")
    assert find_python() == "/some/python"


def test_without_vllm_the_command_that_installs_it_is_named(tmp_path: Path) -> None:
    """A folder of that name where one stands is no vLLM."""
    (tmp_path / "vllm").mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path; from ssui_gen.serving import vllm_launch\n"
        f"vllm_launch.OWN = Path({str(tmp_path)!r}) / 'none'\nvllm_launch.find_python()"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "vLLM is not installed: `make vllm` installs it" in done.stderr


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Python that has vLLM, and is the one that is taken."""
    made = python_with_vllm(tmp_path, "0.32.0")
    monkeypatch.setenv(PYTHON, made)
    return made


def test_replicas_share_the_gpus_on_consecutive_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    nvidia_smi(tmp_path, monkeypatch, *[81920] * 8)
    serve = Serve(flags={"seed": 7})
    launches = plan("a/b-72B", [], tmp_path, serve, flags={"max-num-seqs": 3}, notice=print, port=8000)
    assert [one.port for one in launches] == [8000, 8001]
    assert [one.env["CUDA_VISIBLE_DEVICES"] for one in launches] == ["0,1,2,3", "4,5,6,7"]
    words = str(launches[1])
    assert "--tensor-parallel-size 4" in words and "--max-num-seqs 3" in words and "--seed 7" in words
    assert words.startswith(f"VLLM_NO_USAGE_STATS=1 CUDA_VISIBLE_DEVICES=4,5,6,7 {python} -m vllm.")


def test_a_replica_gets_the_gpus_that_are_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    nvidia_smi(tmp_path, monkeypatch, *[81920] * 8)
    serve = Serve(flags={"tensor_parallel_size": 2})
    launches = plan("a/b-7B", [], tmp_path, serve, flags={"pipeline-parallel-size": "2"}, notice=print)
    assert [one.env["CUDA_VISIBLE_DEVICES"] for one in launches] == ["0,1,2,3", "4,5,6,7"]
    assert str(launches[0]).count("parallel-size") == 2


def test_only_visible_gpus_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str) -> None:
    nvidia_smi(tmp_path, monkeypatch, *[81920] * 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6")
    launches = plan("a/b-7B", [], tmp_path, Serve(), flags={}, notice=print)
    assert [one.env["CUDA_VISIBLE_DEVICES"] for one in launches] == ["5", "6"]


def test_each_replica_sees_its_own_gpu_alone_and_what_was_set_before_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    """What the servers themselves find in their environment."""
    nvidia_smi(tmp_path, monkeypatch, 81920, 81920)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setenv("VLLM_NO_USAGE_STATS", "0")
    launches = plan("a/b-7B", [], tmp_path, Serve(), flags={}, notice=print)
    names = ["CUDA_VISIBLE_DEVICES", "VLLM_NO_USAGE_STATS"]
    tell = f"import os; print('sees', *map(os.environ.get, {names}), flush=True)"
    started(tmp_path, *(launch(f"{tell}\n{HEALTHY}")._replace(env=one.env) for one in launches))
    logs = [log.read_text() for log in sorted((tmp_path / "run").glob("vllm*.log"))]
    assert sorted(line for log in logs for line in log.splitlines() if "sees" in line) == [
        "sees 0 0",
        "sees 1 0",
    ]


def test_an_empty_list_of_gpus_means_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    nvidia_smi(tmp_path, monkeypatch, *[81920] * 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (one,) = plan("a/b-7B", [], tmp_path, Serve(), flags={}, notice=print)
    assert "--dtype float32" in str(one) and "CUDA_VISIBLE_DEVICES" not in one.env


def test_serve_without_a_model_says_which_to_type() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ssui_gen", "serve"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert "--model Qwen/Qwen2.5-VL-7B-Instruct" in done.stderr
