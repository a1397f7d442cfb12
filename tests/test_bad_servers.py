"""`ssui dataset` against servers that refuse one thing or answer oddly: it ends with records, or with one
line that names what was refused, in which words, and what to set; never in a traceback, in silence or as a
success of nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_server import PROBE
from foreign_servers import Body, Host, Refusal, hosted, pictures
from hosts import openai_error
from jobs import Ended, Job, job, plain

pytestmark = pytest.mark.slow

Sends = Callable[[Body], bool]


def field(name: str) -> Sends:
    return lambda body: name in body


def _parts(body: Body) -> str:
    return json.dumps([message["content"] for message in body["messages"]])


SENT: dict[str, Sends] = {
    name: field(name)
    for name in (
        "temperature", "top_p", "max_tokens", "seed", "response_format", "logprobs", "top_logprobs",
        "priority", "user",
    )
} | {
    "system": lambda body: body["messages"][0]["role"] == "system",
    "uuid": lambda body: '"uuid"' in _parts(body),
    "file": lambda body: any(url.startswith("file:") for url in pictures(body)),
    "image_url": lambda body: bool(pictures(body)),
}  # fmt: skip
"""All that a run sends beside the model's name and the messages, and how a request is seen to have it."""
NEEDED = {"image_url"}
"""What nothing can be made without."""


def _as_openai(what: str, status: int) -> Refusal:
    return openai_error(
        f"Unsupported parameter: '{what}' is not supported.", what, "unsupported_parameter", status
    )


def _as_fastapi(what: str, status: int) -> Refusal:
    detail = [{"loc": ["body", what], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}]
    return Refusal(status, {"detail": detail})


def _as_words(what: str, status: int) -> Refusal:
    return Refusal(status, {"error": f"this server has no {what}"})


SHAPES = {400: _as_openai, 422: _as_fastapi}


def made(folder: Path, url: str, seeds: int = 1) -> tuple[Ended, Job]:
    todo = job(folder, url, plain(seeds), twins=False, tries_per_call=2)
    done = todo.here()
    assert "Traceback" not in done.out + done.err
    assert (done.code == 0) == bool(todo.paths), "success is what made something"
    assert done.code == 0 or len(done.err.strip().splitlines()) == 1, "one line"
    return done, todo


def refuse(sends: Sends, refusal: Refusal) -> Host:
    return Host(refuses=lambda body: refusal if sends(body) else None)


def test_the_list_of_what_a_run_sends_is_whole(tmp_path: Path) -> None:
    with hosted(Host()) as server:
        made(tmp_path, server.url)
    sent = {name for body in server.requests for name in body}
    assert sent - {"model", "messages"} <= SENT.keys()
    for name, sends in SENT.items():
        assert name == "user" or any(map(sends, server.requests)), name


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("name", SENT)
def test_whatever_one_thing_is_refused_there_are_records_or_a_line_that_names_it(
    name: str, status: int, tmp_path: Path
) -> None:
    with hosted(refuse(SENT[name], SHAPES[status](name, status))) as server:
        done, _ = made(tmp_path, server.url)
    if name not in NEEDED:
        assert done.code == 0, done.err
        return
    assert "models.vlm" in done.err and name in done.err and "serve a vision-language model" in done.err
    assert "changes nothing" not in done.err, "it was refused, not looked at in vain"


@pytest.mark.parametrize("name", ["temperature", "logprobs", "response_format", "image_url"])
def test_words_without_a_field_are_enough(name: str, tmp_path: Path) -> None:
    with hosted(refuse(SENT[name], _as_words(name, 400))) as server:
        done, _ = made(tmp_path, server.url)
    assert done.code == (name in NEEDED), done.err
    assert f"this server has no {name}" in (done.out + done.err).replace("\n", " ")


@pytest.mark.parametrize("status", [400, 422])
def test_one_that_refuses_everything_says_so_in_its_words(status: int, tmp_path: Path) -> None:
    with hosted(Host(refuses=lambda body: openai_error("the moon is wrong", status=status))) as server:
        done, _ = made(tmp_path, server.url)
    assert "the moon is wrong" in done.err and "changes nothing" not in done.err


