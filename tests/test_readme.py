"""What the README and docs/ say is so: commands, a caption for every file, figures' sources.

Where their links lead is told by `test_docs_site.py`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)
CODE = (
    "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
    + "\n"
    + "\n".join(re.findall(r"`([^`\n]+)`", TEXT))
)
CAPTIONED = ("ssui_gen", "microworld", "train", "agents", "prompts", "benchmarks", "scripts")


def test_the_first_command_stands_before_line_20() -> None:
    first = next(i for i, line in enumerate(README.splitlines(), 1) if line.startswith("make "))
    assert first < 20


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z][a-z-]*)", CODE))))
def test_every_make_target_exists_and_is_in_the_help(target: str) -> None:
    dry = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert dry.returncode == 0, dry.stderr
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"make {target} " in listed


@pytest.mark.parametrize("command", sorted(set(re.findall(r"\bssui ([a-z]+)", CODE))))
def test_every_subcommand_exists(command: str) -> None:
    run = [sys.executable, "-m", "ssui_gen", command, "--help"]
    assert subprocess.run(run, cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([a-z_.]+)", CODE))))
def test_every_module_exists(module: str) -> None:
    home = ROOT / "train" if module.startswith("ssui_train.") else ROOT
    assert (home / module.replace(".", "/")).with_suffix(".py").exists()


@pytest.mark.parametrize("folder", CAPTIONED)
def test_every_file_has_a_caption(folder: str) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [Path(line) for line in tracked.stdout.splitlines()]
    files = [
        f
        for f in files
        if f.suffix in (".py", ".yaml", ".md", ".js", ".css", ".html") and f.name != "__init__.py"
    ]
    missing = [f.as_posix() for f in files if not re.search(rf"`([\w/]+/)?{re.escape(f.name)}`", TEXT)]
    assert not missing


def test_every_file_that_has_a_caption_is_there() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    tracked, folders = listed.stdout.split(), [""]
    for line in (ROOT / "docs" / "files.md").read_text("utf-8").splitlines():
        if line.startswith("**"):
            folders = re.findall(r"`(\w[\w/]*/)`", line.partition(",")[0]) or ["benchmarks/"]
        cells = line.split(" | ")[:-1] if line.startswith("| ") else []
        for name in re.findall(r"`([\w/]+\.(?:py|yaml|js|css|html))`", "".join(cells)):
            assert any(path.startswith((*folders,)) and path.endswith(f"/{name}") for path in tracked), line


def test_the_variables_of_make_are_those_promised() -> None:
    variables = re.findall(r"^([A-Z_]+) \?=", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {"RUN", "SEEDS", "LIMIT", "MODEL", "BASE_URL", "CONFIG", "ARGS"} <= set(variables)


def test_ci_calls_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    made = " ".join(re.findall(r"^make ([^#\n]*)", script, re.MULTILINE)).split()
    tests = [word for word in made if word.startswith(("check", "test-"))]
    assert f"make {' '.join(tests)} " in README and len(tests) == 5


@pytest.mark.parametrize(
    "row", re.findall(r"^\| (.+?) \| ([\d.]+)% \| .* \| (\d+) \| .*\|$", TEXT, re.MULTILINE)
)
def test_the_figures_of_the_micro_vlm_are_those_measured(row: tuple[str, str, str]) -> None:
    name, share, n = row
    models = ROOT / "microworld" / "models"
    files = (json.loads((models / f"{file}.json").read_text("utf-8")) for file in ("figures-two", "figures"))
    two, one = (found["figures"] for found in files)
    roles = [two[role] for role in two] + [one[role] for role in ("agents", "judge", "policy")]
    figure = {name: value for role in roles for name, value in role.items()}[name]
    assert (f"{figure['share']:.1%}", figure["n"]) == (f"{share}%", int(n))
