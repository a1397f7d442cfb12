"""`ssui curation` from paths to curated.jsonl, with the files people really leave behind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from curating import a_run, cells_of, curation, on_a_wide_screen, put_paths, record, review, say, ssui
from jobs import rows

from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.lines.sheet import written
from ssui_gen.curation.outcomes.planted import Planted
from ssui_gen.curation.workspace.folder import Folder
from ssui_gen.records import ReasoningPath

A, B, C = record("aaaa"), record("bbbb"), record("cccc", kind="benign")
DROP = {"decision": "drop", "reasons": ["too_easy"]}
FIX = {"decision": "fix", "edits": {"/steps/1/text": "They want it fast."}}
KEEP = {"decision": "keep"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that has been exported for ana."""
    made = a_run(tmp_path / "demo", [A, B, C])
    assert curation(made, "export", "--as", "ana").code == 0
    return made


def lines(run: Path, name: str = "ana") -> list[dict[str, Any]]:
    return rows(run / "curation" / f"{name}.jsonl")


def text(run: Path, name: str = "ana") -> bytes:
    return (run / "curation" / f"{name}.jsonl").read_bytes()


# --- export and merge ----------------------------------------------------------------------------------


def test_an_export_gives_items_and_a_file_in_the_same_order(run: Path) -> None:
    items = rows(run / "curation" / "items.jsonl")
    assert [item["id"] for item in items] == ["aaaa", "bbbb", "cccc"] == [line["id"] for line in lines(run)]
    assert [item["sha"] for item in items] == [line["sha"] for line in lines(run)]
    assert ReasoningPath.model_validate(items[0]["path"]) == A


def test_a_second_export_changes_nothing_and_says_so(run: Path) -> None:
    say(run, "ana", aaaa=KEEP)
    before = text(run)
    done = curation(run, "export")
    assert (done.code, text(run)) == (0, before)
    assert "3 items in" in done.out and "Written: nothing new." in done.out


def test_the_login_name_is_taken_where_nobody_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "Ana Óh.2")
    made = a_run(tmp_path / "demo", [A])
    assert curation(made, "export").code == 0
    assert Folder(made / "curation", PATHS).names() == ["ana-h-2"]


def test_regenerated_paths_meet_what_was_said(run: Path) -> None:
    say(run, "ana", aaaa={**KEEP, "note": "good"}, bbbb=DROP)
    new = record("aaaa", answer="Another answer altogether.")
    put_paths(run, [new, C, record("dddd")])
    done = curation(run, "export")
    assert "ana: the texts of 1 items have changed" in done.out
    found = {line["id"]: line for line in lines(run)}
    assert list(found) == ["aaaa", "cccc", "dddd", "bbbb"]
    assert (found["aaaa"]["decision"], found["aaaa"]["note"]) == (None, "")
    assert found["aaaa"]["before"][0]["note"] == "good"
    assert found["bbbb"]["decision"] == "drop"
    assert curation(run, "check").code == 0
    put_paths(run, [A, B, C])
    curation(run, "export")
    assert {line["id"]: line["decision"] for line in lines(run)} == {
        "aaaa": "keep",
        "bbbb": "drop",
        "cccc": None,
    }


def test_a_file_with_faults_is_left_alone_and_the_others_are_merged(run: Path) -> None:
    curation(run, "export", "--as", "ben")
    broken = text(run) + b"{cut off"
    (run / "curation" / "ana.jsonl").write_bytes(broken)
    put_paths(run, [A, B, C, record("dddd")])
    done = curation(run, "export")
    assert (done.code, text(run)) == (1, broken)
    assert f"{run}/curation/ana.jsonl:4:2: expected a key in double quotes" in done.out
    assert len(lines(run, "ben")) == 4


def test_a_line_that_was_deleted_comes_back_blank(run: Path) -> None:
    (run / "curation" / "ana.jsonl").write_bytes(text(run).split(b"\n", 1)[1])
    assert "expected a line for 'aaaa'; got none" in curation(run, "check").out
    curation(run, "export")
    assert curation(run, "check").code == 0
    assert [line["id"] for line in lines(run)] == ["aaaa", "bbbb", "cccc"]


def test_items_that_were_edited_are_refused_and_written_anew(run: Path) -> None:
    path = run / "curation" / "items.jsonl"
    path.write_text(path.read_text("utf-8").replace("Careful with aaaa.", "Mine."), "utf-8")
    done = curation(run, "check")
    assert done.code == 1
    assert "items.jsonl:1: sha: not that of its texts: this file is not edited" in done.err
    assert curation(run, "export").code == 0
    assert curation(run, "check").code == 0


