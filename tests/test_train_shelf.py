"""Examples are read by place and kept on disk: the same ones, in the same order, and none in memory."""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import exploring
import pytest
from fake_server import serve
from hypothesis import given
from hypothesis import strategies as st
from jobs import job, plain
from rich.console import Console
from runs import change, loaded, tiny_encoder, write_run
from sharded import Sharded
from training import FAST, ROOT, Training, quiet
from transformers import set_seed

from ssui_gen.branches import Branch, Cut, Pair
from ssui_gen.branching import render_path
from ssui_gen.prompts import policy_prompt
from ssui_gen.records import ReasoningPath
from ssui_gen.shelf import Shelf
from ssui_train.config import SrpoConfig, load
from ssui_train.encode import Encoder
from ssui_train.example import Example
from ssui_train.forward import Eyes
from ssui_train.job import look, prepared
from ssui_train.model import with_adapter
from ssui_train.pairing import Building
from ssui_train.source import Source, Unfit
from ssui_train.trainer import SrpoTrainer

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny_encoder()


# --- the shelf ------------------------------------------------------------------------------------


@given(things=st.lists(st.binary(max_size=40), max_size=12), part=st.slices(12), within=st.slices(12))
def test_a_shelf_is_the_list_of_what_was_put(things: list[bytes], part: slice, within: slice) -> None:
    shelf = Shelf[bytes](Path())
    for thing in things:
        shelf.put(thing)
    assert list(shelf) == things
    assert list(shelf[part]) == things[part]
    assert list(shelf[part][within]) == things[part][within]
    assert [shelf[i] for i in range(-len(things), 0)] == things
    with pytest.raises(IndexError):
        shelf[len(things)]


def test_a_shelf_lies_where_it_is_told_and_has_no_name(tmp_path: Path) -> None:
    shelf = Shelf[str](tmp_path / "not" / "yet")
    shelf.put("kept")
    assert shelf[0] == "kept" and not list(tmp_path.iterdir())


FULL = """
import resource, signal, sys
from pathlib import Path
from ssui_gen.errors import RecordError
from ssui_gen.shelf import Shelf
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
shelf = Shelf(Path(sys.argv[1]))
try:
    for _ in range(100):
        shelf.put("x" * 100)
except RecordError as error:
    print(len(shelf), all(one == "x" * 100 for one in shelf), error)
"""


def test_a_full_disk_is_said_and_what_was_put_can_be_read(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=quiet(), capture_output=True, text=True, check=True)
    count, whole, said = done.stdout.split(maxsplit=2)
    assert int(count) > 10 and whole == "True"
    assert str(tmp_path) in said and "free some space" in said


# --- what is read ---------------------------------------------------------------------------------


def of_memory(run: Path, encoder: Encoder) -> Iterator[Example]:
    """Every example of a run whose rows are sound, made with all of them in memory."""

    def rows(kind: Any, name: str) -> list[Any]:
        return [kind.model_validate_json(line) for line in (run / name).read_text().splitlines()]

    config = SrpoConfig.model_validate({"model": "tiny", "run": run})
    source = Source(config)
    branches: dict[str, Branch] = {b.id: b for cut in rows(Cut, "branches.jsonl") for b in cut.branches}
    pairs: dict[str, dict[str, Pair]] = defaultdict(dict)
    for pair in rows(Pair, "pairs.jsonl"):
        pairs[pair.path_id].setdefault(pair.id, pair)
    for path in {path.id: path for path in reversed(rows(ReasoningPath, "reasoning_paths.jsonl"))}.values():
        asked = encoder.asked(*policy_prompt(source.prompt, path.query.text), [source.picture(path.image)])
        told = [*encoder.ids(render_path(path.steps, path.answer)), encoder.end]
        bare = Example(
            path.id, path.seed_id, path.kind, (path.image,), path.query.text, encoder.prompt(asked), told, (),
            (),
        )  # fmt: skip
        building = Building(encoder, config, branches.get, path, bare)
        for pair in pairs[path.id].values():
            with suppress(Unfit):
                building.add(pair)
        yield building.example


def told(examples: Iterator[Example] | Shelf[Example]) -> dict[str, tuple[Any, ...]]:
    """All that an example is but its tensors, by id."""
    return {
        one.id: (one.prompt.ids, one.reference, one.branches, one.pairs, one.seed_id, one.text, one.images)
        for one in examples
    }


