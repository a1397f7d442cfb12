"""What a usable pair costs, the judge's tokens counted: adaptive exploration, and fixed k as RPO draws it.

    .venv/bin/python benchmarks/explore.py outputs/demo [-- --policy micro-drifting]

Takes the paths of a finished run of drawn scenes and explores them anew with the embedded micro VLM, each way
in a folder of its own. RPO's code draws its k = 10 in one request (arXiv 2410.10858, `inference.py`); F
judges each distinct branch in both orders. A usable pair is a cut with a good and a bad branch: one a cut.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import ROOT

from ssui_gen.shares import share

BOTH_ORDERS = {"verify": {"orders": "both"}}
WAYS: dict[str, dict[str, object]] = {
    "fixed k = 10 by n, both orders": {"explore": {"adaptive": False}, **BOTH_ORDERS},
    "fixed k = 10 by n, one order where it is sure": {"explore": {"adaptive": False}},
    "ten calls a cut, both orders": {"explore": {"adaptive": False, "most_n": 1}, **BOTH_ORDERS},
    "adaptive (default)": {},
}
DEFAULT, RPO = "adaptive (default)", "fixed k = 10 by n, both orders"
KINDS = ("risky", "benign")


def explore(run: Path, folder: Path, settings: dict[str, object], model: list[str]) -> Counter[str]:
    """Explore the paths of `run` in `folder`; what the calls took, and what came of them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reasoning_paths.jsonl").write_bytes((run / "reasoning_paths.jsonl").read_bytes())
    config = folder / "explore.yaml"
    config.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "ssui_gen", "pairs", "--run", str(folder), "--uncurated"]
    command += ["--seeds", str(run / "seeds" / "seeds.jsonl"), "--config", str(config), *model]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return _spent(folder) + found_in(folder)


def _spent(folder: Path) -> Counter[str]:
    spent: Counter[str] = Counter()
    with sqlite3.connect(folder / "calls.sqlite") as journal:
        for agent, completion in journal.execute("SELECT agent, completion FROM calls"):
            usage, who = json.loads(completion)["usage"], "policy" if agent == "policy" else "judge"
            spent[f"{who} requests"] += 1
            spent[f"{who} prompt"] += usage["prompt_tokens"]
            spent[f"{who} generated"] += usage["completion_tokens"]
    return spent


def found_in(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    paired: set[str] = set()
    for line in (folder / "branches.jsonl").open():
        cut = json.loads(line)
        kinds = {branch["judgement"]["polarity"] for branch in cut["branches"]}
        pair = {"good", "bad"} <= kinds
        found.update({"cuts": 1, "draws": cut["draws"], "pairs": pair, f"pairs {cut['kind']}": pair})
        found[f"paths {cut['kind']}"] += cut["cut"] == 0
        if pair and cut["path_id"] not in paired:
            paired.add(cut["path_id"])
            found[f"paired {cut['kind']}"] += 1
    return found


def whole(counts: Counter[str]) -> int:
    """All tokens: read and written, by policy and judge."""
    return sum(counts[f"{who} {what}"] for who in ("policy", "judge") for what in ("prompt", "generated"))


COLUMNS: dict[str, Callable[[Counter[str]], int]] = {
    "policy: read": lambda c: c["policy prompt"],
    "written": lambda c: c["policy generated"],
    "judge: read": lambda c: c["judge prompt"],
    "all tokens": whole,
    "draws": lambda c: c["draws"],
    "judge's calls": lambda c: c["judge requests"],
}


def table(got: dict[str, Counter[str]]) -> str:
    """What one usable pair takes, each way a row; and the share of paths of each kind that have one."""
    head = ["a usable pair takes", "pairs (benign)", *COLUMNS, *(f"{kind} paths with one" for kind in KINDS)]
    return "\n".join([_row(head), _row(["---", *["--:"] * (len(head) - 1)]), *_rows(got)])


def _rows(got: dict[str, Counter[str]]) -> Iterable[str]:
    for way, counts in got.items():
        cells = [f"{each(counts, column):,.0f}" for column in COLUMNS.values()]
        shares = [share(_of(counts[f"paired {kind}"], counts[f"paths {kind}"])) for kind in KINDS]
        pairs = f"{counts['pairs']} ({counts['pairs benign']}) of {counts['cuts']} cuts"
        yield _row([way, pairs, *cells, *map(str, shares)])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _of(hits: int, n: int) -> list[bool]:
    return [True] * hits + [False] * (n - hits)


def each(counts: Counter[str], what: Callable[[Counter[str]], int]) -> float:
    return what(counts) / max(counts["pairs"], 1)


def main() -> None:
    """Every way, then the table and how many times fewer tokens the adaptive way takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="what stands after -- are options of ssui pairs")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.mkdtemp()))
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args, model = parser.parse_args(sys.argv[1:at]), sys.argv[at + 1 :]
    got = {
        way: explore(args.run, args.folder / str(number), settings, model)
        for number, (way, settings) in enumerate(WAYS.items())
    }
    print(table(got))
    for way in (way for way in WAYS if way != DEFAULT):
        times = each(got[way], whole) / each(got[DEFAULT], whole)
        print(f"{DEFAULT} takes {times:.1f} times fewer tokens a pair than {way}")


if __name__ == "__main__":
    main()
