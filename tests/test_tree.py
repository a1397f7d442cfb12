"""The tree: its geometry on small cases and on random ones, and that it changes no log-probability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_families import FAMILIES, tiny
from torch import Tensor
from trees import BRANCHES, STEPS, Case, eyes, picture, with_lora

from ssui_train.encode import Encoder
from ssui_train.example import Example, parted
from ssui_train.families import TREE
from ssui_train.forward import read
from ssui_train.loss import USUAL, Objective, objective
from ssui_train.rows import Row, RowMaker
from ssui_train.tree import grow, mask, pack, positions

SRPO = USUAL["srpo"]
ABSOLUTE, RELATIVE = 1e-5, 1e-4
Sequences = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=6)


# --- geometry --------------------------------------------------------------------------------------


def test_shared_beginnings_stand_once_and_subtrees_have_no_gaps() -> None:
    """The prompt 7 8, then 1 2 3, 1 2 4 and 1 5: the 1 is shared by all, the 2 by two."""
    tree = grow([7, 8], [[1, 2, 3], [1, 2, 4], [1, 5]])
    assert tree.ids == [7, 8, 1, 2, 3, 4, 5]
    assert tree.parent == [-1, 0, 1, 2, 3, 3, 2]
    assert tree.last == [7, 7, 7, 6, 5, 6, 7]
    assert tree.depth == [0, 1, 2, 3, 4, 4, 3]
    assert tree.paths == [[2, 3, 4], [2, 3, 5], [2, 6]]
    assert tree.unshared == 3 * 2 + 8


def test_the_mask_of_that_tree_drawn_out() -> None:
    drawn = ["x......", "xx.....", "xxx....", "xxxx...", "xxxxx..", "xxxx.x.", "xxx...x"]
    found = mask(pack([grow([7, 8], [[1, 2, 3], [1, 2, 4], [1, 5]])]).last)[0, 0]
    assert ["".join("x" if one else "." for one in row) for row in found.tolist()] == drawn


def test_positions_restart_where_a_prefix_ends() -> None:
    """A prompt of text, a 2 x 2 picture and text, under M-RoPE; text goes on after the largest position."""
    prompt = torch.tensor([[0, 1, 1, 1, 1, 3], [0, 1, 1, 2, 2, 3], [0, 1, 2, 1, 2, 3]])
    tree = grow([9, 5, 5, 5, 5, 9], [[1, 2, 3], [1, 4]])
    assert positions([tree], [prompt])[:, 6:].tolist() == [[4, 5, 6, 5]] * 3


@given(Sequences, Sequences)
def test_any_tree_shows_each_token_its_own_past_and_nothing_else(one: Any, other: Any) -> None:
    trees = [grow([8, 9], one), grow([9], other)]
    packed = pack(trees)
    allowed = mask(packed.last)[0, 0]
    starts = [0, len(trees[0])]
    for tree, prompt, start, sequences, paths in zip(
        trees, ([8, 9], [9]), starts, (one, other), packed.paths, strict=True
    ):
        for sequence, path in zip(sequences, paths, strict=True):
            whole = [*range(start, start + len(prompt)), *path.tolist()]
            assert packed.ids[whole].tolist() == [*prompt, *sequence]
            assert packed.parent[path].tolist() == whole[len(prompt) - 1 : -1]
            for place, at in enumerate(whole):
                assert allowed[at].nonzero().flatten().tolist() == whole[: place + 1]
        beginnings = {tuple(s[: n + 1]) for s in sequences for n in range(len(s))}
        assert len(tree) == len(prompt) + len(beginnings), "each beginning stands once"


# --- the same as single sequences, on every family -------------------------------------------------


class Bench:
    """One family's model under LoRA, and how examples are read with it."""

    def __init__(self, family: str, attention: str = "sdpa") -> None:
        base, processor = tiny(family, attention)
        self.encoder = Encoder(processor, base)
        self.adapted = with_lora(base)
        self.base: Any = self.adapted.get_base_model()

    def read(self, row: Row, *cases: Case) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Mean log-probabilities of the spans, J, and the gradient of each LoRA weight."""
        self.adapted.zero_grad()
        found = read(self.adapted, self.base, row, eyes(self.encoder, *cases))
        loss = objective(SRPO, found.spans, row.layout).loss
        loss.backward()
        weights = [p for p in self.adapted.parameters() if p.requires_grad]
        return (
            found.spans.mean.detach(),
            loss.detach(),
            [w.grad.clone() for w in weights if w.grad is not None],
        )

    def alone(self, cases: list[Case]) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The same by the oracle: a row a continuation, an example at a time."""
        maker = RowMaker(SRPO, packing="none", pad=self.base.config.text_config.pad_token_id)
        parts = [self.read(maker([case.example]), case) for case in cases]
        gradients = [torch.stack(every).mean(0) for every in zip(*(part[2] for part in parts), strict=True)]
        return torch.cat([p[0] for p in parts]), torch.stack([p[1] for p in parts]).mean(), gradients


