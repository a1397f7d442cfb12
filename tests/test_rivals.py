"""What SRPO is compared with on the same branches: chosen ones as likelihood, groups of GRPO."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from runs import change, loaded, tiny_encoder, write_run
from test_loss import layout, spans
from test_tree import Bench
from training import Training
from trees import Case, eyes

from ssui_gen.branches import Branch, Judgement
from ssui_gen.errors import ConfigError
from ssui_train.config import load
from ssui_train.encode import Encoder
from ssui_train.example import Drawn, Example
from ssui_train.forward import read
from ssui_train.groups import judged, reward, weights
from ssui_train.loss import USUAL, objective
from ssui_train.rows import RowMaker
from ssui_train.tree import grow

Rows = list[dict[str, Any]]
GRPO, RFT, SRPO = USUAL["grpo"], USUAL["rft"], USUAL["srpo"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny_encoder()


def gradient(bench: Bench, loss: torch.Tensor) -> list[torch.Tensor]:
    bench.adapted.zero_grad()
    loss.backward()
    weights_ = [p for p in bench.adapted.parameters() if p.requires_grad]
    return [w.grad.clone() for w in weights_ if w.grad is not None]


def naive(bench: Bench, case: Case, ids: list[int], start: int = 0) -> torch.Tensor:
    """The mean log-probability of a continuation's tokens from `start` on, read alone, one forward pass."""
    prompt = case.example.prompt.ids
    whole = torch.tensor([[*prompt, *ids]])
    seen = bench.encoder.shown(case.asked)
    if (kinds := seen.get("mm_token_type_ids")) is not None:
        seen["mm_token_type_ids"] = torch.cat([kinds, kinds.new_zeros(1, len(ids))], 1)
    logits = bench.adapted(input_ids=whole, attention_mask=torch.ones_like(whole), **seen).logits[0]
    every = torch.log_softmax(logits.float(), -1)
    first = len(prompt) + start
    places = torch.arange(first, whole.shape[1])
    return every[places - 1, whole[0, places]].mean()


def same(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    assert len(found) == len(expected) > 0
    assert max(one.abs().max().item() for one in expected) > 1e-4
    for one, other in zip(found, expected, strict=True):
        assert (one - other).norm() <= 1e-3 * other.norm() + 1e-7


# --- chosen branches as plain likelihood --------------------------------------------------------------


def test_rft_by_hand() -> None:
    policy = spans((-2.0, 4), (-6.0, 3), (-9.0, 2))
    terms = objective(RFT, policy, layout(1))
    assert terms.pair_loss.tolist() == pytest.approx([2.0])
    assert terms.loss.item() == pytest.approx(0.5 + 0.3 * 2.0)


@pytest.mark.parametrize("packing", ["tree", "none"])
def test_rft_s_gradient_is_that_of_the_reference_and_the_chosen_branches(packing: Any) -> None:
    bench = Bench("llava")
    case = Case(bench.encoder)
    pad = bench.base.config.text_config.pad_token_id
    row = RowMaker(RFT, packing=packing, pad=pad)([case.example])
    found = read(bench.adapted, bench.base, row, eyes(bench.encoder, case))
    mine = gradient(bench, objective(RFT, found.spans, row.layout).loss)
    one = case.example
    chosen = [one.branches[pair.chosen] for pair in one.pairs]
    loss = -naive(bench, case, one.reference)
    loss = loss - 0.3 * sum(naive(bench, case, side.ids, side.start) for side in chosen) / len(chosen)
    same(mine, gradient(bench, loss))


# --- groups -------------------------------------------------------------------------------------------


def branch(good: bool | None, times: int = 1, probability: float | None = None) -> Branch:
    polarity = "unverified" if good is None else "good" if good else "bad"
    judgement = Judgement(polarity=polarity, probability=probability)  # type: ignore[arg-type]
    return Branch(id="b", text="t", finish="stop", times=times, judgement=judgement)


def test_advantages_by_hand() -> None:
    """One good of four: mean 1/4, deviation √3/4, so √3 and −1/√3, each a quarter of the draws."""
    found = weights([branch(True), branch(False, times=3)])
    assert found == pytest.approx([math.sqrt(3) / 4, -3 / math.sqrt(3) / 4])
    assert weights([branch(True), branch(True, times=2)]) is None
    assert reward(Judgement(polarity="bad", probability=0.2)) == 0.2
    assert reward(Judgement(polarity="unverified", probability=0.5)) is None
    assert len(judged([branch(None), branch(True)])) == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), min_size=2, max_size=8))
def test_advantages_are_those_of_the_draws_one_by_one(drawn: list[tuple[float, int]]) -> None:
    """Said twice is drawn twice; over a group they add up to 0, their squares to 1."""
    found = weights([branch(p >= 0.5, times, p) for p, times in drawn])
    worth = torch.tensor([p for p, times in drawn for _ in range(times)], dtype=torch.float64)
    deviation = worth.std(correction=0)
    if deviation < 1e-5:
        return
    assert found is not None
    expected, at = ((worth - worth.mean()) / deviation / len(worth)).tolist(), 0
    for (_, times), weight in zip(drawn, found, strict=True):
        assert weight == pytest.approx(sum(expected[at : at + times]), abs=1e-9)
        at += times
    assert sum(found) == pytest.approx(0, abs=1e-9)


def grouped(case: Case) -> Example:
    """Two groups: of cut 0 both branches, of cut 1 both and one of cut 2 as if it were drawn there."""
    drawn = (Drawn(0, 0, 0.5), Drawn(0, 1, -0.5), Drawn(1, 2, 0.4), Drawn(1, 3, -0.3), Drawn(1, 4, -0.1))
    return case.example.__class__(**{**vars(case.example), "pairs": (), "drawn": drawn})


