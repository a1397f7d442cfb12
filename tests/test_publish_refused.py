"""What must not leave: keys, paths of homes, reviewers' names, places in photos; and bad input."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from curating import exported, record, ssui
from giving import given, publish, put
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st
from jobs import rows
from markdown_it import MarkdownIt
from PIL import Image, PngImagePlugin
from pyarrow import parquet
from runs import change
from yaml import safe_load

from ssui_gen.errors import ConfigError
from ssui_gen.publishing.folder import LISTED, search
from ssui_gen.publishing.guard import Guard, people_of
from ssui_gen.publishing.rows import COLUMNS, Picture
from ssui_gen.publishing.shards import Writer

KEY = "sk-" + "a1B2" * 8


def changed(run: Path, **fields: Any) -> None:
    """The first curated row says something else."""
    change(run / "curated.jsonl", lambda found: [{**found[6], **fields}, *found[:6], *found[7:]])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return given(tmp_path / "street")


# --- bad input: told, and nothing is lost -----------------------------------------------------------------


def test_a_picture_that_broke_since_leaves_its_rows_out_and_the_rest_is_published(run: Path) -> None:
    (run / "seeds" / "pond.jpg").write_bytes((run / "seeds" / "pond.jpg").read_bytes()[:200])
    (run / "seeds" / "tram.jpg").unlink()
    done = publish(run)
    assert done.code == 0 and "4 of paths not published: picture_unfit" in done.out
    found = Counter((row["config"], row["reason"]) for row in rows(run / "published_rejects.jsonl"))
    assert found["paths", "picture_unfit"] == 4 and found["pairs", "path_not_published"] == 8
    assert "| `paths` | `picture_unfit` | 4 |" in (run / "published" / "README.md").read_text()
    ids = [
        row["id"]
        for file in (run / "published" / "data" / "paths").iterdir()
        for row in parquet.read_table(file, columns=["id"]).to_pylist()
    ]
    assert len(ids) == 8 and not [id for id in ids if id.startswith(("pond", "tram"))]


def test_html_in_what_a_card_tells_is_words(run: Path) -> None:
    bad = "<script>alert(1)</script> | [x](javascript:alert(1))\n---\nlicense: mit"
    done = publish(run, "--contact", bad, "--name", bad, "--authors", f"{bad}}}")
    assert done.code == 0, done.err
    card = (run / "published" / "README.md").read_text()
    head, body = re.fullmatch(r"---\n(.*?)\n---\n(.*)", card, re.DOTALL).groups()  # type: ignore[union-attr]
    shown = MarkdownIt("commonmark").enable("table").render(body)
    assert "&lt;script&gt;alert(1)" in shown and "<script" not in shown and 'href="javascript' not in shown
    head = safe_load(head)
    assert head["license"] == ["cc-by-4.0", "cc-by-nc-4.0"] and head["pretty_name"].startswith("<script>")
    assert safe_load((run / "published" / "CITATION.cff").read_text())["type"] == "dataset"
    json.loads((run / "published" / "croissant.json").read_text())


def test_a_run_of_which_nothing_may_be_given_away_leaves_no_folder(run: Path) -> None:
    change(
        run / "curated.jsonl",
        lambda found: [{**row, "rights": {"licence": "no redistribution"}} for row in found],
    )
    done = publish(run)
    assert done.code == 1 and "nothing is left to publish" in done.err
    assert not (run / "published").exists() and len(rows(run / "published_rejects.jsonl")) == 16 + 16


def test_a_licence_is_asked_for_and_one_that_forbids_is_none(run: Path) -> None:
    assert ssui("publish", "--run", str(run)).code == 2
    for told in (" ", "All rights reserved"):
        assert publish(run, "--licence", told).code == 1
    assert not (run / "published").exists()


def test_paths_that_nobody_has_seen_are_taken_only_where_that_is_said(run: Path) -> None:
    (run / "curated.jsonl").unlink()
    done = publish(run)
    assert done.code == 1 and "--uncurated" in done.err and "publish" in done.err


@pytest.mark.parametrize("how", ["link", "folder"])
def test_what_stands_in_the_place_and_is_not_ours_is_left_alone(run: Path, tmp_path: Path, how: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    if how == "link":
        (run / "published").symlink_to(mine)
    else:
        mine.rename(run / "published")
    done = publish(run)
    assert done.code == 1 and "move it away" in done.err
    assert (run / "published" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("told", ["{}", "[]", "no JSON"])
def test_a_folder_of_somebody_elses_list_is_left_alone(run: Path, told: str) -> None:
    mine = run / "published"
    mine.mkdir()
    (mine / LISTED).write_text(told)
    (mine / "thesis.txt").write_text("years of work")
    done = publish(run)
    assert done.code == 1 and "move it away" in done.err
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_what_people_wrote_into_a_published_folder_is_not_lost(run: Path) -> None:
    assert publish(run).code == 0
    folder = run / "published"
    (folder / "notes.md").write_text("mine")
    (folder / "README.md").write_text("my words")
    (folder / ".DS_Store").write_text("a program's")
    done = publish(run)
    assert done.code == 1 and "README.md, notes.md: put there or changed since" in done.err
    assert (folder / "README.md").read_text() == "my words"
    for name in ("README.md", "notes.md"):
        (folder / name).rename(run / name)
    assert publish(run).code == 0 and (folder / "README.md").exists()


@pytest.mark.parametrize("option", ["--contact", "--authors", "--name", "--allow-licence"])
def test_bytes_that_are_no_text_are_refused_before_anything_is_written(run: Path, option: str) -> None:
    done = publish(run, option, "Jos\udce9")
    assert done.code == 2 and f"{option}: expected text in UTF-8" in done.err
    assert not (run / "published").exists()


@pytest.mark.parametrize(
    ("option", "word"), [("--language", "<img>"), ("--language", ""), ("--version", "\u0663.\u0663")]
)
def test_a_language_and_a_version_are_none_but_such(run: Path, option: str, word: str) -> None:
    done = publish(run, option, word)
    assert done.code and f"{option}: expected" in done.err


@pytest.mark.parametrize("since", ["2026-99-99", "0000-00-00", "yesterday"])
def test_a_day_that_is_none_is_no_date_of_a_dataset(run: Path, since: str) -> None:
    edition = {"prompts": {}, "cards": {}, "models": {}}
    (run / "run.json").write_text(json.dumps({"editions": [{"since": since, "edition": edition}]}))
    assert publish(run).code == 0
    told = safe_load((run / "published" / "CITATION.cff").read_text())["date-released"]
    assert date.fromisoformat(told) >= date(2026, 1, 1)


def test_a_name_with_marks_of_tex_is_words_in_bibtex(run: Path) -> None:
    assert (
        publish(run, "--name", "my_run & 50% {x}", "--authors", "Ruiz & Sons; Max and Moritz, Ltd").code == 0
    )
    card = (run / "published" / "README.md").read_text()
    assert r"title = {my\_run \& 50\% x}" in card
    assert r"author = {Ruiz \& Sons and {Max and Moritz, Ltd}}" in card


# --- what must not leave ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"answer": f"Ask with {KEY}"}, "a key"),
        ({"rights": {"source": "/home/rosa/photos/a.jpg", "licence": "CC0"}}, "home"),
        ({"answer": "As Ben says, careful."}, "reviewer"),
    ],
)
def test_keys_home_paths_and_reviewers_in_any_row_refuse_the_whole(
    run: Path, fields: dict[str, Any], what: str
) -> None:
    assert publish(run).code == 0
    before = (run / "published" / LISTED).read_bytes()
    changed(run, **fields)
    done = publish(run)
    assert done.code == 1 and what in done.err and "row" in done.err and KEY not in done.err
    assert (run / "published" / LISTED).read_bytes() == before, "what was published before stays"
    assert not list(run.glob(".published*"))


def test_a_key_of_this_computer_is_known_by_its_value(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SERVICE_TOKEN", "correct horse battery")
    changed(run, answer="Say correct horse battery to the door.")
    done = publish(run)
    assert done.code == 1 and "a key of this computer" in done.err and "battery" not in done.err


def test_a_contact_or_a_prompt_is_searched_too(run: Path) -> None:
    done = publish(run, "--contact", "/home/rosa")
    assert done.code == 1 and "README.md" in done.err


def test_whoever_publishes_may_name_themselves_but_rows_may_not(run: Path) -> None:
    told = ("--contact", "ana@example.org", "--authors", "Ana Ruiz; Ben Oko")
    assert publish(run, *told).code == 0
    assert "Ana Ruiz and Ben Oko" in (run / "published" / "README.md").read_text()
    changed(run, answer="Write to ana@example.org.")
    done = publish(run, *told)
    assert done.code == 1 and ".parquet, row" in done.err and "the name of a reviewer (ana)" in done.err


def test_a_word_that_is_no_name_here_passes_where_that_is_said(run: Path) -> None:
    changed(run, answer="As Ben says, careful.")
    assert publish(run, "--allow", "ben").code == 0


def test_whoever_has_a_file_anywhere_in_the_run_is_known(tmp_path: Path) -> None:
    run = exported(tmp_path / "street", [record("kettle")], "wilma")
    assert people_of(run) == {"wilma"}
    put(run / "reasoning_paths.jsonl", [record("kettle", answer="Wilma has seen it.")])
    done = publish(run, "--uncurated")
    assert done.code == 1 and "the name of a reviewer (Wilma)" in done.err


def test_a_picture_that_says_more_than_pixels_is_found_in_the_folder_itself(tmp_path: Path) -> None:
    """The door takes it out; should a door fail, the search is there."""
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", "Calle Secreta 7")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=said)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").unlink()
    row = dict.fromkeys(COLUMNS["paths"]) | {"image": Picture(data, "a.png").cell}
    writer = Writer(tmp_path, "paths", "train")
    writer.add(row)
    writer.close()
    with pytest.raises(ConfigError, match="the picture carries Comment"):
        search(tmp_path, Guard())


BAD = (
    *(
        KEY,
        "hf_" + "a" * 30,
        "AKIA" + "A1" * 8,
        "-----BEGIN PRIVATE KEY-----",
        "https://rosa:pass@example.org",
    ),
    *("gsk_" + "a1" * 20, "nvapi-" + "a1" * 20, "/mnt/home/rosa/a.jpg", "/net/a-1/export/home/rosa"),
    *("disk:/mnt/home/rosa", "disk:/home/rosa", "//home/rosa"),
    *("/home/rosa", "/Users/rosa/x", "C:\\Users\\rosa\\a.jpg", "file:///srv/a.jpg", "wilma", "Wilma"),
)
LIKE = (
    "williams",
    "wilmas-law",
    "a/home/run",
    "at home",
    "Bearer of news",
    "skip",
    "sk-8",
    "https://a.org/home/b",
    "https://a.org/b/home/c",
    "//a.org/home/b",
    "this/that/home/b",
)


@settings(max_examples=60)
@whatever(st.text(), st.text(), st.sampled_from(BAD))
def test_it_is_found_wherever_it_stands_between_words(before: str, after: str, bad: str) -> None:
    assert list(Guard(names={"wilma"}).find(f"{before} {bad} {after}"))


@settings(max_examples=60)
@whatever(st.lists(st.sampled_from(LIKE)))
def test_what_only_resembles_it_passes(words: list[str]) -> None:
    assert not list(Guard(names={"wilma"}, secrets={"abc"}).find(" ".join(words)))
