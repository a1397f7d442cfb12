"""What a client may send: the part of OpenAI's chat protocol, with vLLM's extensions, that is served.

Every field not named here is refused. Covers shapes and bounds; what needs the model (does the prompt fit,
does the schema compile) is checked where the model is, and bytes before (`door`).
"""

from __future__ import annotations

import reprlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

MOST_VALUES = 100_000
"""Of JSON in a body, counted by their marks: each costs far more memory than its bytes."""


class Refusal(Exception):
    """The request cannot be answered; becomes an HTTP error in OpenAI's shape."""

    def __init__(self, message: str, *, status: int = 400, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def stopping() -> Refusal:
    """For whoever still waits when the server is told to stop."""
    return Refusal("the server is stopping", status=503, code="stopping")


class Shape(BaseModel):
    """Base of all shapes: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TextPart(Shape):
    type: Literal["text"]
    text: str


class ImageUrl(Shape):
    url: str
    """A data URL; nothing is ever fetched."""
    detail: Literal["auto", "low", "high"] = "auto"
    """Accepted and without effect: the model has one resolution."""


class ImagePart(Shape):
    type: Literal["image_url"]
    image_url: ImageUrl


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]


class Message(Shape):
    role: Literal["system", "user", "assistant"]
    content: str | Annotated[list[Part], Field(max_length=64)]


class JsonSchema(Shape):
    name: str
    schema_: dict[str, Any] = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None
    """Without effect: a schema is always enforced."""


class JsonSchemaFormat(Shape):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class TextFormat(Shape):
    type: Literal["text"]


Format = Annotated[TextFormat | JsonSchemaFormat, Field(discriminator="type")]
Stop = Annotated[str, Field(min_length=1, max_length=1000)]


class ChatRequest(Shape):
    """Body of POST /v1/chat/completions."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=256)]
    n: Annotated[int, Field(ge=1, le=64)] = 1
    seed: Annotated[int, Field(ge=0)] | None = None
    """Choice i is drawn with seed + i, as vLLM does."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    """Wins over `max_tokens`; without both, what the context has left."""
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    logprobs: bool = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] = 0
    logprob_token_ids: Annotated[list[int], Field(max_length=128)] | None = None
    """Report these tokens instead of the most probable ones."""
    response_format: Format | None = None
    add_generation_prompt: bool = True
    continue_final_message: bool = False
    return_token_ids: bool = False
    return_prompt_text: bool = False
    stream: Literal[False] = False
    user: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None

    @model_validator(mode="after")
    def _is_coherent(self) -> ChatRequest:
        if self.continue_final_message and self.add_generation_prompt:
            raise ValueError("cannot set both `continue_final_message` and `add_generation_prompt` to true")
        if self.continue_final_message and self.messages[-1].role != "assistant":
            raise ValueError("`continue_final_message` needs a last message of role assistant")
        if (self.top_logprobs or self.logprob_token_ids) and not self.logprobs:
            raise ValueError("`top_logprobs` and `logprob_token_ids` need `logprobs` set to true")
        return self

    @property
    def schema_asked(self) -> dict[str, Any] | None:
        asked = self.response_format
        return asked.json_schema.schema_ if isinstance(asked, JsonSchemaFormat) else None

    @property
    def stops(self) -> tuple[str, ...]:
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def reply_limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens


def read(body: bytearray) -> ChatRequest:
    """Raises Refusal that says where, what is wrong and what was found."""
    if (marks := sum(map(body.count, b",:[{"))) > MOST_VALUES:
        raise Refusal(
            f"the body: expected at most {MOST_VALUES:,} commas, colons and brackets; got {marks:,}"
        )
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        raise Refusal("; ".join(map(_one, error.errors(include_url=False)[:5]))) from None


def _one(error: Any) -> str:
    where = ".".join(str(part)[:80] for part in error["loc"]) or "request"
    if error["type"] == "extra_forbidden":
        known = f" (known: {', '.join(sorted(ChatRequest.model_fields))})" if "." not in where else ""
        return f"unknown field {where!r}{known}"
    return f"{where}: {error['msg'][:200]}; got {reprlib.repr(error['input'])}"
