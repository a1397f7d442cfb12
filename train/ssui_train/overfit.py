"""The first thing to run on a new model: one batch, learnt by heart.

    python -m ssui_train.overfit --config train/srpo.yaml --run outputs/mine

(`make overfit` runs this.) If masks, positions, pictures or the chat template were wrong, a model could still
lower a loss; but it could not then say each reference path word for word, asked as it will be asked.
Exit code 1 if it cannot.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from rich.table import Table

from ssui_gen.commands import run_folder
from ssui_gen.errors import SsuiError
from ssui_gen.prompts import policy_prompt
from ssui_gen.terminal import Terminal, forgive
from ssui_train.config import SrpoConfig, load
from ssui_train.data import Reader
from ssui_train.encode import Encoder
from ssui_train.example import Example, shared
from ssui_train.job import train
from ssui_train.model import device, load_base
from ssui_train.source import Source

BATCH = 4
SETTINGS = {"limit": BATCH, "questions_per_step": BATCH, "epochs": 60, "held_out": 0.0, "watch_every": 20}
"""One step an epoch, on the same examples; KEY=VALUE may say otherwise."""
NEAR_ZERO = 0.05
"""Nats a token that the reference may still cost."""


class Recital(NamedTuple):
    """What came of one path."""

    path_id: str
    said: str
    wanted: str

    @property
    def word_for_word(self) -> bool:
        return self.said == self.wanted


def recite(config: SrpoConfig) -> list[Recital]:
    """Each path that was trained on, said by the trained model, greedily."""
    base, processor = load_base(config)
    source = Source(config)
    encoder = Encoder(processor, base, source.pixels)
    examples = Reader(source, encoder).load().examples
    model = PeftModel.from_pretrained(base, config.folder).to(device()).eval()
    return [Recital(e.id, _said(e, source, encoder, model), encoder.text(e.reference)) for e in examples]


@torch.no_grad()
def _said(example: Example, source: Source, encoder: Encoder, model: Any) -> str:
    system, question = policy_prompt(source.prompt, example.text)
    asked = encoder.asked(system, question, [source.picture(ref) for ref in example.images])
    told = {name: value.to(model.device) for name, value in asked.items()}
    out = model.generate(**told, do_sample=False, max_new_tokens=len(example.reference) + 16)
    return encoder.text(out[0, told["input_ids"].shape[1] :].tolist())


def main(argv: Sequence[str] | None = None) -> None:
    """Train, recite, judge."""
    parser = argparse.ArgumentParser(prog="ssui_train.overfit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--run", type=run_folder, help="the run, by name or folder")
    parser.add_argument("--model")
    parser.add_argument("--seeds", type=Path, help="where the pictures lie; default: as `ssui_train.srpo`")
    parser.add_argument(
        "--near-zero", type=float, default=NEAR_ZERO, help="nats a token that are little enough"
    )
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE")
    forgive()
    args = parser.parse_args(argv)
    console = Terminal()
    try:
        config = load(args.config, args.settings, SETTINGS, run=args.run, model=args.model, seeds=args.seeds)
        config = config.model_copy(update={"output": config.run / "overfit"})
        nll = train(config, console).facts["figures"]["watched"]["end"]["nll"]
        found = recite(config)
    except SsuiError as error:
        Terminal(stderr=True).print(f"overfit: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    console.print(as_table(found))
    learnt = nll < args.near_zero and all(one.word_for_word for one in found)
    console.print(f"{nll:.4f} nats a token; {'learnt by heart' if learnt else 'NOT learnt by heart'}")
    sys.exit(0 if learnt else 1)


def as_table(found: list[Recital]) -> Table:
    """How far each path was said alike."""
    table = Table("path", "characters said alike", "word for word")
    for one in found:
        alike = f"{shared(one.said, one.wanted)} of {len(one.wanted)}"
        table.add_row(one.path_id, alike, "yes" if one.word_for_word else "[red]no[/red]")
    return table


if __name__ == "__main__":
    main()
