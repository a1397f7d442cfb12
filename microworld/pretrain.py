"""Train the micro VLM from nothing: `python -m microworld.pretrain` (what `make micro` runs).

Nine phases: the tower is told what stands where (warmup), then the whole model learns captions and the
agents' dialogues; from there one copy learns to judge, and another the policy's dialogues, a copy of which
learns to say them untidily, and another to err in the middle of a path; three more learn to read two
pictures. Each phase has its minutes; a killed training goes on from its last saved state. `--only judge` (or
another copy) makes that copy anew from the finished checkpoint that it begins with, or from the one that
`--from` names. Figures are measure's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast

from microworld.corpus.albums import Albums
from microworld.corpus.shown import Others
from microworld.corpus.tokenizer import train_tokenizer
from microworld.corpus.vocabulary import corpus_texts
from microworld.draw.pool import Pool, open_pool
from microworld.learning.ask import Checkpoint
from microworld.learning.curve import write_curve
from microworld.learning.feed import Batch, Encoder, Maker, learned, loss_of
from microworld.learning.feeders import fed
from microworld.learning.looking import WEIGHT, Looking
from microworld.learning.mixtures import MAKERS
from microworld.learning.mixtures_two import TWO
from microworld.learning.model import build_model, build_processor, load, save, shift
from microworld.learning.phase import SAVE_EVERY, Phase, Trainer
from microworld.learning.warmup import BATCH, Warmup, batches
from microworld.measuring.agents import album_pairs, joint, recognition, test_pairs

MODELS = Path(__file__).with_name("models")
CACHE = Path.home() / ".cache" / "ssui-microworld"
HELD_OUT = 48
"""Held-out pairs that are asked at every second save."""


@dataclass
class Training:
    """Everything the phases share."""

    folder: Path
    pool: Pool
    model: LlavaForConditionalGeneration
    processor: LlavaProcessor
    device: str = "cpu"
    feeders: int = 0
    """Processes that write dialogues; 0: the one that trains."""

    def keep(self, trainer: Trainer, **more: torch.nn.Module) -> None:
        """Save this phase's state so that a killed training can go on."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": trainer.optimizer.state_dict(),
            "seconds": trainer.seconds,
            "steps": trainer.steps,
            **{name: module.state_dict() for name, module in more.items()},
        }
        path = self.folder / f"{trainer.phase.name}.pt"
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def _saved(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = torch.load(self.folder / f"{name}.pt", self.device, weights_only=True)
        return state

    def recall(self, name: str) -> None:
        """Take the weights that a phase ended with."""
        self.model.load_state_dict(self._saved(name)["model"])

    def resume(self, trainer: Trainer, **more: torch.nn.Module) -> None:
        """Go on from this phase's saved state, if there is one."""
        path = self.folder / f"{trainer.phase.name}.pt"
        if path.exists():
            state = self._saved(trainer.phase.name)
            self.model.load_state_dict(state["model"])
            trainer.optimizer.load_state_dict(state["optimizer"])
            trainer.seconds, trainer.steps = state["seconds"], state["steps"]
            for name, module in more.items():
                module.load_state_dict(state[name])

    def warm_up(self, phase: Phase) -> None:
        """The tower and the projector learn what stands where."""
        warmup = Warmup(self.model.to(self.device), self.pool)
        trainer = Trainer(phase, warmup.parameters(), self.folder)
        self.resume(trainer, heads=warmup.heads)
        rows = batches(len(self.pool.scenes), BATCH, warmup.rng)

        def loss(share: float) -> tuple[torch.Tensor, dict[str, float]]:
            score = warmup.score(next(rows))
            return score.loss, {"covered": round(score.covered, 3), "place": round(score.place, 3)}

        trainer.run(loss, lambda: self.keep(trainer, heads=warmup.heads))
        warmup.settle()

    def dialogues(
        self, phase: Phase, maker: Callable[[float], Maker], looking: Looking | None = None
    ) -> None:
        """The whole model learns to write what `maker` (which may change with the share of time) makes; with
        `looking`, also whether the things that are named are shown.
        """
        heads = {"looking": looking} if looking else {}
        parts = [part.to(self.device) for part in (self.model, *heads.values())]
        learns = [p for part in parts for p in part.parameters() if p.requires_grad]
        trainer = Trainer(phase, learns, self.folder)
        self.resume(trainer, **heads)
        encoder = Encoder(self.processor.tokenizer)
        stream = fed(self.pool, encoder, maker, trainer, self.feeders)

        def loss(share: float) -> tuple[torch.Tensor, dict[str, float]]:
            batch: Batch = next(stream).to(self.device)
            facts: dict[str, float] = {"tokens": batch.tokens, "batch": len(batch.ids)}
            if looking is None:
                return loss_of(self.model, batch), facts
            said, layers = learned(self.model, batch)
            looked, right = looking(layers, batch.told)
            facts |= {"letters": round(said.item(), 4), **{n: round(value, 3) for n, value in right.items()}}
            return said + WEIGHT * looked, facts

        trainer.run(loss, lambda: self._keep_and_ask(trainer, heads))

    def _keep_and_ask(self, trainer: Trainer, heads: dict[str, Looking]) -> None:
        """Save, and log what is right on held-out pairs; a model that says nothing yet is not asked."""
        self.keep(trainer, **heads)
        if trainer.share > 0.3 and (trainer.share == 1 or int(trainer.seconds / SAVE_EVERY) % 2 == 0):
            name = trainer.phase.name
            pairs = album_pairs(HELD_OUT, 0) if name in TWO else test_pairs(HELD_OUT, 0)
            model = Checkpoint(self.model, self.processor)
            found = recognition(model, pairs) | (joint(model, pairs) if name.endswith("agents") else {})
            trainer.log({"held_out": {name: round(one.value, 3) for name, one in found.items()}})


def start(folder: Path, pictures: int) -> Training:
    """Pictures, tokenizer and fresh weights."""
    folder.mkdir(parents=True, exist_ok=True)
    pool = open_pool(folder, "train", pictures)
    if not (folder / "tokenizer").exists():
        train_tokenizer(corpus_texts()).save_pretrained(folder / "tokenizer")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")
    return Training(folder, pool, build_model(tokenizer), build_processor(tokenizer))


def start_from(checkpoint: Path, folder: Path, pictures: int) -> Training:
    """Pictures, and tokenizer and weights of a finished checkpoint; the chat template is today's."""
    model, processor = load(checkpoint)
    return Training(folder, open_pool(folder, "train", pictures), model, build_processor(processor.tokenizer))


def train_all(training: Training, phases: dict[str, Phase], models: Path) -> None:
    """Every phase; what is finished is saved at once."""
    training.warm_up(phases["warmup"])
    train_part(training, phases["agents"], models)
    train_part(training, phases["judge"], models)
    training.recall("agents")
    train_part(training, phases["policy"], models)
    train_part(training, phases["untidy"], models)
    training.recall("policy")
    train_part(training, phases["drifting"], models)
    for name in TWO:
        training.recall(BEGINS_WITH[name])
        move(training, name, models)
        train_part(training, phases[name], models)


def move(training: Training, name: str, models: Path) -> None:
    """A policy of one picture by what the agents learned of two."""
    if name == "two-policy":
        shift(training.model, models / "agents", models / "two-agents")


def train_part(training: Training, phase: Phase, models: Path) -> None:
    """One of the phases that end in a checkpoint. Whoever learns to judge, or to read two pictures, goes on
    seeing as before: letters teach a tower nothing, and in an hour they blurred it.
    """
    two, judges = TWO.get(phase.name), phase.name.endswith("judge")
    training.model.train()
    training.model.model.vision_tower.requires_grad_(not judges and not two)
    scenes = training.pool.scenes
    maker = partial(two, Albums(scenes)) if two else partial(MAKERS[phase.name], Others(scenes))
    training.dialogues(phase, maker, Looking() if judges else None)
    save(training.model, training.processor, models / phase.name)


RATES = {"warmup": 2e-3, "agents": 1.5e-3, "judge": 7e-4, "policy": 6e-4, "untidy": 6e-4} | {
    "drifting": 6e-4,
    "two-agents": 6e-4, "two-policy": 5e-4, "two-judge": 5e-4,
}  # fmt: skip
MINUTES = {"warmup": 18.0, "agents": 40.0, "judge": 75.0, "policy": 8.0, "untidy": 10.0} | {
    "drifting": 10.0,
    "two-agents": 20.0, "two-policy": 10.0, "two-judge": 20.0,
}  # fmt: skip
BEGINS_WITH = {"judge": "agents", "policy": "agents", "untidy": "policy", "drifting": "policy"} | {
    "two-agents": "agents", "two-policy": "policy", "two-judge": "judge",
}  # fmt: skip
"""The finished checkpoint that `--only` starts from."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.pretrain", description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--pictures", type=int, default=24_000)
    parser.add_argument("--threads", type=int, default=2)
    for name, minutes in MINUTES.items():
        parser.add_argument(f"--{name}", type=float, default=minutes, metavar="MINUTES")
    parser.add_argument("--only", choices=tuple(BEGINS_WITH), help="from a finished checkpoint")
    parser.add_argument("--from", type=Path, dest="start", help="which one; default: by the part")
    parser.add_argument("--rate", type=float, help="highest rate of that part; default: by the part")
    parser.add_argument("--device", default="cpu", help="cuda: where there is a GPU")
    parser.add_argument("--feeders", type=int, default=0, help="processes that write dialogues for a GPU")
    parser.add_argument("--float32", action="store_true", help="for a processor without bfloat16 products")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rates = RATES | ({args.only: args.rate} if args.only and args.rate else {})
    phases = {
        n: Phase(n, getattr(args, n.replace("-", "_")), rate, not args.float32) for n, rate in rates.items()
    }
    begun = dict(BEGINS_WITH)
    if args.only:
        checkpoint = args.start or args.models / BEGINS_WITH[args.only]
        begun = {args.only: checkpoint.name}
        training = start_from(checkpoint, args.cache, args.pictures)
        training.device, training.feeders = args.device, args.feeders
        if not args.start:
            move(training, args.only, args.models)
        train_part(training, phases[args.only], args.models)
    else:
        training = start(args.cache, args.pictures)
        training.device, training.feeders = args.device, args.feeders
        train_all(training, phases, args.models)
    parameters = training.model.num_parameters()
    write_curve(args.cache / "curve.jsonl", args.models, args.pictures, parameters, begun)


if __name__ == "__main__":
    main()
