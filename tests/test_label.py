"""Branches for people to label: which are drawn, what is not shown, and what becomes of the labels."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from browsing import Visit
from curating import a_run, record, ssui
from exploring import cuts, explored, judge, pairs, policy
from fake_server import Fake
from jobs import Ended, Job, rows
from playwright.sync_api import BrowserContext

from ssui_gen.branches import Branch, Cut, Judgement
from ssui_gen.curation.asked.form import BRANCHES
from ssui_gen.curation.choosing.sample import Candidate, sample
from ssui_gen.curation.lines.review import Review, blank
from ssui_gen.curation.outcomes.settle import labels, settle
from ssui_gen.exploring.explored import cut_id
from ssui_gen.records import ReasoningPath


def drawn(path: ReasoningPath, cut: int, polarity: str, number: int) -> Candidate:
    judgement = Judgement(polarity=polarity, probability=0.123, detail="what F said")  # type: ignore[arg-type]
    branch = Branch(
        id=f"{path.id}-{cut}-{polarity}-{number}",
        text=f"\nText {number}.",
        finish="stop",
        judgement=judgement,
    )
    row = Cut(
        id=f"{path.id}-{cut}", path_id=path.id, kind=path.kind, cut=cut, prefix="", image=path.image,
        query=path.query.text, branches=(branch,), draws=1, made_by=(),
    )  # fmt: skip
    return Candidate(path, row, branch)


def row_of(found: list[Candidate]) -> Cut:
    """One row with the branches of a cut."""
    path, cut, _ = found[0]
    branches = tuple(one.branch for one in found)
    return cut.model_copy(update={"id": cut_id(path, cut.cut), "branches": branches})


RISKY, BENIGN = record("a"), record("b", kind="benign")
ALL = [
    *(drawn(RISKY, 0, "good", number) for number in range(100)),
    *(drawn(RISKY, 3, "bad", number) for number in range(50)),
    *(drawn(BENIGN, 0, "good", number) for number in range(49)),
    drawn(BENIGN, 5, "unverified", 0),
]


def strata(ids: list[str]) -> Counter[str]:
    return Counter(id.rpartition("-")[0] for id in ids)


def test_each_stratum_is_drawn_in_proportion_and_none_is_left_out() -> None:
    ids = [one.id for one in sample(ALL, 40, seed=0)]
    assert strata(ids) == {"a-0-good": 20, "a-3-bad": 10, "b-0-good": 10, "b-5-unverified": 1}
    assert [strata([id]).most_common(1)[0][0] for id in ids] != sorted(
        strata([id]).most_common(1)[0][0] for id in ids
    )


def test_a_larger_sample_holds_the_smaller_and_what_people_have_begun_stays() -> None:
    small, large = ({one.id for one in sample(ALL, most, seed=0)} for most in (40, 90))
    assert small < large
    begun = frozenset({"a-0-good-7", "a-0-good-8"} - small)
    assert begun <= {one.id for one in sample(ALL, 40, seed=0, keep=begun)}
    assert len(sample(ALL, 1000, seed=0)) == 200
    assert small != {one.id for one in sample(ALL, 40, seed=1)}


def test_what_f_said_is_not_in_an_item() -> None:
    row = sample(ALL, 10, seed=0)[0].model_dump_json()
    for word in ("judgement", "0.123", "what F said", "polarity", "unverified"):
        assert word not in row


def test_labels_are_what_people_agree_on() -> None:
    items = sample(ALL[:6], 9, seed=0)

    def said(place: int, *decisions: str | None) -> dict[str, Review]:
        line = blank(BRANCHES, items[place].id, items[place].sha)
        return {f"p{n}": line.model_copy(update={"decision": one}) for n, one in enumerate(decisions)}

    views = [
        said(0, "good", "good"),
        said(1, "bad"),
        said(2, "good", "bad"),
        said(3, "unclear"),
        said(4, None),
        {},
    ]
    found, others = labels([settle(item, view) for item, view in zip(items, views, strict=True)])
    assert [(one.branch_id, one.good) for one in found] == [(items[0].id, True), (items[1].id, False)]
    assert others == {"disputed": 1, "unclear": 1, "open": 2}


# --- the commands --------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    """A run with branches of two paths."""
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    assert pairs(todo, "--limit", "2", config={"explore": {"adaptive": False, "k": 6}}).code == 0
    return todo


def label(todo: Job, *more: str) -> Ended:
    return ssui("verify", "label", "--run", str(todo.run), "--seeds", str(todo.seeds), "--as", "ana", *more)


def branches(todo: Job) -> dict[str, str]:
    return {branch["id"]: branch["text"] for cut in cuts(todo) for branch in cut["branches"]}


def decide(todo: Job, name: str = "ana") -> int:
    """Label truly in a person's file, as an editor would; returns how many."""
    path, texts = todo.run / "labels" / f"{name}.jsonl", branches(todo)
    lines = [row | {"decision": "good" if "RIGHT." in texts[row["id"]] else "bad"} for row in rows(path)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return len(lines)


def test_from_branches_to_labels_to_calibration(made: Job) -> None:
    done = label(made, "--most", "20")
    assert done.code == 0, done.err
    ids = [row["id"] for row in rows(made.run / "labels" / "items.jsonl")]
    assert 15 <= len(ids) <= 30 and set(ids) <= set(branches(made))
    count = decide(made)
    assert ssui("curation", "check", "--labels", "--run", str(made.run)).code == 0
    (made.folder / "pure.yaml").write_text(json.dumps({"verify": {"by": ["label"]}}))
    places = ("--run", str(made.run), "--seeds", str(made.seeds), "--config", str(made.folder / "pure.yaml"))
    done = ssui("verify", "calibrate", *places)
    assert done.code == 0, done.err
    assert "Labels of people: " in done.out and "without a label: none" in done.out
    assert json.loads((made.run / "calibration.json").read_text())["label"]["n"] == count
    assert len(rows(made.run / "labels_people.jsonl")) == count


def test_a_fault_in_a_persons_labels_stops_the_calibration(made: Job) -> None:
    label(made)
    path = made.run / "labels" / "ana.jsonl"
    path.write_text(path.read_text().replace('"decision":null', '"decision":"keep"', 1))
    done = ssui("verify", "calibrate", "--run", str(made.run), "--seeds", str(made.seeds))
    assert done.code == 1
    assert "expected good, bad, unclear or null; got 'keep'" in done.err


def test_labels_are_dealt_compared_unfolded_and_folded_like_reviews(made: Job) -> None:
    label(made, "--most", "20")
    run = ("--run", str(made.run), "--labels")
    assert ssui("curation", "assign", "ana", "ben", "--overlap", "1", *run).code == 0
    decide(made)
    decide(made, "ben")
    assert "decision" in ssui("curation", "agreement", *run).out
    assert ssui("curation", "unfold", "--as", "ana", *run).code == 0
    file = next((made.run / "labels" / "ana").glob("*.md"))
    assert "## Branch" in file.read_text() and "reasons" not in file.read_text()
    file.write_text(file.read_text().replace("## Question\n\n", "## Question\n\nNo: "))
    done = ssui("curation", "fold", "--as", "ana", *run)
    assert (done.code, "expected the text as it was; got another: put it back" in done.out) == (1, True)


def test_without_branches_it_says_what_to_do(fake: Fake, tmp_path: Path) -> None:
    todo = explored(tmp_path, fake.url)
    assert "make it with `ssui pairs --run " in label(todo).err


@pytest.mark.browser
def test_the_same_page_labels_branches(context: BrowserContext, tmp_path: Path) -> None:
    run = a_run(tmp_path / "demo", [RISKY, BENIGN])
    cuts_of = [row_of(ALL[98:100]), row_of(ALL[100:104])]
    (run / "branches.jsonl").write_text("".join(row.model_dump_json() + "\n" for row in cuts_of))
    assert ssui("verify", "label", "--run", str(run), "--as", "ana").code == 0
    seen = Visit(context, (run / "labels" / "gallery.html").as_uri(), "ana")
    assert seen.text("#count") == "0 of 6 decided"
    assert "Branch" in seen.text("#texts") and not seen.page.locator(".edit, .reason, .score").count()
    seen.press("1", "j", "2", "j", "3", "u", "1", "u", "2", "u", "2", "e", "r", "s")
    assert (seen.text("#count"), seen.pressed()) == ("6 of 6 decided", ["bad"])
    seen.press("0")
    assert seen.text("#count") == "5 of 6 decided"
    seen.press("g")
    assert "It breaks off before it comes to the answer." in seen.text("#codebook")
    seen.press("Escape", "+")
    assert seen.page.is_visible("#large img")
    seen.press("Escape")
    assert (seen.violations(), seen.wrong) == ([], [])
    seen.download(run / "labels")
    done = ssui("curation", "check", "--labels", "--run", str(run))
    assert done.out.endswith("ana.jsonl: 6 lines, 5 decided\n")
