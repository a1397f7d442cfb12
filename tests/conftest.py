"""What every test gets: a clean environment and no way out of this computer; on request a fake server."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_server import Fake, serve
from hypothesis import HealthCheck, settings
from real_vllm import Serving, serving

from ssui_gen.demo import draw_seeds

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
"""No property is held to a clock: other work may share the machine."""

_outside_allowed = False
MAKEFILE = (Path(__file__).parent.parent / "Makefile").read_text("utf-8")
TOLD_MAKE = (
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "SSUI_BY",
    *re.findall(r"^([A-Z_]+) \?=", MAKEFILE, re.MULTILINE),
)
"""What whoever runs the tests by make has told it: no test's affair, though many run make themselves."""
SILENCED = ("OPENAI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "LANGSMITH_", "LANGCHAIN_")


class OutsideCall(AssertionError):
    """A test tried to reach another computer."""


def _guard(event: str, args: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.getaddrinfo") or _outside_allowed:
        return
    host = args[0] if event == "socket.getaddrinfo" else args[1][0] if isinstance(args[1], tuple) else None
    if not _is_here(host):
        raise OutsideCall(f"a test asks for {host!r}; only this computer is allowed")


def _is_here(host: str | None) -> bool:
    """A host is absent where a socket is a file, or listens on any address."""
    try:
        return host in (None, "", "localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def _guarded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Only a test marked `live` may reach another computer."""
    global _outside_allowed
    _outside_allowed = request.node.get_closest_marker("live") is not None
    yield
    _outside_allowed = False


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(SILENCED) or name in TOLD_MAKE:
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    ours = Path(sys.executable).parent  # as in a shell that was told of the environment
    monkeypatch.setenv("PATH", f"{ours}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A fake model server of this test's own; change its fields to steer it."""
    with serve() as server:
        yield server


@pytest.fixture(scope="session")
def drawn_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn scenes on disk: their JSONL file."""
    return draw_seeds(tmp_path_factory.mktemp("drawn"), count=16)


@pytest.fixture(scope="session")
def real_vllm(tmp_path_factory: pytest.TempPathFactory, drawn_seeds: Path) -> Iterator[Serving]:
    """A vLLM of this machine, shared by all tests; only those marked `vllm` may ask for it."""
    with serving(tmp_path_factory.mktemp("vllm"), drawn_seeds) as server:
        yield server


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch on one core, for tests that ask for it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A Chromium of this machine, shared by a file's tests; only those marked `browser` may ask for it.

    While it is there, its loop is this thread's: such tests run no other in this process.
    """
    from browsing import chromium

    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def context(browser: BrowserContext) -> Iterator[BrowserContext]:
    """That browser, with the pages of other tests closed."""
    yield browser
    for page in browser.pages[1:]:
        page.close()


LONGEST = (
    "test_tutorial",
    "test_train_tools",
    "test_train",
    "test_loop",
    "test_reproduce_run",
    "test_explore",
)
"""Files whose tests take minutes together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, so that none is left at the end to a worker alone."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden", action="store_true", help="rewrite the golden files; read the diff afterwards"
    )
