"""What is printed to be pasted goes through a real shell and means what was meant; RUN names a run."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from fake_server import Fake
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jobs import SSUI, here, job, plain

from ssui_gen.cli import _parser
from ssui_gen.commands import BY, MICRO, command, run_folder

ROOT = Path(__file__).parents[1]
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12).filter(
    lambda name: name.strip() == name and "/" not in name and set(name) != {"."}
)


def made(line: str) -> str:
    """The commands that make would run for a printed line, through a shell."""
    asked = line.replace("make ", "make -n -o .venv/.ready ", 1)
    return subprocess.run(["sh", "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def words_of(line: str, program: str) -> list[str]:
    """The arguments of `ssui`, as a shell would pass them."""
    words = shlex.split(next(one for one in line.splitlines() if program in one))
    return words[next(i for i, word in enumerate(words) if word.endswith(program)) + 1 :]


@settings(max_examples=12)
@given(run=NAMES, below=NAMES, seeds=NAMES)
@example(run="my night", below="it's $HOME `x`", seeds='a "b" c/d.jsonl')
@example(run="-n", below="a,b;c", seeds="$(touch x) & # %")
def test_what_make_is_told_is_what_the_program_gets(run: str, below: str, seeds: str) -> None:
    with pytest.MonkeyPatch.context() as env:
        env.setenv(BY, "make")
        line = command("pairs", Path("outputs") / run / below, SEEDS=seeds, UNCURATED=True, MODEL="a b")
    assert line.startswith("make pairs RUN=")
    args = _parser().parse_args(words_of(made(line), "bin/ssui"))
    assert args.run == Path("outputs") / run / below
    assert (str(args.seeds), args.uncurated, args.model) == (str(Path(seeds)), True, "a b")


@settings(max_examples=60)
@given(run=NAMES, seeds=NAMES)
def test_whoever_has_no_make_is_told_the_program(run: str, seeds: str) -> None:
    line = command("curation", Path("/somewhere") / run, SEEDS=f"./{seeds}")
    args = _parser().parse_args(words_of(line, "ssui"))
    assert (args.run, args.seeds) == (Path("/somewhere") / run, Path(f"./{seeds}"))


def test_a_program_that_the_shell_does_not_find_is_named_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    assert command("merge", ADAPTER="a b") == f"{shlex.quote(str(SSUI))} merge 'a b'"


def test_a_run_outside_outputs_has_no_name_for_make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(BY, "make")
    assert command("pairs", tmp_path) == f"ssui pairs --run {tmp_path}"
    assert command("merge", ADAPTER="outputs/my run/adapter") == "make merge ADAPTER='outputs/my run/adapter'"
    assert command("pairs", Path("outputs/x"), CONFIG="run.yaml") == "make pairs RUN=x"


@pytest.mark.parametrize("policy", [None, *MICRO, "Qwen/Qwen2.5-VL-7B-Instruct"])
def test_training_is_named_with_settings_and_a_model_that_are_there(policy: str | None) -> None:
    line = command("train", Path("a b"), POLICY=policy)
    words = shlex.split(line)
    told = dict(zip(words[3::2], words[4::2], strict=True))
    assert Path(told["--config"]).is_file() and run_folder(told["--run"]) == Path("a b")
    assert told["--model"] == policy if policy and "/" in policy else Path(told["--model"]).is_dir()


def test_every_line_that_a_run_prints_is_understood(fake: Fake, tmp_path: Path) -> None:
    done = job(tmp_path / "my photos", fake.url, plain(1))
    run = done.folder / "it's a run"
    said = done.here("--run", str(run)).out
    said += here(["curation", "export", "--run", str(run), "--as", "ana"]).out
    file = run / "curation/ana.jsonl"
    file.write_text(file.read_text().replace('"decision": null', '"decision": "keep"'))
    file.write_text(re.sub(r'"decision":null', '"decision":"keep"', file.read_text()))
    end = here(["curation", "apply", "--run", str(run)])
    said += end.out
    lines = re.findall(r"^(?:Next|Or|Then)[^:]*: (.*)$", said, re.MULTILINE)
    assert [line.split(" --")[0] for line in lines] == [
        "ssui curation export",
        "ssui pairs",
        "ssui curation apply",
        "ssui pairs",
    ], said + end.err
    for line in lines:
        args = _parser().parse_args(shlex.split(line)[1:])
        assert args.run == run
    assert _parser().parse_args(shlex.split(lines[1])[1:]).base_url == fake.url


@pytest.mark.parametrize("run", ["", " ", "..", ".", "/tmp", "/", "../x", "a/../../b", "a/..", "a/./b"])
def test_a_run_that_is_no_name_below_outputs_is_refused_before_anything_else(run: str) -> None:
    told = ["make", "-n", "dataset", f"RUN={run}"]
    end = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=False)
    assert end.returncode and not end.stdout
    assert re.fullmatch(r"Makefile:\d+: \*\*\* RUN: expected a name below outputs/[^\n]*\n", end.stderr)


@pytest.mark.parametrize("run", ["x..y", "...", "a b/c d", "ü"])
def test_any_other_name_is_one(run: str) -> None:
    assert words_of(made(f"make dataset RUN={shlex.quote(run)}"), "bin/ssui")[:2] == [
        "dataset",
        f"--run=outputs/{run}",
    ]


def test_a_folder_that_holds_the_program_is_no_run(fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(ROOT)
    before = {path.name for path in ROOT.iterdir()}
    for run in (ROOT, ROOT.parent, tmp_path / "link", ROOT / "outputs", ROOT / "tests" / ".."):
        end = job(tmp_path, fake.url, plain(1)).here("--run", str(run))
        assert end.code == 1 and "expected a folder of the run's own" in end.err
    assert {path.name for path in ROOT.iterdir()} == before


def test_the_truth_is_looked_for_where_the_seeds_lie_spaces_or_not() -> None:
    line = made("make calibrate RUN='a b' SEEDS='/x/my photos'")
    assert "--if-known --seeds='/x/my photos'" in line


def test_an_adapter_is_measured_where_it_was_written() -> None:
    line = made("make train RUN=demo OUT='outputs/demo/a 2'")
    assert "--output='outputs/demo/a 2' --evaluator microworld.measure_adapter" in line
    assert "outputs/demo/adapter" not in line


def test_options_go_on_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    more = "--protocol as_is --score official copsd"
    line = command("bench", Path("outputs/mine"), BENCH="siuo", ARGS=more)
    assert words_of(line, "ssui")[-5:] == more.split()
    monkeypatch.setenv(BY, "make")
    line = command("bench", Path("outputs/mine"), BENCH="siuo", ARGS=more)
    assert words_of(made(line), "ssui")[-5:] == more.split()
