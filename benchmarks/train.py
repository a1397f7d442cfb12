"""What a question with its pairs costs to train: as a tree, as single sequences, in TRL's DPOTrainer.

    .venv/bin/python benchmarks/train.py [--rounds 3] [--image 300 1000] [--pairs one all] [--ways tree mask]

The same random Qwen2.5-VL, the same LoRA, the same pairs, the same loss (DPO, since TRL has no SRPO for
pictures), each in a process of its own with one thread. A question has 60 tokens, its path six steps of 60, a
branch 150; from every cut there are one good and one bad branch and their pair (`one`), or five and five and
all 25 pairs (`all`). Of TRL and of single sequences every 25th pair of `all` is timed and multiplied. `tree`
is the product's way, attention by paths and execution by parts; `mask` is the same tree whole, under a mask.
Beside them stands the bound: the least FLOPs for these tokens, at this machine's own speed in large products,
read before and after the step; once without any attention, once with what the tree and the tower need of it.
All seconds are the process's CPU time, as a machine may be shared.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from typing import Any

from bench import ROOT

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

STEPS, STEP, BRANCH, QUESTION = 6, 60, 150, 60
SIZES = {"hidden": 1024, "mlp": 5, "layers": 2, "heads": 8, "vision_hidden": 320, "vision_layers": 6}
GRIDS = {300: (15, 20), 1000: (25, 40)}
"""Rows and columns of merged patches, 28 pixels each, that make a picture cost so many tokens."""
WAYS = ("tree", "mask", "sequences", "trl")
TREES = ("tree", "mask")
EACH = {"one": 1, "all": 5}
"""Good branches of a cut, and as many bad ones."""
THINNED = 25
"""Of `all` every so manieth pair is timed where each pair costs the same."""
HEAD = (
    "| image tokens | pairs | way | tokens a question | CPU seconds | times the tree's | peak MB "
    "| bound / seconds | bound with attention / seconds |"
)


class Question:
    """One question: a picture, a reference path, branches from every cut; words are single tokens."""

    def __init__(self, image: int, each: int) -> None:
        import torch
        from PIL import Image
        from tiny_families import tiny

        rows, columns = GRIDS[image]
        torch.set_num_threads(1)
        self.model, self.processor = tiny("qwen2_5_vl", **SIZES, pixels=28 * 28 * image)
        self.dice = random.Random(0)
        self.words = self._single_tokens()
        self.picture = Image.effect_noise((28 * columns, 28 * rows), 60).convert("RGB")
        self.text = self.said(QUESTION)
        self.steps = [self.said(STEP) for _ in range(STEPS)]
        self.cuts = [[(self.said(BRANCH), self.said(BRANCH)) for _ in range(each)] for _ in range(STEPS)]

    def _single_tokens(self) -> list[str]:
        tokens = self.processor.tokenizer
        found = (tokens.decode([i]) for i in range(len(tokens)))
        words = [word for word in found if word.startswith(" ") and word.strip().isalpha()]
        return [word for word in words if len(tokens.encode(word, add_special_tokens=False)) == 1]

    def said(self, count: int) -> str:
        return "".join(self.dice.choice(self.words) for _ in range(count))

    def pairs(self) -> list[tuple[int, str, str]]:
        """Cut, chosen and rejected continuation: every good one with every bad one."""
        return [
            (cut, good, bad)
            for cut, branches in enumerate(self.cuts)
            for good, _ in branches
            for _, bad in branches
        ]

    def prefix(self, cut: int) -> str:
        return "".join(self.steps[:cut])

    def lora(self) -> Any:
        """RPO's."""
        from train.config import SrpoConfig
        from train.model import lora

        return lora(self.model, SrpoConfig(model="random"))


def enlivened(adapted: Any) -> Any:
    """The same adapter weights in every process, none of them zero, so that the policy is not its base."""
    import torch

    torch.manual_seed(0)
    for name, weight in sorted(adapted.named_parameters()):
        if ".lora_" in name:
            torch.nn.init.normal_(weight, std=0.05)
    return adapted.train()


