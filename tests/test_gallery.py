"""The review page in a real Chromium, by keyboard alone: to the byte what the command writes and takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browsing import visit
from curating import a_run, curation, exported, item, put_paths, record, say
from jobs import rows, wait_for
from playwright.sync_api import BrowserContext

from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.lines.review import blank
from ssui_gen.curation.lines.sheet import written

pytestmark = pytest.mark.browser
A, B, C, D = (record(letter * 4) for letter in "abcd")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B, C, D])


# --- a whole review ------------------------------------------------------------------------------------


def test_a_whole_review_by_keyboard_then_download_check_and_apply(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.press("1", "j", *["ArrowDown"] * 4, "e")
    seen.press("ControlOrMeta+a")
    seen.type("The floor is wet, and they want to run.")
    seen.press("Enter", "s", "5", "j", "3", "t", "p", "Enter", "n")
    seen.type("Nothing follows.\nReally.")
    seen.press("Escape", "j", "3", "o", "Enter")
    seen.type("For a reason of my own.")
    seen.press("Escape")
    assert seen.text("#count") == "4 of 4 decided"
    content = seen.download(run / "curation")
    assert seen.wrong == []
    assert curation(run, "check").out.endswith("ana.jsonl: 4 lines, 4 decided\n")
    assert "nothing new" in curation(run, "export").out, (
        "the download is what the command writes, to the byte"
    )
    assert curation(run, "apply").code == 0
    kept = {row["id"]: row for row in rows(run / "curated.jsonl")}
    assert list(kept) == ["aaaa", "bbbb"]
    assert kept["bbbb"]["steps"][2]["text"] == "The floor is wet, and they want to run."
    assert kept["bbbb"]["curation"]["original"] == {"/steps/2/text": B.steps[2].text}
    lines = [json.loads(line) for line in content.splitlines()]
    assert lines[2]["reasons"] == ["not_risky_together", "wrong_picture_fact"]
    assert (lines[2]["note"], lines[3]["reasons"]) == ("Nothing follows.\nReally.", ["other"])


def test_what_is_said_stays_in_the_browser_and_is_seen_in_another_tab(
    context: BrowserContext, run: Path
) -> None:
    first = visit(context, run)
    second = visit(context, run, name=None)
    first.press("1")
    wait_for(lambda: second.text("#count").startswith("1 of"))
    first.page.close()
    second.page.reload()
    second.page.wait_for_selector("[data-state=keep]")
    assert second.at() == "bbbb", "it goes on with the first that is open"


def test_a_decision_counts_when_nothing_lacks(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.press("3", "Escape")
    assert "Say why (r)" in seen.text("#panel .fault")
    assert (seen.text("#count"), seen.page.locator("[data-state=lacking]").count()) == ("0 of 4 decided", 1)
    assert "1 decision lacks something: not in your file" in seen.text("#saved")
    assert json.loads(seen.download(run / "curation").splitlines()[0])["decision"] is None
    assert "4 of 4 items are undecided: they are left out" in seen.text("#said")
    assert "1 decision lacks something: this browser alone has it." in seen.text("#said")
    seen.press("r", "q")
    assert "lacks" not in seen.text("#saved")
    assert (seen.text("#count"), seen.pressed()) == ("1 of 4 decided", ["drop", "unsound"])
    seen.press("r", "o", "Enter", "Escape")
    assert seen.text("#count") == "0 of 4 decided", "another reason needs a note"
    seen.press("n")
    seen.type("x")
    seen.press("Escape", "j", "2")
    assert seen.page.locator("#editor").count() == 1, "a fix begins with an edit"
    seen.press("Escape")
    assert "so that there is something to fix" in seen.text("#panel .fault")


def test_edits_show_their_words_are_checked_and_can_be_taken_out(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.press(*["ArrowDown"] * 5, "e", "ControlOrMeta+a")
    seen.type("They mean no harm.")
    seen.press("Enter")
    assert "This step ends with the class of risk" in seen.text(".part .fault")
    seen.type(" violence")
    seen.press("Enter")
    assert seen.page.locator(".part[aria-current=true] ins").last.inner_text().endswith("violence")
    seen.press("1")
    assert "There are edits: decide fix" in seen.text("#panel .fault")
    seen.press("z")
    seen.page.click("text=Take the edit out")
    assert (seen.pressed(), seen.page.locator("ins, del").count()) == ([], 0)
    seen.press("z")
    assert seen.pressed() == ["fix"]


def test_a_text_that_was_typed_is_kept_when_the_person_goes_elsewhere(
    context: BrowserContext, run: Path
) -> None:
    seen = visit(context, run)
    seen.press("e", "End")
    seen.type(" More.")
    seen.page.click(".row >> nth=2")
    assert seen.at() == "cccc"
    seen.page.click(".row >> nth=0")
    assert seen.text("[data-pointer='/query/text'] ins").strip() == "More."


def test_moving_filtering_scoring_and_undoing(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.press("j", "j", "k")
    assert seen.at() == "bbbb"
    seen.press("d", "3", "i", "1")
    assert seen.pressed() == ["Difficulty 3 of 5", "Informativeness 1 of 5"]
    seen.press("z", "d", "3")
    assert seen.pressed() == []
    seen.press("/")
    seen.type("cccc do")
    assert seen.page.locator(".row").count() == 1
    seen.press("Enter", "j")
    assert seen.at() == "cccc"
    seen.page.fill("#filter", "no such word")
    assert seen.page.is_visible("#nothing")
    seen.page.fill("#filter", "")
    seen.page.focus("#item")
    seen.press("1", "u", "u")
    assert seen.at() == "aaaa", "the next that is open, round and round"
    seen.page.select_option("#show", "keep")
    assert seen.page.locator(".row").count() == 1


def test_keys_can_be_turned_off_and_time_is_noted_only_on_request(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    seen.page.click("summary:has-text('Settings')")
    seen.page.uncheck("#shortcuts")
    seen.page.focus("#item")
    seen.press("1")
    assert seen.pressed() == []
    seen.page.check("#shortcuts")
    seen.page.focus("#item")
    seen.press("1", "j")
    assert "seconds" not in seen.download(run / "curation").decode()
    seen.page.check("#timed")
    seen.page.focus("#item")
    seen.page.wait_for_timeout(1200)
    seen.press("1", "k")
    assert json.loads(seen.download(run / "curation").splitlines()[1])["seconds"] >= 1
    seen.page.uncheck("#timed")


# --- files ---------------------------------------------------------------------------------------------


def test_texts_that_changed_are_shown_beside_what_was_said_of_them(
    context: BrowserContext, run: Path
) -> None:
    seen = visit(context, run)
    seen.press("ArrowDown", "e", "End")
    seen.type(" Quickly.")
    seen.press("Enter", "n")
    seen.type("my note")
    seen.press("Escape")
    seen.download(run / "curation")
    put_paths(run, [record("aaaa", answer="Quite another answer."), B, C, D])
    assert "the texts of 1 items have changed" in curation(run, "export").out
    seen.page.reload()
    seen.page.wait_for_selector(".aside")
    assert seen.page.locator("[data-state=again]").count() == 1
    assert "Fix. 1 edit. my note" in seen.text("#asides")
    assert "Then → now" in seen.text("[data-pointer='/answer']")
    assert "Your edit then" in seen.text("[data-pointer='/query/scenario']")
    assert seen.download(run / "again") == (run / "curation" / "ana.jsonl").read_bytes()
    seen.page.click("text=Say this now")
    assert (seen.pressed(), seen.text("#note")) == (["fix"], "")
    assert seen.page.input_value("#note") == "my note"
    seen.download(run / "curation")
    assert curation(run, "check").code == 0


def test_a_file_is_opened_and_where_both_say_something_new_the_person_chooses(
    context: BrowserContext, run: Path
) -> None:
    say(run, "ana", aaaa={"decision": "keep"}, bbbb={"note": "from the editor"})
    seen = visit(context, run)
    seen.press("3", "q", "Enter", "j", "d", "2")
    seen.page.set_input_files("#open", run / "curation" / "ana.jsonl")
    seen.page.wait_for_selector(".clash")
    assert seen.at() == "aaaa"
    assert "It was changed elsewhere: decision." in seen.text(".clash")
    seen.page.click("text=Take what is in the file")
    assert seen.pressed() == ["keep"]
    seen.press("j")
    assert (seen.pressed(), seen.page.input_value("#note")) == (["Difficulty 2 of 5"], "from the editor")
    seen.download(run / "curation")
    assert [line["decision"] for line in rows(run / "curation" / "ana.jsonl")] == ["keep", None, None, None]


def test_undoing_a_change_of_an_opened_file_leaves_what_the_file_says(
    context: BrowserContext, run: Path
) -> None:
    say(run, "ana", aaaa={"decision": "keep", "note": "from the file"})
    seen = visit(context, run)
    seen.page.set_input_files("#open", run / "curation" / "ana.jsonl")
    wait_for(lambda: seen.text("#count").startswith("1 of"))
    seen.page.click(".row >> nth=0")
    seen.page.focus("#item")
    seen.press("0", "z")
    seen.page.reload()
    seen.page.wait_for_selector("[data-state=keep]")
    before = (run / "curation" / "ana.jsonl").read_bytes()
    assert seen.download(run / "again") == before.replace(b": ", b":").replace(b", ", b",")


def test_lines_that_check_would_refuse_are_named_and_do_no_harm(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run)
    path = run / "curation" / "ana.jsonl"
    good = rows(path)
    wrong = [{"edits": None}, {"edits": {"/answer": 7}}, {"reasons": None}, {"decision": "kept"}]
    lines = [json.dumps(line | fields) for line, fields in zip(good, wrong, strict=True)]
    path.write_text("\n".join([*lines, json.dumps(good[0] | {"note": "sound"}), "{cut"]) + "\n")
    seen.page.set_input_files("#open", path)
    wait_for(lambda: "1 lines read. Not read: line 1, 2, 3, 4, 6;" in seen.text("#said"))
    seen.page.reload()
    seen.page.wait_for_selector("#panel .decision")
    assert (seen.page.input_value("#note"), seen.wrong) == ("sound", [])


KEEPS_NOTHING = """for (const name of ['setItem', 'getItem', 'key'])
    Storage.prototype[name] = () => { throw new DOMException('no room', 'QuotaExceededError'); };"""


def test_a_browser_that_keeps_nothing_is_said_and_the_review_still_works(
    context: BrowserContext, run: Path
) -> None:
    """As in some private windows, or where the storage is full."""
    seen = visit(context, run, "eve", before=KEEPS_NOTHING)
    seen.press("1", "j", "1")
    assert "This browser keeps nothing" in seen.text("#saved")
    seen.download(run / "curation")
    assert [line["decision"] for line in rows(run / "curation" / "eve.jsonl")] == ["keep", "keep", None, None]
    assert seen.wrong == []


def test_a_persons_share_is_all_they_see(context: BrowserContext, tmp_path: Path) -> None:
    made = a_run(tmp_path / "demo", [record(f"{number:04d}") for number in range(12)])
    curation(made, "export", "--as", "ana")
    curation(made, "assign", "ana", "ben", "--overlap", "0")
    seen = visit(context, made, "ben")
    assert seen.text("#count") == "0 of 6 decided"
    seen.press("1")
    seen.download(made / "curation")
    assert curation(made, "check").code == 0


@pytest.mark.parametrize("name", ["Ana!", "items", "resolved", "a b"])
def test_a_name_that_cannot_be_a_files_is_refused(context: BrowserContext, run: Path, name: str) -> None:
    page = context.new_page()
    page.goto((run / "curation" / "gallery.html").as_uri())
    page.fill("#who-name", name)
    page.keyboard.press("Enter")
    assert "Small letters, digits, - and _" in page.inner_text("#who-fault")
    assert page.is_visible("#who")


def test_a_blank_file_is_what_the_command_writes(context: BrowserContext, run: Path) -> None:
    seen = visit(context, run, "eve")
    expected = written(blank(PATHS, path.id, item(path).sha) for path in (A, B, C, D))
    assert seen.download(run / "curation") == expected == (run / "curation" / "eve.jsonl").read_bytes()
