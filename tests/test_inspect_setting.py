"""What inspect_ai's task is made of, without inspect_ai: names that may stand in a log, and nothing else."""

from __future__ import annotations

import json
import tomllib
from importlib import import_module, util
from pathlib import Path

import pytest
from benching import benched

from ssui_gen.errors import ConfigError
from ssui_gen.inspecting.setting import about, folder_of, setting
from ssui_gen.manifest import RUN, read_manifest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["", "/tmp/demo", "..", "a/../../b", "C:\\runs\\demo", "s3://demo"])
def test_a_run_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="-T run=: expected a name"):
        folder_of(name, "")


def test_runs_lie_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder_of("a/demo", "siuo") == Path("outputs/a/demo/bench-siuo")
    monkeypatch.setenv("SSUI_OUTPUTS", str(tmp_path))
    assert folder_of("demo", "") == tmp_path / "demo" / "bench"
    with pytest.raises(ConfigError, match="no such file; expected a benchmark's items"):
        setting("nobody's")


def test_what_a_log_says_of_a_task_names_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = benched(tmp_path, "http://127.0.0.1:9/v1", 1)
    monkeypatch.setenv("SSUI_OUTPUTS", str(tmp_path))
    made = setting("run", protocol="think")
    assert made.config.bench.protocol == "think" and made.prompt and made.prompt.name == "think"
    told = json.dumps(about(made))
    assert str(tmp_path) not in told and str(ROOT) not in told and "think@" in told
    assert read_manifest(run.run / RUN).last is None, "nothing is written"


def test_the_entry_point_is_a_module_of_ours_and_the_package_an_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (module,) = project["entry-points"]["inspect_ai"].values()
    assert project["entry-points"]["inspect_ai"].keys() == {"ssui_gen"} and util.find_spec(module)
    assert not [one for one in project["dependencies"] if "inspect" in one]
    assert import_module(module.rpartition(".")[0]).__doc__
