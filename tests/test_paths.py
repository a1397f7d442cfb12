"""Attention by paths and execution by parts: what they give is what a mask gives, and single sequences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_families import FAMILIES, tiny
from torch import Tensor
from trees import BRANCHES, Case, eyes, picture, with_lora

from ssui_gen.errors import TrainError
from ssui_train.config import load
from ssui_train.encode import Encoder
from ssui_train.example import Branch, Choice, Drawn, Example
from ssui_train.forward import read
from ssui_train.job import attends_by_paths, recompute
from ssui_train.learn import taught
from ssui_train.loss import USUAL, Objective, Terms
from ssui_train.paths import Plan, attend, disagreement, register
from ssui_train.rows import Row, RowMaker
from ssui_train.tree import grow, mask, pack, segments

SRPO = USUAL["srpo"]
NEAR = 5e-6
"""Of a gradient's norm: what other kernels round otherwise in float32."""
Given = Any


class Bench:
    """A family's model under LoRA, attending by paths where it is given a plan."""

    def __init__(self, family: str, **sizes: int) -> None:
        base, processor = tiny(family, **sizes)
        register(base)
        self.encoder = Encoder(processor, base)
        self.adapted = with_lora(base)
        self.base: Any = self.adapted.get_base_model()
        self.pad = base.config.text_config.pad_token_id

    def maker(self, o: Objective, way: str, most: int | None = None) -> RowMaker:
        packing: Any = "none" if way == "none" else "tree"
        return RowMaker(o, packing, by_paths=way == "paths", part_tokens=most, pad=self.pad)

    def taught(self, o: Objective, row: Row, *cases: Case) -> tuple[Tensor, Terms, Tensor]:
        """Spans' sums, J's terms, and the gradient of all LoRA weights, as the trainer comes by them."""
        self.adapted.zero_grad()
        found, terms = taught(self.adapted, self.adapted, row, eyes(self.encoder, *cases), o)
        terms.loss.backward()
        return found.spans.mean.detach(), terms, self.gradient()

    def gradient(self) -> Tensor:
        weights = [weight for weight in self.adapted.parameters() if weight.requires_grad]
        return torch.cat([weight.grad.flatten() for weight in weights if weight.grad is not None])


def same(found: tuple[Tensor, Terms, Tensor], expected: tuple[Tensor, Terms, Tensor]) -> None:
    assert torch.allclose(found[0], expected[0], atol=1e-5, rtol=0)
    assert found[1].loss.item() == pytest.approx(expected[1].loss.item(), rel=1e-5, abs=1e-6)
    assert len(found[2]) == len(expected[2]) > 0
    assert (found[2] - expected[2]).norm() <= NEAR * expected[2].norm() + 1e-7


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench("qwen2_5_vl", layers=3)


# --- geometry --------------------------------------------------------------------------------------

Tries = st.lists(st.lists(st.integers(0, 2), max_size=6), min_size=1, max_size=7)


@given(Tries, Tries, st.data())
def test_segments_see_what_the_mask_lets_them_see_in_whatever_parts(
    one: Given, other: Given, data: Given
) -> None:
    """Two trees in a row; any tokens that hold their own past are read first, the others in any order."""
    packed = pack([grow([8, 9], one), grow([9], other)])
    parent, allowed = packed.parent.tolist(), mask(packed.last)[0, 0]
    ends = data.draw(st.sets(st.integers(0, len(parent) - 1)))
    trunk = sorted({place for end in ends for place in allowed[end].nonzero().flatten().tolist()})
    rest = [place for place in range(len(parent)) if place not in set(trunk)]
    for at, before in ((trunk, []), (rest, trunk)):
        keys = [*before, *at]
        found = segments(parent, at, before)
        assert [i for s in found for i in range(s.start, s.stop)] == list(range(len(at)))
        for segment in found:
            seen = [keys[i] for start, stop in segment.keys for i in range(start, stop)]
            for back, place in enumerate(reversed(at[segment.start : segment.stop])):
                assert seen[: len(seen) - back] == allowed[place].nonzero().flatten().tolist()


@given(Tries)
def test_the_child_with_the_longest_way_below_it_stands_behind_its_parent(sequences: Given) -> None:
    tree = grow([8], sequences)
    for place, last in enumerate(tree.last):
        below = [i for i in range(place + 1, last) if tree.parent[i] == place]
        deepest = [max(tree.depth[child : tree.last[child]]) for child in below]
        assert deepest == sorted(deepest, reverse=True)
        assert below[:1] == ([place + 1] if last > place + 1 else [])
    leaves = sum(place not in tree.parent for place in range(len(tree)))
    assert len(segments(tree.parent, range(len(tree)))) == leaves, "a segment for each end, no more"


# --- the same as a mask, and as single sequences ---------------------------------------------------


