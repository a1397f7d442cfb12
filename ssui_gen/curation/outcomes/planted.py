"""Errors that were put into items on purpose, and which of them people caught. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ssui_gen.curation.outcomes.settle import Outcome
from ssui_gen.records import Record
from ssui_gen.shares import Share, share


class Planted(Record):
    """A row of `planted.jsonl`: an error that was put into an item on purpose, to see whether it is found."""

    id: str
    error: str
    """What kind."""
    pointer: str
    """Where."""


class Caught(NamedTuple):
    """Of the planted errors of one kind that people have looked at."""

    share: Share
    """Dropped, or with an edit just there."""
    elsewhere: int
    """Of the others: edited, but in another place."""
    missed: Sequence[str]
    """Ids of those that people kept as they were."""
    open: int
    """Not looked at, or disputed."""


def caught(planted: Iterable[Planted], outcomes: Mapping[str, Outcome]) -> dict[str, Caught]:
    """By kind of error; an item is caught if it was dropped, or edited where the error is."""
    kinds: dict[str, list[Planted]] = defaultdict(list)
    for one in planted:
        kinds[one.error].append(one)
    return {kind: _caught(those, outcomes) for kind, those in sorted(kinds.items())}


def _caught(planted: Sequence[Planted], outcomes: Mapping[str, Outcome]) -> Caught:
    settled = [(one, outcomes[one.id]) for one in planted if one.id in outcomes]
    settled = [(one, outcome) for one, outcome in settled if outcome.state in ("kept", "fixed", "dropped")]
    hits = [_hit(one, outcome) for one, outcome in settled]
    elsewhere = [
        not hit and outcome.state == "fixed" for hit, (_, outcome) in zip(hits, settled, strict=True)
    ]
    missed = [one.id for one, outcome in settled if outcome.state == "kept"]
    return Caught(share(hits), sum(elsewhere), missed, len(planted) - len(settled))


def _hit(one: Planted, outcome: Outcome) -> bool:
    edited = {pointer for line in outcome.counted.values() for pointer in line.edits}
    return outcome.state == "dropped" or (outcome.state == "fixed" and one.pointer in edited)
