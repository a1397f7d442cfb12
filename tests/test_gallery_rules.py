"""The page's script knows the rules of the command: the same lines, merges and faults, on random ones."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from browsing import visit
from curating import curation, exported, item, record, review
from playwright.sync_api import BrowserContext

from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.asked.texts import LONGEST, faults
from ssui_gen.curation.lines.merge import merged, three_way
from ssui_gen.curation.lines.review import Earlier, Review
from ssui_gen.curation.lines.shape import agreement_with
from ssui_gen.curation.lines.sheet import read_sheet
from ssui_gen.jsonl import as_line

pytestmark = pytest.mark.browser
A, B, C, D = (record(letter * 4) for letter in "abcd")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B, C, D])


def random_line(rng: Random, path: Any = A) -> Review:
    texts = ["x", "Nobody is harmed: violence.", "éü", "no class", "a" * 300, path.answer]
    return review(
        path, rng.choice([None, "keep", "fix", "drop"]),
        reasons=tuple(choice.value for choice in PATHS.reasons if rng.random() < 0.15),
        scores={score.value: rng.choice([None, 1, 5]) for score in PATHS.scores},
        edits={place: rng.choice(texts) for place in LONGEST if rng.random() < 0.2},
        note=rng.choice(["", "a\n\u2028\x7f\u0085b", "\"q\" \\ 👩‍🔬"]), seconds=rng.choice([None, 7]),
    )  # fmt: skip


def plain(line: Review) -> Any:
    return json.loads(line.model_dump_json())


EDIT_FAULTS = """([id, edits]) => Object.entries(edits)
    .filter(([pointer, text]) => editFault(ITEMS.get(id), pointer, text)).map(([pointer]) => pointer)"""


def test_page_and_command_agree_on_every_line(context: BrowserContext, run: Path) -> None:
    seen, rng = visit(context, run), Random(7)
    for _ in range(150):
        base, mine, theirs = (random_line(rng) for _ in range(3))
        assert seen.page.evaluate("line => asRow(line)", plain(mine)) == as_line(mine).decode().rstrip("\n")
        three = [plain(base), plain(mine), plain(theirs)]
        merged_there, clashes = seen.page.evaluate("([a, b, c]) => threeWay(a, b, c)", three)
        assert (Review.model_validate(merged_there), clashes) == three_way(base, mine, theirs)
        wrong = {place for place, found in faults(A, mine.edits) if "got the same" not in found}
        assert set(seen.page.evaluate(EDIT_FAULTS, [A.id, mine.edits])) == wrong
        sound = mine.model_copy(update={"edits": {"/answer": "x"} if mine.edits else {}})
        assert bool(seen.page.evaluate("line => missing(line)", plain(mine))) == any(
            agreement_with(PATHS, item(A), sound)
        )


def test_page_and_command_merge_alike(context: BrowserContext, run: Path) -> None:
    seen, rng = visit(context, run), Random(8)
    for _ in range(60):
        earlier = tuple(
            Earlier(sha=rng.choice("12"), **random_line(rng).words) for _ in range(rng.randint(0, 2))
        )
        line = random_line(rng).model_copy(update={"sha": rng.choice("012"), "before": earlier})
        (expected,) = merged(PATHS, {A.id: "1"}, [line])
        found = seen.page.evaluate(
            "([line, item]) => refreshed(line, item)", [plain(line), {"id": A.id, "sha": "1"}]
        )
        assert Review.model_validate(found) == expected


def test_whatever_is_downloaded_is_read_without_a_fault(context: BrowserContext, run: Path) -> None:
    """Random keys, as a cat would press them."""
    seen, rng = visit(context, run), Random(9)
    keys = [*"jk123eruszdin", "ArrowDown", "Enter", "Escape", *"otpx45gqw+"]
    for _ in range(400):
        seen.press(rng.choice(keys))
    content = seen.download(run / "curation")
    assert seen.wrong == []
    assert read_sheet(run, content, PATHS).faults == []
    assert curation(run, "check").code == 0
    assert "nothing new" in curation(run, "export").out


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        ("a b c", "a b c", [["same", "a b c"]]),
        ("a b c", "a x c", [["same", "a "], ["gone", "b"], ["new", "x"], ["same", " c"]]),
        ("one two three", "uno dos three", [["gone", "one two"], ["new", "uno dos"], ["same", " three"]]),
        ("a", "a b", [["same", "a"], ["new", " b"]]),
        ("a b", "b", [["gone", "a "], ["same", "b"]]),
        ("", "new", [["new", "new"]]),
    ],
)
def test_what_changed_is_told_by_words(
    context: BrowserContext, run: Path, before: str, after: str, runs: list[list[str]]
) -> None:
    seen = visit(context, run)
    assert seen.page.evaluate("([a, b]) => wordDiff(a, b)", [before, after]) == runs


def test_a_difference_holds_both_texts_to_the_letter(context: BrowserContext, run: Path) -> None:
    seen, rng = visit(context, run), Random(5)
    for _ in range(300):
        one, other = (
            "".join(rng.choice(["a", "b", "c ", " ", "  d", "\n"]) for _ in range(rng.randint(0, 12)))
            for _ in "ab"
        )
        runs = seen.page.evaluate("([a, b]) => wordDiff(a, b)", [one, other])
        assert "".join(text for kind, text in runs if kind != "new") == one
        assert "".join(text for kind, text in runs if kind != "gone") == other
