"""Is the prompt that is trained the one that was explored? Compares token ids with those of the call journal.

A processor may put a `<s>` where the server put none, see a larger picture, lose the system text. Nothing of
it shows in a loss, so the first difference ends a training before it begins. Servers report a picture's
tokens as they are, or as one; of the latter the number cannot be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ssui_gen.branches import Cut
from ssui_gen.branching import prefix_at
from ssui_gen.calling.journal import Journal
from ssui_gen.errors import ConfigError
from ssui_gen.records import ReasoningPath
from ssui_train.encode import Encoder
from ssui_train.example import shared
from ssui_train.families import picture_id

SHOWN = 12
"""Tokens from a difference on that a message shows."""
SEAM = 2
"""Tokens of a question's end that may be others where more stands behind it."""
EDITED = "/query/text"
"""A question that a person has changed since."""


class Call(NamedTuple):
    """Where a path was explored, and the first call that did."""

    cut: int
    prefix: str
    query: str
    look: str
    id: str


class Prompts:
    """What the policy was shown, path by path; reads one row of the journal for each."""

    def __init__(self, journal: Path, encoder: Encoder) -> None:
        self.file, self.encoder = journal, encoder
        self.journal = Journal(journal) if journal.exists() else None
        self.picture = picture_id(encoder.model)
        self.counts: Counter[str] = Counter()

    def check(
        self,
        path: ReasoningPath,
        system: str,
        ids: Sequence[int],
        cuts: Iterable[Cut],
        told: bool = False,
    ) -> None:
        """Raises ConfigError if the policy was shown another prompt for this path than `ids`; `cuts` are what
        branches.jsonl holds of it. `told`: the path is what it said where evidence stood behind the question.
        """
        cut, theirs = (0, self._told(path)) if told else self._of(path, cuts)
        if theirs is None:
            self.counts["unknown"] += 1
            return
        self.counts["compared"] += 1
        mine, other = parted(ids, self.picture), parted(theirs, self.picture)
        here, there = (sum(id == self.picture for id in side.picture) for side in (mine, other))
        as_one = there == len(path.images) < here
        self.counts["as_one"] += as_one
        if told:
            self.counts["told"] += 1
            other = without_evidence(mine, other)
        if found := self._difference(mine, other, system, whole=cut == 0, as_one=as_one):
            raise ConfigError(
                f"{path.id}: the prompt that would be trained is not the one that was explored (call journal "
                f"{self.file}): {found}"
            )

    def _of(self, path: ReasoningPath, cuts: Iterable[Cut]) -> tuple[int, tuple[int, ...] | None]:
        """The earliest cut of this very path whose prompt's ids are known, and they."""
        calls = (Call(c.cut, c.prefix, c.query, c.look, c.made_by[0]) for c in cuts if c.made_by)
        for call in sorted(call for call in calls if _same(call, path)):
            rows = self.journal.rows_by_id([call.id]) if self.journal else {}
            if call.id in rows and (ids := rows[call.id].completion.prompt_token_ids):
                return call.cut, ids
        return 0, None

    def _told(self, path: ReasoningPath) -> tuple[int, ...] | None:
        """The ids of the prompt to which the path is what the policy said."""
        if not path.made_by or (path.curation and EDITED in path.curation.original):
            return None
        rows = self.journal.rows_by_id(path.made_by[:1]) if self.journal else {}
        return next((call.completion.prompt_token_ids for call in rows.values()), None)

    def close(self) -> None:
        if self.journal:
            self.journal.close()

    def _difference(self, mine: Parted, other: Parted, system: str, whole: bool, as_one: bool) -> str:
        """In words; empty where there is none. Not `whole`: a prefix follows, into whose first token the
        last of the prompt may have grown. `as_one`: the server told of each picture one token.
        """
        tail = (mine.tail, other.tail) if whole else (mine.tail[:-1], other.tail[: len(mine.tail) - 1])
        if mine.picture and not other.picture:
            return "there is no picture in what the server was shown: serve a vision-language model"
        if mine.head != other.head:
            return self._before_the_picture(mine, other, system)
        if not as_one and mine.picture != other.picture:
            return self._picture(mine, other)
        return self._place("behind the picture", *tail) if tail[0] != tail[1] else ""

    def _before_the_picture(self, mine: Parted, other: Parted, system: str) -> str:
        start = self.encoder.tokenizer.bos_token_id
        begin = [bool(side.head) and side.head[0] == start for side in (mine, other)]
        if start is not None and begin[0] != begin[1]:
            has, lacks = ("training", "the server") if begin[0] else ("the server", "training")
            mark = self.encoder.text([start], marks=True)
            return (
                f"{has} begins with {mark!r} (BOS) and {lacks} does not: write it into the chat template of "
                "the model's folder, or take it out there, for both"
            )
        if system and not self._says(other, system) and self._says(mine, system):
            return (
                "the system text is not in what the server was shown: serve the policy with a chat template "
                "that keeps it"
            )
        return self._place("before the picture", mine.head, other.head)

    def _says(self, side: Parted, text: str) -> bool:
        return text in self.encoder.text(side.head) or text in self.encoder.text(side.tail)

    def _picture(self, mine: Parted, other: Parted) -> str:
        there, here = (sum(id == self.picture for id in side.picture) for side in (other, mine))
        if there == here:
            return self._place("within the picture", mine.picture, other.picture)
        return (
            f"pictures took {there:,} tokens at the server and take {here:,} in training: name the server's "
            "limit with `max_pixels=...` (Qwen2-VL, Qwen2.5-VL), or serve with the processor of the model's "
            "folder as it stands"
        )

    def _place(self, where: str, mine: Sequence[int], other: Sequence[int]) -> str:
        at = shared(mine, other)
        here, there = (self.encoder.text(ids[at : at + SHOWN], marks=True) for ids in (mine, other))
        return (
            f"{where}, after {at} like tokens, training goes on with {here!r} and the server with {there!r}: "
            "train with the tokenizer and the chat template that were served, or explore anew"
        )

    @property
    def account(self) -> str:
        """What could be compared, in one sentence."""
        compared, unknown = self.counts["compared"], self.counts["unknown"]
        if not compared:
            return (
                "The call journal holds no token ids of what the policy was shown (vLLM reports them): "
                "whether training shows it the same could not be checked."
            )
        said = f"{compared} prompts are token for token those that the policy was explored with"
        if self.counts["told"]:
            said += ", but for what its question told of the danger"
        if self.counts["as_one"]:
            said += "; its server reports a picture's tokens as one, so their number was not compared"
        return f"{said}; of {unknown} no token ids are known." if unknown else f"{said}."


