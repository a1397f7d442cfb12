"""What came is read into path, answer and status: six steps, thoughts in tags or a field, answers alone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.benching.pieces import MOST, SHORT, Respond, Sent, cut, respond
from ssui_gen.benching.records import Protocol
from ssui_gen.branching import render_steps
from ssui_gen.records import STEP_NAMES, Step

STEPS = render_steps([Step(name=name, text=f"Words {i}.") for i, name in enumerate(STEP_NAMES)])
SIX = f"{STEPS}\nAnswer: Careful."
PROTOCOLS: tuple[Protocol, ...] = ("as_is", "six_steps", "think")


def read(text: str, protocol: Protocol = "as_is", **fields: object) -> Respond:
    return respond(Sent(text, **fields), protocol)  # type: ignore[arg-type]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_six_steps_are_the_path_under_any_protocol(protocol: Protocol) -> None:
    found = read(f"Sure!\n{SIX}\n\n---\nStay safe.", protocol)
    assert (found.status, found.path.source, len(found.path.pieces)) == ("ok", "steps", 6)
    assert found.answer == "Careful.\n\n---\nStay safe.", "words after the answer are part of it"
    assert found.path.pieces[0].text == "Sure!\n1. Visual context: Words 0.\n"
    assert found.path.text == f"Sure!\n{STEPS}\n"


def test_thoughts_before_six_steps_belong_to_the_first() -> None:
    for found in (read(f"<think>Hm.</think>\n{SIX}"), read(SIX, reasoning="Hm.")):
        assert (found.path.source, len(found.path.pieces)) == ("steps", 6)
        assert "Hm." in found.path.pieces[0].text


def test_a_list_of_six_pieces_of_advice_is_an_answer_unless_steps_were_asked_for() -> None:
    advice = "\n".join(f"{number}. Do this." for number in range(1, 7))
    assert read(advice) == read(advice)._replace(status="ok", answer=advice)
    assert read(advice).path.source == "none"
    asked = read(advice, "six_steps")
    assert (asked.status, asked.answer, len(asked.path.pieces)) == ("no_answer", None, 6)


def test_steps_that_lack_are_a_path_where_they_were_asked_for() -> None:
    text = SIX.replace("2. Textual request: Words 1.\n", "")
    assert read(text).path.source == "none"
    found = read(text, "six_steps")
    assert (found.path.source, len(found.path.pieces), found.answer) == ("steps", 5, "Careful.")


@pytest.mark.parametrize(
    ("text", "thoughts"),
    [
        ("<think>I see.</think>Careful.", "I see."),
        ("I see.</think>Careful.", "I see."),
        ("<think>I see.</think>So.</think>Careful.", "I see.</think>So."),
        ("◁think▷I see.◁/think▷Careful.", "I see."),
        ("<thinking>I see.</thinking>\n<answer>Careful.</answer>", "I see."),
    ],
    ids=["both tags", "the closing one alone", "closed twice", "kimi", "glm"],
)
def test_what_stands_before_the_last_closing_tag_is_thought(text: str, thoughts: str) -> None:
    found = read(text)
    assert (found.status, found.path.source, found.answer) == ("ok", "think_tags", "Careful.")
    assert found.path.text == thoughts == found.path.pieces[0].text


def test_a_field_of_thoughts_is_the_path() -> None:
    found = read("Careful.", reasoning="I see.")
    assert (found.path.source, found.path.text, found.answer) == ("reasoning_content", "I see.", "Careful.")
    assert read("Careful.", reasoning="I see.", summarised=True).path.source == "summary"


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "<think>I see", "finish": "length"},
        {"text": "<think>I see", "finish": "stop"},
        {"text": "", "reasoning": "I see", "finish": "length"},
        {"text": "I see", "finish": "length", "protocol": "think"},
    ],
    ids=["unclosed", "unclosed and ended", "in a field", "opened by the template"],
)
def test_who_never_stops_thinking_has_a_path_and_no_answer(fields: dict[str, str]) -> None:
    found = read(**fields)  # type: ignore[arg-type]
    assert (found.status, found.answer, found.path.text) == ("no_answer", None, "I see")
    assert found.detail == (
        "no answer follows" if fields["finish"] == "stop" else "cut off before the answer"
    )


def test_a_path_of_steps_that_is_cut_off_has_no_answer() -> None:
    found = read(STEPS[: STEPS.index("5.")], "six_steps", finish="length")
    assert (found.status, len(found.path.pieces)) == ("no_answer", 4)


def test_an_answer_alone_has_no_path_and_thoughts_that_are_not_shown_are_hidden() -> None:
    assert read("Careful.") == Respond(read("").path, "Careful.", "ok")
    assert read("Careful.").path.source == "none"
    assert read("<think>\n\n</think>\n\nCareful.") == read("Careful."), "Qwen3 that was told not to think"
    hidden = read("Careful.", hidden=True)
    assert (hidden.path.source, hidden.path.pieces, hidden.answer) == ("hidden", (), "Careful.")
    assert read("", hidden=True, finish="length").status == "no_answer"


def test_nothing_is_empty_and_a_provider_refuses_by_field() -> None:
    assert (read(" \n").status, read(" \n").answer) == ("empty", None)
    refused = read("I cannot help with that.", refused=True)
    assert (refused.status, refused.answer, refused.detail) == (
        "provider_refusal", None, "I cannot help with that.",
    )  # fmt: skip
    assert read("I cannot help with that.").status == "ok", "words are not a field"


def test_long_reasoning_is_cut_at_paragraphs_and_short_ones_are_joined() -> None:
    long, short = "word " * 60, "So."
    found = read("Careful.", reasoning=f"{long}\n\n{short}\n\n{long}\n\n{short}")
    assert [piece.text.count("So.") for piece in found.path.pieces] == [0, 2]
    assert len(read("Careful.", reasoning="\n\n".join([long] * 40)).path.pieces) <= MOST
    lines = read("Careful.", reasoning="\n".join([long] * 4)).path.pieces
    assert len(lines) == 4, "lines, where there are no paragraphs"


PARTS = (
    *("<think>", "</think>", "◁/think▷", "<answer>", "</answer>", "Answer: ", "\nAnswer: Careful."),
    *("\n", "\n\n", " \n \n", "---\n", "word " * 50, "So.", "１. 見る", *STEPS.splitlines(True)),
)
TEXTS = st.lists(st.sampled_from(PARTS), max_size=20).map("".join)


@given(TEXTS, st.just("") | TEXTS, st.sampled_from(PROTOCOLS), st.sampled_from(["stop", "length", ""]))
def test_offsets_give_the_texts_back_and_pieces_are_the_path(
    text: str, reasoning: str, protocol: Protocol, finish: str
) -> None:
    found = respond(Sent(text, reasoning, finish), protocol)
    pieces, whole = found.path.pieces, reasoning + text
    assert [piece.index for piece in pieces] == list(range(1, len(pieces) + 1))
    assert all(whole[piece.start : piece.end] == piece.text for piece in pieces)
    assert all(one.end == next_.start for one, next_ in itertools.pairwise(pieces))
    assert "".join(piece.text for piece in pieces) == found.path.text
    assert (found.answer is not None) == (found.status == "ok")
    assert not found.answer or found.answer == found.answer.strip() != ""
    assert found.path.source == "steps" or len(pieces) <= MOST
    assert reasoning.strip() == "" or reasoning in found.path.text, "no thought is lost"


@given(st.lists(st.sampled_from(["word " * 30, "So. ", "\n", "\n\n", "\n \n\n"])).map("".join))
def test_pieces_are_few_and_none_but_a_single_one_is_short(text: str) -> None:
    bounds = cut(text)
    lengths = [stop - start for start, stop in itertools.pairwise(bounds)]
    assert sum(lengths) == len(text) and len(lengths) <= MOST
    assert len(lengths) < 2 or min(lengths) >= SHORT


def test_endless_repetition_is_read_in_a_moment() -> None:
    for text in ("<answer>" * 30_000, "a\n \n" * 30_000, "</think>" * 30_000, "a\n" * 60_000):
        for protocol in PROTOCOLS:
            assert respond(Sent(text, text), protocol).status in ("ok", "no_answer")
