"""How a server wants to be asked where it differs from OpenAI's chat protocol as vLLM speaks it. Pure.

A person says it for a role (`models: {judge: {preset: openai_thinking}}`), or the probe finds it out; both
are a Dialect, applied to a request's body in one place. Which hosts and families want what stands in
`presets.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from ssui_gen import yamls
from ssui_gen.settings import Settings, parse

PRESETS = Path(__file__).with_name("presets.yaml")
TOP_LOGPROBS = 20
"""Alternatives a token, the most that OpenAI's protocol and vLLM's default allow."""
ROOM = 8192
"""Tokens that are enough for most models' thoughts."""
OURS = frozenset({"model", "messages", "n", "stream"})
"""Fields that mean something to us: none of them can be added, renamed or left out."""
Body = dict[str, Any]


class Dialect(Settings):
    """What is added to, left out of or called otherwise in every request to a model."""

    extra: dict[str, Any] = Field(default_factory=dict)
    """Fields that are added, such as `chat_template_kwargs: {enable_thinking: false}`; a mapping adds to one
    that is there."""
    rename: dict[str, str] = Field(default_factory=dict)
    """Our name of a field: theirs, such as `max_tokens: max_completion_tokens`."""
    omit: tuple[str, ...] = ()
    """Fields that are never sent, by our names."""
    strict: bool = False
    """Send schemas with `strict: true`, without which OpenAI's servers do not keep to them."""
    system: Literal["own", "in_user"] = "own"
    """in_user: the system text is the first part of the person's turn, for templates that refuse a system
    turn beside a picture."""
    thoughts: Annotated[int, Field(ge=0, le=131072)] = 0
    """Tokens that a model may think before it answers: added to every `max_tokens`."""
    top_logprobs: Annotated[int, Field(ge=1, le=TOP_LOGPROBS)] = TOP_LOGPROBS
    """Alternatives a token at most."""

    @field_validator("extra", "rename", "omit")
    @classmethod
    def _leaves_ours_alone(cls, fields: Any) -> Any:
        if taken := OURS.intersection(fields):
            raise ValueError(f"{', '.join(sorted(taken))}: ours, and cannot be changed here")
        return fields

    def over(self, base: Dialect) -> Dialect:
        """`base` with all that is said here besides; of a field with one value what is said here counts,
        unless it is the default.
        """
        said = {name: value for name in _FIELDS if (value := getattr(self, name)) != getattr(PLAIN, name)}
        rename = base.rename | self.rename
        extra = base.extra | {name: _joined(base.extra.get(name), one) for name, one in self.extra.items()}
        omit = tuple(dict.fromkeys((*base.omit, *self.omit)))
        kept = {name: getattr(base, name) for name in _FIELDS}
        return Dialect.model_validate({**kept, **said, "rename": rename, "extra": extra, "omit": omit})

    def __call__(self, body: Body) -> Body:
        """A request's body in this dialect; `body` stays as it is."""
        if self == PLAIN:
            return body
        said = _system_in_user(body) if self.system == "in_user" else dict(body)
        if "max_tokens" in said:
            said["max_tokens"] += self.thoughts
        if "top_logprobs" in said:
            said["top_logprobs"] = min(said["top_logprobs"], self.top_logprobs)
        if self.strict and "response_format" in said:
            said["response_format"] = _strict(said["response_format"])
        for name in self.omit:
            said.pop(name, None)
        said = {self.rename.get(name, name): value for name, value in said.items()}
        return said | {name: _joined(said.get(name), value) for name, value in self.extra.items()}


PLAIN = Dialect()
_FIELDS = tuple(Dialect.model_fields)


class Preset(Dialect):
    """A dialect that has a name."""

    note: str
    """For whom, in one line."""


@cache
def presets() -> Mapping[str, Preset]:
    """By name."""
    data = yamls.read(PRESETS)
    return {name: parse(Preset, preset, f"{PRESETS.name}: {name}") for name, preset in data.items()}


def _joined(there: Any, added: Any) -> Any:
    return {**there, **added} if isinstance(there, dict) and isinstance(added, dict) else added


def _strict(asked: Body) -> Body:
    if asked.get("type") != "json_schema":
        return asked
    return {**asked, "json_schema": {**asked["json_schema"], "strict": True}}


def _system_in_user(body: Body) -> Body:
    """The system text before the first turn's own parts."""
    messages = body["messages"]
    if len(messages) < 2 or messages[0]["role"] != "system":
        return dict(body)
    told, first, *rest = messages
    content = first["content"]
    if isinstance(content, str):
        whole: Any = f"{told['content']}\n\n{content}"
    else:
        whole = [{"type": "text", "text": f"{told['content']}\n\n"}, *content]
    return {**body, "messages": [{**first, "content": whole}, *rest]}
