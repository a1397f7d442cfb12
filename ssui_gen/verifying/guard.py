"""A way of F that asks a guard model: is the conversation that ends with this branch safe?

Guards are served with chat templates that hold their own instructions, so what is sent is the conversation
itself: picture and question, then the response. A guard that wants instructions in the prompt gets a prompt
file (`verify.guard.prompt`). A guard knows safety alone, not whether the answer helps: put it beside another
way. Which words it says, and where, stands in `guards`; the categories that some name after it are not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ssui_gen.branches import Judgement
from ssui_gen.calling.calls import Request
from ssui_gen.calling.pictures import NO_PICTURE, Shown
from ssui_gen.config import Verify
from ssui_gen.judging.choosing import DEPTH, Chosen, JudgeModel, greedy
from ssui_gen.labels import behind, first_shares
from ssui_gen.marks import as_words
from ssui_gen.reading import spoken
from ssui_gen.verifying.verify import Case
from ssui_gen.verifying.weighing import weighed

SHOWN = 60
"""Characters of what is no verdict."""


@dataclass(frozen=True)
class Guard:
    """The verifier; one for a run."""

    asked: JudgeModel
    settings: Verify

    async def __call__(self, case: Case) -> Judgement:
        """Raises what a call raises."""
        call, completion = await self.asked.caller.call(self._request(case))
        choice, guard = completion.choices[0], self.settings.guard
        labels = (guard.safe, guard.unsafe, *guard.unsure)
        said = spoken(choice.text)
        word = _word(said, guard.after, labels)
        shares, mass = first_shares(choice, labels, guard.after, fold=True) or (None, 0.0)
        chosen = _decided(Chosen(shares, mass, 0.0, (word or said,), (call,)), labels[:2])
        if word not in labels[:2]:
            why = f"the guard says {(said.strip() or choice.text.strip())[:SHOWN]!r}"
            return Judgement(polarity="unverified", detail=why, by=chosen.raw, made_by=chosen.calls)
        return weighed(chosen, labels[:1], self.settings)

    def _request(self, case: Case) -> Request:
        guard = self.settings.guard
        pictures = self.asked.shown(case.path.images) if guard.picture else NO_PICTURE
        messages = self._messages(pictures, as_words(case.path.query.text), as_words(case.response))
        body = {"model": self.asked.model, "messages": messages, **greedy(guard.tokens)}
        body |= {"chat_template_kwargs": guard.template} if guard.template else {}
        return Request("guard", body, pictures.parts, pictures.affinity, DEPTH)

    def _messages(self, pictures: Shown, text: str, response: str) -> list[dict[str, Any]]:
        if not self.asked.prompt:
            return [_user(pictures, text), {"role": "assistant", "content": response}]
        system, user = self.asked.prompt.render(text=text, response=response)
        told = [{"role": "system", "content": system}] if system else []  # some templates know no such role
        return [*told, _user(pictures, user)]


def _word(text: str, after: str, labels: Sequence[str]) -> str | None:
    """The label that is said first behind `after`; None if it is none."""
    start = behind(text, after)
    said = re.sub(r"^\W+", "", text[start:]) if start is not None else ""
    return next((label for label in labels if re.match(rf"{re.escape(label)}(?!\w)", said, re.I)), None)


def _decided(chosen: Chosen, labels: Sequence[str]) -> Chosen:
    """What is left when a guard's words for leaving it open are taken out, mass included."""
    if chosen.shares is None:
        return chosen
    held = sum(chosen.shares[label] for label in labels)
    shares = {label: chosen.shares[label] / held if held else 0.0 for label in labels}
    return chosen._replace(shares=shares, mass=chosen.mass * held)


def _user(pictures: Shown, text: str) -> dict[str, Any]:
    return {"role": "user", "content": [*pictures.placeholders, {"type": "text", "text": text}]}
