"""Branches for people to label, so that F can be calibrated. Pure.

The sample is drawn by chance within strata (kind of path, what F said, cut), each in proportion to its size
and with one at least: what is measured on it holds for all branches. What F said is not in it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from ssui_gen.branches import Branch, Cut
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.texts import sha_of
from ssui_gen.records import ReasoningPath


class Candidate(NamedTuple):
    """One branch and where it comes from."""

    path: ReasoningPath
    cut: Cut
    branch: Branch

    @property
    def stratum(self) -> tuple[str, str, int]:
        return self.path.kind, self.branch.judgement.polarity, self.cut.cut


def sample(
    branches: Iterable[Candidate], most: int, seed: int, keep: frozenset[str] = frozenset()
) -> list[Item]:
    """About `most` branches as items, in an order of chance; those whose ids are in `keep` are among them."""
    strata: dict[tuple[str, str, int], list[Candidate]] = defaultdict(list)
    for one in branches:
        strata[one.stratum].append(one)
    total = sum(map(len, strata.values()))
    chosen: dict[str, Candidate] = {}
    for those in strata.values():
        ranked = sorted(those, key=lambda one: rank(one.branch.id, seed))
        share = len(those) if total <= most else max(1, round(most * len(those) / total))
        chosen |= {
            one.branch.id: one for place, one in enumerate(ranked) if place < share or one.branch.id in keep
        }
    return [_item(chosen[id]) for id in sorted(chosen, key=lambda id: rank(id, seed))]


def rank(id: str, seed: int) -> bytes:
    """Chance that is the same each time, so that a larger sample holds a smaller one."""
    return hashlib.blake2b(f"{seed}/{id}".encode(), digest_size=8).digest()


def _item(one: Candidate) -> Item:
    text = one.branch.text
    sha = sha_of(one.path, one.cut.cut, text)
    return Item(id=one.branch.id, sha=sha, risk=0.0, why=(), of=one.path, cut=one.cut.cut, branch=text)
