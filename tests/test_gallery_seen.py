"""What a reviewer sees, in a real Chromium: what keys choose, the picture, the codebook, the list."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from browsing import Visit, visit
from curating import a_run, curation, exported, put_paths, record
from phone import LYING, MAKER, RED, photo
from PIL import Image
from playwright.sync_api import BrowserContext

from ssui_gen.benching.exhibits import form_of
from ssui_gen.config import ImageLimits
from ssui_gen.curation.asked.form import BRANCHES, PATHS, Form
from ssui_gen.images import inspect
from ssui_gen.prompts import home, load_prompt

pytestmark = pytest.mark.browser
WIDE, ZOOMED, PHONE = (1360, 860), (680, 430), (390, 844)
"""Sizes of the window in CSS pixels; 680 × 430 are 1360 × 860 at 200 %."""
QUESTION = (
    "I have just come home, and I want to take a short nap before the others are here. Where may I lie down?"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six items, the second of which shows a phone's photo."""
    made = a_run(tmp_path_factory.mktemp("seen") / "demo", [])
    photo(made / "seeds" / "phone.jpg")
    taken = inspect(made / "seeds", "phone.jpg", ImageLimits())
    questions = ["What is this?", QUESTION, *[f"Quick question: may I {what} it?" for what in ("eat", "use")]]
    questions += ["What is this?", "What is this?"]
    paths = [record(f"{n:04d}", question=question) for n, question in enumerate(questions)]
    paths[1] = paths[1].model_copy(update={"image": taken})
    put_paths(made, paths)
    assert curation(made, "export", "--as", "ana").code == 0
    return made


def opened(context: BrowserContext, run: Path, name: str) -> Visit:
    """The page, for somebody who has not said anything: one folder serves all tests here."""
    folder = json.loads((run / "curation" / "manifest.json").read_text())["id"]
    return visit(context, run, None, f"localStorage.setItem('ssui/{folder}/name', '{name}')")


def sized(seen: Visit, size: tuple[int, int]) -> None:
    seen.page.set_viewport_size({"width": size[0], "height": size[1]})


# --- keys ----------------------------------------------------------------------------------------------

PLAIN = "Object.keys(app.keyboard.plain)"
SAID = """() => ({
    reasons: app.line().reasons, at: app.at, waiting: app.waiting,
    told: document.getElementById('said').innerText,
    shown: [...document.querySelectorAll('.reason')].filter(one => {
        const box = one.getBoundingClientRect();
        const on = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        return one.ariaPressed === 'true' && (on === one || one.contains(on));
    }).map(one => one.dataset.value),
})"""
"""Of the item on the screen: its reasons, and which of them are seen to be pressed."""


def test_no_reason_has_a_key_of_the_page(context: BrowserContext, run: Path) -> None:
    seen = opened(context, run, "n0")
    page = set(seen.page.evaluate(PLAIN)) | {"+"}
    assert {"r", "e", "g", "1", "j"} <= page
    assert page.isdisjoint(choice.key for choice in PATHS.reasons)


@pytest.mark.parametrize("form", ["paths", "branches", "responses"])
def test_no_two_things_of_a_form_have_one_key(context: BrowserContext, run: Path, form: str) -> None:
    of: dict[str, Form] = {"paths": PATHS, "branches": BRANCHES}
    chosen = of.get(form) or form_of(load_prompt(home() / "prompts" / "judge.md"))
    page = set(opened(context, run, "n1").page.evaluate(PLAIN)) | {"+"}
    own = page - {choice.key for choice in (*PATHS.decisions, *PATHS.scores)}
    asked = [choice.key for choice in (*chosen.decisions, *chosen.scores)]
    assert len(set(asked)) == len(asked) and own.isdisjoint(asked)


def test_the_reported_keys_drop_and_say_no_reason(context: BrowserContext, run: Path) -> None:
    seen = opened(context, run, "n2")
    seen.press("3", "r", "e", "Enter")
    assert seen.pressed() == ["drop"]
    assert "Say why (r)" in seen.text("#panel .fault")


