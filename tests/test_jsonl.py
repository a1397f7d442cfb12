"""JSONL as people and crashes leave it: every fault located, no good row lost, no half row kept."""

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.errors import RecordError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import Appender, as_line, document, read, read_object, records, validate
from ssui_gen.records import Reason, Reject, Seed

BEFORE = (b"", b"\n", b"\xef\xbb\xbf", b"{}\n")
"""What may stand before the rows of a file."""
ROW = Reject(
    seed_id="a", kind="risky", stage="seed", reason=Reason.SEED_INVALID, detail="line\u2028break\u0085end"
)


def lines(path: Path, content: bytes) -> list[tuple[int, object, str | None]]:
    path.write_bytes(content)
    return [(line.number, line.value, line.error) for line in read(path)]


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1}\n{"b":2}\n',
        b'{"a":1}\n{"b":2}',
        b'{"a":1}\r\n{"b":2}\r\n',
        b'\xef\xbb\xbf{"a":1}\n{"b":2}\n',
        b'\n{"a":1}\n\n  \n{"b":2}\n\n',
    ],
)
def test_line_breaks_marks_and_blank_lines_are_borne(tmp_path: Path, content: bytes) -> None:
    assert [value for _, value, _ in lines(tmp_path / "a.jsonl", content)] == [{"a": 1}, {"b": 2}]


