"""`ssui doctor` against servers that can and cannot."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fake_server import Fake

ROOT = Path(__file__).parent.parent


def doctor(url: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "ssui_gen", "doctor", "--base-url", url]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={"COLUMNS": "300"}, check=False
    )
    return done.returncode, " ".join(done.stdout.split())


def test_a_fit_server_passes_although_a_missing_cache_is_said(fake: Fake) -> None:
    fake.answers = {
        "none": lambda body: json.dumps({"colour": "red"}) if "response_format" in body else picture(body)
    }
    code, said = doctor(fake.url)
    assert code == 0, said
    for line in ("ok │ model", "ok │ JSON schema", "ok │ sees pictures", "prefix cache"):
        assert line in said


def picture(body: dict) -> str:  # type: ignore[type-arg]
    url = body["messages"][0]["content"][0]["image_url"]["url"]
    return "It is red, all of it." if len(set(url)) % 2 else "blue"


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ("no JSON", "no │ JSON schema"),
        (json.dumps({"colour": "red"}), "no │ sees pictures │ red and blue give the same"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(fake: Fake, reply: str, line: str) -> None:
    fake.answers = {"none": reply}
    code, said = doctor(fake.url)
    assert code == 1
    assert line in said
    assert "serve" in said


def test_no_server_is_one_line(fake: Fake) -> None:
    code, said = doctor("http://127.0.0.1:9/v1")
    assert code == 1
    assert "no model server answers" in said
