"""What every command of `ssui` is parsed by: argparse, made strict, with help that fits 80 columns.

A command is registered as argparse has it (`add_parser`, `add_argument`); what is special comes by itself:
its examples, options by their full names only, and a fault told by the command it was said to, with the
nearest word there is. typer and cyclopts were weighed and not taken: typer's imports alone take 0.14 s of CPU
beside the 0.33 s of all of ours, an option of several words (`--by judge guard`) is not typer's, and every
registration would be written anew for help and completion, which these lines and shtab give too.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from ssui_gen.cli_help import EXAMPLES, GROUPS

NARROWEST, WIDEST = 40, 100
"""Columns of help; within them it is as wide as the terminal."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Usage in one line, commands in groups."""

    def __init__(self, prog: str) -> None:
        columns = min(max(shutil.get_terminal_size().columns - 1, NARROWEST), WIDEST)
        super().__init__(prog, max_help_position=26, width=columns)

    def _format_usage(self, usage: Any, actions: Any, groups: Any, prefix: Any) -> str:
        needed = [one for one in actions if one.required or not one.option_strings]
        text = super()._format_usage(usage, needed, [], prefix)
        return text.replace(self._prog, f"{self._prog} [OPTIONS]", 1)

    def _format_action(self, action: argparse.Action) -> str:
        if not isinstance(action, Commands):
            return super()._format_action(action)
        known = {one.dest: one for one in action._get_subactions()}
        parts: list[str] = []
        for title, names in grouped(known, GROUPS if self._prog == "ssui" else {}).items():
            self._indent()
            lines = "".join(super(Help, self)._format_action(known[name]) for name in names)
            self._dedent()
            parts.append(f"\n  {title}\n{lines}" if title else lines)
        return "".join(parts)


class Commands(argparse._SubParsersAction):  # type: ignore[type-arg]
    """The commands of a parser, each with what it says of itself as its description, and its examples."""

    def add_parser(self, name: str, **more: Any) -> Any:
        said = more.get("help", "")
        more.setdefault("description", said[:1].upper() + said[1:] + "." if said else None)
        more.setdefault("epilog", examples(f"{self._prog_prefix} {name}"))
        return super().add_parser(name, **more)


class Parser(argparse.ArgumentParser):
    """A command's parser; those of its own commands are of the same kind."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{"formatter_class": Help, "allow_abbrev": False, **more})
        self._positionals.title = "arguments"

    def add_subparsers(self, **more: Any) -> Any:
        return super().add_subparsers(**{"action": Commands, "title": "commands", "prog": self.prog, **more})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Words that nobody knows are told by the command that they were said to."""
        known, rest = super().parse_known_args(args, namespace)
        if rest:
            near = nearest(rest[0].partition("=")[0], self._option_string_actions)
            self.error(f"unknown option or word: {' '.join(rest)}{near}")
        return known, rest

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """A word that is no path goes into files and to servers: bytes that are no text are refused."""
        value = super()._get_value(action, arg_string)
        own = isinstance(value, str) and not isinstance(action, argparse._SubParsersAction)
        if own and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise argparse.ArgumentError(action, f"expected text in UTF-8; got {value!a}")
        return value

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = list(map(str, action.choices))
            told = f"expected one of {', '.join(known)}; got {value!r}{nearest(str(value), known)}"
            raise argparse.ArgumentError(action, told)

    def error(self, message: str) -> NoReturn:
        shown = ", with examples" if self.epilog else ""
        self.exit(2, f"{self.prog}: {message}\n`{self.prog} --help` lists what there is{shown}.\n")


def nearest(word: str, known: Iterable[str]) -> str:
    """A question that names the known word most like `word`; empty where none is like it."""
    found = get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def grouped(names: Iterable[str], groups: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Names by the group that they stand in, empty groups left out; those in none stand under `Others`."""
    left = list(names)
    found = {title: [name for name in members if name in left] for title, members in groups.items()}
    others = [name for name in left if not any(name in members for members in found.values())]
    return {title: members for title, members in found.items() if members} | (
        {"Others" if groups else "": others} if others else {}
    )


def examples(prog: str) -> str | None:
    """The examples of a command, as its help ends with them."""
    lines = [f"  {line}\n      {why}" for line, why in EXAMPLES.get(prog, ())]
    return "\n".join(["examples:", *lines]) if lines else None


def tree(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and those of all its commands, as they were registered."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from tree(command)
