"""Claims of `make reproduce`: rows, verdicts and the page, made of cells whose answers are known."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from browsing import Visit
from playwright.sync_api import BrowserContext

from microworld.reproduce import claims as c
from microworld.reproduce import recipes as r
from microworld.reproduce import report
from microworld.reproduce.claim import Claim, Scope
from microworld.reproduce.claims import CLAIMS, planned
from microworld.reproduce.judging import figure, row_of, summary
from microworld.reproduce.outcomes import (
    AIMED,
    LATE,
    NEEDLESS,
    READ,
    RECOVERY,
    SEEN,
    SOUND,
    TOKENS,
    UNSAFE,
    WARNED,
    Measure,
    rows,
)
from microworld.reproduce.page import page, write_page
from microworld.reproduce.seeds import DEV, FINAL
from microworld.reproduce.settings import Agents, Cell, key
from microworld.reproduce.trainings import named
from ssui_gen.errors import ConfigError, RecordError

RISKY, BENIGN = 100, 100


def cell_of(cell: Cell, unsafe: float, needless: float = 0.05) -> dict[str, Any]:
    """A cell's content: so many answers are unsafe, so many warn for nothing, those left are right."""
    rng = Random(f"{key(cell)}")

    def words(bad: str, good: str, share: float, count: int) -> list[str]:
        return [bad if rng.random() < share else good for _ in range(count)]

    test = cell.test
    risky = [
        {"id": f"r{n}", "kind": "risky", "cluster": f"rule{n % 50}", "twin": "risky",
         "seen": ["11"] * test.cool, "alarms": "t" * test.cool,
         "cool": words("u3", "a0", unsafe, test.cool), "hot": words("u3", "a0", unsafe, test.hot)}
        for n in range(RISKY)
    ]  # fmt: skip
    benign = [
        {"id": f"b{n}", "kind": "benign", "cluster": f"family{n}", "twin": ("picture", "text")[n % 2],
         "seen": ["1"] * test.cool, "alarms": "",
         "cool": words("a6", "o0", needless, test.cool), "hot": ["o0"] * test.hot}
        for n in range(BENIGN)
    ]  # fmt: skip
    names = [{"id": f"r{n}", "cluster": f"rule{n}"} for n in range(test.probes)]
    return {
        "made_of": {"settings": cell.model_dump(mode="json")},
        "rows": risky + benign,
        "recovery": [{**name, "cool": ["u3"] * test.cool} for name in names],
        "plain": [{**name, "right": [True] * test.cool} for name in names],
        "facts": {
            "steps": 18.0,
            "tokens": 300.0 if cell.rounds > 1 else 100.0,
            "drawn_tokens": 100.0,
            "drawing_seconds": 2.0,
            "training_seconds": 1.0,
            "cuts_with_both": 40.0,
        } if cell.data else {},
    }  # fmt: skip


def agents_of(work: Agents) -> dict[str, Any]:
    """A row of the agents' for each name; what is tried keeps nine in ten out."""
    names = ("wrong", "planted", "giveaway", "alarming")
    kept_out = [{"cluster": f"rule{n}", name: [True, n % 10 == 0]} for name in names for n in range(100)]
    lost = [{"cluster": f"rule{n}", name: [False, False]} for name in ("lost", "spurned") for n in range(100)]
    return {"made_of": {"settings": work.model_dump(mode="json")}, "rows": kept_out + lost}


def read(cell: Cell | Agents) -> dict[str, Any]:
    """SRPO is safe, SFT less so, the bare policy not at all."""
    if isinstance(cell, Agents):
        return agents_of(cell)
    if not cell.data:
        return cell_of(cell, 0.6, 0.0)
    return cell_of(cell, 0.3 if cell.train.get("loss") == "sft" else 0.02)


def claim(number: int) -> Claim:
    return next(one for one in CLAIMS if one.number == number)


def test_there_are_thirty_five_and_each_row_has_all_that_others_rely_on() -> None:
    assert [one.number for one in CLAIMS] == list(range(1, 36))
    for one in CLAIMS:
        row = row_of(one, FINAL, read, "worlds")
        assert not [name for name in report.KEYS if name not in row]
        assert row["verdict"] in ("holds", "fails", "undecided")
        assert row["seeds"] == list(FINAL.few.data if one.few else FINAL.data)
        assert row["n"] > 0 and row["margin"] is not None


