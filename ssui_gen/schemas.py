"""What a reply is asked to be: a record's type as `response_format` of OpenAI's protocol."""

from __future__ import annotations

from functools import cache
from typing import Any

from ssui_gen.records import Record
from ssui_gen.replies import REPLIES


@cache
def response_format(reply: type[Record]) -> dict[str, Any]:
    """Not to be changed: all who ask for the same type share it."""
    schema = reply.model_json_schema()
    return {"type": "json_schema", "json_schema": {"name": reply.__name__, "schema": schema}}


def all_formats() -> tuple[dict[str, Any], ...]:
    """Those that any agent's reply is held to."""
    return tuple(map(response_format, REPLIES.values()))
