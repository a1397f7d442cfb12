"""Rows of a run → examples of training. What cannot be trained on is left out, with a reason, beforehand.

What is read, in which order, and what becomes of a path; whether a pair is one is `pairing`'s. Does not
tokenise (`encode`) and weighs nothing (`rows`).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ssui_gen.branches import Branch as Row
from ssui_gen.branches import Cut, Pair
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.calling.journal import CALLS
from ssui_gen.commands import command
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import read, validate
from ssui_gen.prompts import policy_prompt
from ssui_gen.records import ReasoningPath
from ssui_train.encode import Encoder
from ssui_train.example import Choice, Example, Prompt
from ssui_train.pairing import Building, check_marks
from ssui_train.shown import Prompts
from ssui_train.source import BRANCHES, PAIRS, REJECTS, Source, TrainReject, Unfit, Why
from ssui_train.tree import grow

What = Literal["path", "pair", "row", "branch", "group"]


@dataclass
class Loaded:
    """What a run's folder gave."""

    examples: list[Example] = field(default_factory=list)
    rejects: list[TrainReject] = field(default_factory=list)
    compared: str = ""
    """How far the prompts are known to be those that were explored."""

    @property
    def pairs(self) -> int:
        return sum(len(example.pairs) for example in self.examples)

    @property
    def drawn(self) -> int:
        """Branches that count by their advantage."""
        return sum(len(example.drawn) for example in self.examples)

    @property
    def reasons(self) -> Counter[tuple[str, str]]:
        """How many paths, pairs and rows were left out, by what and why."""
        return Counter((reject.what, reject.reason.value) for reject in self.rejects)

    @property
    def sha256(self) -> str:
        """Of all that is trained on, token for token and with its pictures: what was left out shows here."""
        digest = hashlib.sha256()
        for one in self.examples:
            pictures = [picture.sha256 for picture in one.images]
            ids = [one.prompt.ids, one.reference, *(branch.ids for branch in one.branches)]
            groups = [[tuple(drawn) for drawn in one.drawn]] if one.drawn else []
            parts = (one.id, pictures, ids, [_known(pair) for pair in one.pairs], *groups)
            digest.update(repr(parts).encode())
        return digest.hexdigest()

    def write_rejects(self, folder: Path) -> None:
        atomic_write(folder / REJECTS, "".join(row.model_dump_json() + "\n" for row in self.rejects))


