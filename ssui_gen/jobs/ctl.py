"""`ssui ctl`: a running job told to pause, to go on or to keep so many calls in flight, by a local socket.

`ctl.sock` lies in the run's folder while the job runs, open to its owner only. One JSON object in a line
goes in, one comes out, and the connection ends. Whatever comes in, the job is not disturbed: what is not a
command gets one line that says so. Covers no steering (`steer`), and what is said but not how it is shown.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssui_gen.errors import ConfigError, NotRunning

if TYPE_CHECKING:  # the command itself needs none of what a job needs, and should answer at once
    from ssui_gen.jobs.progress import Progressing

SOCKET = "ctl.sock"
LONGEST_ADDRESS = 100
"""Bytes; the kernel's limit is 107, on macOS 103."""
LONGEST_LINE = 4096
"""Bytes."""
PATIENCE_SECONDS = 5.0
"""With a visitor who says nothing."""
ANSWER_SECONDS = 15.0
"""For a job to answer; a busy one takes a moment."""
SHOWN = 80
COMMANDS = ("pause", "resume", "concurrency", "status")


class _Refused(Exception):
    """What came in is not a command; says why."""


@asynccontextmanager
async def controlled(run: Path, progress: Progressing, tell: Callable[[str], object]) -> AsyncIterator[None]:
    """Let `ssui ctl` reach the job until the block ends. Where that cannot be, `tell` why, and go on.

    Must be the only one for `run`: what a killed job has left there is replaced.
    """
    async with AsyncExitStack() as open_:
        try:
            listener = open_.enter_context(_listening(run))
        except OSError as error:
            tell(f"{run}: ssui ctl cannot reach this job: {error}; it goes on without")
        else:
            await open_.enter_async_context(_answering(listener, Desk(progress)))
        yield


def is_answered(run: Path) -> bool:
    """Whether a job has the socket in `run` open: one that was killed has left it there."""
    with suppress(OSError), _address(run) as address, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(address)
        return True
    return False


def ask(run: Path, **command: Any) -> dict[str, Any]:
    """What the job in `run` answers to `command`: `said` has it in words.

    Raises NotRunning when none answers, ConfigError when it refuses the command.
    """
    with _explained(run), _address(run) as address, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(address)
        connection.sendall(json.dumps(command).encode() + b"\n")
        with connection.makefile("rb") as answers:
            answer = json.loads(answers.readline())
    if "error" in answer:
        raise ConfigError(answer["error"])
    return dict(answer)


class Desk:
    """What a job answers to a line."""

    def __init__(self, progress: Progressing) -> None:
        self._progress = progress
        self._steering = progress.steering
        self._gate = progress.steering.gate

    def answer(self, line: bytes) -> dict[str, Any]:
        """Do what `line` says; `said` has it in words. Raises _Refused for anything but a command."""
        match _read(line):
            case {"command": "pause"}:
                return self._pause()
            case {"command": "resume"}:
                return self._resume()
            case {"command": "concurrency", "places": places}:
                return self._concurrency(places)
            case {"command": "status"}:
                return self._status()
            case {"command": "concurrency"}:
                return self._concurrency(None)
            case other:
                raise _Refused(f"command: expected {', '.join(COMMANDS)}; got {_short(other.get('command'))}")

    def _pause(self) -> dict[str, Any]:
        self._gate.pause()
        return {
            "said": f"Paused: {self._gate.in_use} calls in flight will end, no other begins "
            "until `ssui ctl resume`."
        }

    def _resume(self) -> dict[str, Any]:
        self._gate.resume()
        return {"said": f"Going on, {self._gate.places} calls at once."}

    def _concurrency(self, places: Any) -> dict[str, Any]:
        if places == "auto":
            self._steering.let_go()
            return {"said": f"Steered by the servers' load again, from {self._gate.places} calls at once."}
        most = self._steering.most_allowed
        if not isinstance(places, int) or isinstance(places, bool) or not 1 <= places <= most:
            raise _Refused(
                f"concurrency: expected a number from 1 to {most} (limits.most_calls_in_flight), or auto; "
                f"got {_short(places)}"
            )
        self._steering.hold(places)
        return {"said": f"Held at {places} calls at once until `ssui ctl concurrency auto`."}

    def _status(self) -> dict[str, Any]:
        gate, steering, funnel = self._gate, self._steering, self._progress.funnel
        facts = {
            "line": self._progress.line(),
            "places": gate.places,
            "in_use": gate.in_use,
            "waiting": gate.waiting,
            "paused": gate.paused,
            "steering": steering.why,
            "refused": steering.refused,
            "decreases": {str(trouble): count for trouble, count in steering.decreases.items()},
            "rejects": {f"{stage}: {reason}": n for (stage, reason), n in funnel.dropped.most_common()},
            "seconds": round(self._progress.seconds, 1),
        }
        return {"said": _in_words(facts), **facts}


