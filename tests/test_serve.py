"""The embedded server as a process: it starts, it stops, and it never outlives whoever started it."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

pytest.importorskip("torch")
from jobs import wait_for
from tiny_llava import make_tiny_llava

from ssui_gen.errors import ServerError
from ssui_gen.serving.embedded import EmbeddedServer

ROOT = Path(__file__).resolve().parent.parent

PARENT = """
import sys, threading, time, urllib.request
from pathlib import Path
from ssui_gen.serving.embedded import EmbeddedServer
with EmbeddedServer(log=Path(sys.argv[1]), models={"tiny": Path(sys.argv[2])}) as server:
    print(server.pid, server.url, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_llava(tmp_path_factory.mktemp("tiny"))


def alive(pid: int) -> bool:
    """A zombie that nobody reaps is not alive."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def marked(mark: str) -> list[int]:
    """Processes that were started with this in their environment, by whomever; none of them a zombie."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"MARK={mark}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def gone_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive(pid)


def test_it_answers_while_entered_and_is_gone_after(folder: Path, tmp_path: Path) -> None:
    with EmbeddedServer(log=tmp_path / "run" / "server.log", models={"tiny": folder}) as server:
        assert httpx.get(f"{server.url}/models").json()["data"][0]["id"] == "tiny"
        pid = server.pid
        assert pid and os.getsid(pid) != os.getsid(0), "Ctrl-C in the terminal would reach the server"
    assert gone_within(pid, 0)
    assert "Uvicorn" in (log := (tmp_path / "run" / "server.log").read_text()) or "server process" in log
    server.close()


@pytest.mark.slow
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "in the middle of a reply"])
def test_a_killed_parent_leaves_no_orphan(folder: Path, tmp_path: Path, busy: bool) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "server.log"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout
        pid, url = parent.stdout.readline().split()
        if busy:
            ask = {"model": "tiny", "messages": [{"role": "user", "content": "go"}], "n": 64}
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{url}/chat/completions", json=ask, timeout=0.5)
        parent.send_signal(signal.SIGKILL)
    assert gone_within(int(pid), 60)


@pytest.mark.skipif(not Path("/proc").exists(), reason="nothing else tells which process is whose")
def test_a_parent_killed_while_its_server_starts_leaves_no_orphan(folder: Path, tmp_path: Path) -> None:
    mark = str(tmp_path)
    command = [sys.executable, "-c", PARENT, str(tmp_path / "server.log"), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"MARK": mark}) as parent:
        wait_for(lambda: len(marked(mark)) > 1)
        parent.kill()
    wait_for(lambda: not marked(mark))


def test_its_log_is_its_users_alone_and_no_link_is_followed(folder: Path, tmp_path: Path) -> None:
    with EmbeddedServer(log=tmp_path / "server.log", models={"tiny": folder}):
        assert stat.S_IMODE((tmp_path / "server.log").stat().st_mode) == 0o600
    (tmp_path / "link.log").symlink_to(tmp_path / "notes")
    with pytest.raises(ServerError, match=r"link\.log: is a link to .*the server's log goes there"):
        EmbeddedServer(log=tmp_path / "link.log", models={"tiny": folder}).__enter__()
    assert not (tmp_path / "notes").exists()


def test_a_server_that_dies_at_its_start_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text("words of an earlier run\n")
    with pytest.raises(ServerError, match=r"no config\.json there") as caught:
        EmbeddedServer(log=tmp_path / "server.log", models={"none": tmp_path}).__enter__()
    assert "earlier run" not in str(caught.value)


def test_a_server_that_takes_too_long_is_an_error_and_is_not_left_behind(
    folder: Path, tmp_path: Path
) -> None:
    server = EmbeddedServer(log=tmp_path / "server.log", models={"tiny": folder}, start_seconds=0.01)
    with pytest.raises(ServerError, match=r"within 0\.01 seconds"):
        server.__enter__()
    assert server.pid and not alive(server.pid)


def test_a_missing_extra_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path; from ssui_gen.serving.embedded import EmbeddedServer\n"
        f"EmbeddedServer(log=Path({str(tmp_path)!r}) / 'log').__enter__()"
    )
    done = subprocess.run([sys.executable, "-ISc", code], capture_output=True, text=True, check=False)
    assert "needs torch, transformers, fastapi, uvicorn, llguidance" in done.stderr
    assert "pip install 'ssui_gen[micro]'" in done.stderr
