"""An optimiser step: whose mean its gradient is, what pairs weigh, which are watched, how fast it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_families import tiny
from torch import Tensor
from training import FAST
from transformers import TrainerCallback
from trees import Case, eyes, picture, with_lora

from ssui_train.config import SrpoConfig, load
from ssui_train.encode import Encoder
from ssui_train.example import Example
from ssui_train.forward import read
from ssui_train.launch import arguments
from ssui_train.loss import USUAL, objective
from ssui_train.paths import register
from ssui_train.rows import Row, RowMaker, pairs_a_visit
from ssui_train.trainer import SrpoTrainer, rate

pytestmark = pytest.mark.filterwarnings("default::FutureWarning", "default::UserWarning")
SRPO = USUAL["srpo"]


class Spy(TrainerCallback):  # type: ignore[misc]
    """Keeps what is about to be applied: each step's rate and gradients."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.gradients: list[list[Tensor]] = []

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        self.rates.append(told["optimizer"].param_groups[0]["lr"])
        weights = (weight for weight in told["model"].parameters() if weight.requires_grad)
        self.gradients.append([weight.grad.clone() for weight in weights])


class Bench:
    """A tiny policy, five examples of unlike sizes, and trainings of it that are looked at."""

    def __init__(self, folder: Path) -> None:
        self.base, self.processor = tiny("llava")
        self.encoder = Encoder(self.processor, self.base)
        questions = ("what now?", "where is the cat?", "is it the kettle?", "what is under the table?", "no?")
        self.cases = [Case(self.encoder, q, [picture(i)], q) for i, q in enumerate(questions)]
        self.examples = [case.example for case in self.cases]
        self.yaml = folder / "train.yaml"
        self.yaml.write_text("model: tiny\n")
        self.folder = folder

    def config(self, *words: str) -> SrpoConfig:
        return load(self.yaml, (*FAST, "max_grad_norm=1000", *words), output=self.folder / "out")

    def trainer(self, maker: RowMaker, *words: str, watched: int = 1) -> SrpoTrainer:
        model, _ = tiny("llava")
        register(model)
        return SrpoTrainer(
            with_lora(model), arguments(self.config(*words), cpu=True, half=False), maker,
            eyes(self.encoder, *self.cases), train=self.examples, watched=self.examples[:watched], say=print,
        )  # fmt: skip

    def first_gradient(self, *words: str, maker: RowMaker | None = None) -> list[Tensor]:
        spy, trainer = Spy(), self.trainer(maker or RowMaker(SRPO), *words)
        trainer.add_callback(spy)
        trainer.train()
        return spy.gradients[0]

    def mean_gradient(self) -> list[Tensor]:
        """Of J of each example alone, by hand."""
        model, _ = tiny("llava")
        adapted = with_lora(model)
        for case in self.cases:
            row = RowMaker(SRPO)([case.example])
            spans = read(adapted, adapted.get_base_model(), row, eyes(self.encoder, case)).spans
            (objective(SRPO, spans, row.layout).loss / len(self.cases)).backward()
        return [weight.grad.clone() for weight in adapted.parameters() if weight.requires_grad]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("steps"))


@pytest.mark.parametrize(("trees", "questions"), [(1, 8), (2, 8), (3, 6)], ids=["alone", "2 2 1", "3 2"])
def test_an_incomplete_row_weighs_its_examples_as_others_do(bench: Bench, trees: int, questions: int) -> None:
    """Five examples are one step; the last row of two or three is not full."""
    found = bench.first_gradient(f"trees_per_row={trees}", f"questions_per_step={questions}", "epochs=1")
    expected = bench.mean_gradient()
    assert max(g.abs().max().item() for g in expected) > 1e-4
    for one, other in zip(found, expected, strict=True):
        assert (one - other).norm() <= 1e-4 * other.norm()


