"""Refusals end an item as what they are: by a field, by a filter, in words, in a field of the reply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from crew import ITEM, send
from fake_server import CREDITS, FILTERED, Fake, Whole
from jobs import job, plain

from ssui_gen.jobs.progress import REFUSE_LESS, Funnel, refusals
from ssui_gen.records import STEP_NAMES, ReasoningPath, Reject

REFUSAL = "I'm sorry, but I can't assist with that request."
LONG = REFUSAL + " It would be unsafe." * 40


@pytest.mark.parametrize(
    ("agent", "said", "stage"),
    [
        ("query", Whole({"content": None, "refusal": REFUSAL}), "query"),
        ("query", Whole({"content": [{"type": "refusal", "refusal": REFUSAL}]}), "query"),
        ("query", Whole({"content": ""}, "content_filter"), "query"),
        ("query", LONG, "query"),
        ("summary", {"answer": LONG}, "summarise"),
        ("check_text", {"evidence": REFUSAL, "label": "safe"}, "check_text"),
        ("reasoning", dict.fromkeys(STEP_NAMES, REFUSAL), "reason"),
    ],
)
def test_a_refusal_is_asked_for_once_and_what_was_said_is_kept(
    fake: Fake, tmp_path: Path, agent: str, said: object, stage: str
) -> None:
    fake.answers = {agent: said}  # type: ignore[dict-item]
    reject = send(fake.url, tmp_path)
    assert isinstance(reject, Reject)
    assert (reject.stage, reject.reason) == (stage, "refused")
    assert fake.counts[agent] == 1 and len(reject.made_by) == fake.calls
    assert len(reject.detail) < 130
    assert ("withholds" if isinstance(said, Whole) and said.finish != "stop" else REFUSAL) in reject.detail


def test_a_filter_of_the_provider_costs_the_item_and_not_the_run(fake: Fake, tmp_path: Path) -> None:
    fake.always = "filtered"
    reject = send(fake.url, tmp_path)
    assert isinstance(reject, Reject) and (reject.stage, reject.reason) == ("query", "refused")
    assert FILTERED in reject.detail and fake.calls == 1


def test_an_account_without_credit_ends_the_run_with_the_servers_words(fake: Fake, tmp_path: Path) -> None:
    fake.faults = ("ok",) * 3 + ("credits",) * 99
    made = job(tmp_path, fake.url, plain(2))
    end = made.here()
    assert end.code == 1 and f"an error under HTTP 200: HTTP 402: '{CREDITS}'" in end.err
    assert "add some" in end.err and not made.rejects


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_model_that_wraps_every_reply_makes_the_same_rows(
    fake: Fake, tmp_path: Path, wrapped: bool
) -> None:
    answer = {"answer": "I would not run here: the floor is wet. A track is a good place for it."}
    said = f"<think>Hm, {{no}}.</think>Here it is:\n```json\n{json.dumps(answer)}\n```\nDone.<|im_end|>"
    fake.answers = {"summary": said if wrapped else answer}
    path = send(fake.url, tmp_path)
    assert isinstance(path, ReasoningPath) and path.answer == answer["answer"]
    assert fake.counts["summary"] == 1


def test_the_run_says_how_many_refused_and_what_can_be_done(fake: Fake, tmp_path: Path) -> None:
    fake.answers = {"query": lambda body: REFUSAL if "benign" in str(body["messages"][1]) else _asked()}
    made = job(tmp_path, fake.url, plain(2))
    end = made.here()
    assert end.code == 0, end.err
    assert made.reasons == {"refused": 2} and len(made.paths) == 2
    assert "2 of 4 items refused by query (50%): what was said is in rejects.jsonl" in end.out
    assert "--retry refused" in end.out
    calls = fake.calls
    assert made.here().code == 0 and fake.calls == calls, "the same words are not tried again"


def _asked() -> dict[str, str]:
    told = dict.fromkeys(("image_evidence", "text", "text_evidence", "scenario"), "A kettle.")
    return told | {"category": "dangerous_behavior"}


def test_a_few_refusals_are_counted_without_advice() -> None:
    funnel = Funnel()
    funnel.kept["risky"], funnel.dropped["query", "refused"] = 92, 4
    assert list(refusals(funnel)) == [
        "4 of 96 items refused by query (4%): what was said is in rejects.jsonl"
    ]
    funnel.dropped["summarise", "refused"] = 24
    assert [REFUSE_LESS in line for line in refusals(funnel)] == [True, False]
    funnel.dropped.clear()
    assert not list(refusals(funnel))


def test_the_reasoning_of_a_reply_is_kept_in_the_journal(fake: Fake, tmp_path: Path) -> None:
    answer = {"answer": "Walk; the floor is wet."}
    fake.answers = {"summary": Whole({"content": json.dumps(answer), "reasoning_content": "First I look."})}
    path = send(fake.url, tmp_path, ITEM)
    assert isinstance(path, ReasoningPath)
    assert b"First I look." in b"".join(file.read_bytes() for file in tmp_path.glob("calls.sqlite*"))
