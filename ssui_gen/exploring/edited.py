"""Pairs out of what people edited: a path as they left it over the path as it was, from one prefix. Pure.

Each edited step is a pair at its own cut, an edited answer one at the last, as the answer belongs to the
last step. An edit of the question makes no pair: both sides answer the question as it is now. Nor does one
that says the same in better typography or spelling: a comma is no preference, and a pair would teach that the
rest of the old path is bad. Such an edit is in the reference all the same.
"""

from __future__ import annotations

import re

from rapidfuzz.distance import OSA

from ssui_gen.branches import Branch, Cut, Judgement, Level, Pair, Place
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.exploring.pairs import pair_of, steps_alone
from ssui_gen.records import ReasoningPath, Step, row_id
from ssui_gen.verifying.first_bad_step import PLACES

EDITED, ORIGINAL = "edited", "original"
SHORT = 3
"""Letters: words so short are other words when one letter differs."""


def edit_pairs(path: ReasoningPath, system: str = "", level: Level = "outcome") -> list[Pair]:
    """A pair for each cut at which a person has changed something; none for a path nobody has edited."""
    cuts = [_cut(path, cut) for cut in _edited_cuts(path)]
    taught = [steps_alone(cut) if level == "step" else cut for cut in cuts]
    places = [_edited_place(path, cut.cut) for cut in cuts]
    return [
        pair_of(cut, (cut.branches[0], cut.branches[1]), system, level, "edit", place)
        for cut, place in zip(taught, places, strict=True)
    ]


def says_the_same(one: str, other: str) -> bool:
    """Whether two texts differ by points, case and spelling alone: the same words in the same order, or such
    as begin alike and are one slip apart (Damerau-Levenshtein), so that "legal" is not "illegal".
    """
    words, others = (re.findall(r"\w+", text.casefold()) for text in (one, other))
    return len(words) == len(others) and all(map(_same_word, words, others))


def _same_word(one: str, other: str) -> bool:
    slip = min(len(one), len(other)) > SHORT and one[0] == other[0] and OSA.distance(one, other) <= 1
    return one == other or slip


def _edited_cuts(path: ReasoningPath) -> list[int]:
    """Where the path says something else than it did."""
    steps, answer = _as_it_was(path)
    changed = [not says_the_same(new.text, old.text) for new, old in zip(path.steps, steps, strict=True)]
    changed[-1] |= not says_the_same(path.answer, answer)
    return [number for number, differs in enumerate(changed) if differs]


def _edited_place(path: ReasoningPath, cut: int) -> Place:
    """What a person has changed behind a cut: its step, or at the last cut the answer alone."""
    old = _as_it_was(path)[0][cut]
    return "answer" if says_the_same(path.steps[cut].text, old.text) else PLACES[f"step {cut + 1}"]


def _cut(path: ReasoningPath, cut: int) -> Cut:
    """The path's end as it is, and as it was, from the first `cut` steps as they are."""
    prefix = prefix_at(path.steps, cut)
    steps, answer = _as_it_was(path)
    ends = {
        EDITED: render_path(path.steps, path.answer),
        ORIGINAL: render_path([*path.steps[:cut], *steps[cut:]], answer),
    }
    sides = (_branch(path, name, cut, end.removeprefix(prefix)) for name, end in ends.items())
    return Cut.of_path(path, cut, prefix, sides)


def _as_it_was(path: ReasoningPath) -> tuple[tuple[Step, ...], str]:
    original = path.curation.original if path.curation else {}
    steps = tuple(
        step.model_copy(update={"text": original.get(f"/steps/{number}/text", step.text)})
        for number, step in enumerate(path.steps)
    )
    return steps, original.get("/answer", path.answer)


def _branch(path: ReasoningPath, name: str, cut: int, text: str) -> Branch:
    judgement = Judgement(polarity="good" if name == EDITED else "bad", detail=f"{name}, by a person's edit")
    return Branch(id=row_id(path.id, name, str(cut), text), text=text, finish="stop", judgement=judgement)
