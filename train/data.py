"""Rows of a run → examples of training. What cannot be trained on is left out, with a reason, beforehand.

Checks that a pair is one: its picture is the path's, its prefix the path's own first steps, its sides differ,
each has a token that counts, and everything fits. Does not tokenise (`encode`) and weighs nothing (`rows`).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ssui_gen.branches import Branch as Row
from ssui_gen.branches import Cut, Pair
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import atomic_write, read, validate
from ssui_gen.prompts import policy_prompt
from ssui_gen.records import ReasoningPath
from train.encode import Encoder
from train.example import Branch, Choice, Example, parted
from train.source import BRANCHES, PAIRS, REJECTS, Source, TrainReject, Unfit, Why
from train.tree import grow

What = Literal["path", "pair", "row"]


@dataclass
class Loaded:
    """What a run's folder gave."""

    examples: list[Example] = field(default_factory=list)
    rejects: list[TrainReject] = field(default_factory=list)

    @property
    def pairs(self) -> int:
        return sum(len(example.pairs) for example in self.examples)

    @property
    def reasons(self) -> Counter[tuple[str, str]]:
        """How many paths, pairs and rows were left out, by what and why."""
        return Counter((reject.what, reject.reason.value) for reject in self.rejects)

    def write_rejects(self, folder: Path) -> None:
        atomic_write(folder / REJECTS, "".join(row.model_dump_json() + "\n" for row in self.rejects))


class Reader:
    """Makes examples of a source's rows."""

    def __init__(self, source: Source, encoder: Encoder) -> None:
        self.source, self.encoder, self.config = source, encoder, source.config
        self.loaded = Loaded()
        self.branches: dict[str, Row] = {}

    def load(self, tick: Callable[[], None] = lambda: None) -> Loaded:
        """Every example; `tick` is called once a path. Raises ConfigError if nothing is left to train on."""
        for cut in self._rows(Cut, self.source.run / BRANCHES):
            self.branches |= {branch.id: branch for branch in cut.branches}
        pairs = self._pairs_by_path()
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
        if not self.loaded.examples:
            raise ConfigError(_nothing_left(self.source, self.loaded))
        return self.loaded

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
        system, question = policy_prompt(self.source.prompt, path.query.text)
        asked = self.encoder.asked(system, question, [self.source.picture(path.image)])
        prompt = self.encoder.prompt(asked)
        reference = [*self.encoder.ids(render_path(path.steps, path.answer)), self.encoder.end]
        if (long := len(prompt.ids) + len(reference)) > self.config.max_tokens:
            raise Unfit(Why.PATH_TOO_LONG, f"{long} tokens; at most {self.config.max_tokens} (max_tokens)")
        bare = Example(
            path.id, path.seed_id, path.kind, (path.image,), path.query.text, prompt, reference, (), ()
        )
        building = _Building(self, path, bare)
        for pair in pairs:
            try:
                building.add(pair)
            except Unfit as unfit:
                self._reject("pair", pair.id, path.id, unfit.reason, unfit.detail)
        if not building.choices and not self.config.objective.trains_without_pairs:
            raise Unfit(Why.NO_PAIR, f"{self.config.loss} learns from pairs alone")
        self.loaded.examples.append(self._fitting(building.example))

    def _fitting(self, example: Example) -> Example:
        """The example without its longest pairs, if its tree would be too large."""
        while (size := _size(example)) > self.config.max_row and example.pairs:
            longest = max(example.pairs, key=lambda pair: _tokens(example, pair))
            most = f"the tree has {size} tokens; at most {self.config.max_row} (max_row)"
            self._reject("pair", longest.id, example.id, Why.TREE_TOO_LONG, most)
            example = example.only([pair for pair in example.pairs if pair is not longest])
        return example


