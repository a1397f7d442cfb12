"""Ask a checkpoint many questions at once, through its own processor and chat template. Judges nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from microworld.learning.cache import growing

BATCH = 128
Pictures = Image.Image | tuple[Image.Image, ...]
"""What one question shows: a picture, or several in their order."""


@dataclass(frozen=True)
class Question:
    """What is asked; `agent` None has no system message. The assistant goes on after `prefix`, or speaks
    once more after having `said` something.
    """

    agent: str | None
    user: str
    picture: Pictures | None
    prefix: str = ""
    said: str = ""

    @property
    def pictures(self) -> tuple[Image.Image, ...]:
        if self.picture is None:
            return ()
        return self.picture if isinstance(self.picture, tuple) else (self.picture,)

    def messages(self) -> list[dict[str, Any]]:
        text = {"type": "text", "text": self.user}
        content = [*({"type": "image"} for _ in self.pictures), text]
        system = [{"role": "system", "content": agent(self.agent)}] if self.agent else []
        words = self.prefix or self.said
        said = [{"role": "assistant", "content": words}] if words else []
        return [*system, {"role": "user", "content": content}, *said]


def agent(name: str) -> str:
    """A system message that names an agent; the micro VLM's template reads nothing else of it."""
    return f"# Agent: {name}\nBe brief."


class Checkpoint:
    """A model with its processor."""

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model, processor

    def ask(
        self,
        questions: Sequence[Question],
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        most: int = 320,
    ) -> list[str]:
        """What is said to each question after its prefix; greedy at temperature 0."""
        torch.manual_seed(seed)
        order = sorted(
            range(len(questions)), key=lambda i: (questions[i].picture is None, len(questions[i].user))
        )
        sampling = {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
        how = sampling if temperature else {"do_sample": False}
        said: dict[int, str] = {}
        for rows in _chunks(order, questions):
            texts = self._answers([questions[i] for i in rows], how | {"max_new_tokens": most})
            said |= dict(zip(rows, texts, strict=True))
        return [said[i] for i in range(len(questions))]

    def _answers(self, questions: list[Question], how: dict[str, Any]) -> list[str]:
        texts = [self._written(q) for q in questions]
        pictures = [picture for q in questions for picture in q.pictures]
        inputs = self.processor(images=pictures or None, text=texts, padding=True, return_tensors="pt")
        inputs = inputs.to(self.model.device)
        inputs.pop("token_type_ids", None)
        with torch.inference_mode():
            out = self.model.generate(**inputs, **how, past_key_values=growing())
        new = out[:, inputs["input_ids"].shape[1] :]
        return list(self.processor.tokenizer.batch_decode(new, skip_special_tokens=True))

    def _written(self, question: Question) -> str:
        goes_on = bool(question.prefix)
        return str(
            self.processor.apply_chat_template(
                question.messages(), add_generation_prompt=not goes_on, continue_final_message=goes_on
            )
        )


def _chunks(order: list[int], questions: Sequence[Question]) -> Iterator[list[int]]:
    """Batches in this order; those with a picture apart from those without."""
    for shown in (True, False):
        rows = [i for i in order if (questions[i].picture is not None) == shown]
        yield from (rows[k : k + BATCH] for k in range(0, len(rows), BATCH))


def half_the_cores() -> int:
    """A thread for each core makes torch many times slower as soon as anything else runs beside it."""
    return max(1, min(4, (os.cpu_count() or 1) // 2))
