"""Figures of labels that were drawn by scenario, and items that no figure counts."""

from __future__ import annotations

from reported import response, truth_of, verdict
from test_figures import BY_HAND, PATH, item, row_kind, rows

from ssui_gen.benching.evidence import MEASURES
from ssui_gen.benching.rates import sides
from ssui_gen.benching.records import Drawn
from ssui_gen.records import KINDS


def test_what_was_drawn_as_one_counts_once_in_the_weight_of_a_scenario() -> None:
    """Of eight scenarios three were drawn: two of four, one of four."""
    made = rows(*((f"s{n}", kind, "right" if n < 4 else "lost") for n in range(8) for kind in KINDS))
    chances = {"s0": 1 / 2, "s1": 1 / 2, "s4": 1 / 4}
    scenarios = {one.id: one.scenario_id for one in made.items}
    for row in made.responses:
        name = scenarios[row.item_id]
        if name in chances:
            way = "right" if name == "s0" else "lost"
            drawn = Drawn(stratum="s", probability=chances[name], unit=name)
            made.labels += [
                verdict(row, question, said, judge="person:ana", drawn=drawn)
                for question, said in truth_of(way, row_kind(made, row)).items()  # type: ignore[arg-type]
            ]
    found = sides(made.models[0], MEASURES["good"])
    assert {key[0]: row.judged.drawn for key, row in found.items() if row.judged.drawn} == chances
    both = made.figures["both_right"]["corrected"]
    assert (both["value"], both["labels"]) == (0.25, 3), "half of the four called right"
    apart = next(row.drawn for row in made.labels if row.drawn).model_copy(update={"unit": ""})
    made.labels = [row.model_copy(update={"drawn": apart}) for row in made.labels]
    (first, *_) = sides(made.models[0], MEASURES["good"]).values()
    assert first.judged.drawn == 1 / 4, "rows drawn for themselves come together by chance"


def test_a_plain_item_is_in_no_figure_and_counted() -> None:
    made = rows(*BY_HAND)
    before = made.figures
    plain = item("p", "risky").model_copy(update={"extra": {"plain": True}})
    made.items.append(plain)
    made.responses.append(response(plain, PATH))
    made.say(made.responses[-1], truth_of("lost", "risky"))
    found = made.figures
    assert found["n"].pop("plain") == 1 and before["n"].pop("plain") == 0
    assert found == before
    assert [case.item.id for case in made.models[0].plain] == [plain.id]
