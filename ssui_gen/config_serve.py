"""Settings of how vLLM is started: a part of `config`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from ssui_gen.records import MOST_IMAGES
from ssui_gen.settings import PIXELS, Settings, secret

KEYS = {"api-key": "VLLM_API_KEY", "hf-token": "HF_TOKEN"}
"""Flags of vLLM that hold a secret, and the variables that it reads in their place."""


class Serve(Settings):
    """How vLLM is started by `ssui serve`, and by a stage whose model is named without a server."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """Of the first replica of `ssui serve`; 0 takes any free ones, as a stage does."""
    gpus: Annotated[int, Field(ge=1)] | None = None
    """All that there are when absent."""
    start_seconds: Annotated[float, Field(gt=0)] = 1800.0
    """Until every replica must answer; the first start of a model also downloads it."""
    max_pixels: Annotated[int, Field(ge=784)] = PIXELS
    """To what Qwen2-VL and Qwen2.5-VL scale larger pictures, in training too: it is kept in `pairs.json`."""
    images: Annotated[int, Field(ge=1, le=MOST_IMAGES)] = 1
    """Pictures that one request may show (`limit-mm-per-prompt`): as many as a seed has at most."""
    thinking: bool = False
    """Whether a model that thinks first, and can be told not to, does so; see `models.vlm.thoughts`."""
    flags: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    """vLLM's own, without dashes; they win over those chosen by model and memory. null drops one."""

    @field_validator("flags")
    @classmethod
    def _hold_no_key(cls, flags: dict[str, Any]) -> dict[str, Any]:
        if found := [name for name in flags if name.replace("_", "-") in KEYS]:
            raise secret(
                f"leave {found[0]} out, and put it into the environment as {KEYS[found[0].replace('_', '-')]}"
            )
        return flags
