"""What others wrote is seen on the terminal, never obeyed."""

from __future__ import annotations

import io

import pytest
from rich.table import Table

from ssui_gen.terminal import Terminal

TITLE = "\x1b]0;pwned\x07"


def printed(*what: object, **how: object) -> str:
    out = io.StringIO()
    Terminal(file=out, width=80, **how).print(*what, markup=False, highlight=False)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(
    "steering", [TITLE, "\x1b[2J", "\x9b31m", "\x9d0;x\x9c", "\u202egnp.exe", "\x7f", "\ud800"]
)
@pytest.mark.parametrize("colours", [False, True])
def test_nothing_steers(steering: str, colours: bool) -> None:
    table = Table("name")
    table.add_row(f"a{steering}b")
    for shown in (printed(f"a{steering}b"), printed(table, force_terminal=False)):
        assert not any(sign in shown for sign in "\x1b\x07\x9b\x9d\x7f\u202e\ud800")


def test_colours_of_ours_stay_and_words_of_others_are_plain() -> None:
    out = io.StringIO()
    Terminal(file=out, force_terminal=True, color_system="standard").print(f"[red]ssui[/red] {TITLE}")
    assert out.getvalue().startswith("\x1b[31mssui\x1b[0m ")
    assert "\x1b]" not in out.getvalue()


@pytest.mark.parametrize("text", ["नमस्ते दुनिया", "👩\u200d🔬 माँ", "a\tb", "two\nlines", "Größe – „so“"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printed(text).replace("        ", "\t").split() == text.split()
