"""What `make bench` does without BENCH, in its order: draws, runs, labels by the world, reports again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benching import FAILS, PASSES, asked_in, letter, unless_probed
from fake_answers import prompt_text
from fake_server import Fake, serve
from jobs import Ended, here
from test_makefile import commands

from microworld import bench
from ssui_gen.benching.bench import ITEMS
from ssui_gen.benching.drawn import begun
from ssui_gen.benching.records import Item
from ssui_gen.branching import render_path

SCENARIOS, PLAIN, NAME = 6, 2, "micro-policy"
Says = Callable[[dict[str, Any]], str]


def players(items: list[Item]) -> dict[str, Any]:
    """A model that says of each text what is right of the first item that asks so, whatever the picture; a
    judge that calls every third text's responses wrong.
    """
    references = {item.text: item.reference for item in reversed(items)}
    texts = list(dict.fromkeys(item.text for item in items))

    def asked(body: dict[str, Any]) -> str:
        user = prompt_text(body, "user")
        return max((text for text in texts if text in user), key=len)

    @unless_probed
    def model(body: dict[str, Any]) -> str:
        found = references[asked(body)]
        return render_path(found.steps, found.answer) if found else "I do not know."

    def judge(body: dict[str, Any]) -> str:
        verdicts = FAILS if texts.index(asked(body)) % 3 == 0 else PASSES
        return letter(prompt_text(body, "user"), verdicts[asked_in(body)])

    return {"none": model, "judge": judge}


def world(module: str, *words: str) -> Ended:
    """A command of the microworld, in a process of its own."""
    told = [sys.executable, "-m", f"microworld.{module}", *words]
    done = subprocess.run(told, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def chain(run: Path, fake: Fake) -> list[Ended]:
    """As the Makefile has it, of a smaller bench."""
    folder = str(run / "bench")
    return [
        world("bench", folder, "--scenarios", str(SCENARIOS), "--plain", str(PLAIN)),
        here(["bench", "run", "--run", str(run), "--base-url", fake.url, "--model", NAME]),
        here(["bench", "label", "draw", "--every", "--run", str(run)]),
        world("bench_label", folder, "--if-known"),
        here(["bench", "report", folder]),
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    bench.write(tmp_path / "run" / "bench", SCENARIOS, plain=PLAIN)
    return tmp_path / "run"


@pytest.mark.slow
def test_the_chain_ends_with_corrected_figures_beside_the_truth_and_resumes(run: Path) -> None:
    lines = (run / "bench" / ITEMS).read_text().splitlines()
    with serve(answers=players([Item.model_validate_json(line) for line in lines]), models=(NAME,)) as fake:
        done = chain(run, fake)
        assert {one.code for one in done} == {0}, done
        reported = done[-1]
        assert (
            reported.out.rstrip().splitlines()[-1].startswith(f"Look at {run / 'bench' / NAME}/report.html")
        )
        assert "Labels by the world's truth, no people, of 6 of 6 risky responses" in reported.out
        written = (run / "bench" / NAME / "report.json").read_bytes()
        calls = fake.calls
        assert {done.code for done in chain(run, fake)} == {0}
        assert (run / "bench" / NAME / "report.json").read_bytes() == written
        assert fake.counts["none"] == 3 * SCENARIOS + PLAIN
        assert fake.calls - calls <= 4, "nothing but what the server can do is asked again"
    found = json.loads(written)
    assert found["n"]["labelled_by"] == ["truth"]
    assert (found["n"]["items"], found["n"]["scenarios"], found["n"]["plain"]) == (18, SCENARIOS, PLAIN)
    both = found["both_right"]
    assert (both["hits"], both["n"], both["truth"]) == (2, SCENARIOS, {"value": 0.0, "n": SCENARIOS})
    assert (both["corrected"]["value"], both["corrected"]["labels"]) == (0.0, SCENARIOS)
    risky = found["corrected"]["good"]["risky"]
    assert (risky["value"], found["truth"]["good"]["risky"]["value"]) == (1.0, 1.0)
    page = (run / "bench" / NAME / "report.html").read_text("utf-8")
    assert "Here they are the world's truth, and no people's" in page


def test_a_bench_without_reports_says_what_to_do_first(run: Path) -> None:
    done = here(["bench", "report", str(run / "bench")])
    assert (done.code, "nothing was reported yet (`ssui bench run`)" in done.err) == (1, True)


STEPS = ("microworld.bench ", "bench run", "label draw --every", "microworld.bench_label", "bench report")


def test_make_labels_only_where_the_world_knows() -> None:
    own, others = commands("bench", "RUN=x"), commands("bench", "RUN=x", "BENCH=siuo", "DATA=d")
    places = [own.index(word) for word in STEPS]
    assert places == sorted(places) and "--if-known" in own
    assert not [word for word in STEPS if word in others and word != "bench run"]


def test_the_world_says_what_it_labelled(run: Path) -> None:
    (run / "bench" / "some-vlm").mkdir()
    (run / "bench" / "some-vlm" / "responses.jsonl").write_text("")
    (run / "bench" / "some-vlm" / "draw.json").write_text(begun(0).model_dump_json())
    said = "Labels by the world's truth, no people: none, as no model speaks its words.\n"
    assert world("bench_label", str(run / "bench"), "--if-known") == (0, said, "")
