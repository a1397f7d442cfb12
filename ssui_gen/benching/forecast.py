"""How many calls a run of a benchmark will take, and about how many tokens, told before the first is made.

A guess by length: nobody has counted tokens yet. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ssui_gen.benching.asked import questions_of
from ssui_gen.benching.entry import Entry
from ssui_gen.benching.records import Item, Response
from ssui_gen.prompts import Prompt
from ssui_gen.settings import PIXELS

CHARACTERS, PATCH = 4, 28 * 28
"""Of a token; pixels of a picture's token."""
RESPONSE = 550
"""Tokens of a response that has not been seen: a path of 400 and an answer of 150."""

ANSWER = "An answer."
"""Stands for one that has not been seen, for rules that ask by what it says."""


class Forecast(NamedTuple):
    """What lies ahead, at most: not all questions apply, and what the journal knows costs nothing."""

    answers: int
    questions: int
    """Calls to the judge."""
    prompt_tokens: int
    """All that prompts hold, as if no server had a prefix cache."""
    judged: bool = True
    """Whether a judge is asked at all."""

    def __str__(self) -> str:
        if not self.judged:
            return f"Ahead: at most {self.answers:,} answers, about {self._tokens} million prompt tokens."
        return (
            f"Ahead: at most {self.answers:,} answers and {self.questions:,} calls to the judge, about "
            f"{self._tokens} million prompt tokens, most of which the questions about a response share."
        )

    @property
    def _tokens(self) -> str:
        return f"{self.prompt_tokens / 1e6:.1f}"


def forecast(entries: Iterable[Entry]) -> Forecast:
    """Of all that is left of these."""
    answers = questions = tokens = 0
    judged = False
    for entry in entries:
        judged = judged or entry.by is not None
        tested, settings = entry.tested, entry.settings
        orders = 2 if settings.orders == "both" else 1
        for item, draws in entry.unanswered():
            calls = 1 if tested.by_n else len(draws)
            asked = len(draws) * orders * len(settings.questions) if "rsbench" in settings.score else 0
            asked += len(draws) * sum(len(one.official.rubrics(item, ANSWER)) for one in entry.scorers)
            answers, questions = answers + calls, questions + asked
            tokens += calls * _prompt(tested.prompt, item) + asked * _judged(entry, item, RESPONSE)
        for response, left in entry.unjudged():
            asked = orders * len({*left} & {*questions_of(response)})
            questions += asked
            tokens += asked * _judged(entry, entry.items[response.item_id], _tokens(response))
        for response, scorers in entry.unscored():
            item = entry.items[response.item_id]
            asked = sum(len(scorer.questions(item, response)) for scorer in scorers)
            questions += asked
            tokens += asked * _judged(entry, item, _tokens(response))
    return Forecast(answers, questions, tokens, judged)


def _judged(entry: Entry, item: Item, response: int) -> int:
    return _prompt(entry.by.asked.prompt if entry.by else None, item) + response


def _prompt(prompt: Prompt | None, item: Item) -> int:
    """An item under a prompt."""
    pictures = sum(min(image.width * image.height, PIXELS) // PATCH for image in item.images)
    words = len(prompt.body if prompt else "") + len(item.text) + sum(len(turn.text) for turn in item.turns)
    return pictures + words // CHARACTERS


def _tokens(response: Response) -> int:
    return len(response.raw + response.reasoning) // CHARACTERS