@pytest.mark.parametrize("seed", range(3))
def test_rows_in_any_order_give_what_they_give_in_memory(tmp_path: Path, encoder: Encoder, seed: int) -> None:
    """Rows shuffled and doubled; branches whose tokens are told, a second row of them with others."""
    run, chance = write_run(tmp_path / "run", paths=6, cuts=(0, 2, 5)), random.Random(seed)

    def shuffled(rows: Rows) -> Rows:
        rows = [*rows, *chance.sample(rows, 3)]
        chance.shuffle(rows)
        return rows

    def sampled(rows: Rows) -> Rows:
        for branch in (branch for row in rows for branch in row["branches"]):
            ids = encoder.ids(branch["text"])
            branch["token_ids"] = [*ids, encoder.end] if chance.random() < 0.5 else ids
            branch["finish"] = chance.choice(("stop", "length"))
        return rows

    for name in ("branches.jsonl", "pairs.jsonl", "reasoning_paths.jsonl"):
        change(run / name, shuffled)
    change(run / "branches.jsonl", sampled)
    found = loaded(run, encoder)
    assert told(found.examples) == told(of_memory(run, encoder))
    lines = (run / "reasoning_paths.jsonl").read_text().splitlines()
    order = dict.fromkeys(json.loads(line)["id"] for line in lines)
    assert [one.id for one in found.examples] == list(order)


def test_a_pair_may_name_a_branch_of_another_path(tmp_path: Path, encoder: Encoder) -> None:
    """What it is said of there holds: that it was cut off."""
    run = write_run(tmp_path / "run", paths=2, cuts=(0,))

    def elsewhere(rows: Rows) -> Rows:
        moved = rows[0]["branches"].pop()
        rows[1]["branches"].append(moved | {"finish": "length"})
        return rows

    change(run / "branches.jsonl", elsewhere)
    first = loaded(run, encoder).examples[0]
    assert [side.ids[-1] == encoder.end for side in first.branches] == [True, False]
    assert told(loaded(run, encoder).examples) == told(of_memory(run, encoder))


def test_what_an_example_takes_stays_on_disk(tmp_path: Path, encoder: Encoder) -> None:
    """Of thirty more only numbers are held; as objects each takes forty thousand bytes."""

    def held(paths: int) -> int:
        run = write_run(tmp_path / str(paths), paths=paths)
        loaded(run, encoder)  # what is made once
        gc.collect()
        tracemalloc.start()
        found = loaded(run, encoder)
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(found.examples) == paths
        return size

    assert held(40) - held(10) < 30 * 8_000


@pytest.mark.slow
def test_merged_shards_are_a_run_to_train_on(tmp_path: Path, encoder: Encoder) -> None:
    with serve() as fake:
        whole = job(tmp_path, fake.url, plain(3), twins=False)
        many = Sharded(whole, 2, tmp_path / "big")
        assert whole.here().code == 0 and [end.code for end in many.all()] == [0, 0]
        assert many.told("merge").code == 0
        fake.answers = {"none": exploring.policy, "judge: right": exploring.judge}
        both = [whole, replace(whole, run=many.run)]
        assert [exploring.pairs(one).code for one in both] == [0, 0]
    one, other = ({e.id: e for e in loaded(todo.run, encoder, seeds=tmp_path).examples} for todo in both)
    assert told(iter(one.values())) == told(iter(other.values()))
    assert len(one) == 3 and any(example.pairs for example in one.values())


# --- what is trained ------------------------------------------------------------------------------


class Listening(SrpoTrainer):
    """Keeps which examples came, and what was logged."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], *more: Any, **told: Any) -> Any:
        self.came.append([one.id for one in inputs["row"].examples])
        return super().compute_loss(model, inputs, *more, **told)


@pytest.mark.parametrize("words", [(), ("group_cap=1", "trees_per_row=2", "span=error")])
def test_a_training_from_disk_is_that_from_memory(
    tmp_path_factory: pytest.TempPathFactory, words: tuple[str, ...]
) -> None:
    folder = tmp_path_factory.mktemp("training")
    training = Training(folder, paths=6)
    config = load(training.yaml, (*FAST, "held_out=0.3", *words), output=folder / "out")

    def trained(held: type[list[Example]] | None) -> tuple[Any, ...]:
        ready = prepared(config, Console(quiet=True))
        split = [held(part) if held else part for part in (ready.split.trained, ready.split.watched)]
        set_seed(0)
        eyes = Eyes(look(ready.source, ready.encoder), cache_gb=1)
        trainer = Listening(
            with_adapter(ready.base, config), ready.args, ready.maker, eyes,
            train=split[0], watched=split[1], say=print,
        )  # fmt: skip
        trainer.came = []
        trainer.train()
        losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
        return trainer.came, losses, [row["nll"] for row in trainer.state.log_history if "nll" in row]

    assert trained(None) == trained(list)
