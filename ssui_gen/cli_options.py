"""Options that several commands of `ssui` share, each said once; and what they have in common to say next."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssui_gen.manifest import PAIRS, pictures_of, read_manifest
from ssui_gen.records import Reason


def add_run(parser: argparse.ArgumentParser) -> None:
    """Which run, and where its pictures lie."""
    parser.add_argument("--run", type=Path, default=Path("outputs/demo"), help="the run's folder")
    parser.add_argument("--seeds", type=Path, help="where its pictures lie; default: as the run remembers")


def add_models(parser: argparse.ArgumentParser) -> None:
    """Who is asked."""
    parser.add_argument(
        "--config", type=Path, help="YAML file with the settings that differ from the defaults"
    )
    parser.add_argument("--model", help="name of the served model that plays the agents")
    parser.add_argument("--base-url", help="its server, ending in /v1; several separated by commas")


def add_toy(parser: argparse.ArgumentParser) -> None:
    """Whether a toy may play."""
    parser.add_argument(
        "--toy", action="store_true", help="let the embedded micro VLM look at other pictures than drawn ones"
    )


def add_job(parser: argparse.ArgumentParser) -> None:
    """What every job that makes rows is told."""
    add_models(parser)
    add_toy(parser)
    parser.add_argument(
        "--mix", action="store_true", help="go on although prompts, cards or models have changed"
    )
    parser.add_argument(
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
