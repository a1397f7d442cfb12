"""A run's folder, through the command: held by one process, and true to what its rows were made with."""

import asyncio
import dataclasses
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from fake_server import Fake
from jobs import Job, ended, job, plain, wait_for
from rich.console import Console

from ssui_gen.errors import ConfigError
from ssui_gen.jobs.plan import Plan, resolve
from ssui_gen.prompts import home, load_prompts
from ssui_gen.stages.dataset import make_dataset


def test_a_run_folder_in_use_is_left_alone(fake: Fake, tmp_path: Path) -> None:
    fake.always = "hang"
    first = job(tmp_path, fake.url, plain(1))
    process = first.start()
    wait_for(lambda: fake.calls)
    second = first.here()
    process.kill()
    ended(process)
    assert second.code == 1
    assert second.err == (
        f"ssui dataset: {first.run}: in use by another process (pid {process.pid}): "
        "wait for it, or choose another RUN\n"
    )
    fake.always = None
    assert first.here().code == 0


@pytest.mark.parametrize("place", ["a file", "a file/below"])
def test_a_run_folder_that_cannot_be_is_one_clear_line(fake: Fake, tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").write_text("mine")
    end = job(tmp_path, fake.url, plain(1)).here("--run", str(tmp_path / place))
    assert end.code == 1
    assert re.fullmatch(r"ssui dataset: .*a file.*: the run folder cannot be written: .*\n", end.err)


def test_a_changed_model_is_said_aloud_and_mix_goes_on(fake: Fake, tmp_path: Path) -> None:
    fake.models = ("fake-vlm", "other-vlm")
    done = job(tmp_path, fake.url, plain(4))
    done.here("--model", "fake-vlm", "--limit", "2")
    refused = done.here("--model", "other-vlm")
    assert refused.code == 1
    assert refused.err == (
        f"ssui dataset: {done.run}: 4 rows were made with something else (vlm fake-vlm → other-vlm): "
        "use a new RUN, or --mix to go on here\n"
    )
    assert len(done.paths) == 4
    assert done.here("--model", "other-vlm", "--mix").code == 0
    assert len(done.paths) == 8
    assert [edition["from_row"] for edition in _manifest(done)["editions"]] == [0, 4]


def test_a_changed_prompt_is_said_aloud_and_mix_keeps_both(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, plain(4))
    changed = _with_changed_prompt(_plan(done), tmp_path / "home")
    _make(dataclasses.replace(_plan(done), limit=2))
    with pytest.raises(
        ConfigError, match=r"4 rows .* \(reasoning reasoning@\d+:\w+ → reasoning@99:\w+\): use"
    ):
        _make(changed)
    _make(dataclasses.replace(changed, mix=True))
    assert len(done.paths) == 8
    used = [(done.run / f"used/{n}/prompts/reasoning.md").read_text() for n in (1, 2)]
    assert ["version: 99" in text for text in used] == [False, True]


def test_before_the_first_row_anything_may_change(fake: Fake, tmp_path: Path) -> None:
    fake.models = ("fake-vlm", "other-vlm")
    done = job(tmp_path, fake.url, [{"id": "gone", "image": "gone.png"}, *plain(1)])
    done.here("--model", "fake-vlm", "--limit", "1")
    assert done.here("--model", "other-vlm").code == 0
    assert len(done.paths) == 2


def test_a_run_keeps_all_that_decided_its_rows(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path, fake.url, plain(1), reflection_rounds=1)
    done.here()
    manifest = _manifest(done)
    assert manifest["schema"] == 1
    assert manifest["settings"]["limits"]["reflection_rounds"] == 1
    (edition,) = manifest["editions"]
    assert edition["edition"]["models"] == {"vlm": "fake-vlm"}
    agents = {"query", "check_text", "check_image", "reasoning", "reflection", "check_joint", "summary"}
    assert set(edition["edition"]["prompts"]) == set(edition["edition"]["cards"]) == agents
    used = done.run / "used/1"
    for name in agents:
        for place in (f"agents/{name}.yaml", f"prompts/{name}.md"):
            assert (used / place).read_bytes() == (home() / place).read_bytes()
    assert (used / "run.yaml").read_bytes() == (tmp_path / "run.yaml").read_bytes()


def _manifest(done: Job) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((done.run / "run.json").read_text("utf-8"))
    return content


def _plan(done: Job) -> Plan:
    return resolve(
        run=done.run,
        seeds=done.seeds,
        limit=None,
        mix=False,
        config_file=done.folder / "run.yaml",
        model=None,
        base_url=done.url,
    )


def _with_changed_prompt(plan: Plan, new_home: Path) -> Plan:
    for name in ("agents", "prompts"):
        shutil.copytree(plan.home / name, new_home / name)
    prompt = new_home / "prompts/reasoning.md"
    prompt.write_text(re.sub(r"version: \d+", "version: 99", prompt.read_text()))
    return dataclasses.replace(plan, home=new_home, prompts=load_prompts(new_home / "prompts"))


def _make(plan: Plan) -> None:
    asyncio.run(make_dataset(plan, Console(file=io.StringIO())))
