"""A page in one file that runs and loads nothing but its own: its policy, its data. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def policy(style: str, script: str, images: str, connect: str = "'none'") -> str:
    """A content security policy that allows this inline style, this script, and pictures from `images`."""
    return "; ".join(
        [
            "default-src 'none'",
            f"img-src {images}",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            f"connect-src {connect}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def as_data(value: Any) -> str:
    """JSON for a script element: whatever a model wrote cannot end the element."""
    return json.dumps(value, ensure_ascii=False).translate(_PLAIN)


def data_in_parts(value: Mapping[str, Any]) -> Iterator[str]:
    """`as_data` of an object, part by part: a value that is an iterator stands there as the list of what it
    gives, and of that one is in memory at a time.
    """
    before = "{"
    for key, one in value.items():
        yield f"{before}{as_data(key)}: "
        yield from _list_in_parts(one) if isinstance(one, Iterator) else (as_data(one),)
        before = ", "
    yield "}" if value else "{}"


def _list_in_parts(values: Iterator[Any]) -> Iterator[str]:
    before = "["
    for one in values:
        yield before + as_data(one)
        before = ", "
    yield "[]" if before == "[" else "]"


def _hash(content: str) -> str:
    """How a policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