def test_without_paths_or_without_an_export_it_says_what_to_do(tmp_path: Path) -> None:
    assert "make it with `ssui dataset --run " in curation(tmp_path / "none", "export").err
    assert "export the items first (`make curation`)" in curation(tmp_path, "check").err


@pytest.mark.parametrize("name", ["Ana", "../ana", "items", "past", "", "a b", "x" * 33])
def test_what_can_be_no_name_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    made = a_run(tmp_path / "demo", [A])
    done = curation(made, "export", "--as", name)
    assert (done.code, (made / "curation").exists()) == (1, False)
    assert "expected a name of small letters" in done.err


def test_a_file_whose_name_would_be_passed_over_is_said(run: Path) -> None:
    (run / "curation" / "Ben copy.jsonl").write_bytes(text(run))
    done = curation(run, "check")
    assert (done.code, "Ben copy.jsonl:1:1: a file of this name is passed over" in done.out) == (1, True)


# --- check ---------------------------------------------------------------------------------------------


def test_check_says_how_far_each_is(run: Path) -> None:
    say(run, "ana", aaaa=KEEP, bbbb=DROP)
    done = curation(run, "check")
    assert (done.code, done.out) == (0, f"{run}/curation/ana.jsonl: 3 lines, 2 decided\n")


def test_check_tells_every_fault_of_everybody(run: Path) -> None:
    curation(run, "export", "--as", "ben")
    say(run, "ana", aaaa={"decision": "kep"})
    say(run, "ben", bbbb={"decision": "drop"}, cccc={"scores": {"safety": 9}})
    done = curation(run, "check")
    places = [line.split(": ")[1] for line in done.out.splitlines()[:-1]]
    assert (done.code, places) == (1, ["decision", "reasons", "scores.safety"])
    assert done.out.splitlines()[-1] == "3 faults. Mend in an editor, then run it again."
    assert curation(run, "check", "ana").out.count("\n") == 2
    assert "people with a file: ana, ben" in curation(run, "check", "cleo").err


def test_an_editors_formatting_is_repaired_on_request(run: Path) -> None:
    say(run, "ana", aaaa=KEEP)
    spread = json.dumps(lines(run), indent=2)
    (run / "curation" / "ana.jsonl").write_text(spread)
    assert "check --repair` puts each object back" in curation(run, "check").out
    done = curation(run, "check", "--repair")
    assert (done.code, "ana.jsonl: each object is on a line of its own again" in done.out) == (0, True)
    assert [line["decision"] for line in lines(run)] == ["keep", None, None]


# --- apply ---------------------------------------------------------------------------------------------


def curated(run: Path) -> list[dict[str, Any]]:
    return rows(run / "curated.jsonl")


def test_apply_writes_what_was_kept_with_where_it_comes_from(run: Path) -> None:
    say(run, "ana", aaaa=KEEP, bbbb=DROP, cccc=FIX)
    done = curation(run, "apply")
    assert (done.code, [row["id"] for row in curated(run)]) == (0, ["aaaa", "cccc"])
    assert curated(run)[1]["curation"]["original"] == {"/steps/1/text": C.steps[1].text}
    assert curated(run)[1]["curation"]["by"] == ["ana"]
    assert "2 records in" in done.out
    before = (run / "curated.jsonl").read_bytes()
    assert curation(run, "apply").code == 0
    assert (run / "curated.jsonl").read_bytes() == before
    assert not (run / "curated.former.jsonl").exists()
    say(run, "ana", aaaa=DROP, bbbb=DROP, cccc=FIX)
    assert "1 records in" in (said := curation(run, "apply").out) and "curated.former.jsonl" in said
    assert (run / "curated.former.jsonl").read_bytes() == before


def test_apply_is_all_or_nothing(run: Path) -> None:
    say(run, "ana", aaaa=KEEP)
    assert curation(run, "apply").code == 0
    before = (run / "curated.jsonl").read_bytes()
    say(run, "ana", bbbb=KEEP, cccc={"decision": "drop"})
    done = curation(run, "apply")
    assert (done.code, (run / "curated.jsonl").read_bytes()) == (1, before)
    assert "reasons: expected a reason" in done.out and "1 fault: nothing was written" in done.out


def test_without_a_decision_nothing_is_written(run: Path) -> None:
    done = curation(run, "apply")
    assert (done.code, (run / "curated.jsonl").exists()) == (1, False)
    assert "nobody has decided anything that holds" in done.err


