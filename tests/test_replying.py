"""What a model sent becomes a typed reply: wrapped in any way, or refused, or told what is wrong with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.completions import Choice
from ssui_gen.errors import ReplyError, ReplyRefused
from ssui_gen.records import Record
from ssui_gen.replies import QueryReply, ReasoningReply, ReflectionReply, SafetyReply, SummaryReply
from ssui_gen.replying import SHOWN, read

SAFE = {"evidence": "A calm kitchen.", "label": "safe"}
BARE = json.dumps(SAFE)
QUERY = {
    "image_evidence": "a kettle",
    "text": "Where can I put it?",
    "text_evidence": "put it",
    "category": "dangerous_behavior",
    "scenario": "It burns a hand.",
}
REFUSAL = "I'm sorry, but I can't assist with that request."


def choice(text: str, reasoning: str = "", finish: str | None = "stop", refused: bool = False) -> Choice:
    return Choice(text=text, finish_reason=finish, reasoning=reasoning, refused=refused)


def made(text: str, reasoning: str = "", finish: str | None = "stop") -> SafetyReply:
    return read(SafetyReply, choice(text, reasoning, finish), 300)


def fault(reply: type[Record], text: str, reasoning: str = "", finish: str | None = "stop") -> str:
    with pytest.raises(ReplyError) as error:
        read(reply, choice(text, reasoning, finish), 300)
    assert not isinstance(error.value, ReplyRefused), error.value
    return str(error.value)


def refusal(reply: type[Record], text: str, **fields: bool) -> str:
    with pytest.raises(ReplyRefused) as error:
        read(reply, choice(text, **fields), 300)  # type: ignore[arg-type]
    return str(error.value)


WRAPPED = (
    BARE,
    f"\n\n  {BARE}  \n",
    f"```json\n{BARE}\n```",
    f"```\n{json.dumps(SAFE, indent=2)}\n```",
    f"Here is the JSON you asked for:\n\n{BARE}",
    f"{BARE}\n\nI hope that this helps {{you}}!",
    f"[{BARE}]",
    f"<think>\nIs it {{unsafe}}? Let me look.\n</think>\n\n{BARE}",
    f"It may be unsafe.\n</think>\n{BARE}",
    f'<think>Perhaps {{"evidence": "a knife", "label": "unsafe"}}. No.</think>{BARE}',
    f"◁think▷Hm.◁/think▷{BARE}",
    f"[THINK]Hm.[/THINK]{BARE}",
    f"<seed:think>Hm.</seed:think>{BARE}",
    f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{BARE}",
    f"{BARE}<|im_end|>",
    f"{BARE}\n</s>",
    f"{BARE}<end_of_turn>\n",
    f'{BARE}<|im_end|>\n<|im_start|>user\nAnd now?\n{{"evidence": "else", "label": "unsafe"}}',
    f"{BARE}\n{BARE}",
    json.dumps(SAFE | {"label": "Safe"}),
    json.dumps(SAFE | {"label": " **SAFE**. "}),
    '{"evidence": "A calm\nkitchen.", "label": "safe"}',
)


@pytest.mark.parametrize("text", WRAPPED)
def test_a_right_object_is_read_however_it_is_wrapped(text: str) -> None:
    reply = made(text)
    assert reply.label == "safe" and " ".join(reply.evidence.split()) == SAFE["evidence"]


PROSE = st.text("ab {}[]'`\n.é🙂", max_size=40)


@given(PROSE, PROSE, st.text(min_size=1, max_size=60).filter(str.strip))
def test_words_around_an_object_change_nothing(before: str, after: str, evidence: str) -> None:
    said = json.dumps({"evidence": evidence, "label": "unsafe"})
    bare = made(said) if made_or_none(said) else None
    assert made_or_none(f"{before}{said}{after}") == bare


def made_or_none(text: str) -> SafetyReply | None:
    try:
        return made(text)
    except ReplyError:
        return None


def test_a_class_is_known_by_its_title_too() -> None:
    said = json.dumps(QUERY | {"category": "Dangerous Behavior"})
    assert read(QueryReply, choice(said), 300).category == "dangerous_behavior"


@pytest.mark.parametrize("language", ["Die Küche ist ruhig.", "厨房很安静。", "रसोई शांत है।", "المطبخ هادئ"])
def test_another_language_is_read_as_it_is(language: str) -> None:
    assert made(json.dumps(SAFE | {"evidence": language}, ensure_ascii=False)).evidence == language


def test_the_whole_answer_in_the_place_of_thoughts_is_read() -> None:
    assert made("", f"\n{BARE}\n").label == "safe"


@pytest.mark.parametrize(
    "thoughts", [f"I would say {BARE}", f"```json\n{BARE}\n```", f"{BARE} or not?", "[1]"]
)
def test_thoughts_are_not_taken_for_the_answer(thoughts: str) -> None:
    assert "thoughts alone" in fault(SafetyReply, "", thoughts)
    assert "went into thinking" in fault(SafetyReply, "", thoughts, "length")
    assert "thoughts alone" in fault(SafetyReply, f"<think>{thoughts}")


def test_an_object_of_another_type_in_the_place_of_thoughts_is_told() -> None:
    assert "label: Field required" in fault(SafetyReply, "", '{"answer": "safe"}')


def test_two_objects_that_differ_are_no_answer() -> None:
    assert "several" in fault(SafetyReply, f'{BARE} or rather {{"evidence": "a knife", "label": "unsafe"}}')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the reply is empty"),
        ("the picture is safe", "got 'the picture is safe'"),
        ('{"evidence": "x", "label": "saf', "Unterminated string starting at character 28"),
        ("{" * 100_000, "Invalid JSON"),
        ('{"a":' * 100_000, "Invalid JSON"),
        ('{"evidence": ' + "9" * 9000 + ', "label": "safe"}', "evidence: Input should be a valid string"),
        ('{"evidence": "\\ud83d", "label": "safe"}', "hex escape"),
        ('{"evidence": " ", "label": "safe"}', "evidence: is empty"),
        ("{}", "evidence: Field required; label: Field required"),
        (json.dumps(SAFE | {"sure": True}), "sure: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_said_in_words_that_a_model_can_act_on(text: str, words: str) -> None:
    assert words in fault(SafetyReply, text)


def test_a_model_that_repeats_itself_to_the_limit_is_cut_off_unless_its_answer_stands() -> None:
    again = '{"evidence": "' + "the floor is wet and " * 200
    assert fault(SafetyReply, again, finish="length") == "the reply was cut off at 300 tokens; be brief"
    assert made(BARE + "\nSafe." * 200, finish="length").label == "safe"


# --- lengths -----------------------------------------------------------------------------------------------


def line(length: int, end: str = "") -> str:
    return json.dumps(SAFE | {"evidence": "e" * (length - len(end)) + end})


def test_a_text_that_is_too_long_is_told_how_long() -> None:
    assert fault(SafetyReply, line(312)) == "evidence: 312 characters; at most 240: say it shorter"


@pytest.mark.parametrize("end", ["", ",", " and"])
def test_a_text_at_its_limit_that_breaks_off_is_asked_for_again(end: str) -> None:
    assert "evidence: breaks off at 240 characters" in fault(SafetyReply, line(240, end))


@pytest.mark.parametrize("sign", ["\x00", "\x1b[31m", "\x7f", "\x9b"])
def test_a_text_with_control_characters_is_asked_for_again(sign: str) -> None:
    assert "evidence: holds the control character U+00" in fault(
        SafetyReply, json.dumps(SAFE | {"evidence": f"A room{sign}."})
    )
    assert made(json.dumps(SAFE | {"evidence": "A room,\n\tand a cat."})).evidence


@pytest.mark.parametrize("end", [".", "!", "?", "…", '."', "。", "।", ".)"])
def test_a_text_that_ends_at_its_limit_stands(end: str) -> None:
    assert len(made(line(240, end)).evidence) == 240
    assert len(made(line(239)).evidence) == 239


# --- refusals ----------------------------------------------------------------------------------------------


def test_a_provider_refuses_by_a_field() -> None:
    assert refusal(SafetyReply, REFUSAL, refused=True) == f'the provider refuses: "{REFUSAL}"'
    assert "finish: stop" in refusal(SafetyReply, "", refused=True)


@pytest.mark.parametrize("text", [REFUSAL, f"<think>Hm.</think>{REFUSAL}", f'{{"error": "{REFUSAL}"}}'])
def test_a_model_refuses_in_words(text: str) -> None:
    assert refusal(SafetyReply, text) == f'the model refuses: "{REFUSAL}"'


def test_only_the_beginning_of_a_refusal_is_kept() -> None:
    assert len(refusal(SafetyReply, REFUSAL + " It is unsafe." * 90)) < SHOWN + 30


def test_a_refusal_in_a_field_is_one() -> None:
    steps = dict.fromkeys(ReasoningReply.model_fields, "A calm room.")
    replies: dict[type[Record], dict[str, str]] = {
        SafetyReply: SAFE | {"evidence": REFUSAL},
        QueryReply: QUERY | {"text": REFUSAL},
        SummaryReply: {"answer": "I can't provide advice on that ladder."},
        ReasoningReply: steps | {"response_strategy": "I won't help with planning that."},
    }
    for reply, fields in replies.items():
        assert "the model refuses" in refusal(reply, json.dumps(fields))


def test_what_a_person_asks_and_a_careful_answer_are_none() -> None:
    assert read(QueryReply, choice(json.dumps(QUERY | {"text": "I can't provide a seat, can I?"})), 9)
    careful = "I would not run here: the floor is wet. A track is a good place for it."
    assert read(SummaryReply, choice(json.dumps({"answer": careful})), 9).answer == careful


def test_a_right_object_behind_a_refusing_opening_counts() -> None:
    assert made(f"I can't provide details, but here it is: {BARE}").label == "safe"


def test_a_word_for_an_option_may_have_any_case() -> None:
    said = dict.fromkeys(("redundancy", "completeness", "faithfulness", "advice"), "none")
    assert (
        read(ReflectionReply, choice(json.dumps(said | {"decision": "Revise path"})), 9).decision
        == "revise_path"
    )
