"""Reports and curation read rows of any number: of each only numbers, ids and places are held.

By hand, for larger numbers: `benchmarks/streaming.py`.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from benching import item, picture
from curating import PICTURE, record
from reported import put, response, truth_of, verdict

from ssui_gen.benching.bench import write_bench
from ssui_gen.benching.report import read_results, report_of
from ssui_gen.branching import render_path
from ssui_gen.records import KINDS, STEP_NAMES, Step
from ssui_gen.stages.curation import apply, export

PATH = render_path(tuple(Step(name=name, text=f"Words of {name}. " * 9) for name in STEP_NAMES), "An answer.")
ROWS_EACH = 16
"""Responses and judgements of a scenario."""


def most_of_more(work: Callable[[int], Callable[[], object]], few: int, many: int) -> float:
    """Bytes held at most for each of so many more; what is made once is not counted."""

    def most(count: int) -> int:
        done = work(count)
        gc.collect()
        tracemalloc.start()
        done()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    work(few)()
    return (most(many) - most(few)) / (many - few)


def test_a_report_holds_numbers_and_no_row(tmp_path: Path) -> None:
    """A row as an object takes two thousand bytes and more."""

    def bench(scenarios: int) -> Callable[[], object]:
        folder = tmp_path / str(scenarios)
        shown = picture(folder / "pictures", "a.png", (1, 2, 3))
        items = [item(f"{kind} {n}?", f"s{n}", shown, kind=kind) for n in range(scenarios) for kind in KINDS]
        write_bench(folder, "invented", folder / "pictures", items)
        said = [(response(one, PATH), truth_of("right", one.kind)) for one in items]
        put(folder / "model" / "responses.jsonl", (row for row, _ in said))
        verdicts = (verdict(row, name, true) for row, of in said for name, true in of.items())
        put(folder / "model" / "judgements.jsonl", verdicts)

        def done() -> None:
            results = read_results(folder / "model")
            tracemalloc.reset_peak()  # a picture is read into more bytes than all rows here take
            report_of(results)

        return done

    assert most_of_more(bench, 10, 70) < ROWS_EACH * 800


def test_curation_holds_places_and_no_path(tmp_path: Path) -> None:
    """As an object a path takes ten thousand bytes, and it is an item, words of a page and a line besides."""

    def run(paths: int) -> Callable[[], object]:
        folder = tmp_path / str(paths)
        folder.mkdir(exist_ok=True)
        (folder / "a.png").write_bytes(PICTURE)
        put(folder / "reasoning_paths.jsonl", (record(f"{number:04}") for number in range(paths)))

        def done() -> None:
            export(folder, ["ana"], folder)
            mine = folder / "curation" / "ana.jsonl"
            mine.write_text(mine.read_text().replace('"decision":null', '"decision":"keep"'))
            export(folder, ["ana"], folder)
            assert apply(folder).states == {"kept": paths}

        return done

    assert most_of_more(run, 10, 70) < 9_000
