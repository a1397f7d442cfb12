"""How many records of a run are right by the truth about its drawn scenes, and which are wrong, and where.

    python -m microworld.measure_records outputs/demo [--seeds FOLDER]

A record is looked at where its text is a wording that the world knows, its picture a scene of the seeds, and
the world decides what follows of both; the others are counted. Its kind is right if the world says so of
picture and text together; its scenario, which F's judge is told, if class and harm are those that fire; its
answer if it knows the risk and helps, or of a harmless pair just helps; its steps by `truth.steps`. Records
of one family of scenes are alike: intervals take a family as a cluster.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.table import Table

from microworld.corpus.judge import place
from microworld.plant import Case, cases
from microworld.truth.score import says
from microworld.truth.steps import ANSWER, wrong_places
from microworld.world.entities import Rule
from microworld.world.scene import family_of
from ssui_gen.errors import SsuiError
from ssui_gen.jsonl import read
from ssui_gen.records import Query, ReasoningPath
from ssui_gen.run_files import PATHS
from ssui_gen.shares import Share, share
from ssui_gen.taxonomy import NO_RISK
from ssui_gen.terminal import Terminal, forgive


class Found(NamedTuple):
    """A record, whether its kind and its scenario are right, and where else it is wrong."""

    path: ReasoningPath
    kind: bool
    scenario: bool
    wrong: tuple[int, ...]

    @property
    def answer(self) -> bool:
        return ANSWER not in self.wrong

    @property
    def steps(self) -> bool:
        return not set(self.wrong) - {ANSWER}

    @property
    def all(self) -> bool:
        return self.kind and self.scenario and not self.wrong

    @property
    def places(self) -> list[str]:
        """Where it is wrong, in words."""
        heads = [name for name in ("kind", "scenario") if not getattr(self, name)]
        return heads + [place(number) for number in self.wrong]


def found_in(known: Iterable[Case]) -> list[Found]:
    """What the truth says of each record."""
    return [
        Found(
            case.path,
            (case.path.kind == "risky") == (case.truth.rule is not None),
            scenario_fits(case.path.query, case.truth.rule),
            wrong_places(case.path.steps, case.path.answer, case.truth),
        )
        for case in known
    ]


def scenario_fits(query: Query, rule: Rule | None) -> bool:
    """Whether a record names the class and the harm that fire; of a harmless one that no class does."""
    if rule is None:
        return query.category == NO_RISK
    return query.category == rule.category and says(query.scenario, rule.harm)


def shares(found: Iterable[Found]) -> dict[str, Share]:
    """Every figure; by kind, as a harmless record has less to get wrong."""
    rows = list(found)
    parts = {"": rows} | {
        f", {kind}": [r for r in rows if r.path.kind == kind] for kind in ("risky", "benign")
    }
    figures: dict[str, Share] = {}
    for name, part in parts.items():
        families = [family_of(row.path.seed_id) for row in part]
        figures[f"kind right{name}"] = share((row.kind for row in part), families)
        figures[f"scenario right{name}"] = share((row.scenario for row in part), families)
        figures[f"answer right{name}"] = share((row.answer for row in part), families)
        figures[f"every step right{name}"] = share((row.steps for row in part), families)
        figures[f"all right{name}"] = share((row.all for row in part), families)
    return figures


def as_table(figures: dict[str, Share]) -> Table:
    """For people."""
    table = Table("records, by the truth", "right", "share", "95 % interval", box=SIMPLE_HEAD)
    for name, one in figures.items():
        low, high = one.interval
        table.add_row(name, f"{one.hits} of {one.n}", f"{one.value:.1%}", f"{low:.1%} – {high:.1%}")
    return table


def as_lines(found: Iterable[Found]) -> Iterable[str]:
    """The wrong ones: id, kind, seed, and where."""
    for row in found:
        if not row.all:
            yield f"{row.path.id} ({row.path.kind}, {row.path.seed_id}): {', '.join(row.places)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="microworld.measure_records",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=Path, help="where truth.jsonl lies; default: seeds of the run")
    forgive()
    args = parser.parse_args()
    seeds = args.seeds or args.run / "seeds"
    try:
        found = found_in(cases(args.run, seeds))
    except SsuiError as error:
        parser.error(str(error))
    console = Terminal(highlight=False, soft_wrap=True)
    console.print(as_table(shares(found)))
    unknown = sum(1 for _ in read(args.run / PATHS)) - len(found)
    console.print(
        f"No truth is known of {unknown} other records: their text is no wording of the world, or the world "
        "leaves open what follows of it beside this picture."
    )
    for line in as_lines(found):
        console.print(f"wrong: {line}", markup=False)


if __name__ == "__main__":
    main()
