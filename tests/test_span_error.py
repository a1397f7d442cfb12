"""`span: error`: both sides of a pair count up to the step in which the rejected branch first goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from exploring import cuts, explored, judge, pairs, policy
from fake_answers import prompt_text
from fake_server import Fake
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import Job, rows
from runs import change, loaded, path_of, tiny_encoder, write_run
from test_edited import after
from test_tree import Bench
from test_ways import picks
from tiny_families import FAMILIES
from trees import Case, eyes

from ssui_gen.branches import BranchLabel, Judgement, Pair
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.edited import edit_pairs
from ssui_gen.records import STEP_NAMES, ImageRef, Step
from ssui_gen.verifying.first_bad_step import place_in
from ssui_train.config import SrpoConfig
from ssui_train.encode import Encoder
from ssui_train.example import Example, Prompt, parted
from ssui_train.forward import read
from ssui_train.loss import USUAL, objective
from ssui_train.pairing import Building
from ssui_train.rows import RowMaker
from ssui_train.source import Unfit, Why

ERROR = replace(USUAL["srpo"], span="error")
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny_encoder()


def with_place(place: str | None) -> Callable[[Rows], Rows]:
    return lambda rows: [row | {"first_bad": place} for row in rows]


def counted(example: Example, encoder: Encoder) -> list[tuple[int, str, str]]:
    """By cut, what of the chosen and of the rejected branch counts, as text."""
    found = []
    for pair in example.pairs:
        sides = parted(example, pair, "error")
        chosen, rejected = (
            encoder.text(example.branches[part.path - 1].ids[part.start : part.stop], marks=True)
            for part in sides
        )
        found.append((pair.cut, chosen, rejected))
    return found


# --- which tokens ------------------------------------------------------------------------------------


def test_both_sides_count_to_the_end_of_the_step_in_error(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=1)
    change(run / "pairs.jsonl", with_place("step 4"))
    found = counted(loaded(run, encoder, span="error").examples[0], encoder)
    assert found[1] == (
        2,
        "3. Synthesis: both meet 0 0\n4. Intent and risk: they overlook it: none 0 0\n",
        "3. Synthesis: both meet 0 1\n4. Intent and risk: they overlook it: none 0 1\n",
    )
    assert [side.count("\n") for side in found[0][1:]] == [4, 4]
    assert all(side.endswith("<|im_end|>") for side in found[2][1:]), "step 4 is behind the last cut"


@pytest.mark.parametrize("place", ["answer", None])
def test_an_error_in_the_answer_or_nowhere_known_counts_to_the_end(
    tmp_path: Path, encoder: Encoder, place: str | None
) -> None:
    run = write_run(tmp_path / "run", paths=1)
    change(run / "pairs.jsonl", with_place(place))
    example = loaded(run, encoder, span="error").examples[0]
    assert all(parted(example, pair, "error") == parted(example, pair, "suffix") for pair in example.pairs)


def test_an_error_in_the_next_step_is_the_span_of_that_step(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=1, cuts=(0, 2))
    change(run / "pairs.jsonl", lambda rows: [r | {"first_bad": f"step {r['cut'] + 1}"} for r in rows])
    example = loaded(run, encoder, span="error").examples[0]
    assert len(example.pairs) == 2
    assert all(parted(example, pair, "error") == parted(example, pair, "step") for pair in example.pairs)


def test_the_step_behind_the_last_cut_goes_with_its_answer(tmp_path: Path, encoder: Encoder) -> None:
    """`first_bad_step` and Step-DPO's span agree: what counts at the last cut is the answer, too."""
    run = write_run(tmp_path / "run", paths=1, cuts=(5,))
    example = loaded(run, encoder, span="step").examples[0]
    (pair,) = example.pairs
    assert parted(example, pair, "step") == parted(example, pair, "suffix")


def test_equal_words_up_to_the_error_are_no_pair(tmp_path: Path, encoder: Encoder) -> None:
    """A judge that names a step before the two differ would have nothing learnt, and says so."""
    run = write_run(tmp_path / "run", paths=1, cuts=(2,))

    def alike(rows: Rows) -> Rows:
        texts = [rows[0][side][0]["content"][0] for side in ("chosen", "rejected")]
        texts[1]["text"] = texts[0]["text"].replace("Careful, move it.", "Go on.")
        return [rows[0] | {"first_bad": "step 3"}]

    change(run / "pairs.jsonl", alike)
    with pytest.raises(ConfigError, match="no pair is left: 1 pair equal_spans"):
        loaded(run, encoder, span="error")
    assert loaded(run, encoder).pairs == 1


