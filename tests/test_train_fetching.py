"""A training's run may lie on an object store: fsspec's own, in memory, with its pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from runs import tiny_encoder, write_run

from ssui_gen.errors import ConfigError
from ssui_train.config import SrpoConfig, load
from ssui_train.data import Reader
from ssui_train.encode import Encoder
from ssui_train.loaded import Loaded
from ssui_train.source import Source


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny_encoder()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Below which `outputs/` lies; the store is empty again at the end."""
    monkeypatch.chdir(tmp_path)
    yield
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


def put(run: Path, url: str) -> None:
    fsspec.filesystem("memory").put(f"{run}/", url, recursive=True)


def configured(tmp_path: Path, **said: str) -> SrpoConfig:
    yaml = tmp_path / "train.yaml"
    yaml.write_text(json.dumps({"model": "tiny", **said}))
    return load(yaml)


def read(config: SrpoConfig, encoder: Encoder) -> Loaded:
    return Reader(Source(config), encoder).load()


def test_what_is_trained_of_a_url_is_what_is_trained_of_the_folder(
    run: Path, encoder: Encoder, tmp_path: Path
) -> None:
    put(run, "memory://bucket/big")
    there = configured(tmp_path, run="memory://bucket/big")
    here = configured(tmp_path, run=str(run))
    assert (there.run, there.folder) == (Path("outputs/big"), Path("outputs/big/adapter"))
    assert read(there, encoder).sha256 == read(here, encoder).sha256
    assert Source(there).hashes() == Source(here).hashes()


def test_pictures_may_lie_at_a_url_of_their_own(run: Path, encoder: Encoder, tmp_path: Path) -> None:
    put(run / "seeds", "memory://photos/all")
    shutil.rmtree(run / "seeds")
    put(run, "memory://bucket/big")
    config = configured(tmp_path, run="memory://bucket/big", seeds="memory://photos/all")
    assert len(read(config, encoder).examples) == 3


def test_only_what_changed_there_is_copied_again(run: Path, encoder: Encoder, tmp_path: Path) -> None:
    put(run, "memory://bucket/big")
    copy = configured(tmp_path, run="memory://bucket/big").run
    kept = {name: (copy / name).stat().st_ino for name in ("branches.jsonl", "pairs.jsonl")}
    first = (run / "reasoning_paths.jsonl").read_text().splitlines(keepends=True)[0]
    (run / "pairs.jsonl").write_text((run / "pairs.jsonl").read_text().splitlines(keepends=True)[0])
    (run / "curated.jsonl").write_text(first)
    store = fsspec.filesystem("memory")
    for name in ("pairs.jsonl", "curated.jsonl"):
        store.pipe_file(f"/bucket/big/{name}", (run / name).read_bytes())
    found = read(configured(tmp_path, run="memory://bucket/big"), encoder)
    assert ([one.id for one in found.examples], found.pairs) == (["path0"], 1)
    assert (copy / "branches.jsonl").stat().st_ino == kept["branches.jsonl"]
    assert (copy / "pairs.jsonl").stat().st_ino != kept["pairs.jsonl"]
    store.rm("/bucket/big/curated.jsonl")
    assert len(read(configured(tmp_path, run="memory://bucket/big"), encoder).examples) == 3


def test_a_picture_that_the_store_has_not_is_left_out_as_ever(
    run: Path, encoder: Encoder, tmp_path: Path
) -> None:
    (run / "seeds" / "pictures" / "1.png").unlink()
    put(run, "memory://bucket/big")
    found = read(configured(tmp_path, run="memory://bucket/big"), encoder)
    assert dict(found.reasons) == {("path", "image_missing"): 1}


@pytest.mark.parametrize("name", ["../../stolen.png", "/stolen.png", "a/../../../stolen.png"])
def test_a_row_makes_nothing_be_written_elsewhere(run: Path, tmp_path: Path, name: str) -> None:
    rows = (run / "reasoning_paths.jsonl").read_text().replace("pictures/1.png", name)
    (run / "reasoning_paths.jsonl").write_text(rows)
    put(run, "memory://bucket/big")
    for place in ("/bucket/stolen.png", "/bucket/big/stolen.png", "/stolen.png"):
        fsspec.filesystem("memory").pipe_file(place, b"stolen")
    configured(tmp_path, run="memory://bucket/big")
    assert not list(tmp_path.rglob("stolen.png"))


@pytest.mark.parametrize(
    ("run_", "seeds", "says"),
    [
        ("memory://bucket/none", None, "no such file: expected the folder of a run"),
        ("what://bucket/none", None, "this storage cannot be used"),
        ("outputs/x", "memory://photos", "a URL goes with a `run` that is one"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, run_: str, seeds: str | None, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        configured(tmp_path, run=run_, **({"seeds": seeds} if seeds else {}))


def test_no_other_run_is_written_over(run: Path, tmp_path: Path) -> None:
    put(run, "memory://bucket/big")
    put(run, "memory://other/big")
    configured(tmp_path, run="memory://bucket/big")
    with pytest.raises(ConfigError, match=r"outputs/big: is a copy of memory://bucket/big, not of"):
        configured(tmp_path, run="memory://other/big")
    shutil.copytree(run, "outputs/mine")
    put(run, "memory://other/mine")
    with pytest.raises(ConfigError, match=r"outputs/mine: is there, and is no copy of"):
        configured(tmp_path, run="memory://other/mine")
