"""Which records are likeliest to be wrong, so that people's time goes there first. Pure.

Nothing is learnt here. Three plain signs are added up, and each says so in words: a check that was unsure,
reflection that had to send the path back, a record that nearly repeats another.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

from ssui_gen.branching import render_path
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.texts import sha_of
from ssui_gen.curation.choosing.likeness import near_duplicates
from ssui_gen.numbered import Numbered
from ssui_gen.records import ReasoningPath, Verdict

UNKNOWN = 0.5
"""Doubt where a check reported no probability."""
SENT_BACK = 0.5
"""Risk for each round of reflection after the first."""
REPEATED = 0.5
SURE = 0.05
"""Doubt below this is not worth a word."""


def ordered(paths: Sequence[ReasoningPath]) -> Sequence[Item]:
    """An item for each path, the riskiest first; equal risks in the order of their ids. Each is made when it
    is asked for.
    """
    like = near_duplicates(
        (path.id, f"{path.query.text}\n{render_path(path.steps, path.answer)}") for path in paths
    )
    found = (_item(path, like.get(path.id)) for path in paths)
    ranks = sorted((-item.risk, item.id, number) for number, item in enumerate(found))
    return _Ranked(paths, like, [number for *_, number in ranks])


class _Ranked(Numbered[Item]):
    """Items of paths, in the order of these numbers."""

    def __init__(self, paths: Sequence[ReasoningPath], like: Mapping[str, str], order: Iterable[int]) -> None:
        self._paths, self._like, self._order = paths, like, array("Q", order)

    def __len__(self) -> int:
        return len(self._order)

    def at(self, number: int) -> Item:
        """Made anew."""
        path = self._paths[self._order[number]]
        return _item(path, self._like.get(path.id))


def _item(path: ReasoningPath, like: str | None) -> Item:
    doubt, doubts = _doubt(path)
    back = len(path.reflection) - 1 if path.reflection else 0
    why = [*doubts, *([f"sent back {back} times" if back > 1 else "sent back once"] if back else [])]
    why += [f"nearly like {like}"] if like else []
    risk = doubt + SENT_BACK * back + (REPEATED if like else 0.0)
    return Item(id=path.id, sha=sha_of(path), risk=round(risk, 4), why=tuple(why), of=path)


def _doubt(path: ReasoningPath) -> tuple[float, list[str]]:
    """How unsure the least sure check was, from 0 to 1, and each check that was unsure at all."""
    checks = {
        "text alone": path.verdicts.text_only,
        "picture alone": path.verdicts.image_only,
        "together": path.verdicts.joint,
    }
    doubts = {name: _of(verdict) for name, verdict in checks.items()}
    words = [
        f"{name}: {checks[name].label} with P {1 - doubt:.2f}"
        for name, doubt in doubts.items()
        if doubt >= SURE and checks[name].probability is not None
    ]
    return max(doubts.values()), words


def _of(verdict: Verdict) -> float:
    """A label that holds little of the mass is a doubt, however much of the labels' share it has."""
    if verdict.probability is None:
        return UNKNOWN
    return 1 - verdict.probability * (1.0 if verdict.label_mass is None else verdict.label_mass)