def _in_words(facts: dict[str, Any]) -> str:
    lines = [
        facts["line"],
        f"calls: {facts['in_use']} in flight, {facts['waiting']} waiting for one of {facts['places']} places",
        f"steering: {facts['steering']}",
        *(f"times there were fewer, as {trouble}: {n}" for trouble, n in facts["decreases"].items()),
        *(f"rejected at {reason}: {n}" for reason, n in facts["rejects"].items()),
        f"seconds: {facts['seconds']:,}",
    ]
    return "\n".join(lines)


def _read(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise _Refused(
            f'expected one JSON object in a line, such as {{"command": "status"}}; got {_short(line)}'
        )
    return said


def _short(value: Any) -> str:
    return repr(value)[:SHOWN]


@contextmanager
def _address(run: Path) -> Iterator[str]:
    """The socket's address. One that is too long for the kernel goes by way of the open folder (Linux)."""
    plain = os.fspath(run / SOCKET)
    if len(os.fsencode(plain)) <= LONGEST_ADDRESS:
        yield plain
        return
    folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


@contextmanager
def _listening(run: Path) -> Iterator[socket.socket]:
    """A socket in the folder, its owner's alone before anyone can connect; gone at the end."""
    with _address(run) as address, socket.socket(socket.AF_UNIX) as listener:
        if Path(address).is_socket():
            Path(address).unlink()
        listener.bind(address)
        try:
            Path(address).chmod(0o600)
            yield listener
        finally:
            Path(address).unlink(missing_ok=True)


@asynccontextmanager
async def _answering(listener: socket.socket, desk: Desk) -> AsyncIterator[None]:
    visits: set[asyncio.Task[None]] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.add(task := asyncio.create_task(_visit(reader, writer, desk)))
        task.add_done_callback(visits.discard)

    server = await asyncio.start_unix_server(visit, sock=listener)
    try:
        yield
    finally:
        server.close()
        for task in visits:
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def _visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, desk: Desk) -> None:
    """One line in, one out. A visitor who has left meanwhile is not missed."""
    try:
        with suppress(OSError):
            try:
                answer = desk.answer(await _line(reader))
            except _Refused as fault:
                answer = {"error": str(fault)}
            writer.write(json.dumps(answer).encode() + b"\n")
            async with asyncio.timeout(PATIENCE_SECONDS):
                await writer.drain()
    finally:
        writer.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """A longer line is read to its end and not kept, so that its sender lives to hear the answer."""
    kept, ended = b"", False
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not ended:
                part = await reader.read(LONGEST_LINE)
                kept = (kept + part)[: LONGEST_LINE + 1]
                ended = not part or b"\n" in part
    except TimeoutError:
        raise _Refused(f"expected a line; none came in {PATIENCE_SECONDS:g} seconds") from None
    line, newline, _ = kept.partition(b"\n")
    if not newline and len(kept) > LONGEST_LINE:
        raise _Refused(f"expected a line of at most {LONGEST_LINE} bytes; got a longer one")
    return line


@contextmanager
def _explained(run: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        what = "no job runs here"
    except ConnectionRefusedError:
        what = "no job runs here; the last one was killed"
    except TimeoutError:
        what = f"the job does not answer within {ANSWER_SECONDS:g} seconds"
    except (OSError, ValueError) as error:
        what = f"the job cannot be reached: {error}"
    else:
        return
    raise NotRunning(f"{run}: {what}. `--run` names the folder of a job that is going on (make: RUN=...)")
