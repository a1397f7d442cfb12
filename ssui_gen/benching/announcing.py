"""What is said of a benchmark before anybody is asked: what it is, what was left out, by which rules it is
scored. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ssui_gen.benching.bench import Bench
from ssui_gen.benching.official.shape import Official
from ssui_gen.benching.theirs import is_judged, reservations
from ssui_gen.config import Bench as Settings
from ssui_gen.run_files import REJECTS

Say = Callable[[str], None]


def tell_of(bench: Bench, say: Say) -> None:
    """The items, those left out, and what makes some of them less than they count."""
    about, judged = bench.about, is_judged(bench.name)
    clusters = f"{len({item.scenario_id for item in bench.items}):,} {'scenarios' if judged else 'pictures'}"
    facts = f"{bench.name}{' ' + about.version if about.version else ''}: {len(bench.items):,} items of"
    say(f"{facts} {clusters}{f', licence {about.licence}' if about.licence else ''}.")
    if bench.rejects:
        first = bench.rejects[0]
        count = f"{len(bench.rejects):,} rows are left out ({REJECTS})"
        say(f"{count}; the first: {first.reason}: {first.detail}")
    for notice in bench.told:
        say(notice)
    if bench.shared:
        say(f"{bench.shared:,} pictures stand in several scenarios, which then are not independent.")


def tell_rules(rules: Sequence[Official], settings: Settings, say: Say) -> None:
    """Whose they are, and what sets the figures apart from those by the very rules."""
    also = " too" if "rsbench" in settings.score else ""
    for one in rules:
        say(f"Scored by protocol {one.name}{also}: {one.source}.")
        for reservation in reservations(one, settings.protocol, settings.draws):
            say(reservation)
