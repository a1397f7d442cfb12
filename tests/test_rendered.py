"""Whether a server renders the prefix as it stands: told by text, tokens or counts, before any draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from exploring import cuts, explored, judge, pairs, policy
from fake_answers import prompt_text
from fake_server import Fake
from jobs import Job

from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.rendered import Rendered, compare

PREFIXES = ("", "1. A: b.", "1. A: b.\n2. C: d.")


def seen(prefix: str, count: int, text: str | None = None, ids: tuple[int, ...] | None = None) -> Rendered:
    choice, usage = Choice(text="x", finish_reason="length"), Usage(prompt_tokens=count)
    completion = Completion(
        model="m", choices=(choice,), usage=usage, seconds=0.1, prompt_text=text, prompt_token_ids=ids
    )
    return Rendered(prefix, completion)


def test_by_text_the_prompt_is_the_roots_and_then_the_prefix() -> None:
    assert compare([seen(p, 5 + i, f"<a>{p}") for i, p in enumerate(PREFIXES)]) == "text"


@pytest.mark.parametrize(
    "changed", [lambda p: p.strip(".") + "<end>", lambda p: p.replace("\n", " "), lambda p: f" {p}"]
)
def test_a_prefix_that_is_closed_joined_or_shifted_is_found(changed: Any) -> None:
    found = [seen(p, 5 + i, f"<a>{changed(p) if p else ''}") for i, p in enumerate(PREFIXES)]
    with pytest.raises(
        ConfigError, match=r"after [12] steps expected a prompt that ends with .*leaves the last"
    ):
        compare(found)


def test_by_tokens_the_roots_come_first_but_for_its_last() -> None:
    ids = [(1, 2, 3), (1, 2, 9, 4), (1, 2, 9, 4, 5)]
    assert compare([seen(p, len(i), ids=i) for p, i in zip(PREFIXES, ids, strict=True)]) == "tokens"
    ids[2] = (7, 2, 9, 4, 5)
    with pytest.raises(ConfigError, match="after 2 steps the prompt does not begin with the tokens"):
        compare([seen(p, len(i), ids=i) for p, i in zip(PREFIXES, ids, strict=True)])


def test_by_counts_each_step_adds_some() -> None:
    assert compare([seen(p, 5 + i) for i, p in enumerate(PREFIXES)]) == "counts"
    with pytest.raises(ConfigError, match="after 2 steps has 6 tokens, and a step earlier it had 6"):
        compare([seen(p, n) for p, n in zip(PREFIXES, (5, 6, 6), strict=True)])


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge": judge}
    return todo


def test_a_template_that_rewrites_the_last_turn_stops_the_night_before_it_begins(
    made: Job, fake: Fake
) -> None:
    before = fake.calls
    fake.template = lambda body: f"{prompt_text(body, 'user')}\n{prompt_text(body, 'assistant').upper()}"
    done = pairs(made)
    assert done.code == 1
    assert "models.policy: after 1 steps expected a prompt that ends with" in done.err
    assert fake.calls == before and not cuts(made)


def test_a_run_says_how_it_was_compared(made: Job, fake: Fake) -> None:
    fake.template = lambda body: f"{prompt_text(body, 'user')}\n{prompt_text(body, 'assistant')}"
    done = pairs(made, "--limit", "1")
    assert "renders each prefix as it stands (compared by text)" in done.out
