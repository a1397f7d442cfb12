"""Train a LoRA adapter with SRPO: `python -m ssui_train.srpo --config train/srpo.yaml [KEY=VALUE ...]`.

    python -m ssui_train.srpo --config train/srpo.yaml --run outputs/mine --model Qwen/Qwen2.5-VL-7B-Instruct
    accelerate launch --num_processes 4 -m ssui_train.srpo --config train/srpo.yaml lambda=0.5 lora.rank=16

Any setting of `config` may follow as KEY=VALUE, and wins over the file. The same command goes on where it
was killed. Exit codes: 0 done, 1 an error that is explained, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ssui_gen.commands import place
from ssui_gen.errors import SsuiError
from ssui_gen.files import claim
from ssui_gen.terminal import Terminal, forgive
from ssui_train.config import load
from ssui_train.evaluator import run_apart
from ssui_train.job import foresee, train


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    forgive()
    args = _parser().parse_args(argv)
    first = os.environ.get("RANK", "0") == "0"
    out, errors = Terminal(quiet=not first), Terminal(stderr=True, quiet=not first)
    named = {"run": args.run, "model": args.model, "output": args.output, "seeds": args.seeds}
    try:
        config = load(args.config, args.settings, **named)
        claim(config.run)
        if args.dry:
            foresee(config, out)
            return
        done = train(config, out)
        if args.evaluator and first:
            run_apart(args.evaluator, str(done.path))
    except SsuiError as error:
        errors.print("[red]train:[/red] ", end="")
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("train: interrupted; the same command goes on from the last checkpoint")
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ssui_train.srpo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="YAML file with what differs from defaults"
    )
    parser.add_argument("--run", type=place, help="the run, by name, folder or URL: paths, pairs")
    parser.add_argument("--seeds", help="where its pictures lie; default: as `ssui dataset`")
    parser.add_argument("--model", help="hub name or folder of the policy")
    parser.add_argument("--output", type=Path, help="where the adapter goes; default: adapter of the run")
    parser.add_argument("--evaluator", help="a module that measures the adapter then, where it was written")
    parser.add_argument("--dry", action="store_true", help="only count paths, pairs, tokens and steps")
    parser.add_argument("settings", nargs="*", metavar="KEY=VALUE", help="any setting, such as lambda=0.5")
    return parser


if __name__ == "__main__":
    main()
