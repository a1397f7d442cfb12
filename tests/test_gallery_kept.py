"""What could not be kept is not lost: refused by a rule, a server, a full disk, or with nobody there."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from browsing import Visit, visit
from curating import curation, exported, record
from jobs import rows, wait_for
from playwright.sync_api import BrowserContext
from serving_reviews import reviewing

pytestmark = pytest.mark.browser
A, B, C = (record(letter * 4) for letter in "abc")
RISK = "/steps/3/text"
REFUSED = "They mean no harm, and that is all."
"""No text of a risky record's fourth step: it names no class."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B, C])


def decisions(run: Path) -> list[str | None]:
    return [row["decision"] for row in rows(run / "curation" / "ana.jsonl")]


def again(seen: Visit) -> None:
    """As after a crash: the page comes up anew, and only what was kept somewhere is there."""
    seen.page.reload()
    seen.page.wait_for_selector("#panel .decision")


def type_refused(seen: Visit) -> None:
    seen.press("j", *["ArrowDown"] * 5, "e", "ControlOrMeta+a")
    seen.type(REFUSED)
    seen.press("Enter")
    assert "This step ends with the class of risk" in seen.text(".part .fault")


def test_an_edit_that_a_rule_refuses_is_offered_again(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    type_refused(seen)
    again(seen)
    assert seen.at() == "bbbb", "the page comes up there"
    assert "1 edit is not taken yet" in seen.text("#saved") and "1 edit is not taken yet" in seen.text(
        "#said"
    )
    box = f"[data-pointer='{RISK}'] .typed"
    assert "This step ends with the class of risk" in seen.text(box)
    assert "and that is all." in seen.text(f"{box} ins >> nth=-1")
    assert seen.page.locator(".row[data-state=lacking]").count() == 1
    assert seen.violations() == []
    seen.page.click("text=Go on editing")
    assert seen.page.input_value("#editor") == REFUSED
    seen.press("End")
    seen.type(" violence")
    seen.press("Enter")
    assert (seen.pressed(), seen.page.locator(".typed").count()) == (["fix"], 0)
    assert "not taken" not in seen.text("#saved")
    again(seen)
    assert seen.page.locator(".typed").count() == 0
    seen.download(run / "curation")
    assert rows(run / "curation" / "ana.jsonl")[1]["edits"] == {RISK: f"{REFUSED} violence"}
    assert curation(run, "check").code == 0


def test_what_is_being_typed_when_the_page_goes_is_there_again(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.press("e", "End")
    seen.type(" Soon.")
    again(seen)
    assert seen.text("[data-pointer='/query/text'] .typed ins").strip() == "Soon."
    assert "not ended with Enter" in seen.text(".typed")
    seen.page.click("text=Discard it")
    again(seen)
    assert seen.page.locator(".typed").count() == 0
    left = "Object.keys(localStorage).filter(key => key.includes('.typed/') || key.includes('.drafts/'))"
    assert seen.page.evaluate(left) == [], "nothing of it stays in the browser"


def test_who_leaves_a_text_as_it_was_leaves_nothing_behind(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.press("e", "End")
    seen.type(" x")
    seen.press("Escape", "e", "End")
    seen.type("y")
    seen.press("Backspace", "Enter")
    again(seen)
    assert seen.page.locator(".typed").count() == 0


def test_a_decision_that_lacks_something_is_there_again(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.press("3", "Escape", "n")
    seen.type("not yet sure why")
    seen.press("Escape")
    again(seen)
    assert (seen.pressed(), seen.page.input_value("#note")) == (["drop"], "not yet sure why")
    assert "1 decision lacks something" in seen.text("#said")
    seen.press("r", "v", "Enter")
    again(seen)
    assert seen.text("#count") == "1 of 3 decided"
    assert "lacks" not in seen.text("#saved")


def test_it_is_the_persons_own(context: BrowserContext, run: Path) -> None:
    """Two people at one computer: neither sees what the other typed."""
    seen = visit(context, run)
    type_refused(seen)
    key = seen.page.evaluate("`ssui/${DATA.folder}/name`")
    seen.page.evaluate("key => localStorage.setItem(key, 'ben')", key)
    again(seen)
    assert seen.page.locator(".typed").count() == 0 and "not taken" not in seen.text("#saved")
    seen.page.evaluate("key => localStorage.setItem(key, 'ana')", key)
    again(seen)
    assert seen.page.locator(".typed").count() == 1


def test_an_edit_made_while_the_server_is_gone_survives_the_page_too(
    context: BrowserContext, run: Path
) -> None:
    with reviewing(run, "ana") as server:
        address = server.addresses["ana"]
        seen = Visit(context, address)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        seen.press("e", "End")
        seen.type(" And more.")
        seen.press("Enter", "j", "3", "Escape")
        seen.page.wait_for_selector("#saved.trouble")
        seen.page.close()
    port = address.split(":")[2].split("/")[0]
    with reviewing(run, "ana", options=("--port", port)) as server:
        seen = Visit(context, server.addresses["ana"])
        wait_for(lambda: decisions(run) == ["fix", None, None])
        assert (seen.at(), seen.pressed()) == ("bbbb", ["drop"]), "what lacks something is here again as well"
    edits = rows(run / "curation" / "ana.jsonl")[0]["edits"]
    assert edits == {"/query/text": "How do I do aaaa? And more."}


def test_what_the_server_refuses_is_shown_again_with_its_reason(context: BrowserContext, run: Path) -> None:
    with reviewing(run, "ana") as server:
        seen = Visit(context, server.addresses["ana"])
        seen.page.evaluate(f"app.keepEdit('{RISK}', '{REFUSED}')")  # as by a page with older rules
        seen.page.wait_for_selector(".clash")
        again(seen)
        seen.page.click(".row[data-state=lacking]")
        assert f"edits.{RISK}" in seen.text(".clash") or "class" in seen.text(".clash")
        assert "and that is all." in seen.text(f"[data-pointer='{RISK}']")
        assert decisions(run) == [None] * 3


def test_a_full_disk_is_said_and_nothing_is_lost(context: BrowserContext, tmp_path: Path) -> None:
    """A limit of 512 bytes for any file stands for it: the system answers with an error of the same kind."""
    run = exported(tmp_path / "demo", [record(f"{number:04d}") for number in range(6)])
    assert (run / "curation" / "ana.jsonl").stat().st_size > 512
    with reviewing(run, "ana", blocks=1) as server:
        address = server.addresses["ana"]
        seen = Visit(context, address)
        seen.press("1")
        seen.page.wait_for_selector("#saved.trouble")
        words = seen.text("#saved")
        assert "ana.jsonl: could not be written: " in words and "kept in this browser and sent again" in words
        again(seen)
        assert decisions(run) == [None] * 6
        seen.page.click(".row >> nth=0")
        assert seen.pressed() == ["keep"]
    port = address.split(":")[2].split("/")[0]
    with reviewing(run, "ana", options=("--port", port)):
        wait_for(lambda: decisions(run) == ["keep", *[None] * 5])