class Parted(NamedTuple):
    """A prompt's ids before, from the first to the last, and behind the tokens of its pictures."""

    head: list[int]
    picture: list[int]
    tail: list[int]


def parted(ids: Sequence[int], picture: int | None) -> Parted:
    """All of it is the head where there is no picture."""
    places = [place for place, id in enumerate(ids) if id == picture]
    if not places:
        return Parted(list(ids), [], [])
    return Parted(list(ids[: places[0]]), list(ids[places[0] : places[-1] + 1]), list(ids[places[-1] + 1 :]))


def without_evidence(mine: Parted, other: Parted) -> Parted:
    """`other` without what stands there behind the question, where all else is `mine`; else it lacks as many
    tokens behind the first difference as it is longer.
    """
    if bool(mine.picture) != bool(other.picture):
        return other
    place = "tail" if mine.picture else "head"
    ours, theirs = getattr(mine, place), getattr(other, place)
    start, end = shared(ours, theirs), shared(ours[::-1], theirs[::-1])
    whole = len(theirs) > len(ours) and start + end >= len(ours) - SEAM
    rest = ours if whole else theirs[:start] + theirs[start + max(0, len(theirs) - len(ours)) :]
    return other._replace(**{place: rest})


def _same(call: Call, path: ReasoningPath) -> bool:
    """Whether the path is still what was explored then, as far as this call saw it."""
    asked = (path.query.text, path.look, prefix_at(path.steps, call.cut))
    return (call.query, call.look, call.prefix) == asked
