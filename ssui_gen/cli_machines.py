"""`ssui doctor`, `serve`, `merge` and `completion`: options and what is printed; no logic."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

from ssui_gen.cli_options import add_models
from ssui_gen.cli_parser import tree
from ssui_gen.cli_screen import OUT, add_json, give
from ssui_gen.commands import place, run_folder

SHELLS = ("bash", "zsh", "tcsh")


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Give `ssui serve` its options."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML with the settings that differ")
    parser.add_argument("--model", metavar="NAME", help="hub name or folder")
    parser.add_argument("--adapter", metavar="FOLDER", help="a LoRA adapter to serve with it")
    parser.add_argument("--gpus", type=int, metavar="N", help="how many; default: all")
    parser.add_argument("--port", type=int, help="of the first replica; default: 8000")
    parser.add_argument(
        "--seeds", type=Path, metavar="PATH", help="the pictures it may read; default: below outputs"
    )
    parser.add_argument("flags", nargs="*", metavar="-- FLAGS", help="vLLM's own; they win over ours")
    parser.set_defaults(command=_serve)


def _serve(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.seeds import root_of
    from ssui_gen.stages.serve import serve

    told = {"adapter": args.adapter, "gpus": args.gpus, "port": args.port}
    config = configure(args.config, args.model, None, **told)
    media = root_of(args.seeds, Path("outputs")) if args.seeds else Path("outputs")
    return 0 if asyncio.run(serve(config, media, args.flags, OUT, args.seeds)) else 1


def _merge(args: argparse.Namespace) -> int:
    """In a process of its own: this package never imports torch."""
    told = [f"--{name}={value}" for name in ("output", "base") if (value := getattr(args, name))]
    return subprocess.run(
        [sys.executable, "-m", "ssui_train.merge", args.adapter, *told], check=False
    ).returncode


def add_merge(parser: argparse.ArgumentParser) -> None:
    """Give `ssui merge` its options."""
    parser.add_argument("adapter", metavar="ADAPTER", help="folder of the LoRA adapter")
    parser.add_argument("--output", metavar="FOLDER", help="default: `merged` beside it")
    parser.add_argument("--base", metavar="NAME", help="the model it was trained on; default: as it says")
    parser.set_defaults(command=_merge)


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Give `ssui doctor` its options."""
    add_models(parser)
    parser.add_argument(
        "--all", action="store_true", help="every feature that the server was asked for, by its name"
    )
    add_json(parser)
    parser.set_defaults(command=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    from ssui_gen.jobs.plan import configure
    from ssui_gen.stages.doctor import examine, is_fit, table

    findings = asyncio.run(examine(configure(args.config, args.model, args.base_url)))
    OUT.print(table(findings, every=args.all))
    give(args, {"fit": is_fit(findings), "findings": [one._asdict() for one in findings]})
    return 0 if is_fit(findings) else 1


def add_completion(parser: argparse.ArgumentParser, whole: argparse.ArgumentParser) -> None:
    """Give `ssui completion` its options; what it completes is the `whole` parser."""
    parser.add_argument("shell", choices=SHELLS, help="bash, zsh or tcsh")
    parser.set_defaults(command=lambda args: _completion(whole, args.shell))


def _completion(whole: argparse.ArgumentParser, shell: str) -> int:
    import shtab

    for parser in tree(whole):
        for action in parser._actions:
            if action.type in (Path, place, run_folder):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    sys.stdout.write(shtab.complete(whole, shell))
    return 0
