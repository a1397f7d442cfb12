"""What cells of recipes and rivals are made of: other harmless twins, rewrites, rounds, what is told."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import pytest
import torch

from microworld.corpus.drift import drifting_path
from microworld.corpus.responses import Response, blind, right, wrong_warning
from microworld.draw.likeness import likeness
from microworld.reproduce.branches import by_steps, explored, judged
from microworld.reproduce.cell import laboratory
from microworld.reproduce.paths import Told, told, with_evidence
from microworld.reproduce.rewriting import rewrite, rewritten
from microworld.reproduce.rounds import in_rounds
from microworld.reproduce.settings import Cell, Data, Drawn
from microworld.reproduce.settings import Test as HeldOut
from microworld.reproduce.training import NONE_HELD, trained
from microworld.reproduce.weights import Weights
from microworld.truth.steps import Truth, first_bad_of
from microworld.world.rules import world
from ssui_gen.branches import Branch, Cut
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.config import Config
from ssui_gen.exploring.making import Making
from ssui_gen.exploring.pairs import pair_of
from ssui_gen.jsonl import as_line
from ssui_gen.reading import read

MODEL = Path(__file__).parents[1] / "microworld" / "models" / "policy"
TINY = HeldOut(seed=3, each=2, cool=1)
DATA = Data(seed=3, paths=4)


pytestmark = pytest.mark.usefixtures("one_thread")
lab = partial(laboratory, MODEL)


# --- harmless twins -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_neither_words_nor_picture_of_swapped_twins_tell_the_kind(seed: int) -> None:
    paths = told(Data(seed=seed, paths=48, harmless="swapped"))
    risky, benign = ([one for one in paths if one.path.kind == kind] for kind in ("risky", "benign"))
    swapped = [one for one in benign if one.path.id.endswith("swapped")]
    assert len(risky) == 24 and len(swapped) > 20
    pictures = {one.pair.scene.id: one.pair.text for one in risky}
    for one in swapped:
        assert one.pair.text in {other.pair.text for other in risky}
        assert pictures[one.pair.scene.id] != one.pair.text, "another's picture"
        assert world().is_clear_benign(one.pair.request, one.pair.scene.things)
    shown = Counter(one.pair.scene.id for one in swapped)
    assert len(shown) > 12, "not always the same picture"


def test_where_the_danger_stood_stands_what_is_most_like_it() -> None:
    usual, alike = (told(Data(seed=5, paths=96, harmless=kind)) for kind in ("twins", "alike"))
    assert [one.path.id for one in usual] == [one.path.id for one in alike]
    changed = [(old, new) for old, new in zip(usual, alike, strict=True) if old.pair != new.pair]
    assert len(changed) > 5 and {new.path.id.rsplit("-", 1)[1] for _, new in changed} == {"picture"}
    risky = {one.path.seed_id: one.pair for one in usual if one.path.kind == "risky"}
    for old, new in changed:
        rule = risky[new.path.seed_id].rule
        assert rule and world().is_clear_benign(new.pair.request, new.pair.scene.things)
        best = [max(likeness(rule.thing, thing) for thing in one.pair.scene.things) for one in (old, new)]
        others = set(new.pair.scene.things) - set(risky[new.path.seed_id].scene.things)
        assert others and best[1] >= max(likeness(rule.thing, thing) for thing in others)


def test_bottles_are_alike_and_a_thing_is_most_like_itself() -> None:
    assert likeness("pill_bottle", "wine_bottle") > likeness("pill_bottle", "dog")
    assert likeness("cat", "cat") == 2 and likeness("cat", "car") == likeness("car", "cat") < 1


# --- rewrites -----------------------------------------------------------------------------------------


def wrong(one: Told, cut: int, spoil: str) -> tuple[Cut, Branch]:
    """A branch that is wrong from its third step on, or in its answer alone."""
    rng = Random(f"{one.path.id}/{spoil}")
    said = right(rng, one.pair)
    lost = blind(rng, one.pair) if one.pair.risky else wrong_warning(rng, one.pair)
    if spoil == "answer":
        said = Response(said.steps, lost.answer)
    else:
        said = Response((*said.steps[:2], *lost.steps[2:]), lost.answer)
    text = render_path(said.steps, said.answer)
    prefix = prefix_at(one.path.steps, cut)
    rest = text[len(prefix_at(said.steps, cut)) :]
    branch = Branch(
        id=f"{one.path.id}-{cut}-{spoil}", text=rest, finish="stop", judgement=judged(one, cut, prefix + rest)
    )
    return Cut.of_path(one.path, cut, prefix, [branch], draws=1), branch


@pytest.mark.parametrize("spoil", ["step 3", "answer"])
@pytest.mark.parametrize("cut", [0, 2])
def test_a_rewrite_is_right_from_the_first_wrong_step_on_and_keeps_what_stands_before(
    cut: int, spoil: str
) -> None:
    for one in told(Data(seed=4, paths=12)):
        row, branch = wrong(one, cut, spoil)
        assert branch.judgement.polarity == "bad"
        found = rewrite(one.pair, row, branch)
        assert found and found.step == (3 if spoil == "step 3" else 6)
        whole = row.prefix + branch.text
        kept = whole[: whole.index(f"{found.step}. ")]
        again = judged(one, cut, kept + found.text)
        assert again.polarity == "good" and again.by["first_bad_step"]["picked"] == ["none"]
        if spoil == "answer":
            sixth = whole[whole.index("6. ") : whole.index("\nAnswer")]
            assert found.text.startswith(sixth), "the answer alone was wrong"


def test_what_is_right_is_not_rewritten() -> None:
    one = told(DATA)[0]
    text = render_path(one.path.steps, one.path.answer)
    row, _ = wrong(one, 0, "answer")
    good = Branch(id="good", text=text, finish="stop", judgement=judged(one, 0, text))
    assert good.judgement.polarity == "good" and rewrite(one.pair, row, good) is None


def test_pairs_of_rewrites_stand_for_those_of_branches(tmp_path: Path) -> None:
    paths = told(DATA)
    rows = [wrong(one, 0, "step 3") for one in paths]
    better = [branch.model_copy(update={"id": f"{branch.id}+"}) for _, branch in rows]
    pairs = [
        pair_of(row, (good, branch), "", "outcome") for (row, branch), good in zip(rows, better, strict=True)
    ]
    source = tmp_path / "reasoning_paths.jsonl"
    source.write_bytes(b"".join(as_line(one.path) for one in paths))
    cuts = [row for row, _ in rows]
    (tmp_path / "branches.jsonl").write_bytes(b"".join(map(as_line, cuts)))
    making = Making(tmp_path, source, tmp_path, Config(), "", NONE_HELD)
    found = rewritten(making, pairs[:3], paths, cuts)
    assert {pair.source for pair in found} == {"corrected"} and len(found) == 3
    assert {pair.path_id for pair in found} == {pair.path_id for pair in pairs[:3]}
    for pair in found:
        assert pair.cut == 2 and pair.off_path and pair.first_bad == "step 3"
        assert pair.rejected[0]["content"][0]["text"] in {branch.text for _, branch in rows}


# --- trainings ----------------------------------------------------------------------------------------


def weight(weights: Weights) -> torch.Tensor:
    return weights.layers[0].qkv


def cuts_of(paths: tuple[Told, ...], drawn: Drawn) -> list[Cut]:
    return explored(lab(), lab().bare, paths, drawn, 1)


def test_a_training_goes_on_from_the_adapter_that_it_is_given(tmp_path: Path) -> None:
    paths = told(DATA)
    cell = Cell(test=TINY, data=DATA, train={"loss": "sft", "epochs": 1.0})
    still = cell.model_copy(update={"train": {**cell.train, "learning_rate": 1e-12}})
    for one in paths:
        lab().prompt(one.pair)
    first = trained(lab(), paths, [], cell, tmp_path / "1", None)
    second = trained(lab(), paths, [], still, tmp_path / "2", tmp_path / "1")
    fresh = trained(lab(), paths, [], still, tmp_path / "3", None)
    assert torch.allclose(weight(second.weights), weight(first.weights), atol=1e-6)
    assert torch.allclose(weight(fresh.weights), weight(lab().bare), atol=1e-6)
    assert not torch.allclose(weight(first.weights), weight(lab().bare), atol=1e-6)


def test_two_rounds_draw_twice_and_take_as_many_steps_as_both() -> None:
    paths = told(DATA)
    drawn = Drawn(k=2, cuts=(2,))
    cell = Cell(test=TINY, data=DATA, drawn=drawn, train={"epochs": 1.0}, rounds=2)
    for one in paths:
        lab().prompt(one.pair)
    cuts = cuts_of(paths, drawn)
    once = in_rounds(lab(), paths, cuts, cell.model_copy(update={"rounds": 1}))
    twice = in_rounds(lab(), paths, cuts, cell)
    assert twice.facts["steps"] == 2 * once.facts["steps"] and twice.facts["paths"] == once.facts["paths"]
    assert twice.facts["draws"] == len(paths) * drawn.k, "those of the first round are counted by the cell"
    assert twice.facts["tokens"] > once.facts["tokens"] and twice.facts["drawing_seconds"] > 0
    assert not torch.allclose(weight(twice.weights), weight(once.weights), atol=1e-6)


def test_what_is_distilled_was_said_by_one_who_is_told_and_is_learnt_by_one_who_is_not() -> None:
    paths = told(DATA)
    for one in paths:
        words = with_evidence(one.pair).text
        assert words.startswith(one.pair.text) and (not one.pair.rule or one.pair.rule.harm[1:] in words)
    drawn = Drawn(k=3, cuts=(0,), told=True)
    cuts = cuts_of(paths, drawn)
    assert [cut.query for cut in cuts] == [one.pair.text for one in paths]
    plain = cuts_of(paths, Drawn(k=3, cuts=(0,)))
    assert [cut.branches for cut in cuts] != [cut.branches for cut in plain], "another question was asked"
    cell = Cell(
        test=TINY, data=DATA, drawn=drawn, as_paths="drawn", train={"loss": "sft", "epochs": 1.0}
    )  # fmt: skip
    for one in paths:
        lab().prompt(one.pair)
    found = in_rounds(lab(), paths, cuts, cell)
    whole = sum(branch.times for cut in cuts for branch in cut.branches if branch.finish == "stop")
    assert found.facts["examples"] == whole and found.facts["pairs"] == 0


def test_an_f_that_judges_steps_calls_no_right_end_behind_a_wrong_step_good() -> None:
    rng, found = Random(5), Counter[tuple[str, str]]()
    for one in told(DATA):
        said = {render_path(*drifting_path(rng, one.pair)) for _ in range(60)}
        made = [Branch(id=t, text=t, finish="stop", judgement=judged(one, 0, t)) for t in sorted(said)]
        cut = Cut.of_path(one.path, 0, "", made, draws=len(made))
        truth = Truth(one.pair.request, one.pair.scene.things, one.pair.rule)
        [strict] = by_steps([cut])
        for before, after in zip(cut.branches, strict.branches, strict=True):
            found[before.judgement.polarity, after.judgement.polarity] += 1
            assert (after.judgement.polarity == "good") == (first_bad_of(read(before.text), truth) == 0)
    assert set(found) == {("good", "good"), ("good", "bad"), ("bad", "bad")}
