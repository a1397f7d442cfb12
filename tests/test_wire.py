"""Reading what servers send: completions of several makers, and refusals in their words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.calling import wire
from ssui_gen.completions import Choice, Completion
from ssui_gen.errors import AccessDenied, ContextOverflow, RequestRefused
from ssui_gen.labels import label_probability


def read(choice: dict[str, Any], **fields: Any) -> Completion:
    return wire.completion(json.dumps({"choices": [choice], **fields}), "asked-for", 0.1, 1)


def said(content: str | None, **fields: Any) -> dict[str, Any]:
    return {"message": {"content": content}, **fields}


def test_a_server_that_names_no_model_and_counts_no_tokens_is_read() -> None:
    made = read(said("yes"))
    assert (made.model, made.usage.prompt_tokens, made.choices[0].finish_reason) == ("asked-for", 0, None)


def test_a_refusal_field_is_the_text() -> None:
    assert read({"message": {"content": None, "refusal": "I cannot."}}).choices[0].text == "I cannot."


def test_no_content_is_a_fault_unless_the_server_stopped_early() -> None:
    assert read(said(None, finish_reason="length")).choices[0].text == ""
    with pytest.raises(ValueError, match="text"):
        read(said(None, finish_reason="stop"))


def entry(logprob: object, **top: object) -> dict[str, Any]:
    others = [{"token": token, "logprob": value} for token, value in top.items()]
    return {"token": "yes", "logprob": logprob, "top_logprobs": others}


@pytest.mark.parametrize("wrong", [1000, 1e308, float("inf"), 0.5])
@pytest.mark.parametrize("place", ["token", "another"])
def test_what_can_be_no_log_probability_is_none_and_the_answer_stays(wrong: float, place: str) -> None:
    one = entry(wrong) if place == "token" else entry(-1.0, no=wrong)
    choice = read(said("yes", logprobs={"content": [entry(-0.1), one]})).choices[0]
    assert (choice.text, choice.logprobs) == ("yes", None)


def test_rounding_above_zero_is_certainty_and_none_is_the_least() -> None:
    content = [entry(1e-6, no=float("-inf")), entry(float("nan"))]
    first, second = read(said("yes", logprobs={"content": content})).choices[0].logprobs or ()
    assert (first.logprob, first.top, second.logprob) == (0.0, (("no", -9999.0),), -9999.0)


@given(st.floats() | st.integers(-(10**30), 10**30))
def test_an_answer_that_was_kept_can_always_be_read_and_counted(logprob: float) -> None:
    """A journal may have been written by another version: one number must not end each later run."""
    start, end = '{"a": "', "yes"
    tokens = [{"token": start, "logprob": 0}, {"token": end, "logprob": logprob}]
    row = json.dumps({"text": start + end, "finish_reason": None, "logprobs": tokens})
    found = label_probability(Choice.model_validate_json(row), "a", "yes", ("yes", "no"))
    assert found is None or 0 <= found.mass <= 1


@pytest.mark.parametrize("count", [-3, 10**400, "many", 2.5, None, [1]])
def test_a_count_that_is_none_is_not_counted(count: object) -> None:
    usage = {
        "prompt_tokens": count,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": count},
    }
    made = read(said("yes"), usage=usage).usage
    assert (made.prompt_tokens, made.completion_tokens, made.cached_tokens) == (0, 7, None)


NO_COMPLETIONS = ("", "null", "[]", '"yes"', '{"choices": 3}', '{"choices": []}', "[" * 100_000)


@pytest.mark.parametrize("text", NO_COMPLETIONS)
def test_what_is_no_completion_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        wire.completion(text, "m", 0.1, 1)


def test_what_no_file_can_hold_is_replaced_so_that_the_journal_can_keep_it() -> None:
    nats = [float("-inf"), float("nan"), -1.0]
    entries = [{"token": "a", "logprob": value, "top_logprobs": []} for value in nats]
    made = read(said("half \ud83d, whole \U0001f600", logprobs={"content": entries}))
    assert made.choices[0].text == "half ?, whole \U0001f600"
    assert [token.logprob for token in made.choices[0].logprobs or ()] == [-9999.0, -9999.0, -1.0]
    assert Completion.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 4096 tokens.",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "max_tokens=9000 cannot be greater than max_model_len=4096",
    ],
)
def test_a_context_overflow_is_told_from_other_refusals(text: str) -> None:
    assert type(wire.refusal("u", 400, None, text)) is ContextOverflow
    assert type(wire.refusal("u", 400, None, "temperature must not be negative")) is RequestRefused


def test_openais_codes_outweigh_its_words() -> None:
    assert type(wire.refusal("u", 400, "context_length_exceeded", "too long")) is ContextOverflow
    assert wire.refusal("u", 429, "rate_limit_exceeded", "slow down") is None
    assert type(wire.refusal("u", 429, "insufficient_quota", "pay first")) is AccessDenied


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "no"}, "no"),
        ("no", "no"),
        ({"detail": [{"loc": ["body"]}]}, '{"detail": [{"loc": ["body"]}]}'),
        (None, "null"),
    ],
)
def test_the_sentence_is_found_where_servers_put_it(body: object, message: str) -> None:
    assert wire.message_of(body) == message


def test_a_servers_words_are_short_plain_and_without_the_key() -> None:
    cleaned = wire.clean("\x1b[31mkey sk-1\r\n‮is wrong " + "x" * 10**6, "sk-1")
    assert cleaned.startswith("[31mkey <key> is wrong xxx")
    assert cleaned.isprintable() and len(cleaned) == wire.SHOWN
