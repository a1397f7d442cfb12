"""The engine that runs every agent: schema sent, retries with the fault shown, draws, journal, pictures."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from crew import PIXEL, REF, SHOWN, agent, caller
from fake_server import Fake, Whole

from ssui_gen.agent import AgentReply, Origin
from ssui_gen.calling.pictures import NO_PICTURE
from ssui_gen.errors import ReplyError
from ssui_gen.records import Record
from ssui_gen.replies import SafetyReply

HERE = Origin("item", 0, 0)
GOOD = {"evidence": "fine", "label": "safe"}


def ask(fake: Fake, folder: Path, name: str, *asked: Origin, **values: Any) -> list[AgentReply[Record]]:
    async def run() -> list[AgentReply[Record]]:
        async with caller(fake.url, folder) as calls:
            who = agent(name, calls)
            return [await who.ask(a, SHOWN if who.card.picture else NO_PICTURE, **values) for a in asked]

    return asyncio.run(run())


def test_the_reply_type_is_sent_as_json_schema(fake: Fake, tmp_path: Path) -> None:
    ask(fake, tmp_path, "check_text", HERE, text="hello")
    sent = fake.requests[0]["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"] == {"name": "SafetyReply", "schema": SafetyReply.model_json_schema()}


def test_every_string_of_every_reply_is_bounded_in_words_alone() -> None:
    from ssui_gen.replies import REPLIES

    for name, reply in REPLIES.items():
        schema = reply.model_json_schema()
        assert "maxLength" not in str(schema) and "minLength" not in str(schema)
        for field, one in schema["properties"].items():
            assert re.match(r"at most \d+ characters", one.get("description", "")) or "enum" in one, (
                f"{name}.{field}"
            )


def test_a_faulty_reply_is_shown_to_the_model_with_what_was_wrong(fake: Fake, tmp_path: Path) -> None:
    replies = [{"evidence": "x", "label": "perhaps"}, GOOD]
    fake.answers = {"check_text": lambda body: replies.pop(0)}
    (said,) = ask(fake, tmp_path, "check_text", HERE, text="hello")
    assert said.reply == SafetyReply(**GOOD)
    assert len(said.calls) == 2
    *_, assistant, user = fake.requests[1]["messages"]
    assert "perhaps" in assistant["content"]
    assert "label: Input should be 'safe' or 'unsafe'" in user["content"]


def test_after_its_attempts_the_agent_gives_up_and_names_the_fault(fake: Fake, tmp_path: Path) -> None:
    fake.answers = {"check_text": "not json"}
    with pytest.raises(ReplyError, match="no valid SafetyReply in 3 attempts: Invalid JSON"):
        ask(fake, tmp_path, "check_text", HERE, text="hello")
    assert fake.calls == 3


def test_a_greedy_question_is_asked_once_whoever_asks(fake: Fake, tmp_path: Path) -> None:
    first, second = ask(fake, tmp_path, "check_text", HERE, Origin("other", 2, 1), text="hello")
    assert fake.calls == 1
    assert first.calls == second.calls


def test_a_sampled_question_is_drawn_anew_for_every_item_and_round(fake: Fake, tmp_path: Path) -> None:
    places = (HERE, Origin("other", 0, 0), Origin("item", 1, 0))
    said = ask(fake, tmp_path, "summary", *places, text="hello", path="1. A: b")
    assert len({s.calls for s in said}) == fake.calls == 3
    assert len({body["seed"] for body in fake.requests}) == 3


def test_what_was_answered_before_a_restart_is_not_asked_again(fake: Fake, tmp_path: Path) -> None:
    before = ask(fake, tmp_path, "summary", HERE, text="hello", path="1. A: b")
    after = ask(fake, tmp_path, "summary", HERE, text="hello", path="1. A: b")
    assert (before[0].reply, before[0].calls) == (after[0].reply, after[0].calls)
    assert fake.calls == 1


def test_the_same_question_at_the_same_time_is_one_call(fake: Fake, tmp_path: Path) -> None:
    fake.latency = 0.1

    async def run() -> list[AgentReply[Record]]:
        async with caller(fake.url, tmp_path) as calls:
            who = agent("check_image", calls)
            return list(await asyncio.gather(*(who.ask(Origin(f"{i}", 0, 0), SHOWN) for i in range(5))))

    assert len({said.calls for said in asyncio.run(run())}) == 1
    assert fake.calls == 1


def test_the_picture_travels_before_the_text_and_never_enters_the_journal(fake: Fake, tmp_path: Path) -> None:
    ask(fake, tmp_path, "check_joint", HERE, text="hello")
    picture, text = fake.requests[0]["messages"][1]["content"]
    assert picture == PIXEL
    assert text["text"] == "Text: hello"
    kept = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"iVBORw0KGgo=" not in kept
    assert REF.sha256.encode() in kept


def test_of_a_reply_without_an_end_only_the_beginning_is_shown_again(fake: Fake, tmp_path: Path) -> None:
    endless = Whole({"content": '{"evidence": "' + "the floor is wet and " * 500}, "length")
    replies = [endless, Whole({"content": "", "reasoning": "Hm."}), GOOD]
    fake.answers = {"check_text": lambda body: replies.pop(0)}
    (said,) = ask(fake, tmp_path, "check_text", HERE, text="hello")
    assert said.reply == SafetyReply(**GOOD) and len(said.calls) == 3
    *_, cut, why, nothing, empty = fake.requests[2]["messages"]
    assert len(cut["content"]) == 600 and "cut off at 300 tokens" in why["content"]
    assert nothing["content"] == "(nothing)" and "thoughts alone" in empty["content"]


def test_thoughts_of_an_invalid_reply_are_not_shown_again(fake: Fake, tmp_path: Path) -> None:
    replies = ['<think>Hm.</think>{"label": "safe"}', GOOD]
    fake.answers = {"check_text": lambda body: replies.pop(0)}
    ask(fake, tmp_path, "check_text", HERE, text="hello")
    assert fake.requests[1]["messages"][-2]["content"] == '{"label": "safe"}'
