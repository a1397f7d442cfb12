"""Pairs out of twins: a path's own step over the step that is right under another picture. Pure, no draws.

A policy hardly ever warns for nothing, so branches give no pairs that hold the harmless side. But where the
same words are asked under two pictures, of which one makes them dangerous, each path's step is the other's
error. At the step where the decision falls (`pairs.twin_cut`) the twin's step stands as rejected behind this
path's prefix, its own as chosen, in both directions; that step alone counts, as longer sides would move the
warning into the answer (ours). What is asked under one picture only makes no such pair: a step about another
question would be told by its words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ssui_gen.branches import Branch, Cut, Judgement, Pair
from ssui_gen.branching import one_line, prefix_at, render_path
from ssui_gen.exploring.edited import says_the_same
from ssui_gen.exploring.explored import read_paths
from ssui_gen.exploring.pairs import pair_of
from ssui_gen.records import (
    STEP_NAMES,
    ImageRef,
    Kind,
    MoreImages,
    Pictured,
    ReasoningPath,
    Record,
    Step,
    row_id,
)
from ssui_gen.verifying.first_bad_step import PLACES


class Twin(Record, Pictured):
    """Of a path what stands in another's pair."""

    id: str
    kind: Kind
    image: ImageRef
    more_images: MoreImages = ()
    steps: tuple[Step, ...]
    answer: str


class Twins:
    """The paths of a file by their words, as far as they are asked in both kinds."""

    def __init__(self, file: Path, apart: Callable[[ReasoningPath], bool]) -> None:
        """`apart`: whether no benchmark holds a path."""
        self.asked: dict[str, list[Twin]] = defaultdict(list)
        self.questions: dict[str, str] = {}
        """By path."""
        for path in read_paths(file):
            if isinstance(path, ReasoningPath) and apart(path):
                self.questions[path.id] = _question(path)
                self.asked[_question(path)].append(Twin.model_validate(_part(path)))
        both = {words for words, found in self.asked.items() if len({one.kind for one in found}) > 1}
        self.asked = {words: found for words, found in self.asked.items() if words in both}

    def of(self, path: ReasoningPath) -> list[Twin]:
        """Those of the other kind with the same words under another picture, in this path's own order."""
        found = self.asked.get(_question(path), ())
        others = [one for one in found if one.kind != path.kind and one.look != path.look]
        return sorted(others, key=lambda one: row_id(path.id, one.id))

    def none_because(self, path: ReasoningPath) -> str:
        """Why a path has no twin."""
        if any(one.kind != path.kind for one in self.asked.get(_question(path), ())):
            return "same_picture"
        asked = self.questions.get(path.twin_of or "")
        return "other_words" if asked not in (None, _question(path)) else "no_twin"


def _part(path: ReasoningPath) -> dict[str, object]:
    return {name: getattr(path, name) for name in Twin.model_fields}


def _question(path: ReasoningPath) -> str:
    return one_line(path.query.text).casefold()


def twin_pairs(
    path: ReasoningPath, twins: Twins, cut: int, most: int, system: str, counts: Counter[str]
) -> Iterator[Pair]:
    """At most so many pairs of one path; what came of it is counted."""
    found = twins.of(path)
    if not found:
        counts[twins.none_because(path)] += 1
    told = set[str]()
    for twin in found:
        own, others = (step_line(one.steps, one.answer, cut) for one in (path, twin))
        if says_the_same(own, others):
            counts["same_step"] += 1
        elif others in told or len(told) >= most:
            counts["enough"] += 1
        else:
            told.add(others)
            counts["made"] += 1
            yield swapped(path, twin, cut, own, others, system)


def step_line(steps: Sequence[Step], answer: str, cut: int) -> str:
    """What a path says behind a cut: the step's line, at the last cut with the answer."""
    last = cut + 1 == len(STEP_NAMES)
    text = render_path(steps, answer) if last else prefix_at(steps, cut + 1)
    return text[len(prefix_at(steps, cut)) :]


def swapped(path: ReasoningPath, twin: Twin, cut: int, own: str, others: str, system: str) -> Pair:
    """`own` over `others`, a line of the twin's, behind the path's first steps."""
    sides = (_side(path, cut, "own", path.id, own), _side(path, cut, "twin", twin.id, others))
    row = Cut.of_path(path, cut, prefix_at(path.steps, cut), sides)
    made = pair_of(row, sides, system, "step", "twin", PLACES[f"step {cut + 1}"])
    return made.model_copy(update={"twin_id": twin.id})


def _side(path: ReasoningPath, cut: int, name: str, whose: str, text: str) -> Branch:
    judgement = Judgement(polarity="good" if name == "own" else "bad", detail=f"a step of the {name} path")
    id = row_id(path.id, name, whose, str(cut), text)
    return Branch(id=id, text=text, finish="stop", judgement=judgement)
