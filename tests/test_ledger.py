"""Which paths of a run are drawn from once more, and that a cut opened again has one row in the end."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from test_explored import row_of
from test_pairs import branch, cut
from test_verify import path

from ssui_gen.branches import Cut
from ssui_gen.config import Explore
from ssui_gen.exploring.explored import Explored, without_replaced
from ssui_gen.exploring.ledger import Ledger
from ssui_gen.jsonl import Appender
from ssui_gen.records import Kind

CUTS = 6


def rows(path_id: str, kind: Kind, paired: bool, draws: int) -> list[Cut]:
    found = [branch("g", "good"), *([branch("b", "bad")] if paired else [])]
    update = {"path_id": path_id, "kind": kind, "draws": draws}
    return [cut(n, *found).model_copy(update=update) for n in range(CUTS)]


def noted(*paths: list[Cut], **settings: int) -> Ledger:
    ledger = Ledger(Explore(**settings))  # type: ignore[arg-type]
    for found in paths:
        for one in found:
            ledger.note(one)
    return ledger


RICH = [rows(f"r{n}", "risky", True, 4) for n in range(4)]
POOR = [rows("b0", "benign", True, 10), *(rows(f"b{n}", "benign", False, 10) for n in range(1, 9))]


def test_the_rarer_kind_gets_what_was_spared_path_by_path() -> None:
    """Four paths spare 6 x 6 draws each; a path takes 60 more."""
    found = noted(*RICH, *POOR).lacking()
    assert found and (found.kind, found.paths, found.draws) == ("benign", {"b1", "b2"}, 120)
    assert "benign pairs are rarer" in str(found) and "24 risky, 6 benign" in str(found)


def test_nothing_lacks_without_a_sign_of_hope_or_something_spared() -> None:
    assert noted(*RICH, *POOR[1:]).lacking() is None, "no benign pair at all"
    assert noted(*RICH).lacking() is None, "one kind"
    assert noted(*(rows(f"r{n}", "risky", True, 10) for n in range(4)), *POOR).lacking() is None
    assert noted(*RICH, *POOR, adaptive=False).lacking() is None


def test_what_was_drawn_again_is_not_drawn_a_third_time() -> None:
    ledger = noted(*RICH, *POOR)
    first = ledger.lacking()
    assert first
    for one in [one for found in POOR for one in found if one.path_id in first.paths]:
        ledger.note(one, -1)
        ledger.note(one.model_copy(update={"draws": 20}))
    assert ledger.lacking() is None and ledger.spared == 144 - 120


@given(st.lists(st.tuples(st.sampled_from(["risky", "benign"]), st.booleans(), st.integers(1, 20))))
def test_never_more_than_k_a_cut_is_spent(paths: list[tuple[Kind, bool, int]]) -> None:
    ledger = noted(*(rows(str(n), *one) for n, one in enumerate(paths)))
    found = ledger.lacking()
    assert found is None or 0 < found.draws <= ledger.spared


def test_of_a_cut_that_was_opened_again_the_last_row_stays(tmp_path: Path) -> None:
    file = tmp_path / "branches.jsonl"
    one, writer = path(), Appender(file)
    writer.write(*(row_of(one, n) for n in range(CUTS)))
    writer.write(row_of(one, 2).model_copy(update={"draws": 20}))
    writer.close()
    assert [row.draws for row in Explored(file).of(one)] == [0, 0, 20, 0, 0, 0]
    without_replaced(file)
    assert len(file.read_text().splitlines()) == CUTS
    assert [row.draws for row in Explored(file).of(one)] == [0, 0, 20, 0, 0, 0]
    inode = file.stat().st_ino
    without_replaced(file)
    assert file.stat().st_ino == inode, "nothing to leave out"
