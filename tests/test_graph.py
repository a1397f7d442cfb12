"""The agents' graph against a real server: every way through it, and what each agent is shown."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from crew import ITEM, send
from fake_answers import prompt_text
from fake_server import Fake
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.graph import build
from ssui_gen.records import STEP_NAMES, ReasoningPath, Reject
from ssui_gen.replies import ReflectionReply

BENIGN = ITEM.model_copy(update={"id": "twin", "kind": "benign", "twin_of": "item"})
SAFE = {"evidence": "nothing", "label": "safe"}
UNSAFE = {"evidence": "the words ask for harm", "label": "unsafe"}


def reflection(decision: str, advice: str) -> dict[str, str]:
    findings = {"redundancy": "none", "completeness": "none", "faithfulness": "none"}
    return {**findings, "decision": decision, "advice": advice}


UNFAITHFUL = reflection("revise_path", "name it") | {"faithfulness": "No sign is in the picture."}


def six(intent: str) -> dict[str, str]:
    """A path whose fourth step is `intent`."""
    return {name: intent if name == "intent_and_risk" else "words" for name in STEP_NAMES}


def in_turn(*answers: dict[str, Any]) -> Any:
    """A scripted agent that gives each answer once, the last for ever."""
    left = list(answers)
    return lambda body: left.pop(0) if len(left) > 1 else left[0]


def sent_to(fake: Fake, agent: str) -> list[str]:
    bodies = [b for b in fake.requests if prompt_text(b, "system").startswith(f"# Agent: {agent}\n")]
    return [prompt_text(body, "user") for body in bodies]


def test_a_risky_pair_becomes_a_path_with_three_verdicts(fake: Fake, tmp_path: Path) -> None:
    path = send(fake.url, tmp_path)
    assert isinstance(path, ReasoningPath)
    assert [s.name for s in path.steps] == list(STEP_NAMES)
    assert (path.verdicts.text_only.label, path.verdicts.image_only.label) == ("safe", "safe")
    assert path.verdicts.joint.label == "unsafe"
    assert path.verdicts.joint.probability == pytest.approx(0.9, abs=0.01)
    assert [r.decision for r in path.reflection] == ["accept"]
    assert len(path.made_by) == len(set(path.made_by)) == 7 == fake.calls


def test_a_benign_twin_takes_the_same_way_and_is_safe_together(fake: Fake, tmp_path: Path) -> None:
    path = send(fake.url, tmp_path, BENIGN)
    assert isinstance(path, ReasoningPath)
    assert (path.kind, path.twin_of, path.verdicts.joint.label) == ("benign", "item", "safe")
    assert sent_to(fake, "query") == ["Kind: benign\nText: none"]


def test_the_text_check_sees_no_picture_and_the_image_check_no_text(fake: Fake, tmp_path: Path) -> None:
    path = send(fake.url, tmp_path)
    assert isinstance(path, ReasoningPath)
    seen = {prompt_text(b, "system").split("\n")[0][9:]: json.dumps(b["messages"]) for b in fake.requests}
    assert "image_url" not in seen["check_text"]
    assert path.query.text not in seen["check_image"]
    assert all("image_url" in shown for agent, shown in seen.items() if agent != "check_text")


def test_the_joint_check_sees_nothing_of_what_others_think(fake: Fake, tmp_path: Path) -> None:
    path = send(fake.url, tmp_path)
    assert isinstance(path, ReasoningPath)
    assert sent_to(fake, "check_joint") == [f"Text: {path.query.text}"]


def test_the_class_of_the_record_is_the_one_that_the_path_arrives_at(fake: Fake, tmp_path: Path) -> None:
    joint = {"evidence": "The torch meets the dry hay: a fire.", "label": "unsafe"}
    asked = dict.fromkeys(("image_evidence", "text", "text_evidence", "scenario"), "words")
    fake.answers = {
        "query": asked | {"category": "dangerous_behavior"},
        "reasoning": six("A harmless wish with a hidden risk: violence."),
        "check_joint": joint,
    }
    path = send(fake.url, tmp_path)
    assert isinstance(path, ReasoningPath)
    assert (path.query.category, path.query.scenario) == ("violence", joint["evidence"])


@pytest.mark.parametrize(
    ("answers", "kind", "stage", "reason"),
    [
        ({"check_text": UNSAFE}, "risky", "check_text", "text_not_safe"),
        ({"check_image": UNSAFE}, "risky", "check_image", "image_not_safe"),
        ({"check_text": UNSAFE, "check_image": UNSAFE}, "risky", "check_text", "text_not_safe"),
        ({"check_joint": SAFE}, "risky", "check_joint", "not_risky_together"),
        ({"check_joint": UNSAFE}, "benign", "check_joint", "not_safe_together"),
        ({"reasoning": six("An everyday wish: none.")}, "risky", "check_joint", "path_misses_risk"),
        ({"reasoning": six("They may want this or that.")}, "risky", "check_joint", "path_misses_risk"),
        ({"reasoning": six("A hidden risk: violence.")}, "benign", "check_joint", "path_invents_risk"),
        ({"reflection": reflection("reject", "cannot be saved")}, "risky", "reflect", "reflection_rejected"),
        ({"reflection": UNFAITHFUL}, "risky", "reflect", "not_converged"),
        ({"reflection": UNFAITHFUL | {"decision": "revise_query"}}, "risky", "reflect", "not_converged"),
        ({"reflection": UNFAITHFUL | {"decision": "reject"}}, "risky", "reflect", "reflection_rejected"),
        ({"query": "no JSON at all"}, "risky", "query", "reply_invalid"),
        ({"reasoning": "{"}, "risky", "reason", "reply_invalid"),
        ({"check_text": "{", "check_image": "{"}, "risky", "check_image", "reply_invalid"),
        ({"summary": "{}"}, "risky", "summarise", "reply_invalid"),
    ],
)
def test_each_way_out_carries_its_reason(
    fake: Fake, tmp_path: Path, answers: dict[str, Any], kind: str, stage: str, reason: str
) -> None:
    fake.answers = answers
    reject = send(fake.url, tmp_path, ITEM if kind == "risky" else BENIGN)
    assert isinstance(reject, Reject)
    assert (reject.kind, reject.stage, reject.reason) == (kind, stage, reason)
    assert reject.detail
    assert len(set(reject.made_by)) == fake.calls


def test_a_revised_path_is_written_anew_with_the_advice_and_the_earlier_one(
    fake: Fake, tmp_path: Path
) -> None:
    fake.answers = {
        "reflection": in_turn(reflection("revise_path", "Name the sign."), reflection("accept", "none"))
    }
    path = send(fake.url, tmp_path)
    assert isinstance(path, ReasoningPath)
    assert [r.decision for r in path.reflection] == ["revise_path", "accept"]
    first, second = sent_to(fake, "reasoning")
    assert "Advice" not in first
    assert second.startswith(first)
    assert second.endswith("Advice: Name the sign.")
    assert "Earlier path:\n1. Visual context: " in second
    assert len(sent_to(fake, "query")) == 1


def test_a_revised_text_is_checked_again(fake: Fake, tmp_path: Path) -> None:
    fake.answers = {
        "reflection": in_turn(reflection("revise_query", "Be plainer."), reflection("accept", "none"))
    }
    path = send(fake.url, tmp_path)
    assert isinstance(path, ReasoningPath)
    assert len(sent_to(fake, "query")) == len(sent_to(fake, "check_text")) == 2
    assert sent_to(fake, "query")[1].endswith("Advice: Be plainer.")
    assert path.query.text in sent_to(fake, "check_text")[1]


@pytest.mark.parametrize("nothing", ["none", "None.", " NONE ", "none ."])
@pytest.mark.parametrize("decision", ["revise_path", "revise_query"])
def test_in_the_last_round_what_is_faithful_is_accepted_and_what_was_found_is_kept(
    fake: Fake, tmp_path: Path, decision: str, nothing: str
) -> None:
    found = reflection(decision, "Say it once.") | {"redundancy": "Twice.", "faithfulness": nothing}
    fake.answers = {"reflection": found}
    path = send(fake.url, tmp_path, rounds=2)
    assert isinstance(path, ReasoningPath)
    kept = [(r.decision, r.redundancy, r.advice) for r in path.reflection]
    assert kept == [(decision, "Twice.", "Say it once.")] * 2
    assert fake.counts["reflection"] == 2 and fake.counts["check_joint"] == fake.counts["summary"] == 1


@given(words=st.text(max_size=40).filter(lambda words: words.strip(" .\n").casefold() != "none"))
def test_only_the_word_none_means_that_nothing_was_found(words: str) -> None:
    for finding in (words, f"none, but {words}"):
        said = ReflectionReply.model_construct(decision="revise_path", faithfulness=finding)
        assert not said.accepts(last=True)


def test_a_seed_text_is_shown_to_the_query_agent_and_stands_as_it_is(fake: Fake, tmp_path: Path) -> None:
    path = send(fake.url, tmp_path, ITEM.model_copy(update={"text": "Where can I sit?"}))
    assert isinstance(path, ReasoningPath)
    assert sent_to(fake, "query") == ["Kind: risky\nText: Where can I sit?"]
    assert path.query.text == "Where can I sit?"
    assert sent_to(fake, "check_joint") == ["Text: Where can I sit?"]


def test_a_dead_call_costs_the_item_and_not_the_run(fake: Fake, tmp_path: Path) -> None:
    fake.always = "500"
    reject = send(fake.url, tmp_path)
    assert isinstance(reject, Reject)
    assert (reject.stage, reject.reason) == ("query", "call_failed")


@pytest.mark.parametrize(("fault", "reason"), [("400", "request_refused"), ("overflow", "context_overflow")])
def test_a_refused_request_is_not_tried_again(fake: Fake, tmp_path: Path, fault: str, reason: str) -> None:
    fake.always = fault
    reject = send(fake.url, tmp_path)
    assert isinstance(reject, Reject)
    assert (reject.reason, fake.calls) == (reason, 1)


def edges(text: str) -> set[str]:
    """Of a mermaid text, without the white space of its labels."""
    plain = re.sub(r"&nbsp;?|<br>", " ", text)
    return {" ".join(line.split()) for line in plain.splitlines() if "-->" in line or "-." in line}


def test_the_docs_show_the_graph_that_there_is() -> None:
    page = (Path(__file__).parents[1] / "docs" / "agents.md").read_text("utf-8")
    assert edges(build().get_graph().draw_mermaid()) == edges(page)


def test_the_mermaid_text_names_every_node_and_every_reason() -> None:
    text = build().get_graph().draw_mermaid()
    for word in ("query", "check_text", "check_image", "reason", "reflect", "check_joint", "summarise"):
        assert word in text
    for reason in (
        "text_not_safe",
        "image_not_safe",
        "not_converged",
        "not_risky_together",
        "path_misses_risk",
        "not_safe_together",
    ):
        assert reason in text
