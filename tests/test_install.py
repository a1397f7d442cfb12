"""Setting up: a few lines while all is well, everything that pip said where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"
NOISE = "is ignored"
CALL = "import sys; from install import pip; pip(sys.argv[1], *sys.argv[2:])"


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """This Python, as that of an environment below `tmp_path`."""
    link = tmp_path / "venv/bin/python"
    link.parent.mkdir(parents=True)
    link.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    link.chmod(0o755)
    return link


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "tidy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tidy.py", "")
        archive.writestr("tidy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tidy\nVersion: 1.0\n")
        archive.writestr(
            "tidy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tidy-1.0.dist-info/RECORD", "")
    return path


def installed(python: Path, *more: object) -> subprocess.CompletedProcess[str]:
    """pip in a process of its own, with settings that make it warn of a place that is not there."""
    to = python.parent.parent / "packages"
    told = ["install", "--no-index", "--no-deps", "--target", to, *more]
    noisy = os.environ | {"PIP_FIND_LINKS": "/no/such/place", "PIP_CONFIG_FILE": os.devnull}
    command = [sys.executable, "-c", CALL, python, *told]
    return subprocess.run(
        map(str, command), cwd=SCRIPTS, env=noisy, capture_output=True, text=True, check=False
    )


def test_an_installation_is_a_line_and_pips_words_are_in_its_log(python: Path, wheel: Path) -> None:
    done = installed(python, wheel)
    assert done.returncode == 0 and (python.parent.parent / "packages/tidy.py").exists(), done.stderr
    assert len(done.stdout.splitlines()) == 1 and "done" in done.stdout and not done.stderr
    assert "Successfully installed tidy-1.0" in (python.parent.parent / "install.log").read_text()


def test_all_that_pip_said_is_shown_where_it_fails(python: Path) -> None:
    done = installed(python, "no-such-package-of-ours")
    assert done.returncode == 1 and "FAILED" in done.stdout
    assert NOISE in done.stdout and "No matching distribution" in done.stdout
    assert "mend it and run the same command again" in done.stderr


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which our wheel was unpacked, as pip does it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=SCRIPTS.parent, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def elsewhere(installation: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """This Python in a folder that is no checkout and has a `train.py` of its own."""
    (folder / "train.py").write_text("raise SystemExit('somebody else's')\n")
    known = os.environ | {"PYTHONPATH": str(installation)}
    told = [sys.executable, *command]
    return subprocess.run(told, cwd=folder, env=known, capture_output=True, text=True, check=False)


def test_what_is_installed_is_called_as_nothing_else_is(installation: Path) -> None:
    names = {path.name for path in installation.iterdir() if path.suffix != ".dist-info"}
    assert names == {"ssui_gen", "microworld", "ssui_train"}


def test_an_installation_trains_by_its_own_settings_beside_any_train_py(
    installation: Path, tmp_path: Path
) -> None:
    code = (
        "from ssui_gen.commands import command;print(command('train'), command('train', POLICY='org/model'))"
    )
    said = elsewhere(installation, tmp_path, "-c", code)
    assert said.returncode == 0, said.stderr
    settings = [word for word in said.stdout.split() if word.endswith(".yaml")]
    assert settings == [f"{installation}/ssui_train/share/{name}.yaml" for name in ("micro", "srpo")]
    load = "import sys, pathlib, ssui_train.config as c; [c.load(pathlib.Path(one)) for one in sys.argv[1:]]"
    assert elsewhere(installation, tmp_path, "-c", load, *settings).returncode == 0
    told = elsewhere(installation, tmp_path, "-m", "ssui_train.srpo", "--help")
    assert told.returncode == 0 and "--config" in told.stdout, told.stderr


def test_in_a_checkout_the_former_name_gives_the_same_modules() -> None:
    code = (
        "import train.encode, train.loss, ssui_train.loss; from train.source import Unfit;"
        "import ssui_train.source; print(train.loss is ssui_train.loss, Unfit is ssui_train.source.Unfit)"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=SCRIPTS.parent, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "True"], done.stderr
    told = subprocess.run(
        [sys.executable, "-m", "train.srpo", "--help"], cwd=SCRIPTS.parent, capture_output=True, check=False
    )
    assert told.returncode == 0, told.stderr
