"""Rows of a run → examples of training. What cannot be trained on is left out, with a reason, beforehand.

What is read, in which order, and what becomes of a path; whether a pair is one is `pairing`'s. Does not
tokenise (`encode`) and weighs nothing (`rows`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import lru_cache, partial
from typing import Literal, TypeVar

from ssui_gen.branches import Branch as Row
from ssui_gen.branches import Cut, Pair
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.calling.journal import CALLS
from ssui_gen.commands import command
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import Line, at, read, validate
from ssui_gen.prompts import policy_prompt
from ssui_gen.records import ReasoningPath, Record
from ssui_gen.run_files import BRANCHES, PAIRS
from ssui_train.encode import Encoder
from ssui_train.example import Choice, Example, Prompt
from ssui_train.loaded import Loaded
from ssui_train.pairing import Building, check_marks
from ssui_train.places import Place, Places
from ssui_train.shown import Prompts
from ssui_train.source import Source, TrainReject, Unfit, Why
from ssui_train.tree import grow

What = Literal["path", "pair", "row", "branch", "group"]
Tick = Callable[[int, int], None]
RowT = TypeVar("RowT", bound=Record)
AT_HAND = 64
"""Rows of cuts that are kept when read: those of one path, and of its twin."""


class Reader:
    """Makes examples of a source's rows, path by path; of all others only the places are kept."""

    places: Places
    prompts: Prompts
    """Both open while rows are read."""

    def __init__(self, source: Source, encoder: Encoder) -> None:
        self.source, self.encoder, self.config = source, encoder, source.config
        self.loaded = Loaded(self.config.folder)
        self._cut = lru_cache(AT_HAND)(partial(self._at, Cut, BRANCHES))

    def load(self, tick: Tick = lambda done, of: None) -> Loaded:
        """Every example; `tick` is told how many paths are done, and of how many. Raises ConfigError if
        nothing is left to train on, or if the policy was shown another prompt than would be trained.
        """
        with (
            closing(Places()) as self.places,
            closing(Prompts(self.source.run / CALLS, self.encoder)) as self.prompts,
        ):
            self._look_through()
            self._make(tick)
        self.loaded.compared = self.prompts.account
        return self.loaded

    def _look_through(self) -> None:
        """Every row once, for its faults and its place."""
        for cut, line in self._rows(Cut, BRANCHES):
            self.places.add_cut(cut, line)
        if self.config.objective.needs_pairs:
            for pair, line in self._rows(Pair, PAIRS):
                if not self.places.add_pair(pair, line):
                    self._reject("pair", pair.id, pair.path_id, Why.DUPLICATE, "the id came before")
        leaked = self.source.in_benchmark()
        for path, line in self._rows(ReasoningPath, self.source.paths.name):
            if path.id in leaked:
                self._reject("path", path.id, path.id, Why.IN_BENCHMARK, leaked[path.id])
            elif not self.places.add_path(path.id, line):
                self._reject("path", path.id, path.id, Why.DUPLICATE, "the id came before")

    def _make(self, tick: Tick) -> None:
        limit, all_ = self.config.limit, self.places.count("paths")
        for done, place in enumerate(self.places.paths(limit), 1):
            path = self._at(ReasoningPath, self.source.paths.name, place)
            own = [self._at(Pair, PAIRS, pair) for pair in self.places.pairs_of(path.id)]
            try:
                self._add(path, own)
            except Unfit as unfit:
                with_it = f"; its {len(own)} pairs go with it" if own else ""
                self._reject("path", path.id, path.id, unfit.reason, f"{unfit.detail}{with_it}")
            tick(done, min(limit or all_, all_))
        for place in () if limit else self.places.stray_pairs():
            pair = self._at(Pair, PAIRS, place)
            self._reject("pair", pair.id, pair.path_id, Why.PATH_NOT_KEPT, f"not in {self.source.paths.name}")
        if not self.loaded.examples or (self.places.count("pairs") and not self.loaded.pairs):
            raise ConfigError(_nothing_left(self.source, self.loaded))

    def _rows(self, kind: type[RowT], name: str) -> Iterator[tuple[RowT, Line]]:
        for line in read(self.source.run / name):
            try:
                yield validate(kind, line), line
            except RecordError as error:
                self._reject("row", f"{name}:{line.number}", None, Why.ROW_INVALID, str(error))

    def _at(self, kind: type[RowT], name: str, place: Place) -> RowT:
        """The same row, read again."""
        line = Line(self.source.run / name, place.number, None, None, place.offset, mark=place.mark)
        return validate(kind, at(line))

    def _branch(self, id: str) -> Row | None:
        """A branch of any path of the run."""
        place = self.places.cut_with(id)
        branches = self._cut(place).branches if place else ()
        return next((branch for branch in reversed(branches) if branch.id == id), None)

    def _reject(self, what: What, id: str, path_id: str | None, why: Why, detail: str) -> None:
        self.loaded.reject(TrainReject(what=what, id=id, path_id=path_id, reason=why, detail=detail))

    def _add(self, path: ReasoningPath, pairs: list[Pair]) -> None:
        """Add one path with those of its pairs that are fit."""
        cuts = [self._cut(place) for place in self.places.cuts_of(path.id)]
        prompt = self._prompt(path, cuts)
        told = render_path(path.steps, path.answer)
        check_marks(self.encoder, "the path", told)
        reference = [*self.encoder.ids(told), self.encoder.end]
        if (long := len(prompt.ids) + len(reference)) > self.config.max_tokens:
            raise Unfit(Why.PATH_TOO_LONG, f"{long} tokens; at most {self.config.max_tokens} (max_tokens)")
        bare = Example(
            path.id, path.seed_id, path.kind, path.images, path.query.text, prompt, reference, (), ()
        )
        building = Building(self.encoder, self.config, self._branch, path, bare)
        for pair in pairs:
            try:
                building.add(pair)
            except Unfit as unfit:
                self._reject("pair", pair.id, path.id, unfit.reason, unfit.detail)
        if self.config.objective.target == "drawn":
            self._group(path, cuts, building)
        example = self._fitting(building.example)
        if not example.branches and not self.config.objective.trains_without_pairs:
            raise Unfit(Why.NO_PAIR, f"{self.config.loss} learns from branches alone")
        self.loaded.add(example)

    def _group(self, path: ReasoningPath, cuts: list[Cut], building: Building) -> None:
        """The groups of the cuts that are still this path's; of a cut that was opened again the last row."""

        def reject(id: str, unfit: Unfit) -> None:
            self._reject("branch", id, path.id, unfit.reason, unfit.detail)

        last = {cut.cut: cut for cut in cuts if not cut.origin}
        for number, cut in sorted(last.items()):
            prefix = prefix_at(path.steps, number)
            if cut.id == Cut.id_of(path.id, number, path.query.text, prefix) and cut.images == path.images:
                building.group(cut, reject)

    def _prompt(self, path: ReasoningPath, cuts: list[Cut]) -> Prompt:
        """What the policy was shown. Raises Unfit, and ConfigError where it was shown something else."""
        system, question = policy_prompt(self.source.prompt, path.query.text)
        check_marks(self.encoder, "the question", path.query.text)
        pictures = [self.source.picture(image) for image in path.images]
        try:
            asked = self.encoder.asked(system, question, pictures)
        except ValueError as error:  # of the model's own processor: a picture too thin, text it cannot place
            raise Unfit(Why.IMAGE_OR_TEXT_UNFIT, f"the model's processor: {error}") from None
        prompt = self.encoder.prompt(asked)
        self.prompts.check(path, system, prompt.ids, cuts, told=self.source.told)
        return prompt

    def _fitting(self, example: Example) -> Example:
        """The example without its longest groups and pairs, if its tree would be too large."""
        while (size := _size(example, self.config.max_row)) > self.config.max_row and example.drawn:
            largest = max({one.cut for one in example.drawn}, key=lambda cut: _of_group(example, cut))
            most = f"the tree has {size} tokens; at most {self.config.max_row} (max_row)"
            self._reject("group", f"{example.id}/{largest}", example.id, Why.TREE_TOO_LONG, most)
            left = [one for one in example.drawn if one.cut != largest]
            example = example.only(example.pairs, left)
        while (size := _size(example, self.config.max_row)) > self.config.max_row and example.pairs:
            longest = max(example.pairs, key=lambda pair: _tokens(example, pair))
            most = f"the tree has {size} tokens; at most {self.config.max_row} (max_row)"
            self._reject("pair", longest.id, example.id, Why.TREE_TOO_LONG, most)
            example = example.only([pair for pair in example.pairs if pair is not longest])
        return example


def _tokens(example: Example, pair: Choice) -> int:
    """Of both branches after the cut."""
    sides = [example.branches[side] for side in (pair.chosen, pair.rejected)]
    return sum(len(side.ids) - side.start for side in sides)


def _of_group(example: Example, cut: int) -> int:
    """Tokens behind a cut."""
    sides = (example.branches[one.branch] for one in example.drawn if one.cut == cut)
    return sum(len(side.ids) - side.start for side in sides)


def _size(example: Example, most: int) -> int:
    """Tokens of an example's tree; side by side, where even those are not more than `most`."""
    continuations = [example.reference, *(branch.ids for branch in example.branches)]
    apart = len(example.prompt.ids) + sum(map(len, continuations))
    return apart if apart <= most else len(grow(example.prompt.ids, continuations))


def _nothing_left(source: Source, loaded: Loaded) -> str:
    counts = ", ".join(f"{count} {what} {why}" for (what, why), count in loaded.reasons.most_common())
    if not loaded.examples:
        return f"{source.paths}: nothing to train on is left: {counts or 'the file is empty'}"
    return (
        f"{source.run / PAIRS}: no pair is left: {counts}. Make them anew with "
        f"`{command('pairs', source.run)}`, or train on the paths alone with `loss: sft`"
    )
