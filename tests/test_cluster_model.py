"""What nodes start where no server is named, and settings by which a shard would ask somebody else."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import yaml
from jobs import here

from ssui_gen.cluster.model import Configured, model_of
from ssui_gen.config import Config
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.plan import configure
from ssui_gen.jobs.remembered import recall
from ssui_gen.manifest import Manifest

ROLES = ("policy", "judge")
URL = "http://127.0.0.1:9/v1"
SERVED = {"name": "b", "base_urls": [URL]}


def told(folder: Path, models: dict[str, object], policy: str | None = None) -> Configured:
    file = folder / "run.yaml"
    file.write_text(yaml.safe_dump({"models": models, "serve": {"start_seconds": 7}}))
    return lambda model, url: configure(file, model, url, policy=policy)


@pytest.mark.parametrize(
    ("models", "policy", "named", "url"),
    [({}, None, None, None), ({"vlm": SERVED}, "tuned", None, None), ({}, "tuned", "a", URL)],
)  # fmt: skip
def test_where_a_server_is_named_or_nothing_at_all_nodes_start_none(
    tmp_path: Path, models: dict[str, object], policy: str | None, named: str | None, url: str | None
) -> None:
    assert model_of(told(tmp_path, models, policy), ROLES, named, url) is None


@pytest.mark.parametrize(
    ("models", "policy", "named", "adapters"),
    [
        ({}, None, "a", ()),
        ({"vlm": {"name": "a"}}, None, None, ()),
        ({}, "a", "a", ()),
        ({"judge": SERVED}, None, "a", ()),
        ({"vlm": {"name": "a", "adapter": "tuned"}}, None, None, ("tuned",)),
    ],
)
def test_nodes_start_the_one_model_that_nobody_serves(
    tmp_path: Path, models: dict[str, object], policy: str | None, named: str | None, adapters: tuple[str]
) -> None:
    found = model_of(told(tmp_path, models, policy), ROLES, named, None)
    assert found and (found.name, found.adapters, found.how.start_seconds) == ("a", adapters, 7)


@pytest.mark.parametrize(
    ("models", "policy", "named", "url", "why"),
    [
        ({"judge": {"name": "b"}}, None, "a", None, "nodes start one model"),
        ({"judge": {"name": "b"}}, None, "a", URL, "models.judge: b: nodes start one model"),
        ({}, "b", "a", None, "nodes start one model"),
        ({}, "b", None, None, "models.vlm: a shard .* would not ask the embedded model"),
        ({"policy": {"name": "a"}}, None, "a", None, "models.policy: a shard .* would not ask a "),
    ],
)  # fmt: skip
def test_settings_by_which_a_shard_would_ask_somebody_else_are_refused(
    tmp_path: Path,
    models: dict[str, object],
    policy: str | None,
    named: str | None,
    url: str | None,
    why: str,
) -> None:
    with pytest.raises(ConfigError, match=why):
        model_of(told(tmp_path, models, policy), ROLES, named, url)


@pytest.mark.parametrize(
    ("order", "aside"),
    [
        (["dataset"], 0),
        (["pairs", "--uncurated"], 0),
        (["bench", "run"], 1),
        (["bench", "run", "--adapter", "other"], 0),
    ],
)
def test_what_a_run_remembers_is_said_once_however_often_a_driver_asks(
    tmp_path: Path, order: list[str], aside: int
) -> None:
    """It is ended before any node is sought. `aside`: how often the run's adapter is said to be left out."""
    run, adapter = tmp_path / "run", tmp_path / "run" / "adapter"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}")
    models = {"vlm": {"name": "a"}, "judge": {"name": "b"}, "joint": {"name": "c"}}
    models |= {"policy": SERVED} if order[0] == "bench" else {}
    settings = Config.model_validate({"models": models}).model_dump(mode="json")
    (run / "run.json").write_text(json.dumps({"settings": settings}))
    (run / "reasoning_paths.jsonl").write_text("")
    done = here([*order, "--run", str(run), "--model", "a", "--cluster", "local"])
    assert done.code == 1 and "--cluster: models." in done.err
    assert done.out.count("remembers: ") == 1, done.out
    assert done.out.count("is not measured") == aside, done.out


def test_nodes_start_the_model_again_whose_servers_are_gone_with_other_nodes(tmp_path: Path) -> None:
    """Of a dataset that was made by replicas of nodes, explored in another command; and of a driver begun
    anew.
    """
    known = configure(None, "a", URL).model_dump(mode="json")
    (tmp_path / "run.json").write_text(Manifest(settings=known).forgetting([URL]).model_dump_json())
    told: Configured = partial(configure, None, memory=recall("pairs", tmp_path))
    for named in (None, "a"):
        found = model_of(told, ROLES, named, None)
        assert found and found.name == "a"


def test_models_that_a_run_remembers_and_no_settings_say_are_not_passed_over(tmp_path: Path) -> None:
    """`--base-url`, which shards are told, makes a command forget them."""
    known = configure(None, "a", None).model_copy(
        update={"models": told(tmp_path, {"vlm": {"name": "a"}, "judge": SERVED})(None, None).models}
    )

    def configured(model: str | None, url: str | None) -> object:
        return configure(None, model, url) if url else known

    with pytest.raises(ConfigError, match=r"models\.judge: a shard .* would not ask b in this role"):
        model_of(configured, ROLES, None, None)  # type: ignore[arg-type]
