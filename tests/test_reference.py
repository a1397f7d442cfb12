"""The references of docs/ say what the code says; `make reference` writes them anew."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ssui_gen.config import Config
from ssui_gen.settings import Settings

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "scripts"))
import reference  # noqa: E402


def test_the_references_are_what_the_command_makes_of_the_code(tmp_path: Path) -> None:
    for folder in ("scripts", "docs"):
        (tmp_path / folder).mkdir()
    script = shutil.copy(reference.__file__, tmp_path / "scripts")
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'train'}"}
    subprocess.run([sys.executable, script], cwd=tmp_path, env=env, check=True)
    made = sorted((tmp_path / "docs").iterdir())
    assert [page.name for page in made] == ["cli.md", "settings.md"]
    for page in made:
        there = (ROOT / "docs" / page.name).read_text("utf-8")
        assert there == page.read_text("utf-8"), "run `make reference`, and read the diff"


class Inner(Settings):
    """Of another."""

    depth: float = 0.5


class Outer(Settings):
    """What a table
    is made of."""

    kind: Literal["a", "b"] | None = None
    """One | or
    the other."""
    many: Annotated[tuple[int, ...], Field(min_length=1)] = (1, 2)
    size: Annotated[int, Field(ge=1, lt=9)]
    by_name: dict[str, Inner] = Field(default_factory=dict)
    inner: Inner = Inner()


def test_a_setting_is_told_with_its_type_bounds_default_and_words() -> None:
    told = "\n".join(reference._tables(Outer, ""))
    for row in (
        "What a table is made of.",
        "| `kind` | `a`, `b` or null | – | One \\| or the other. |",
        "| `many` | list of whole number | `[1, 2]` |  |",
        "| `size` | whole number ≥ 1, < 9 | needed |  |",
        "### `inner`",
        "### `by_name.NAME`",
        "| `depth` | number | `0.5` |  |",
    ):
        assert row in told
    assert "`by_name` |" not in told and "`inner` |" not in told


def test_every_group_of_a_runs_settings_is_there() -> None:
    told = reference.settings()
    for name, field in Config.model_fields.items():
        assert f"| `{name}` |" in told or f"### `{name}" in told, field
