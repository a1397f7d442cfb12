"""One Markdown file an item and back: word for word what is not touched, and taken what is."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from curating import a_run, curation, item, put_paths, record, review, say
from hypothesis import given
from hypothesis import strategies as st
from jobs import rows

from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.asked.texts import LONGEST
from ssui_gen.curation.formats.markdown import Page, read_page, said_there, unfolded
from ssui_gen.curation.lines.merge import three_way
from ssui_gen.curation.lines.review import Review

A, B = record("aaaa"), record("bbbb")
HOSTILE = [
    "## Answer", "---", "<script>alert(1)</script>", "![x](http://example.org/x.png)", "a \\ b \\* c \\\\",
    "&lt;b&gt; &#49; &amp;", "1. one\n2) two", "- list\n+ list\n# head\n=====",
    "_it_ __bold__ snake_case `code` ~~x~~",
    "| a | b |", "    code?", "\\",
    "ends \\\n", "tab\tand\u2028line\x85breaks", "$x$ *y* [z](y)", "> quote",
]  # fmt: skip


def page(line: Review, path: Any = A) -> str:
    return unfolded(PATHS, item(path), line, "../a.png")


def back(line: Review, content: str, path: Any = A) -> Review:
    found = read_page(PATHS, item(path), content)
    assert isinstance(found, Page), found
    return said_there(item(path), found, line)


# --- the form ------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet=st.sampled_from("ab \\`*_[]<>&#-+=.1)!|~\n\t\u2028é"), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)


@given(st.lists(TEXTS, min_size=3, max_size=3), st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_what_nobody_touches_comes_back_word_for_word(texts: list[str], note: str) -> None:
    path = record("aaaa", synthesis=texts[0], answer=texts[1], question=texts[2])
    for line in (
        review(path, None),
        review(path, "fix", edits={"/answer": "Mine: *this*."}, note=note, seconds=3),
    ):
        assert back(line, page(line, path), path) == line
        assert back(line, page(line, path).replace("\n", "\r\n"), path) == line


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_a_model_wrote_is_markup(text: str) -> None:
    """What follows a heading of ours is plain words: no tag, picture, heading, rule or entity."""
    shown = page(review(record("aaaa", synthesis=text), None), record("aaaa", synthesis=text))
    body = shown[shown.index("## 3. Synthesis") + 16 : shown.index("## 4. Intent")]
    bare = re.sub(r"\\[!-/:-@\[-`{-~]|&#\d+;", "x", body)
    assert not re.search(r"[<>&\[\]`*|~]|^\s*(#|---|===|[-+] |\d+[.)])", bare, re.MULTILINE), bare


def test_editing_in_place_wrapping_and_the_front_matter() -> None:
    line = review(A, None)
    content = page(line).replace(A.steps[2].text, "Better,\nand wrapped\nby an editor.")
    content = content.replace("decision:\n", "decision: fix\n").replace("reasons: []", "reasons: [unsound]")
    content = content.replace("safety:", "safety: 4").replace('note: ""', "note: |\n  two\n  lines")
    found = back(line, content)
    assert found.edits == {"/steps/2/text": "Better, and wrapped by an editor."}
    assert (found.decision, found.reasons, found.scores["safety"], found.note) == (
        "fix",
        ("unsound",),
        4,
        "two\nlines",
    )


def test_a_text_that_is_put_back_is_no_edit() -> None:
    line = review(A, "fix", edits={"/answer": "Mine."})
    assert back(line, page(line).replace("Mine.", A.answer)).edits == {}


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        (("decision:\n", "decision: kep\n"), "decision", "(did you mean keep?)"),
        (("reasons: []", "reasons: [x]"), "reasons.0", "got 'x'"),
        (("  safety:", "  safety: 9"), "scores.safety", "from 1 to 5"),
        (
            ('note: ""', 'note: ""\nedits: {}'),
            "edits",
            "expected one of decision, reasons, scores, note here",
        ),
        (
            ('note: ""', "note: a: b"),
            "",
            'a text with a colon or a quote stands in double quotes: note: "so: …"',
        ),
        (("---\n", ""), "", "expected front matter between two lines of ---"),
        (("## 3. Synthesis", "## 3. Syntheses"), "", "expected the heading '## 3. Synthesis'; got none"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(change: tuple[str, str], place: str, says: str) -> None:
    content = page(review(A, None)).replace(*change)
    found = read_page(PATHS, item(A), content)
    assert isinstance(found, list)
    assert (found[0].field, says in found[0].message) == (place, True), found
    if place:
        line = content.split("\n")[found[0].line - 1]
        assert line.strip().startswith(place.split(".")[-1] if place != "reasons.0" else "reasons")


# --- two changes of one line -----------------------------------------------------------------------------

WORDS = st.builds(
    dict,
    decision=st.sampled_from([None, "keep", "fix"]),
    note=st.sampled_from(["", "a", "b"]),
    reasons=st.sampled_from([(), ("private",)]),
    scores=st.fixed_dictionaries({"safety": st.sampled_from([None, 1, 2])}),
    edits=st.dictionaries(st.sampled_from(list(LONGEST)[:2]), st.sampled_from(["x", "y"])),
)


@given(WORDS, WORDS, WORDS)
def test_three_ways_meet(was: dict[str, Any], here: dict[str, Any], there: dict[str, Any]) -> None:
    base, mine, theirs = (review(A).model_copy(update=words) for words in (was, here, there))
    assert three_way(base, mine, base) == (mine, [])
    assert three_way(base, base, theirs) == (theirs, [])
    assert three_way(base, mine, mine) == (mine, [])
    merged, clashes = three_way(base, mine, theirs)
    for name in ("decision", "note", "reasons"):
        values = [getattr(line, name) for line in (base, mine, theirs)]
        changed = {repr(value) for value in values[1:] if value != values[0]}
        assert (name in clashes) == (len(changed) == 2)
        assert repr(getattr(merged, name)) == (
            repr(values[2]) if name in clashes or not changed else changed.pop()
        )


# --- the files -----------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Path:
    made = a_run(tmp_path / "demo", [A, B])
    curation(made, "export", "--as", "ana")
    assert curation(made, "unfold").code == 0
    return made


def files(run: Path) -> dict[str, Path]:
    return {path.stem[5:]: path for path in sorted((run / "curation" / "ana").glob("*.md"))}


def lines(run: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows(run / "curation" / "ana.jsonl")}


def edit(path: Path, old: str, new: str) -> None:
    content = path.read_text("utf-8")
    assert old in content
    path.write_text(content.replace(old, new), "utf-8")


def test_files_show_the_picture_and_are_folded_back(run: Path) -> None:
    assert list(files(run)) == ["aaaa", "bbbb"]
    target = re.search(r"!\[the picture\]\((.*)\)", files(run)["aaaa"].read_text())
    assert target and (files(run)["aaaa"].parent / html.unescape(target[1])).resolve().exists()
    edit(files(run)["bbbb"], "decision:\n", "decision: fix\n")
    edit(files(run)["bbbb"], "Careful with bbbb.", "Walk around it.")
    done = curation(run, "fold")
    assert (done.code, "1 items say something new" in done.out) == (0, True)
    assert lines(run)["bbbb"]["edits"] == {"/answer": "Walk around it."}
    assert curation(run, "check").code == 0
    before = (run / "curation" / "ana.jsonl").read_bytes()
    assert "0 items say something new" in curation(run, "fold").out
    assert (run / "curation" / "ana.jsonl").read_bytes() == before


def test_what_was_typed_into_the_line_meanwhile_stays(run: Path) -> None:
    edit(files(run)["aaaa"], 'note: ""', 'note: "from the file"')
    say(run, "ana", aaaa={"decision": "keep"}, bbbb={"note": "from the line"})
    assert curation(run, "fold").code == 0
    assert (lines(run)["aaaa"]["decision"], lines(run)["aaaa"]["note"]) == ("keep", "from the file")
    assert "from the line" in files(run)["bbbb"].read_text()


def test_where_both_say_something_else_nothing_is_taken(run: Path) -> None:
    edit(files(run)["aaaa"], 'note: ""', 'note: "one"')
    edit(files(run)["bbbb"], 'note: ""', 'note: "new"')
    say(run, "ana", aaaa={"note": "two"})
    done = curation(run, "fold")
    assert done.code == 1
    assert "0001-aaaa.md:1:1: note: this file and the person's line both say something new" in done.out
    assert [row["note"] for row in lines(run).values()] == ["two", ""]


def test_every_fault_of_every_file_is_told(run: Path) -> None:
    edit(files(run)["aaaa"], "decision:\n", "decision: yes\n")
    edit(files(run)["bbbb"], f'id: "{B.id}"', 'id: "other"')
    done = curation(run, "fold")
    assert "0001-aaaa.md:5:11: decision: expected keep, fix, drop or null; got True" in done.out
    assert "0002-bbbb.md:2:1: id: expected 'bbbb'; got 'other': put it back" in done.out


def test_a_text_that_was_emptied_is_not_taken(run: Path) -> None:
    edit(files(run)["bbbb"], "Careful with bbbb.", "")
    before = (run / "curation" / "ana.jsonl").read_bytes()
    done = curation(run, "fold")
    assert (done.code, "0002-bbbb.md:1:1: /answer: expected a text; got an empty one" in done.out) == (
        1,
        True,
    )
    assert (run / "curation" / "ana.jsonl").read_bytes() == before


def test_unfolding_does_not_overwrite_what_was_not_folded(run: Path) -> None:
    edit(files(run)["aaaa"], 'note: ""', 'note: "mine"')
    done = curation(run, "unfold")
    assert (done.code, "`ssui curation fold --as ana` first" in done.err) == (1, True)
    assert 'note: "mine"' in files(run)["aaaa"].read_text()


def test_texts_that_changed_since_keep_what_the_file_said_of_them(run: Path) -> None:
    edit(files(run)["aaaa"], 'note: ""', 'note: "of the old texts"')
    put_paths(run, [record("aaaa", answer="Another."), B])
    curation(run, "export")
    assert curation(run, "fold").code == 0
    assert lines(run)["aaaa"]["before"][0]["note"] == "of the old texts"
    assert "Another." in files(run)["aaaa"].read_text()
    assert json.loads((run / "curation" / "ana.jsonl").read_text().splitlines()[0])["note"] == ""


def test_without_files_or_a_person_it_says_what_to_do(tmp_path: Path) -> None:
    made = a_run(tmp_path / "demo", [A])
    curation(made, "export", "--as", "ana")
    assert "`ssui curation unfold --as ana` comes first" in curation(made, "fold").err
    assert "export it first (`ssui curation export --as ben`)" in curation(made, "unfold", "--as", "ben").err
    curation(made, "export", "--as", "ben")
    assert "expected --as with one of ana, ben" in curation(made, "unfold").err
