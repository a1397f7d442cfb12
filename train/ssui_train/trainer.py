"""SRPO's trainer: transformers' own, with our rows, our loss, our figures, and an eye on what goes wrong.

A step takes `questions_per_step` examples, however many processes and rows share them, and its gradient is
the mean over those it took; the last step of an epoch may take fewer. Figures of the watched examples
are taken before the first step, so that a likelihood that sinks below its start is noticed: chosen and
rejected branches share a prefix and a style, and a growing margin may hide that both become unlikely
(likelihood displacement, arXiv 2410.08847). What is saved besides the adapter is `folder`'s affair.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from ssui_gen.errors import TrainError
from ssui_train.attention import allowed, kernels
from ssui_train.example import Example
from ssui_train.forward import Eyes, read
from ssui_train.launch import refuse_data_parallel
from ssui_train.learn import taught
from ssui_train.loss import Terms
from ssui_train.rows import Row, RowMaker
from ssui_train.sharded import shards_of
from ssui_train.tally import Tally

SUNK = 0.01
"""Nats a token: a fall of the chosen branches below their start that is worth an alarm."""
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""How torch puts it, on a GPU and on a CPU."""


def rate(step: int, *, rising: int, steps: int) -> float:
    """A step's share of the learning rate: it rises to 1 in `rising` steps, then a cosine to 0; never 0."""
    if step < rising:
        return (step + 1) / (rising + 1)
    return (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1, steps - rising)))) / 2


class Examples(Dataset[Example]):
    """Examples by number."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, number: int) -> Example:
        return self.examples[number]


class SrpoTrainer(Trainer):  # type: ignore[misc]
    """Rows in, J out; the figures of its terms are logged."""

    loss_is_scaled_for_ga = True

    def __init__(
        self,
        model: Any,
        args: TrainingArguments,
        maker: RowMaker,
        eyes: Eyes,
        *,
        train: Sequence[Example],
        watched: Sequence[Example],
        say: Callable[[str], None],
    ) -> None:
        if isinstance(model, torch.nn.DataParallel):
            refuse_data_parallel(len(model.device_ids) or 2)
        self.maker, self.eyes, self.say = maker, eyes, say
        self.shards = shards_of(model.get_base_model())
        if self.shards:
            frozen = [name for name, weight in model.named_parameters() if not weight.requires_grad]
            DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(  # type: ignore[no-untyped-call]
                model, frozen
            )
        self.kernels = allowed(args.device.type, model.config._attn_implementation)
        self.tallies = {"train": Tally(), "watch": Tally()}
        self.since = time.monotonic()
        self.lr_scheduler: LambdaLR | None
        super().__init__(
            model=model, args=args, data_collator=self.row_of, train_dataset=Examples(train),
            eval_dataset=Examples([maker.visited(one, epoch=0) for one in watched]), callbacks=[Guard()],
        )  # fmt: skip
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)

    def row_of(self, examples: list[Example]) -> dict[str, Row]:
        """What the loader hands on: one row, made for the epoch that is running."""
        return {"row": self.maker(examples, int(self.state.epoch or 0))}

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """J of one row, a mean over its examples; in a step, its part of the mean over the step's."""
        row: Row = inputs["row"]
        with explained(row):
            adapted = self.accelerator.unwrap_model(model)
            call = adapted if self.shards else model  # DDP would wait for others in the middle of a row
            found, terms = taught(call, adapted, row, self.eyes, self.maker.objective)
        refuse_nan(row, terms)
        self.tallies["train" if model.training else "watch"].add(self.maker.objective, row, found, terms)
        share = 1.0 if num_items_in_batch is None else len(row.examples) / num_items_in_batch
        loss = terms.loss * share
        return (loss, None) if return_outputs else loss

    def get_batch_samples(
        self, epoch_iterator: Iterator[dict[str, Row]], num_batches: int, device: torch.device
    ) -> tuple[list[dict[str, Row]], Any]:
        """The rows of a step, and how many examples they hold: of a process on average, as gradients are."""
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        own = torch.tensor(float(sum(len(sample["row"].examples) for sample in samples)), device=device)
        return samples, self.accelerator.reduce(own, reduction="mean").item()

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Our rate in place of transformers' cosine, whose first step has none."""
        if not self.lr_scheduler:
            rising = self.args.get_warmup_steps(num_training_steps)
            factor = partial(rate, rising=rising, steps=num_training_steps)
            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, factor)
        return self.lr_scheduler

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """Forward and backward of one row."""
        self.row: Row = inputs["row"]
        with explained(self.row), kernels(self.kernels):
            loss: Tensor = super().training_step(model, inputs, num_items_in_batch)
            if self.shards and self.accelerator.sync_gradients:
                self.settle()
                self.shards.average([weight for weight in model.parameters() if weight.requires_grad])
        return loss

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> tuple[Tensor, None, None]:
        """J of one row of watched examples; there are no labels to return."""
        with torch.no_grad(), kernels(self.kernels), self.compute_loss_context_manager():
            loss = self.compute_loss(model, self._prepare_inputs(inputs))
            self.settle()
        return loss.detach(), None, None

    @torch.no_grad()
    def says(self, row: Row, eyes: Eyes) -> Tensor:
        """(s): the entropy at each scored token, by the path that training takes."""
        told: Row = self._prepare_inputs({"row": row})["row"]
        with kernels(self.kernels), self.compute_loss_context_manager():
            found = read(self.model, self.model.get_base_model(), told, eyes).entropy
            self.settle()
        return found

    def settle(self) -> None:
        """Before processes do something together: let those that still read a shared base do so."""
        if self.shards:
            self.shards.settle()

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Not estimated: transformers' rule knows neither LoRA nor trees."""
        return 0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """The figures of all processes beside what transformers logs."""
        if any(key.startswith("eval_") for key in logs):
            logs |= {f"eval_{name}": value for name, value in self.figures("watch").items()}
            self.alarm(logs)
        elif "loss" in logs:
            logs |= self.figures("train")
        super().log(logs, start_time)

    def figures(self, which: str) -> dict[str, float]:
        """Means since the last time, over all processes, and tokens a second while training."""
        tally = self.tallies[which]
        own = tally.sums.float() if self.args.device.type == "mps" else tally.sums
        sums = self.accelerator.reduce(own.to(self.args.device), reduction="sum").cpu().double()
        seconds, self.since = time.monotonic() - self.since, time.monotonic()
        speed = {"tokens_per_second": tally.tokens(sums) / seconds} if which == "train" else {}
        return tally.figures(sums) | speed

    def alarm(self, logs: dict[str, float]) -> None:
        """Say it when the chosen branches have become less likely than they were at the start."""
        now, key = logs.get("eval_logps/chosen"), "eval_logps/chosen"
        start = next((row[key] for row in self.state.log_history if key in row), now)
        if now is not None and start is not None and now < start - SUNK:
            logs["eval_displaced"] = start - now
            self.say(
                f"step {self.state.global_step}: watched examples' chosen branches are less likely than "
                f"at the start ({now:.3f} nats a token, then {start:.3f}): the margin grows by unlearning. "
                "Lower lambda or learning_rate, or keep pairs that differ more"
            )


