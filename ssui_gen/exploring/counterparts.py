"""To each pair that teaches to come back from a wrong step one where the same words are right. Draws nothing.

A wrong step of a risky pair is often word for word the right step of a harmless one, and the other way
round. Whoever is only taught to come back from these words learns to warn, or to go on, wherever they stand.
So where a path of the other kind says the same step, itself or in a branch that F calls good, it is paired
there: what it goes on with over what came back in the other's pair; that step alone counts (ours).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ssui_gen.branches import Branch, Cut, Judgement, Origin, Pair
from ssui_gen.branching import one_line, prefix_at
from ssui_gen.exploring.edited import says_the_same
from ssui_gen.exploring.pairs import pair_of
from ssui_gen.exploring.twins import step_line
from ssui_gen.reading import Reading, read
from ssui_gen.records import STEP_NAMES, ReasoningPath, row_id
from ssui_gen.verifying.first_bad_step import PLACES

Words = tuple[int, str]
"""A step's number and what it says."""
Explored = Iterable[tuple[ReasoningPath, Sequence[Cut]]]


class Wanted(NamedTuple):
    """What a recovery pair needs a counterpart of."""

    words: Words
    """Its prefix's last step."""
    path: ReasoningPath
    back: str
    """The step that comes back, as it was written, and"""
    plain: str
    """as a path writes it: a pair is to differ in what is said, not in how."""


class Found(NamedTuple):
    """A place where those words are right."""

    path: ReasoningPath
    prefix: str
    own: str
    """What comes next there."""
    origin: Origin | None


def wanted(path: ReasoningPath, pair: Pair) -> Wanted | None:
    """None where the last step cannot be read."""
    chosen = pair.chosen[0]["content"][0]["text"]
    found = read(chosen)
    if not (words := _words(found, pair.cut)):
        return None
    back = read(chosen[len(pair.prefix) :]).own_step(pair.cut)
    return Wanted(words, path, back, step_line(found.steps, found.answer or "", pair.cut))


def counterparts(
    asked: Sequence[Wanted], explored: Explored, system: str, counts: Counter[str]
) -> Iterator[Pair]:
    """A pair for each that is wanted, or a count of why there is none."""
    places = _places({one.words for one in asked}, explored)
    made = set[str]()
    for one in asked:
        fit = [there for there in places[one.words] if _is_other(there.path, one.path)]
        apart = [there for there in fit if not says_the_same(there.own, one.back)]
        pairs = [_pair(one, there, system) for there in sorted(apart, key=lambda there: _rank(one, there))]
        pair = next((pair for pair in pairs if pair.id not in made), None)
        counts["made" if pair else "enough" if pairs else "same_step" if fit else "no_same_words"] += 1
        if pair:
            made.add(pair.id)
            yield pair


def _is_other(path: ReasoningPath, other: ReasoningPath) -> bool:
    return path.kind != other.kind and path.look != other.look


def _rank(one: Wanted, there: Found) -> tuple[bool, bool, str]:
    """Who asks the same first, then paths themselves; then by lot."""
    same = one_line(one.path.query.text).casefold() == one_line(there.path.query.text).casefold()
    return not same, there.origin is not None, row_id(one.path.id, one.back, there.path.id, there.prefix)


def _places(words: set[Words], explored: Explored) -> dict[Words, list[Found]]:
    """Where any of these words is right: paths are, and branches that F calls good."""
    places: dict[Words, list[Found]] = defaultdict(list)
    for path, cuts in explored:
        for cut in range(1, len(STEP_NAMES)):
            said = (cut, one_line(path.steps[cut - 1].text))
            if said in words:
                places[said].append(
                    Found(path, prefix_at(path.steps, cut), step_line(path.steps, path.answer, cut), None)
                )
        good = ((row, branch) for row in cuts if not row.origin for branch in row.of("good"))
        for row, branch in good:
            for said, there in _in_branch(path, row, branch, words):
                places[said].append(there)
    return places


def _in_branch(
    path: ReasoningPath, row: Cut, branch: Branch, words: set[Words]
) -> Iterator[tuple[Words, Found]]:
    response = row.prefix + branch.text
    found = read(response)
    for number in range(row.cut + 1, len(STEP_NAMES)):
        said, stop = _words(found, number), found.through(number)
        if said in words and stop is not None:
            own = read(response[stop:]).own_step(number)
            origin = Origin(branch_id=branch.id, cut=row.cut, temperature=0.0)
            yield said, Found(path, response[:stop], own, origin)


def _words(found: Reading, number: int) -> Words | None:
    steps = found.steps
    return (number, one_line(steps[number - 1].text)) if found.form.whole else None


def _pair(one: Wanted, there: Found, system: str) -> Pair:
    cut, path = one.words[0], there.path
    back = one.back if there.origin else one.plain
    sides = (_side(path, "own", there.own, cut), _side(path, one.path.id, back, cut))
    row = Cut.of_path(path, cut, there.prefix, sides, origin=there.origin)
    made = pair_of(row, sides, system, "step", "recovery", PLACES[f"step {cut + 1}"])
    return made.model_copy(update={"twin_id": one.path.id})


def _side(path: ReasoningPath, whose: str, text: str, cut: int) -> Branch:
    judgement = Judgement(polarity="good" if whose == "own" else "bad", detail="right under another picture")
    id = row_id(path.id, "counterpart", whose, str(cut), text)
    return Branch(id=id, text=text, finish="stop", judgement=judgement)
