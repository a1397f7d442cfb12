"""Whether a server renders the prefix as it stands: told by text, tokens or counts, before any draw."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from exploring import cuts, explored, judge, pairs, policy
from fake_answers import prompt_text
from fake_server import Fake
from jobs import Job

from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.rendered import Rendered, compare

PREFIXES = ("", "1. A: b.\n", "1. A: b.\n2. C: d.\n")
SYSTEM = "Think."
Template = Callable[[str], str]


def seen(prefix: str, count: int, text: str | None = None, ids: tuple[int, ...] | None = None) -> Rendered:
    choice, usage = Choice(text="x", finish_reason="length"), Usage(prompt_tokens=count)
    completion = Completion(
        model="m", choices=(choice,), usage=usage, seconds=0.1, prompt_text=text, prompt_token_ids=ids
    )
    return Rendered(prefix, completion)


def by_text(template: Template) -> str:
    return compare([seen(p, 5 + i, template(p)) for i, p in enumerate(PREFIXES)], SYSTEM)


AS_IT_STANDS: dict[str, Template] = {
    "qwen": lambda p: f"<s>Think.<u>?<a>\n{p}",
    "llava: a blank where they meet": lambda p: f"Think. USER: ? ASSISTANT:{f' {p}' if p else ''}",
    "glm: a line break": lambda p: "Think.<a>" + (f"\n{p}" if p else ""),
}
NL, SHUT = "\n", "\n</think>\n\n"
OTHERWISE: dict[str, tuple[Template, str]] = {
    "trimmed": (lambda p: f"Think.<a>{p.strip()}", "trims the last turn"),
    "closed": (lambda p: f"Think.<a>{p}{'<end>' if p else ''}", "leaves the last turn"),
    "one line": (lambda p: "Think.<a>" + p.replace("\n", " "), "leaves the last turn"),
    "thinks first": (lambda p: f"Think.<a><think>{NL}{SHUT if p else ''}{p}", "without thinking"),
    "no thoughts after": (lambda p: f"Think.<a>{p or '<think>'}", "without thinking"),
    "system text gone": (lambda p: f"{'' if p else 'Think.'}<a>{p}", "leaves the system text out"),
}


@pytest.mark.parametrize("family", AS_IT_STANDS)
def test_by_text_the_prompt_is_the_roots_and_then_the_prefix(family: str) -> None:
    assert by_text(AS_IT_STANDS[family]) == "text"


@pytest.mark.parametrize("fault", OTHERWISE)
def test_what_a_template_does_otherwise_is_shown_and_named(fault: str) -> None:
    template, cause = OTHERWISE[fault]
    with pytest.raises(
        ConfigError, match=f"after 1 steps expected the prompt to go on with.*{cause}"
    ) as found:
        by_text(template)
    wanted, got = re.findall(r"with '(.*?)'; the server rendered '(.*?)': ", str(found.value))[0]
    assert wanted != got, "both sides of the difference are shown"


def test_by_tokens_each_cut_only_adds_some() -> None:
    ids = [(1, 2, 3), (1, 2, 3, 4), (1, 2, 3, 4, 5)]
    assert compare([seen(p, len(i), ids=i) for p, i in zip(PREFIXES, ids, strict=True)]) == "tokens"
    for other in ((1, 2, 9, 4), (7, 2, 3, 4)):
        ids[1] = other
        with pytest.raises(ConfigError, match="after 1 steps the prompt does not begin with the tokens"):
            compare([seen(p, len(i), ids=i) for p, i in zip(PREFIXES, ids, strict=True)])


def test_by_counts_each_step_adds_some() -> None:
    assert compare([seen(p, 5 + i) for i, p in enumerate(PREFIXES)]) == "counts"
    with pytest.raises(ConfigError, match="after 2 steps has 6 tokens, and a step earlier it had 6"):
        compare([seen(p, n) for p, n in zip(PREFIXES, (5, 6, 6), strict=True)])


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    return todo


def test_a_template_that_rewrites_the_last_turn_stops_the_night_before_it_begins(
    made: Job, fake: Fake
) -> None:
    before = fake.calls
    fake.template = lambda body: f"{prompt_text(body, 'user')}\n{prompt_text(body, 'assistant').upper()}"
    done = pairs(made)
    assert done.code == 1
    assert "models.policy: after 1 steps expected the prompt to go on with" in done.err
    assert fake.calls == before and not cuts(made)


def test_a_run_says_how_it_was_compared(made: Job, fake: Fake) -> None:
    fake.template = lambda body: f"{prompt_text(body, 'user')}\n{prompt_text(body, 'assistant')}"
    done = pairs(made, "--limit", "1")
    assert "renders each prefix as it stands (compared by text)" in done.out
