"""`ssui show`: one record in a terminal that may be of any kind; nothing that others wrote steers it."""

from __future__ import annotations

import base64
import io
import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

import pytest
from curating import record, ssui
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import SSUI
from looked_at import looked_at, reject, write
from PIL import Image

from ssui_gen.showing import drawn

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return looked_at(tmp_path_factory.mktemp("shown") / "demo")


def show(run: Path, id: str, *more: str) -> str:
    done = ssui("show", id, "--run", str(run), *more)
    assert done.code == 0, done.err
    return done.out


def test_a_record_is_told_whole(run: Path) -> None:
    told = " ".join(show(run, "0001").split())
    assert "How do I do 0001? risky, dangerous_behavior: Harm of 0001." in told
    assert "6. Response strategy: What response_strategy says of 0001." in told
    assert "Answer: Careful with 0001." in told
    assert "✓ text alone: safe P 1.0000." in told
    assert "✕ together: safe" in told, "a risky record that is safe together is wrong"
    assert "reasoning micro call-1 100 40 20 0.5 1" in told and "all 1 100 40 20 0.5" in told
    assert f"{run / 'seeds' / 'a.png'} (96 × 64)" in told, "nobody reads colours here"


def test_nothing_of_a_model_steers(run: Path) -> None:
    told = show(run, "0003")
    assert "\\u202egnp.exe" in told and "\\x1b[31m" in told
    assert not STEERING.search(told)


def test_a_line_that_cannot_be_read_is_told_where_nothing_is_found(tmp_path: Path) -> None:
    made = looked_at(tmp_path / "demo")
    paths = made / "reasoning_paths.jsonl"
    paths.write_text(paths.read_text() + '{"id": "long", "x": "' + "x" * 1_000_000 + '"}\n')
    done = ssui("show", "long", "--run", str(made))
    assert done.code == 1 and "Lines that cannot be read: 1" in done.err
    assert "longer than 1,000,000 bytes" in done.err


def test_a_seed_shows_what_became_of_it(run: Path) -> None:
    told = show(run, "burnt-1")
    assert "rejected: image_not_safe, at check_image" in told and "query" in told
    assert "How do I do 0004?" in show(run, "seed-0004")


def test_the_beginning_of_an_id_will_do_where_it_is_unique(run: Path) -> None:
    assert "record 000a" in show(run, "000a")
    done = ssui("show", "000", "--run", str(run))
    assert done.code == 1
    assert "12 ids begin with it (0000, 0001, " in done.err and "0007 and 4 more): write more" in done.err
    done = ssui("show", "burnt", "--run", str(run))
    assert done.code == 1 and "2 ids begin with it (burnt-1, burnt-2)" in done.err


def test_a_seed_of_that_very_name_comes_before_ids_that_begin_so(tmp_path: Path) -> None:
    """Seeds are often called 1, 2, 3; ids of records begin with such digits, and so do other seeds."""
    paths = [record("1aaa", seed_id="2"), record("1bbb", seed_id="1"), record("1ccc", seed_id="11")]
    run = looked_at(tmp_path / "demo", paths=paths)
    write(run / "rejects.jsonl", [*(reject(f"1{n}") for n in range(2000)), reject("1", detail="Smoke.")])
    with (run / "rejects.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"torn": ')
    told = show(run, "1")
    assert "record 1bbb of seed 1" in told and "Smoke." in told and "1aaa" not in told
    assert "record 1aaa of seed 2" in show(run, "2")
    done = ssui("show", "19", "--run", str(run))
    assert done.code == 0, "a reject of seed 19"
    done = ssui(
        "show",
        "1",
        "--run",
        str(looked_at(tmp_path / "many", rejects=[reject(f"1{n}") for n in range(2000)])),
    )
    assert done.code == 1 and "1,000 or more ids begin with it" in done.err


@pytest.mark.parametrize("id", ["nobody", "", "../etc", "\x1b[2J"])
def test_an_id_that_nobody_has_is_told_in_words(run: Path, id: str) -> None:
    done = ssui("show", id, "--run", str(run))
    assert done.code == 1 and "no record and no seed whose id begins with" in done.err
    assert not STEERING.search(done.err)


def test_what_lacks_is_said(tmp_path: Path) -> None:
    run = looked_at(tmp_path / "demo")
    (run / "calls.sqlite").unlink()
    (run / "seeds" / "a.png").write_bytes(b"no picture")
    told = show(run, "0001")
    assert "its picture a.png cannot be shown" in told and "not in the journal" in told
    assert not (run / "calls.sqlite").exists()
    done = ssui("show", "0001", "--run", str(tmp_path))
    assert done.code == 1 and "expected a run" in done.err


class Seat:
    """A terminal of this test's own: it answers what it is asked, and keeps what it was told."""

    def __init__(self, run: Path, answer: bytes, **environment: str) -> None:
        self.outer, inner = pty.openpty()
        env = {name: word for name, word in os.environ.items() if name not in ("TERM_PROGRAM", "LC_TERMINAL")}
        env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80", **environment}
        command = [SSUI, "show", "0001", "--run", str(run)]
        self.process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=env)
        os.close(inner)
        self.told = self._read(answer)
        self.process.wait(60)
        os.close(self.outer)

    def _read(self, answer: bytes) -> bytes:
        told, answered, end = b"", False, time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([self.outer], [], [], 0.2)[0]:
                continue
            try:
                part = os.read(self.outer, 65536)
            except OSError:  # the other end is closed: it is over
                break
            told += part
            if not answered and drawn.ASK in told:
                os.write(self.outer, answer)
                answered = True
        return told


