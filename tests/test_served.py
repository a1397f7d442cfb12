"""The role table: which server each agent asks, and what cannot be started."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from fake_server import Fake, serve
from jobs import job, plain

from ssui_gen.cli import main


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
