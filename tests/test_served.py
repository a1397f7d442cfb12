"""The role table: which server each agent asks, and what cannot be started."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from pathlib import Path

import pytest
from fake_server import Fake, serve
from hypothesis import given
from hypothesis import strategies as st
from jobs import job, plain

from ssui_gen.cli import main
from ssui_gen.config import Config
from ssui_gen.config_roles import followed
from ssui_gen.jobs.served import served
from ssui_gen.settings import parse


def config(folder: Path, **models: object) -> str:
    file = folder / "roles.yaml"
    file.write_text(json.dumps({"models": models, "twins": False}))
    return str(file)


def test_a_role_of_its_own_is_asked_at_its_own_server(fake: Fake, tmp_path: Path) -> None:
    todo = job(tmp_path, fake.url, plain(3), twins=False)
    with serve(models=("words-only",)) as other:
        text = {"base_urls": [other.url], "name": "words-only"}
        done = todo.here("--config", config(tmp_path, text=text))
        assert done.code == 0, done.err
        assert set(other.counts) == {"check_text"} and other.counts["check_text"] == 3
        assert fake.counts["check_text"] == 0 and fake.counts["check_joint"] == 3
    edition = json.loads((todo.run / "run.json").read_text())["editions"][0]["edition"]
    assert edition["models"] == {"vlm": "fake-vlm", "text": "words-only"}


def test_roles_that_share_a_model_are_one_player(fake: Fake, tmp_path: Path) -> None:
    todo = job(tmp_path, fake.url, plain(1), twins=False)
    assert todo.here().code == 0
    manifest = json.loads((todo.run / "run.json").read_text())
    assert manifest["editions"][0]["edition"]["models"] == {"vlm": "fake-vlm"}
    assert manifest["features"]["text"] == manifest["features"]["vlm"]


def test_two_models_without_a_server_are_too_many_to_start(fake: Fake, tmp_path: Path) -> None:
    todo = job(tmp_path, fake.url, plain(1), twins=False)
    roles = config(tmp_path, vlm={"name": "one/model"}, text={"name": "another/model"})
    words = [word for word in todo.command("--config", roles) if word not in ("--base-url", fake.url)]
    err = io.StringIO()
    with contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 1
    assert "a run starts one model at most" in err.getvalue()
    assert "models.vlm: one/model" in err.getvalue() and "models.text: another/model" in err.getvalue()


def test_the_probing_of_a_blind_text_model_is_no_reason_to_stop(fake: Fake, tmp_path: Path) -> None:
    """Only roles that are shown pictures must see them."""
    todo = job(tmp_path, fake.url, plain(1), twins=False)
    with serve(models=("blind",), answers={"none": "always the same"}) as other:
        text = {"base_urls": [other.url], "name": "blind"}
        done = todo.here("--config", config(tmp_path, text=text))
    assert done.code == 0, done.err


def test_the_joint_check_follows_the_judge_unless_it_is_given_a_model(fake: Fake, tmp_path: Path) -> None:
    todo = job(tmp_path, fake.url, plain(1), twins=False)
    with serve(models=("big-judge",)) as big, serve(models=("bigger",)) as bigger:
        judge = {"base_urls": [big.url]}
        done = todo.here("--config", config(tmp_path, judge=judge))
        assert done.code == 0, done.err
        assert set(big.counts) == {"check_joint"} and fake.counts["check_joint"] == 0
        edition = json.loads((todo.run / "run.json").read_text())["editions"][0]["edition"]
        assert edition["models"] == {"vlm": "fake-vlm", "joint": "big-judge"}
        other = job(tmp_path / "other", fake.url, plain(1), twins=False)
        joint = {"base_urls": [bigger.url]}
        assert other.here("--config", config(tmp_path, judge=judge, joint=joint)).code == 0
        assert big.counts["check_joint"] == 1 and set(bigger.counts) == {"check_joint"}


@given(
    likes=st.dictionaries(
        st.sampled_from("abcdef"), st.one_of(st.none(), st.sampled_from("abcdef")), min_size=1
    )
)
def test_likes_lead_to_a_model_or_are_refused_with_the_circle(likes: dict[str, str | None]) -> None:
    for role in likes:
        try:
            player = followed(likes, role)
        except ValueError as error:
            missing = {like for like in likes.values() if like and like not in likes}
            assert "a circle" in str(error) or any(f"got {like!r}" in str(error) for like in missing)
        else:
            assert likes[player] is None


@pytest.mark.parametrize("judge", [{}, {"name": "micro-judge"}])
def test_the_embedded_judge_of_branches_does_not_check_pairs(tmp_path: Path, judge: dict[str, str]) -> None:
    """It has learnt to pick options about responses, and nothing else."""
    roles = {"models": {"judge": judge or {"like": "vlm"}}}
    found = parse(Config, roles, "here")

    async def names() -> dict[str, str]:
        async with served(found, tmp_path, ["vlm", "judge", "joint"], tmp_path, lambda _: None) as models:
            return models.names

    assert asyncio.run(names()) == {"vlm": "micro-agents", "judge": "micro-judge", "joint": "micro-agents"}
