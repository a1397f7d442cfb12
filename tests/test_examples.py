"""The pool of examples: each situation whole, every class there, drawn alike for alike questions."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from crew import CARDS, EXAMPLES, PIXEL, PROMPTS, REF, ROOT, agent, caller
from fake_answers import prompt_text
from fake_server import Fake
from hypothesis import given
from hypothesis import strategies as st
from real_tokens import qwen, qwen_file

from ssui_gen import yamls
from ssui_gen.agent import Origin
from ssui_gen.calling.pictures import Picture, Shown
from ssui_gen.errors import ConfigError
from ssui_gen.examples import Situation, drawn, load_examples
from ssui_gen.jobs.plan import AGENTS
from ssui_gen.lengths import LONGEST_ANSWER, LONGEST_LINE, LONGEST_TEXT
from ssui_gen.replies import REPLIES
from ssui_gen.taxonomy import class_ids, classes

POOL = ROOT / "prompts" / "examples.yaml"
ROWS: list[dict[str, Any]] = yamls.read(POOL)
RISKY = next(i for i, one in enumerate(EXAMPLES) if one.kind == "risky")
BENIGN = next(i for i, one in enumerate(EXAMPLES) if one.kind == "benign")
KEYS = st.lists(st.text(max_size=8), min_size=1, max_size=3)


def system(name: str, examples: tuple[Situation, ...]) -> str:
    values = dict.fromkeys(PROMPTS[name].variables, "x") | {"classes": classes(), "language": "English"}
    return PROMPTS[name].render(**values | {"examples": examples})[0]


def written(folder: Path, rows: object) -> Path:
    path = folder / "examples.yaml"
    path.write_text(yamls.dump(rows), "utf-8")
    return path


def changed(place: int, **changes: Any) -> list[dict[str, Any]]:
    """The pool's rows, one of them with other parts; None takes a part away."""
    row = {key: value for key, value in {**ROWS[place], **changes}.items() if value is not None}
    return [*ROWS[:place], row, *ROWS[place + 1 :]]