@st.composite
def examples(draw: Any, case: Case, letters: list[int]) -> Example:
    """Branches of three letters: nested, equal, sharing words beyond their cut, some off the reference."""
    word = st.sampled_from(letters)
    branches = []
    for number in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, 4))
        ids = draw(st.lists(word, min_size=start + 1, max_size=start + 6))
        step, told = draw(st.integers(start + 1, len(ids))), draw(st.integers(0, start))
        branches.append(Branch(str(number), ids, start, step, told))
    side = st.integers(0, len(branches) - 1)
    pairs = []
    for number in range(draw(st.integers(1, 5))):
        sides = sorted((draw(side), draw(side)))  # beside its reverse nothing of a pair is left but rounding
        stops = tuple(draw(st.integers(branches[i].start + 1, len(branches[i].ids))) for i in sides)
        pairs.append(Choice(str(number), 0, *sides, draw(st.sampled_from([None, stops]))))
    drawn = tuple(Drawn(i % 2, i, 0.5 - 0.4 * i) for i in range(len(branches)))
    reference = draw(st.lists(word, min_size=1, max_size=8))
    return replace(
        case.example, reference=reference, branches=tuple(branches), pairs=tuple(pairs), drawn=drawn
    )


@pytest.mark.parametrize("loss", sorted(USUAL))
@settings(max_examples=4)
@given(st.data())
def test_paths_and_parts_give_what_a_mask_and_single_sequences_give(
    bench: Bench, loss: str, data: Given
) -> None:
    """Any span but `diverging`, for which sides must differ; any bound of a part; values and gradients."""
    case = Case(bench.encoder)
    letters = bench.encoder.ids("the kettle cat")[:3]
    case.example = data.draw(examples(case, letters))
    spans = ["suffix", "step", "full"]
    o = replace(USUAL[loss], span=data.draw(st.sampled_from(spans if loss == "grpo" else [*spans, "error"])))
    ways = (("mask", None), ("none", None), ("paths", None), ("paths", data.draw(st.integers(1, 25))))
    rows = [bench.maker(o, way, most)([bench.maker(o, way).visited(case.example, 0)]) for way, most in ways]
    expected, *found = [bench.taught(o, row, case) for row in rows]
    for one in found:
        same(one, expected)


