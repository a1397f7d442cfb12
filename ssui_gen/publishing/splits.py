"""Which split a scenario is in: by a hash of its own, so that a row more moves no other. Pure.

A scenario that a benchmark of the run holds is in `test`, whatever its lot: nobody is to train on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

SPLITS = ("train", "validation", "test")
SHARES: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}
"""Of the scenarios, about."""


def split_of(scenario: str, held_out: Collection[str] = ()) -> str:
    """`held_out` are scenarios of the benchmark."""
    if scenario in held_out:
        return "test"
    lot, upto = _lot(scenario), 0.0
    for name in SPLITS[:-1]:
        upto += SHARES[name]
        if lot < upto:
            return name
    return SPLITS[-1]


def _lot(scenario: str) -> float:
    """From 0 to 1, and never 1; another than the one by which a benchmark is held out."""
    return (
        int.from_bytes(hashlib.blake2b(f"split/{scenario}".encode(), digest_size=6).digest(), "big") / 2**48
    )
