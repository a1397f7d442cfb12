"""The journal keeps every answer through kills, and says so when it cannot."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ssui_gen.calling.journal import LOOKUP, Journal, Seen
from ssui_gen.completions import Choice, Completion, TokenLogprob, Usage
from ssui_gen.errors import RecordError

REQUEST = {"messages": [{"role": "user", "content": "Grüße, 火 \U0001f600"}], "draw": 1}


def made(text: str = "yes") -> Completion:
    tokens = (TokenLogprob(token=text, logprob=-0.1, top=((text, -0.1), ("no", -2.5))),)
    choices = (
        Choice(text=text, finish_reason="stop", logprobs=tokens),
        Choice(text="no", finish_reason="length"),
    )
    return Completion(model="m", choices=choices, usage=Usage(prompt_tokens=7), seconds=0.5, attempts=2)


def test_an_answer_kept_before_thoughts_and_refusals_were_is_read() -> None:
    row = '{"model": "m", "choices": [{"text": "yes", "finish_reason": "stop"}], "usage": {}, "seconds": 0.5}'
    (choice,) = Completion.model_validate_json(row).choices
    assert (choice.reasoning, choice.refused) == ("", False)


def committed(path: Path) -> int:
    """Rows that another process would see."""
    other = sqlite3.connect(path)
    try:
        return int(other.execute("SELECT count(*) FROM calls").fetchone()[0])
    finally:
        other.close()


def run_python(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_an_answer_comes_back_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.sqlite")
    journal.put("k", "query", REQUEST, made())
    journal.close()
    again = Journal(tmp_path / "calls.sqlite")
    assert again.get("k") == made()
    assert again.get("other") is None
    assert (again.hits, again.writes) == (1, 0)
    again.close()


def test_the_first_answer_to_a_call_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.sqlite")
    journal.put("k", "query", REQUEST, made("first"))
    journal.put("k", "query", REQUEST, made("second"))
    assert journal.get("k") == made("first")
    journal.close()


def test_an_answer_is_committed_as_it_comes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.sqlite")
    for i in range(3):
        journal.put(str(i), "query", REQUEST, made())
        assert committed(journal.path) == i + 1
    journal.close()


def test_rows_are_found_by_many_ids(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.sqlite")
    ids = [f"call {i}" for i in range(LOOKUP + 20)]
    for call_id in ids:
        journal.put(call_id, "query", REQUEST, made(call_id))
    rows = journal.rows_by_id([*ids, *ids, "unknown"])
    assert set(rows) == set(ids)
    last = rows[ids[-1]]
    assert (last.agent, last.request, last.completion) == ("query", REQUEST, made(ids[-1]))
    journal.close()


KILLED = """
    import sys
    from pathlib import Path
    from ssui_gen.completions import Choice, Completion, Usage
    from ssui_gen.calling.journal import Journal

    journal = Journal(Path(sys.argv[1]))
    answer = Completion(model="m", choices=(Choice(text="x" * 3000, finish_reason="stop"),),
                        usage=Usage(), seconds=0.1)
    for i in range(10**6):
        journal.put(str(i), "query", {}, answer)
        print(i, flush=True)
"""


@pytest.mark.parametrize("after", [1, 150, 333])
def test_a_kill_loses_no_answer(tmp_path: Path, after: int) -> None:
    path = tmp_path / "calls.sqlite"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        while int(process.stdout.readline()) < after:
            pass
        os.kill(process.pid, signal.SIGKILL)
        written = after + 1 + len(process.stdout.read().split())
    journal = Journal(path)
    assert all(journal.get(str(i)) for i in range(written))
    assert journal.get(str(written + 1)) is None
    journal.close()


def test_a_file_that_is_no_journal_is_named(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    path.write_bytes(b"no database at all, only words " * 100)
    with pytest.raises(RecordError, match=r"calls\.sqlite: the call journal.*not a database.*move it away"):
        Journal(path)


def test_a_row_of_another_version_is_an_error_and_not_an_answer(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "calls.sqlite")
    journal.put("k", "query", REQUEST, made())
    other = sqlite3.connect(journal.path)
    other.execute('UPDATE calls SET completion = \'{"text": "old"}\'')
    other.commit()
    other.close()
    with pytest.raises(RecordError, match="expected a SQLite file of this version"):
        journal.get("k")
    journal.close()


FULL_DISK = """
    import resource, sys
    from pathlib import Path
    from ssui_gen.completions import Choice, Completion, Usage
    from ssui_gen.errors import RecordError
    from ssui_gen.calling.journal import Journal

    journal = Journal(Path(sys.argv[1]))
    answer = Completion(model="m", choices=(Choice(text="x" * 3000, finish_reason="stop"),),
                        usage=Usage(), seconds=0.1)
    for i in range(10):
        journal.put(str(i), "query", {}, answer)
    resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
    try:
        for i in range(10, 60):
            journal.put(str(i), "query", {}, answer)
    except RecordError as error:
        print(error)
"""


def test_a_full_disk_is_said_at_once_and_keeps_what_was_there(tmp_path: Path) -> None:
    done = run_python(FULL_DISK, tmp_path / "calls.sqlite")
    assert "calls.sqlite: the call journal cannot be used" in done.stdout, done.stderr
    assert "Free space" in done.stdout
    journal = Journal(tmp_path / "calls.sqlite")
    assert len(journal.rows_by_id(map(str, range(10)))) == 10
    journal.close()


def test_seen_tells_new_ids_from_old_ones() -> None:
    seen = Seen()
    assert [seen.add(id) for id in ("a", "b", "a")] == [True, True, False]
    assert "a" in seen and "c" not in seen and len(seen) == 2
    seen.close()


def test_seen_holds_a_hundred_thousand_ids_in_little_memory() -> None:
    done = run_python("""
        import resource
        from ssui_gen.calling.journal import Seen
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seen, before = Seen(), peak()
        for i in range(100_000):
            assert seen.add(f"{i:064d}")
        assert len(seen) == 100_000 and not seen.add(f"{7:064d}")
        print(peak() - before)
    """)
    kilobytes = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 6_000, done.stderr
