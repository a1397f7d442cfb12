"""One step over a question's pairs with the loss of DPO: ours in its ways, and that of TRL's DPOTrainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from peft import get_peft_model
from torch import Tensor
from train_question import CONFIG, Pair, Question, enlivened

from ssui_gen.records import ImageRef
from ssui_train.encode import Encoder
from ssui_train.example import Branch, Choice, Example
from ssui_train.forward import Eyes
from ssui_train.learn import taught
from ssui_train.loss import USUAL
from ssui_train.paths import register
from ssui_train.rows import RowMaker
from ssui_train.tree import grow


class Step(NamedTuple):
    """What is timed, and what is known before."""

    run: Callable[[], float]
    """Forward and backward of all pairs; their mean loss."""
    model: Any
    """Adapted."""
    tokens: int
    """That are read."""
    scored: int = 0
    """Of a tree: tokens whose log-probability counts, and"""
    seen: int = 0
    """pairs of tokens of which one sees the other."""


def as_tree(question: Question, pairs: Sequence[Pair], by_paths: bool) -> Step:
    """One row: by paths and in parts, as the product does, or whole under a mask."""
    if by_paths:
        register(question.model)
    encoder = Encoder(question.processor, question.model)
    found, maker = example(question, encoder, pairs), maker_of(encoder, "tree", by_paths)
    tree = grow(found.prompt.ids, maker.continuations(found))
    step = _ours(question, encoder, maker, [found])
    return step._replace(seen=sum(tree.depth) + len(tree))


def as_sequences(question: Question, pairs: Sequence[Pair]) -> Step:
    """A pair at a time, each side a row of its own."""
    encoder = Encoder(question.processor, question.model)
    whole = example(question, encoder, pairs)
    return _ours(question, encoder, maker_of(encoder, "none"), [whole.only([pair]) for pair in whole.pairs])


def example(question: Question, encoder: Encoder, pairs: Sequence[Pair]) -> Example:
    """As token ids; equal branches are one."""
    end = [encoder.end, *encoder.ids("\n")]  # as the chat template ends a turn, and so TRL
    branches: dict[str, Branch] = {}
    choices = []
    for number, (cut, *sides) in enumerate(pairs):
        before = encoder.ids(question.prefix(cut))
        for text in sides:
            ids = [*before, *encoder.ids(text), *end]
            branches.setdefault(text, Branch(text, ids, len(before), len(ids)))
        names = list(branches)
        choices.append(Choice(str(number), cut, *(names.index(text) for text in sides)))
    prompt = encoder.prompt(encoder.asked("", question.text, [question.picture]))
    reference = [*encoder.ids("".join(question.steps)), *end]
    refs = (ImageRef(path="", sha256="0", width=1, height=1),)
    return Example(
        "one", "one", "risky", refs, "", prompt, reference, tuple(branches.values()), tuple(choices)
    )


def maker_of(encoder: Encoder, packing: Any, by_paths: bool = False, loss: str = "dpo") -> RowMaker:
    return RowMaker(
        USUAL[loss], packing, by_paths=by_paths, part_tokens=CONFIG.part_tokens,
        batch_tokens=CONFIG.batch_tokens, pad=encoder.tokenizer.pad_token_id,
    )  # fmt: skip


def _ours(question: Question, encoder: Encoder, maker: RowMaker, examples: Sequence[Example]) -> Step:
    """A row an example; the tower runs anew each time, as for a picture seen for the first time."""
    asked = encoder.asked("", question.text, [question.picture])
    rows = [maker([one]).to(question.model.device) for one in examples]
    adapted = enlivened(get_peft_model(question.model.requires_grad_(False), question.lora()))

    def losses() -> Iterable[Tensor]:
        for row in rows:
            eyes = Eyes(lambda _: encoder.shown(asked), 1.0)
            yield taught(adapted, adapted, row, eyes, maker.objective)[1].loss / len(rows)

    scored = sum(len(row.target) for row in rows)
    return Step(lambda: _backward(losses()), adapted, sum(row.tokens for row in rows), scored)


def as_trl(question: Question, pairs: Sequence[Pair], folder: Path) -> Step:
    """TRL's own, a pair a batch; `folder` is where it would write."""
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
    cpu = question.model.device.type == "cpu"
    settings = DPOConfig(
        output_dir=str(folder), per_device_train_batch_size=1, max_length=None, beta=0.1,
        report_to=[], use_cpu=cpu, bf16=not cpu, gradient_checkpointing=False, disable_tqdm=True,
        dataloader_pin_memory=False, train_sampling_strategy="sequential",
    )  # fmt: skip
    trainer = DPOTrainer(
        question.model, args=settings, train_dataset=Dataset.from_list(rows),
        processing_class=question.processor, peft_config=question.lora(),
    )  # fmt: skip
    enlivened(trainer.model)
    batches = list(trainer.get_train_dataloader())

    def losses() -> Iterable[Tensor]:
        for batch in batches:
            yield trainer.compute_loss(trainer.model, trainer._prepare_inputs(dict(batch))) / len(batches)

    tokens = sum(batch["input_ids"].numel() for batch in batches)
    return Step(lambda: _backward(losses()), trainer.model, tokens)


def _backward(losses: Iterable[Tensor]) -> float:
    """Each as soon as it is there; their sum."""
    total = 0.0
    for loss in losses:
        loss.backward()
        total += float(loss.detach())
    return total
