"""Responses to other evaluation tools, and logs from there: options, and what is printed; no logic.

`ssui bench import-log`, `ssui bench label-log`, and `ssui export` of responses.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ssui_gen.cli_options import add_folder
from ssui_gen.cli_screen import say


def add_elsewhere(orders: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Give `ssui bench` its orders about logs of inspect_ai."""
    bring = orders.add_parser("import-log", help="a log of inspect_ai → responses, judgements and a report")
    bring.set_defaults(command=_import)
    label = orders.add_parser("label-log", help="people's labels into a log of inspect_ai")
    label.add_argument("--model", help="whose labels; default: the only one's")
    label.add_argument("--output", type=Path, help="the new log; default: LABELLED-... beside the old one")
    label.set_defaults(command=_label)
    for order in (bring, label):
        order.add_argument("log", type=Path, metavar="LOG", help="of `inspect eval ssui_gen/rsbench`")
        add_folder(order)
        order.add_argument("--bench", help="the benchmark's name or folder; default: the run's own")


def _folder(args: argparse.Namespace) -> Path:
    from ssui_gen.benching.sources import folder_in

    return folder_in(args.run, args.bench)


def _import(args: argparse.Namespace) -> int:
    from ssui_gen.benching.report import make_report
    from ssui_gen.prompts import home, load_prompt
    from ssui_gen.stages.bench_log import import_log

    done = import_log(args.log, _folder(args), load_prompt(home() / "prompts" / "judge.md"))
    say(f"{done.responses:,} responses and {done.judgements:,} judgements in {done.folder}.")
    say(f"Of {done.checked:,} responses the verdicts were made anew from the judge's calls: the same.")
    if done.checked < done.responses:
        say(f"{done.responses - done.checked:,} were not: another rubric, or no calls in the log.")
    if done.failed:
        say(f"{done.failed:,} samples ended with an error, and gave no response.")
    made = make_report(done.folder)
    for sentence in made.report["headline"]:
        say(sentence)
    say(f"Look at {made.html}; the figures are in {made.json}.")
    return 0


def _label(args: argparse.Namespace) -> int:
    from ssui_gen.benching.folders import folder_of_model
    from ssui_gen.stages.bench_log import label_log

    to = args.output or args.log.with_name(f"LABELLED-{args.log.name}")
    file, count = label_log(args.log, folder_of_model(_folder(args), args.model), to)
    say(f"{count:,} labelled responses in {to}; the scores that were added are in {file}.")
    return 0


def export(args: argparse.Namespace) -> int:
    """`ssui export` of a model's responses."""
    from ssui_gen.benching.folders import folder_of_model
    from ssui_gen.stages.bench_export import export_responses

    done = export_responses(folder_of_model(_folder(args), args.model), args.to)
    for file in done.files:
        say(f"{file}")
    say(f"{done.rows:,} responses are in it; {done.left:,} are not: failed calls, or further draws.")
    return 0