class _Building:
    """An example that grows by pairs; branches are shared between them."""

    def __init__(self, reader: Reader, path: ReasoningPath, bare: Example) -> None:
        self.reader, self.path, self.bare = reader, path, bare
        self.branches: list[Branch] = []
        self.choices: list[Choice] = []

    @property
    def example(self) -> Example:
        return replace(self.bare, branches=tuple(self.branches), pairs=tuple(self.choices))

    def add(self, pair: Pair) -> None:
        """Raises Unfit."""
        chosen, rejected = (_said(side) for side in (pair.chosen, pair.rejected))
        self._check(pair, chosen, rejected)
        sides = [
            self._branch(pair, id, text)
            for id, text in ((pair.chosen_id, chosen), (pair.rejected_id, rejected))
        ]
        self._check_spans(pair, sides)
        places = [self._place(side) for side in sides]
        self.choices.append(Choice(pair.id, pair.cut, *places))

    def _check(self, pair: Pair, chosen: str, rejected: str) -> None:
        if pair.image_ref.sha256 != self.path.image.sha256:
            raise Unfit(
                Why.IMAGE_CHANGED, f"the pair was made with {pair.image_ref.sha256[:8]}, the path has another"
            )
        if pair.prefix != prefix_at(self.path.steps, pair.cut):
            raise Unfit(
                Why.NOT_A_PREFIX, f"no longer the path's first {pair.cut} steps: explore anew (make pairs)"
            )
        for name, text in (("chosen", chosen), ("rejected", rejected)):
            if not text.startswith(pair.prefix):
                raise Unfit(Why.NOT_A_PREFIX, f"{name} begins with {text[:40]!r}, not with the prefix")
        if chosen == rejected:
            raise Unfit(Why.CHOSEN_IS_REJECTED, "both say the same")

    def _branch(self, pair: Pair, id: str, text: str) -> Branch:
        """The response as ids: the prefix, what was sampled after it, the end if it came to one."""
        encoder, row = self.reader.encoder, self.reader.branches.get(id)
        said = text[len(pair.prefix) :]
        before = encoder.ids(pair.prefix)
        same = row is not None and row.text == said
        after = encoder.after(before, said, row.token_ids if row and same else None) if said else []
        ended = (same and row.finish != "length") if row else pair.level == "outcome"
        ids = [*before, *after, *([encoder.end] if ended else [])]
        long, most = len(self.bare.prompt.ids) + len(ids), self.reader.config.max_tokens
        if long > most:
            raise Unfit(Why.BRANCH_TOO_LONG, f"branch {id}: {long} tokens; at most {most} (max_tokens)")
        return Branch(id, ids, len(before), len(before) + encoder.first_step(before, after))

    def _check_spans(self, pair: Pair, sides: list[Branch]) -> None:
        span = self.reader.config.objective.span
        alone = replace(self.bare, branches=tuple(sides))
        parts = parted(alone, Choice(pair.id, pair.cut, 0, 1), span)
        for name, part, side in zip(("chosen", "rejected"), parts, sides, strict=True):
            if part.stop <= part.start or side.step <= side.start:
                raise Unfit(Why.EMPTY_SPAN, f"{name}: no token to count in the span `{span}`")

    def _place(self, branch: Branch) -> int:
        for place, known in enumerate(self.branches):
            if known.id == branch.id and known.ids == branch.ids:
                return place
        self.branches.append(branch)
        return len(self.branches) - 1


def held_out(examples: list[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Examples to train on and examples kept back; twins, which share a seed, stay together."""
    seeds = sorted({example.seed_id for example in examples}, key=_lot)
    kept = set(seeds[: min(round(share * len(seeds)), len(seeds) - 1)])
    back = [example for example in examples if example.seed_id in kept]
    return [example for example in examples if example.seed_id not in kept], back


def _lot(seed_id: str) -> bytes:
    """The same on every machine, and nothing to do with the order of the file."""
    return hashlib.blake2b(f"held out/{seed_id}".encode()).digest()


def _tokens(example: Example, pair: Choice) -> int:
    """Of both branches after the cut."""
    sides = [example.branches[side] for side in (pair.chosen, pair.rejected)]
    return sum(len(side.ids) - side.start for side in sides)


def _size(example: Example) -> int:
    return len(grow(example.prompt.ids, [example.reference, *(branch.ids for branch in example.branches)]))


def _said(messages: Iterable[dict[str, Any]]) -> str:
    return "".join(part["text"] for m in messages for part in m["content"] if part.get("type") == "text")


def _nothing_left(source: Source, loaded: Loaded) -> str:
    counts = ", ".join(f"{count} {what} {why}" for (what, why), count in loaded.reasons.most_common())
    return f"{source.paths}: nothing to train on is left: {counts or 'the file is empty'}"
