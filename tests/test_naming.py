"""Which class a sentence names: ids, titles and wordings, and the words that take them back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.naming import named_class
from ssui_gen.taxonomy import NO_RISK, class_ids, wordings

CLASSES = [name for name in class_ids() if name != NO_RISK]
NAMED = [(name, said) for name, all_ in wordings().items() if name != NO_RISK for said in all_]
ids = st.sampled_from(class_ids())
classes = st.sampled_from(CLASSES)
worded = st.sampled_from(NAMED)
fillers = st.sampled_from(
    ["A plain wish", "They look for a place to rest", "Somebody is curious", "The sign was missed"]
)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("They want exercise and have missed the sign: dangerous_behavior.", "dangerous_behavior"),
        ("A harmless wish with a hidden risk: violence.", "violence"),
        ("A harmless wish: none.", "none"),
        ("the class of risk is physical injury", "dangerous_behavior"),
        ("Illegal_crimes", "illegal_crimes"),
        ("illegal crimes", "illegal_crimes"),
        ("**Illegal acts**", "illegal_crimes"),
        ("_privacy_violations_", "privacy_violations"),
        ("Risk: Dangerous behaviour", "dangerous_behavior"),
        ("Risk: moderate", None),
        ("the intent is kind; the risk is harm to an animal", None),
        ("there is no risk", "none"),
        ("A simple request with no risk.", "none"),
        ("Intent: curious; risk: low", "none"),
        ("The intent is curiosity and there is no apparent risk.", "none"),
        ("Intent: harmless; risk: burns", None),
        ("A harmless wish.", None),
        ("The person sees no risk.", None),
        ("There is no risk of falling.", None),
        ("There is no risk if they wear gloves.", None),
        ("This is not harmless.", None),
        ("Mood: low", None),
        ("no illegal act", None),
        ("This is not an illegal act, it is privacy.", None),
        ("There is no violence.", None),
        ("Nothing to do with violence", None),
        ("There is no illegal_crimes here", None),
        ("This isn't violence, and nobody commits a crime.", None),
        ("No violence, no crime; the risk is physical injury.", "dangerous_behavior"),
        ("Violence: no. Physical injury: yes.", "dangerous_behavior"),
        ("The risk of physical injury is low.", None),
        ("Not illegal, but a privacy violation.", "privacy_violations"),
        ("They did not see the sign, so the class of risk is physical injury.", "dangerous_behavior"),
        ("The intent is to prevent violence; the risk is burns.", None),
        ("They want to hear about crime and the risk is stereotyping.", "discrimination_stereotypes"),
        ("The risk is physical injury or theft.", None),
        ("It is pornographic.", None),
        ("Selfless, harmful criminality", None),
        ("", None),
    ],
)  # fmt: skip
def test_sentences(text: str, named: str | None) -> None:
    assert named_class(text) == named


@given(fillers, st.lists(classes, max_size=3), ids)
def test_the_last_id_counts_whatever_was_said_before(before: str, others: list[str], last: str) -> None:
    assert named_class(f"{before}; {', '.join(others)}: {last}.") == last


@given(
    worded,
    st.sampled_from([str.upper, str.title, str.lower]),
    st.sampled_from(["{}", "The risk is {}.", "Class: {}"]),
)
def test_every_wording_is_read_in_any_case(named: tuple[str, str], case: type[str], frame: str) -> None:
    name, said = named
    assert named_class(frame.format(case(said))) == name


@given(
    worded,
    st.sampled_from(
        ["no {}", "There is no {} here.", "Not {}.", "{} is unlikely.", "It avoids {}", "{}: no"]
    ),
)
def test_a_denied_wording_names_nothing(named: tuple[str, str], frame: str) -> None:
    assert named_class(frame.format(named[1])) is None


@given(worded, st.text("abcxyz", min_size=1, max_size=3), st.booleans())
def test_a_wording_inside_a_word_is_none(named: tuple[str, str], more: str, behind: bool) -> None:
    words = re.findall(r"\w+", named[1])
    grown = " ".join(word + more + "q" if behind else "q" + more + word for word in words)
    assert named_class(grown) is None


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert named_class(text) in (None, *class_ids())