def test_what_was_said_of_other_texts_does_not_count(run: Path) -> None:
    say(run, "ana", aaaa=KEEP, bbbb=KEEP)
    put_paths(run, [record("aaaa", answer="Another."), B, C])
    curation(run, "export")
    assert curation(run, "apply").code == 0
    assert [row["id"] for row in curated(run)] == ["bbbb"]


# --- several people ------------------------------------------------------------------------------------


def test_people_see_their_share_and_nothing_of_each_other(tmp_path: Path) -> None:
    made = a_run(tmp_path / "demo", [record(f"{number:02d}") for number in range(20)])
    curation(made, "export", "--as", "ana")
    say(made, "ana", **{"03": KEEP})
    done = curation(made, "assign", "ana", "ben", "--overlap", "0.5")
    assert done.out.splitlines() == ["ana: 15 items", "ben: 15 items"]
    files = {name: {line["id"] for line in lines(made, name)} for name in ("ana", "ben")}
    assert len(files["ben"]) == 15 and len(files["ana"] & files["ben"]) == 10
    assert "keep" not in text(made, "ben").decode()
    assert next(line for line in lines(made) if line["id"] == "03")["decision"] == "keep"
    assert curation(made, "check").code == 0
    put_paths(made, [record(f"{number:02d}") for number in range(24)])
    curation(made, "export")
    assert len(lines(made, "ben")) == 15, "new items are dealt by the next assign"
    curation(made, "assign", "ana", "ben", "--overlap", "0")
    assert len(lines(made, "ana")) + len(lines(made, "ben")) == 34


def test_an_assignment_that_cannot_be_is_refused(run: Path) -> None:
    assert (
        "expected an overlap from 0 to 1, each from 1 to 1; got 0.2 and 2"
        in curation(run, "assign", "ana").err
    )


def differ(run: Path) -> None:
    """ana and ben agree on one of three items."""
    curation(run, "export", "--as", "ben")
    say(run, "ana", aaaa=KEEP, bbbb=KEEP, cccc=KEEP)
    say(run, "ben", aaaa=KEEP, bbbb=DROP, cccc=FIX)


def test_what_nobody_has_decided_is_said_to_be_left_out(run: Path) -> None:
    curation(run, "export", "--as", "ana")
    say(run, "ana", aaaa=KEEP)
    done = curation(run, "apply")
    assert re.search(r"2 that nobody has decided are left out: `.* review .*` shows them", done.out)
    say(run, "ana", bbbb=KEEP, cccc=DROP)
    assert "left out" not in curation(run, "apply").out


def test_differences_wait_for_one_persons_word(run: Path) -> None:
    differ(run)
    assert curation(run, "apply").code == 0
    assert [row["id"] for row in curated(run)] == ["aaaa"]
    done = curation(run, "resolve")
    assert "bbbb: ana: keep; ben: drop" in done.out and "2 items on which people differ" in done.out
    assert [(line["id"], line["decision"]) for line in lines(run, "resolved")] == [
        ("bbbb", None),
        ("cccc", None),
    ]
    say(run, "resolved", bbbb=KEEP, cccc=DROP)
    curation(run, "apply")
    assert [(row["id"], row["curation"]["settled"]) for row in curated(run)] == [
        ("aaaa", "agreed"),
        ("bbbb", "adjudicated"),
    ]
    assert "cccc: ana: keep; ben: fix; settled: dropped" in curation(run, "resolve").out
    say(run, "ben", bbbb={**KEEP, "reasons": []})
    assert curation(run, "resolve").code == 0
    assert [line["decision"] for line in lines(run, "resolved")] == ["keep", "drop"], (
        "a word stays when the dispute ends"
    )


