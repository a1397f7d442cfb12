"""One training from beginning to end: settings and a run's files in, an adapter out. Prints what it does."""

from __future__ import annotations

import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor
from transformers import TrainingArguments, set_seed
from transformers.utils import logging

from ssui_gen.commands import command
from ssui_gen.errors import ConfigError, TrainError
from ssui_gen.numbered import Chosen
from ssui_gen.prompts import policy_prompt
from ssui_train.config import Packing, SrpoConfig
from ssui_train.data import Reader
from ssui_train.encode import Encoder
from ssui_train.example import Example
from ssui_train.families import refuse_blind_tree, unpackable
from ssui_train.folder import Folder
from ssui_train.forward import Eyes
from ssui_train.launch import arguments
from ssui_train.loaded import Loaded
from ssui_train.model import device, load_base, precision, unreached, with_adapter
from ssui_train.paths import disagreement, register
from ssui_train.rows import RowMaker, pairs_a_visit
from ssui_train.sharded import shards_of
from ssui_train.show import CURVES, Show, draw
from ssui_train.sight import SAID, refuse_blind
from ssui_train.source import Source
from ssui_train.trainer import SrpoTrainer

Say = Callable[[str], None]


class Split(NamedTuple):
    """What is trained on, and what is watched."""

    trained: Chosen[Example]
    held_out: Chosen[Example]
    watched: Chosen[Example]


def train(config: SrpoConfig, console: Console) -> Folder:
    """Train what `config` says, or what is left of it. Raises SsuiError."""
    say = saying(console)
    source, args, base, processor, encoder, loaded, split, maker = prepared(config, console)
    folder = Folder(config)
    counts = {"trained": len(split.trained), "held_out": len(split.held_out)}
    checkpoint = folder.begin(source, loaded, base, counts, write=args.should_save)
    if folder.put_aside:
        say(f"{folder.path}: held an adapter of other data, which is kept as {folder.put_aside}.")
    if folder.finished:
        say(f"{folder.path}: this training is done already.{next_step(config)}")
        return folder
    console.print(account(loaded, split, maker))
    set_seed(config.seed)
    trainer = SrpoTrainer(
        with_adapter(base, config), args, maker, Eyes(look(source, encoder), config.vision_cache_gb),
        train=split.trained, watched=split.watched, say=say,
    )  # fmt: skip
    if config.gradient_checkpointing or (config.gradient_checkpointing is None and device().type == "cuda"):
        recompute(trainer.model)
    refuse_blind(trainer.says, maker, encoder, str(config.model))
    figures = run(trainer, folder, checkpoint, console)
    if args.should_save:
        draw(trainer.state.log_history, folder.path / CURVES)
        folder.finish(trainer.accelerator.unwrap_model(trainer.model), processor, figures)
    trainer.accelerator.end_training()
    say(f"Adapter in {folder.path}; its card is README.md, its curves {CURVES}.{next_step(config)}")
    return folder


