"""Write the references of docs/ anew: the command line's from its parser, the settings' from their code.

    python scripts/reference.py

A test holds both pages equal to what this makes, so nothing of them is edited by hand.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from ssui_gen.cli import _parser
from ssui_gen.cli_help import GROUPS
from ssui_gen.cli_parser import grouped, tree
from ssui_gen.config import Card, Config
from ssui_gen.settings import OneOf, Settings
from ssui_train.config import SrpoConfig

DOCS = Path(__file__).resolve().parent.parent / "docs"
COLUMNS = "80"
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
NAMES = {"str": "text", "float": "number", "int": "whole number", "bool": "true or false", "Path": "path"}
NAMES["Any"] = "anything"
ABOUT_CLI = """\
# The command line

Written by `make reference` from the parser itself: what `ssui COMMAND --help` prints. `make` alone lists
the same stages as targets, where `RUN=mine` is `--run mine`. `--run` takes a run's name (below `outputs/`)
or its folder: whatever has a slash is a folder, so `./demo` is one beside you. With `--json` stdout holds
JSON and nothing else, and all words go to stderr. Exit codes: 0 done, 1 an error that is explained in one
line, 2 wrong usage, 3 stopped by a limit (the line that goes on is printed), 130 interrupted (the same
command goes on); of a shard also 75 ([scale.md](scale.md)). `eval "$(ssui completion bash)"` in `~/.bashrc`
completes commands and options at the Tab key; zsh and tcsh are there too.
"""
ABOUT_SETTINGS = """\
# Every setting

Written by `make reference` from the code. A file names only what differs from the defaults below; an
unknown key is refused, and the known ones are listed. `run.yaml` (`--config`, `CONFIG=`) holds a run's
settings, `train/srpo.yaml` (`SRPO=`) a training's, a file of `agents/` an agent's. Where a default is –,
the description says what is done.
"""


def main() -> None:
    for name, text in (("cli.md", command_line()), ("settings.md", settings())):
        (DOCS / name).write_text(text, "utf-8")


# --- the command line --------------------------------------------------------------------------------


def command_line() -> str:
    """Every command's help, as wide as a page is in a terminal."""
    os.environ["COLUMNS"] = COLUMNS
    parser = _parser()
    (known,) = (action.choices for action in parser._actions if isinstance(action.choices, dict))
    parts = [ABOUT_CLI]
    for title, names in grouped(known, GROUPS).items():
        parts.append(f"## {title}\n")
        parts += [_help(one) for name in names for one in tree(known[name])]
    return "\n".join(parts)


def _help(parser: argparse.ArgumentParser) -> str:
    return f"### `{parser.prog}`\n\n```text\n{parser.format_help().rstrip()}\n```\n"


# --- settings ----------------------------------------------------------------------------------------


def settings() -> str:
    """A table for each group of settings, the groups in the order in which they are named."""
    parts = [ABOUT_SETTINGS]
    for title, kind in (("A run", Config), ("A training", SrpoConfig), ("An agent's card", Card)):
        parts += [f"## {title}\n", *_tables(kind, "")]
    return "\n".join(parts)


def _tables(kind: type[Settings], at: str, said: str = "") -> Iterator[str]:
    if at:
        yield f"### `{at}`\n"
    yield _plain(f"{inspect.getdoc(kind) or ''} {said}") + "\n"
    told, inner = docstrings(kind), list(_inside(kind))
    elsewhere = {name.removesuffix(".NAME") for name, _ in inner}
    own = [(name, field) for name, field in kind.model_fields.items() if name not in elsewhere]
    if own:
        yield "| key | what it may be | default | what it is |\n|---|---|---|---|"
        yield "\n".join(_row(name, field, told.get(name, "")) for name, field in own) + "\n"
    for name, other in inner:
        said = told.get(name.removesuffix(".NAME"), "")
        yield from _tables(other, f"{at}.{name}" if at else name, said)


def _inside(kind: type[Settings]) -> Iterator[tuple[str, type[Settings]]]:
    """Fields that are settings of their own, or that map names to such."""
    for name, field in kind.model_fields.items():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, Settings):
                yield (f"{name}.NAME" if part is not field.annotation else name), part


def docstrings(kind: type[Settings]) -> dict[str, str]:
    """What the code says below each field, those of bases included."""
    found: dict[str, str] = {}
    for base in reversed([one for one in kind.__mro__ if issubclass(one, Settings)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, said in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(said, ast.Expr):
                found[ast.unparse(field.target)] = ast.literal_eval(said.value)
    return found


def _row(name: str, field: FieldInfo, said: str) -> str:
    cells = (
        f"`{field.alias or name}`",
        _kind(field.annotation, field.metadata),
        _default(field),
        _plain(said),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _plain(said: str) -> str:
    return re.sub(r"\s+", " ", said).strip()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value in (None, ""):
        return "–"
    if isinstance(value, Settings):
        return "as below"
    return f"`{_said(value)}`"


def _said(value: Any) -> str:
    """A value as YAML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_said, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_said(one)}" for key, one in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(kind: Any, metadata: Any = ()) -> str:
    """A type in words, with its bounds."""
    for one in _flat(metadata):
        if isinstance(one, OneOf):
            return _named(Literal[one.names])
    bounds = ", ".join(
        f"{sign} {_said(getattr(one, name))}"
        for one in _flat(metadata)
        for name, sign in BOUNDS.items()
        if hasattr(one, name)
    )
    return f"{_named(kind)} {bounds}".rstrip()


def _flat(metadata: Any) -> Iterator[Any]:
    for one in metadata:
        yield from _flat(one.metadata) if isinstance(one, FieldInfo) else (one,)


def _named(kind: Any) -> str:
    arguments, origin = get_args(kind), get_origin(kind)
    if hasattr(kind, "__metadata__"):
        return _kind(arguments[0], kind.__metadata__)
    if origin is Literal:
        return ", ".join(f"`{_said(one)}`" for one in arguments)
    if origin in (Union, UnionType):
        return " or ".join("null" if one is NoneType else _named(one) for one in arguments)
    if origin in (tuple, list, set, frozenset):
        return f"list of {_named(arguments[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"mapping of {_named(arguments[0])} to {_named(arguments[1])}"
    name = getattr(kind, "__name__", str(kind))
    return NAMES.get(name, name)


if __name__ == "__main__":
    main()
