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
    assert (found.without, found.of, found.more) == (8, 9, 1)


def test_nothing_lacks_without_a_sign_of_hope_or_something_spared() -> None:
    assert noted(*RICH, *POOR[1:]).lacking() is None, "no benign pair at all"
    assert noted(*RICH).lacking() is None, "one kind"
    assert noted(*(rows(f"r{n}", "risky", True, 10) for n in range(4)), *POOR).lacking() is None
    assert noted(*RICH, *POOR, adaptive=False).lacking() is None


def test_pairs_that_are_too_rare_are_not_looked_for_and_it_is_said() -> None:
    """As many draws again show one at a share of 1 - 6/8 of those without, or of 1 - 7/9."""
    some = [rows(f"b{n}", "benign", n < 2, 10) for n in range(8)]
    assert (found := noted(*RICH, *some).lacking()) and found.hopeful
    fewer = [*some, rows("b8", "benign", False, 10)]
    assert (found := noted(*RICH, *fewer).lacking()) and not found.hopeful
    assert "24 risky, 12 benign), and 7 of 9 benign paths showed none in all their draws: too" in str(found)


Shape = tuple[Kind, bool, int]
SHAPES = st.lists(st.tuples(st.sampled_from(["risky", "benign"]), st.booleans(), st.integers(1, 10)))


def first_rows(shapes: list[Shape]) -> list[list[Cut]]:
    """What the first pass leaves: a path without a pair has had all its draws."""
    return [
        rows(f"{n:02}", kind, paired, draws if paired else 10)
        for n, (kind, paired, draws) in enumerate(shapes)
    ]


@given(SHAPES)
def test_never_more_than_k_a_cut_is_spent(shapes: list[Shape]) -> None:
    made = first_rows(shapes)
    lacking = noted(*made).lacking()
    spared = sum(10 - one.draws for found in made for one in found)
    assert lacking is None or 0 < lacking.draws <= spared


@given(SHAPES, st.data())
def test_whatever_was_done_when_a_run_was_killed_the_rest_is_drawn_again(
    shapes: list[Shape], data: st.DataObject
) -> None:
    """In any order of the rows; those that were drawn again may have found pairs or none."""
    made = first_rows(shapes)
    found = noted(*made).lacking()
    chosen = found.paths if found else frozenset()
    done = data.draw(st.sets(st.sampled_from(sorted(chosen)))) if chosen else set()
    left = []
    for found_first in made:
        id_, kind = found_first[0].path_id, found_first[0].kind
        more = rows(id_, kind, data.draw(st.booleans()), 20)
        left.append(more if id_ in done else found_first)
    rest = noted(*data.draw(st.permutations(left))).lacking()
    assert (rest.paths if rest else frozenset()) == chosen - done
    assert not (rest and found) or rest.hopeful == found.hopeful


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
