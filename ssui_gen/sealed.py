"""A page in one file that runs and loads nothing but its own: its policy, its data. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
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


def _hash(content: str) -> str:
    """How a policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
