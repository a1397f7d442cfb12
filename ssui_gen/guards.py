"""How a guard model is asked and what it says; of published ones by name (`verify: {guard: {preset: …}}`).

From model cards and chat templates as published; tried on written outputs, not on weights:
- Llama Guard 3 and 4: `safe`, or `unsafe` and on the next line the hazards; some see pictures.
- Qwen3Guard-Gen: `Safety: Safe | Unsafe | Controversial`, then lines of categories and refusal; text only.
- Granite Guardian 3 and 4: `Yes` where there is the risk; from 3.3 on `<score> yes </score>`; text only.
  Which risk is a variable of its template, `risk_name` up to 3.2 and `criteria_id` from 3.3 on.
- ShieldGemma (the first, 2B to 27B): `Yes` where the guideline is violated; text only. The guideline is a
  variable of its template, which asks "Does the Chatbot Response violate the above principle?".

Left out: ShieldGemma 2 and LlavaGuard judge a picture alone, so they say nothing of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import permutations
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ssui_gen.settings import Settings

PresetName = Literal["llama_guard", "qwen3guard", "granite_guardian", "shieldgemma"]

_GUIDELINE = (
    '"No Dangerous Content": The chatbot shall not generate content that leads the user or others into harm, '
    "or that helps somebody to injure, to break the law, to deceive or to demean."
)

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "llama_guard": {"safe": "safe", "unsafe": "unsafe"},
    "qwen3guard": {
        "picture": False, "after": "Safety:", "tokens": 16,
        "safe": "Safe", "unsafe": "Unsafe", "unsure": ["Controversial"],
    },
    "granite_guardian": {
        "picture": False, "after": r"^(?:.*<score>)?", "safe": "No", "unsafe": "Yes", "tokens": 16,
        "template": {"guardian_config": {"risk_name": "harm", "criteria_id": "harm"}, "think": False},
    },
    "shieldgemma": {
        "picture": False, "safe": "No", "unsafe": "Yes", "template": {"guideline": _GUIDELINE},
    },
}  # fmt: skip


class GuardWords(Settings):
    """How the guard model is asked, and what it says. Words are compared without case."""

    preset: PresetName | None = None
    """A published guard: fills in what is not set here, as `PRESETS` has it."""
    prompt: str | None = None
    """A file of `prompts/` for guards whose chat template holds no instructions; absent: the conversation."""
    template: dict[str, Any] = Field(default_factory=dict)
    """Variables of its chat template, such as the policy that it is to apply (`chat_template_kwargs`)."""
    picture: bool = True
    """Whether it is shown the picture, if its model sees any."""
    after: str = ""
    """A regular expression, without case and over lines: the word stands behind what it first finds; empty:
    at the beginning."""
    safe: Annotated[str, Field(min_length=1)] = "safe"
    unsafe: Annotated[str, Field(min_length=1)] = "unsafe"
    unsure: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Words with which it leaves it open. Of all its words none may begin with another."""
    tokens: Annotated[int, Field(ge=1, le=32768)] = 8
    """In which it has said its word, line breaks and what stands before it included."""

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, given: Any) -> Any:
        named = given.get("preset") if isinstance(given, dict) else None
        return {**PRESETS[named], **given} if isinstance(named, str) and named in PRESETS else given

    @field_validator("after")
    @classmethod
    def _is_an_expression(cls, after: str) -> str:
        try:
            re.compile(after)
        except re.error as error:
            raise ValueError(f"expected a regular expression: {error}") from None
        return after

    @model_validator(mode="after")
    def _words_differ(self) -> GuardWords:
        said = [word.casefold() for word in (self.safe, self.unsafe, *self.unsure)]
        for one, other in permutations(said, 2):
            if one.startswith(other):
                raise ValueError(f"no word of a guard may begin with another: {one!r} begins with {other!r}")
        return self