def test_verdicts_follow_the_answers() -> None:
    wanted = {1: "holds", 2: "holds", 3: "holds", 11: "fails", 14: "holds"}
    found = {number: row_of(claim(number), FINAL, read, "worlds")["verdict"] for number in wanted}
    assert found == wanted, "nobody comes back from a wrong step here"


def test_a_claim_of_several_parts_is_as_good_as_its_worst() -> None:
    row = row_of(claim(12), FINAL, read, "quick")
    assert row["verdict"] != "holds" and {one["verdict"] for one in row["parts"]} >= {"undecided", "told"}

    def taxed(cell: Cell) -> dict[str, Any]:
        found = read(cell)
        if cell.data and cell.train.get("loss") != "sft":
            return cell_of(cell, 0.02, 0.5)
        return found

    row = row_of(claim(12), FINAL, taxed, "quick")
    assert row["verdict"] == "fails" and row["measure"] in (NEEDLESS.title, LATE.title) and row["figure"] > 30


def test_what_is_not_measured_says_what_it_needs() -> None:
    def nobody(cell: Cell) -> dict[str, Any]:
        raise AssertionError("no cell is read for a claim that is not measured")

    row = row_of(claim(7), FINAL, nobody, "quick")
    assert row["verdict"].startswith("not run: needs ") and row["figure"] is None and row["n"] == 0


def test_claims_never_read_a_cell_of_the_other_set() -> None:
    asked: list[Cell | Agents] = []

    def noted(cell: Cell | Agents) -> dict[str, Any]:
        asked.append(cell)
        return read(cell)

    for one in CLAIMS:
        row_of(one, FINAL, noted, "worlds")
    cells = [one for one in asked if isinstance(one, Cell)]
    assert {cell.test.seed for cell in cells} == {FINAL.test}
    assert {cell.data.seed for cell in cells if cell.data} == set(FINAL.data)
    assert {one.seed for one in asked if isinstance(one, Agents)} == set(FINAL.data)

    def of_dev(cell: Cell) -> dict[str, Any]:
        moved = cell.data and cell.data.model_copy(update={"seed": DEV.data[0]})
        return cell_of(cell.model_copy(update={"data": moved}), 0.1)

    with pytest.raises(ConfigError, match="other seeds than those of the set 'final'"):
        row_of(claim(3), FINAL, of_dev, "quick")
    with pytest.raises(ConfigError, match="other seeds"):
        row_of(claim(14), FINAL, lambda work: agents_of(r.at(r.reflection, DEV, DEV.data[0])), "worlds")


def test_all_that_claims_need_is_planned_and_each_scope_is_part_of_the_next() -> None:
    before: set[Cell] = set()
    for scope in get_args(Scope):
        claims = [one for one in CLAIMS if one.within(scope)]
        wanted = {one for one in planned(claims, FINAL) if isinstance(one, Cell)}
        assert before < wanted
        shown = {r.at(cell, FINAL, data) for cell in named(scope).values() for data in FINAL.data}
        assert shown >= wanted, "every training that is made is shown"
        few = {r.at(cell, FINAL, data) for cell in named(scope).values() for data in FINAL.few.data}
        assert few <= wanted, "and no other"
        before = wanted


def test_answers_are_compared_as_far_as_both_have_them() -> None:
    part = c.Part(r.srpo, r.lam(0.1), (UNSAFE,), c.below(0))
    found = figure(part, FINAL, read)
    assert found.n == RISKY * len(FINAL.data), "as many draws as both have"
    both = figure(c.Part(r.srpo, r.lam(0.9), (UNSAFE, NEEDLESS), c.below(0)), FINAL, read)
    apart = [
        figure(c.Part(r.srpo, r.lam(0.9), (one,), None), FINAL, read).value for one in (UNSAFE, NEEDLESS)
    ]
    assert both.value == pytest.approx(sum(apart) / 2)


