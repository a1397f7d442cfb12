"""Pairs out of rewrites: what somebody made of a wrong branch, from its first wrong step on, over the branch.

A person or an agent outside writes `corrections.jsonl` (`Correction`, a row a rewrite); nobody checks here
what it says, so say by whom it is. Both sides begin with the branch's own words up to there, which are not
learnt where they are not the path's. (SaFeR-VLM, arXiv 2510.06871, and Sherlock, arXiv 2505.22651, correct.)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from ssui_gen.branches import Branch, Correction, Cut, Judgement, Origin, Pair
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.edited import says_the_same
from ssui_gen.exploring.pairs import pair_of
from ssui_gen.jsonl import read, validate
from ssui_gen.reading import read as read_response
from ssui_gen.records import row_id
from ssui_gen.run_files import CORRECTIONS
from ssui_gen.verifying.first_bad_step import PLACES

Corrections = dict[str, list[Correction]]
"""By branch."""


def corrections(run: Path) -> Corrections:
    """Raises ConfigError where there are none, RecordError for a row that is none."""
    file = run / CORRECTIONS
    if not file.exists():
        raise ConfigError(
            f"pairs.corrections: {file}: no such file: expected rows {{branch_id, step, text, by}}: text is "
            "what should follow from that step on, to the end of the answer"
        )
    found: Corrections = defaultdict(list)
    for line in read(file):
        row = validate(Correction, line)
        found[row.branch_id].append(row)
    return found


def corrected_pairs(
    cuts: Sequence[Cut], found: Corrections, system: str, counts: Counter[str]
) -> Iterator[Pair]:
    """Those of one path, and a count of what is none; corrections that were looked at leave `found`."""
    for cut in cuts:
        for branch in cut.branches:
            for row in found.pop(branch.id, ()):
                why = _unfit(cut, branch, row)
                counts[why or "made"] += 1
                if not why:
                    yield _pair(cut, branch, row, system)


def _begin(cut: Cut, branch: Branch, step: int) -> int | None:
    """Where a step of a response begins; None in what cannot be read as a path."""
    if step == cut.cut + 1:
        return len(cut.prefix)
    return read_response(cut.prefix + branch.text).through(step - 1)


def _unfit(cut: Cut, branch: Branch, row: Correction) -> str | None:
    """Why a correction makes no pair."""
    begin = _begin(cut, branch, row.step)
    if row.step <= cut.cut or begin is None:
        return "no_such_step"
    response = cut.prefix + branch.text
    if not read_response(response[:begin] + row.text).form.whole:
        return "no_path"
    return "same_words" if says_the_same(response[begin:], row.text) else None


def _pair(cut: Cut, branch: Branch, row: Correction, system: str) -> Pair:
    response, begin = cut.prefix + branch.text, _begin(cut, branch, row.step)
    on_path = row.step == cut.cut + 1 and not cut.origin
    told = row_id(branch.id, "corrected", str(row.step), row.text)
    better = Branch(
        id=told, text=row.text, finish="stop", judgement=Judgement(polarity="good", detail=f"by {row.by}")
    )
    rest = branch.model_copy(
        update={"id": branch.id if on_path else row_id(told, branch.id), "text": response[begin:]}
    )
    behind = cut.model_copy(
        update={
            "cut": row.step - 1,
            "prefix": response[:begin],
            "branches": (better, rest),
            "origin": None if on_path else Origin(branch_id=branch.id, cut=cut.cut, temperature=0.0),
        }
    )
    return pair_of(behind, (better, rest), system, "outcome", "corrected", PLACES[f"step {row.step}"])
