"""A key is sent to its server and stands nowhere else, whatever stage runs and however it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from benching import PLAYED, benched
from exploring import judge, pairs, policy
from fake_server import Fake
from jobs import Job, ended, here, job, plain

KEY = "sk-marker-7391-of-nobody"


def processes() -> bytes:
    """What every process of this machine was started with."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes())
        except OSError:
            continue  # it has ended
    return b"\n".join(found)


def later(made: Job) -> list[list[str]]:
    """The orders that follow on a run with pairs."""
    run = ["--run", str(made.run)]
    return [
        ["curation", "export", *run, "--as", "ana"],
        ["curation", "unfold", *run, "--as", "ana"],
        ["curation", "export", *run, "--to", "label_studio"],
        ["curation", "stats", *run],
        ["page", *run],
        ["show", "s0", *run],
        ["prompt", "query", *run, "--json"],
        ["prompt", "policy", *run],
        ["verify", "label", *run, "--as", "ana"],
        ["export", *run, "--to", "trl"],
        ["doctor", "--base-url", made.url],
    ]


@pytest.mark.slow
def test_every_stage_keeps_the_key_to_itself(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    fake.api_key = KEY
    made = job(tmp_path, fake.url, plain(2), twins=False)
    process = made.start()
    seen = b""
    while process.poll() is None:
        seen += processes()
    done = ended(process)
    fake.answers = {"none": policy, "judge: right": judge}
    said = [done, pairs(made), *map(here, later(made))]
    fake.answers = PLAYED
    bench = benched(tmp_path / "bench", fake.url, scenarios=2)
    said += [bench.here(), here(["bench", "card", "--run", str(bench.run)])]
    assert [end.code for end in said] == [0] * len(said), [end.err for end in said]
    fake.api_key = "another"
    said += [job(tmp_path / "refused", fake.url, plain(1)).here(), here(["doctor", "--base-url", fake.url])]
    assert [end.code for end in said[-2:]] == [1, 1]
    assert KEY not in "".join(end.out + end.err for end in said) and KEY.encode() not in seen
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 20 and not [file for file in files if KEY.encode() in file.read_bytes()]
