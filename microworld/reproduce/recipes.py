"""The trainings that are compared, each as a cell whose seeds are still to be filled in (`at`). All that is
not said here is the product's own: micro.yaml's settings, three epochs, λ 0.3.
"""

from __future__ import annotations

from typing import TypeVar

from microworld.reproduce.seeds import Seeds
from microworld.reproduce.settings import Agents, Cell, Data, Drawn, Test
from ssui_gen.config_pairs import Recovery

NOT_YET = 0
"""Stands where a seed is filled in."""
WIDE = Test(seed=NOT_YET, cool=1, hot=1, probes=60)
"""What the heart of it is measured on: both temperatures, and the probes."""
ONCE = Test(seed=NOT_YET, cool=1)
"""One answer a pair: data sets differ more than draws do, so time goes into those."""
PATHS = Data(seed=NOT_YET)
MANY = Data(seed=NOT_YET, paths=240)
FEW_RISKY = Data(seed=NOT_YET, paths=160, risky=0.15)
DECIDING = (2, 5)
"""Cuts before which errors begin (step 3, and step 6 with the answer): what is drawn where paths are many."""
SFT = {"loss": "sft"}
ONE = {"per_cut": 1}
"""Pairs of a cut: what exploration that stops at one of each kind gives."""

bare = Cell(test=WIDE)
sft = Cell(test=WIDE, data=PATHS, train=SFT)
srpo = Cell(test=WIDE, data=PATHS, drawn=Drawn(), pairs=ONE)
sft_many = Cell(test=ONCE, data=MANY, train=SFT)
srpo_many = Cell(test=ONCE, data=MANY, drawn=Drawn(cuts=DECIDING), pairs=ONE)
sft_few_risky = Cell(test=ONCE, data=FEW_RISKY, train=SFT)
srpo_few_risky = Cell(test=ONCE, data=FEW_RISKY, drawn=Drawn(cuts=DECIDING), pairs=ONE)
root_only = Cell(test=ONCE, data=PATHS, drawn=Drawn(k=24, cuts=(0,)), pairs={"per_cut": 6})
"""As many draws as from all six cuts, and about as many pairs."""
rft = Cell(test=ONCE, data=PATHS, drawn=Drawn(), pairs=ONE, as_paths="chosen", train=SFT)
"""The same chosen branches, as likelihood."""
PROBED = Test(seed=NOT_YET, cool=1, probes=60)
"""One answer a pair, and the probes."""
TWINS = {**ONE, "twins": True}
BEHIND = Recovery(cuts=2, draws=16)
"""Cuts of a path behind a wrong step."""
SPAN = {"train": {"span": "error"}}
span_error = srpo.model_copy(update={"test": ONCE, **SPAN})
"""Both sides of a pair count up to the end of the step in which the rejected one first goes wrong."""
twin_pairs = srpo.model_copy(update={"test": ONCE, "pairs": TWINS})
balanced = srpo.model_copy(update={"test": PROBED, "off": BEHIND})
"""Each pair from behind a wrong step with one where the same words are right, as far as there is any."""
recovery = balanced.model_copy(update={"pairs": {**ONE, "counterparts": False}})
both = twin_pairs.model_copy(update=SPAN)
"""Twins' pairs, and all pairs counted up to the error."""
all_three = recovery.model_copy(update={"pairs": {**TWINS, "counterparts": False}, **SPAN})
both_many = both.model_copy(update={"data": MANY, "drawn": Drawn(cuts=DECIDING)})
dpo = srpo.model_copy(update={"test": ONCE, "train": {"loss": "dpo"}})
"""The same pairs without the likelihood of the path."""
value_dpo = dpo.model_copy(update={"drawn": Drawn(k=8), "pairs": {"mode": "value"}})
"""Steps paired by the share of good ends behind them, of twice as many draws: four tell little."""
grpo = Cell(test=ONCE, data=PATHS, drawn=Drawn(k=8), train={"loss": "grpo"})
"""All branches of a cut by their advantages, as if just drawn; there are no pairs."""
rewritten = srpo.model_copy(update={"test": ONCE, "rewritten": True})
"""The same rejected branches, from their first wrong step on, under what the truth makes of them."""
distilled = Cell(
    test=ONCE, data=PATHS, drawn=Drawn(cuts=(0,), told=True), as_paths="drawn", train=SFT
)  # fmt: skip
"""Likelihood of what the same policy says when its question tells the danger; F is not asked."""
bare_told = Cell(test=Test(seed=NOT_YET, cool=1, told=True))
"""The teacher of `distilled`."""
judged_by_steps = srpo.model_copy(update={"test": ONCE, "supervision": "process"})
"""A right end behind a wrong step is a bad branch."""
steps_span = judged_by_steps.model_copy(update=SPAN)
"""The same, and pairs counted up to the error."""
two_rounds = srpo.model_copy(update={"test": ONCE, "rounds": 2, "train": {"epochs": 1.5}})
"""As many steps in all as one round of three epochs."""
goal = all_three.model_copy(
    update={"data": MANY, "drawn": Drawn(cuts=DECIDING), "train": {**SPAN["train"], "lambda": 0.2}}
)
"""On `dev` λ 0.1 left more unsafe, λ 0.3 warned for nothing more often."""
reflection = Agents(seed=NOT_YET, what="reflection")
checks = Agents(seed=NOT_YET, what="checks")


def lam(value: float) -> Cell:
    """SRPO with another λ."""
    return srpo.model_copy(update={"test": ONCE, "train": {"lambda": value}})


def drawn_at(temperature: float) -> Cell:
    """SRPO on branches drawn at another temperature."""
    return _drawn(Drawn(temperature=temperature))


def draws(k: int) -> Cell:
    """SRPO on more or fewer draws a cut; what they cost stands in the cell's facts."""
    return _drawn(Drawn(k=k))


def noisy(share: float) -> Cell:
    """SRPO with this share of F's verdicts turned round."""
    return srpo.model_copy(update={"test": ONCE, "noise": share})


def on(data: Data) -> Cell:
    """SRPO on other paths."""
    return srpo.model_copy(update={"test": ONCE, "data": data})


def _drawn(drawn: Drawn) -> Cell:
    return srpo.model_copy(update={"test": ONCE, "drawn": drawn})


Recipe = TypeVar("Recipe", bound=Cell | Agents)


def at(recipe: Recipe, seeds: Seeds, data: int) -> Recipe:
    """It with its seeds; of the bare policy there is one for all data seeds."""
    if not isinstance(recipe, Cell):
        return recipe.model_copy(update={"seed": data})
    test = recipe.test.model_copy(update={"seed": seeds.test})
    own = recipe.data and recipe.data.model_copy(update={"seed": data})
    return recipe.model_copy(update={"test": test, "data": own})
