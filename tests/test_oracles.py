"""Our statistics beside those of statsmodels, which is here for this alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssui_gen.benching.paired import mcnemar
from ssui_gen.shares import jeffreys, kappa, wilson

pytest.importorskip("statsmodels", reason="it is in the extra `dev`")
from statsmodels.stats.contingency_tables import mcnemar as exact_mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

counts = st.integers(0, 60)


@settings(max_examples=40)
@given(counts, counts)
def test_mcnemar_is_exact(lost: int, gained: int) -> None:
    if lost + gained:
        wanted = exact_mcnemar([[5, lost], [gained, 7]], exact=True).pvalue
        assert mcnemar(lost, gained) == pytest.approx(wanted, abs=1e-12)
    else:
        assert mcnemar(lost, gained) == 1


@settings(max_examples=40)
@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_of_a_share_are_the_same(of: tuple[int, int]) -> None:
    hits, n = of
    assert wilson(hits / n, n) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-6)
    low, high = proportion_confint(hits, n, method="jeffreys")
    wanted = low if hits else 0.0, high if hits < n else 1.0
    assert jeffreys(hits, n) == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=40)
@given(st.tuples(counts, counts, counts, counts).filter(lambda cells: min(cells) > 0))
def test_kappa_is_the_same(cells: tuple[int, int, int, int]) -> None:
    both, first, second, neither = cells
    ours = kappa({(True, True): both, (True, False): first, (False, True): second, (False, False): neither})
    assert ours == pytest.approx(cohens_kappa([[both, first], [second, neither]]).kappa, abs=1e-9)