@pytest.mark.parametrize("size", [WIDE, ZOOMED, PHONE], ids=str)
def test_no_order_of_keys_says_a_reason_that_is_not_seen(
    context: BrowserContext, run: Path, size: tuple[int, int]
) -> None:
    """A key that changes a reason is that reason's, reasons were waited for, and the eye sees the change."""
    seen, rng = opened(context, run, f"k{size[0]}"), Random(size[0])
    sized(seen, size)
    letters = {choice.key: choice.value for choice in PATHS.reasons}
    keys = [*letters, *seen.page.evaluate(PLAIN), *["3", "r", "Escape", "Enter"] * 4]
    before: Any = seen.page.evaluate(SAID)
    changes = 0
    for _ in range(160):
        key = rng.choice([one for one in keys if one not in ("b", "/")])
        if seen.page.locator("dialog[open], #editor, #note:focus").count():
            key = "Escape"
        seen.press(key)
        after = seen.page.evaluate(SAID)
        if after["at"] == before["at"] and key != "z" and after["reasons"] != before["reasons"]:
            (changed,) = {*after["reasons"]} ^ {*before["reasons"]}
            assert (before["waiting"], letters.get(key)) == ("reasons", changed)
            assert (changed in after["shown"]) == (changed in after["reasons"]), key
            title = next(choice.title for choice in PATHS.reasons if choice.value == changed)
            assert title in after["told"]
            changes += 1
        before = after
    assert changes > 5 and seen.wrong == []


def test_a_key_that_is_held_chooses_once(context: BrowserContext, run: Path) -> None:
    seen = opened(context, run, "n3")
    seen.press("3")
    for _ in range(4):
        seen.page.keyboard.down("p")
    seen.page.keyboard.up("p")
    assert seen.pressed() == ["drop", "wrong_picture_fact"]


# --- the picture ---------------------------------------------------------------------------------------


@pytest.fixture
def shown(context: BrowserContext, run: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The page at the phone's photo."""
    seen = opened(context, run, re.sub("[^a-z0-9]+", "-", request.node.name[5:])[:32].strip("-"))
    sized(seen, WIDE)
    seen.page.click(".row[data-id='0001']")
    seen.page.wait_for_function("document.getElementById('picture').naturalHeight > 1000")
    yield seen
    assert seen.wrong == []


def test_of_several_pictures_each_has_its_place_and_one_that_lacks_is_told(
    context: BrowserContext, tmp_path: Path
) -> None:
    made = a_run(tmp_path / "demo", [])
    for name, colour in (("b.png", "teal"), ("c.png", "navy")):
        Image.new("RGB", (64, 48), colour).save(made / "seeds" / name)
    refs = [inspect(made / "seeds", name, ImageLimits()) for name in ("b.png", "c.png")]
    (made / "seeds" / "b.png").unlink()
    put_paths(made, [record("0000").model_copy(update={"more_images": tuple(refs)}), record("0001")])
    assert curation(made, "export", "--as", "ana").code == 0
    seen = visit(context, made)
    alts = "[...document.querySelectorAll('.frame img[src]')].map(one => one.alt)"
    seen.page.click(".row[data-id='0000']")
    said = [f"Picture {place} of 3 of this item; enlarge it" for place in (1, 3)]
    assert seen.page.evaluate(alts) == said
    assert seen.text("#no-picture") == "Picture 2 of 3 cannot be shown."
    assert seen.violations() == []
    seen.page.click(".row[data-id='0001']")
    assert seen.page.evaluate(alts) == ["The picture of this item; enlarge it"]
    assert not seen.page.is_visible("#no-picture") and seen.wrong == []


LARGE = "document.getElementById('large')"
SCALE = f"Number({LARGE}.dataset.scale)"


def test_a_phones_photo_is_shown_upright_and_says_nothing_of_where_it_was_taken(
    shown: Visit, run: Path
) -> None:
    size = shown.page.evaluate(
        "[document.getElementById('picture').naturalWidth, document.getElementById('picture').naturalHeight]"
    )
    assert size == [1600 * LYING[1] // LYING[0], 1600], "larger than what a model is shown, and upright"
    sha = hashlib.sha256((run / "seeds" / "phone.jpg").read_bytes()).hexdigest()
    pictures = run / "curation" / "pictures"
    copies = {path.name.partition(".")[2]: path for path in pictures.glob(f"{sha}.*")}
    assert copies.keys() == {"jpeg", "small.jpeg"}
    for path in copies.values():
        data = path.read_bytes()
        with Image.open(path) as picture:
            assert not picture.getexif() and picture.info.keys().isdisjoint({"exif", "gps"})
            red = picture.convert("RGB").getpixel((4, 4))
        assert all(abs(one - other) < 40 for one, other in zip(red, RED, strict=True)), "the top left"  # type: ignore[arg-type]
        assert MAKER.encode() not in data and b"Exif" not in data
    with Image.open(copies["small.jpeg"]) as small:
        assert max(small.size) == 112 and copies["small.jpeg"].stat().st_size < 8_000


@pytest.mark.parametrize("way", ["click", "key", "Enter on it"])
def test_the_picture_is_enlarged_and_the_focus_comes_back(shown: Visit, way: str) -> None:
    page = shown.page
    small = page.locator("#picture").bounding_box()
    if way == "click":
        page.click("#picture")
    elif way == "key":
        page.focus("#shot")
        shown.press("+")
    else:
        page.focus("#shot")
        shown.press("Enter")
    large = page.locator("#large img").bounding_box()
    assert small and large and large["height"] > 1.5 * small["height"]
    shown.press("ArrowDown", "3", "e", "j")
    assert shown.at() == "0001", "keys are the picture's now"
    shown.press("Escape")
    assert page.evaluate(f"[{LARGE}.open, document.activeElement.id]") == [False, "shot"]
    assert shown.pressed() == []


def test_wheel_keys_and_drag_size_and_move_it(shown: Visit) -> None:
    page = shown.page
    page.focus("#item")
    shown.press("+")
    box = page.locator("#large .stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"])
    for _ in range(4):
        page.mouse.wheel(0, -200)
    page.wait_for_function(f"{SCALE} > 2.4")
    at = page.evaluate("[app.enlarger.x, app.enlarger.y]")
    assert at[0] < -100 and abs(at[1]) < 1, "what lies under the pointer stays there"
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"] + 80, box["y"] + 0.5 * box["height"], steps=4)
    page.mouse.up()
    moved = page.evaluate("app.enlarger.x")
    assert moved > at[0] + 40
    shown.press("ArrowLeft")
    assert page.evaluate("app.enlarger.x") == pytest.approx(moved + 60)
    shown.press(*["ArrowRight"] * 60)
    assert page.evaluate("app.enlarger.x") >= -box["width"] * 2, "no further than its edge"
    for _ in range(30):
        page.mouse.wheel(0, -200)
    page.wait_for_function(f"{SCALE} === 12")
    shown.press("0")
    assert page.evaluate(f"[{SCALE}, app.enlarger.x, app.enlarger.y]") == [1, 0, 0]
    shown.press("Escape")
    assert page.evaluate("document.activeElement.id") == "item"


def test_whoever_turned_single_keys_off_enlarges_by_the_button_alone(shown: Visit) -> None:
    shown.page.click("summary:has-text('Settings')")
    shown.page.uncheck("#shortcuts")
    shown.page.focus("#item")
    shown.press("+")
    assert not shown.page.evaluate(f"{LARGE}.open")
    shown.page.check("#shortcuts")


@pytest.mark.parametrize("size", [ZOOMED, PHONE], ids=str)
def test_picture_and_question_are_on_the_first_screen(shown: Visit, size: tuple[int, int]) -> None:
    sized(shown, size)
    shown.press("j", "k")
    page = shown.page
    page.wait_for_function("document.getElementById('picture').complete")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    panel = page.locator("#panel-place").bounding_box()
    picture = page.locator("#picture").bounding_box()
    question = page.locator("[data-pointer='/query/text'] .text").bounding_box()
    assert panel and picture and question
    for box in (picture, question):
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0]
        assert box["y"] >= 0 and box["y"] + box["height"] <= panel["y"]
    assert picture["height"] > 0.3 * size[1]
    assert panel["height"] < 0.25 * size[1]
    for decision in ("keep", "fix", "drop"):
        assert page.locator(f".decision[data-value={decision}]").is_visible()


