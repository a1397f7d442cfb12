"""Which branches become pairs, on worked examples."""

from __future__ import annotations

import pytest

from ssui_gen.branches import Branch, Cut, Judgement
from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.records import ImageRef

IMAGE = ImageRef(path="a.png", sha256="0" * 64, width=8, height=8)


def branch(text: str, polarity: str, probability: float | None = None) -> Branch:
    judgement = Judgement(polarity=polarity, probability=probability)  # type: ignore[arg-type]
    return Branch(id=f"id-{text}", text=text, finish="stop", judgement=judgement)


def cut(number: int, *branches: Branch) -> Cut:
    return Cut(
        id=f"cut-{number}", path_id="path", kind="risky", cut=number, prefix="P" * number, image=IMAGE,
        query="How?", branches=branches, draws=len(branches), made_by=(),
    )  # fmt: skip


ROOT = cut(
    0,
    branch("good one", "good", 0.9),
    branch("good two, which is longer", "good", 0.7),
    branch("bad one", "bad", 0.1),
    branch("bad two, which is longer", "bad", 0.4),
    branch("who knows", "unverified", 0.5),
)
LATER = cut(3, branch("g", "good", 0.8), branch("b", "bad", 0.2))
ONE_KIND = cut(1, branch("g", "good", 0.8))


def made(mode: str, *cuts: Cut, **settings: object) -> list[tuple[int, str, str]]:
    pairs = pair_up(cuts, Pairing.model_validate({"mode": mode, **settings}))
    return [(p.cut, p.chosen_id.removeprefix("id-"), p.rejected_id.removeprefix("id-")) for p in pairs]


def test_rpo_pairs_every_good_one_with_every_bad_one_in_sorted_order() -> None:
    """Its `save_tuning_data`: for a in sorted(set(acc)), for b in sorted(set(rej)); per cut."""
    long_good, long_bad = "good two, which is longer", "bad two, which is longer"
    assert made("rpo", ROOT, ONE_KIND, LATER, per_cut=1, per_path=1) == [
        (0, "good one", "bad one"),
        (0, "good one", long_bad),
        (0, long_good, "bad one"),
        (0, long_good, long_bad),
        (3, "g", "b"),
    ]


def test_default_takes_the_surest_of_each_cut_and_of_the_path() -> None:
    assert made("default", ROOT, ONE_KIND, LATER, per_cut=2) == [
        (0, "good one", "bad one"),
        (0, "good two, which is longer", "bad one"),
        (3, "g", "b"),
    ]
    assert made("default", LATER, ROOT, per_path=1) == [(0, "good one", "bad one")]


@pytest.mark.parametrize(
    ("mode", "cuts"), [("root_only", [0]), ("one_per_step", [0, 3]), ("best_worst", [0, 3])]
)
def test_the_other_modes(mode: str, cuts: list[int]) -> None:
    found = made(mode, ROOT, ONE_KIND, LATER)
    assert sorted({number for number, _, _ in found}) == cuts
    assert found[0] == (0, "good one", "bad one")


def test_a_small_margin_and_unlike_lengths_can_be_left_out() -> None:
    assert len(made("default", ROOT, per_cut=9)) == 4
    assert len(made("default", ROOT, per_cut=9, least_margin=0.55)) == 2
    pairs = made("default", ROOT, per_cut=9, length_ratio=1.5)
    assert pairs == [
        (0, "good one", "bad one"),
        (0, "good two, which is longer", "bad two, which is longer"),
    ]


def test_what_f_only_decided_has_no_margin_and_is_paired_all_the_same() -> None:
    pairs = pair_up([cut(2, branch("g", "good"), branch("b", "bad", 0.1))], Pairing(least_margin=0.9))
    assert [pair.margin for pair in pairs] == [None]


def test_a_pair_is_trls_vision_format_and_both_sides_begin_with_the_prefix() -> None:
    (pair,) = pair_up([LATER], Pairing(), system="Think.")
    assert [message["role"] for message in pair.prompt] == ["system", "user"]
    assert pair.prompt[1]["content"] == [{"type": "image"}, {"type": "text", "text": "How?"}]
    assert pair.images == ("a.png",)
    sides = [side[0]["content"][0]["text"] for side in (pair.chosen, pair.rejected)]
    assert sides == ["PPPg", "PPPb"]
    assert pair.margin == pytest.approx(0.6)


def test_ids_do_not_depend_on_the_order_of_drawing() -> None:
    turned = ROOT.model_copy(update={"branches": ROOT.branches[::-1]})
    assert made("default", ROOT) == made("default", turned)
    assert [p.id for p in pair_up([ROOT], Pairing())] == [p.id for p in pair_up([turned], Pairing())]
