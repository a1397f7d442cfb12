"""`ssui ctl`: a running job, or all shards of one, told to pause, go on or keep a pace; no logic."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ssui_gen.cli_options import DEMO
from ssui_gen.cli_screen import add_json, give, say
from ssui_gen.cli_shards import BENCH, add_stage, store_of
from ssui_gen.commands import place

if TYPE_CHECKING:
    from ssui_gen.shards.control import Working
    from ssui_gen.shards.store import Store

SHOWN = 20
"""Shards, of those at work."""


def add_ctl(parser: argparse.ArgumentParser) -> None:
    """Give `ssui ctl` its orders."""
    parser.add_argument(
        "--run",
        type=place,
        default=DEMO,
        metavar="RUN",
        help="name of the job's run, its folder, or the URL of one in shards; default: demo",
    )
    add_stage(parser)
    orders = parser.add_subparsers(dest="order", required=True, metavar="ORDER")
    orders.add_parser("pause", help="begin no call; those in flight end")
    orders.add_parser("resume", help="go on")
    add_json(orders.add_parser("status", help="how far the job is, and how it is steered"))
    pace = orders.add_parser("concurrency", help="keep so many calls in flight; of shards, each")
    pace.add_argument("places", type=_places, help="a number, or `auto`: follow the servers' load again")
    parser.set_defaults(command=_ctl)


def _places(text: str) -> int | str:
    if text == "auto" or text.isdecimal():
        return text if text == "auto" else int(text)
    raise argparse.ArgumentTypeError(f"expected a number or auto; got {text!r}")


def _ctl(args: argparse.Namespace) -> int:
    if store := _of_shards(args):
        return _tell_all(args, store)
    from ssui_gen.jobs.ctl import ask

    more = {"places": args.places} if args.order == "concurrency" else {}
    answer = ask(args.run, command=args.order, **more)
    say(answer.pop("said"))
    if args.order == "status":
        give(args, answer)
    return 0


def _of_shards(args: argparse.Namespace) -> Store | None:
    """Where the shards lie; None where one machine does the job, as its socket says, or nothing was dealt."""
    from ssui_gen.jobs.ctl import is_answered

    if isinstance(args.run, Path) and is_answered(args.run):
        return None
    from ssui_gen.shards.dealing import find_deal

    stage = BENCH if args.bench else args.stage
    store = store_of(args.run, stage, args.bench)
    wanted = isinstance(args.run, str) or stage != "dataset"
    return store if wanted or find_deal(store) else None


def _tell_all(args: argparse.Namespace, store: Store) -> int:
    from ssui_gen.shards import control
    from ssui_gen.shards.status import at_work

    found = at_work(store)
    if args.order == "status":
        return _status(args, store, found)
    if args.order == "concurrency":
        control.say(store, places=None if args.places == "auto" else args.places)
    else:
        control.say(store, paused=args.order == "pause")
    say(_said(args))
    say(f"Heard within seconds by those at work, and by whichever starts later: {found.line}")
    return 0


def _said(args: argparse.Namespace) -> str:
    if args.order == "pause":
        return "Paused: calls in flight will end, no other begins until `ssui ctl ... resume`."
    if args.order == "resume":
        return "Going on."
    if args.places == "auto":
        return "Steered by the servers' load again."
    return f"Held at {args.places} calls at once in each shard until `ssui ctl ... concurrency auto`."


def _status(args: argparse.Namespace, store: Store, found: Working) -> int:
    from ssui_gen.shards.control import heard
    from ssui_gen.shards.dealing import ranges

    word = heard(store)
    say(found.line)
    said = [*(["pause"] if word.paused else []), *([f"concurrency {word.places}"] if word.places else [])]
    say(f"said to all: {', '.join(said) or 'nothing that holds'}")
    for number, now in list(found.shards.items())[:SHOWN]:
        say(f"shard {number}, on {now.host}: {now.line}")
    if found.silent:
        say(f"begun, and ended or not heard of lately: {ranges(list(found.silent))}")
    shards = {number: now.model_dump() for number, now in found.shards.items()}
    give(args, {"paused": word.paused, "places": word.places, "shards": shards, "silent": found.silent})
    return 0
