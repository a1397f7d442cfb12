"""Is this machine and this model server fit for a run? Each finding comes with what to do.

Asks the server by trying, not by version. Changes nothing.
"""

from __future__ import annotations

import base64
import json
import platform
import shutil
import struct
import tempfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from ssui_gen.client import ChatClient
from ssui_gen.config import Config
from ssui_gen.errors import ModelError, SsuiError
from ssui_gen.records import Completion
from ssui_gen.served import served

FREE_GIGABYTES = 2.0
SWATCH_SIDE = 64
MARKS = {True: "[green]ok[/green]", False: "[red]no[/red]", None: "[yellow]?[/yellow]"}
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


class Finding(NamedTuple):
    """One line of the report; `good` is None where the answer does not decide."""

    what: str
    good: bool | None
    found: str
    todo: str = ""


async def examine(config: Config, console: Console) -> bool:
    """Print every finding; whether all of them are good enough for `make dataset`."""
    findings = [python(), disk()]
    with tempfile.TemporaryDirectory() as folder:
        findings += [finding async for finding in server(config, Path(folder))]
    table = Table("", "what", "found", "what to do", title="ssui doctor", title_justify="left")
    for finding in findings:
        table.add_row(MARKS[finding.good], finding.what, finding.found, finding.todo)
    console.print(table)
    return all(finding.good is not False for finding in findings)


def python() -> Finding:
    return Finding("Python", True, platform.python_version())


def disk() -> Finding:
    free = shutil.disk_usage(".").free / 1e9
    todo = "" if free > FREE_GIGABYTES else "free some space: a journal of 10,000 pairs takes about 0.5 GB"
    return Finding("disk", free > FREE_GIGABYTES, f"{free:.1f} GB free here", todo)


async def server(config: Config, folder: Path) -> AsyncIterator[Finding]:
    """What the server can do; ends at the first thing without which the rest is idle."""
    try:
        async with served(config, folder) as models:
            client, name = models.clients["vlm"], models.names["vlm"]
            yield Finding("server", True, ", ".join(config.models["vlm"].base_urls) or "embedded")
            yield Finding("model", True, name)
            for probe in (obeys_schema, sees_picture, caches_prefix):
                yield await probe(client, name)
    except SsuiError as error:
        yield Finding("server", False, str(error), "start it, or correct BASE_URL and MODEL; then try again")


async def obeys_schema(client: ChatClient, model: str) -> Finding:
    """A tiny schema must come back as asked, or every reply would have to be asked for again."""
    what, todo = "JSON schema", "serve with structured outputs (response_format json_schema)"
    try:
        text = (await _ask(client, model, RED, schema=True)).choices[0].text
        good = set(json.loads(text)) == {"colour"}
    except (ModelError, ValueError) as error:
        return Finding(what, False, str(error), todo)
    return Finding(what, good, text, "" if good else todo)


async def sees_picture(client: ChatClient, model: str) -> Finding:
    """Two different pictures under the same words must not give the very same log-probabilities."""
    what = "sees pictures"
    try:
        red, blue = [(await _ask(client, model, swatch)).choices[0].logprobs for swatch in (RED, BLUE)]
    except ModelError as error:
        return Finding(what, False, str(error), "serve a vision-language model")
    if red is None or blue is None:
        return Finding(
            what, None, "the server reports no log-probabilities", "look at a few records yourself"
        )
    differ = [t.logprob for t in red] != [t.logprob for t in blue]
    todo = "" if differ else "the picture changes nothing: serve a vision-language model"
    return Finding(what, differ, "red and blue differ" if differ else "red and blue give the same", todo)


async def caches_prefix(client: ChatClient, model: str) -> Finding:
    """The second of two equal calls should find its prompt cached; seven calls share one picture."""
    try:
        cached = [(await _ask(client, model, RED)).usage for _ in range(2)][1]
    except ModelError as error:
        return Finding("prefix cache", None, str(error), "")
    found = f"{cached.cached_tokens} of {cached.prompt_tokens} prompt tokens cached"
    todo = (
        "" if cached.cached_tokens else "slower, but works; vLLM: --enable-prompt-tokens-details shows hits"
    )
    return Finding("prefix cache", True if cached.cached_tokens else None, found, todo)


async def _ask(client: ChatClient, model: str, picture: str, schema: bool = False) -> Completion:
    content = [
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "text", "text": "Which colour is this picture?"},
    ]
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 24,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 5,
    }
    if schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "Colour", "schema": SCHEMA}}
    return await client.chat(body, affinity="doctor")


def _swatch(red: int, green: int, blue: int) -> str:
    """A square of one colour as a data URL of a PNG."""
    row = b"\0" + bytes((red, green, blue)) * SWATCH_SIDE
    header = struct.pack(">2I5B", SWATCH_SIDE, SWATCH_SIDE, 8, 2, 0, 0, 0)
    body = zlib.compress(row * SWATCH_SIDE)
    chunks = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"


RED, BLUE = _swatch(220, 40, 40), _swatch(40, 60, 220)
