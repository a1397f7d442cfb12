"""Pairs of one path → branches and choices of its example, as token ids. Raises Unfit for what is no pair.

Checks that a pair is one: its picture is the path's, its prefix the path's own first steps, its sides differ
in what counts, say what they say as tokens, and fit. Reads no file; which pairs there are is `data`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ssui_gen.branches import Branch as Row
from ssui_gen.branches import Cut, Level, Pair
from ssui_gen.branching import prefix_at
from ssui_gen.reading import read
from ssui_gen.records import STEP_NAMES, ReasoningPath
from ssui_train.config import SrpoConfig
from ssui_train.encode import Encoder
from ssui_train.example import Branch, Choice, Drawn, Example, parted
from ssui_train.groups import judged, weights
from ssui_train.source import Unfit, Why


class Behind(NamedTuple):
    """What a branch goes on from, and how far it goes."""

    prefix: str
    cut: int
    level: Level = "outcome"
    off_path: bool = False

    @staticmethod
    def of(pair: Pair) -> Behind:
        return Behind(pair.prefix, pair.cut, pair.level, pair.off_path)


AGAIN = "make pairs"
"""What makes a run's pairs anew."""


class Building:
    """An example that grows by pairs; branches are shared between them. `row` finds a run's by its id."""

    def __init__(
        self,
        encoder: Encoder,
        config: SrpoConfig,
        row: Callable[[str], Row | None],
        path: ReasoningPath,
        bare: Example,
    ) -> None:
        self.encoder, self.config, self.row, self.path, self.bare = encoder, config, row, path, bare
        self.branches: list[Branch] = []
        self.choices: list[Choice] = []
        self.drawn: list[Drawn] = []

    @property
    def example(self) -> Example:
        return replace(
            self.bare,
            branches=tuple(self.branches),
            pairs=tuple(self.choices),
            drawn=tuple(self.drawn),
        )

    def add(self, pair: Pair) -> None:
        """Raises Unfit."""
        chosen, rejected = (_said(side) for side in (pair.chosen, pair.rejected))
        self._check_prefix(pair)
        self._check(pair, chosen, rejected)
        sides = [
            self._branch(Behind.of(pair), id, text)
            for id, text in ((pair.chosen_id, chosen), (pair.rejected_id, rejected))
        ]
        stops = self._stops(pair, sides, (chosen, rejected))
        self._check_spans(pair, sides, stops)
        good, bad = (self._place(side) for side in sides)
        self.choices.append(Choice(pair.id, pair.cut, good, bad, stops))

    def group(self, cut: Cut, reject: Callable[[str, Unfit], None]) -> None:
        """All judged branches of a cut that are fit, by their advantages; the others are told to `reject`."""
        fit: list[tuple[Row, Branch]] = []
        for row in judged(cut.branches):
            try:
                fit.append((row, self._alone(cut, row)))
            except Unfit as unfit:
                reject(row.id, unfit)
        found = weights([row for row, _ in fit]) if fit else None
        for (_, branch), weight in zip(fit, found or [], strict=bool(found)):
            self.drawn.append(Drawn(cut.cut, self._place(branch), weight))

    def _alone(self, cut: Cut, row: Row) -> Branch:
        if not row.text:
            raise Unfit(Why.EMPTY_SPAN, "it says nothing")
        check_marks(self.encoder, "the branch", row.text)
        return self._branch(Behind(cut.prefix, cut.cut), row.id, cut.prefix + row.text)

    def _check_prefix(self, pair: Pair) -> None:
        wanted = prefix_at(self.path.steps, pair.cut)
        if pair.off_path and self._says_steps(pair):
            return
        if pair.prefix == wanted and not pair.off_path:
            return
        if f"{pair.prefix}\n" == wanted:
            raise Unfit(
                Why.PREFIX_WITHOUT_BREAK,
                f"its prefix lacks the line break at the end, as pairs of older versions do: {AGAIN}",
            )
        whose = "not" if pair.off_path else "no longer the path's"
        raise Unfit(Why.NOT_A_PREFIX, f"{whose} first {pair.cut} steps: explore anew ({AGAIN})")

    @staticmethod
    def _says_steps(pair: Pair) -> bool:
        """Whether a prefix that is not the path's is so many first steps all the same, with a line break."""
        if (stop := read(_said(pair.chosen)).through(pair.cut)) is not None:
            return stop == len(pair.prefix)
        numbers = [part.number for part in read(pair.prefix).parts if part.kind == "step"]
        return numbers == list(range(1, pair.cut + 1)) and pair.prefix.endswith("\n")

    def _check(self, pair: Pair, chosen: str, rejected: str) -> None:
        if pair.look != self.path.look:
            raise Unfit(
                Why.IMAGE_CHANGED, f"the pair was made with {pair.look[:8]}, the path shows something else"
            )
        for name, text in (("chosen", chosen), ("rejected", rejected)):
            if not text.startswith(pair.prefix):
                raise Unfit(Why.NOT_A_PREFIX, f"{name} begins with {text[:40]!r}, not with the prefix")
            check_marks(self.encoder, name, text)
        if chosen == rejected:
            raise Unfit(Why.CHOSEN_IS_REJECTED, "both say the same")

    def _branch(self, at: Behind, id: str, text: str) -> Branch:
        """The response as ids: the prefix, what was sampled after it, the end if it came to one."""
        encoder, row, said = self.encoder, self.row(id), text[len(at.prefix) :]
        same = row is not None and row.text == said
        reported = (row.token_ids or ()) if row and same else ()
        before = encoder.ids(at.prefix)
        after = encoder.after(before, said, reported) if said else []
        end = [encoder.end_of(reported)] if self._ended(at, row, same) else []
        ids = [*before, *after, *end]
        long, most = len(self.bare.prompt.ids) + len(ids), self.config.max_tokens
        if long > most:
            raise Unfit(Why.BRANCH_TOO_LONG, f"branch {id}: {long} tokens; at most {most} (max_tokens)")
        own = read(said).own_step(at.cut)
        stop = len(ids) if own == said else len(before) + encoder.covering(before, after, own)
        return Branch(id, ids, len(before), stop, len(before) if at.off_path else 0)

    def _stops(self, pair: Pair, sides: Sequence[Branch], texts: Sequence[str]) -> tuple[int, int] | None:
        """Where the step ends, on both sides, in which the rejected branch first goes wrong; None in another
        span, where nobody has said, and for the answer, behind which nothing comes.
        """
        if self.config.objective.span != "error" or pair.first_bad in (None, "answer"):
            return None
        number = int(pair.first_bad.removeprefix("step "))
        ends = [read(text).through(number) for text in texts]
        if number <= pair.cut or None in ends:
            return None
        chosen, rejected = (
            self.encoder.covering([], side.ids, text[:end])
            for side, text, end in zip(sides, texts, ends, strict=True)
        )
        return chosen, rejected

    def _ended(self, at: Behind, row: Row | None, same: bool) -> bool:
        """Whether the response ends where this text ends; a step alone does not, unless it is the last."""
        if row:
            return same and row.finish != "length"
        return at.level == "outcome" or at.cut + 1 == len(STEP_NAMES)

    def _check_spans(self, pair: Pair, sides: list[Branch], stops: tuple[int, int] | None) -> None:
        span = self.config.objective.span
        alone = replace(self.bare, branches=tuple(sides))
        parts = parted(alone, Choice(pair.id, pair.cut, 0, 1, stops), span)
        for name, part, side in zip(("chosen", "rejected"), parts, sides, strict=True):
            if part.stop <= part.start or side.step <= side.start:
                raise Unfit(Why.EMPTY_SPAN, f"{name}: no token to count in the span `{span}`")
        first, second = (side.ids[part.start : part.stop] for part, side in zip(parts, sides, strict=True))
        if first == second:
            said = self.encoder.text(first)[:60]
            raise Unfit(
                Why.EQUAL_SPANS, f"in the span `{span}` both are {said!r}, token for token: nothing to learn"
            )

    def _place(self, branch: Branch) -> int:
        for place, known in enumerate(self.branches):
            if (known.id, known.ids, known.told) == (branch.id, branch.ids, branch.told):
                return place
        self.branches.append(branch)
        return len(self.branches) - 1


def check_marks(encoder: Encoder, name: str, text: str) -> None:
    """Raises Unfit where `text`, called `name`, has words in it that the model would not read as words."""
    if found := encoder.marks(text):
        raise Unfit(
            Why.MARK_AS_WORDS,
            f"{name}: {', '.join(map(repr, found))} stands in it as words, and would be read as a mark of "
            "the chat template or a picture's place",
        )


def _said(messages: Iterable[dict[str, Any]]) -> str:
    return "".join(part["text"] for m in messages for part in m["content"] if part.get("type") == "text")
