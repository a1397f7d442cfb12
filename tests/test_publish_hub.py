"""What is sent to the hub: just what is listed, private unless said, by the hub's own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from giving import given, publish
from local_hub import TOKEN, Hub, Repo, local_hub
from runs import change

from ssui_gen.errors import ConfigError
from ssui_gen.publishing.push import named, push


@pytest.fixture
def hub() -> Iterator[Hub]:
    with local_hub() as made:
        yield made


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def here(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The hub as this process's own."""
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.large = ()
    return hub


def test_just_the_folder_is_sent_and_private(hub: Hub, tmp_path: Path) -> None:
    run = given(tmp_path / "street")
    told = ("publish", "--run", str(run), "--licence", "CC-BY-4.0", "--to", "ana/street")
    done = hub.ssui(tmp_path / "hf", *told)
    assert done.code == 0, done.err
    repo = hub.repos["ana/street"]
    assert repo.private and repo.kind == "dataset" and f"{hub.url}/datasets/ana/street, private" in done.out
    assert repo.files == content(run / "published")
    assert b"huggingface.co/datasets/ana/street" in repo.files["croissant.json"]


def test_a_second_version_takes_the_place_of_the_first_and_nothing_else(here: Hub, tmp_path: Path) -> None:
    run = given(tmp_path / "street")
    assert publish(run, "--to", "ana/street").code == 0
    repo = here.repos["ana/street"]
    former = ("data/paths/old-00000-of-00001.parquet", "prompts/query.md", "prompts/2/taxonomy.yaml")
    repo.files |= {**dict.fromkeys(former, b"old"), "notes.md": b"somebody's"}
    change(run / "curated.jsonl", lambda found: found[6:])
    assert publish(run, "--to", "ana/street").code == 0
    assert repo.files == content(run / "published") | {"notes.md": b"somebody's"}


def test_a_public_repository_takes_nothing_unless_that_is_said(here: Hub, tmp_path: Path) -> None:
    run = given(tmp_path / "street")
    here.repos["ana/street"] = Repo("dataset", private=False)
    done = publish(run, "--to", "ana/street")
    assert done.code == 1 and "public" in done.err and not here.repos["ana/street"].files and not here.objects
    done = publish(run, "--to", "ana/street", "--public")
    assert done.code == 0 and "for everybody to see" in done.out and here.repos["ana/street"].files


def test_a_wrong_token_is_told_in_words_and_the_folder_is_there(
    here: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = given(tmp_path / "street")
    monkeypatch.setenv("HF_TOKEN", "hf_" + "w" * 30)
    done = publish(run, "--to", "ana/street")
    assert done.code == 1 and "ana/street: the hub took nothing" in done.err and "wwww" not in done.err
    assert (run / "published" / "published.json").exists() and not here.repos


def test_without_to_nothing_is_asked_of_anybody(here: Hub, tmp_path: Path) -> None:
    assert publish(given(tmp_path / "street")).code == 0
    assert not here.asked


@pytest.mark.parametrize("how", ["added", "changed", "gone", "link"])
def test_a_folder_that_is_not_as_listed_is_not_sent(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    sha = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    (folder / "published.json").write_text(json.dumps({"files": {"a.txt": sha}}))
    if how in ("added", "changed"):
        (folder / {"added": "id_rsa", "changed": "a.txt"}[how]).write_text("other")
    elif how == "gone":
        (folder / "a.txt").unlink()
    else:
        (folder / "b.txt").symlink_to("/etc/hostname")
    with pytest.raises(ConfigError, match=r"not as published\.json says|is a link"):
        push(folder, "ana/street", "dataset", public=False)


@pytest.mark.parametrize("to", ["street", "ana/street/x", "../etc", "ana/..", "https://x/y", "ana/a--b", ""])
def test_what_is_no_repository_is_refused_before_anything_is_written(tmp_path: Path, to: str) -> None:
    with pytest.raises(ConfigError, match="user/name"):
        named(to)
