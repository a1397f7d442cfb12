"""What `ssui bench` says of visual questions: reports, and models side by side. No logic of its own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssui_gen.cli_screen import OUT, give, say

if TYPE_CHECKING:
    from ssui_gen.benching.report import Made
    from ssui_gen.benching.vqa.report import Results


def report_questions(folders: Sequence[tuple[Path, Path | None]]) -> list[Made[Results]]:
    """Write the report of each model's folder, beside another's where there is one, and say what they say."""
    from ssui_gen.benching.vqa.report import make_report
    from ssui_gen.benching.vqa.words import table

    made = [make_report(*one) for one in folders]
    for one in made:
        if before := one.report["baseline"]:
            OUT.print(table([before, one.report], [one.report["tax"]]))
        elif len(made) == 1:
            OUT.print(table([one.report], []))
    for one in made:
        _tell(one.report)
        say(f"Look at {one.html}; the figures are in {one.json}.")
    return made


def _tell(report: dict[str, Any]) -> None:
    for sentence in report["headline"]:
        say(sentence)
    if why := (report["tax"] or {}).get("why"):
        say(f"{report['model']}: {why}.")
    if report["status"] != "complete":
        n = report["n"]
        lacks = (
            f"{n['items_without_answer']:,} questions have no answer yet, {n['tried_again']:,} calls failed"
        )
        say(f"The report is incomplete: {lacks}; the same command goes on.")


def compare_questions(args: argparse.Namespace) -> int:
    """`ssui bench compare` of folders of visual questions."""
    from ssui_gen.benching.side_by_side import HTML, folders_of
    from ssui_gen.benching.vqa.report import read_results, taxed, write_compared
    from ssui_gen.benching.vqa.words import table, verdict

    first, *others = [read_results(folder) for folder in folders_of(args.folders)]
    told = [taxed(first, one) for one in others]
    page = args.output or first.path.parent / HTML
    write_compared([first, *others], told, page)
    OUT.print(table([one.figures for one in (first, *others)], told))
    for one, tax in zip(others, told, strict=True):
        say(f"{one.name} against {first.name}: {verdict(tax['all'])}")
    say(f"Look at {page}.")
    give(args, {"models": [one.name for one in (first, *others)], "taxes": told, "html": page})
    return 0
