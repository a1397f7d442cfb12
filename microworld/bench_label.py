"""Labels without people: the world answers what a draw asks of them, always rightly or now and then wrongly.

    python -m microworld.bench_label FOLDER [--if-known] [--err 0.05] [--seed 0]

FOLDER is the bench's. For each FOLDER/<model>/draw.json (`ssui bench label draw`) writes into labels.jsonl,
beside what others have said, the rows that a person would have given. Their judge is `truth`; with errors it
is `person:simulated`, so that nobody takes them for either. Shows on a laptop what labels are worth, and how
far those of people who err move a corrected rate. The truth about all rows is written too (`bench_truth`).

With --if-known nothing is labelled that models have said which speak other words than this world's: it would
not know them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from random import Random

from microworld import bench_truth
from ssui_gen.benching.asked import options_of
from ssui_gen.benching.drawn import Draw
from ssui_gen.benching.kept import DRAW, LABELS, RESPONSES, TRUTH, rows_in
from ssui_gen.benching.records import BenchJudgement, Response
from ssui_gen.errors import ConfigError, SsuiError
from ssui_gen.files import atomic_write, claim
from ssui_gen.jsonl import as_line, of_kind, read_object

ERRING = "person:simulated"


def label(folder: Path, err: float, seed: int, *, if_known: bool = False) -> dict[str, int]:
    """Write the labels of every model that has a draw; how many responses were labelled of each.

    Raises ConfigError where nothing was drawn, or `err` is no share.
    """
    if not 0 <= err <= 1:
        raise ConfigError(f"--err: expected a share from 0 to 1; got {err:g}")
    drawn = {path.parent: of_kind(Draw, read_object(path), str(path)) for path in folder.glob(f"*/{DRAW}")}
    if not drawn:
        raise ConfigError(f"{folder}: no <model>/{DRAW} in it: nothing was drawn (`ssui bench label draw`)")
    known = bench_truth.write(folder, if_known=if_known)
    return {
        model.name: _label(model, draw, err, seed)
        for model, draw in sorted(drawn.items())
        if model.name in known
    }


def _label(model: Path, draw: Draw, err: float, seed: int) -> int:
    said = list(_said(model, draw, err, seed))
    others = rows_in(model / LABELS, BenchJudgement)
    ours = (bench_truth.JUDGE, ERRING)
    rows = [*(row for row in others if row.judge not in ours), *said]
    atomic_write(model / LABELS, b"".join(map(as_line, rows)))
    return len({row.response_id for row in said})


def _said(model: Path, draw: Draw, err: float, seed: int) -> Iterator[BenchJudgement]:
    """What the world says of each response that is drawn."""
    responses = {row.id: row for row in rows_in(model / RESPONSES, Response)}
    for row in rows_in(model / TRUTH, BenchJudgement):
        if row.unscored != "not_asked" and row.response_id in draw.drawn:
            given = _erring(row, responses[row.response_id], err, seed) if err else row
            yield given.model_copy(update={"drawn": draw.drawn[row.response_id]})


def _erring(row: BenchJudgement, response: Response, err: float, seed: int) -> BenchJudgement:
    """As somebody says it who is wrong at this rate, with any of the other options."""
    rng, verdict = Random(f"err/{seed}/{row.id}"), row.verdict
    if verdict is not None and rng.random() < err:
        verdict = rng.choice([one for one in options_of(row.question, response) if one != verdict])  # type: ignore[arg-type]
    id = BenchJudgement.id_of(row.response_id, row.question, ERRING)
    return row.model_copy(update={"id": id, "judge": ERRING, "verdict": verdict})


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.bench_label", description=__doc__)
    parser.add_argument("folder", type=Path, help="of the bench, for example outputs/demo/bench")
    parser.add_argument(
        "--if-known", action="store_true", help="only of models that speak this world's words"
    )
    parser.add_argument("--err", type=float, default=0.0, help="share of wrong answers; default: 0")
    parser.add_argument("--seed", type=int, default=0, help="of the errors")
    args = parser.parse_args()
    claim(args.folder.parent)
    try:
        counts = label(args.folder, args.err, args.seed, if_known=args.if_known)
    except SsuiError as error:
        parser.error(str(error))
    by = "a world that errs" if args.err else "the world's truth"
    told = ", ".join(f"{count:,} responses of {model}" for model, count in counts.items())
    print(f"Labels by {by}, no people: {told or 'none, as no model speaks its words'}.")


if __name__ == "__main__":
    main()