class Reader:
    """Makes examples of a source's rows."""

    prompts: Prompts
    """Open while rows are read."""

    def __init__(self, source: Source, encoder: Encoder) -> None:
        self.source, self.encoder, self.config = source, encoder, source.config
        self.loaded = Loaded()
        self.branches: dict[str, Row] = {}
        self.cuts: dict[str, dict[int, Cut]] = defaultdict(dict)
        """By path: what groups are made of."""

    def load(self, tick: Callable[[], None] = lambda: None) -> Loaded:
        """Every example; `tick` is called once a path. Raises ConfigError if nothing is left to train on, or
        if the policy was shown another prompt than would be trained.
        """
        with closing(Prompts(self.source.run / CALLS, self.encoder)) as self.prompts:
            self._read(tick)
        self.loaded.compared = self.prompts.account
        return self.loaded

    def _read(self, tick: Callable[[], None]) -> None:
        for cut in self._rows(Cut, self.source.run / BRANCHES):
            self.branches |= {branch.id: branch for branch in cut.branches}
            if self.config.objective.target == "drawn" and not cut.origin:
                self.cuts[cut.path_id][cut.cut] = cut
            self.prompts.note(cut)
        pairs = self._pairs_by_path()
        found = sum(map(len, pairs.values()))
        for path in self._first(list(self._paths()), pairs):
            own = pairs.pop(path.id, [])
            try:
                self._add(path, own)
            except Unfit as unfit:
                with_it = f"; its {len(own)} pairs go with it" if own else ""
                self._reject("path", path.id, path.id, unfit.reason, f"{unfit.detail}{with_it}")
            tick()
        for pair in (pair for left in pairs.values() for pair in left if not self.config.limit):
            self._reject("pair", pair.id, pair.path_id, Why.PATH_NOT_KEPT, f"not in {self.source.paths.name}")
        if not self.loaded.examples or (found and not self.loaded.pairs):
            raise ConfigError(_nothing_left(self.source, self.loaded))

    def _paths(self) -> Iterator[ReasoningPath]:
        seen, leaked = set[str](), self.source.in_benchmark()
        for path in self._rows(ReasoningPath, self.source.paths):
            if path.id in seen:
                self._reject("path", path.id, path.id, Why.DUPLICATE, "the id came before")
            elif path.id in leaked:
                self._reject("path", path.id, path.id, Why.IN_BENCHMARK, leaked[path.id])
            else:
                seen.add(path.id)
                yield path

    def _first(self, paths: list[ReasoningPath], pairs: dict[str, list[Pair]]) -> list[ReasoningPath]:
        """All paths, or as many as the settings allow, those with pairs before others."""
        limit = self.config.limit
        return sorted(paths, key=lambda path: path.id not in pairs)[:limit] if limit else paths

    def _pairs_by_path(self) -> dict[str, list[Pair]]:
        found: dict[str, dict[str, Pair]] = defaultdict(dict)
        if self.config.objective.needs_pairs:
            for pair in self._rows(Pair, self.source.run / PAIRS):
                if pair.id in found[pair.path_id]:
                    self._reject("pair", pair.id, pair.path_id, Why.DUPLICATE, "the id came before")
                found[pair.path_id].setdefault(pair.id, pair)
        return {path: list(pairs.values()) for path, pairs in found.items()}

    def _rows(self, kind: Any, path: Path) -> Iterator[Any]:
        for line in read(path):
            try:
                yield validate(kind, line)
            except RecordError as error:
                self._reject("row", f"{path.name}:{line.number}", None, Why.ROW_INVALID, str(error))

    def _reject(self, what: What, id: str, path_id: str | None, why: Why, detail: str) -> None:
        self.loaded.rejects.append(TrainReject(what=what, id=id, path_id=path_id, reason=why, detail=detail))

    def _add(self, path: ReasoningPath, pairs: list[Pair]) -> None:
        """Add one path with those of its pairs that are fit."""
        prompt = self._prompt(path)
        told = render_path(path.steps, path.answer)
        check_marks(self.encoder, "the path", told)
        reference = [*self.encoder.ids(told), self.encoder.end]
        if (long := len(prompt.ids) + len(reference)) > self.config.max_tokens:
            raise Unfit(Why.PATH_TOO_LONG, f"{long} tokens; at most {self.config.max_tokens} (max_tokens)")
        bare = Example(
            path.id, path.seed_id, path.kind, (path.image,), path.query.text, prompt, reference, (), ()
        )
        building = Building(self.encoder, self.config, self.branches, path, bare)
        for pair in pairs:
            try:
                building.add(pair)
            except Unfit as unfit:
                self._reject("pair", pair.id, path.id, unfit.reason, unfit.detail)
        self._group(path, building)
        example = self._fitting(building.example)
        if not example.branches and not self.config.objective.trains_without_pairs:
            raise Unfit(Why.NO_PAIR, f"{self.config.loss} learns from branches alone")
        self.loaded.examples.append(example)

    def _group(self, path: ReasoningPath, building: Building) -> None:
        """The groups of the cuts that are still this path's."""

        def reject(id: str, unfit: Unfit) -> None:
            self._reject("branch", id, path.id, unfit.reason, unfit.detail)

        for number, cut in sorted(self.cuts.get(path.id, {}).items()):
            prefix = prefix_at(path.steps, number)
            if cut.id == Cut.id_of(path.id, number, path.query.text, prefix) and cut.image == path.image:
                building.group(cut, reject)

    def _prompt(self, path: ReasoningPath) -> Prompt:
        """What the policy was shown. Raises Unfit, and ConfigError where it was shown something else."""
        system, question = policy_prompt(self.source.prompt, path.query.text)
        check_marks(self.encoder, "the question", path.query.text)
        picture = self.source.picture(path.image)
        try:
            asked = self.encoder.asked(system, question, [picture])
        except ValueError as error:  # of the model's own processor: a picture too thin, text it cannot place
            raise Unfit(Why.IMAGE_OR_TEXT_UNFIT, f"the model's processor: {error}") from None
        prompt = self.encoder.prompt(asked)
        self.prompts.check(path, system, prompt.ids)
        return prompt

    def _fitting(self, example: Example) -> Example:
        """The example without its longest groups and pairs, if its tree would be too large."""
        while (size := _size(example)) > self.config.max_row and example.drawn:
            largest = max({one.cut for one in example.drawn}, key=lambda cut: _of_group(example, cut))
            most = f"the tree has {size} tokens; at most {self.config.max_row} (max_row)"
            self._reject("group", f"{example.id}/{largest}", example.id, Why.TREE_TOO_LONG, most)
            left = [one for one in example.drawn if one.cut != largest]
            example = example.only(example.pairs, left)
        while (size := _size(example)) > self.config.max_row and example.pairs:
            longest = max(example.pairs, key=lambda pair: _tokens(example, pair))
            most = f"the tree has {size} tokens; at most {self.config.max_row} (max_row)"
            self._reject("pair", longest.id, example.id, Why.TREE_TOO_LONG, most)
            example = example.only([pair for pair in example.pairs if pair is not longest])
        return example


def held_out(examples: list[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Examples to train on and examples kept back; twins, which share a seed, stay together."""
    seeds = sorted({example.seed_id for example in examples}, key=_lot)
    kept = set(seeds[: min(round(share * len(seeds)), len(seeds) - 1)])
    back = [example for example in examples if example.seed_id in kept]
    return [example for example in examples if example.seed_id not in kept], back


def _lot(seed_id: str) -> bytes:
    """The same on every machine, and nothing to do with the order of the file."""
    return hashlib.blake2b(f"held out/{seed_id}".encode()).digest()


def _known(pair: Choice) -> tuple[object, ...]:
    """All that a pair is, without what it has not."""
    return tuple(pair) if pair.stops else pair[:4]


def _tokens(example: Example, pair: Choice) -> int:
    """Of both branches after the cut."""
    sides = [example.branches[side] for side in (pair.chosen, pair.rejected)]
    return sum(len(side.ids) - side.start for side in sides)


def _of_group(example: Example, cut: int) -> int:
    """Tokens behind a cut."""
    sides = (example.branches[one.branch] for one in example.drawn if one.cut == cut)
    return sum(len(side.ids) - side.start for side in sides)


def _size(example: Example) -> int:
    return len(grow(example.prompt.ids, [example.reference, *(branch.ids for branch in example.branches)]))


def _nothing_left(source: Source, loaded: Loaded) -> str:
    counts = ", ".join(f"{count} {what} {why}" for (what, why), count in loaded.reasons.most_common())
    if not loaded.examples:
        return f"{source.paths}: nothing to train on is left: {counts or 'the file is empty'}"
    return (
        f"{source.run / PAIRS}: no pair is left: {counts}. Make them anew with "
        f"`{command('pairs', source.run)}`, or train on the paths alone with `loss: sft`"
    )
