"""A little of `make fuzz` at each door; always the same inputs."""

from __future__ import annotations

import pytest
from fuzzing import DOORS, attempt


@pytest.mark.parametrize("name", DOORS)
def test_a_door_refuses_in_words_or_not_at_all(name: str) -> None:
    assert attempt(DOORS[name], 60, 12)["inputs"] >= 60