@pytest.fixture(scope="module", params=FAMILIES)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


def same(bench: Bench, cases: list[Case]) -> None:
    """The cases as one row of trees against the oracle; spans are numbered differently, so by example."""
    row = RowMaker(SRPO)([case.example for case in cases])
    means, loss, gradients = bench.read(row, *cases)
    expected, expected_loss, expected_gradients = bench.alone(cases)
    assert torch.allclose(means[_by_example(row)], expected, atol=ABSOLUTE, rtol=0)
    assert loss.item() == pytest.approx(expected_loss.item(), rel=1e-5)
    assert len(gradients) == len(expected_gradients) > 0
    scale = max(g.abs().max().item() for g in expected_gradients)
    assert scale > 1e-4, "gradients are alive"
    for one, other in zip(gradients, expected_gradients, strict=True):
        assert (one - other).norm() <= RELATIVE * other.norm()


def _by_example(row: Row) -> Tensor:
    """Numbers of spans in the oracle's order: of each example its target, then its pairs."""
    order, pair = [], len(row.examples)
    for number, example in enumerate(row.examples):
        order += [number, *range(pair, pair + 2 * len(example.pairs))]
        pair += 2 * len(example.pairs)
    return torch.tensor(order)


def test_one_picture_and_nested_branches(bench: Bench) -> None:
    same(bench, [Case(bench.encoder)])


def test_several_pictures_of_unlike_sizes(bench: Bench) -> None:
    shown = [picture(1), picture(2, side=56, wide=112), picture(3)]
    same(bench, [Case(bench.encoder, pictures=shown)])


def test_several_trees_in_one_row(bench: Bench) -> None:
    other = {0: BRANCHES[0], 2: ["3. the kettle\nAnswer: away", "3. the kettle is\nAnswer: on"]}
    cases = [
        Case(bench.encoder, "one"),
        Case(bench.encoder, "two", [picture(1, side=112)], "where is the kettle?", other),
        Case(bench.encoder, "three", [picture(2)], "what is under the table?"),
    ]
    same(bench, cases)


def test_changing_one_branch_changes_no_other(bench: Bench) -> None:
    """A branch put in the place of another: nothing else moves but the last digits of sums of another length,
    a few of which make 1e-6 of a log-probability of -7 in float32.
    """
    case = Case(bench.encoder)
    changed = Case(bench.encoder, branches=BRANCHES | {1: [BRANCHES[1][0], "2. it is away\nAnswer: away"]})
    means = [bench.read(RowMaker(SRPO)([c.example]), c)[0] for c in (case, changed)]
    moved = (means[0] - means[1]).abs()
    others = [i for i in range(len(moved)) if i != 4]
    assert moved[others].max() < 3e-6 < moved[4] / 20


