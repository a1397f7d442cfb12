"""Whether a server renders the prefix as it stands: told by text, tokens or counts, before any draw."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from exploring import cuts, explored, judge, pairs, policy
from fake_answers import prompt_text
from fake_server import Fake
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import Job

from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.rendered import ALONE, Found, Rendered, Sent, compare

PREFIXES = ("", "1. A: b.\n", "1. A: b.\n2. C: d.\n")
SENT = Sent("Think in six steps.", "What should I do?")
SHOWN = "<img> What should I do?"
Template = Callable[[str], str]


def seen(prefix: str, count: int, text: str | None = None, ids: tuple[int, ...] | None = None) -> Rendered:
    choice, usage = Choice(text="x", finish_reason="length"), Usage(prompt_tokens=count)
    completion = Completion(
        model="m", choices=(choice,), usage=usage, seconds=0.1, prompt_text=text, prompt_token_ids=ids
    )
    return Rendered(prefix, completion)


def by_text(template: Template) -> Found:
    return compare([seen(p, 5 + i, template(p)) for i, p in enumerate(PREFIXES)], SENT)


def by_words(template: Template) -> Found:
    """A token a letter, and what the server says that they say."""
    found = []
    for prefix in PREFIXES:
        text = template(prefix)
        one = seen(prefix, len(text), ids=tuple(map(ord, text)))
        found.append(one._replace(words=text))
    return compare(found, SENT)


class Parts(NamedTuple):
    """What a template is made of."""

    system: str
    trims: bool
    thoughts: str
    blank: str
    end: str

    def __call__(self, prefix: str) -> str:
        listed = str([{"type": "text", "text": SENT.system}])
        shown = {"list": listed, "none": ""}.get(self.system, SENT.system)
        system = "" if prefix and self.system == "gone once begun" else f"<sys>{shown}"
        opened = {"open": "<think>\n", "same": "<think></think>"}.get(self.thoughts, "")
        before = {"empty": "<think></think>", "same": "<think></think>"}.get(self.thoughts, "")
        said = prefix.strip() if self.trims else prefix
        asked = f"{system}<u>{SHOWN}<a>"
        return f"{asked}{before}{self.blank}{said}{self.end}" if prefix else asked + opened

    @property
    def faults(self) -> set[str]:
        """What of it keeps a branch from going on as the policy would."""
        named = {
            "leaves the system text out": self.system == "gone once begun",
            "is shown as a list of Python": self.system == "list",
            "trims the last turn": self.trims,
            "without thinking": self.thoughts in ("open", "empty"),
            "leaves the last turn": bool(self.end),
        }
        return {cause for cause, true in named.items() if true}


PARTS = st.builds(
    Parts,
    system=st.sampled_from(["kept", "gone once begun", "list", "none"]),
    trims=st.booleans(),
    thoughts=st.sampled_from(["", "open", "empty", "same"]),
    blank=st.sampled_from(["", " ", "\n", "\n\n"]),
    end=st.sampled_from(["", "<end>", "</s>\n"]),
)
ROOT = {"is shown as a list of Python"}


@settings(max_examples=200)
@given(PARTS, st.sampled_from([by_text, by_words]))
def test_a_template_passes_if_no_part_of_it_is_at_fault_and_each_fault_is_named(
    parts: Parts, check: Callable[[Template], Found]
) -> None:
    if not parts.faults:
        found = check(parts)
        assert found.by == ("text" if check is by_text else "tokens")
        assert ("is not shown at all" in found.lost) == (parts.system == "none")
        return
    with pytest.raises(ConfigError) as found:
        check(parts)
    hidden = parts.end or parts.faults & ROOT
    known = parts.faults if not hidden else parts.faults & ROOT
    begins_otherwise = "does not begin with the tokens" in str(found.value)
    assert begins_otherwise or all(cause in str(found.value) for cause in known)


@pytest.mark.parametrize("fault", ["closed", "one line"])
def test_what_a_template_does_otherwise_is_shown(fault: str) -> None:
    end = {"closed": "<end>", "one line": ""}[fault]
    with pytest.raises(
        ConfigError, match=r"after 1 steps expected the prompt to go on with.*leaves the last"
    ) as found:
        by_text(lambda p: f"{SENT.system}{SHOWN}<a>" + (p.replace("\n", " ") + end if p else ""))
    wanted, got = re.findall(r"with '(.*?)'; the server rendered '(.*?)': ", str(found.value))[0]
    assert wanted != got, "both sides of the difference are shown"


def test_by_tokens_each_cut_only_adds_some() -> None:
    ids = [(1, 2, 3), (1, 2, 3, 4), (1, 2, 3, 4, 5)]
    assert compare([seen(p, len(i), ids=i) for p, i in zip(PREFIXES, ids, strict=True)], Sent()).by == ALONE
    ids[1:] = [(1, 2, 33, 4), (1, 2, 33, 4, 5)]
    merged = [seen(p, len(i), ids=i) for p, i in zip(PREFIXES, ids, strict=True)]
    assert compare(merged, Sent()).by == ALONE, "white space may meet the last token of the root"
    for place, other in ((1, (1, 9, 3, 4)), (1, (7, 2, 3, 4)), (2, (1, 2, 33, 9, 5))):
        wrong = [*ids[:place], other, *ids[place + 1 :]]
        with pytest.raises(
            ConfigError, match=f"after {place} steps the prompt does not begin with the tokens"
        ):
            compare([seen(p, len(i), ids=i) for p, i in zip(PREFIXES, wrong, strict=True)], Sent())


def test_by_counts_each_step_adds_some() -> None:
    assert compare([seen(p, 5 + i) for i, p in enumerate(PREFIXES)], Sent()).by == "counts"
    with pytest.raises(ConfigError, match="after 2 steps has 6 tokens, and a step earlier it had 6"):
        compare([seen(p, n) for p, n in zip(PREFIXES, (5, 6, 6), strict=True)], Sent())


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    return todo


def shown(body: dict[str, Any]) -> str:
    return f"{prompt_text(body, 'system')}<img>{prompt_text(body, 'user')}\n{prompt_text(body, 'assistant')}"


def test_a_template_that_rewrites_the_last_turn_stops_the_night_before_it_begins(
    made: Job, fake: Fake
) -> None:
    before = fake.calls
    fake.template = lambda body: shown(body).replace(said := prompt_text(body, "assistant"), said.upper())
    done = pairs(made)
    assert done.code == 1
    assert "models.policy: after 1 steps expected the prompt to go on with" in done.err
    assert fake.calls == before and not cuts(made)


def test_a_run_says_how_it_was_compared(made: Job, fake: Fake) -> None:
    fake.template = shown
    done = pairs(made, "--limit", "1")
    assert "renders each prefix as it stands (compared by text)" in done.out


def test_a_template_without_the_system_text_is_told_of(made: Job, fake: Fake) -> None:
    fake.template = lambda body: f"<img>{prompt_text(body, 'user')}\n{prompt_text(body, 'assistant')}"
    done = pairs(made, "--limit", "1")
    assert done.code == 0 and "policy: the system text is not shown at all" in done.out


def listed(body: dict[str, Any]) -> str:
    system = prompt_text(body, "system")
    return shown(body).replace(system, str([{"type": "text", "text": system}]))


def test_one_that_prints_it_as_a_list_stops_the_night(made: Job, fake: Fake) -> None:
    fake.template = listed
    done = pairs(made)
    assert done.code == 1
    assert "of the policy's question the system text is shown as a list of Python" in done.err


@pytest.mark.parametrize(("mute", "how"), [(False, "tokens"), (True, ALONE)])
def test_of_a_server_that_tells_only_tokens_their_words_are_asked(
    made: Job, fake: Fake, mute: bool, how: str
) -> None:
    fake.letters, fake.mute_words = shown, mute
    assert f"(compared by {how})" in pairs(made, "--limit", "1").out


def test_thoughts_that_only_tokens_show_are_read_in_their_words(made: Job, fake: Fake) -> None:
    """The template closes thoughts where an answer has begun: up to there its tokens are the root's."""
    fake.letters = lambda body: shown(body).replace(
        said := prompt_text(body, "assistant") or "(root)", f"<think></think>{said}"
    )
    done = pairs(made)
    assert done.code == 1 and "serve the policy without thinking" in done.err


@pytest.mark.parametrize(("fault", "begun"), [("take a system text", False), ("go on with", True)])
def test_a_server_that_refuses_the_question_is_quoted(made: Job, fake: Fake, fault: str, begun: bool) -> None:
    before = fake.calls
    fake.refuses_probed = lambda body: (
        "six numbered" in str(body) and begun == bool(prompt_text(body, "assistant"))
    )
    done = pairs(made)
    assert done.code == 1 and fake.calls == before
    assert "the server does not take the policy's question after" in done.err
    assert "no images with system messages" in done.err and fault in done.err