@pytest.mark.parametrize("packing", ["tree", "none"])
@pytest.mark.parametrize("family", ["llava", "qwen2_5_vl"])
def test_grpo_s_gradient_is_that_of_advantages_times_log_probabilities(packing: Any, family: str) -> None:
    bench = Bench(family)
    case = Case(bench.encoder)
    case.example = one = grouped(case)
    pad = bench.base.config.text_config.pad_token_id
    row = RowMaker(GRPO, packing=packing, pad=pad)([one])
    found = read(bench.adapted, bench.base, row, eyes(bench.encoder, case))
    mine = gradient(bench, objective(GRPO, found.spans, row.layout).loss)
    sides = [(drawn.weight, one.branches[drawn.branch]) for drawn in one.drawn]
    loss = -sum(weight * naive(bench, case, side.ids, side.start) for weight, side in sides) / 2
    same(mine, gradient(bench, torch.as_tensor(loss)))


def test_a_run_s_judged_branches_are_groups(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=2, cuts=(0, 2))

    def judged_as(rows: Rows) -> Rows:
        for cut in rows:
            first = cut["branches"][0]
            more = [first | {"id": f"{first['id']}+", "text": first["text"] + " Now.", "times": 2}]
            unsure = first | {"id": f"{first['id']}?", "text": first["text"] + " Or so."}
            unsure["judgement"] = first["judgement"] | {"polarity": "unverified"}
            cut["branches"] = [*cut["branches"], *more, unsure]
        alike = rows[-1]["branches"]
        rows[-1]["branches"] = [one | {"judgement": alike[0]["judgement"]} for one in alike]
        return rows

    change(run / "branches.jsonl", judged_as)
    (run / "pairs.jsonl").unlink()
    first, second = loaded(run, encoder, loss="grpo").examples
    assert [one.cut for one in first.drawn] == [0, 0, 0, 2, 2, 2]
    assert [one.cut for one in second.drawn] == [0, 0, 0], "all alike at the other cut: nothing to learn"
    expected = weights([branch(True, 1, 0.9), branch(False, 1, 0.1), branch(True, 2, 0.9)])
    assert [one.weight for one in first.drawn[:3]] == pytest.approx(expected)
    said = [encoder.text(first.branches[one.branch].ids) for one in first.drawn]
    assert said[2].endswith(" Now.") and not any("Or so" in text for text in said)
    row = RowMaker(GRPO)([first, second])
    assert row.layout.target_weight.tolist() == pytest.approx(
        [one.weight / 4 for one in first.drawn] + [one.weight / 2 for one in second.drawn]
    )


def test_what_is_unfit_of_a_group_is_told_and_the_rest_weighed_anew(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=2, cuts=(0,))

    def spoilt(rows: Rows) -> Rows:
        bad = rows[0]["branches"][1]
        more = [
            bad | {"id": "x", "text": bad["text"] + "<|im_end|>"},
            bad | {"id": "y", "text": bad["text"] + " ok"},
        ]
        rows[0]["branches"] += more
        return rows

    change(run / "branches.jsonl", spoilt)
    found = loaded(run, encoder, loss="grpo")
    assert dict(found.reasons) == {("branch", "mark_as_words"): 1}
    expected = weights([branch(True, 1, 0.9), branch(False, 1, 0.1), branch(False, 1, 0.1)])
    assert [one.weight for one in found.examples[0].drawn] == pytest.approx(expected)


def test_a_group_too_large_for_a_row_is_left_out_whole(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=1, cuts=(0, 5))
    whole = loaded(run, encoder, loss="grpo").examples[0]
    size = len(grow(whole.prompt.ids, [whole.reference, *(one.ids for one in whole.branches)]))
    found = loaded(run, encoder, loss="grpo", max_row=size - 1)
    assert dict(found.reasons) == {("group", "tree_too_long"): 1}
    assert {one.cut for one in found.examples[0].drawn} == {5}
    assert len(found.examples[0].branches) == 2


def test_a_path_whose_groups_are_all_too_large_is_not_trained_on(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=2, cuts=(0, 5))
    with pytest.raises(ConfigError, match=r"left: 4 group tree_too_long, 2 path no_pair"):
        loaded(run, encoder, loss="grpo", max_row=1)


def test_words_of_a_path_that_was_changed_make_no_group(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=2, cuts=(2,))

    def edit(rows: Rows) -> Rows:
        rows[0]["steps"][0]["text"] = "the cat is here"
        return rows

    change(run / "reasoning_paths.jsonl", edit)
    found = loaded(run, encoder, loss="grpo")
    assert [one.id for one in found.examples] == ["path1"]
    assert dict(found.reasons) == {("path", "no_pair"): 1}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("loss=grpo", "span=error"), "span error compares two sides"),
        (("loss=grpo", "ref_target=reference"), "loss grpo has drawn"),
        (("loss=srpo", "ref_target=drawn"), "loss grpo has drawn"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("model: tiny\n")
    with pytest.raises(ConfigError, match=says):
        load(file, words)


@pytest.mark.slow
@pytest.mark.parametrize("word", ["loss=grpo", "loss=rft", "span=error"])
def test_a_whole_training_of_it_ends_and_its_settings_are_read_again(training: Training, word: str) -> None:
    name = word.replace("=", "-")
    folder = training.here(name, word)
    losses = training.losses(name)
    assert len(losses) > 1 and all(map(math.isfinite, losses))
    assert folder.facts["figures"]["steps"] > 1
    again = load(folder.path / "srpo.yaml", output=folder.path)
    loss, span = ("srpo", "error") if word == "span=error" else (word.removeprefix("loss="), "suffix")
    assert (again.loss, again.objective.span) == (loss, span)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training(tmp_path_factory.mktemp("rivals"))
