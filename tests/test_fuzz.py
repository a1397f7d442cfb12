"""A little of `make fuzz` at each door; always the same inputs."""

from __future__ import annotations

import pytest
from fuzzing import DOORS, attempt
from guided import INSTALLED, guided


@pytest.mark.parametrize("name", DOORS)
def test_a_door_refuses_in_words_or_not_at_all(name: str) -> None:
    assert attempt(DOORS[name], 60, 12)["inputs"] >= 60


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="atheris has no build for this machine")
def test_coverage_guides_and_what_a_door_must_not_raise_is_told() -> None:
    assert guided("rows", 2, 7) > 0
    with pytest.raises(RuntimeError, match="no such door"):
        guided("no such door", 2, 7)