def test_the_pool_is_wide_and_holds_every_class_and_both_kinds() -> None:
    assert len(EXAMPLES) >= 20
    assert {one.query.category for one in EXAMPLES} == set(class_ids())
    assert min(Counter(one.kind for one in EXAMPLES).values()) >= 5
    assert len({one.words for one in EXAMPLES}) == len({one.picture for one in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("name", AGENTS)
def test_every_example_that_an_agent_is_shown_is_a_reply_of_its_own_type(name: str) -> None:
    shown = system(name, EXAMPLES).removeprefix(system(name, ()))
    replies = [line[line.index('{"') :] for line in shown.splitlines() if '{"' in line]
    assert len(replies) >= len(EXAMPLES)
    for reply in replies:
        REPLIES[CARDS[name].reply].model_validate_json(reply)


@pytest.mark.parametrize("name", AGENTS)
def test_examples_stand_last_so_that_what_calls_share_stands_first(name: str) -> None:
    assert CARDS[name].examples > 0
    assert system(name, EXAMPLES[:2]).startswith(system(name, ()))


@pytest.mark.parametrize("name", AGENTS)
def test_a_prompt_names_the_lengths_that_its_reply_may_have(name: str) -> None:
    told = {LONGEST_LINE, LONGEST_TEXT, LONGEST_ANSWER}
    fields = REPLIES[CARDS[name].reply].model_json_schema()["properties"].values()
    bounds = {field["maxLength"] for field in fields if "maxLength" in field} or told
    assert any(f"{bound} characters" in system(name, ()) for bound in bounds & told)


@given(key=KEYS, count=st.integers(0, 12), taken=st.sampled_from(EXAMPLES))
def test_what_is_drawn_depends_on_the_key_alone_and_repeats_neither_class_nor_question(
    key: list[str], count: int, taken: Situation
) -> None:
    found = drawn(EXAMPLES, count, key, taken.query.text.upper() + " ")
    assert found == drawn(tuple(reversed(EXAMPLES)), count, key, taken.query.text)
    assert len(found) == count and taken not in found
    risky = [one.query.category for one in found if one.kind == "risky"]
    assert len(set(risky)) == len(risky) == (count + 1) // 2


MOST = {
    "query": 780, "check_text": 260, "check_image": 235, "check_joint": 275,
    "reasoning": 820, "reflection": 385, "summary": 280,
}  # fmt: skip
"""Tokens of a system text, some more than now: small models have 4,096 for it, the picture and the reply."""


@pytest.mark.skipif(qwen_file() is None, reason="dashscope, which brings Qwen's ranks, is not installed")
@pytest.mark.parametrize("name", AGENTS)
def test_a_system_text_stays_as_short_as_it_is(name: str) -> None:
    tokenizer, count = qwen(cast(Path, qwen_file())), CARDS[name].examples
    texts = [system(name, drawn(EXAMPLES, count, [name, str(i)], "")) for i in range(30)]
    assert sum(len(tokenizer(text)["input_ids"]) for text in texts) / 30 < MOST[name]


def test_each_situation_is_drawn_sometimes() -> None:
    counts = Counter(one.id for i in range(600) for one in drawn(EXAMPLES, 2, ["reasoning", str(i)], ""))
    assert set(counts) == {one.id for one in EXAMPLES}
    assert max(counts.values()) < 150


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (changed(0, pictur="x"), r"unknown key 'situations\.0\.pictur'"),
        (changed(0, summary=None), r"situations\.0\.summary: Field required"),
        (changed(RISKY, told=None), "expected `told` and `harmed` of a risky situation"),
        (changed(BENIGN, told=ROWS[RISKY]["told"]), "expected `told` and `harmed` of a risky situation"),
        (changed(RISKY, check_text={"evidence": "x", "label": "unsafe"}), "check_text: expected safe"),
        (changed(RISKY, check_joint={"evidence": "x", "label": "safe"}), "a risky pair is labelled safe"),
        (changed(RISKY, reasoning=ROWS[BENIGN]["reasoning"]), "step 4 names none; expected"),
        (changed(RISKY, reflection={**ROWS[RISKY]["reflection"], "decision": "accept"}), "got accept"),
        ([*ROWS, ROWS[0]], "stands twice"),
        ([row for row in ROWS if row["query"]["category"] != "self_harm"], "no situation of self_harm"),
        ({"a": 1}, "expected a list of situations"),
    ],
)
def test_a_pool_that_is_not_whole_is_refused(tmp_path: Path, rows: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_examples(written(tmp_path, rows))


def test_an_agent_is_shown_as_many_as_its_card_says_and_the_same_when_it_tries_again(
    fake: Fake, tmp_path: Path
) -> None:
    fake.answers = {"check_joint": "no JSON"}
    pictures = [REF, REF, REF.model_copy(update={"sha256": "1" * 64})]

    async def run() -> None:
        async with caller(fake.url, tmp_path) as calls:
            for number, ref in enumerate(pictures):
                who = agent("check_joint", calls)
                shown = Shown((Picture(ref, 1280, lambda sending: PIXEL),))
                with pytest.raises(Exception, match="no valid SafetyReply"):
                    await who.ask(Origin(f"item {number}", 0, 0), shown, text=f"Question {number}")

    asyncio.run(run())
    shown = [prompt_text(body, "system") for body in fake.requests]
    assert len(shown) == 9 and len(set(shown[:6])) == 1 and len(set(shown)) == 2
    assert all(text.count('"label":"') == CARDS["check_joint"].examples for text in shown)


@pytest.mark.parametrize("name", AGENTS)
def test_the_language_is_named_and_what_stays_english(name: str) -> None:
    values = dict.fromkeys(PROMPTS[name].variables, "x") | {"classes": classes(), "examples": ()}
    text = PROMPTS[name].render(**values | {"language": "Hindi"})[0]
    assert "Write in Hindi; " in text and " as " in text.partition("Write in Hindi; ")[2]


def test_the_pool_and_the_language_are_part_of_the_edition(tmp_path: Path) -> None:
    from ssui_gen.jobs.plan import resolve
    from ssui_gen.prompts import blob_id

    settings = tmp_path / "run.yaml"
    settings.write_text("language: Hindi\n")
    given: dict[str, Any] = {"seeds": None, "limit": None, "mix": False, "model": None, "base_url": None}
    hindi = resolve(run=tmp_path, config_file=settings, **given)
    plain = resolve(run=tmp_path, config_file=None, **given)
    shown = hindi.edition({}).rendered
    assert shown["examples.yaml"] == blob_id(POOL.read_bytes())[:8] and shown["language"] == "Hindi"
    assert plain.edition({}).changes(hindi.edition({})) == ["language English → Hindi"]
    for name, card in plain.cards.items():
        assert hindi.cards[name].sampling.max_tokens == 3 * card.sampling.max_tokens
    assert json.loads(json.dumps(shown)) == shown