def test_pictures_are_computed_once_and_the_cache_changes_nothing(bench: Bench) -> None:
    case = Case(bench.encoder)
    row = RowMaker(SRPO)([case.example])
    seen = eyes(bench.encoder, case)
    looked: list[str] = []
    plain = seen.look
    seen.look = lambda example: looked.append(example.id) or plain(example)  # type: ignore[func-returns-value]
    with torch.no_grad():
        twice = [read(bench.adapted, bench.base, row, seen).spans.mean for _ in range(2)]
        never = read(bench.adapted, bench.base, row, eyes(bench.encoder, case, cache_gb=0)).spans.mean
    assert looked == ["one"]
    assert torch.equal(twice[0], twice[1])
    assert torch.equal(twice[0], never)


@pytest.mark.parametrize("family", ["qwen2_5_vl", "llava_onevision", "internvl", "mistral3"])
def test_continuations_in_batches_give_what_one_batch_gives(family: str) -> None:
    """Seven continuations, two or three at once, with several pictures; the gradients come out of all."""
    bench = Bench(family)
    case = Case(bench.encoder, pictures=[picture(1), picture(2, side=56, wide=112)])
    pad = bench.base.config.text_config.pad_token_id
    whole = RowMaker(SRPO, packing="none", pad=pad)([case.example])
    width = whole.input_ids.shape[1]
    means, loss, gradients = bench.read(whole, case)
    for at_once in (1, 2, 3):
        maker = RowMaker(SRPO, packing="none", pad=pad, batch_tokens=at_once * width)
        row = maker([case.example])
        assert (row.at_once, whole.at_once) == (at_once, 7)
        assert row.unshared <= row.tokens <= whole.tokens
        found, same_loss, others = bench.read(row, case)
        assert torch.allclose(found, means, atol=ABSOLUTE, rtol=0)
        assert same_loss.item() == pytest.approx(loss.item(), rel=1e-5)
        for one, other in zip(others, gradients, strict=True):
            assert (one - other).norm() <= RELATIVE * other.norm()


def test_no_more_than_a_batch_of_continuations_goes_through_the_model_at_once() -> None:
    bench = Bench("llava")
    case = Case(bench.encoder)
    maker = RowMaker(SRPO, packing="none", pad=bench.base.config.text_config.pad_token_id, batch_tokens=1)
    calls: list[int] = []
    bench.base.register_forward_pre_hook(
        lambda module, _, told: calls.append(len(told["input_ids"])), with_kwargs=True
    )
    bench.read(maker([case.example]), case)
    assert calls == [1] * (7 + 6), "all but the last once more, for the gradient"
    with torch.no_grad():
        read(bench.adapted, bench.base, maker([case.example]), eyes(bench.encoder, case))
    assert calls == [1] * (7 + 6 + 7), "without a gradient none is"


def test_every_architecture_that_may_be_packed_is_tested_here() -> None:
    assert {tiny(family)[0].config.model_type for family in FAMILIES} == set(TREE)


@pytest.mark.parametrize("family", ["qwen2_5_vl", "llava", "mistral3", "aya_vision"])
def test_eager_attention_gives_the_same(family: str) -> None:
    bench = Bench(family, "eager")
    same(bench, [Case(bench.encoder), Case(bench.encoder, "two", [picture(1)])])


@pytest.mark.parametrize("loss", sorted(set(USUAL) - {"grpo"}))  # that one: test_rivals
def test_every_loss_is_the_same_in_both_packings(loss: str) -> None:
    bench = Bench("llava")
    case = Case(bench.encoder)
    found = []
    for packing in ("tree", "none"):
        maker = RowMaker(USUAL[loss], packing=packing, pad=bench.base.config.text_config.pad_token_id)  # type: ignore[arg-type]
        row = maker([case.example])
        with torch.no_grad():
            spans = read(bench.adapted, bench.base, row, eyes(bench.encoder, case)).spans
        found.append(objective(USUAL[loss], spans, row.layout, spans).loss.item())
    assert found[0] == pytest.approx(found[1], rel=1e-5)


# --- what is in a row ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def case() -> Case:
    model, processor = tiny("llava")
    return Case(Encoder(processor, model))


