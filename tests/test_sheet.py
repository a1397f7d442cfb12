"""A person's file as editors, git and people leave it: every fault at its place, nothing passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from curating import item, record, review

from ssui_gen.curation.asked.form import BRANCHES, PATHS, Form
from ssui_gen.curation.lines.check import checked, foreign
from ssui_gen.curation.lines.review import Review, blank
from ssui_gen.curation.lines.sheet import Fault, Sheet, read_sheet, repaired, written
from ssui_gen.jsonl import as_line

A, B, C = record("aaaa"), record("bbbb"), record("cccc")
ITEMS = {path.id: item(path) for path in (A, B, C)}
FILE = Path("outputs/demo/curation/ana.jsonl")
GOOD = written([review(A), review(B, None), review(C, "drop", reasons=("too_easy",))])


def sheet(content: bytes, form: Form = PATHS) -> Sheet:
    return read_sheet(FILE, content, form)


def faults(content: bytes, past: dict[str, frozenset[str]] | None = None) -> list[Fault]:
    return checked(sheet(content), PATHS, ITEMS, past or {})


def line(**fields: Any) -> bytes:
    """The line of the first item with other fields, and the lines of the others."""
    row = json.loads(as_line(review(A, None))) | fields
    return json.dumps(row, ensure_ascii=False).encode() + b"\n" + b"\n".join(GOOD.split(b"\n")[1:])


def only(content: bytes, past: dict[str, frozenset[str]] | None = None) -> Fault:
    (found,) = faults(content, past)
    return found


def points_at(content: bytes, fault: Fault) -> str:
    """The text of the file from where a fault points."""
    return content.decode("utf-8-sig").split("\n")[fault.line - 1][fault.column - 1 :]


# --- what is borne -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"\n", b"\n\n \n"),
        GOOD.rstrip(b"\n"),
        GOOD.replace(b",", b" , "),
        line(note="U+2028 \u2028 and U+0085 \x85 end no line"),
    ],
)
def test_what_editors_do_and_changes_nothing_is_borne(content: bytes) -> None:
    assert faults(content) == []
    assert [one.id for one in sheet(content).reviews] == ["aaaa", "bbbb", "cccc"]


def test_a_half_done_file_is_valid_and_a_left_out_field_is_as_if_nothing_was_said() -> None:
    rows = [{"id": path.id, "sha": ITEMS[path.id].sha} for path in (A, B, C)]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    assert faults(content) == []
    assert not any(one.said for one in sheet(content).reviews)


# --- what is wrong with a line ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field", "at", "says"),
    [
        ({"decision": "kep"}, "decision", '"kep"', "or null; got 'kep' (did you mean keep?)"),
        ({"decision": 1}, "decision", "1", "expected keep, fix, drop or null; got 1"),
        ({"decision": ["keep"]}, "decision", '["keep"]', "got ['keep']"),
        ({"reasons": ["redundant", "to_easy"]}, "reasons[1]", '"to_easy"', "(did you mean too_easy?)"),
        ({"reasons": ["private", "private"]}, "reasons[1]", '"private"]', "expected each reason once"),
        ({"reasons": "private"}, "reasons", '"private"', 'expected a list such as ["not_safe_alone"]; got'),
        ({"scores": {"safety": 6}}, "scores.safety", "6", "a whole number from 1 to 5, or null; got 6"),
        ({"scores": {"safety": True}}, "scores.safety", "true", "got True"),
        ({"scores": {"safety": 2.5}}, "scores.safety", "2.5", "got 2.5"),
        ({"scores": {"safty": 2}}, "scores.safty", '"safty"', "(did you mean safety?)"),
        ({"scores": 3}, "scores", "3", "expected an object; got 3"),
        ({"edits": ["x"]}, "edits", '["x"]', "expected an object such as"),
        ({"note": None}, "note", "null", "expected a text in double quotes; got null"),
        ({"note": "a" * 4001}, "note", '"aaa', "expected a text of at most 4000 characters; got 4001"),
        ({"edits": {"/answer": 7}}, "edits./answer", "7", "expected the new text; got 7"),
        ({"note": "\x1b[2J"}, "note", '"\\u001b', "got a hidden character, U+001B, as character 1"),
        ({"seconds": -1}, "seconds", "-1", "expected whole seconds, at most 10000000; got -1"),
        ({"desicion": "keep"}, "desicion", '"desicion"', "(did you mean decision?)"),
        ({"id": ""}, "id", '""', "expected the id as it was exported; got ''"),
        ({"sha": 7}, "sha", "7", "expected the sha as it was exported; got 7"),
        ({"before": [{"note": "x"}]}, "before[0]", '{"note"', "only `ssui curation` writes here"),
        ({"before": [{"sha": "1", "decision": "no"}]}, "before[0].decision", '"no"', "put back what"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_pointed_at(fields: dict[str, Any], field: str, at: str, says: str) -> None:
    content = line(**fields)
    found = faults(content)[0]
    assert (found.line, found.field) == (1, field)
    assert points_at(content, found).startswith(at)
    assert says in found.message


@pytest.mark.parametrize(
    ("fields", "field", "at", "says"),
    [
        ({"edits": {"/steps/9/text": "x"}}, "edits./steps/9/text", '"/steps/9/text"', "expected one of /q"),
        ({"edits": {"/answer": " "}}, "edits./answer", '" "', "expected a text; got an empty one"),
        ({"decision": "fix"}, "edits", "{}", "expected an edit, as the decision is 'fix'; got none"),
        ({"decision": "keep", "edits": {"/answer": "x"}}, "decision", '"keep"', "'fix', as there are edits"),
        ({"decision": "drop"}, "reasons", "[]", "expected a reason, as the decision is 'drop'; got none"),
        ({"decision": "drop", "reasons": ["other"]}, "note", '""', "expected a note, as 'other' is a reason"),
        ({"sha": "0" * 16}, "sha", '"0000', "put it back"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_item_is_pointed_at(
    fields: dict[str, Any], field: str, at: str, says: str
) -> None:
    content = line(**fields)
    found = only(content)
    assert (found.line, found.field) == (1, field)
    assert points_at(content, found).startswith(at)
    assert says in found.message


def test_the_message_is_what_the_blueprint_shows() -> None:
    content = line(decision="kep")
    column = content.index(b'"kep"') + 1
    place = f"outputs/demo/curation/ana.jsonl:1:{column}"
    assert str(only(content)) == (
        f"{place}: decision: expected keep, fix, drop or null; got 'kep' (did you mean keep?)"
    )


def test_every_fault_of_a_file_is_told_at_once_in_the_order_of_its_lines() -> None:
    content = line(decision="kep", reasons=["x", "y"], note=1)
    content = content.replace(b'"too_easy"', b'"too_hard"') + b"{broken\n"
    found = faults(content)
    assert [(one.line, one.field) for one in found] == [
        (1, "decision"), (1, "reasons[0]"), (1, "reasons[1]"), (1, "note"), (3, "reasons[0]"), (4, ""),
    ]  # fmt: skip


def test_a_column_counts_characters_and_not_bytes() -> None:
    content = line(id="aaaa", note="ż👩‍🔬").replace(b'"decision": null', b'"decision": "\xc3\xa9"')
    assert points_at(content, only(content)).startswith('"é"')


def test_duplicate_keys_nan_and_half_characters_do_not_hide_each_other() -> None:
    content = GOOD.replace(
        b'"decision":"keep"', b'"decision":"keep","decision":"drop","seconds":NaN,"note":"\\ud800"'
    )
    found = [one.message for one in faults(content) if one.line == 1]
    assert "the key 'decision' stands twice; keep one" in found[0]
    assert "NaN is not a number in JSON" in found[1]
    assert "half of a \\uXXXX pair" in found[2]


def test_nothing_in_a_message_steers_a_terminal() -> None:
    content = line(**{"\x1b[31m": 1, "decision": "\x1b]0;title\x07"})
    assert all("\x1b" not in str(one) and "\x07" not in str(one) for one in faults(content))


# --- what is wrong with a file ---------------------------------------------------------------------------


def test_two_lines_of_one_item() -> None:
    content = GOOD + written([review(A, "drop", reasons=("private",))])
    found = only(content)
    assert (found.line, found.field) == (4, "id")
    assert points_at(content, found).startswith('"aaaa"')
    assert "got 'aaaa' again (line 1): keep one of the two lines" in found.message


def test_a_file_of_another_run_is_one_fault() -> None:
    others = written([review(record(id)) for id in ("x", "y", "z")])
    assert only(others).message == "none of its 3 items is of this run: is it another run's file?"


def test_a_line_of_another_run_among_ours() -> None:
    assert only(GOOD + written([review(record("x"))])).message == "expected an item of this run; got 'x'"


def test_texts_that_have_changed_since_say_what_to_do() -> None:
    content = line(sha="before0123456789")
    found = only(content, {"aaaa": frozenset({"before0123456789"})})
    assert "the item has changed since: `make curation` keeps what was said beside it" in found.message
    assert foreign(sheet(content), ITEMS, {"aaaa": frozenset({"before0123456789"})}) == []


def test_what_was_said_of_an_item_that_is_gone_is_no_fault() -> None:
    gone = review(record("gone"))
    assert faults(GOOD + written([gone]), {"gone": frozenset({gone.sha})}) == []


def test_a_deleted_line_is_missed() -> None:
    found = only(GOOD[GOOD.index(b"\n") + 1 :])
    assert (found.line, found.message) == (
        2,
        "expected a line for 'aaaa'; got none: `make curation` puts a blank one back",
    )
    many = {id: item(record(id)) for id in map(str, range(30))}
    (one,) = checked(sheet(b""), PATHS, many, {})
    assert "30 lack (0, 1, 2, …)" in one.message


def test_a_merge_that_git_left_unfinished() -> None:
    first, second, third = GOOD.splitlines(keepends=True)
    ours, theirs = first, first.replace(b'"keep"', b'"drop"')
    content = (
        b"<<<<<<< HEAD\n"
        + ours
        + b"||||||| base\n"
        + first
        + b"=======\n"
        + theirs
        + b">>>>>>> bob\n"
        + second
        + third
    )
    found = only(content)
    assert (found.line, found.column) == (1, 1)
    assert "a merge that git left unfinished (lines 1 to 7): of each item keep one line" in found.message
    assert only(GOOD + b"=======\n").line == 4
    assert "(lines 4 to 5)" in only(GOOD + b"<<<<<<< HEAD\n" + first).message


def test_a_line_cut_in_half() -> None:
    half = GOOD[: GOOD.index(b'"reasons"') + 4]
    found = only(half)
    assert (found.line, found.column) == (1, half.index(b'"rea') + 1)
    assert "no closing double quote" in found.message


@pytest.mark.parametrize("form", ["objects", "array", "array on one line"])
def test_an_editors_formatting_is_one_fault_and_can_be_repaired(form: str) -> None:
    rows = [json.loads(row) for row in GOOD.splitlines()]
    spread = {
        "objects": "\n".join(json.dumps(row, indent=2) for row in rows),
        "array": json.dumps(rows, indent=2),
        "array on one line": json.dumps(rows),
    }[form].encode()
    found = only(spread)
    assert (found.line, found.column) == (1, 1)
    assert "check --repair` puts each object back on a line of its own" in found.message
    assert repaired(spread) == GOOD


def test_an_editors_formatting_with_a_fault_in_it_is_one_fault_at_its_place() -> None:
    rows = [json.loads(row) for row in GOOD.splitlines()]
    spread = "\n".join(json.dumps(row, indent=2) for row in rows).encode()
    cut = only(spread.replace(b'"note": ""', b'"note": "', 1))
    assert spread.split(b"\n")[cut.line - 1].strip().startswith(b'"note"')
    assert "spread over lines" in cut.message and "mend it; then" in cut.message
    assert "a number such as NaN" in only(spread.replace(b"null", b"NaN", 1)).message


def test_what_is_wrong_otherwise_is_not_repaired() -> None:
    assert repaired(b'{"a":1,"a":2}\n') is None
    assert repaired(GOOD[:-9]) is None
    assert repaired(b"") is None


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_another_encoding_is_said(code: str) -> None:
    content = line(note="“é”" if code != "latin-1" else "é").decode().encode(code)
    found = faults(content)[0]
    assert "expected UTF-8" in found.message or "\\x00" in str(found)
    assert (found.line, found.column >= 1) == (1, True)


@pytest.mark.slow
def test_fifty_thousand_lines_with_a_fault_in_the_last() -> None:
    items = {f"{number:016d}": item(A) for number in range(50_000)}
    rows = [blank(PATHS, id, one.sha) for id, one in items.items()]
    content = written(rows[:-1]) + written([rows[-1]]).replace(b"null", b"nul", 1)
    (found,) = checked(sheet(content), PATHS, items, {})
    assert (found.line, found.message) == (
        50_000,
        "expected a value; got 'nul': a text stands in double quotes",
    )


# --- back to bytes ---------------------------------------------------------------------------------------


def test_lines_that_say_what_they_said_stay_as_they_were_typed() -> None:
    typed = GOOD.replace(b'"decision":"keep"', b'"decision" : "keep"  ')
    before = sheet(typed)
    assert written(before.reviews, before) == typed
    changed = [
        before.reviews[0],
        before.reviews[1].model_copy(update={"note": "a\u2028b"}),
        before.reviews[2],
    ]
    lines = written(changed, before).split(b"\n")
    assert [lines[0], lines[2]] == [typed.split(b"\n")[0], typed.split(b"\n")[2]]
    assert b"a\\u2028b" in lines[1]
    assert list(sheet(b"\n".join(lines)).reviews) == changed


def test_another_form_asks_other_things() -> None:
    rows = [Review(id="aaaa", sha="0", decision="good"), Review(id="b", sha="0", decision="keep")]
    found = read_sheet(FILE, written(rows), BRANCHES).faults
    assert [str(one).partition("jsonl:")[2] for one in found] == [
        "2:32: decision: expected good, bad, unclear or null; got 'keep'"
    ]
    assert "nothing can be edited here" in str(
        read_sheet(FILE, written([review(A, None, edits={"/answer": "x"})]), BRANCHES).faults
    )
