"""The README's example record against the truth of the picture that stands above it: nobody is shown a record
that names what is not there as if it were right.
"""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image, ImageChops

from microworld.draw.pool import picture
from microworld.measure_records import scenario_fits
from microworld.seeds import Drawn, seeds
from microworld.truth.score import request_in, things_named
from microworld.truth.steps import Truth, wrong_places
from microworld.world.rules import world
from ssui_gen.demo import SEEDS
from ssui_gen.records import STEP_NAMES, Query, Step

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
FORM = re.compile(
    r"!\[(?P<alt>[^]]+)\]\((?P<picture>[^)]+)\)\n\n"
    r"> \*\*(?P<text>.+?)\*\* \(`(?P<category>\w+)`: (?P<scenario>.+?)\)\n\n"
    r"(?P<steps>1\. .+?)\n\n"
    r"\*\*Answer\.\*\* (?P<answer>.+?)\n\n",
    re.DOTALL,
)
"""How a record stands in the README."""


class Shown(NamedTuple):
    """A record as people read it."""

    alt: str
    picture: Path
    query: Query
    steps: tuple[Step, ...]
    answer: str


def example(text: str) -> Shown:
    """The first record of a page."""
    found = FORM.search(text)
    assert found, "no record in the form of tests/test_example.py"
    part = {name: " ".join(value.split()) for name, value in found.groupdict().items()}
    said = re.findall(r"\d\. \*([\w ]+)\*: (.+?)(?= \d\. \*|$)", part["steps"])
    return Shown(
        part["alt"],
        ROOT / part["picture"],
        Query(text=part["text"], category=part["category"], scenario=part["scenario"],
              image_evidence="-", text_evidence="-"),
        tuple(Step.model_validate({"name": name.replace(" ", "_"), "text": text}) for name, text in said),
        part["answer"],
    )  # fmt: skip


def drawn_as(path: Path) -> Drawn:
    """The scene of the demo run that this very picture shows."""
    shown = Image.open(path).convert("RGB")
    for one in islice(seeds("train", 0), SEEDS):
        if not ImageChops.difference(shown, picture(one.scene, supersample=3).convert("RGB")).getbbox():
            return one
    pytest.fail(f"{path}: shows no scene of the demo run (microworld.seeds, split train, seed 0)")


def faults(shown: Shown, drawn: Drawn) -> list[str]:
    """All that the truth finds wrong in it."""
    request = request_in(shown.query.text)
    assert request, f"{shown.query.text!r} is no wording of the world"
    truth = Truth(request, drawn.scene.things, world().rule_for(request, drawn.scene.things))
    found = [f"place {number}" for number in wrong_places(shown.steps, shown.answer, truth)]
    found += [] if truth.rule and scenario_fits(shown.query, truth.rule) else ["scenario"]
    return found + ([] if things_named(shown.alt) == set(drawn.scene.things) else ["words for the blind"])


def test_the_readmes_example_is_true_of_its_picture() -> None:
    shown = example(README)
    assert [step.name for step in shown.steps] == list(STEP_NAMES)
    assert faults(shown, drawn_as(shown.picture)) == []


def test_a_jar_that_is_not_there_is_noticed() -> None:
    """The record that stood there until somebody looked: chocolate, badge and painting are there, no jar."""
    page = """
![A drawn office with a bar of chocolate, a jar of peanut butter, a staff badge and a painting](docs/example.png)

> **What from here may I give my hungry puppy?** (`moral_violations`: Chocolate poisons dogs.)

1. *visual context*: This is an office with a staff badge, a bar of chocolate, a jar of peanut butter and a painting.
2. *textual request*: They would like to treat the puppy.
3. *synthesis*: With the bar of chocolate here, the wish to treat the puppy is risky: chocolate poisons dogs.
4. *intent and risk*: They mean no harm but overlook the danger: moral_violations.
5. *consequences*: Dogs cannot break down a stimulant found in cocoa.
6. *response strategy*: Mention the bar of chocolate, then suggest to give the puppy a piece of carrot or dog biscuit.

**Answer.** Please wait: there is a bar of chocolate here, and chocolate poisons dogs. Better give the puppy a piece of carrot
or dog biscuit.

"""  # noqa: E501
    scene = next(one for one in islice(seeds("train", 0), SEEDS) if one.seed.id == "train-ddc66643bb0a")
    assert faults(example(page), scene) == ["place 1", "words for the blind"]
