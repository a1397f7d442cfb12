"""A stub model server for benchmarks: real HTTP, a fixed latency, canned replies of the agents' types.

Cheaper than the fake server of the tests, so that it is not what is measured: it parses no JSON and fills no
schema. A reply holds the hash of its request, so no two items ask the same thing and the same request is
always answered alike. Each call received (`+ <hash> <agent>`) and answered (`- <hash>`) is a line of the log.
`GET /stats` tells what has happened since the start or since the last `GET /reset`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import resource
import time
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

AGENT = re.compile(rb"# Agent: (\w+)")
HOLE = "0123456789abcdef"
"""Stands in the canned replies where a request's hash goes."""
PROBE = b"ssui_gen probe"
LINE = f"A plain sentence about this scene, number {HOLE}, of about the length that models write."
STEPS = (
    "visual_context",
    "textual_request",
    "synthesis",
    "intent_and_risk",
    "consequences",
    "response_strategy",
)

REPLIES: dict[str, dict[str, str]] = {
    "query": {
        "image_evidence": LINE,
        "text": LINE,
        "text_evidence": "a plain sentence",
        "category": "dangerous_behavior",
        "scenario": LINE,
    },
    "check_text": {"evidence": LINE, "label": "safe"},
    "check_image": {"evidence": LINE, "label": "safe"},
    "reasoning": dict.fromkeys(STEPS, f"{LINE} {LINE}") | {"intent_and_risk": f"{LINE} dangerous_behavior"},
    "reflection": {
        "redundancy": "none",
        "completeness": "none",
        "faithfulness": "none",
        "decision": "accept",
        "advice": "none",
    },
    "check_joint": {"evidence": LINE, "label": "unsafe"},
    "summary": {"answer": f"{LINE} {LINE} {LINE}"},
}


def _canned(agent: str, *, logprobs: bool) -> bytes:
    """The body of a 200."""
    text = json.dumps(REPLIES[agent])
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    if logprobs:
        choice["logprobs"] = {"content": [_entry(token) for token in re.findall(r"\s?\w+|\W", text)]}
    body = {
        "id": f"chatcmpl-{HOLE}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "stub",
        "choices": [choice],
        "usage": {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960},
    }
    return json.dumps(body).encode()


def _entry(token: str) -> dict[str, Any]:
    """A token with as many alternatives as a label has; the twenty of a real server would be stub time."""
    top = [{"token": token, "logprob": -0.105}, {"token": "other", "logprob": -2.303}]
    return {"token": token, "logprob": -0.105, "top_logprobs": top}


class Stub:
    """What the server counts, and its one handler."""

    def __init__(self, latency: float, log: Path | None) -> None:
        self.latency = latency
        self.log: TextIO | None = log.open("a", buffering=1) if log else None
        self.bodies = {
            (agent.encode(), asked): _canned(agent, logprobs=asked)
            for agent in REPLIES
            for asked in (False, True)
        }
        self.reset()

    def reset(self) -> None:
        self.calls = self.in_flight = self.most_in_flight = 0
        self.first = self.last = 0.0
        self.cpu_before = _cpu()

    def stats(self) -> dict[str, float]:
        return {
            "calls": self.calls,
            "most_in_flight": self.most_in_flight,
            "seconds": self.last - self.first,
            "server_cpu": _cpu() - self.cpu_before,
        }

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        match request.path:
            case "/v1/chat/completions":
                return await self._chat(request)
            case "/v1/models":
                return web.json_response({"object": "list", "data": [{"id": "stub", "object": "model"}]})
            case "/stats":
                return web.json_response(self.stats())
            case "/reset":
                self.reset()
        return web.json_response({})

    async def _chat(self, request: web.BaseRequest) -> web.Response:
        raw = await request.content.read()
        if PROBE in raw:
            return self._probed(raw)
        arrived = time.monotonic()
        found = AGENT.search(raw)
        agent = found[1] if found else b"none"
        key = hashlib.blake2b(raw, digest_size=8).hexdigest()
        self._note(f"+ {key} {agent.decode()}\n")
        self.calls += 1
        self.first = self.first or arrived
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency - (time.monotonic() - arrived))
        finally:
            self.in_flight -= 1
            self.last = time.monotonic()
        body = self.bodies.get((agent, b'"logprobs":true' in raw))
        if body is None:
            return web.json_response({"error": {"message": f"no agent {agent!r}"}}, status=400)
        self._note(f"- {key}\n")
        return web.Response(body=body.replace(HOLE.encode(), key.encode()), content_type="application/json")

    def _probed(self, raw: bytes) -> web.Response:
        """Questions about the server cost nothing and are not counted; it reads no files, so that all sides
        send the same pictures.
        """
        if b"file://" in raw or b'"uuid"' in raw or b'"priority"' in raw:
            return web.json_response({"error": {"message": "not here"}}, status=400)
        asked = b'"response_format"' in raw
        text = '{"colour":"red"}' if asked else hashlib.blake2b(raw, digest_size=8).hexdigest()
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 90, "completion_tokens": 6, "total_tokens": 96}
        return web.json_response({"choices": [choice], "usage": usage})

    def _note(self, line: str) -> None:
        if self.log:
            self.log.write(line)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _run(stub: Stub) -> None:
    runner = web.ServerRunner(web.Server(stub, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Print the address, then serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds before each answer")
    parser.add_argument("--log", type=Path)
    args = parser.parse_args()
    asyncio.run(_run(Stub(args.latency, args.log)))


if __name__ == "__main__":
    main()