def test_the_tree_holds_far_fewer_tokens_than_the_sequences(case: Case) -> None:
    row = RowMaker(SRPO)([case.example])
    prompt = len(case.example.prompt.ids)
    assert row.unshared == sum(prompt + len(b.ids) for b in case.example.branches) + prompt + len(
        case.example.reference
    )
    assert row.tokens < row.unshared / 3


def test_branches_share_what_they_say_alike(case: Case) -> None:
    """The second step of both branches of cut 1 stands once, and so do the reference's steps."""
    one, other = case.example.branches[2:4]
    alone = grow(case.example.prompt.ids, [one.ids])
    both = grow(case.example.prompt.ids, [one.ids, other.ids])
    assert len(both) - len(alone) < len(other.ids) - len(one.ids) + 12


def test_a_loss_without_pairs_holds_no_branch_and_one_without_target_no_reference(case: Case) -> None:
    prompt = len(case.example.prompt.ids)
    assert RowMaker(USUAL["sft"])([case.example]).tokens == prompt + len(case.example.reference)
    ours = RowMaker(USUAL["dpo"])([case.example])
    paths = [branch.ids for branch in case.example.branches]
    assert ours.tokens == len(grow(case.example.prompt.ids, paths))


def spanned(example: Example, span: str, pair: int) -> list[list[int]]:
    ids = [example.reference, *(branch.ids for branch in example.branches)]
    parts = parted(example, example.pairs[pair], span)  # type: ignore[arg-type]
    return [ids[part.path][part.start : part.stop] for part in parts]


def test_which_tokens_each_span_takes(case: Case) -> None:
    model, processor = tiny("llava")
    encoder = Encoder(processor, model)
    said = {
        span: [encoder.text(ids) for ids in spanned(case.example, span, 1)]
        for span in ("suffix", "diverging", "step", "full")
    }
    assert said["suffix"] == BRANCHES[1]
    assert said["full"] == [f"{STEPS[0]}\n{text}" for text in BRANCHES[1]]
    assert said["step"] == ["2. the cat sits on it\n"] * 2
    assert said["diverging"][0].endswith("put it away")
    assert not said["diverging"][0].startswith("2.")
    assert spanned(case.example, "suffix", 1)[0][-1] == encoder.end


def test_a_cap_draws_other_pairs_in_another_epoch_and_the_same_in_the_same(case: Case) -> None:
    maker = RowMaker(SRPO, group_cap=1, seed=3)
    visits = [maker.visited(case.example, epoch).pairs for epoch in range(12)]
    assert all(len(pairs) == 1 for pairs in visits)
    assert {pairs[0].id for pairs in visits} == {pair.id for pair in case.example.pairs}
    assert visits == [maker.visited(case.example, epoch).pairs for epoch in range(12)]
    row = maker([case.example], epoch=4)
    assert len(row.layout.chosen) == 1
    assert len(row.examples[0].branches) == 2


@pytest.mark.parametrize(
    ("weights", "expected"),
    [("question", [1 / 3] * 3), ("step", [1 / 4, 1 / 4, 1 / 2]), ("pair", [1 / 6] * 3)],
)
def test_what_the_weights_count_alike(case: Case, weights: str, expected: list[float]) -> None:
    """Two pairs at cut 0, one at cut 2; on average an example has six."""
    first, _, third = case.example.pairs
    example = replace(case.example, pairs=(first, first._replace(id="again"), third))
    maker = RowMaker(SRPO, weights=weights, mean_pairs=6)  # type: ignore[arg-type]
    assert maker([example]).layout.weight.tolist() == pytest.approx(expected)
    halved = maker([example, replace(example, id="other")]).layout.weight.tolist()
    assert halved == pytest.approx([w / 2 for w in expected] * 2)


def test_the_chosen_as_targets_weigh_as_their_pairs(case: Case) -> None:
    rpo = Objective("srpo", 0.3, 1.0, 0.0, "chosen", "diverging", "mean")
    layout = RowMaker(rpo)([case.example]).layout
    assert layout.target_weight.tolist() == layout.weight.tolist() == pytest.approx([1 / 3] * 3)
