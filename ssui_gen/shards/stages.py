"""Which stages can be done in shards."""

from __future__ import annotations

from ssui_gen.shards.benches import Benching
from ssui_gen.shards.dealing import Deal
from ssui_gen.shards.paths import Exploring
from ssui_gen.shards.seeds import Dataset
from ssui_gen.shards.stage import Stage

STAGES: dict[str, Stage] = {"dataset": Dataset(), "pairs": Exploring(), "bench": Benching()}


def stage_of(deal: Deal) -> Stage:
    return STAGES[deal.stage]