def ours(
    question: Question, way: str, pairs: list[tuple[int, str, str]]
) -> tuple[Any, Any, dict[str, float]]:
    """A step of ours over these pairs: what to call, the adapted model, and what is known before."""
    import torch
    from peft import get_peft_model

    from ssui_gen.records import ImageRef
    from train.config import SrpoConfig
    from train.encode import Encoder
    from train.example import Branch, Choice, Example
    from train.forward import Eyes, read
    from train.learn import learn
    from train.loss import USUAL, objective
    from train.paths import register
    from train.rows import RowMaker
    from train.tree import grow

    encoder = Encoder(question.processor, question.model)
    asked = encoder.asked("", question.text, [question.picture])
    end = [encoder.end, *encoder.ids("\n")]  # as the chat template ends a turn, and so TRL
    reference = [*encoder.ids("".join(question.steps)), *end]
    branches: dict[str, Branch] = {}
    choices = []
    for number, (cut, *sides) in enumerate(pairs):
        before = encoder.ids(question.prefix(cut))
        for text in sides:
            ids = [*before, *encoder.ids(text), *end]
            branches.setdefault(text, Branch(text, ids, len(before), len(ids)))
        names = list(branches)
        choices.append(Choice(str(number), cut, *(names.index(text) for text in sides)))
    ref = ImageRef(path="", sha256="0", width=1, height=1)
    parts = encoder.prompt(asked), reference, tuple(branches.values()), tuple(choices)
    example = Example("one", "one", "risky", (ref,), "", *parts)
    maker = RowMaker(
        USUAL["dpo"], packing="tree" if way in TREES else "none", by_paths=way == "tree",
        part_tokens=SrpoConfig(model="random").part_tokens, pad=encoder.tokenizer.pad_token_id,
    )  # fmt: skip
    rows = (
        [maker([example])] if way in TREES else [maker([example.only([choice])]) for choice in example.pairs]
    )
    if way == "tree":
        register(question.model)
    adapted = enlivened(get_peft_model(question.model.requires_grad_(False), question.lora()))
    bare = adapted.get_base_model()

    def step() -> float:
        """All pairs; the tower runs anew each time, as for a picture seen for the first time."""
        total = 0.0
        for row in rows:
            eyes = Eyes(lambda _: encoder.shown(asked), 1.0)
            with torch.no_grad(), adapted.disable_adapter():
                base = read(adapted, bare, row, eyes).spans
            if len(row.parts) > 1:
                terms = learn(adapted, bare, row, eyes, maker.objective, base)[1]
            else:
                terms = objective(maker.objective, read(adapted, bare, row, eyes).spans, row.layout, base)
            loss = terms.loss / len(rows)
            loss.backward()
            total += float(loss.detach())
        return total

    known = {"tokens": sum(row.tokens for row in rows), "scored": sum(len(row.target) for row in rows)}
    if way in TREES:
        tree = grow(example.prompt.ids, maker.continuations(example))
        known["seen"] = sum(tree.depth) + len(tree)
    return step, adapted, known


