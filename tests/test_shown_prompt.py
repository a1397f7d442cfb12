"""What a template made of a question: told of the shapes that families publish, and of any made of parts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jinja2 import TemplateError
from published import published, render

from ssui_gen.calling.shown_prompt import amiss, thinks_first

SYSTEM = 'You write test questions.\n\nSay "danger" where it\'s due.'
USER = "Which colour is\nthis picture?"
LOST, LISTED = "not shown at all", "as a list of Python"


def question(*, string: bool = False, picture: bool = True) -> list[dict[str, Any]]:
    """As vLLM hands it to a template: as parts, or with the picture's mark in a string."""
    if string:
        mark = "<image>\n" if picture else ""
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"{mark}{USER}"}]
    parts = [{"type": "image"}] if picture else []
    parts.append({"type": "text", "text": USER})
    system = [{"type": "text", "text": SYSTEM}]
    return [{"role": "system", "content": system}, {"role": "user", "content": parts}]


RIGHT = (
    *("qwen2_5_vl", "qwen3_vl", "qwen3_5_think", "internvl", "gemma3", "gemma4", "gemma4_v5", "llama4"),
    *("llava", "llava_next", "llava_onevision", "pixtral", "mistral3", "glm4v"),
)


@pytest.mark.parametrize("family", RIGHT)
def test_nothing_is_amiss_where_all_is_shown(family: str) -> None:
    assert amiss(render(published(family), question()), SYSTEM, USER) == ()


@pytest.mark.parametrize("family", ["gemma4_v2", "gemma4_v3"])
def test_a_system_text_shown_as_a_list_is_told(family: str) -> None:
    (fault,) = amiss(render(published(family), question()), SYSTEM, USER)
    assert (
        fault[:2] == ("system", "listed")
        and "the system text is shown as a list of Python, \"[{'type': 'text'" in fault.words
    )


def test_one_that_is_dropped_is_told() -> None:
    (fault,) = amiss(render(published("blip2"), question(string=True)), SYSTEM, USER)
    assert fault[:2] == ("system", "lost") and "the system text is not shown at all" in fault.words


def test_llama_3_2_has_no_place_for_both() -> None:
    with pytest.raises(TemplateError, match="incompatible with system messages"):
        render(published("llama3_2_vision"), question())


def test_a_template_without_a_place_for_a_picture_is_told() -> None:
    (fault,) = amiss(render(published("glm4moe"), question()), SYSTEM, USER)
    assert "the picture has no place" in fault.words


@pytest.mark.parametrize(
    ("family", "told", "first"),
    [
        ("qwen3_5_think", {}, True),
        ("qwen3_5_think", {"enable_thinking": False}, False),
        ("qwen3_vl", {}, False),
        ("gemma4_31b", {}, False),
        ("glm4v", {"enable_thinking": False}, False),
    ],
)
def test_thoughts_that_a_prompt_opens_are_told(family: str, told: dict[str, bool], first: bool) -> None:
    assert thinks_first(render(published(family), question(), **told)) is first


OPENED = (
    "<think>",
    "<thought>",
    "<reasoning>",
    "<|begin_of_thought|>",
    "<think>\n",
    "[THINK]",
    "◁think▷",
    "<seed:think>",
    "<|channel>thought\n",
)


@pytest.mark.parametrize("end", OPENED)
def test_whatever_mark_opens_them(end: str) -> None:
    assert thinks_first(f"<u>What now?<a>{end}")
    assert not thinks_first(f"<u>What now?<a>{end}</think>\n\n")


def wordy(text: str) -> bool:
    return " " in text and text[0].isalpha() and text[-1].isalpha()


TEXT = st.text("abc de'\"\\\n{", min_size=12, max_size=40).map(str.strip).filter(wordy)


@given(
    system=TEXT,
    user=TEXT,
    shows=st.sampled_from(["words", "trimmed", "list", "json", "nothing"]),
    place=st.sampled_from(["before", "behind", "nowhere"]),
)
def test_each_fault_is_told_and_no_other(system: str, user: str, shows: str, place: str) -> None:
    assume(user not in system and system not in user)
    listed = [{"type": "text", "text": system}]
    said = {
        "words": system,
        "trimmed": f"\n{' '.join(system.split())} ",
        "list": str(listed),
        "json": json.dumps(listed),
        "nothing": "",
    }[shows]
    pictures = {"before": ("<|img|>", ""), "behind": ("", "<|img|>"), "nowhere": ("", "")}[place]
    shown = f"<s>{said}</s><u>{pictures[0]}{user}{pictures[1]}</u>"
    found = amiss(shown, system, user)
    wanted = {"list": [LISTED], "json": [LISTED], "nothing": [LOST]}.get(shows, [])
    wanted = wanted + {"behind": ["behind the user's text"], "nowhere": ["no place"]}.get(place, [])
    assert len(found) == len(wanted)
    assert all(words in fault.words for words, fault in zip(wanted, found, strict=True))
    hows = {LISTED: "listed", LOST: "lost", "no place": "lost", "behind the user's text": "late"}
    assert [fault.how for fault in found] == [hows[words] for words in wanted]
