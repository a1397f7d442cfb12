"""Who looks at what: items dealt to people, some of them to several, by chance and evenly. Pure.

Those that several see are drawn at random and not by risk, so that agreement on them speaks for all items.
What was dealt stays: new items are added to what each has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random


def deal(
    ids: Sequence[str],
    names: Sequence[str],
    *,
    overlap: float,
    each: int,
    seed: int,
    dealt: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, tuple[str, ...]]:
    """The ids for each name, in the order of `ids`.

    A share `overlap` (0 to 1) of the ids that were not `dealt` before goes to `each` people, the rest to one.
    Depends on its arguments alone.
    """
    shares = {name: set((dealt or {}).get(name, ())) for name in {*names, *(dealt or {})}}
    known = set().union(*shares.values()) if shares else set()
    fresh = [id for id in ids if id not in known]
    rng = Random(f"deal/{seed}")
    rng.shuffle(fresh)
    several = round(overlap * len(fresh))
    for number, id in enumerate(fresh):
        for name in _least(names, shares, rng)[: each if number < several else 1]:
            shares[name].add(id)
    return {name: tuple(id for id in ids if id in share) for name, share in sorted(shares.items())}


def _least(names: Sequence[str], shares: Mapping[str, set[str]], rng: Random) -> list[str]:
    """Those with the fewest items first; chance among equals, so that no two always work together."""
    return sorted(names, key=lambda name: (len(shares[name]), rng.random()))