def trls(question: Question, pairs: list[tuple[int, str, str]]) -> tuple[Any, Any, dict[str, float]]:
    """A step of TRL's DPOTrainer over these pairs, one a batch."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    rows = [
        {
            "images": [question.picture],
            "prompt": [{"role": "user", "content": question.text}],
            "chosen": [{"role": "assistant", "content": question.prefix(cut) + good}],
            "rejected": [{"role": "assistant", "content": question.prefix(cut) + bad}],
        }
        for cut, good, bad in pairs
    ]
    settings = DPOConfig(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=1, max_length=None, beta=0.1,
        report_to=[], use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True,
        dataloader_pin_memory=False, train_sampling_strategy="sequential",
    )  # fmt: skip
    trainer = DPOTrainer(
        question.model, args=settings, train_dataset=Dataset.from_list(rows),
        processing_class=question.processor, peft_config=question.lora(),
    )  # fmt: skip
    enlivened(trainer.model)
    batches = list(trainer.get_train_dataloader())

    def step() -> float:
        total = 0.0
        for batch in batches:
            loss = trainer.compute_loss(trainer.model, dict(batch)) / len(batches)
            loss.backward()
            total += float(loss.detach())
        return total

    known = {"tokens": sum(batch["input_ids"].numel() for batch in batches), "scored": 0}
    return step, trainer.model, known


def child(way: str, image: int, which: str) -> dict[str, float]:
    """Time one way, in this process; figures of all pairs."""
    question = Question(image, EACH[which])
    pairs = question.pairs()
    thinned = which == "all" and way not in TREES
    times = THINNED if thinned else 1
    some = pairs[::THINNED] if thinned else pairs
    step, model, known = trls(question, some) if way == "trl" else ours(question, way, some)
    step()
    model.zero_grad()
    before = speed()
    start = time.process_time()
    loss = step()
    seconds = time.process_time() - start
    found = {
        "tokens": known["tokens"] * times,
        "seconds": seconds * times,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "loss": loss,
    }
    if way in TREES:
        each = 2 / (before + speed())
        found |= {"bound": linear(question, known) * each, "attention": scores(question, known) * each}
    return found


def speed() -> float:
    """FLOPs a second of CPU time, in large products."""
    import torch

    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    a @ b
    start = time.process_time()
    for _ in range(12):
        a @ b
    return 12 * 2 * 1024**3 / (time.process_time() - start)


def linear(question: Question, known: dict[str, float]) -> float:
    """FLOPs at least: 2 a weight and token forward, twice (policy and base), 2 more for activations'
    gradients (the frozen weights have none), the head on scored tokens likewise, the tower forward once.
    """
    model = question.model
    text = sum(p.numel() for p in model.model.language_model.layers.parameters())
    head, tower = model.lm_head.weight.numel(), sum(p.numel() for p in model.model.visual.parameters())
    patches = 4 * next(image for image in GRIDS if GRIDS[image][0] * 28 == question.picture.height)
    return 6 * text * known["tokens"] + 6 * head * known["scored"] + 2 * tower * patches


def scores(question: Question, known: dict[str, float]) -> float:
    """FLOPs at least of attention: 4 a pair of tokens of which one sees the other, a layer and a unit of its
    width; forward twice and twice as many back, in the tower forward once, in windows but for one layer.
    """
    text, tower = question.model.config.text_config, question.model.config.vision_config
    patches = 4 * next(image for image in GRIDS if GRIDS[image][0] * 28 == question.picture.height)
    whole = len(tower.fullatt_block_indexes)
    window = (tower.window_size // tower.patch_size) ** 2
    pairs = patches * (patches * whole + window * (tower.depth - whole))
    return 4 * (4 * text.hidden_size * text.num_hidden_layers * known["seen"] + tower.hidden_size * pairs)


def once(way: str, image: int, which: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", __file__, "--child", way, str(image), which]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(image: int, which: str, rounds: int, ways: list[str]) -> None:
    """Rows of the table, one a way: medians, and ratios within each round."""
    by_round = [{way: once(way, image, which) for way in ways} for _ in range(rounds)]
    if which == "one":
        losses = [found["loss"] for found in by_round[0].values()]
        assert max(losses) - min(losses) < 1e-3, "the same loss on the same pairs"

    def middle(way: str, name: str, by: str | None = None, of: str | None = None) -> float:
        return statistics.median(one[way][name] / (one[of or way][by] if by else 1) for one in by_round)

    for way in ways:
        known = by_round[0][way]
        cells = [f"{known['tokens']:,.0f}", f"{middle(way, 'seconds'):.2f}"]
        cells.append(f"{middle(way, 'seconds', 'seconds', 'tree'):.1f}" if "tree" in ways else "")
        cells.append(f"{middle(way, 'megabytes'):,.0f}")
        if way in TREES:
            needed = [(one[way]["bound"] + one[way]["attention"]) / one[way]["seconds"] for one in by_round]
            cells += [f"{middle(way, 'bound', 'seconds'):.0%}", f"{statistics.median(needed):.0%}"]
        else:
            cells += ["", ""]
        print("|", " | ".join([str(image), which, way, *cells]), "|", flush=True)


def main() -> None:
    """Every row, or one child."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--image", type=int, nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--pairs", nargs="+", default=list(EACH), choices=list(EACH))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--child", nargs=3, metavar=("WAY", "IMAGE", "PAIRS"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        warnings.simplefilter("ignore")
        way, image, which = args.child
        print(json.dumps(child(way, int(image), which)))
        return
    print(HEAD, "| --- " * 9 + "|", sep="\n")
    for image in args.image:
        for which in args.pairs:
            report(image, which, args.rounds, args.ways)


if __name__ == "__main__":
    main()
