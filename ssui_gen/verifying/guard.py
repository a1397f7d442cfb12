"""A way of F that asks a guard model: is the conversation that ends with this branch safe?

Guards are served with chat templates that hold their own instructions, so what is sent is the conversation
itself: picture and question, then the response. A guard that wants instructions in the prompt gets a prompt
file (`verify.guard.prompt`). A guard knows safety alone, not whether the answer helps: put it beside another
way. Covers one verdict by the words `safe` and `unsafe`, not the categories that some guards name after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ssui_gen.branches import Judgement
from ssui_gen.branching import render_path
from ssui_gen.calling.calls import Request
from ssui_gen.calling.pictures import Picture
from ssui_gen.config import Verify
from ssui_gen.labels import first_shares
from ssui_gen.verifying.choosing import DEPTH, Asked, Chosen, greedy, weighed
from ssui_gen.verifying.verify import Case

WORD = 8
"""Tokens in which a guard has said its label, line breaks before it included."""


@dataclass(frozen=True)
class Guard:
    """The verifier; one for a run."""

    asked: Asked
    settings: Verify

    async def __call__(self, case: Case) -> Judgement:
        """Raises what a call raises."""
        call, completion = await self.asked.caller.call(self._request(case))
        choice, labels = completion.choices[0], (self.settings.guard.safe, self.settings.guard.unsafe)
        said = choice.text.strip()
        picked = next((label for label in labels if said.startswith(label)), said)
        shares, mass = first_shares(choice, labels) or (None, 0.0)
        return weighed(Chosen(shares, mass, 0.0, (picked,), (call,)), labels[:1], self.settings)

    def _request(self, case: Case) -> Request:
        picture = self.asked.picture_of(case.path.image) if self.asked.sees else None
        response = render_path(case.steps, case.answer or "")
        if self.asked.prompt:
            system, user = self.asked.prompt.render(text=case.path.query.text, response=response)
            messages = [{"role": "system", "content": system}, _shown(picture, user)]
        else:
            asked = _shown(picture, case.path.query.text)
            messages = [asked, {"role": "assistant", "content": response}]
        body = {"model": self.asked.model, "messages": messages, **greedy(WORD)}
        part, sha256 = (picture.part, picture.ref.sha256) if picture else (None, "")
        return Request("guard", body, part, sha256, DEPTH)


def _shown(picture: Picture | None, text: str) -> dict[str, Any]:
    shown = [picture.placeholder] if picture else []
    return {"role": "user", "content": [*shown, {"type": "text", "text": text}]}
