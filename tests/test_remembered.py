"""What a run was made with is every later stage's default: what holds over what, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from exploring import judge, policy
from fake_server import Fake
from hypothesis import given
from hypothesis import strategies as st
from jobs import Ended, here, job, plain
from PIL import Image

from ssui_gen.config import Config
from ssui_gen.config_models import ModelRole
from ssui_gen.jobs.plan import configure
from ssui_gen.jobs.remembered import OF_ITS_TIME, USES, recall
from ssui_gen.manifest import PAIRS, RUN
from ssui_gen.settings import readable

SERVER, OTHER = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"


def kept(run: Path, name: str = "run.json") -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((run / name).read_text("utf-8"))["settings"]
    return settings


def write(file: Path, settings: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings), "utf-8")
    return file


def remembering(run: Path, name: str = RUN, **settings: Any) -> Path:
    write(run / name, {"settings": Config.model_validate(settings).model_dump(mode="json")})
    return run


def said_of(end: Ended, start: str) -> str:
    (line,) = (line for line in end.out.splitlines() if line.startswith(start))
    return line


def settled(run: Path, stage: Any = "pairs", **told: Any) -> tuple[Config, list[str]]:
    """The settings of a stage of `run`, and what is said of them."""
    lines: list[str] = []
    file = write(run / "now.yaml", told.pop("file")) if "file" in told else None
    asked = {"model": None, "base_url": None} | told
    return configure(file, memory=recall(stage, run), say=lines.append, **asked), lines


# --- from stage to stage, by the real commands -------------------------------------------------------------


def test_what_the_dataset_was_told_holds_for_pairs_and_again(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2, kind="risky"), twins=False)
    own = {"language": "German", "images": {"longest_side": 320}, "explore": {"k": 6}, "twins": False}
    own |= {"limits": {"tries_per_call": 2, "usd": 9.5}, "models": {"vlm": {"prices": {"prompt": 1}}}}
    write(made.folder / "run.yaml", own)
    assert "remembers" not in made.here("--limit", "1").out, "nothing was remembered yet"

    again = here(["dataset", "--run", str(made.run)])
    assert again.code == 0, again.err
    assert said_of(again, f"As {made.run / RUN} remembers: ").count("language German") == 1
    assert "Not taken over" in again.out and "limits.usd 9.5" in again.out
    assert len(made.paths) == 2, "and it was not refused as of another language"
    assert kept(made.run)["limits"] | {"usd": None} == kept(made.run)["limits"]

    fake.answers = {"none": policy, "judge: right": judge}
    end = here(["pairs", "--run", str(made.run), "--uncurated"])
    assert end.code == 0, end.err
    line = said_of(end, f"As {made.run / RUN} remembers: ")
    assert "images.longest_side 320" in line and "explore.k 6" in line and fake.url in line
    assert "language" not in line, "which means nothing to pairs"
    found = kept(made.run, PAIRS)
    assert (found["explore"]["k"], found["images"]["longest_side"], found["language"]) == (6, 320, "German")
    assert (found["limits"]["usd"], found["limits"]["tries_per_call"]) == (None, 2)


def test_pairs_remember_what_pairs_were_told(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2, kind="risky"), twins=False)
    made.here()
    fake.answers = {"none": policy, "judge: right": judge}
    told = write(tmp_path / "explore.yaml", {"explore": {"k": 4}})
    pairs = ["pairs", "--run", str(made.run), "--uncurated"]
    assert here([*pairs, "--limit", "1", "--config", str(told)]).code == 0
    end = here(pairs)
    assert (end.code, kept(made.run, PAIRS)["explore"]["k"]) == (0, 4), end.err
    assert "explore.k 4" in said_of(end, f"As {made.run / PAIRS} remembers: ")
    write(told, {"explore": {"k": 5}})
    other = here([*pairs, "--config", str(told), "--mix"])
    assert other.code == 0
    assert f"{told} says otherwise than {made.run / PAIRS}, and holds: explore.k 5 (there 4)" in other.out
    assert kept(made.run, PAIRS)["explore"]["k"] == 5


def test_a_picture_that_the_agents_were_let_see_is_shown_to_people_too(fake: Fake, tmp_path: Path) -> None:
    seeds = [{"id": "wide", "image": "wide.png", "kind": "risky"}]
    made = job(tmp_path, fake.url, seeds, twins=False)
    Image.new("RGB", (400, 8)).save(tmp_path / "wide.png")
    assert made.here().code == 1, "50 to 1 is too thin by default"
    write(tmp_path / "run.yaml", {"twins": False, "images": {"max_ratio": 60}})
    run = tmp_path / "other"
    assert made.here("--run", str(run)).code == 0
    assert here(["curation", "export", "--run", str(run), "--as", "ana"]).code == 0
    assert len(list((run / "curation/pictures").glob("*.small.jpeg"))) == 1
    assert "data:image/jpeg" in (run / "dataset.html").read_text("utf-8")
    shown = here(["show", "wide", "--run", str(run)])
    assert shown.code == 0 and "cannot be shown" not in shown.out


def test_an_old_run_json_is_read_as_far_as_it_can_be_and_the_rest_is_told(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2, kind="risky"), twins=False)
    made.here()
    whole = json.loads((made.run / RUN).read_text("utf-8"))
    whole["settings"] |= {"since_gone": {"a": 1}, "language": 7}
    whole["settings"]["images"] |= {"longest_side": 320, "dpi": 72}
    whole["settings"]["query"] = ["no mapping"]
    write(made.run / RUN, whole)
    fake.answers = {"none": policy, "judge: right": judge}
    end = here(["pairs", "--run", str(made.run), "--uncurated"])
    assert end.code == 0, end.err
    line = said_of(end, f"{made.run / RUN}: settings: passed over")
    assert all(key in line for key in ("since_gone (", "images.dpi (", "language (", "query ("))
    assert kept(made.run, PAIRS)["images"]["longest_side"] == 320
    for command in (["curation", "export", "--as", "ana"], ["page"], ["export", "--to", "trl"]):
        later = here([*command, "--run", str(made.run)])
        assert later.code == 0, later.err


PASSWORD = "hunter-2-of-nobody"


def test_a_run_that_was_begun_before_an_upgrade_goes_on(fake: Fake, tmp_path: Path) -> None:
    """An older version named no text about several pictures, and showed none of its rows any."""
    made = job(tmp_path, fake.url, plain(3, kind="risky"), twins=False)
    assert made.here("--limit", "1").code == 0
    whole = json.loads((made.run / RUN).read_text("utf-8"))
    del whole["editions"][0]["edition"]["rendered"]["pictures"], whole["settings"]["serve"]["images"]
    write(made.run / RUN, whole)
    end = made.here()
    assert (end.code, len(made.paths)) == (0, 3), end.err
    assert "passed over" not in end.out, "nothing is amiss with what it says"
    now = json.loads((made.run / RUN).read_text("utf-8"))["editions"]
    assert [one["from_row"] for one in now] == [0, 1] and "pictures" in now[1]["edition"]["rendered"]
    now[1]["edition"]["rendered"]["pictures"] = "pictures@0:0"
    write(made.run / RUN, whole | {"editions": now})
    assert "pictures pictures@0:0 → " in made.here("--run", str(made.run), "--retry", "refused").err


@pytest.mark.parametrize(
    "own",
    [
        {"models": {"judge": {"base_urls": [f"http://me:{PASSWORD}@127.0.0.1:1/v1"]}}},
        {"serve": {"flags": {"api-key": PASSWORD}}},
        {"serve": {"flags": {"hf_token": PASSWORD}}},
    ],
)
def test_a_secret_in_settings_that_this_stage_does_not_use_is_kept_nowhere_and_not_shown(
    fake: Fake, tmp_path: Path, own: dict[str, Any]
) -> None:
    made = job(tmp_path, fake.url, plain(1), twins=False)
    write(made.folder / "run.yaml", own)
    end = made.here()
    assert (end.code, end.err.count("\n"), fake.calls) == (1, 1, 0)
    assert "holds a secret" in end.err and PASSWORD not in end.out + end.err
    assert not made.run.exists()


# --- what holds over what ----------------------------------------------------------------------------------


def test_said_now_wins_over_a_file_wins_over_the_run_wins_over_the_defaults(tmp_path: Path) -> None:
    run = remembering(
        tmp_path, bench={"protocol": "think", "draws": 3, "temperature": 0.7}, images={"max_ratio": 9}
    )
    file = {"bench": {"draws": 2, "protocol": "as_is"}}
    config, lines = settled(run, "bench", file=file, protocol="six_steps")
    assert (config.bench.protocol, config.bench.draws, config.bench.temperature) == ("six_steps", 2, 0.7)
    assert (config.images.max_ratio, config.bench.top_p) == (9, Config().bench.top_p)
    assert lines == [
        f"As {run / RUN} remembers: images.max_ratio 9.0; bench.temperature 0.7.",
        f"{run / 'now.yaml'} says otherwise than {run / RUN}, and holds: bench.draws 2 (there 3).",
    ]


def test_a_file_may_bring_a_default_back_and_contradict_one(tmp_path: Path) -> None:
    run = remembering(tmp_path, images={"longest_side": 320})
    usual = Config().images
    config, lines = settled(run, file={"images": {"longest_side": usual.longest_side, "max_ratio": 5}})
    assert (config.images.longest_side, config.images.max_ratio) == (usual.longest_side, 5)
    assert len(lines) == 1
    assert "images.longest_side 1280 (there 320); images.max_ratio 5.0 (there 30.0)" in lines[0]


def test_a_run_made_with_the_defaults_has_nothing_to_say(tmp_path: Path) -> None:
    assert settled(remembering(tmp_path)) == (Config(), [])
    assert settled(tmp_path / "new", "dataset") == (Config(), [])


def test_every_setting_is_of_some_stage_and_every_stage_has_settings_that_there_are() -> None:
    used = {section for sections in USES.values() for section in sections}
    assert used == Config.model_fields.keys() - {"alarms"}, "which a report takes from its own file"
    usual = Config().model_dump()
    assert all(name in usual[section] for section, name in OF_ITS_TIME)


PLAYERS: dict[str, Any] = {
    "vlm": {"name": "A", "base_urls": [SERVER], "api_key_env": "KEY_OF_A", "prices": {"prompt": 2}},
    "policy": {"name": "P", "base_urls": [SERVER]},
    "judge": {"name": "J", "base_urls": [OTHER]},
}


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ({}, PLAYERS),
        ({"model": "A", "base_url": SERVER}, PLAYERS),
        (
            {"model": "B"},
            PLAYERS | {"vlm": {"name": "B", "base_urls": [SERVER], "api_key_env": "KEY_OF_A"}},
        ),
        (
            {"base_url": "http://127.0.0.1:3/v1"},
            {"vlm": {"base_urls": ["http://127.0.0.1:3/v1"]}, "judge": PLAYERS["judge"]},
        ),
        ({"file": {"models": {"judge": {"like": "vlm"}}}}, PLAYERS | {"judge": {"like": "vlm"}}),
        ({"file": {"models": {"vlm": {}, "judge": {"name": "K"}}}}, PLAYERS | {"judge": {"name": "K"}}),
    ],
)
def test_who_plays_is_remembered_role_by_role_and_no_key_goes_to_another_server(
    tmp_path: Path, told: dict[str, Any], asked: dict[str, Any]
) -> None:
    config, _ = settled(remembering(tmp_path, models=PLAYERS), **told)
    assert config.models == Config.model_validate({"models": asked}).models
    for role in config.models.values():
        assert role.api_key_env == ModelRole().api_key_env or role.base_urls == (SERVER,)


def test_how_a_machine_started_its_server_and_what_one_command_might_spend_is_not_taken_over(
    tmp_path: Path,
) -> None:
    serve = {"flags": {"max-model-len": 9}, "gpus": 8, "port": 1, "start_seconds": 5, "max_pixels": 5000}
    limits = {"tokens": 10, "usd": 1.5, "hours": 2, "calls_in_flight": 3}
    config, lines = settled(remembering(tmp_path, serve=serve, limits=limits))
    assert config.serve == Config().serve.model_copy(update={"max_pixels": 5000})
    assert config.limits == Config().limits.model_copy(update={"calls_in_flight": 3})
    assert (
        "limits.usd 1.5" in lines[1] and "serve.flags" in lines[1] and lines[1].startswith("Not taken over")
    )
    config, lines = settled(tmp_path, spending={"usd": 4.0})
    assert config.limits.usd == 4 and "limits.usd" not in "".join(lines)


def test_settings_that_do_not_fit_together_name_both_places(tmp_path: Path) -> None:
    run = remembering(tmp_path, limits={"calls_in_flight": 500})
    with pytest.raises(
        Exception, match=r"now\.yaml, over what .*run\.json remembers: limits: .*calls_in_flight"
    ):
        settled(run, file={"limits": {"most_calls_in_flight": 100}})


# --- what another version wrote ----------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
USUAL = Config().model_dump(mode="json")
PLACES = [
    (section, name)
    for section, value in USUAL.items()
    for name in (value if isinstance(value, dict) else [""])
]


@st.composite
def written(draw: st.DrawFn) -> dict[str, Any]:
    """Settings that are there, with anything in up to three places."""
    found: dict[str, Any] = {}
    for section, name in draw(st.lists(st.sampled_from(PLACES), max_size=3)):
        inner = found.setdefault(section, {})
        if name and isinstance(inner, dict):
            inner[name] = draw(JSON)
        else:
            found[section] = draw(JSON)
    return found


@given(JSON | written())
def test_whatever_stands_there_is_settings_and_what_can_be_read_stays(found: Any) -> None:
    config, passed_over = readable(Config, found)
    if isinstance(found, dict) and not passed_over:
        assert config == Config.model_validate(found)
    told = config.model_dump(mode="json")
    assert readable(Config, told) == (config, {}), "and is read again as the same"


@given(written())
def test_a_key_that_is_gone_costs_no_other_key(found: dict[str, Any]) -> None:
    config, passed_over = readable(Config, found)
    again, more = readable(Config, found | {"gone": {"deep": [1]}})
    assert (again, {*more}) == (
        config,
        {*passed_over, "gone"} - ({"gone"} if "all" in passed_over else set()),
    )
