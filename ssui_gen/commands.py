"""Commands that are printed to be pasted into a shell: `make …` for whoever came by make, else `ssui …`; and
what `--run` means in them.

The Makefile says that it is the caller (`SSUI_BY=make`); a run that lies outside `outputs/` has no name for
make, so it is named to `ssui`. Every value is quoted. Runs nothing.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
from pathlib import Path
from shlex import quote

from ssui_gen.shipped import shipped

BY, OUTPUTS = "SSUI_BY", "outputs"
ORDERS = {
    "curation": "curation export",
    "curated": "curation apply",
    "calibrate": "verify calibrate",
    "bench": "bench run",
    "rsbench": "bench publish",
    "bench-label": "bench label",
    "bench-card": "bench card",
}
"""What a target of make is for `ssui`, where it has another name there."""
OPTIONS = {"REVIEWER": "--as", "OUT": "--output"}
USUAL = {"CONFIG": "run.yaml"}
"""What make takes where nothing is said."""
MICRO = ("micro-policy", "micro-untidy", "micro-drifting", "micro-two-policy")
"""Policies that come with us."""


def run_folder(text: str) -> Path:
    """The folder that `--run` means: a name is one below `outputs/`, as make's `RUN` is; whatever has a slash
    is a folder. Raises ArgumentTypeError for a name that leaves `outputs/`.
    """
    if os.sep in text:
        return Path(text)
    if text.strip() in ("", ".", ".."):
        raise argparse.ArgumentTypeError(
            f"expected a name below {OUTPUTS}/, such as demo, or a folder, such as {OUTPUTS}/demo or ./demo; "
            f"got {text!r}"
        )
    return Path(OUTPUTS) / text


def place(text: str) -> Path | str:
    """A run's folder or name, or the URL of one on an object store."""
    return text if "://" in text else run_folder(text)


def command(target: str, run: Path | None = None, **values: object) -> str:
    """The line that runs a target: `values` by the names of make's variables, those without a value left out;
    True stands for an option without one, ARGS holds options as they are.
    """
    given = {name: value for name, value in values.items() if value not in (None, "", False)}
    name = _name(run) if run else None
    if os.environ.get(BY) == "make" and (name or not run):
        named = {"RUN": name} if name else {}
        words = (_variable(*one) for one in {**named, **given}.items())
        return " ".join(["make", target, *filter(None, words)])
    return " ".join([*_program(target, given), *_options(run, given)])


def _name(run: Path) -> str | None:
    """The run's name below `outputs/`, where it lies there."""
    full, home = Path.cwd() / run, Path.cwd() / OUTPUTS
    return full.relative_to(home).as_posix() if full != home and full.is_relative_to(home) else None


def _variable(name: str, value: object) -> str:
    said = "1" if value is True else str(value).replace("$", "$$")
    return "" if USUAL.get(name) == said else f"{name}={quote(said)}"


def _program(target: str, given: dict[str, object]) -> list[str]:
    """The first words; what they say is taken out of `given`."""
    if target == "train":
        return _training(str(given.pop("POLICY", "micro-policy")))
    if target == "merge":
        return [_ssui(), "merge", quote(str(given.pop("ADAPTER")))]
    return [_ssui(), ORDERS.get(target, target)]


def _training(policy: str) -> list[str]:
    """Training is a program of its own, and its settings are chosen by the policy."""
    micro = policy in MICRO
    settings = shipped(_package("ssui_train"), "micro.yaml" if micro else "srpo.yaml")
    model = micro_folder(policy) if micro else policy
    command = [sys.executable, "-m", "ssui_train.srpo", "--config", str(settings), "--model", str(model)]
    return [quote(word) for word in command]


def micro_folder(policy: str) -> Path:
    """Where the checkpoint of a policy that comes with us lies."""
    return _package("microworld") / "models" / policy.removeprefix("micro-")


def _package(name: str) -> Path:
    """Where a package lies, without importing it."""
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else Path(name)


def _options(run: Path | None, given: dict[str, object]) -> list[str]:
    places = {"RUN": folder_word(run)} if run else {}
    return [_option(name, value) for name, value in {**places, **given}.items()]


def folder_word(run: Path) -> str:
    """A run's folder as `run_folder` takes it for one."""
    return str(run) if os.sep in str(run) else f".{os.sep}{run}"


def _option(name: str, value: object) -> str:
    if name == "ARGS":
        return str(value)
    option = OPTIONS.get(name) or f"--{name.lower().replace('_', '-')}"
    if value is True:
        return option
    return f"{option}{'=' if str(value).startswith('-') else ' '}{quote(str(value))}"


def _ssui() -> str:
    """As this program was called, or, if another was, the one beside this Python; by its bare name where the
    shell finds that very program.
    """
    called = Path(sys.argv[0])
    if called.parts[-2:] == ("ssui_gen", "__main__.py"):
        return f"{quote(sys.executable)} -m ssui_gen"
    ours = called if called.name == "ssui" else Path(sys.executable).with_name("ssui")
    found = shutil.which("ssui")
    bare = not ours.exists() or (found and Path(found).resolve() == ours.resolve())
    return "ssui" if bare else quote(str(ours))
