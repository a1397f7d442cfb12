"""Other people's benchmarks, read from the user's copy: `ADAPTERS` by the name that BENCH= takes.

Nothing of theirs is shipped and nothing is fetched; licences are kept on every item and shown.
"""

from __future__ import annotations

from ssui_gen.benching.adapters import (
    mis,
    mm_safetybench,
    mossbench,
    mssbench,
    msts,
    rsbench,
    siuo,
    vlguard,
    vlsbench,
)
from ssui_gen.benching.adapters.adapter import Adapter, adapter
from ssui_gen.benching.official import copsd, protocols

ADAPTERS: dict[str, Adapter] = {
    one.about.name: one
    for one in (
        adapter(siuo.ABOUT, siuo.groups, official=protocols.SIUO, copsd=copsd.SIUO),
        adapter(mssbench.ABOUT, mssbench.groups, official=protocols.MSSBENCH, copsd=copsd.MSSBENCH),
        adapter(vlguard.ABOUT, vlguard.groups, official=protocols.VLGUARD, copsd=copsd.VLGUARD),
        adapter(mm_safetybench.ABOUT, mm_safetybench.groups, official=protocols.MM_SAFETYBENCH),
        adapter(msts.ABOUT, msts.groups, official=protocols.MSTS),
        adapter(vlsbench.ABOUT, vlsbench.groups, official=protocols.VLSBENCH, copsd=copsd.VLSBENCH),
        adapter(mis.ABOUT, mis.groups, official=protocols.MIS),
        adapter(mossbench.ABOUT, mossbench.groups, official=protocols.MOSSBENCH),
        Adapter(rsbench.ABOUT, rsbench.items),
    )
}