# --- answers ---------------------------------------------------------------------------------------------

QUOTA = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota", "type": "x"}}
Answer = Callable[[Body, Body], Body]


def said(change: Callable[[str], Any], **more: Any) -> Answer:
    """The text of every choice changed, and fields of the choice."""

    def answers(body: Body, completion: Body) -> Body:
        choices = [
            {
                **choice,
                "message": {"role": "assistant", "content": change(choice["message"]["content"])},
                **more,
            }
            for choice in completion["choices"]
        ]
        return {**completion, "choices": choices}

    return answers


def at_work(answers: Answer) -> Answer:
    """As it should be while the server is asked about itself."""
    return lambda body, made: made if body.get("user") == PROBE else answers(body, made)


def in_hindi(text: str) -> str:
    """The words of a reply in another language; the names of classes stay."""
    try:
        reply = json.loads(text)
    except ValueError:
        return text
    told = {
        name: " ".join(map(_in_hindi, value.split())) for name, value in reply.items() if " " in str(value)
    }
    return json.dumps(reply | told, ensure_ascii=False)


def _in_hindi(word: str) -> str:
    return word if "_" in word or word == "benign" else "बिल्ली"


GOOD: dict[str, Answer] = {
    "in parts": said(lambda text: [{"type": "text", "text": text}]),
    "in another language": said(in_hindi),
    "with its template's mark": said(lambda text: f"{text}<|im_end|>"),
    "with its template's next turn": at_work(said(lambda text: f"{text}<|im_end|>\n<|im_start|>user\n")),
    "with an end token": said(lambda text: f"{text}</s>"),
    "in a fence": said(lambda text: f"```json\n{text}\n```" if text[:1] == "{" else text),
    "after a blank line": said(lambda text: f"\n\n{text}"),
}
BAD: dict[str, tuple[Answer, str, str]] = {
    "no content": (at_work(said(lambda text: None)), "call_failed", "without a completion"),
    "no choices": (at_work(lambda body, made: made | {"choices": []}), "call_failed", "without a completion"),
    "null": (at_work(lambda body, made: made | {"choices": None}), "call_failed", "without a completion"),
    "repeats to the limit": (
        at_work(said(lambda text: "the cat " * 400, finish_reason="length")), "reply_invalid", "cut off",
    ),
    "nothing": (at_work(said(lambda text: "")), "reply_invalid", ""),
}  # fmt: skip


@pytest.mark.parametrize("how", GOOD)
def test_an_odd_answer_that_can_be_read_makes_records(how: str, tmp_path: Path) -> None:
    with hosted(Host(answers=GOOD[how])) as server:
        done, todo = made(tmp_path, server.url)
    assert done.code == 0, done.err + str(todo.rejects)
    assert "<|im_" not in json.dumps(todo.paths) and "</s>" not in json.dumps(todo.paths)


@pytest.mark.parametrize("how", BAD)
def test_an_answer_that_is_none_is_a_reject_with_the_servers_words(how: str, tmp_path: Path) -> None:
    answers, reason, words = BAD[how]
    with hosted(Host(answers=answers)) as server:
        done, todo = made(tmp_path, server.url)
    assert done.code == 1 and reason in done.err
    (reject,) = todo.rejects
    assert reject["reason"] == reason and words in reject["detail"]


def test_a_quota_that_ends_in_mid_run_is_told_in_the_servers_words(tmp_path: Path) -> None:
    with hosted(Host(answers=at_work(lambda body, made: QUOTA))) as server:
        done, _ = made(tmp_path, server.url)
    assert done.code == 1 and "exceeded your current quota" in done.err


@pytest.mark.parametrize("how", ["quota in a 200", "no choices"])
def test_one_that_answers_so_from_the_start_is_told_before_the_first_seed(how: str, tmp_path: Path) -> None:
    host = Host(answers=lambda body, made: QUOTA if how == "quota in a 200" else {**made, "choices": []})
    with hosted(host) as server:
        done, todo = made(tmp_path, server.url)
    assert done.code == 1 and not todo.rejects
    assert "changes nothing" not in done.err and "vision" not in done.err
    assert how != "quota in a 200" or "exceeded your current quota" in done.err