def two(bench: Bench) -> list[Case]:
    other = {0: BRANCHES[0], 2: ["3. the kettle\nAnswer: away", "3. the kettle is\nAnswer: on"]}
    return [Case(bench.encoder), Case(bench.encoder, "two", [picture(1)], "where is the kettle?", other)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_by_parts_with_activations_kept_or_computed_again(family: str) -> None:
    """Two trees in a row, in five parts with the trunk; torn, in more."""
    bench = Bench(family)
    cases = two(bench)
    rows = [
        bench.maker(SRPO, way, most)([case.example for case in cases])
        for way, most in (("mask", None), ("paths", None), ("paths", 60), ("paths", 10))
    ]
    assert [row.torn for row in rows] == [False, False, False, True]
    assert [len(row.parts) for row in rows][:2] == [0, 1]
    assert len(rows[2].parts) > 2
    whole, *others = [bench.taught(SRPO, row, *cases) for row in rows]
    recompute(bench.adapted)
    for one in (*others, bench.taught(SRPO, rows[2], *cases)):
        same(one, whole)


def test_changing_one_branch_changes_no_other(bench: Bench) -> None:
    case = Case(bench.encoder)
    changed = Case(bench.encoder, branches=BRANCHES | {1: [BRANCHES[1][0], "2. it is away\nAnswer: away"]})
    maker = bench.maker(SRPO, "paths", 40)
    means = [bench.taught(SRPO, maker([one.example]), one)[0] for one in (case, changed)]
    moved = (means[0] - means[1]).abs()
    assert moved[[i for i in range(len(moved)) if i != 4]].max() < 3e-6 < moved[4] / 20


# --- what is at work at a time ---------------------------------------------------------------------


def calls_of(bench: Bench, row: Row, case: Case) -> list[int]:
    """Tokens of each call of the model in one lesson."""
    calls: list[int] = []
    hook = bench.base.register_forward_pre_hook(
        lambda module, _, told: calls.append(told["input_ids"].shape[1]), with_kwargs=True
    )
    bench.taught(SRPO, row, case)
    hook.remove()
    return calls


def test_each_token_is_read_once_and_no_part_is_larger_than_it_may(bench: Bench) -> None:
    case = Case(bench.encoder)
    for most in (40, 60, 90):
        row = bench.maker(SRPO, "paths", most)([case.example])
        trunk, *rest = calls_of(bench, row, case)
        assert trunk + sum(rest) == row.tokens
        assert 2 <= len(rest) <= 3
        assert max(rest) <= most
    whole = bench.maker(SRPO, "paths", 1000)([case.example])
    assert calls_of(bench, whole, case) == [whole.tokens], "what fits is not divided"


def test_a_row_whose_pairs_bind_too_much_is_read_twice(bench: Bench) -> None:
    case = Case(bench.encoder)
    row = bench.maker(SRPO, "paths", 20)([case.example])
    assert row.torn
    calls = calls_of(bench, row, case)
    assert calls[: len(calls) // 2] == calls[len(calls) // 2 :]
    assert sum(calls) == 2 * row.tokens


def test_long_continuations_that_no_pair_binds_are_not_read_twice(bench: Bench) -> None:
    """None of them can be divided, so there would be nothing to win."""
    case = Case(bench.encoder)
    case.example = replace(case.example, pairs=(), drawn=(Drawn(0, 0, 0.5), Drawn(0, 1, -0.5)))
    row = bench.maker(USUAL["grpo"], "paths", 1)([case.example])
    assert (len(row.parts), row.torn) == (3, False)


def test_half_precision_casts_weights_anew_for_the_gradient(bench: Bench) -> None:
    """Autocast keeps what it cast; of a reading without a gradient that would be weights without one."""
    case = Case(bench.encoder)
    row = bench.maker(SRPO, "paths", 20)([case.example])
    exact = bench.taught(SRPO, row, case)[2]
    with torch.autocast("cpu", torch.bfloat16):
        half = bench.taught(SRPO, row, case)[2]
    assert (half - exact).norm() < 0.3 * exact.norm()


# --- the attention function ------------------------------------------------------------------------


def test_without_a_plan_it_is_transformers_own() -> None:
    plain, processor = tiny("qwen2_5_vl")
    ours, _ = tiny("qwen2_5_vl")
    register(ours)
    ids = torch.tensor([[5, 6, 7, 8, 9], [5, 6, 7, 0, 0]])
    for told in ({"attention_mask": (ids > 0).long()}, {}):
        with torch.no_grad():
            assert torch.equal(*(model(input_ids=ids, **told).logits for model in (plain, ours)))
    encoder = Encoder(processor, ours)
    asked = encoder.asked("", "what?", [picture(0)])
    prompt = torch.tensor(encoder.prompt(asked).ids)[None]
    told = {"input_ids": prompt, "attention_mask": torch.ones_like(prompt), **encoder.shown(asked)}
    said = [model.generate(**told, max_new_tokens=6, do_sample=False) for model in (plain, ours)]
    assert torch.equal(*said)
    assert "tree_paths" not in ours.config.to_json_string()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_first_try_on_each_family_agrees_with_the_mask(family: str) -> None:
    model, processor = tiny(family)
    register(model)
    assert disagreement(model, Encoder(processor, model).ids("a plain colour fills the picture")) is None


def test_a_first_try_finds_out_a_model_that_looks_elsewhere() -> None:
    model, processor = tiny("llava")
    words = Encoder(processor, model).ids("a plain colour fills the picture")
    said = disagreement(model, words)
    assert said and said.startswith("paths differ from a mask here by"), "nothing was registered"


def test_where_paths_do_not_agree_a_mask_is_taken_and_said_so(tmp_path: Path) -> None:
    """A language model that looks back three tokens in every layer."""
    model, processor = tiny("mistral3")
    model.config.text_config.sliding_window = 3
    encoder, said = Encoder(processor, model), list[str]()
    file = tmp_path / "train.yaml"
    file.write_text("model: tiny\n")
    assert not attends_by_paths(load(file), model, encoder, said.append)
    (line,) = said
    assert line.startswith("attention: mask: this model cannot (attention: paths: this model looks back 3")
    with pytest.raises(TrainError, match="take auto or mask"):
        attends_by_paths(load(file, ("attention=paths",)), model, encoder, said.append)
    model.config.text_config.sliding_window = None
    assert attends_by_paths(load(file), model, encoder, said.append)
    assert not attends_by_paths(load(file, ("attention=mask",)), model, encoder, said.append)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"sliding_window": 3}, "looks back 3 tokens only, and a path of this row has 4: take packing: none"),
        ({"softcap": 30.0}, "softcap.*: take attention: eager"),
        ({"dropout": 0.1}, r"dropout of 0\.1"),
    ],
)
def test_what_a_segment_cannot_do_is_refused(told: dict[str, Any], why: str) -> None:
    tree = grow([1, 2, 3], [[4], [5]])
    plan = Plan(segments(tree.parent, range(len(tree))))
    query, key = torch.randn(1, 4, len(tree), 8), torch.randn(1, 2, len(tree), 8)
    attend(None, query, key, key, None, plan=plan, sliding_window=4)
    with pytest.raises(TrainError, match=why):
        attend(None, query, key, key, None, plan=plan, **told)


def test_a_plan_is_not_given_to_a_model_that_would_ignore_it() -> None:
    base, processor = tiny("llava")
    case = Case(Encoder(processor, base))
    row = RowMaker(SRPO, by_paths=True)([case.example])
    with pytest.raises(AssertionError, match="ignore the plan"):
        read(base, base, row, eyes(Encoder(processor, base), case))