def test_agreement_is_printed_for_each_question_in_80_columns(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    differ(run)
    monkeypatch.setenv("COLUMNS", "80")
    out = curation(run, "agreement").out
    (decision,) = [line for line in out.splitlines() if "decision" in line]
    assert decision.split()[1:3] == ["3", "2"]
    assert "…" not in out and "decision" in out.split("Undefined")[0], "a table is broken, never cut"
    assert "0.33" in decision and "keep (67%)" in decision
    assert "Undefined, as everybody always said the same: not_safe_alone" in out


def test_agreement_without_two_people_says_how_to_get_there(run: Path) -> None:
    assert "`ssui curation assign` deals them so" in curation(run, "agreement").err


@pytest.mark.parametrize("name", ["ana (1).jsonl", "ana.jsonl.txt", "ana.json"])
def test_a_second_copy_of_a_file_is_no_second_person(run: Path, name: str) -> None:
    say(run, "ana", aaaa=KEEP)
    (run / "curation" / name).write_bytes((run / "curation" / "ana.jsonl").read_bytes())
    done = curation(run, "check")
    assert (done.code, "passed over: a newer copy of ana.jsonl?" in done.out) == (1, True), done


def test_words_that_are_not_used_are_said(run: Path) -> None:
    say(run, "ana", aaaa=KEEP, cccc={"edits": FIX["edits"]})
    assert "1 decided, 1 edited but not decided, and so not used" in curation(run, "check").out
    put_paths(run, [record("aaaa", answer="Another answer."), B, C])
    assert (
        "1 paths were made or changed since the export: `ssui curation export" in curation(run, "apply").out
    )


def test_an_error_is_headed_by_the_command_and_not_by_the_person(tmp_path: Path) -> None:
    assert curation(tmp_path / "none", "fold", "--as", "ben").err.startswith("ssui curation: ")


def test_the_last_word_is_nobodys_name(run: Path) -> None:
    assert "resolved is no person" in curation(run, "assign", "ana", "resolved").err


def test_stats_count_and_say_which_planted_errors_were_caught(run: Path) -> None:
    say(run, "ana", aaaa={**KEEP, "seconds": 30}, bbbb={**DROP, "seconds": 90}, cccc=FIX)
    planted = [
        Planted(id="aaaa", error="refuses", pointer="/answer"),
        Planted(id="cccc", error="unsound", pointer="/steps/1/text"),
    ]
    (run / "planted.jsonl").write_text("".join(one.model_dump_json() + "\n" for one in planted))
    out = on_a_wide_screen(run, "stats")
    for row in (
        ["dangerous_behavior", "2", "1", "0", "1", "0", "0"],
        ["too_easy", "1"],
        ["/steps/1/text", "1"],
        ["ana", "2", "60", "2.0"],
        ["refuses", "0", "1"],
        ["unsound", "1", "1"],
        ["1", "100.0% (20.7% – 100.0%)"],
    ):
        assert any(cells_of(line)[: len(row)] == row for line in out.splitlines()), row
    assert "aaaa" in next(line for line in out.splitlines() if "refuses" in line)


# --- on the command line -------------------------------------------------------------------------------


def test_every_order_has_a_help() -> None:
    for order in ("export", "check", "assign", "agreement", "resolve", "apply", "stats"):
        done = ssui("curation", order, "--help")
        assert (done.code, "--run" in done.out) == (0, True)


def test_a_file_of_another_run_is_not_merged(run: Path) -> None:
    other = written([review(record("xxxx"))])
    (run / "curation" / "ben.jsonl").write_bytes(other)
    done = curation(run, "export")
    assert (done.code, text(run, "ben")) == (1, other)
    assert "is it another run's file?" in done.out


def test_the_editors_task_runs_the_check_and_understands_what_it_prints(run: Path) -> None:
    source = (Path(__file__).parent.parent / ".vscode" / "tasks.json").read_text("utf-8")
    task = json.loads(re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE))["tasks"][0]
    pattern = task["problemMatcher"]["pattern"]
    say(run, "ana", aaaa={"decision": "kep"})
    (order,) = [task["args"][:2]]
    out = curation(run, order[1]).out.splitlines()
    found = re.match(pattern["regexp"], out[0])
    assert order == ["curation", "check"] and found
    place = [found[pattern[part]] for part in ("file", "line", "column", "message")]
    assert place[:2] == [f"{run}/curation/ana.jsonl", "1"]
    assert text(run).decode().splitlines()[0][int(place[2]) - 1 :].startswith('"kep"')
    assert place[3].startswith("decision: expected keep, fix, drop or null; got 'kep'")
    assert not re.match(pattern["regexp"], out[1])


@pytest.mark.slow
def test_a_file_that_another_program_never_lets_go_is_told_and_left(run: Path) -> None:
    other = record("aaaa", answer="Another answer altogether.")
    put_paths(run, [other, B, C])
    with (run / "curation" / "ana.jsonl").open("a"):
        before = text(run)
        done = curation(run, "export")
        assert (done.code, text(run)) == (1, before)
        assert "ana.jsonl: another program holds it open for writing" in done.err
    assert curation(run, "export").code == 0
