"""The embedded model server: OpenAI's chat protocol over checkpoints in folders, on a CPU.

    python -m microworld.server [--model FOLDER=NAME ...] [--adapter FOLDER=NAME ...] [--port 0]

Prints one line of JSON, {"url": ...}, when it listens; its log goes to stderr. Without --model it serves the
checkpoints of this package; beside them LoRA adapters, each on the base that it names. It is the smallest
correct server for small models: what prompts have in common is read once, and `generate` in batches of what
waits. For anything larger take vLLM, which speaks the same protocol; what a client may send stands in
`serving/protocol.py`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Container
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from microworld.learning.adapters import base_of
from microworld.learning.ask import half_the_cores
from microworld.serving import door
from microworld.serving.app import make_app
from microworld.serving.models import Models
from ssui_gen.errors import SsuiError

CHECKPOINTS = Path(__file__).with_name("models")
DRAIN_SECONDS = 2
"""How long requests under way may still take when the server is told to stop."""
FAREWELL_SECONDS = 8
"""How long a server may outlive its parent."""


def main(arguments: list[str] | None = None) -> None:
    parser = _parser()
    options = parser.parse_args(arguments)
    folders = _checkpoints(parser, options.model)
    folders |= _adapters(parser, options.adapter, folders)
    try:
        listening = socket.create_server((options.host, options.port), backlog=1024)
    except OSError as error:
        parser.error(f"cannot listen on {options.host}:{options.port}: {error}: choose another --port")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    serve(Models(folders, options.threads), listening, options.follow_parent)


def _checkpoints(parser: argparse.ArgumentParser, named: list[str]) -> dict[str, Path]:
    """Those that are named, or this package's."""
    folders = _folders(named) or packaged()
    for name, folder in folders.items():
        if not (folder / "config.json").is_file():
            parser.error(f"--model {folder}={name}: no config.json there; expected a checkpoint's folder")
    if not folders:
        parser.error(f"no checkpoint in {CHECKPOINTS}: make them with `make micro`, or name one with --model")
    return folders


def _adapters(parser: argparse.ArgumentParser, named: list[str], taken: Container[str]) -> dict[str, Path]:
    folders = _folders(named)
    for name, folder in folders.items():
        if name in taken:
            parser.error(f"--adapter {folder}={name}: a --model is served so: say {folder}=NAME")
        try:
            base_of(folder)
        except SsuiError as error:
            parser.error(f"--adapter {error}")
    return folders


def packaged() -> dict[str, Path]:
    """The checkpoints of this package by served name: `micro-agents`, `micro-two-agents`."""
    return {f"micro-{file.parent.name}": file.parent for file in sorted(CHECKPOINTS.glob("*/config.json"))}


def serve(models: Models, listening: socket.socket, follow_parent: bool) -> None:
    """Answer on `listening` until SIGTERM, SIGINT or, if the parent is followed, the end of stdin."""
    host, port = listening.getsockname()[:2]
    url = json.dumps({"url": f"http://{host}:{port}/v1"})
    config = uvicorn.Config(
        make_app(models, own_hosts(host, port), lambda: print(url, flush=True)),
        http=door.Hurried,
        ws="none",
        h11_max_incomplete_event_size=door.LONGEST_HEAD,
        limit_concurrency=door.MOST_CONNECTIONS,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        lifespan="on",
    )
    server = uvicorn.Server(config)

    def stop(*signal_and_frame: object) -> None:
        server.should_exit = True
        models.stop()

    server.handle_exit = stop
    if follow_parent:
        threading.Thread(target=_at_end_of_stdin, args=(stop,), daemon=True).start()
    server.run(sockets=[listening])


def own_hosts(host: str, port: int) -> frozenset[str] | None:
    """The names by which a server that listens on `host` is asked; None, which is any, where all may ask."""
    if not ip_address(host).is_loopback:
        return None
    return frozenset(f"{name}:{port}" for name in (host, "localhost"))


def _at_end_of_stdin(stop: Callable[[], None]) -> None:
    """The parent holds the other end of this pipe; the kernel closes it however the parent dies.

    A server that is not gone soon after, for instance because it is loading a model, is ended here.
    """
    while os.read(0, 4096):
        pass
    stop()
    time.sleep(FAREWELL_SECONDS)
    os._exit(1)


def _folders(models: list[str]) -> dict[str, Path]:
    pairs = [model.rpartition("=") for model in models]
    return {name if folder else Path(name).resolve().name: Path(folder or name) for folder, _, name in pairs}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="microworld.server", description="Serve a small vision-language model."
    )
    parser.add_argument(
        "--model", action="append", default=[], metavar="FOLDER[=NAME]", help="may be given several times"
    )
    parser.add_argument(
        "--adapter", action="append", default=[], metavar="FOLDER[=NAME]", help="a LoRA adapter, as --model"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--threads", type=int, default=half_the_cores(), help="of torch")
    parser.add_argument("--follow-parent", action="store_true", help="stop when stdin ends")
    return parser


if __name__ == "__main__":
    main()
