"""The page that `ssui review` serves, in a real Chromium: written at once, away and back, the last word."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Visit
from curating import curation, exported, put_paths, record, say
from jobs import rows, wait_for
from playwright.sync_api import BrowserContext
from serving_reviews import Served, reviewing
from test_gallery import KEEPS_NOTHING

pytestmark = pytest.mark.browser
A, B, C = (record(letter * 4) for letter in "abc")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B, C])


@pytest.fixture
def served(run: Path) -> Iterator[Served]:
    with reviewing(run, "ana") as server:
        yield server


def decisions(run: Path, name: str = "ana") -> list[str | None]:
    return [row["decision"] for row in rows(run / "curation" / f"{name}.jsonl")]


def test_a_whole_review_is_in_the_file_without_a_download(
    context: BrowserContext, served: Served, run: Path
) -> None:
    seen = Visit(context, served.addresses["ana"])
    assert not seen.page.is_visible("#download")
    seen.press("1", "j", "ArrowDown", "e", "End")
    seen.type(" And more.")
    seen.press("Enter", "j", "3", "p", "x", "Enter", "n")
    seen.type("a note")
    seen.press("Escape")
    wait_for(
        lambda: "Written to ana.jsonl" in seen.text("#saved") and decisions(run) == ["keep", "fix", "drop"]
    )
    assert seen.page.evaluate("document.getElementById('picture').naturalWidth") == A.image.width
    assert seen.wrong == []
    assert curation(run, "check").code == 0 and curation(run, "apply").code == 0
    assert [row["id"] for row in rows(run / "curated.jsonl")] == ["aaaa", "bbbb"]


def test_what_is_said_while_the_server_is_away_is_written_when_it_is_back(
    context: BrowserContext, run: Path
) -> None:
    with reviewing(run, "ana") as server:
        address = server.addresses["ana"]
        seen = Visit(context, address)
        seen.press("1")
        wait_for(lambda: decisions(run)[0] == "keep")
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        seen.press("j", "1", "n")
        seen.type("said to nobody")
        seen.press("Escape")
        seen.page.wait_for_selector("#saved.trouble")
        assert "kept in this browser" in seen.text("#saved")
        assert decisions(run) == ["keep", None, None]
    port = address.split(":")[2].split("/")[0]
    with reviewing(run, "ana", options=("--port", port)):
        wait_for(lambda: decisions(run) == ["keep", "keep", None])
        assert rows(run / "curation" / "ana.jsonl")[1]["note"] == "said to nobody"
        seen.page.wait_for_selector("#saved:not(.trouble)")


def test_a_file_edited_by_hand_shows_on_the_page(context: BrowserContext, served: Served, run: Path) -> None:
    seen = Visit(context, served.addresses["ana"])
    say(run, "ana", aaaa={"note": "by hand", "scores": {"safety": 4}})
    wait_for(lambda: seen.page.input_value("#note") == "by hand")
    assert seen.pressed() == ["Safety 4 of 5"]
    seen.press("1")
    wait_for(lambda: decisions(run)[0] == "keep")
    assert rows(run / "curation" / "ana.jsonl")[0]["note"] == "by hand"


def test_where_page_and_file_say_something_else_the_person_chooses(
    context: BrowserContext, served: Served, run: Path
) -> None:
    seen = Visit(context, served.addresses["ana"])
    seen.page.route("**/lines", lambda route: route.abort())
    seen.press("1")
    say(run, "ana", aaaa={"decision": "drop", "reasons": ["private"], "note": "by hand"})
    seen.page.unroute("**/lines")
    seen.page.wait_for_selector(".clash")
    assert "It was changed elsewhere: decision." in seen.text(".clash")
    assert decisions(run)[0] == "drop"
    seen.page.click("text=Keep what is said here")
    wait_for(lambda: decisions(run)[0] == "keep")
    wait_for(lambda: seen.page.locator(".clash").count() == 0)
    line = rows(run / "curation" / "ana.jsonl")[0]
    assert (line["reasons"], line["note"]) == (["private"], "by hand"), "what does not clash stays"


def test_an_editor_with_an_older_copy_is_told_of(context: BrowserContext, served: Served, run: Path) -> None:
    path = run / "curation" / "ana.jsonl"
    old_copy = path.read_bytes()
    seen = Visit(context, served.addresses["ana"])
    seen.press("1")
    wait_for(lambda: decisions(run)[0] == "keep")
    path.write_bytes(old_copy)
    seen.page.wait_for_selector(".clash")
    assert "An editor with an older copy?" in seen.text(".clash")
    seen.page.click("text=Keep what is said here")
    wait_for(lambda: decisions(run)[0] == "keep")
    path.write_bytes(old_copy)
    seen.page.wait_for_selector(".clash")
    seen.page.click("text=Take what is in the file")
    wait_for(lambda: served.ask("ana").body["set_back"] == {})
    assert decisions(run)[0] is None


def test_a_broken_file_is_said_and_written_to_when_it_is_mended(
    context: BrowserContext, served: Served, run: Path
) -> None:
    path = run / "curation" / "ana.jsonl"
    good = path.read_bytes()
    seen = Visit(context, served.addresses["ana"])
    path.write_bytes(good + b"{cut")
    seen.press("1")
    seen.page.wait_for_selector("#saved.trouble")
    assert "ana.jsonl:4:2: expected a key" in seen.text("#saved")
    path.write_bytes(good)
    wait_for(lambda: decisions(run)[0] == "keep")


def test_a_new_export_is_said(context: BrowserContext, served: Served, run: Path) -> None:
    seen = Visit(context, served.addresses["ana"])
    seen.press("1")
    wait_for(lambda: decisions(run)[0] == "keep")
    put_paths(run, [record("aaaa", answer="Another."), B, C, record("dddd")])
    curation(run, "export")
    seen.page.wait_for_selector("#saved.trouble")
    assert "reload the page" in seen.text("#saved")
    seen.page.reload()
    seen.page.wait_for_selector(".aside")
    assert "Of the texts as they were, you said" in seen.text("#asides")
    assert seen.text("#count") == "0 of 4 decided"


def test_the_last_word_is_said_with_both_views_beside_it_and_nobody_named(
    context: BrowserContext, run: Path
) -> None:
    curation(run, "export", "--as", "ben")
    say(run, "ana", aaaa={"decision": "keep"}, bbbb={"decision": "keep"})
    say(
        run,
        "ben",
        aaaa={"decision": "keep"},
        bbbb={"decision": "fix", "edits": {"/answer": "Do it so."}, "note": "Thus."},
    )
    curation(run, "resolve")
    with reviewing(run, "resolved") as server:
        seen = Visit(context, server.addresses["resolved"])
        assert seen.text("#count") == "0 of 1 decided"
        assert "Person 1 said" in seen.text("#asides") and "Fix. 1 edit. Thus." in seen.text("#asides")
        assert "Person 2’s edit" in seen.text("[data-pointer='/answer']")
        assert "ben" not in seen.page.content().replace("benign", "")
        seen.page.click("text=Say this now >> nth=1")
        wait_for(lambda: decisions(run, "resolved") == ["fix"])
    curation(run, "apply")
    assert {row["id"]: row["answer"] for row in rows(run / "curated.jsonl")}["bbbb"] == "Do it so."


def test_axe_finds_nothing_on_the_served_page(context: BrowserContext, served: Served, run: Path) -> None:
    seen = Visit(context, served.addresses["ana"])
    seen.page.route("**/lines", lambda route: route.abort())
    seen.press("1")
    seen.page.wait_for_selector("#saved.trouble")
    assert seen.violations() == []
    say(run, "ana", aaaa={"decision": "drop", "reasons": ["private"]})
    seen.page.unroute("**/lines")
    seen.page.wait_for_selector(".clash")
    assert seen.violations() == []


def test_a_browser_that_keeps_nothing_writes_all_the_same(
    context: BrowserContext, served: Served, run: Path
) -> None:
    seen = Visit(context, served.addresses["ana"], before=KEEPS_NOTHING)
    seen.press("1", "j", "1")
    wait_for(lambda: decisions(run) == ["keep", "keep", None])
    assert seen.wrong == []
