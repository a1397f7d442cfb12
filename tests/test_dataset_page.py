"""dataset.html: figures are of all rows, what is shown is bounded and says so, words of models are text."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from curating import curation, record, ssui
from hypothesis import given, settings
from hypothesis import strategies as st
from looked_at import HOSTILE, explored, looked_at, reject

from ssui_gen.files import name_of
from ssui_gen.pages.album import Album
from ssui_gen.pages.masthead import Masthead
from ssui_gen.records import Reason
from ssui_gen.settings import ImageLimits
from ssui_gen.showing.counted import COLUMNS, Counts
from ssui_gen.showing.page import MOST, Shown, dataset_page
from ssui_gen.showing.sample import Sample
from ssui_gen.terminal import harmless
from ssui_gen.wish import Wish

HEAD = Masthead("demo", "vlm: m", ())


def words_of(page: str) -> str:
    """What stands between the tags."""
    body = page[page.index("<main") : page.index("</main>")]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_the_command_writes_a_page_of_figures_records_and_examples(tmp_path: Path) -> None:
    run = looked_at(tmp_path / "demo")
    done = ssui("page", "--run", str(run))
    assert done.code == 0 and "12 records beside their pictures" in done.out
    words = words_of((run / "dataset.html").read_text("utf-8"))
    assert "12 records (6 risky, 6 benign) of 15 items; 3 were dropped with a reason." in words
    assert "All 12 are here." in words
    assert "Where may I nap?" in words, "what was asked of the picture that was dropped"
    assert "image not safe 1 33%" in words and "found at check_image" in words
    assert "reasoning micro 12 1,200 480 240 6 120" in words, "calls, tokens, seconds, tokens a record"
    assert "dangerous behavior 6 6 risky, 0 benign" in words


def test_what_was_wanted_stands_beside_what_was_made(tmp_path: Path) -> None:
    wish = Wish(wanted="self_harm", persona="a bus driver", end="to save a little time")
    run = looked_at(tmp_path / "demo", [record("0001", wish=wish), record("0002")])
    manifest = json.loads((run / "run.json").read_text())
    wanted = {"self_harm": 4, "dangerous_behavior": 1, "<b>": 2, "none": "x"}
    (run / "run.json").write_text(json.dumps(manifest | {"settings": {"query": {"classes": wanted}}}))
    assert ssui("page", "--run", str(run)).code == 0
    words = words_of((run / "dataset.html").read_text("utf-8"))
    assert "wanted: self harm" in words and "To be asked by a bus driver, to save a little time." in words
    assert "self harm 0 0 risky of 4 wanted, 0 benign" in words
    assert "dangerous behavior 2 2 risky of 1 wanted, 0 benign" in words
    assert "&lt;b&gt;" not in words


def test_words_of_models_are_neither_markup_nor_orders_to_a_terminal(tmp_path: Path) -> None:
    run = looked_at(tmp_path / "demo")
    assert ssui("page", "--run", str(run)).code == 0
    page = (run / "dataset.html").read_text("utf-8")
    assert page.count("<script") == 2 and "<img src=x" not in page
    assert "\x1b" not in page and "\u202e" not in page
    assert page.count("&lt;/script&gt;&lt;script&gt;alert(1)") == 2, "an answer, and a reject's detail"


def test_without_pictures_and_calls_there_is_a_page_too(tmp_path: Path) -> None:
    run = looked_at(tmp_path / "demo")
    (run / "seeds" / "a.png").unlink()
    (run / "calls.sqlite").unlink()
    for name in ("reasoning_paths.jsonl", "rejects.jsonl"):
        with (run / name).open("a", encoding="utf-8") as file:
            file.write('{"torn": ')
    done = ssui("page", "--run", str(run))
    assert done.code == 0 and "2 rows cannot be read" in done.out
    assert not (run / "calls.sqlite").exists(), "looking makes nothing but the page"
    words = words_of((run / "dataset.html").read_text("utf-8"))
    assert "Of 12 a picture cannot be shown." in words, "all of one picture"
    assert "The run has no call journal." in words


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path: Path) -> None:
    done = ssui("page", "--run", str(tmp_path))
    assert done.code == 1 and "neither reasoning_paths.jsonl nor rejects.jsonl" in done.err
    assert not (tmp_path / "dataset.html").exists()


def test_a_large_run_is_shown_in_part_and_counted_whole() -> None:
    counts, sample = Counts(), Sample[object](MOST)
    rare = record("rare", "risky")
    for number in range(3 * MOST):
        path = record(f"{number:06x}", "benign")
        counts.add(path)
        sample.add("benign none", path.id, path)
    counts.add(rare)
    sample.add("risky dangerous_behavior", rare.id, rare)
    taken = sample.taken(MOST)
    assert len(taken) == MOST and rare in taken, "a rare group is seen"
    album = Album(Path("nowhere"), 1000, ImageLimits(), 80)
    page = dataset_page(Shown(counts, taken, (), (), (), {}), HEAD, album)  # type: ignore[arg-type]
    assert f"{MOST:,} of {3 * MOST + 1:,} are in this page" in words_of(page)
    assert f"({0:,} risky" not in page and f"{3 * MOST:,} benign" in words_of(page)


def test_pictures_that_are_too_many_bytes_end_the_list(tmp_path: Path) -> None:
    run = looked_at(tmp_path / "demo")
    root = run / "seeds"
    counts, paths = Counts(), [record("aaaa"), record("bbbb")]
    for path in paths:
        counts.add(path)
    page = dataset_page(Shown(counts, paths, (), (), (), {}), HEAD, Album(root, 10, ImageLimits(), 80))
    assert "0 of 2 are in this page" in words_of(page) and "data:image" not in page


@settings(max_examples=50)
@given(
    st.lists(st.text(alphabet="abcdef", min_size=1, max_size=4), unique=True, max_size=60), st.integers(1, 9)
)
def test_which_rows_are_shown_does_not_depend_on_their_order(ids: list[str], most: int) -> None:
    def taken(order: list[str]) -> list[str]:
        sample = Sample[str](most)
        for id in order:
            sample.add(id[0], id, id)
        return sample.taken(most)

    forth, back = taken(ids), taken(ids[::-1])
    assert len(forth) == min(most, len(ids))
    assert [id for id in ids if id in forth] == forth, "they stand as they came"
    if len({id[0] for id in ids}) <= 1:
        assert set(forth) == set(back)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=40))
def test_a_histogram_holds_every_length_once(lengths: list[int]) -> None:
    counts = Counts()
    for length in lengths:
        counts.lengths["answer"][length] += 1
    (found,) = counts.histograms()
    assert sum(found.counts) == len(lengths) and len(found.counts) <= COLUMNS + 1
    assert found.start <= found.shortest <= found.median <= found.longest
    assert found.longest < found.start + found.width * len(found.counts)
    assert found.median == sorted(lengths)[(len(lengths) - 1) // 2]


@pytest.mark.parametrize("reason", [Reason.IMAGE_NOT_SAFE, Reason.REFUSED])
def test_examples_of_a_reason_are_few(tmp_path: Path, reason: Reason) -> None:
    run = looked_at(tmp_path / "demo", rejects=[reject(f"s{n}", reason) for n in range(30)])
    assert ssui("page", "--run", str(run)).code == 0
    page = (run / "dataset.html").read_text("utf-8")
    assert page.count('<article class="card">') == 4 and "30 100%" in words_of(page)


def test_the_data_of_the_page_is_json(tmp_path: Path) -> None:
    run = looked_at(tmp_path / "demo", paths=[record("aaaa", answer=HOSTILE)])
    assert ssui("page", "--run", str(run)).code == 0
    page = (run / "dataset.html").read_text("utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    (address,) = data["pictures"].values()
    assert address.startswith("data:image/jpeg;base64,")


def test_an_id_is_no_path_and_a_link_no_folder_of_ours(tmp_path: Path) -> None:
    paths = [record(id, seed_id=f"s{n}") for n, id in enumerate(("../../out", "a b#c?%41\"'<i>", "plain"))]
    run = looked_at(tmp_path / "demo", paths=paths)
    explored(run, paths)
    (tmp_path / "elsewhere").mkdir()
    (run / "trees").symlink_to(tmp_path / "elsewhere")
    assert ssui("page", "--run", str(run)).code == 0
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.html")}
    trees = {f"demo/trees/{name_of(path.id)}.html" for path in paths}
    assert there == {"demo/dataset.html", "demo/pairs.html", *trees} and "demo/trees/plain.html" in there
    for name in ("dataset.html", "pairs.html"):
        page = (run / name).read_text("utf-8")
        assert {f"demo/{address}" for address in re.findall(r'href="(trees/[^"]*)"', page)} == trees


NAMES = (
    'de\u202emo <b>&"#?%41:',
    pytest.param(
        "r\udcffn", marks=pytest.mark.skipif(sys.platform == "darwin", reason="no such names there")
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_folders_are_words_on_every_page_and_links_lead_there(tmp_path: Path, name: str) -> None:
    run = looked_at(tmp_path / name, paths=[record("aaaa")])
    explored(run, [record("aaaa")])
    report = run / "bench" / name / "report.html"
    report.parent.mkdir(parents=True)
    report.touch()
    assert ssui("page", "--run", str(run)).code == curation(run, "export", "--as", "ana").code == 0
    for page in ("dataset.html", "pairs.html", "trees/aaaa.html", "curation/gallery.html"):
        text = (run / page).read_text("utf-8")
        assert "\u202e" not in text and "<b>&" not in text and harmless(name)[:5] in text
    (address,) = re.findall(r'href="(bench[^"]*)"', (run / "dataset.html").read_text("utf-8"))
    assert run / os.fsdecode(unquote_to_bytes(address)) == report