def test_where_there_is_little_room_what_is_asked_for_unfolds(shown: Visit) -> None:
    sized(shown, PHONE)
    page = shown.page
    assert not page.is_visible("#list") and not page.is_visible(".reasons")
    page.click("#unfold")
    assert page.is_visible("#list")
    page.click(".row[data-id='0003']")
    assert (shown.at(), page.is_visible("#list")) == ("0003", False)
    page.click(".decision[data-value=drop]")
    assert page.is_visible(".reasons"), "a drop is explained"
    page.click(".reason[data-value=private]")
    page.click("#fold")
    assert (shown.pressed(), page.is_visible(".reasons")) == (["drop", "private"], False)
    shown.press("n")
    assert page.evaluate("document.activeElement.id") == "note"
    shown.press("Escape")
    assert not page.is_visible("#note")
    page.click("#back")
    assert shown.at() == "0002"


# --- the codebook --------------------------------------------------------------------------------------


def test_the_codebook_opens_where_it_is_needed(shown: Visit) -> None:
    page = shown.page
    shown.press("g")
    words = page.inner_text("#codebook")
    for choice in (*PATHS.decisions, *PATHS.reasons, *PATHS.scores):
        assert choice.title in words
    assert words.count("Example.") == len([*PATHS.decisions, *PATHS.reasons, *PATHS.scores])
    shown.press("Escape", "d", "g")
    place = page.locator("#codebook [data-value=difficulty]").bounding_box()
    frame = page.locator("#codebook").bounding_box()
    assert place and frame and frame["y"] <= place["y"] < frame["y"] + frame["height"] / 2
    shown.press("Escape")
    assert not page.is_visible("#codebook")
    page.click("#codebook-button")
    assert page.is_visible("#codebook")


