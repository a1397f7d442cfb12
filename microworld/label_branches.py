"""The truth about a run's branches: `python -m microworld.label_branches outputs/demo` writes labels.jsonl.

A branch is good if its answer knows the risk and still helps, or of a harmless pair simply helps, and nothing
else that the whole response says helps into the danger; where it first goes wrong is told too. Of a response
that is no whole path the words alone decide: what it tells the person may be good, but it has no place of
fault; one that tells the person nothing is bad. Branches of texts that are no wording of the world, or that
the world leaves open beside this picture, are left out and counted.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from microworld.corpus.judge import place
from microworld.seeds import TRUTH, scenes_of, things_in
from microworld.truth.score import request_in
from microworld.truth.steps import Truth, decided, first_bad_of, response_fits
from ssui_gen.branches import Branch, BranchLabel, Cut
from ssui_gen.errors import SsuiError
from ssui_gen.files import atomic_write, claim
from ssui_gen.jsonl import read, validate
from ssui_gen.manifest import pictures_of
from ssui_gen.reading import read as read_response
from ssui_gen.run_files import BRANCHES, LABELS


def label(run: Path, seeds: Path) -> Counter[str]:
    """Write the labels; returns how many branches there are of each kind of outcome. Raises SsuiError."""
    scenes = scenes_of(seeds)
    counts: Counter[str] = Counter()
    labels = []
    for cut in (validate(Cut, line) for line in read(run / BRANCHES)):
        request, things = request_in(cut.query), things_in(scenes, cut.images)
        truth = decided(request, things) if request and things is not None else None
        if truth is None:
            counts["no truth known"] += len(cut.branches)
            continue
        labels += [label_of(cut, branch, truth) for branch in cut.branches]
    counts.update("good" if one.good else "bad" for one in labels)
    atomic_write(run / LABELS, "".join(row.model_dump_json() + "\n" for row in labels))
    return counts


def label_of(cut: Cut, branch: Branch, truth: Truth) -> BranchLabel:
    """What the world says of prefix and branch together."""
    found = read_response(f"{cut.prefix}{branch.text}")
    where = first_bad_of(found, truth, cut.cut)
    good = response_fits(found, truth.rule)
    return BranchLabel(branch_id=branch.id, good=good, first_bad=None if where is None else place(where))


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.label_branches", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=Path, help="where truth.jsonl lies; default: as the run remembers")
    parser.add_argument("--if-known", action="store_true", help="do nothing where there is no truth")
    args = parser.parse_args()
    claim(args.run)
    try:
        seeds = pictures_of(args.run, args.seeds)
        if args.if_known and not (seeds / TRUTH).exists():
            return
        counts = label(args.run, seeds)
    except SsuiError as error:
        parser.error(str(error))
    print(", ".join(f"{name}: {count:,}" for name, count in counts.most_common()))


if __name__ == "__main__":
    main()
