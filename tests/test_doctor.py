"""`ssui doctor` against servers that can and cannot."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fake_server import Fake
from jobs import here

ROOT = Path(__file__).parent.parent
RED = json.dumps({"colour": "red"})


def doctor(url: str | None, *more: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "ssui_gen", "doctor", *(["--base-url", url] if url else []), *more]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={"COLUMNS": "300"}, check=False
    )
    return done.returncode, " ".join(done.stdout.split())


def test_a_fit_server_passes_and_every_feature_is_named(fake: Fake) -> None:
    code, said = doctor(fake.url, "--all")
    assert code == 0, said
    for line in ("ok model", "ok json_schema yes", "ok sees_pictures yes", "ok n yes", "? token_ids"):
        assert line in said
    assert fake.calls == 0, "asking about the server counted as work"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda body: f"no JSON {body['messages'][0]['content'][0]}", "no replies in form"),
        (lambda body: RED, "no sees pictures the picture changes nothing in the answers"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(fake: Fake, answer: object, line: str) -> None:
    fake.answers = {"none": answer}  # type: ignore[dict-item]
    code, said = doctor(fake.url)
    assert code == 1
    assert line in said
    assert "serve" in said


def test_the_embedded_server_is_fit_and_nobody_is_told_to_change_its_chat_template() -> None:
    """It leaves the system text out, as the micro VLM was trained."""
    code, said = doctor(None)
    assert code == 0 and "ok model micro-agents" in said, said
    assert "chat template" not in said and "?" not in said, "nobody could bring what it lacks"


def test_a_script_reads_every_finding_and_nothing_else_on_stdout(fake: Fake) -> None:
    fake.refuses = frozenset({"priority"})
    done = here(["doctor", "--base-url", fake.url, "--json"])
    found = json.loads(done.out)
    by_name = {one["what"]: one for one in found["findings"]}
    assert (done.code, found["fit"]) == (0, True) and "ssui doctor" in done.err
    assert by_name["json_schema"]["good"] and by_name["priority"]["good"] is None
    assert "--scheduling-policy" in by_name["priority"]["remedy"]


def test_no_server_is_one_line(fake: Fake) -> None:
    code, said = doctor("http://127.0.0.1:9/v1")
    assert code == 1
    assert "no model server answers" in said