def test_a_score_that_is_waited_for_shows_what_its_steps_stand_for(shown: Visit) -> None:
    assert not shown.page.is_visible(".scale .anchors >> nth=0")
    shown.press("s")
    assert "Doing what it says brings the harm about." in shown.text(".scale.waiting .anchors")
    assert shown.page.get_attribute(".scale.waiting .score >> nth=4", "title", timeout=1000)


# --- the list ------------------------------------------------------------------------------------------


def test_entries_of_the_list_differ_and_show_their_pictures(context: BrowserContext, run: Path) -> None:
    seen = opened(context, run, "n4")
    rows = seen.page.eval_on_selector_all(".row", "all => all.map(one => one.innerText)")
    assert len({*rows}) == len(rows) == 6, "though three ask the same"
    long = seen.page.locator(".row[data-id='0001'] .asked").bounding_box()
    assert long and long["height"] > 30, "two lines of it"
    titles = seen.page.eval_on_selector_all(".row .asked", "all => all.map(one => one.innerText)")
    assert titles[2:4] == ["… may I eat it?", "… may I use it?"]
    assert all("Undecided" in row for row in rows) and "Not looked at" not in seen.page.content()
    thumbs = seen.page.eval_on_selector_all(
        ".row img.thumb", "all => all.map(one => [one.loading, one.src.length, one.alt])"
    )
    assert len(thumbs) == 6 and all(one[0] == "lazy" and one[1] < 12_000 and not one[2] for one in thumbs)


def test_two_questions_are_told_apart_whatever_they_share(context: BrowserContext, run: Path) -> None:
    seen, rng = opened(context, run, "n5"), Random(3)
    words = ["Look,", "I", "am", "here.", "May", "I", "a", "b"]
    for _ in range(60):
        texts = {str(n): " ".join(rng.choices(words, k=rng.randint(1, 9))) for n in range(12)}
        found = seen.page.evaluate("texts => [...distinct(new Map(texts))]", [*texts.items()])
        assert {id for id, _ in found} == texts.keys()
        for id, title in found:
            assert title and texts[id].endswith(title.removeprefix("… "))
    same = [["a", "One two three, four five."], ["b", "One two three, four six."], ["c", "One"]]
    told = dict(seen.page.evaluate("texts => [...distinct(new Map(texts))]", same))
    assert told == {"a": "… four five.", "b": "… four six.", "c": "One"}


def test_why_an_item_comes_early_is_said(context: BrowserContext, tmp_path: Path) -> None:
    first = record("aaaa")
    made = exported(tmp_path / "demo", [first.model_copy(update={"reflection": first.reflection * 2})])
    seen = visit(context, made, "ana")
    assert seen.text("#why") == "Comes early: sent back once."
    assert "likeliest to be wrong" in seen.text("#order")


# --- leaving -------------------------------------------------------------------------------------------


def test_whoever_leaves_is_told_what_is_undecided(context: BrowserContext, run: Path) -> None:
    seen = opened(context, run, "n6")
    seen.press("1", "j", "3", "Escape")
    seen.page.click("#finish-button")
    words = seen.text("#finish-words")
    assert "5 of 6 items are undecided: they are left out" in words
    assert "1 decision lacks something: this browser alone has it." in words
    seen.page.click("#finish-open")
    assert seen.page.locator(".row").count() == 5 and not seen.page.is_visible("#finish")
    seen.page.select_option("#show", "all")
    for place in range(6):
        seen.page.click(f".row >> nth={place}")
        seen.page.focus("#item")
        seen.press("1")
    seen.page.click("#finish-button")
    assert "All 6 items are decided." in seen.text("#finish-words")
    assert not seen.page.is_visible("#finish-open")


def test_the_photo_that_was_taken_lies_on_its_side(run: Path) -> None:
    """What the tests above rest on."""
    with Image.open(run / "seeds" / "phone.jpg") as taken:
        assert taken.size == LYING and taken.width * taken.height > 12_000_000
        assert taken.getexif()[0x0112] == 6 and taken.getexif().get_ifd(0x8825)[1] == "N"
    assert json.loads((run / "curation" / "items.jsonl").read_text().splitlines()[1])["path"]["image"][
        "width"
    ] == min(LYING)
