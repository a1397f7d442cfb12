"""What the benchmarks of judging share: invented responses about drawn scenes, and the seven questions asked.

Responses are what the micro policy writes and worse, as the micro judge is taught; what it says of them is
not looked at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench import ROOT

from microworld.corpus.responses import response
from microworld.draw.pool import picture, scene_at
from microworld.world import wording as say
from microworld.world.pairs import pair_of
from ssui_gen.branching import ANSWER, render_steps
from ssui_gen.calling.calls import Caller, Request, Tally
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.gate import Gate
from ssui_gen.calling.journal import Journal
from ssui_gen.calling.pictures import Pictures
from ssui_gen.images import inspect
from ssui_gen.judging.choosing import JudgeModel, request
from ssui_gen.judging.questions import QUESTIONS, RSBENCH, Material, QuestionName, places
from ssui_gen.prompts import load_prompt
from ssui_gen.settings import ImageLimits

LIMITS = ImageLimits()
AROUND_ASKED = "\n# Asked: "
FIRST: tuple[QuestionName, ...] = ("path_safe", "answer_safe")
"""Asked before the rest, one after the other: what the others share is computed once they are answered."""
Layout = Callable[[Request], Request]


class Rate(NamedTuple):
    """How it went."""

    calls: int
    seconds: float
    tally: Tally


def materials(folder: Path, count: int) -> list[Material]:
    """`count` responses, each about a picture of its own that is drawn into `folder`."""
    return [_material(folder, number) for number in range(count)]


def _material(folder: Path, number: int) -> Material:
    rng, scene = Random(number), scene_at("test", number)
    picture(scene).save(folder / f"{number}.png")
    pair = pair_of(rng, scene, risky=number % 3 == 0, split="test")
    made = response(rng, pair)
    return Material(
        pictures=(inspect(folder, f"{number}.png", LIMITS),),
        text=pair.text,
        danger=say.capital(pair.rule.harm) + "." if pair.rule else "",
        path=render_steps(made.steps),
        answer=ANSWER + made.answer,
    )


def as_it_is(asked: Request) -> Request:
    """The material first, the rubric last."""
    return asked


def rubric_first(asked: Request) -> Request:
    """A prompt per question: its rubric and options in the system text, the material alone after it."""
    system, user = asked.body["messages"]
    *pictures, text = user["content"]
    material, _, rubric = text["text"].partition(AROUND_ASKED)
    told = {"role": "system", "content": f"{system['content']}\n\n{AROUND_ASKED.strip()} {rubric}"}
    shown = {"role": "user", "content": [*pictures, {"type": "text", "text": material}]}
    return replace(asked, body=asked.body | {"messages": [told, shown]})


async def ask(url: str, model: str, folder: Path, shown: Sequence[Material], layout: Layout) -> Rate:
    """All questions of all responses in both orders, by the real client."""
    client = ChatClient([url], api_key="", timeout_seconds=600, tries=2)
    journal = folder / f"{layout.__name__}-{time.time_ns()}.sqlite"
    with closing(Journal(journal)) as kept:
        caller = Caller(client, kept, Gate(64))
        prompt, sight = load_prompt(ROOT / "prompts" / "judge.md"), Pictures(folder, LIMITS, 64)
        asked = JudgeModel(caller, model, prompt, sight.of)
        begun = time.monotonic()
        await asyncio.gather(*(_all_of(asked, material, layout) for material in shown))
        await client.aclose()
        return Rate(caller.tally.calls, time.monotonic() - begun, caller.tally)


async def _all_of(asked: JudgeModel, material: Material, layout: Layout) -> None:
    """What others share is computed before they ask: a block under computation is shared with nobody."""
    for name in FIRST:
        await _ask(asked, name, material, layout, slice(0, 1))
    await asyncio.gather(*(_ask(asked, name, material, layout, slice(0, 2)) for name in RSBENCH))


async def _ask(
    asked: JudgeModel, name: QuestionName, material: Material, layout: Layout, ways: slice
) -> None:
    """One order of the options after the other; what was asked before is not asked again."""
    question = QUESTIONS[name]
    options, seen = question.options or places(6), material.seen_by(question)
    for order in (options, options[::-1])[ways]:
        await asked.caller.call(layout(request(asked, question, seen, order)))
