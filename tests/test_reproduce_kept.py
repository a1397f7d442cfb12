"""Files of `make reproduce`: served again for the same making alone; edited, stale or cut ones are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from microworld.reproduce import kept, report
from microworld.reproduce.cell import Place, bound_to, needs
from microworld.reproduce.recipes import at, bare, draws, on, srpo
from microworld.reproduce.seeds import DEV, FINAL, MORE, SETS
from microworld.reproduce.settings import Cell, Data, Drawn, key
from microworld.reproduce.settings import Test as HeldOut
from microworld.reproduce.work import in_order, missing
from ssui_gen.errors import RecordError

MADE_OF = {"settings": {"λ": 0.3}, "code": "1"}


def test_what_was_written_is_served_for_the_same_making(tmp_path: Path) -> None:
    path = tmp_path / "cells" / "one.json"
    kept.write(path, MADE_OF, {"figure": 1.5, "rows": [1, 2]})
    assert kept.fitting(path, MADE_OF)["figure"] == 1.5
    with pytest.raises(kept.Refused, match=r"one\.json: was made of other code$"):
        kept.fitting(path, {**MADE_OF, "code": "2"})
    with pytest.raises(kept.Refused, match="no such file"):
        kept.fitting(tmp_path / "two.json", MADE_OF)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text.replace("1.5", "1.4"), "was edited after it was made"),
        (lambda text: text.replace('"1"', '"2"'), "was edited after it was made"),
        (lambda text: text[:-20], "cannot be read"),
        (lambda text: text.replace("1.5", "NaN"), "NaN is no number"),
        (lambda text: "[]", "written by something else"),
        (lambda text: "[" * 100_000, "cannot be read"),
        (lambda text: "\udcff", "cannot be read"),
    ],
)  # fmt: skip
def test_a_file_that_was_damaged_is_told_in_one_line(
    tmp_path: Path, damage: Callable[[str], str], told: str
) -> None:
    path = tmp_path / "one.json"
    kept.write(path, MADE_OF, {"figure": 1.5})
    path.write_bytes(damage(path.read_text()).encode("utf-8", "surrogateescape"))
    with pytest.raises(kept.Refused, match=told) as refused:
        kept.fitting(path, MADE_OF)
    assert "\n" not in str(refused.value) and str(path) in str(refused.value)


def test_a_figure_that_is_no_number_is_never_written(tmp_path: Path) -> None:
    for bad in (float("nan"), float("inf")):
        with pytest.raises(RecordError, match="no number"):
            kept.write(tmp_path / "one.json", MADE_OF, {"figure": [1, bad]})
    assert not list(tmp_path.iterdir())


def test_a_cell_is_bound_to_settings_code_and_what_it_needs(tmp_path: Path) -> None:
    cell = Cell(test=HeldOut(seed=1, each=2), data=Data(seed=2, paths=2), drawn=Drawn(cuts=(0,)))
    place = Place(tmp_path, tmp_path, {"code": "1"})
    (branches,) = needs(cell)
    kept.write(place.file(branches), place.made_of(branches), {"cuts": [], "draws": 1})
    kept.write(place.file(cell), place.made_of(cell), {"rows": []})
    said: list[str] = []
    assert missing(place, in_order([cell]), said.append) == [] and not said
    other = cell.model_copy(update={"noise": 0.1})
    assert key(other) != key(cell) and missing(place, [other], said.append) == [other]
    assert missing(Place(tmp_path, tmp_path, {"code": "2"}), in_order([cell]), said.append) == [
        branches,
        cell,
    ]
    assert said == [f"{tmp_path}: files made of other code, made anew: 1"]
    kept.write(place.file(branches), place.made_of(branches), {"cuts": [], "draws": 2})
    said.clear()
    assert missing(place, in_order([cell]), said.append) == [cell]
    assert "made of other needs" in said[0] and len(said) == 1


def test_draws_of_few_are_part_of_those_of_many() -> None:
    few, many, two = (at(recipe, DEV, 1_000) for recipe in (srpo, draws(8), draws(2)))
    assert set(needs(few)) < set(needs(many)) and not set(needs(two)) & set(needs(few))
    wrong = at(on(Data(seed=0, wrong=0.25)), DEV, 1_000)
    assert set(needs(few)) < set(needs(wrong)), "the right paths' branches are drawn once"
    reviewed = at(on(Data(seed=0, wrong=0.25, reviewed=True)), DEV, 1_000)
    assert needs(reviewed) == needs(wrong)


def test_no_seed_of_dev_is_in_another_set_and_the_bare_policy_is_measured_once() -> None:
    assert not set(DEV.data) & set(MORE.data) and DEV.test not in (FINAL.test, MORE.test)
    assert min(len(one.few.data) for one in SETS.values()) >= 3
    assert set(FINAL.data) < set(MORE.data) and set(FINAL.few.data) < set(MORE.few.data)
    assert FINAL.has(FINAL.test, FINAL.data[0]) and MORE.has(FINAL.test, FINAL.data[0])
    assert FINAL.has(FINAL.test, None) and not FINAL.has(DEV.test, FINAL.data[0])
    assert not FINAL.has(FINAL.test, DEV.data[0]) and not FINAL.has(FINAL.test, MORE.data[-1])
    assert len({at(bare, MORE, data) for data in MORE.data}) == 1


def test_an_edited_claims_file_is_told_in_one_line(tmp_path: Path) -> None:
    row = dict.fromkeys(report.KEYS) | {"claim": "it helps", "figure": -3.0, "margin": -2, "verdict": "holds"}
    kept.write(tmp_path / report.NAME, MADE_OF, {"claims": [row]})
    assert report.load(tmp_path)["claims"][0]["verdict"] == "holds"
    path = tmp_path / report.NAME
    path.write_text(path.read_text().replace("holds", "fails"))
    with pytest.raises(RecordError, match=r"claims\.json: was edited"):
        report.load(tmp_path)
    for wrong, told in (({"figure": "much"}, "figure: expected a number"), ({"n": ...}, "n missing")):
        other = {k: v for k, v in {**row, **wrong}.items() if v is not ...}
        kept.write(path, MADE_OF, {"claims": [other]})
        with pytest.raises(RecordError, match=f"claim 1: {told}"):
            report.load(tmp_path)


def test_every_file_is_bound_to_model_code_and_evaluator() -> None:
    model = Path(__file__).parents[1] / "microworld" / "models" / "policy"
    bound = json.loads(json.dumps(bound_to(model)))
    assert set(bound) == {"model", "agents", "code", "evaluator"} and len(bound["evaluator"]) == 64
