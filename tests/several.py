"""Two processes that train together, for tests; what they import is imported once.

    python tests/several.py train '[["--config", "train.yaml", "shard=true"], ...]'   # the command, each time
    python tests/several.py rows FOLDER     # rows of their own under a shared base → FOLDER/0.json and 1.json

Each process has the environment that torchrun or `accelerate launch` would give it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from tiny_families import FAMILIES, tiny
from torch import Tensor
from trees import BRANCHES, Case, eyes, with_lora

from ssui_train.encode import Encoder
from ssui_train.learn import taught
from ssui_train.loss import USUAL
from ssui_train.paths import register
from ssui_train.rows import RowMaker
from ssui_train.sharded import Shards

COUNT = 2
WAYS: dict[str, dict[str, Any]] = {
    "in parts": {"by_paths": True, "part_tokens": 30},
    "torn": {"by_paths": True, "part_tokens": 1},
    "at once": {"by_paths": True, "part_tokens": None},
    "masked": {},
    "apart": {"packing": "none", "batch_tokens": 90},
}
"""How a row may be read."""


def together(work: Callable[..., None], *told: Any) -> int:
    """Do the same in several processes; 0 if all of them came to the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(COUNT)}
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=_of_rank, args=(rank, work, told)) for rank in range(COUNT)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return max(abs(process.exitcode or 0) for process in processes)


def _of_rank(rank: int, work: Callable[..., None], told: tuple[Any, ...]) -> None:
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    torch.set_num_threads(1)
    work(*told)


def trainings(commands: list[list[str]]) -> int:
    """One training after another, while they come to the end."""
    from ssui_train.srpo import main

    return next((code for command in commands if (code := together(main, command))), 0)


class Overwriting(Shards):
    """Spoils what was lent before it lends the next, so that whoever kept it computes no number."""

    def whole(self, unit: int) -> Tensor:
        if self.latest is not None and self.latest[0] != unit:
            self.latest[1].fill_(255)
        return super().whole(unit)

    def settle(self) -> None:
        if self.latest is not None:
            self.latest[1].fill_(255)
        super().settle()


def rows(folder: str) -> None:
    """Each process reads rows that the other does not, and says how far it is from reading them alone."""
    dist.init_process_group("gloo")
    rank, found = dist.get_rank(), {}
    for family in FAMILIES:
        tied, ways = family == "qwen2_5_vl", list(WAYS) if family == "llava" else ["in parts"]
        alone, processor = _model(family, 0, tied)
        encoder = Encoder(processor, alone)
        base, _ = _model(family, rank, tied)
        shards = Overwriting(torch.device("cpu"))
        shards.take(base)
        held = sum(own.nbytes for own in shards.own), _held(base), _held(alone)
        models = _adapted(alone), _adapted(base)
        case = Case(encoder, branches=BRANCHES if rank == 0 else {1: BRANCHES[1]})
        read = {way: dict(_compared(models, shards, encoder, case, WAYS[way])) for way in ways}
        found[family] = {"held": held, "read": read}
    (Path(folder) / f"{rank}.json").write_text(json.dumps(found))


def _model(family: str, seed: int, tied: bool) -> tuple[Any, Any]:
    model, processor = tiny(family, seed=seed)
    if tied:
        model.lm_head.weight = model.get_input_embeddings().weight
    register(model)
    return model.requires_grad_(False), processor


def _adapted(model: Any) -> Any:
    torch.manual_seed(3)
    return with_lora(model)


def _held(model: Any) -> int:
    """Bytes behind a model's weights."""
    places = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in model.parameters()}
    return sum(places.values())


def _compared(
    models: tuple[Any, Any], shards: Shards, encoder: Encoder, case: Case, way: dict[str, Any]
) -> Iterator[tuple[str, dict[str, float]]]:
    """How far loss and gradients are apart, relative to their size, and how many parts were read."""
    row = RowMaker(USUAL["dpo"], pad=0, **way)([case.example])
    for activations in ("kept", "computed again"):
        told = []
        for model in models:
            if activations != "kept":
                model.gradient_checkpointing_enable({"use_reentrant": False})
            told.append(_learnt(model, row, eyes(encoder, case)))
        shards.settle()
        (loss, slopes), (other, others) = told
        off = max(abs(loss - other) / abs(loss), float((slopes - others).norm() / slopes.norm()))
        yield activations, {"off": off, "parts": len(row.parts)}
    for model in models:
        model.gradient_checkpointing_disable()


def _learnt(model: Any, row: Any, seen: Any) -> tuple[float, Tensor]:
    """J and all its gradients; with a loss that asks the model without its adapter too."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    _, terms = taught(model, model, row, seen, USUAL["dpo"])
    slopes = torch.autograd.grad(terms.loss, weights)
    return float(terms.loss.detach()), torch.cat([slope.flatten() for slope in slopes])


if __name__ == "__main__":
    job, told = sys.argv[1:]
    sys.exit(trainings(json.loads(told)) if job == "train" else together(rows, told))
