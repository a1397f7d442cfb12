"""A response to a visual question → its row: how right it is, what was compared, and why where nothing was.

The answer is what the reader finds (`benching.pieces`): behind thoughts, or the six steps. What cannot be
scored is no gap: a person who asked has got no answer, so it counts as wrong, and its status says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ssui_gen.benching.official.shape import Judged, Line, Official, Outcomes
from ssui_gen.benching.records import Item, Response
from ssui_gen.benching.vqa.reading import NAME, key_of
from ssui_gen.benching.vqa.scoring import RULE, Mark, mark
from ssui_gen.calling.calls import Request
from ssui_gen.errors import RecordError
from ssui_gen.refusing import refuses

NOBODY = "nobody"
"""Who judges."""
Stand = Literal["read", "unread", "cut_off", "refused", "no_answer", "empty", "provider_refusal", "error"]
STANDS: dict[Stand, str] = {
    "read": "compared",
    "unread": "names no option, or several",
    "cut_off": "cut off in the answer",
    "refused": "refused in words",
    "no_answer": "thoughts without an answer",
    "empty": "nothing came",
    "provider_refusal": "refused by the provider",
    "error": "the call failed",
}
NOT_MARKED = Mark(0.0, None)


def _right(item: Item, answer: str, said: Mapping[str, str | None]) -> Outcomes:
    return {"right": _mark(item, answer).score == 1}


OFFICIAL = Official(
    bench=NAME,
    name="official",
    source="VQA accuracy (arXiv 1505.00468), normalised as GT-Vision-Lab/VQA@a013f00; one answer; a letter",
    rubrics=lambda item, answer: (),
    outcomes=_right,
    empty={"right": False},
    lines=(Line("wholly right", "right", "answers"),),
)


class Marker:
    """Scores responses where others ask a judge: the same questions of it, none of which is asked."""

    official = OFFICIAL

    def id_of(self, response: Response) -> str:
        return Judged.id_of(response.id, OFFICIAL, NOBODY)

    def questions(self, item: Item, response: Response) -> dict[str, Request]:
        return {}

    async def __call__(self, item: Item, response: Response) -> Judged:
        """Raises RecordError for an item of which nobody knows what is right."""
        stand, found = marked(item, response)
        return Judged(
            id=self.id_of(response),
            response_id=response.id,
            item_id=item.id,
            bench=NAME,
            protocol=OFFICIAL.name,
            judge=NOBODY,
            rubric=RULE,
            said={"answer": found.read},
            unscored={},
            outcomes={"right": found.score == 1},
            answered=response.status == "ok",
            detail=response.detail,
            score=found.score,
            stand=stand,
        )


def marked(item: Item, response: Response) -> tuple[Stand, Mark]:
    """How a response stands, and its mark."""
    answer = (response.answer or "").strip()
    if response.status != "ok" or not answer:
        status: Stand = "empty" if response.status == "ok" else response.status
        return status, NOT_MARKED
    found = _mark(item, answer)
    return _stand(response, answer, found), found


def _mark(item: Item, answer: str) -> Mark:
    if (key := key_of(item)) is None:
        what = f"no `{NAME}` in `extra`: read the questions anew (BENCH={NAME} DATA=...)"
        raise RecordError(f"item {item.id}: {what}")
    return mark(answer, key)


def _stand(response: Response, answer: str, found: Mark) -> Stand:
    """An answer that is right is no refusal, whatever its words."""
    if found.score:
        return "read"
    if refuses(answer):
        return "refused"
    if response.detail:
        return "cut_off"
    return "unread" if found.read is None else "read"
