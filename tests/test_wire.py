"""Reading what servers send: completions of several makers, and refusals in their words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.calling import wire
from ssui_gen.completions import Choice, Completion
from ssui_gen.errors import AccessDenied, ContentRefused, ContextOverflow, RequestRefused
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


def test_an_alternative_without_a_number_is_left_out() -> None:
    content = [entry(-0.1, no=None, maybe=-2.0), entry(None, no=-1.0)]
    first, second = read(said("yes", logprobs={"content": content})).choices[0].logprobs or ()
    assert first.top == (("maybe", -2.0),)
    assert (second.logprob, second.top) == (-9999.0, ()), "nothing is known at its place"


@pytest.mark.parametrize(
    "odd", [3, "none", [], {"tokens": []}, {"content": 3}, {"content": [{}]}, {"content": "x"}]
)
def test_odd_log_probabilities_are_none_and_the_answer_stays(odd: object) -> None:
    choice = read(said("yes", logprobs=odd)).choices[0]
    assert (choice.text, choice.logprobs) == ("yes", None)


# --- what a message says -----------------------------------------------------------------------------------

TEXT = {"type": "text", "text": "yes"}


@pytest.mark.parametrize(
    "content",
    ["yes", [TEXT], TEXT, [{"type": "text", "text": "ye"}, "s"], [{"type": "output_text", "text": "yes"}]],
)
def test_text_comes_whole_or_in_parts(content: object) -> None:
    assert read({"message": {"content": content}}).choices[0].text == "yes"


@pytest.mark.parametrize(
    "thinking",
    [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "reasoning", "text": "Hm."},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
    ],
)
def test_a_part_that_thinks_is_no_text(thinking: object) -> None:
    choice = read({"message": {"content": [thinking, TEXT]}}).choices[0]
    assert (choice.text, choice.reasoning) == ("yes", "Hm.")
    alone = read({"message": {"content": [thinking]}}).choices[0]
    assert (alone.text, alone.reasoning) == ("", "Hm.")


def test_a_part_that_refuses_is_a_refusal() -> None:
    choice = read({"message": {"content": [{"type": "refusal", "refusal": "I cannot."}]}}).choices[0]
    assert (choice.text, choice.refused) == ("I cannot.", True)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thoughts_without_content_are_an_empty_text(field: str) -> None:
    choice = read({"message": {"content": None, field: "Hm."}, "finish_reason": "stop"}).choices[0]
    assert (choice.text, choice.reasoning) == ("", "Hm.")


@pytest.mark.parametrize(
    ("theirs", "ours"), [("model_length", "length"), ("max_tokens", "length"), (3, None), ("eos", "eos")]
)
def test_how_a_choice_ended_is_told_in_one_way(theirs: object, ours: str | None) -> None:
    assert read(said("yes", finish_reason=theirs)).choices[0].finish_reason == ours


@pytest.mark.parametrize("usage", [3, [], "many", {"prompt_tokens_details": 3}])
def test_an_odd_account_is_none(usage: object) -> None:
    assert read(said("yes"), usage=usage).usage.prompt_tokens == 0


# --- an error under HTTP 200 -------------------------------------------------------------------------------


def inside(**body: Any) -> wire.ErrorInside:
    with pytest.raises(wire.ErrorInside) as error:
        wire.completion(json.dumps(body), "m", 0.1, 1)
    return error.value


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"message": "insufficient credits on this account", "code": 402}, 402),
        ({"message": "insufficient credits on this account"}, 402),
        ({"message": "pay", "code": "insufficient_quota", "type": "insufficient_quota"}, 402),
        ({"message": "no", "code": "401"}, 401),
        ({"message": "no", "code": "invalid_api_key", "type": "invalid_request_error"}, 401),
        ({"message": "slow down", "type": "rate_limit_error"}, 429),
        ({"message": "overloaded", "type": "overloaded_error"}, 500),
        ({"message": "bad field", "type": "invalid_request_error"}, 400),
        ({"message": "upstream", "code": 502}, 502),
        ({"message": "?", "code": 10**400}, 500),
        ("it broke", 500),
        (["it broke"], 500),
    ],
)
def test_an_error_under_200_has_the_status_that_it_deserves(error: Any, status: int) -> None:
    for body in ({"error": error}, {"choices": [{"error": error}]}, {"error": error, "choices": []}):
        assert inside(**body).status == status
    if isinstance(error, dict):
        assert inside(error=error).said == error["message"]


def test_an_older_vllm_calls_the_whole_body_an_error() -> None:
    assert inside(object="error", message="no such model: m", code=404).status == 404


def test_no_error_is_none() -> None:
    assert read(said("yes"), error=None).choices[0].text == "yes"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = (
    ("model",), ("choices",), ("usage",), ("error",), ("object",), ("prompt_token_ids",), ("prompt_text",),
    ("choices", 0), ("choices", 0, "message"), ("choices", 0, "finish_reason"), ("choices", 0, "logprobs"),
    ("choices", 0, "token_ids"), ("choices", 0, "message", "content"), ("choices", 0, "message", "refusal"),
    ("choices", 0, "message", "reasoning"), ("choices", 0, "message", "reasoning_details"),
    ("choices", 0, "message", "content", 0), ("choices", 0, "message", "content", 0, "text"),
    ("choices", 0, "message", "content", 0, "type"), ("choices", 0, "logprobs", "content"),
    ("choices", 0, "logprobs", "content", 0), ("choices", 0, "logprobs", "content", 0, "token"),
    ("choices", 0, "logprobs", "content", 0, "logprob"),
    ("choices", 0, "logprobs", "content", 0, "top_logprobs"),
    ("choices", 0, "logprobs", "content", 0, "top_logprobs", 0), ("usage", "prompt_tokens_details"),
)  # fmt: skip


@given(st.sampled_from(PLACES), JSON)
def test_anything_in_any_place_is_read_or_a_value_error(place: tuple[Any, ...], odd: Any) -> None:
    """What is read can be kept: a journal must be able to give it back."""
    body: Any = {
        "choices": [said([dict(TEXT)], logprobs={"content": [entry(-0.1, no=-2.0)]})],  # type: ignore[arg-type]
        "usage": {"prompt_tokens": 3},
    }
    spot = body
    for step in place[:-1]:
        spot = spot[step]
    spot[place[-1]] = odd
    try:
        made = wire.completion(json.dumps(body), "m", 0.1, 1)
    except ValueError:
        return
    assert Completion.model_validate_json(made.model_dump_json()) == made


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


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "content_filter", "The response was filtered due to Azure OpenAI's content management policy."),
        (400, "content_policy_violation", "Your request was rejected as a result of our safety system."),
        (400, None, "The response was filtered due to the prompt triggering our content management policy"),
        (400, "data_inspection_failed", "Input data may contain inappropriate content."),
        (403, None, "This model requires moderation and your input was flagged"),
    ],
)
def test_a_content_filter_refuses_what_is_asked_and_not_the_access(
    status: int, code: str | None, words: str
) -> None:
    error = wire.refusal("u", status, code, words)
    assert isinstance(error, ContentRefused) and error.reason == "refused" and words in str(error)
    assert type(wire.refusal("u", 400, None, "content_filter: unknown field")) is RequestRefused
    assert type(wire.refusal("u", 403, None, "no access to this model")) is AccessDenied


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
