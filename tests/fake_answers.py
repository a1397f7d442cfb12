"""What the tests' fake model says: JSON that obeys the schema asked for, a function of the request alone.

Left to itself it lets the agents' graph reach a row: pictures and texts are safe alone, a pair is unsafe
unless its text says "benign", paths say so too, reflection accepts. It reads no picture.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

WORDS = re.findall(
    r"\w+",
    "a calm room with one table and two chairs while somebody asks for help about the next small task "
    "near the window so that everyone stays warm and well",
)
TOKEN = re.compile(r"\s?\w+|\W")


FOLDER = re.compile(r"file://[^']*/")
"""Where a test's pictures lie: elsewhere in each run."""


def number(*parts: object) -> int:
    """A number that depends on `parts` alone, and on no folder: a test says the same in each run."""
    said = FOLDER.sub("", repr(parts))
    return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=6).digest())


def prompt_text(body: dict[str, Any], role: str) -> str:
    """The text parts of all messages of `role`."""
    contents = [message["content"] for message in body["messages"] if message["role"] == role]
    parts = [[{"type": "text", "text": c}] if isinstance(c, str) else c for c in contents]
    return "\n".join(part["text"] for content in parts for part in content if part["type"] == "text")


def asked_of(body: dict[str, Any]) -> str:
    """The last text of the person's first turn: the agent's question without what it is told."""
    content = next(message["content"] for message in body["messages"] if message["role"] == "user")
    return content if isinstance(content, str) else content[-1]["text"]


def agent_of(body: dict[str, Any]) -> str:
    """The name in a first line such as `# Agent: query`, of the system turn or else the person's, or `none`;
    of a judge what it is asked, such as `judge: right`.
    """
    first = (prompt_text(body, "system") or prompt_text(body, "user")).partition("\n")[0]
    found = re.match(r"#\s*Agent:\s*(\w+)", first)
    asked = re.search(r"^# Asked: (\w+)$", prompt_text(body, "user"), re.MULTILINE)
    return (f"{found[1]}: {asked[1]}" if asked else found[1]) if found else "none"


def schema_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON schema which the request asks for."""
    asked = body.get("response_format") or {}
    return asked["json_schema"]["schema"] if asked.get("type") == "json_schema" else None


def answer(body: dict[str, Any], draw: int) -> str:
    """The answer to one request; `draw` differs between its `n` choices and between requests."""
    schema = schema_of(body)
    if schema is None:
        return _words(draw)
    value = _fill(schema, schema, draw)
    if isinstance(value, dict):
        value.update(_plot(value, agent_of(body), asked_of(body)))
    return json.dumps(value)


def _plot(reply: dict[str, Any], agent: str, user: str) -> dict[str, str]:
    """The few fields on which the graph turns."""
    benign = re.search(r"\bbenign\b", user) is not None
    plot = {
        "text": f"A {'benign' if benign else 'plain'} question: {reply.get('text')}",
        "intent_and_risk": f"A plain wish: {'none' if benign else 'dangerous_behavior'}.",
        "label": "unsafe" if agent == "check_joint" and not benign else "safe",
        "decision": "accept",
        "advice": "none",
    }
    return {field: value for field, value in plot.items() if field in reply}


def _fill(schema: dict[str, Any], root: dict[str, Any], draw: int) -> Any:
    if "$ref" in schema:
        return _fill(root["$defs"][schema["$ref"].rpartition("/")[2]], root, draw)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][draw % len(schema["enum"])]
    if "anyOf" in schema:
        return _fill(schema["anyOf"][0], root, draw)
    return _fill_type(schema, root, draw)


def _fill_type(schema: dict[str, Any], root: dict[str, Any], draw: int) -> Any:
    match schema["type"]:
        case "object":
            return {k: _fill(v, root, number(draw, k)) for k, v in schema.get("properties", {}).items()}
        case "array":
            return [_fill(schema["items"], root, number(draw, i)) for i in range(schema.get("minItems", 1))]
        case "string":
            return _words(draw)
        case "boolean":
            return draw % 2 == 0
        case "integer" | "number":
            return schema.get("minimum", 0)
        case other:
            raise ValueError(f"the fake model cannot fill a schema of type {other!r}")


def _words(draw: int) -> str:
    return " ".join(WORDS[number(draw, i) % len(WORDS)] for i in range(5 + draw % 7))


def tokens(text: str) -> list[str]:
    """A split that gives the text back when joined."""
    return TOKEN.findall(text)


def logprobs(pieces: list[str], top: int, shares: Mapping[str, float]) -> list[dict[str, Any]]:
    """OpenAI's log-prob entries: every piece has 0.9, and an alternative has the rest; a word of `shares` has
    what stands there, and so have the others in its place.
    """
    return [
        _shared(piece, top, shares) if piece.strip() in shares else _logprob(piece, top) for piece in pieces
    ]


def _shared(piece: str, top: int, shares: Mapping[str, float]) -> dict[str, Any]:
    space = piece[: len(piece) - len(piece.lstrip())]
    pairs = [{"token": space + word, "logprob": math.log(share)} for word, share in shares.items()]
    return {**next(pair for pair in pairs if pair["token"] == piece), "top_logprobs": pairs[:top]}


def _logprob(piece: str, top: int) -> dict[str, Any]:
    other = {"safe": "unsafe", "unsafe": "safe"}.get(piece, "other")
    pairs = [{"token": piece, "logprob": -0.10536}, {"token": other, "logprob": -2.30259}]
    return {**pairs[0], "top_logprobs": pairs[:top]}