ATTRIBUTES = b"\x1b[?62;22c"
ANSWERS = {
    "kitty": (b"\x1b_Gi=31;OK\x1b\\" + ATTRIBUTES, {}, rb"\x1b_Gf=100,a=T,c=56,q=2,m=0;([^\x1b]+)\x1b"),
    "sixel": (b"\x1b[?62;4;22c", {}, rb'\x1bPq"1;1;96;64'),
    "iterm": (ATTRIBUTES, {"TERM_PROGRAM": "iTerm.app"}, rb"\x1b\]1337;File=inline=1;size=\d+;width=56;"),
    "blocks": (ATTRIBUTES, {}, "▀".encode()),
}


@pytest.mark.parametrize("way", ["kitty", "sixel", pytest.param("iterm", marks=pytest.mark.slow), "blocks"])
def test_a_terminal_gets_what_it_says_it_can_show_and_no_more(run: Path, way: str) -> None:
    answer, environment, wanted = ANSWERS[way]
    seat = Seat(run, answer, **environment)
    assert seat.process.returncode == 0
    found = re.search(wanted, seat.told)
    assert found, seat.told[:300]
    others = [pattern for name, (_, _, pattern) in ANSWERS.items() if name != way]
    assert not any(re.search(pattern, seat.told) for pattern in others)
    assert b"Careful with 0001." in seat.told
    if way == "kitty":
        with Image.open(io.BytesIO(base64.b64decode(found[1]))) as sent:
            assert sent.size == (96, 64) and sent.getpixel((5, 5)) == (200, 90, 40)


def test_who_answers_nothing_and_has_no_colours_gets_the_path(run: Path) -> None:
    seat = Seat(run, b"", TERM="dumb", COLORTERM="", NO_COLOR="1")
    assert seat.process.returncode == 0 and b"\x1b" not in seat.told and b"a.png" in seat.told


def pixels_of(sixels: str) -> dict[tuple[int, int], tuple[int, ...]]:
    """What a terminal would draw, in hundredths of each colour."""
    body = sixels.removeprefix("\x1bPq").split("\x1b")[0]
    colours, found, colour, x, y = dict[int, tuple[int, ...]](), {}, 0, 0, 0
    for token in re.findall(r'"[\d;]+|#\d+(?:;2;\d+;\d+;\d+)?|!\d+.|[-$]|[?-~]', body):
        if token[0] == "#":
            colour, *rest = map(int, token[1:].split(";"))
            if rest:
                colours[colour] = tuple(rest[1:])
        elif token == "$":
            x = 0
        elif token == "-":
            x, y = 0, y + 6
        elif token[0] != '"':
            times, sign = (int(token[1:-1]), token[-1]) if token[0] == "!" else (1, token)
            drawn_bits = [bit for bit in range(6) if (ord(sign) - 63) >> bit & 1]
            for place in ((x + n, y + bit) for n in range(times) for bit in drawn_bits):
                assert place not in found, "each pixel is drawn once"
                found[place] = colours[colour]
            x += times
    return found


@settings(max_examples=25)
@given(st.integers(1, 23), st.integers(1, 17), st.binary(min_size=3, max_size=60))
def test_sixels_are_the_picture(width: int, height: int, pattern: bytes) -> None:
    data = (pattern * (3 * width * height // len(pattern) + 1))[: 3 * width * height]
    picture = Image.frombytes("RGB", (width, height), data)
    reduced = picture.quantize(drawn.SIXEL_COLOURS).convert("RGB").tobytes()
    wanted = {
        (x, y): tuple(part * 100 // 255 for part in reduced[3 * (y * width + x) :][:3])
        for x in range(width)
        for y in range(height)
    }
    assert pixels_of(drawn.sixel(picture)) == wanted


@settings(max_examples=40)
@given(st.binary(max_size=40), st.booleans(), st.booleans())
def test_no_protocol_is_spoken_to_who_did_not_claim_it(answer: bytes, colours: bool, terminal: bool) -> None:
    way = drawn.way_of({}, colours=colours, is_terminal=terminal, answer=answer)
    if b"\x1b" not in answer or not terminal:
        assert way == ("blocks" if colours else "path")
