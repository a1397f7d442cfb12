"""What a message of a server says: text, thoughts and refusal, in whichever known shape they come. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple


class Content(NamedTuple):
    """What one message says."""

    text: str | None
    """None where the message holds none, not even an empty one."""
    refusal: str = ""
    reasoning: str = ""
    summarised: bool = False
    """Whether the thoughts are but a summary."""


def read(message: dict[str, Any]) -> Content:
    """Raises TypeError or AttributeError for what is neither text nor parts."""
    text, refusal, thoughts = message.get("content"), _words(message.get("refusal")), _thoughts(message)
    if text is None or isinstance(text, str):
        return Content(text, refusal, *thoughts)
    parts = [_part(part) for part in ([text] if isinstance(text, dict) else text)]
    said = {kind: [words for of, words in parts if of == kind] for kind in ("text", "refusal", "reasoning")}
    return Content(
        text="".join(said["text"]) if said["text"] else None,
        refusal=refusal or "".join(said["refusal"]),
        reasoning=thoughts[0] or "".join(said["reasoning"]),
        summarised=thoughts[1],
    )


def _part(part: Any) -> tuple[str, str]:
    """What a part of a content is, and its words. Several makers send parts, each by a name of its own."""
    if isinstance(part, str):
        return "text", part
    kind = str(part.get("type"))
    if "think" in kind or "reason" in kind:
        names = ("thinking", "reasoning", "text", "summary")
        return "reasoning", "".join(_words(part.get(name)) for name in names)
    known = "refusal" if kind == "refusal" else "text"
    return known, _words(part.get(known))


def _thoughts(message: dict[str, Any]) -> tuple[str, bool]:
    """What came beside the content: DeepSeek's and vLLM's `reasoning_content`, which newer servers call
    `reasoning`; of several `reasoning_details` (OpenRouter) a summary is told apart.
    """
    said = message.get("reasoning_content") or message.get("reasoning")
    details = message.get("reasoning_details")
    kinds = [one.get("type") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    return _words(said), "reasoning.summary" in kinds


def _words(value: Any) -> str:
    """Of a text, or of a list of texts and of parts with one; of anything else none."""
    if isinstance(value, str):
        return value
    parts = value if isinstance(value, list) else []
    return "".join(_words(one.get("text")) if isinstance(one, dict) else _words(one) for one in parts)
