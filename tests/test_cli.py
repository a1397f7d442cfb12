"""The command line as people and scripts meet it: help, faults, runs by name, JSON, the Tab key."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from argparse import ArgumentTypeError
from pathlib import Path

import pytest
from fake_server import Fake
from hypothesis import example, given
from hypothesis import strategies as st
from jobs import SSUI, here, job, plain, rows
from test_commands import NAMES
from test_explore import judge, policy

from ssui_gen.cli import _parser
from ssui_gen.cli_help import EXAMPLES, GROUPS
from ssui_gen.cli_options import DEMO
from ssui_gen.cli_parser import grouped, tree
from ssui_gen.commands import folder_word, run_folder

WIDE = 80
PARSERS = {parser.prog: parser for parser in tree(_parser())}
OF_RUNS = {
    f"{prog} {action.dest}": action
    for prog, parser in PARSERS.items()
    for action in parser._actions
    if "RUN" in (action.metavar, action.dest.upper())
}


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDE))


@pytest.mark.parametrize("prog", PARSERS)
def test_every_help_fits_80_columns_and_explains_every_option(prog: str) -> None:
    assert not [line for line in PARSERS[prog].format_help().splitlines() if len(line) > WIDE]
    assert PARSERS[prog].description, "what is it for?"
    assert not [one.option_strings for one in PARSERS[prog]._actions if not one.help and one.option_strings]


def test_every_command_has_examples_that_may_be_pasted() -> None:
    assert EXAMPLES.keys() == {prog for prog in PARSERS if len(prog.split()) == 2}
    for prog, lines in EXAMPLES.items():
        assert f"\nexamples:\n  {lines[0][0]}\n" in PARSERS[prog].format_help()
        for line, _ in lines:
            words = shlex.split(line.removeprefix('eval "$(').removesuffix(')"'))
            assert words[0] == "ssui" and _parser().parse_args(words[1:]).command


def test_each_command_stands_in_a_group_and_each_group_holds_commands_that_there_are() -> None:
    (commands,) = (one.choices for one in _parser()._actions if isinstance(one.choices, dict))
    shown = grouped(commands, GROUPS)
    assert sorted(name for names in shown.values() for name in names) == sorted(commands)
    assert not {name for names in GROUPS.values() for name in names} - set(commands)
    told = _parser().format_help()
    for title, names in shown.items():
        assert re.search(rf"\n  {title}\n    {names[0]} ", told)


def test_a_command_that_nobody_grouped_is_listed_all_the_same() -> None:
    assert grouped(["dataset", "dance"], GROUPS) == {"Make a dataset": ["dataset"], "Others": ["dance"]}


# --- faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["datset"], r"ssui: .*got 'datset' \(did you mean dataset\?\)"),
        (["dataset", "--lmit", "3"], r"ssui dataset: .*--lmit 3 \(did you mean --limit\?\)"),
        (["dataset", "--lim", "3"], r"ssui dataset: unknown option or word: --lim 3"),
        (["curation", "chekc"], r"ssui curation: .*\(did you mean check\?\)"),
        (["curation", "check", "--reapir"], r"ssui curation check: .*\(did you mean --repair\?\)"),
        (["bench", "publish"], r"ssui bench publish: .*--licence"),
        (["dataset", "--limit", "three"], r"ssui dataset: argument --limit: .*'three'"),
        ([], r"ssui: .*COMMAND"),
    ],
)
def test_wrong_usage_is_told_by_the_command_it_was_said_to(words: list[str], says: str) -> None:
    end = here(words)
    assert (end.code, end.out) == (2, "")
    assert re.match(says, end.err) and len(end.err.splitlines()) == 2
    told = re.search(r"`(ssui.*) --help` lists what there is(, with examples)?\.$", end.err)
    assert told and bool(told[2]) == ("\nexamples:\n" in PARSERS[told[1]].format_help())


# --- --run -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", OF_RUNS)
def test_a_run_is_named_alike_everywhere(which: str) -> None:
    action = OF_RUNS[which]
    assert action.type is not None and callable(action.type)
    assert [action.type(name) for name in ("mine", "a/b")] == [Path("outputs/mine"), Path("a/b")]
    if action.dest == "run":
        assert action.default == Path("outputs/checks" if which.startswith("ssui verify checks") else DEMO)


def test_the_orders_that_name_other_runs_are_among_them() -> None:
    assert {"ssui dataset against", "ssui bench publish against", "ssui merge-runs to"} < OF_RUNS.keys()


@given(name=NAMES)
def test_a_name_is_below_outputs_and_what_has_a_slash_is_a_folder(name: str) -> None:
    assert run_folder(name) == run_folder(f"outputs/{name}") == Path("outputs") / name
    assert run_folder(f"./{name}") == Path(name) and run_folder(f"/{name}") == Path("/") / name


@given(run=st.lists(NAMES, min_size=1, max_size=3), root=st.sampled_from(["", "/"]))
@example(run=["demo"], root="")
def test_a_folder_that_is_printed_is_taken_for_the_same_folder(run: list[str], root: str) -> None:
    folder = Path(root, *run)
    assert run_folder(folder_word(folder)) == folder


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
def test_a_name_that_leaves_outputs_is_refused(name: str) -> None:
    with pytest.raises(ArgumentTypeError, match="expected a name below outputs/"):
        run_folder(name)
    assert here(["dataset", "--run", name]).code == 2


# --- scripts -----------------------------------------------------------------------------------------


def test_a_script_reads_one_object_on_stdout_and_people_read_stderr(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2, kind="risky"))
    end = made.here("--json")
    found = json.loads(end.out)
    assert (end.code, found["kept"], found["interrupted"]) == (0, {"risky": len(made.paths)}, False)
    assert (found["calls"], rows(Path(found["paths"]))) == (fake.calls, made.paths)
    assert "Next: " in end.err and "risky kept" in end.err
    assert "Next: " in made.here().out, "without --json words are on stdout again"

    fake.answers = {"none": policy, "judge: right": judge}
    end = here(["pairs", "--uncurated", "--run", str(made.run), "--json"])
    found = json.loads(end.out)
    assert (end.code, found["made"]) == (0, len(rows(made.run / "pairs.jsonl"))) and found["made"]
    assert Path(found["overview"]).is_file()


def test_an_error_leaves_stdout_empty_for_a_script(tmp_path: Path) -> None:
    end = here(["bench", "report", str(tmp_path), "--json"])
    assert (end.code, end.out) == (1, "") and end.err.startswith("ssui bench: ")


# --- the Tab key -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("ssui da", "dataset"), ("ssui curation che", "check"), ("ssui dataset --base", "--base-url")],
)
def test_tab_completes_commands_and_options(typed: str, offered: str, tmp_path: Path) -> None:
    script = tmp_path / "ssui.bash"
    script.write_bytes(subprocess.run([SSUI, "completion", "bash"], capture_output=True, check=True).stdout)
    words = " ".join(map(shlex.quote, typed.split()))
    last = len(typed.split()) - 1
    asked = f"COMP_WORDS=({words}); COMP_CWORD={last}; _shtab_ssui; echo ${{COMPREPLY[@]}}"
    run = ["bash", "-c", f". {shlex.quote(str(script))}; {asked}"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [offered], done.stderr