def test_other_spans_and_the_data_s_sum_do_not_know_of_it(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=1)
    before = loaded(run, encoder).sha256
    change(run / "pairs.jsonl", with_place("step 6"))
    assert loaded(run, encoder).sha256 == before != loaded(run, encoder, span="error").sha256


WORDS = st.lists(
    st.sampled_from(["kettle", "cat", "is it", "5. no", "on;", "é", "Careful,"]), min_size=1, max_size=5
)
TEXTS = st.lists(WORDS.map(" ".join), min_size=7, max_size=7)
IMAGE = ImageRef(path="a.png", sha256="0" * 64, width=8, height=8)


@cache
def encoder_of(family: str) -> Encoder:
    return tiny_encoder(family)


@settings(max_examples=40)
@given(st.sampled_from(FAMILIES), st.integers(0, 5), st.integers(1, 7), TEXTS, TEXTS)
def test_of_any_path_what_counts_ends_where_the_step_ends(
    family: str, cut: int, place: int, good: list[str], bad: list[str]
) -> None:
    """In every family's tokens: all of the step, and no more than the token in which it ends."""
    encoder = encoder_of(family)
    path = path_of(0, IMAGE)
    texts = [_whole(path.steps[:cut], side, cut) for side in (good, bad)]
    building = _building(encoder, path)
    number = min(max(place, cut + 1), 7)
    pair = _pair(path, cut, texts, "answer" if number == 7 else f"step {number}")
    if texts[0] == texts[1]:
        return
    try:
        building.add(pair)
    except Unfit as why:
        assert why.reason == Why.EQUAL_SPANS
        return
    example = building.example
    for part, text in zip(parted(example, example.pairs[0], "error"), texts, strict=True):
        said = encoder.text(example.branches[part.path - 1].ids[: part.stop])
        short = encoder.text(example.branches[part.path - 1].ids[: part.stop - 1])
        wanted = text if number == 7 else text[: text.index(f"\n{_head(number + 1)}") + 1]
        assert said.startswith(wanted)
        assert number == 7 or not short.startswith(wanted)


def _head(number: int) -> str:
    return (
        "Answer: " if number == 7 else f"{number}. {STEP_NAMES[number - 1].replace('_', ' ').capitalize()}:"
    )


def _whole(given: tuple[Step, ...], texts: list[str], cut: int) -> str:
    own = [Step(name=name, text=text) for name, text in zip(STEP_NAMES, texts, strict=False)]
    return render_path([*given, *own[cut:]], texts[6])


def _building(encoder: Encoder, path: Any) -> Building:
    bare = Example(path.id, "s", "risky", (), "", Prompt([1], None, {}), [1], (), ())
    config = SrpoConfig.model_validate({"model": "tiny", "span": "error"})
    return Building(encoder, config, {}.get, path, bare)


