"""A cell's training, by the product's own pairs, rows, loss and trainer, in this process."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

from transformers import set_seed
from transformers.trainer_utils import IntervalStrategy

from microworld.reproduce.laboratory import Laboratory
from microworld.reproduce.paths import Told
from microworld.reproduce.rewriting import rewritten
from microworld.reproduce.settings import Cell
from microworld.reproduce.weights import Weights, weights_of
from ssui_gen.branches import Branch, Cut, Pair
from ssui_gen.branching import render_path
from ssui_gen.config import Config, Leaks
from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.leaks import Bench
from ssui_gen.exploring.making import Making
from ssui_gen.jsonl import as_line
from ssui_gen.run_files import BRANCHES, PATHS
from ssui_gen.settings import parse
from ssui_train.config import SrpoConfig
from ssui_train.example import Example
from ssui_train.job import row_maker
from ssui_train.launch import arguments
from ssui_train.model import with_adapter
from ssui_train.pairing import Building
from ssui_train.rows import RowMaker
from ssui_train.source import Unfit
from ssui_train.trainer import SrpoTrainer

NONE_HELD = Bench(Leaks())
"""No benchmark: what a cell is measured on shares nothing with any path."""


@dataclass(frozen=True)
class Trained:
    """A policy after its training, and what that took."""

    weights: Weights
    facts: dict[str, float]
    """paths, pairs, pairs_benign, unfit, steps, tokens (read by the model, all epochs), training_seconds (of
    one core)."""


def trained(
    lab: Laboratory, paths: Sequence[Told], cuts: Sequence[Cut], cell: Cell, folder: Path, begin: Path | None
) -> Trained:
    """The adapter goes to `folder`; it begins with another's, or afresh. Raises ConfigError for settings that
    are none, TrainError where a number is none.
    """
    began = process_time()
    config = lab.settings(cell.train).model_copy(update={"output": folder, "adapter": begin})
    pairs = _pairs(paths, cuts, cell) if cuts and cell.as_paths != "drawn" else {}
    found = list(_examples(lab, config, paths, cuts, pairs))
    paths_do = config.objective.trains_without_pairs
    examples = [example for example, _ in found if example.branches or paths_do]
    sources = Counter(pair.source for several in pairs.values() for pair in several)
    if cell.as_paths == "chosen":
        examples = [one for example in examples for one in _chosen(example)]
    if cell.as_paths == "drawn":
        examples = [one for example in examples for one in _drawn(lab, example, cuts)]
    weights, steps = _fit(lab, config, examples)
    facts = {
        "paths": len(paths),
        "examples": len(examples),
        "pairs": sum(len(one.pairs) for one in examples),
        "pairs_benign": sum(len(one.pairs) for one in examples if one.kind == "benign"),
        **{f"pairs_{name}": float(n) for name, n in sources.items() if name != "branch"},
        "unfit": sum(unfit for _, unfit in found),
        "steps": steps,
        "tokens": _tokens(lab, config, examples),
        "training_seconds": process_time() - began,
    }
    return Trained(weights, facts)


def _fit(lab: Laboratory, config: SrpoConfig, examples: Sequence[Example]) -> tuple[Weights, int]:
    """The product's trainer from the first step to the last; the base model is as it was afterwards."""
    args = arguments(config, cpu=True, half=False)
    args.save_strategy = args.eval_strategy = args.logging_strategy = IntervalStrategy.NO
    args.eval_on_start = False
    set_seed(config.seed)
    adapted = with_adapter(lab.base, config)
    try:
        trainer = SrpoTrainer(
            adapted, args, _maker(lab, config, examples), lab.eyes,
            train=examples, watched=(), say=_say_nothing,
        )  # fmt: skip
        trainer.train()
        adapted.save_pretrained(config.folder)
        return weights_of(adapted), trainer.state.global_step
    finally:
        adapted.unload()
        lab.base.eval()


def _maker(lab: Laboratory, config: SrpoConfig, examples: Sequence[Example]) -> RowMaker:
    return row_maker(config, "tree", [len(one.pairs) for one in examples], lab.encoder)


def _say_nothing(words: str) -> None:
    """Alarms of the watched, of which there are none."""


def _tokens(lab: Laboratory, config: SrpoConfig, examples: Sequence[Example]) -> float:
    maker = _maker(lab, config, examples)
    return config.epochs * sum(maker([example]).tokens for example in examples)


def _pairs(paths: Sequence[Told], cuts: Sequence[Cut], cell: Cell) -> dict[str, list[Pair]]:
    """By path, as the product makes them of a run's files."""
    found: dict[str, list[Pair]] = defaultdict(list)
    pairing = parse(Pairing, cell.pairs, "pairs")
    with tempfile.TemporaryDirectory() as folder:
        run, source = Path(folder), Path(folder) / PATHS
        source.write_bytes(b"".join(as_line(one.path) for one in paths))
        (run / BRANCHES).write_bytes(b"".join(map(as_line, cuts)))
        making = Making(run, source, run, Config(pairs=pairing), "", NONE_HELD)
        pairs = making.pairs({}, defaultdict(Counter))
        for pair in rewritten(making, list(pairs), paths, cuts) if cell.rewritten else pairs:
            found[pair.path_id].append(pair)
    return found


def _examples(
    lab: Laboratory,
    config: SrpoConfig,
    paths: Sequence[Told],
    cuts: Sequence[Cut],
    pairs: Mapping[str, Sequence[Pair]],
) -> Iterator[tuple[Example, int]]:
    """Each path with its pairs, and how many of them were unfit."""
    of_path: dict[str, list[Cut]] = defaultdict(list)
    for cut in cuts:
        of_path[cut.path_id].append(cut)
    for told in paths:
        yield _example(lab, config, told, of_path[told.path.id], pairs.get(told.path.id, ()))


def _example(
    lab: Laboratory, config: SrpoConfig, told: Told, cuts: list[Cut], pairs: Iterable[Pair]
) -> tuple[Example, int]:
    path, encoder = told.path, lab.encoder
    reference = [*encoder.ids(render_path(path.steps, path.answer)), encoder.end]
    bare = Example(
        path.id, path.seed_id, path.kind, (path.image,), path.query.text, lab.prompt(told.pair), reference,
        (), (),
    )  # fmt: skip
    rows: dict[str, Branch] = {branch.id: branch for cut in cuts for branch in cut.branches}
    building, unfit = Building(encoder, config, rows.get, path, bare), 0
    left_out: list[str] = []
    for pair in pairs:
        try:
            building.add(pair)
        except Unfit:
            unfit += 1
    if config.objective.target == "drawn":
        for cut in cuts:
            building.group(cut, lambda id, fault: left_out.append(id))
    return building.example, unfit + len(left_out)


def _chosen(example: Example) -> Iterator[Example]:
    """The path, and each chosen branch as one more (rejection sampling: arXiv 2308.01825)."""
    yield example.only(())
    for number, place in enumerate(sorted({pair.chosen for pair in example.pairs})):
        yield replace(example.only(()), id=f"{example.id}+{number}", reference=example.branches[place].ids)


def _drawn(lab: Laboratory, example: Example, cuts: Iterable[Cut]) -> Iterator[Example]:
    """All that was drawn whole from the root of a path, as often as it was, and not the path."""
    own = [cut for cut in cuts if cut.path_id == example.id and not cut.cut]
    said = (one for cut in own for one in cut.branches if one.finish == "stop" for _ in range(one.times))
    for number, branch in enumerate(said):
        ids = [*(branch.token_ids or ()), lab.encoder.end]
        yield replace(example.only(()), id=f"{example.id}+{number}", reference=ids)
