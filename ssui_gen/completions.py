"""What a served model answered, and what it was found to do. Shapes only; reading HTTP is `wire`'s."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ssui_gen.dialect import PLAIN, Dialect
from ssui_gen.records import Record

LEAST_LOGPROB = -9999.0
"""Stands for minus infinity and NaN, which JSON cannot carry; vLLM uses the same."""
Nats = Annotated[float, AfterValidator(lambda nats: min(0.0, max(LEAST_LOGPROB, nats)))]
"""A log-probability. Bounded where it is read too: an answer in a journal can always be read again."""


class TokenLogprob(Record):
    """One generated token, its log-probability (nats) and the best alternatives at its place."""

    token: str
    logprob: Nats
    top: tuple[tuple[str, Nats], ...] = ()


class Choice(Record):
    """One of the `n` continuations of a call."""

    text: str
    finish_reason: str | None
    logprobs: tuple[TokenLogprob, ...] | None = None
    token_ids: tuple[int, ...] | None = None
    """Where the server was asked for them and gives them."""
    reasoning: str = ""
    """Thoughts that came in a field of their own."""
    summarised: bool = False
    """Whether they are only a summary of what was thought."""
    refused: bool = False
    """Whether the provider refused, by a field of its own."""


class Usage(Record):
    """Tokens as the server counted them; `cached_tokens` is None where the server does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    """Of `completion_tokens` those that were thought, shown or not; None where the server does not say."""


class Completion(Record):
    """All choices of one call."""

    model: str
    choices: Annotated[tuple[Choice, ...], Field(min_length=1)]
    usage: Usage
    seconds: float
    """Wall-clock time of the attempt that succeeded."""
    attempts: int = 1
    prompt_token_ids: tuple[int, ...] | None = None
    prompt_text: str | None = None
    """The prompt as the server rendered it, where it was asked for and the server says it."""


class Features(Record):
    """What a served model was found to do (`probe`); None where the answers do not decide."""

    sees_pictures: bool | None = None
    json_schema: bool | None = False
    regex: bool | None = False
    """Writes what a regular expression asks for."""
    n: bool = False
    """Several choices a call."""
    most_n: int = 1
    """The most choices of a call that were asked for and made."""
    prefix: bool | None = None
    """Goes on from an assistant prefix, token for token."""
    echoes: bool = False
    """Repeats that prefix before what it writes."""
    verbatim: bool = False
    """Goes on from it where it is sent as text, and not in chat (`calling.verbatim`)."""
    logprobs: bool = False
    logprob_token_ids: bool = False
    """Log-probabilities of tokens that the request names."""
    token_ids: bool = False
    """Reports the tokens of prompt and answer."""
    file_urls: bool | None = None
    """Reads the run's pictures by `file://`."""
    uuid: bool = False
    """Takes a picture's identity with it."""
    priority: bool = False
    cached_tokens: bool = False
    """Says how much of a prompt was cached."""
    prefix_hits: float | None = None
    """Share of prompt tokens found cached when eight calls share a picture."""
    thinks: bool = False
    """Thinks before it answers, shown or not."""
    room: bool = True
    """Whether it is left room for its thoughts, if it thinks."""
    hushed: bool = False
    """Of one that thinks: whether its template can be told to answer at once."""
    temperature: bool = True
    """Takes the temperature that is asked for."""
    samples: bool | None = None
    """Draws differ as the temperature lets them."""
    template: str = ""
    """What its chat template does to a question that it should not, in words."""
    terms: Dialect = PLAIN
    """What is sent otherwise, so that it answers at all."""
    refused: dict[str, str] = Field(default_factory=dict)
    """The server's words, by what it refused (`terms`)."""