def test_a_line_separator_of_unicode_ends_no_line(tmp_path: Path) -> None:
    content = '{"a":"x\u2028y\u0085z"}\n'.encode()
    assert lines(tmp_path / "a.jsonl", content) == [(1, {"a": "x\u2028y\u0085z"}, None)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a":1,}\n', ":1:8: not JSON: "),
        (b"[1]\n", ":1:1: expected an object; got '[1]'"),
        (b'{"a":1,"a":2}\n', ":1:1: the key 'a' stands twice"),
        (b'{"a":NaN}\n', ":1:1: NaN is not a number in JSON"),
        (b'{"a":-Infinity}\n', ":1:1: -Infinity is not a number"),
        (b'{"a":"\xff"}\n', ":1:7: expected UTF-8"),
        (b'{"a":"\\ud800"}\n', ":1:1: a lone surrogate"),
        (b'{"a":"b', "torn last line"),
        (b'{"a":1e999}\n', ":1:1: a number out of range"),
        (b'{"a":' + b"9" * 5000 + b"}\n", ":1:1: a number out of range"),
        (b"[" * 100_000 + b"\n", ":1:1: nested too deeply"),
    ],
)
def test_each_fault_is_located_and_the_next_line_still_read(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "a.jsonl"
    found = lines(path, content + b'{"good":1}\n' if content.endswith(b"\n") else content)
    assert found[0][1] is None
    assert says in str(found[0][2])
    assert str(path) in str(found[0][2])
    assert not content.endswith(b"\n") or found[1][1] == {"good": 1}


def test_a_line_of_ten_megabytes_is_skipped_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a":"' + b"x" * 10_000_000 + b'"}\n{"good":1}\n')
    tracemalloc.start()
    found = list(read(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "longer than 1,000,000 bytes" in str(found[0].error)
    assert found[1].value == {"good": 1}
    assert peak < 5_000_000


def test_a_row_of_the_wrong_shape_names_field_and_value(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_bytes(b'{"id":"a","image":"a.png","imgae":"b.png"}\n{"id":"a","image":7}\n')
    unknown, wrong = read(path)
    with pytest.raises(
        RecordError,
        match=r"seeds\.jsonl:1: imgae: .*known: licence, source, id, image, more_images, text, kind"
        r".*got 'b\.png'",
    ):
        validate(Seed, unknown)
    with pytest.raises(RecordError, match=r"seeds\.jsonl:2: image: .*got 7$"):
        validate(Seed, wrong)


def test_a_row_survives_the_round_trip_on_one_line(tmp_path: Path) -> None:
    out = Appender(tmp_path / "a.jsonl")
    out.write(ROW)
    out.close()
    content = (tmp_path / "a.jsonl").read_text("utf-8")
    assert content.splitlines() == [content.strip()]
    assert [validate(Reject, line) for line in read(tmp_path / "a.jsonl")] == [ROW]


@pytest.mark.parametrize("torn", [b'{"seed_id":"b","ki', b"x" * 200_000])
def test_a_torn_last_line_is_cut_off_before_the_next_row(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "a.jsonl"
    whole = ROW.model_dump_json().encode() + b"\n"
    path.write_bytes(whole + torn)
    out = Appender(path)
    assert out.cut == len(torn)
    assert path.read_bytes() == whole
    out.close()


FILL = """
import resource, signal, sys
from pathlib import Path
from ssui_gen.errors import RecordError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import Appender
from ssui_gen.records import Reason, Reject
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
row = Reject(seed_id="a", kind="risky", stage="seed", reason=Reason.SEED_INVALID, detail="d" * 200)
out = Appender(Path(sys.argv[1]))
try:
    for _ in range(100):
        out.write(row)
except RecordError as error:
    print(error)
try:
    atomic_write(Path(sys.argv[2]), "x" * 9000)
except RecordError as error:
    print(error)
"""


def test_a_full_disk_leaves_whole_rows_and_old_files(tmp_path: Path) -> None:
    rows, other = tmp_path / "rows.jsonl", tmp_path / "run.json"
    other.write_text("old", "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", FILL, rows, other], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert "rows.jsonl: a row could not be written" in first
    assert "what was written before is safe" in first
    assert "run.json: could not be written" in second
    assert len(list(read(rows))) > 5
    assert all(line.value for line in read(rows))
    assert other.read_text("utf-8") == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rows.jsonl", "run.json"]


def test_a_full_device_is_said_at_the_first_row() -> None:
    out = Appender(Path("/dev/full"))
    with pytest.raises(RecordError, match="No space left on device; what was written before is safe"):
        out.write(ROW)
    with pytest.raises(RecordError, match="may not be on the disk"):
        out.close()


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"rows\.jsonl: could not be opened for writing: No such file"):
        Appender(tmp_path / "none" / "rows.jsonl")
    with pytest.raises(RecordError, match="could not be read: Is a directory"):
        list(read(tmp_path))


@pytest.mark.parametrize("door", [lambda path: list(read(path)), document, read_object])
def test_a_pipe_that_nobody_writes_into_keeps_nobody_waiting(
    tmp_path: Path, door: Callable[[Path], object]
) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(RecordError, match=r"a\.jsonl: is a pipe; expected a file"):
        door(tmp_path / "a.jsonl")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    atomic_write(path, "one\n")
    atomic_write(path, "two\n")
    assert path.read_text("utf-8") == "two\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


# --- rows of our own, read fast ---------------------------------------------------------------------


def outcome(rows: Callable[[], list[Reject]]) -> list[Reject] | str:
    try:
        return rows()
    except RecordError as error:
        return str(error)


@given(
    at=st.integers(0, 400), old=st.integers(0, 3), new=st.binary(max_size=3), before=st.sampled_from(BEFORE)
)
def test_rows_read_fast_are_those_read_slowly_and_so_are_their_faults(
    tmp_path_factory: pytest.TempPathFactory, at: int, old: int, new: bytes, before: bytes
) -> None:
    """Whatever a few bytes are replaced by; but for a key that stands twice, and NaN."""
    file = tmp_path_factory.getbasetemp() / "fast.jsonl"
    content = before + as_line(ROW) + b"\n" + as_line(ROW)
    file.write_bytes(content[:at] + new + content[at + old :])
    slow = outcome(lambda: [validate(Reject, line) for line in read(file)])
    fast = outcome(lambda: list(records(Reject, file)))
    assert fast == slow or "stands twice" in str(slow)


def test_a_file_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    assert list(records(Reject, tmp_path / "none.jsonl")) == []


def test_a_long_line_is_a_fault_to_the_fast_reader_too(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": "' + b"x" * 1_000_001 + b'"}\n')
    with pytest.raises(RecordError, match=r"a.jsonl:1:1: longer than 1,000,000 bytes"):
        list(records(Reject, tmp_path / "a.jsonl"))
