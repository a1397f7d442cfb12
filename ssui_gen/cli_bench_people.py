"""`ssui bench label` and `ssui bench card`: people beside the judge. Options, messages, exit codes."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from ssui_gen.cli_curation import published, told
from ssui_gen.cli_options import add_folder, add_toy
from ssui_gen.cli_screen import OUT, say
from ssui_gen.commands import command
from ssui_gen.errors import ConfigError
from ssui_gen.manifest import RUN
from ssui_gen.prompts import home, load_prompts

if TYPE_CHECKING:
    from ssui_gen.config import Config
    from ssui_gen.config_trust import Labelling
    from ssui_gen.jobs.remembered import Stage


def add_people(orders: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Give `ssui bench` its orders for people."""
    label = orders.add_parser("label", help="draw responses for people to label, and take up their labels")
    label.add_argument(
        "what",
        nargs="?",
        choices=("draw", "import"),
        default="draw",
        help="draw, the default, also reads back what people said",
    )
    _add_place(label)
    label.add_argument("--as", dest="names", action="append", default=[], metavar="NAME", help="who labels")
    label.add_argument("--most", type=int, help="about so many responses, in whole scenarios; default: 300")
    label.add_argument(
        "--every", action="store_true", help="draw of every model, without pages: somebody else labels"
    )
    label.add_argument("--overlap", type=float, help="share that two people see; default: 0.3")
    label.add_argument("--seed", type=int, help="of the draw")
    label.add_argument("--config", type=Path, help="YAML file with the settings that differ")
    label.set_defaults(command=_label)
    card = orders.add_parser("card", help="how far the judge can be trusted")
    _add_place(card)
    card.add_argument("--judge", help="the model that judges: NAME, or NAME@URL")
    card.add_argument("--config", type=Path, help="YAML file with the settings that differ")
    card.add_argument("--base-url", help="the server of the models, ending in /v1")
    add_toy(card)
    card.set_defaults(command=_card)


def _add_place(parser: argparse.ArgumentParser) -> None:
    add_folder(parser)
    parser.add_argument("--bench", help="the benchmark's name or folder; default: RSBench")
    parser.add_argument("--model", help="whose responses; default: the only one's")


def _folder(args: argparse.Namespace) -> Path:
    """A model's folder. Raises ConfigError where it is not there, or which is not said."""
    from ssui_gen.benching.folders import folder_of_model

    return folder_of_model(_bench(args), args.model)


def _bench(args: argparse.Namespace) -> Path:
    from ssui_gen.benching.sources import folder_in

    return folder_in(args.run, args.bench)


def _label(args: argparse.Namespace) -> int:
    """What is drawn changes how probably each label was: they are read back in any case."""
    if args.every:
        return _draw_every(args)
    model = _folder(args)
    drawn = 0 if args.what == "import" else _draw(args, model)
    return max(drawn, _import(model))


def _draw(args: argparse.Namespace, model: Path) -> int:
    from ssui_gen.stages.bench_label import draw_labels, judges_prompt

    done = draw_labels(model, args.names, judges_prompt(), _settings(args, model))
    for line in done.draw.told:
        say(line)
    then = command("bench-label", args.run, BENCH=args.bench, MODEL=args.model)
    return published(done.published, done.folder.root, then)


def _draw_every(args: argparse.Namespace) -> int:
    from ssui_gen.benching.folders import judged_rows, models_in
    from ssui_gen.stages.bench_label import draw_rows

    for model in models_in(_bench(args)):
        for line in draw_rows(model, judged_rows(model), _settings(args, model)).told:
            say(f"{model.name}, {line}")
    return 0


def _settings(args: argparse.Namespace, model: Path) -> Labelling:
    from ssui_gen.config_trust import Labelling
    from ssui_gen.settings import parse

    said = {name: getattr(args, name) for name in ("most", "overlap", "seed")}
    known = _config(args, "label", model).labelling.model_dump()
    return parse(Labelling, known | {k: v for k, v in said.items() if v is not None}, "command line")


def _config(args: argparse.Namespace, stage: Stage, model: Path) -> Config:
    """As the model's rows remember, else the run."""
    from ssui_gen.jobs.plan import configure
    from ssui_gen.jobs.remembered import recall

    memory = recall(stage, args.run, model / RUN)
    return configure(args.config, None, getattr(args, "base_url", None), memory=memory, say=say)


def _import(model: Path) -> int:
    from ssui_gen.stages.agreement import agreement_table
    from ssui_gen.stages.bench_label import folder_at, import_labels, judges_prompt

    done = import_labels(model, judges_prompt())
    if done.file:
        say(f"{done.rows:,} labels of people in {done.file}.")
    else:
        say("Nobody has labelled anything yet.")
        return told(done.faults)
    if done.undrawn:
        say(f"{done.undrawn:,} labelled responses are in no draw: nothing is corrected by them.")
    try:
        table, words, _ = agreement_table(folder_at(model))
    except ConfigError:
        say("No response was labelled by two people, so nobody knows how far they agree.")
    else:
        OUT.print(table)
        for line in words:
            say(line)
    return told(done.faults, "the lines that have one were left out")


def _card(args: argparse.Namespace) -> int:
    from ssui_gen.benching.players import with_roles
    from ssui_gen.stages.bench_card import Plan, make_card

    prompts = load_prompts(home() / "prompts")
    model = _folder(args)
    config = with_roles(_config(args, "card", model), args.judge, None)
    made = asyncio.run(make_card(Plan(args.run, model, config, prompts, args.toy), OUT))
    if made.interrupted:
        say("Interrupted; no call that was made is lost. The same command goes on from here.")
        return 130
    say(f"The judge's card: {made.path}")
    return 0
