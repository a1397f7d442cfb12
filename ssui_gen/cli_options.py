"""Options that several commands of `ssui` share, each said once; and what they have in common to say next."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssui_gen.commands import run_folder
from ssui_gen.manifest import PAIRS, pictures_of, read_manifest
from ssui_gen.records import Reason

Options = argparse._ActionsContainer
"""A parser, or a group of its options."""
DEMO = Path("outputs/demo")
RUN = "name of the run, or its folder; default: demo"


def add_folder(parser: Options, help: str = RUN) -> None:
    """Which run, and nothing of its pictures."""
    parser.add_argument("--run", type=run_folder, default=DEMO, metavar="RUN", help=help)


def add_run(parser: argparse.ArgumentParser) -> None:
    """Which run, and where its pictures lie."""
    group = parser.add_argument_group("the run")
    add_folder(group)
    group.add_argument(
        "--seeds", type=Path, metavar="PATH", help="where its pictures lie; default: as it remembers"
    )


def add_models(parser: argparse.ArgumentParser) -> None:
    """Who is asked."""
    group = parser.add_argument_group("models and servers")
    group.add_argument("--model", metavar="NAME", help="the served model that plays the agents")
    group.add_argument(
        "--base-url", metavar="URL", help="its server, ending in /v1; several separated by commas"
    )
    group.add_argument("--config", type=Path, metavar="FILE", help="YAML with the settings that differ")


def add_toy(parser: Options) -> None:
    """Whether a toy may play."""
    parser.add_argument(
        "--toy", action="store_true", help="let the embedded micro VLM look at other pictures than drawn ones"
    )


def add_job(parser: argparse.ArgumentParser) -> None:
    """What every job that makes rows is told."""
    add_models(parser)
    group = parser.add_argument_group("the job")
    add_toy(group)
    group.add_argument(
        "--mix", action="store_true", help="go on although prompts, cards or models have changed"
    )
    group.add_argument(
        "--retry",
        action="append",
        default=[],
        choices=[reason.value for reason in Reason],
        metavar="REASON",
        help="try rejects of this reason again too; those of circumstances always are",
    )


def asked(args: argparse.Namespace) -> dict[str, object]:
    """Which models were asked, and how: the next stage is to ask the same."""
    return {"MODEL": args.model, "BASE_URL": args.base_url, "CONFIG": args.config}


def policy_of(run: Path) -> str | None:
    """The model that was explored, as the one to be trained; None for the usual one."""
    last = read_manifest(run / PAIRS).last
    name = last.models.get("policy") if last else None
    return None if name == "micro-policy" else name


def elsewhere(args: argparse.Namespace) -> Path | None:
    """The seeds, where they were named to this command and the run remembers another place."""
    told: Path | None = args.seeds
    if told and pictures_of(args.run, told).resolve() != pictures_of(args.run, None).resolve():
        return told
    return None
