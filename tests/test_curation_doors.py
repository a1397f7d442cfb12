"""What comes into a folder from elsewhere: names, ids, links, other tools' files, lines that nobody typed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from curating import a_run, curation, exported, item, record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs import rows

from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.asked.people import TAKEN, is_name, named
from ssui_gen.curation.lines.review import Review
from ssui_gen.curation.lines.sheet import MOST_FAULTS, read_sheet, repaired
from ssui_gen.curation.workspace.folder import folder_of
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.jsonl import document, parse
from ssui_gen.strict_json import DEEPEST

A, B = record("aaaa"), record("bbbb")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return exported(tmp_path / "demo", [A, B])


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- names -------------------------------------------------------------------------------------------


def test_whatever_the_folder_uses_itself_is_nobodys_name(run: Path) -> None:
    curation(run, "unfold")
    for tool in ("argilla", "label_studio"):
        assert curation(run, "export", "--as", "ana", "--to", tool).code == 0
    folder_of(run).inside("history")
    ours = {path.name.partition(".")[0] for path in (run / "curation").iterdir()} - {"", "ana"}
    assert ours <= TAKEN and not any(map(is_name, TAKEN))


@pytest.mark.parametrize("name", [*sorted(TAKEN), "", "../x", "a/b", "Ana", ".ana", "a" * 33, "ana\n", "é"])
def test_such_a_name_is_refused_wherever_it_is_given(run: Path, name: str) -> None:
    before = everything(run)
    file = str(run / "x.json")
    orders = (
        ("export",), ("unfold",), ("fold",), ("import", file, "--from", "argilla"),
    )  # fmt: skip
    for order in orders:
        done = curation(run, *order, f"--as={name}")
        assert (done.code, "expected a name of small letters" in done.err) == (1, True), (order, done)
    assert "expected a name" in curation(run, "assign", "--", name, "ben").err
    assert everything(run) == before
    with pytest.raises(ConfigError):
        named(name)


@pytest.mark.parametrize("name", sorted(TAKEN - {"items", "past"}))
def test_a_file_that_has_our_name_is_told_and_nothing_of_ours_is_to_be_deleted(run: Path, name: str) -> None:
    (run / "curation" / f"{name}.jsonl").write_text("")
    said = curation(run, "check").out
    assert f"{name}.jsonl:1:1: a file of this name is passed over: rename it" in said
    assert "delete" not in said and f"{name}.json:" not in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "manifest.json:1:2: not JSON"),
        (b"[]", "the row: "),
        (b'{"id":5,"form":"paths"}', "id: "),
        (b'{"id":"x","form":"paths","shares":{"../x":[]}}', "expected a name of small letters"),
        (b'{"id":"x","form":"paths","id":"y"}', "the key 'id' stands twice"),
        (b"[" * 5000, "nested too deeply"),
        (b"\xff", "expected UTF-8"),
    ],
)
def test_a_manifest_of_another_shape_is_one_line(run: Path, content: bytes, says: str) -> None:
    (run / "curation" / "manifest.json").write_bytes(content)
    done = curation(run, "check")
    assert (done.code, says in done.err, "manifest.json" in done.err) == (1, True, True), done.err
    assert "pydantic" not in done.err and len(done.err.splitlines()) == 1


# --- ids and links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["x/../../../../NOTES", "/etc/x", "..", "a.b", "é", "a" * 300, "x\n", "-"])
def test_no_id_is_a_path_and_its_file_folds_back(tmp_path: Path, id: str) -> None:
    made = a_run(tmp_path / "demo", [record(id)])
    (made / "curation" / "ana" / "0001-x").mkdir(parents=True)
    assert curation(made, "export", "--as", "ana").code == 0
    before = set(tmp_path.rglob("*"))
    assert curation(made, "unfold").code == 0
    home = made / "curation" / "ana"
    assert {path.parent for path in tmp_path.rglob("*") if path not in before} == {home}
    (page,) = home.glob("*.md")
    page.write_text(page.read_text("utf-8").replace("decision:\n", "decision: keep\n"), "utf-8")
    done = curation(made, "fold")
    assert (done.code, rows(made / "curation" / "ana.jsonl")[0]["decision"]) == (0, "keep"), done


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("ana", ("unfold",)),
        ("argilla", ("export", "--as", "ana", "--to", "argilla")),
        ("label_studio", ("export", "--as", "ana", "--to", "label_studio")),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_of_ours_is_no_link(run: Path, name: str, order: tuple[str, ...], there: bool) -> None:
    elsewhere = run.parent / "elsewhere"
    if there:
        elsewhere.mkdir()
        (elsewhere / "0001-mine.md").write_text("precious")
    before = everything(elsewhere)
    (run / "curation" / name).symlink_to(elsewhere)
    done = curation(run, *order)
    assert (done.code, "expected a folder; got a link to" in done.err) == (1, True), done.err
    assert everything(elsewhere) == before and elsewhere.exists() == there


def test_a_file_of_a_person_that_is_a_link_to_nowhere_is_not_made_there(run: Path) -> None:
    (run / "curation" / "ben.jsonl").symlink_to(run.parent / "nowhere")
    done = curation(run, "export", "--as", "ben")
    assert (done.code, "a link that leads nowhere" in done.err) == (1, True), done
    assert not (run.parent / "nowhere").exists()


# --- JSON --------------------------------------------------------------------------------------------

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(10**400) | st.text(max_size=4)
    | st.sampled_from(["keep", "\ud800", "x" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
NAMES = st.sampled_from(["decision", "reasons", "safety", "edit_answer", "note", "other"])
KINDS = st.sampled_from(["choices", "rating", "textarea", "other"])
SAYS = st.fixed_dictionaries(
    {"from_name": NAMES, "to_name": st.just("image"), "type": KINDS, "value": ODD | st.fixed_dictionaries(
        {}, optional={"choices": ODD, "rating": ODD, "text": ODD})}
)  # fmt: skip
SHA = item(A).sha
TASKS = st.fixed_dictionaries(
    {"data": st.just({"id": "aaaa", "sha": SHA}) | ODD,
     "annotations": st.lists(st.fixed_dictionaries(
         {"result": st.lists(SAYS, max_size=3) | ODD, "completed_by": st.just(1)},
         optional={"lead_time": ODD}), max_size=2)}
)  # fmt: skip
RECORDS = st.fixed_dictionaries(
    {"id": st.just("aaaa") | ODD, "fields": st.just({}), "metadata": st.just({"sha": SHA}) | ODD,
     "responses": st.dictionaries(NAMES, st.lists(st.fixed_dictionaries(
         {"value": ODD, "user_id": st.just("u")}), max_size=2), max_size=3)}
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.tuples(st.just("label_studio"), TASKS), st.tuples(st.just("argilla"), RECORDS)))
def test_an_import_of_anything_is_taken_whole_or_told_in_lines(run: Path, sent: tuple[str, Any]) -> None:
    tool, row = sent
    (run / "x.json").write_text(json.dumps([row]))
    mine = run / "curation" / "ana.jsonl"
    before = mine.read_bytes()
    done = curation(run, "import", str(run / "x.json"), "--from", tool, "--as", "ana")
    assert done.code in (0, 1)
    assert done.code == 0 or ((done.out + done.err).strip() and mine.read_bytes() == before)
    assert curation(run, "check").code == 0
    mine.write_bytes(before)


def test_json_min_is_refused_by_its_name_and_every_element_is_told(run: Path) -> None:
    (run / "x.json").write_text(json.dumps([{"id": 1, "annotator": 2, "decision": "keep"}, 5]))
    done = curation(run, "import", str(run / "x.json"), "--from", "label_studio", "--as", "ana")
    first, second = done.err.splitlines()
    assert "x.json: [0]: this is Label Studio's JSON-MIN" in first and "x.json: [1]: not label" in second


def test_an_item_that_stands_twice_in_a_tools_file_is_told(run: Path) -> None:
    assert curation(run, "export", "--as", "ana", "--to", "label_studio").code == 0
    task = json.loads((run / "curation" / "label_studio" / "tasks.json").read_text())[0]
    task["annotations"] = [{"result": []}]
    (run / "x.json").write_text(json.dumps([task, task]))
    done = curation(run, "import", str(run / "x.json"), "--from", "label_studio", "--as", "ana")
    assert (done.code, "expected each item once; got it again" in done.out) == (1, True), done


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'[1,\n 2,\n "\xff"]', "x.json:3:3: expected UTF-8"),
        (b"[1,\n,]", "x.json:2:1: not JSON"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "x.json:1:1: nested too deeply"),
        (b"[1e999]", "x.json:1:1: a number out of range"),
        (b'["' + b"x" * 200 + b'"]', "x.json: expected at most 150 bytes; got more"),
    ],
)
def test_a_document_is_read_as_strictly_as_a_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(RecordError) as told:
        document(tmp_path / "x.json", most=150)
    assert says in str(told.value)


def test_what_is_allowed_in_a_document_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"\xef\xbb\xbf" + b"[" * DEEPEST + b"]" * DEEPEST)
    assert document(tmp_path / "x.json")
    with pytest.raises(RecordError, match="could not be read: Is a directory"):
        document(tmp_path)
    assert parse(b" [1.5] ", "here") == [1.5]


def test_a_repair_leaves_what_no_file_can_hold() -> None:
    for value in ('"\\ud800"', "1e999", "NaN"):
        assert repaired(b'{\n"a": ' + value.encode() + b"\n}\n") is None


# --- lines that nobody typed --------------------------------------------------------------------------


def test_numbers_have_bounds_in_the_record_too() -> None:
    for words in ({"seconds": 10**400}, {"seconds": -1}, {"scores": {"safety": 10**9}}):
        with pytest.raises(ValueError, match="Input should be"):
            Review.model_validate({"id": "a", "sha": "b", **words})


@pytest.mark.parametrize(
    "part",
    [
        '"edits":{' + ",".join(f'"/{n}":"x"' for n in range(50_000)) + "}",
        ",".join(f'"k{n}":1' for n in range(50_000)),
        '"reasons":[' + ",".join(['"too_easy"'] * 50_000) + "]",
        ",".join(f'"k{n}":1' for n in range(50_000)) + ',"k0":2',
        '"before":[' + ",".join(["5"] * 50_000) + "]",
    ],
    ids=["edits", "fields", "reasons", "twice", "before"],
)
def test_a_line_of_thousands_of_faults_is_told_at_once(part: str) -> None:
    content = f'{{"id":"aaaa","sha":"{SHA}",{part}}}\n'.encode()
    begin = time.process_time()
    found = read_sheet(Path("ana.jsonl"), content, PATHS).faults
    assert time.process_time() - begin < 5
    assert 1 <= len(found) <= MOST_FAULTS + 1
