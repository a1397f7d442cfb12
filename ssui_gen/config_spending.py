"""Settings of what calls cost, and how much of it a run may spend: a part of `config`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ssui_gen.completions import Usage
from ssui_gen.settings import Settings

MILLION = 1e6


class Prices(Settings):
    """US dollars for a million tokens; 0 for a server of one's own."""

    prompt: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    cached: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Of prompt tokens that the server found in its cache; absent: as any other."""
    completion: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    def __bool__(self) -> bool:
        """Whether anything costs."""
        return bool(self.prompt or self.completion or self.cached)

    def of(self, usage: Usage) -> float:
        """What a call cost, in US dollars."""
        known = min(usage.cached_tokens or 0, usage.prompt_tokens) if self.cached is not None else 0
        spent = (usage.prompt_tokens - known) * self.prompt + known * (self.cached or 0.0)
        return (spent + usage.completion_tokens * self.completion) / MILLION


class Spending(Settings):
    """How much a run may spend; it then ends as after Ctrl-C, and goes on when more is allowed."""

    tokens: Annotated[int, Field(ge=1)] | None = None
    """Prompt and completion tokens of all calls in the run's journal, of every stage."""
    usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """US dollars of those calls, by `prices` of the models."""
    hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Of one command, from its first call on."""

    @property
    def counted(self) -> bool:
        """Whether tokens or dollars are limited."""
        return self.tokens is not None or self.usd is not None

    @property
    def spends(self) -> bool:
        """Whether anything is limited."""
        return self.counted or self.hours is not None
