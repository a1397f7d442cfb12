"""Rows that other people wrote, as seeds, pairs or gold of ours: `LAYOUTS` by the name that --from takes.

Nothing of theirs is shipped and nothing is fetched; whose a row is, and under which licence, stands in it.
"""

from __future__ import annotations

from ssui_gen.importing.benchmarks import MSSBENCH, SIUO, VLGUARD
from ssui_gen.importing.conversations import LLAVA, SHAREGPT, SHERLOCK
from ssui_gen.importing.labelled import GUARDTRACE, SAFETAG
from ssui_gen.importing.mapped import HF, MEERKAT
from ssui_gen.importing.parts import PRISM
from ssui_gen.importing.shape import Layout

LAYOUTS: dict[str, Layout] = {
    one.name: one
    for one in (
        SIUO,
        VLGUARD,
        MSSBENCH,
        LLAVA,
        SHAREGPT,
        HF,
        PRISM,
        MEERKAT,
        SAFETAG,
        GUARDTRACE,
        SHERLOCK,
    )
}
