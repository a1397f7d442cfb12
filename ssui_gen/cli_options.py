"""Options that several commands of `ssui` share, each said once; and what they have in common to say next."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssui_gen.cli_screen import say
from ssui_gen.commands import command, run_folder
from ssui_gen.manifest import drawn_with, pictures_of
from ssui_gen.records import Reason

if TYPE_CHECKING:  # the command's help needs none of what a job needs
    from ssui_gen.jobs.plan import Plan
    from ssui_gen.jobs.spending import Reached

Options = argparse._ActionsContainer
"""A parser, or a group of its options."""
DEMO = Path("outputs/demo")
RUN = "name of the run, or its folder; default: demo"
LIMITED = 3
"""Exit code of a job that a limit stopped."""


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


def add_language(parser: Options) -> None:
    """Of what is given away."""
    parser.add_argument(
        "--language",
        type=_tag,
        default="en",
        metavar="TAG",
        help="of the texts, as BCP 47 has it; default: en",
    )


def _tag(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", text):
        raise argparse.ArgumentTypeError(f"expected a tag such as en or pt-BR; got {text!r}")
    return text


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
    group.add_argument(
        "--dry",
        action="store_true",
        help="only say what is there and what it would take, from five that are really run",
    )
    _add_limits(parser.add_argument_group("limits"))


def _add_limits(group: Options) -> None:
    """What it may take; at a limit a run stops as at Ctrl-C."""
    group.add_argument(
        "--most-tokens", type=int, metavar="N", help="stop before the run has taken more tokens than that"
    )
    group.add_argument("--most-usd", type=float, metavar="X", help="stop before it has cost more US dollars")
    group.add_argument("--most-hours", type=float, metavar="X", help="begin nothing new after so many hours")
    group.add_argument(
        "--prices", type=_prices, metavar="IN,OUT", help="of the agents' model, US dollars a million tokens"
    )


def _prices(text: str) -> dict[str, float]:
    """Raises ArgumentTypeError for anything but two numbers; what they may be, the settings say."""
    try:
        prompt, completion = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected IN,OUT, such as 2.5,10; got {text!r}") from None
    return {"prompt": prompt, "completion": completion}


def spending(args: argparse.Namespace) -> dict[str, Any]:
    """What the command line says of limits and prices."""
    told = {"tokens": args.most_tokens, "usd": args.most_usd, "hours": args.most_hours}
    return {**told, "prices": args.prices}


def plan_in(
    run: Path,
    args: argparse.Namespace,
    *,
    seeds: Path | None = None,
    limit: int | None = None,
    sample: int | None = None,
    say: Callable[[str], None] = say,
) -> Plan:
    """The job that `add_job` told of, in the folder `run`; `say` hears what is remembered there. Raises as
    `resolve` does.
    """
    from ssui_gen.jobs.plan import resolve

    return resolve(
        run=run,
        seeds=seeds,
        limit=limit,
        sample=sample,
        mix=args.mix,
        config_file=args.config,
        model=args.model,
        base_url=args.base_url,
        toy=args.toy,
        retry=args.retry,
        spending=spending(args),
        say=say,
    )


def drawn_from(args: argparse.Namespace) -> dict[str, object]:
    """Which of all were chosen."""
    return {"LIMIT": args.limit, "SAMPLE": getattr(args, "sample", None)}


def again(
    target: str,
    args: argparse.Namespace,
    values: dict[str, object],
    options: str = "",
    reached: Reached | None = None,
) -> str:
    """The line that does a job as it was told to; of a limit that was reached, with more."""
    return command(target, args.run, **values, ARGS=f"{job_options(args, reached)} {options}".strip())


def job_options(args: argparse.Namespace, reached: Reached | None = None) -> str:
    """The options of `add_job`, beside the models, as they were said."""
    most = {name: value for name, value in spending(args).items() if value is not None and name != "prices"}
    most |= {reached.name: reached.more} if reached else {}
    words = [f"--most-{name} {value}" for name, value in most.items()]
    if args.prices:
        words.append("--prices {prompt},{completion}".format(**args.prices))
    words += [option for option, said in (("--mix", args.mix), ("--toy", args.toy)) if said]
    return " ".join([*words, *(f"--retry {reason}" for reason in args.retry)])


def limited(
    limit: Reached | None,
    target: str,
    args: argparse.Namespace,
    values: dict[str, object],
    say: Callable[[str], None],
    options: str = "",
) -> int:
    """Say how a run that was stopped goes on; the exit code."""
    if not limit:
        say("Interrupted; all that was finished is written. The same command goes on from here.")
        return 130
    line = again(target, args, values, options, limit)
    say(f"{limit}: all that was finished is written. To go on with more: {line}")
    return LIMITED


def asked(args: argparse.Namespace) -> dict[str, object]:
    """Which models were asked, and how: the next stage is to ask the same."""
    return {"MODEL": args.model, "BASE_URL": args.base_url, "CONFIG": args.config}


def policy_of(run: Path) -> str | None:
    """The model that was explored, as the one to be trained; None for the usual one."""
    last = drawn_with(run).last
    name = last.models.get("policy") if last else None
    return None if name == "micro-policy" else name


def elsewhere(args: argparse.Namespace) -> Path | None:
    """The seeds, where they were named to this command and the run remembers another place."""
    told: Path | None = args.seeds
    if told and pictures_of(args.run, told).resolve() != pictures_of(args.run, None).resolve():
        return told
    return None