def _pair(path: Any, cut: int, texts: list[str], place: str) -> Pair:
    chosen, rejected = (
        ({"role": "assistant", "content": [{"type": "text", "text": text}]},) for text in texts
    )
    return Pair(
        images=("a.png",), prompt=(), chosen=chosen, rejected=rejected, id="p", path_id=path.id, kind="risky",
        cut=cut, prefix=prefix_at(path.steps, cut), chosen_id="c", rejected_id="r", margin=None,
        first_bad=place, image_ref=IMAGE,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_the_same_loss_as_a_tree_and_without_one(family: str) -> None:
    bench = Bench(family)
    case = Case(bench.encoder)
    stops = [tuple(case.example.branches[i].step for i in pair[2:4]) for pair in case.example.pairs]
    chosen = [pair._replace(stops=stop) for pair, stop in zip(case.example.pairs[:2], stops, strict=False)]
    case.example = replace(case.example, pairs=(*chosen, *case.example.pairs[2:]))
    pad = bench.base.config.text_config.pad_token_id
    found = []
    for packing in ("tree", "none"):
        row = RowMaker(ERROR, packing=packing, pad=pad)([case.example])  # type: ignore[arg-type]
        bench.adapted.zero_grad()
        spans = read(bench.adapted, bench.base, row, eyes(bench.encoder, case)).spans
        loss = objective(ERROR, spans, row.layout).loss
        loss.backward()
        weights = [p.grad.clone() for p in bench.adapted.parameters() if p.requires_grad]
        lengths = spans.length[row.layout.chosen].tolist()
        found.append((loss.item(), weights, lengths))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert found[0][2] == found[1][2]
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert (one - other).norm() <= 1e-4 * other.norm()
    whole = RowMaker(USUAL["srpo"])([case.example])
    assert sum(found[0][2]) < torch.bincount(whole.span)[whole.layout.chosen].sum()


# --- who says where ----------------------------------------------------------------------------------


def test_f_s_own_finding_names_the_place_where_it_is_sure() -> None:
    def of(**finding: Any) -> str | None:
        found = {"polarity": "bad", **finding}
        return place_in(Judgement(polarity="bad", by={"first_bad_step": found}))

    assert of(shares={"none": 0.1, "step 3": 0.8, "answer": 0.1}) == "step 3"
    assert of(shares={"none": 0.2, "step 3": 0.4, "answer": 0.4}) is None
    assert of(polarity="unverified", shares={"none": 0.1, "step 3": 0.9}) is None
    assert of(shares=None, picked=("answer", "answer")) == "answer"
    assert of(shares=None, picked=("answer", "step 2")) is None
    assert place_in(Judgement(polarity="bad", by={"label": {"polarity": "bad"}})) is None


def test_an_edit_says_what_it_mended() -> None:
    assert [p.first_bad for p in edit_pairs(after({"/steps/2/text": "Better."}))] == ["step 3"]
    assert [p.first_bad for p in edit_pairs(after({"/answer": "Mine."}))] == ["answer"]
    assert [p.first_bad for p in edit_pairs(after({"/steps/5/text": "Six.", "/answer": "Mine."}))] == [
        "step 6"
    ]


def locating(body: dict[str, Any]) -> str:
    """Calls step 4 wrong where it may be and names no danger, else the answer."""
    user = prompt_text(body, "user")
    risk = "A plain wish: none." in user and ". step 4" in user
    place = "step 4" if risk else "answer" if "> Answer: WRONG" in user else "none"
    return str(picks(place)(body))


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    fake.answers = {"none": policy, "judge: right": judge, "judge: first_bad": locating}
    return explored(tmp_path, fake.url)


ASK = {"pairs": {"first_bad": "ask"}, "verify": {"by": ["judge"]}}


def test_the_judge_is_asked_about_the_rejected_sides_of_pairs_alone(made: Job, fake: Fake) -> None:
    assert pairs(made, "--limit", "3", config={"verify": {"by": ["judge"]}}).code == 0
    assert {pair["first_bad"] for pair in rows(made.run / "pairs.jsonl")} == {None}
    drawn, before = cuts(made), fake.calls
    done = pairs(made, "--limit", "3", config=ASK)
    assert done.code == 0, done.err
    found = rows(made.run / "pairs.jsonl")
    assert {(pair["cut"] < 4, pair["first_bad"]) for pair in found} == {(True, "step 4"), (False, "answer")}
    rejected = {pair["rejected_id"] for pair in found}
    assert cuts(made) == drawn
    assert len(rejected) <= fake.calls - before <= 2 * len(rejected) + 2 * 12
    assert f"{len(rejected)} rejected branches the judge says of {len(rejected)}" in done.out.replace(
        "\n", " "
    )
    asked = fake.calls
    assert pairs(made, "--limit", "3", config=ASK).code == 0
    assert fake.calls == asked, "what was asked is in the journal"
    assert rows(made.run / "pairs.jsonl") == found


def test_a_judge_that_f_does_not_ask_may_be_asked_later(made: Job) -> None:
    """It decides nothing about the branches, so they are of the same make."""
    assert pairs(made, "--limit", "2", config={"verify": {"by": ["label"]}}).code == 0
    done = pairs(made, "--limit", "2", config=ASK | {"verify": {"by": ["label"]}})
    assert done.code == 0, done.err
    assert {pair["first_bad"] for pair in rows(made.run / "pairs.jsonl")} == {"step 4"}


def test_labels_tell_it_and_nobody_else_then(made: Job) -> None:
    told = {"pairs": {"first_bad": "labels"}}
    assert "expected labels.jsonl or labels_people.jsonl in" in pairs(made, "--limit", "2", config=told).err
    assert pairs(made, "--limit", "2").code == 0
    first, *rest = rows(made.run / "pairs.jsonl")
    label = BranchLabel(branch_id=first["rejected_id"], good=False, first_bad="step 6")
    (made.run / "labels.jsonl").write_text(label.model_dump_json() + "\n")
    assert pairs(made, "--limit", "2", config=told).code == 0
    again = rows(made.run / "pairs.jsonl")
    told_of = {pair["rejected_id"]: pair["first_bad"] for pair in again}
    assert rest and told_of.pop(first["rejected_id"]) == "step 6"
    assert set(told_of.values()) == {None}


def test_an_unknown_place_is_refused(tmp_path: Path, encoder: Encoder) -> None:
    run = write_run(tmp_path / "run", paths=1, cuts=(0, 2))
    change(run / "pairs.jsonl", lambda rows: [rows[0] | {"first_bad": "step 9"}, rows[1]])
    found = loaded(run, encoder, span="error")
    assert dict(found.reasons) == {("row", "row_invalid"): 1}