class Guard(TrainerCallback):  # type: ignore[misc]
    """Stops before a gradient that is not a number reaches the weights."""

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        weights = (p for p in kwargs["model"].parameters() if p.requires_grad and p.grad is not None)
        if not all(torch.isfinite(weight.grad).all() for weight in weights):
            raise TrainError(
                f"step {state.global_step + 1}: a gradient is not a number although the loss is one: lower "
                "learning_rate or max_grad_norm; the last checkpoint is untouched"
            )


def refuse_nan(row: Row, terms: Terms) -> None:
    """Raises TrainError, with the examples' names, if J is not a number."""
    if torch.isfinite(terms.loss):
        return
    raise TrainError(
        f"the loss of {_names(row)} is {terms.loss.item()} (nll {_listed(terms.nll)}; margins "
        f"{_listed(terms.margin)}): look at these rows, leave them out, or lower learning_rate; the last "
        "checkpoint is untouched"
    )


@contextmanager
def explained(row: Row) -> Iterator[None]:
    """Raises TrainError, with the examples' names and what to lower, where memory does not suffice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(sign in str(error) for sign in NO_MEMORY):
            raise
        pairs = sum(len(example.pairs) for example in row.examples)
        raise TrainError(
            f"out of memory at {_names(row)}: {row.tokens:,} tokens, {len(row.target):,} of them scored, "
            f"{pairs} pairs. The same command goes on with {_less(row)}gradient_checkpointing=true. With a "
            f"lower {'group_cap' if row.last is None else 'max_row, group_cap or trees_per_row'}, smaller "
            "pictures or quantize=4bit it begins anew, in another --output"
        ) from error


def _less(row: Row) -> str:
    """The setting by which less of a row is at work at a time, and which changes no weight."""
    return "a lower batch_tokens or " if row.last is None else "a lower part_tokens or " if row.parts else ""


def _names(row: Row) -> str:
    return "example " + ", ".join(example.id for example in row.examples)


def _listed(values: Tensor, most: int = 4) -> str:
    shown = ", ".join(f"{value:.3g}" for value in values.tolist()[:most])
    return shown + (", …" if len(values) > most else "") or "none"