def foresee(config: SrpoConfig, console: Console) -> None:
    """Say what there is to train on and how many steps that makes. Writes nothing; raises as `train`."""
    ready = prepared(config, console)
    console.print(account(ready.loaded, ready.split, ready.maker))
    each = -(-len(ready.split.trained) // config.questions_per_step)
    saying(console)(
        f"{ceil(config.epochs * each):,} steps: {config.epochs:g} epochs of {each:,}, each of "
        f"{config.questions_per_step} questions but maybe the last. Nothing was written."
    )


class Ready(NamedTuple):
    """All that a training needs, before its folder is touched."""

    source: Source
    args: TrainingArguments
    base: Any
    processor: Any
    encoder: Encoder
    loaded: Loaded
    split: Split
    maker: RowMaker


def prepared(config: SrpoConfig, console: Console) -> Ready:
    """Load the model and every example."""
    say = saying(console)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # PEFT's, of an old word
    source = Source(config)
    args = arguments(config, cpu=device().type == "cpu", half=precision(config) == torch.bfloat16)
    base, processor = load_base(config)
    if shards := shards_of(base):
        say(f"shard: {shards}")
    packing = packed_as(config, base, say)
    for words in unreached(base, config):
        say(words)
    say(opening(config, source))
    encoder = Encoder(processor, base, source.pixels)
    loaded = load_examples(Reader(source, encoder), console)
    say(loaded.compared)
    split = split_of(config, loaded)
    by_paths = packing == "tree" and attends_by_paths(config, base, encoder, say)
    maker = row_maker(config, packing, loaded.pairs_of(split.trained), encoder, by_paths)
    return Ready(source, args, base, processor, encoder, loaded, split, maker)


def saying(console: Console) -> Say:
    """Prints plain words, paths among them, in one line however long."""
    return partial(console.print, markup=False, highlight=False, soft_wrap=True)


def recompute(model: Any) -> None:
    """Hold few activations and compute them again; transformers 5.23 has a new word for it."""
    if hasattr(model, "activation_checkpointing_enable"):
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def packed_as(config: SrpoConfig, base: Any, say: Say) -> Packing:
    """The packing that this model can take; raises ConfigError where a row must hold one example."""
    packing = config.packing
    if packing == "tree" and (why := unpackable(base, config.max_tokens)):
        packing = "none"
        say(f"packing: none: {why}; each continuation is a row of its own, at several times the cost")
    if packing == "tree":
        refuse_blind_tree(base)
    if packing == "none" and config.trees_per_row > 1:
        raise ConfigError(f"trees_per_row: {config.trees_per_row}: without a tree a row takes one example: 1")
    return packing


def attends_by_paths(config: SrpoConfig, base: Any, encoder: Encoder, say: Say) -> bool:
    """Whether trees need no mask; tried on a few words. Raises TrainError where the settings insist."""
    if config.attention not in ("auto", "paths"):
        return False
    register(base)
    why = disagreement(base, encoder.ids(SAID))
    if why and config.attention == "paths":
        raise TrainError(f"attention: paths: {why}: take auto or mask")
    if why:
        say(f"attention: mask: {why}; a tree is read whole, at more time and memory")
    return not why


def load_examples(reader: Reader, console: Console) -> Loaded:
    """Every example of the run, behind a bar."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading rows", total=None)

        def tick(done: int, of: int) -> None:
            bar.update(task, description="reading pictures", completed=done, total=of)

        return reader.load(tick)


def split_of(config: SrpoConfig, loaded: Loaded) -> Split:
    """Held out examples are watched; where none are, some of those that are trained on."""
    trained, back = loaded.held_out(config.held_out)
    if not trained:
        raise ConfigError(f"held_out: {config.held_out} leaves nothing to train on")
    return Split(trained, back, (back or trained)[: config.watch])


def row_maker(
    config: SrpoConfig, packing: Packing, pairs: Iterable[int], encoder: Encoder, by_paths: bool = False
) -> RowMaker:
    """How this training makes rows of examples that have so many pairs each."""
    return RowMaker(
        config.objective,
        packing,
        config.weights,
        mean_pairs=pairs_a_visit(pairs, config.group_cap),
        group_cap=config.group_cap,
        batch_tokens=config.batch_tokens,
        by_paths=by_paths,
        part_tokens=config.part_tokens,
        pad=encoder.tokenizer.pad_token_id or 0,
        seed=config.seed,
    )


def look(source: Source, encoder: Encoder) -> Callable[[Example], dict[str, Tensor]]:
    """Opens an example's pictures again, when their features are wanted."""

    def shown(example: Example) -> dict[str, Tensor]:
        system, question = policy_prompt(source.prompt, example.text)
        pictures = [source.picture(ref) for ref in example.images]
        return encoder.shown(encoder.asked(system, question, pictures))

    return shown


def run(trainer: SrpoTrainer, folder: Folder, checkpoint: Path | None, console: Console) -> dict[str, Any]:
    """Train to the end, and look at the watched examples once more; what it came to."""
    began = time.monotonic()
    if trainer.is_world_process_zero():
        trainer.add_callback(Show(folder.path, console))
    if checkpoint:
        console.print(f"Going on from {checkpoint.name}.", highlight=False)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if trainer.state.global_step % trainer.args.eval_steps:
        trainer.evaluate()
    looks = [row for row in trainer.state.log_history if "eval_loss" in row]
    return {
        "steps": trainer.state.global_step,
        "seconds": round(time.monotonic() - began, 1),
        "peak_memory_gb": round(peak_memory() / 1e9, 2),
        "watched": {"start": _figures(looks[0]), "end": _figures(looks[-1])},
        "displaced": max((row.get("eval_displaced", 0.0) for row in looks), default=0.0),
    }


def _figures(row: dict[str, Any]) -> dict[str, float]:
    """Those of watched examples, without how long it took to look."""
    timed = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")
    return {k.removeprefix("eval_"): v for k, v in row.items() if k.startswith("eval_") and k not in timed}


def peak_memory() -> float:
    """Bytes: of the GPU where there is one, else of this process."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)


def opening(config: SrpoConfig, source: Source) -> str:
    """What is about to be trained on what."""
    o, machine = config.objective, "on a GPU" if device().type == "cuda" else "on the CPU"
    words = [f"{o.loss} (λ {o.lam:g}, span {o.span}) on {config.model}, {machine}, from {source.paths}."]
    if source.policy:
        words.append(f"Branches were drawn from {source.policy}.")
    if not source.curated:
        words.append("No person has seen these paths: look at them before you trust the adapter.")
    return " ".join(words)


def account(loaded: Loaded, split: Split, maker: RowMaker) -> Table:
    """How much there is, what was left out and why, and what the trees save."""
    table = Table("what", "number", title="to train on", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("examples trained on", f"{len(split.trained):,}")
    table.add_row("examples held out", f"{len(split.held_out):,}")
    table.add_row("pairs", f"{loaded.pairs:,}")
    if maker.objective.target == "drawn":
        table.add_row("branches weighed by their advantages", f"{loaded.drawn:,}")
    if maker.objective.span == "error":
        table.add_row("pairs that end with the step in error", f"{loaded.located:,}")
    for (what, why), count in loaded.reasons.most_common():
        table.add_row(f"[red]{what} left out[/red]: {why}", f"{count:,}")
    read_ = apart = 0
    for row in (maker([example]) for example in split.trained):
        read_, apart = read_ + row.tokens, apart + row.unshared
    table.add_row("tokens an epoch", f"{read_:,}")
    table.add_row("as single sequences", f"{apart:,} ({apart / read_:.1f} times)")
    return table


def next_step(config: SrpoConfig) -> str:
    """What to run next."""
    serve = command("serve", MODEL=config.model, ADAPTER=config.folder)
    return f"\nNext, on a GPU: {serve}\nNext, one model of both: {command('merge', ADAPTER=config.folder)}"