@pytest.mark.parametrize(("trees", "most"), [(1, 60), (2, 60), (3, 5)], ids=["alone", "two", "torn"])
def test_a_step_in_parts_has_the_gradient_of_one_under_a_mask(bench: Bench, trees: int, most: int) -> None:
    words = (f"trees_per_row={trees}", "questions_per_step=6", "epochs=1")
    found = bench.first_gradient(*words, maker=RowMaker(SRPO, by_paths=True, part_tokens=most))
    for one, other in zip(found, bench.mean_gradient(), strict=True):
        assert (one - other).norm() <= 1e-4 * other.norm()


def test_what_is_logged_is_the_mean_over_examples_too(bench: Bench) -> None:
    """One row of two and one of one: the watched loss is that of three examples alone."""
    losses = []
    for trees in (1, 2):
        words = (f"trees_per_row={trees}", "questions_per_step=2")
        losses.append(bench.trainer(RowMaker(SRPO), *words, watched=3).evaluate()["eval_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_watched_pairs_are_the_same_at_every_look(bench: Bench) -> None:
    """Those that are trained on are drawn anew each epoch; a fall must not come of other pairs."""
    trainer = bench.trainer(RowMaker(SRPO, group_cap=1, seed=3), watched=5)
    looks, visits = set(), set()
    for epoch in range(6):
        trainer.state.epoch = float(epoch)
        looks.add(tuple(shown(told["row"]) for told in trainer.get_eval_dataloader()))
        visits.add(shown(trainer.row_of(bench.examples)["row"]))
    assert len(looks) == 1
    assert len(visits) > 1


def shown(row: Row) -> tuple[str, ...]:
    """The row's pairs, of each example one."""
    assert all(len(example.pairs) == 1 for example in row.examples)
    return tuple(example.pairs[0].id for example in row.examples)


def test_the_first_step_moves_however_short_the_warm_up(bench: Bench) -> None:
    spy, trainer = Spy(), bench.trainer(RowMaker(SRPO), "epochs=6", "questions_per_step=5", "warmup=0.05")
    trainer.add_callback(spy)
    trainer.train()
    peak = trainer.args.learning_rate
    assert spy.rates == pytest.approx([peak * rate(step, rising=1, steps=6) for step in range(6)])
    assert spy.rates[0] == pytest.approx(peak / 2)


@given(st.integers(1, 300), st.integers(0, 300))
def test_the_rate_rises_once_falls_once_and_is_never_zero(steps: int, rising: int) -> None:
    found = [rate(step, rising=min(rising, steps), steps=steps) for step in range(steps)]
    top = found.index(max(found))
    assert all(0 < one <= 1 for one in found)
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)
    assert rising >= steps or found[rising] == 1


def only(example: Example, pairs: int) -> Example:
    """The example with so many pairs, the first again and again."""
    first = example.pairs[0]
    return example.only([first._replace(id=f"{first.id}-{n}") for n in range(pairs)])


@given(
    numbers=st.lists(st.integers(0, 12), min_size=1, max_size=6).filter(any),
    cap=st.none() | st.integers(1, 6),
)
def test_weights_of_pairs_add_up_whatever_the_cap(
    few: Callable[[int], Example], numbers: list[int], cap: int | None
) -> None:
    """On average to 1 an example that has any, as those by question and by step do exactly."""
    examples = [few(number) for number in numbers]
    told = {"mean_pairs": pairs_a_visit([len(one.pairs) for one in examples], cap), "group_cap": cap}
    for weights in ("question", "step", "pair"):
        maker = RowMaker(SRPO, weights=weights, **told)  # type: ignore[arg-type]
        weight = maker(examples).layout.weight.sum() * len(examples)
        assert weight.item() == pytest.approx(sum(map(bool, numbers)), rel=1e-4)


@pytest.fixture(scope="module")
def few(bench: Bench) -> Callable[[int], Example]:
    return lambda number: only(bench.examples[0], number)


def test_nothing_to_weigh_divides_by_nothing() -> None:
    assert pairs_a_visit([], 8) == 1.0
    assert torch.isfinite(torch.tensor(pairs_a_visit([], None)))
