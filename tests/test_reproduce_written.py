"""Paths as the agents write them: their own words and faults, and what is drawn and learned from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from microworld.reproduce.cell import Place, bound_to, do
from microworld.reproduce.paths import told
from microworld.reproduce.settings import Cell, Data, Drawn, Written, key
from microworld.reproduce.settings import Test as HeldOut
from microworld.reproduce.work import in_order
from microworld.reproduce.written import as_written
from ssui_gen.branches import Cut
from ssui_gen.branching import path_class, prefix_at
from ssui_gen.errors import ConfigError
from ssui_gen.settings import parse

MODEL = Path(__file__).parents[1] / "microworld" / "models" / "policy"
DATA = Data(seed=1_000, paths=24, written="agents")
CELL = Cell(
    test=HeldOut(seed=3, each=2, cool=1), data=DATA, drawn=Drawn(k=2, cuts=(2,)), train={"epochs": 1.0}
)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_agents_write_what_is_drawn_from_and_learned(tmp_path: Path) -> None:
    place = Place(tmp_path, MODEL, bound_to(MODEL))
    works = in_order([CELL])
    assert [type(work).__name__ for work in works] == ["Written", "Branches", "Cell"]
    for work in works:
        do(place, work)
    rows, branches, cell = (place.read(work) for work in works)
    planned = told(DATA)
    paths = {one.path.id: one for one in as_written(planned, rows["rows"])}
    assert len(paths) > 18 and paths.keys() <= {one.path.id for one in planned}
    of_truth = {one.path.id: one.path.steps for one in planned}
    assert sum(one.path.steps != of_truth[id] for id, one in paths.items()) > 18, "their own words"
    for one in paths.values():
        rule = one.pair.rule
        assert not one.right or path_class(one.path.steps) == (rule.category if rule else "none")
    cuts = [Cut.model_validate(row) for row in branches["cuts"]]
    assert [cut.path_id for cut in cuts] == [*paths]
    assert all(cut.prefix == prefix_at(paths[cut.path_id].path.steps, 2) for cut in cuts)
    facts, wrong = cell["facts"], sum(not one.right for one in paths.values())
    assert (facts["paths"], facts["paths_wrong"], facts["cuts"]) == (len(paths), wrong, len(paths))


def test_what_did_not_become_a_path_is_left_out_and_a_fault_is_told() -> None:
    planned = told(Data(seed=3, paths=4))
    good = [
        {
            "id": one.path.id,
            "steps": [step.model_dump(mode="json") for step in one.path.steps],
            "answer": one.path.answer,
            "right": True,
        }
        for one in planned
    ]
    nothing = {**good[1], "steps": None, "answer": None, "right": None}
    found = as_written(planned, [good[0], nothing, good[2], {**good[3], "right": False}])
    assert [one.path.id for one in found] == [planned[n].path.id for n in (0, 2, 3)]
    assert [one.right for one in found] == [True, True, False] and found[0].path == planned[0].path
    with pytest.raises(AssertionError, match="are different paths"):
        as_written(planned, [*good[1:], good[0]])


@pytest.mark.parametrize("faults", [{"wrong": 0.25}, {"reviewed": True}])
def test_agents_have_no_faults_but_their_own(faults: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="faults of their own"):
        parse(Data, {"seed": 1, "written": "agents", **faults}, "data")


def test_who_writes_is_part_of_a_files_name() -> None:
    usual = Data(seed=1)
    assert key(usual) != key(usual.model_copy(update={"written": "agents"}))
    assert key(Written(data=DATA)) != key(Written(data=DATA.model_copy(update={"paths": 12})))
