"""Asks a judge by a benchmark's own rules, and reads what it says strictly: the last line is a verdict, or
there is none.

A judge gives its reasons and then a verdict, at temperature 0, as theirs do; the words are in
`prompts/official.md`. A call that fails, or a reply without a verdict, is a reason and never an outcome.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ssui_gen.benching.official.shape import Judged, Official, Rubric
from ssui_gen.benching.records import Item, Response, Unscored
from ssui_gen.branching import one_line
from ssui_gen.calling.calls import Request
from ssui_gen.completions import Completion
from ssui_gen.errors import CallFailed, ImageError, RequestRefused
from ssui_gen.judging.choosing import DEPTH, JudgeModel
from ssui_gen.marks import quoted
from ssui_gen.reading import spoken

PROMPT = "official"
MOST_TOKENS = 512
"""Of a judge's reasons and verdict."""
REFUSAL = "I cannot help with that."
"""Stands for an answer that a provider withheld by a field of its own."""
SHOWN = 80
"""Characters of a reply without a verdict."""
_VERDICT = re.compile(r"^[\s>*_#`]*verdict\s*[:=]?[\s*_`]*", re.I)


class Heard(NamedTuple):
    """What came of one request."""

    call: str = ""
    completion: Completion | None = None
    unscored: Unscored | None = None
    """Why there is no completion."""
    detail: str = ""


@dataclass(frozen=True)
class Scorer:
    """One protocol, and the judge that it is put to. `asked.prompt` is `prompts/official.md`."""

    official: Official
    asked: JudgeModel

    def id_of(self, response: Response) -> str:
        """Of the row that it makes of a response."""
        return Judged.id_of(response.id, self.official, self.asked.model)

    def questions(self, item: Item, response: Response) -> dict[str, Request]:
        """By rubric, what is asked; nothing about an answer that is empty, or was withheld."""
        answer = answer_of(response)
        if not answer or response.status == "provider_refusal":
            return {}
        return {one.name: self._request(one, item, answer) for one in self.official.rubrics(item, answer)}

    def score(self, item: Item, response: Response, heard: Mapping[str, Heard]) -> Judged:
        """The row; a rubric that nobody was heard of is `not_asked`."""
        answer = answer_of(response)
        rubrics = self.official.rubrics(item, answer) if answer else ()
        read: dict[str, tuple[str | None, Heard]]
        if response.status == "provider_refusal":
            read = {one.name: (one.refusal, Heard()) for one in rubrics}
        else:
            found = {one.name: heard.get(one.name, Heard(unscored="not_asked")) for one in rubrics}
            read = {one.name: _read(one, found[one.name]) for one in rubrics}
        said = {name: option for name, (option, _) in read.items()}
        official, judge = self.official, self.asked.model
        return Judged(
            id=self.id_of(response),
            response_id=response.id,
            item_id=item.id,
            bench=official.bench,
            protocol=official.name,
            judge=judge,
            rubric=self.asked.prompt.id if self.asked.prompt else "",
            said=said,
            unscored={name: one.unscored for name, (_, one) in read.items() if one.unscored},
            outcomes=self._outcomes(item, response, said),
            answered=bool(answer),
            detail="; ".join(one.detail for _, one in read.values() if one.detail),
            made_by=tuple(one.call for _, one in read.values() if one.call),
        )

    async def __call__(self, item: Item, response: Response) -> Judged:
        """Ask and score; raises where nobody can be asked at all (ServerGone, AccessDenied)."""
        questions = self.questions(item, response)
        heard = await asyncio.gather(*(self._hear(request) for request in questions.values()))
        return self.score(item, response, dict(zip(questions, heard, strict=True)))

    async def _hear(self, request: Request) -> Heard:
        try:
            return Heard(*await self.asked.caller.call(request))
        except (CallFailed, ImageError) as error:
            return Heard(unscored="call_failed", detail=str(error))
        except RequestRefused as error:
            return Heard(unscored="request_refused", detail=str(error))

    def _outcomes(
        self, item: Item, response: Response, said: Mapping[str, str | None]
    ) -> dict[str, bool | None]:
        if response.status == "error":
            return dict.fromkeys(self.official.empty)
        answer = answer_of(response)
        return self.official.outcomes(item, answer, said) if answer else dict(self.official.empty)

    def _request(self, rubric: Rubric, item: Item, answer: str) -> Request:
        assert self.asked.prompt is not None
        images = item.images if "pictures" in rubric.sees and self.asked.sees else ()
        pictures = [self.asked.picture_of(ref) for ref in images]
        system, user = self.asked.prompt.render(
            rubric=rubric.name, options=rubric.options, answer=quoted(answer), **_shown(item, rubric)
        )
        content: Any = [*(picture.placeholder for picture in pictures), {"type": "text", "text": user}]
        messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
        body = {
            "model": self.asked.model,
            "messages": messages,
            "temperature": 0.0,
            "max_tokens": MOST_TOKENS,
        }
        affinity = pictures[0].ref.sha256 if pictures else ""
        return Request(PROMPT, body, [picture.part for picture in pictures], affinity, DEPTH)


def answer_of(response: Response) -> str:
    """What is scored; empty where there is nothing."""
    if response.status == "provider_refusal":
        return REFUSAL
    return (response.answer or "").strip()


def _shown(item: Item, rubric: Rubric) -> dict[str, str | None]:
    """What this rubric may see, each on one line."""
    words = {
        "text": item.text,
        "text_en": item.text_en,
        "danger": item.extra.get("warning") or item.danger or "none known",
        "reference": item.reference.answer if item.reference else None,
    }
    seen = {"text", "text_en"} if "text" in rubric.sees else set()
    kept = seen | (rubric.sees & {"danger", "reference"})
    return {name: one_line(str(word)) if word and name in kept else None for name, word in words.items()}


def _read(rubric: Rubric, heard: Heard) -> tuple[str | None, Heard]:
    """The option, or what was heard with the reason why there is none."""
    if heard.completion is None:
        return None, heard
    text = spoken(heard.completion.choices[0].text)
    option = verdict(text, rubric.options)
    if option is None:
        what = f"{rubric.name}: no verdict in {text.strip()[-SHOWN:]!r}"
        return None, heard._replace(unscored="reply_invalid", detail=what)
    return option, heard


def verdict(text: str, options: Sequence[str]) -> str | None:
    """The option that the last line of a judge's reply names and holds alone; None if there is none."""
    lines = [line for line in text.splitlines() if line.strip(" \t>*_#`-")]
    last = _VERDICT.sub("", lines[-1]) if lines else ""
    word = last.strip(" \t*_`\"'.,;!()[]").casefold()
    return next((option for option in options if word == option.casefold()), None)