def test_a_share_needs_no_other_side_and_what_a_training_takes_is_told_in_percent() -> None:
    level = figure(c.Part(None, r.srpo, (UNSAFE,), c.below(10)), FINAL, read)
    assert level.n == RISKY * len(FINAL.data) and 0 < level.value < 5
    assert level.interval[0] < level.value < level.interval[1]
    dearer = figure(c.Part(r.srpo, r.two_rounds, (READ,), None), FINAL, read)
    assert dearer.value == 200 and dearer.n == len(FINAL.data)
    both = figure(c.Part(r.srpo, r.two_rounds, (TOKENS,), None), FINAL, read)
    assert both.value == 100, "400 for 200"
    row = row_of(claim(29), FINAL, read, "worlds")
    fails = {one["measure"] for one in (row, *row["parts"]) if one["verdict"] == "fails"}
    assert row["verdict"] == "fails" and RECOVERY.title in fails, "nobody comes back from a wrong step here"
    assert READ.title not in fails and any(one["verdict"] == "holds" for one in row["parts"])


def test_each_thing_of_a_picture_is_a_row_and_late_alarms_come_after_three_right_steps() -> None:
    cell = r.at(r.srpo, FINAL, FINAL.data[0])
    found = cell_of(cell, 0.0, 0.0)
    assert len(rows(found, SEEN, 1)) == 2 * RISKY + BENIGN
    found["rows"][-1]["cool"] = ["a6"]
    found["rows"][-2]["cool"] = ["a2"]
    assert sum(row.value for draws in rows(found, LATE, 1) for row in draws) == 1


def test_a_right_answer_behind_a_wrong_step_is_not_right_in_all() -> None:
    words = {"risky": (["a0", "a5", "u3", "o0"], 1), "benign": (["o0", "o1", "a0", "o0"], 2)}
    made = [
        {"kind": kind, "twin": None, "cluster": "x", "cool": [w]}
        for kind, (found, _) in words.items()
        for w in found
    ]
    for measure in SOUND:
        right = sum(row.value for draws in rows({"rows": made}, measure, 1) for row in draws)
        assert right == words[measure.of][1]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduce")
    report.write(folder, FINAL, read, {"code": "1"}, named("quick"), "quick")
    return folder


def test_claims_are_written_read_and_shown_on_a_page_that_loads_nothing(written: Path) -> None:
    found = report.load(written)
    told = page(found)
    assert write_page(written, found).read_text("utf-8")[:100] == told[:100]
    assert (written / "claims.png").read_bytes()[:4] == b"\x89PNG" and (written / "trainings.png").exists()
    assert not re.search(r"https?://|(?:src|href)=[\"'](?!data:|#)", told) and "default-src" in told
    for row in found["claims"]:
        assert row["claim"].replace("'", "&#x27;") in told
    assert told.count('class="holds"') and 'class="fails"' in told
    assert sum(summary(found["claims"]).values()) == len(CLAIMS)
    assert found["provenance"]["set"] == "final" and len(found["trainings"]) == len(named("quick"))


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page_of_claims(context: BrowserContext, written: Path, theme: Any) -> None:
    seen = Visit(context, write_page(written, report.load(written)).as_uri(), ready="#theme")
    seen.page.emulate_media(color_scheme=theme)
    for width, height in ((1360, 860), (680, 430), (390, 800)):  # 680 is what 200 % leaves of 1360
        seen.page.set_viewport_size({"width": width, "height": height})
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(over) <= 0, width
        assert seen.violations() == [], width
    assert seen.wrong == []


def test_a_claims_file_whose_figure_was_bettered_is_refused(written: Path) -> None:
    path = written / report.NAME
    before = path.read_text()
    path.write_text(before.replace('"verdict": "fails"', '"verdict": "holds"', 1))
    try:
        with pytest.raises(RecordError, match="was edited after it was made"):
            report.load(written)
    finally:
        path.write_text(before)


def test_a_warning_of_whatever_is_told_from_one_of_the_very_thing() -> None:
    rule = {"cluster": "a rule", "twin": "risky"}
    found = {"rows": [{"kind": "risky", "alarms": "tw-", **rule}, {"kind": "benign", "alarms": "", **rule}]}

    def said(measure: Measure) -> list[list[float]]:
        return [[row.value for row in draws] for draws in rows(found, measure, 1)]

    assert said(WARNED) == [[1, 1, 0]] and said(AIMED) == [[1, 0, 0]]
