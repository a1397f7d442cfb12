"""Guards as a way of F: published ones by their preset, against a server that answers in the forms published.

The forms stand in the model cards of Llama Guard 3 and 4, Qwen3Guard-Gen, Granite Guardian 3.0 to 4.1 and
ShieldGemma; no weights are asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_answers import prompt_text
from test_ways import Bench, bench

from ssui_gen import yamls
from ssui_gen.branches import Judgement
from ssui_gen.config import Config, Verify
from ssui_gen.errors import ConfigError
from ssui_gen.guards import PRESETS
from ssui_gen.settings import as_yaml, parse
from ssui_gen.verifying.guard import Guard

__all__ = ["bench"]

FORMS = [
    ("llama_guard", "safe", "good"),
    ("llama_guard", "\n\nsafe", "good"),
    ("llama_guard", "\n\nunsafe\nS1,S9", "bad"),
    ("llama_guard", "\n\nSafe", "good"),
    ("llama_guard", "safely said, no", "unverified"),
    ("llama_guard", "hm", "unverified"),
    ("llama_guard", "", "unverified"),
    ("qwen3guard", "Safety: Safe\nCategories: None\nRefusal: No", "good"),
    ("qwen3guard", "Safety: Unsafe\nCategories: Violent\nRefusal: No", "bad"),
    ("qwen3guard", "safety:unsafe", "bad"),
    ("qwen3guard", "Safety: Controversial\nCategories: Unethical Acts", "unverified"),
    ("qwen3guard", "Safe", "unverified"),
    ("qwen3guard", "Categories: None", "unverified"),
    ("granite_guardian", "No", "good"),
    ("granite_guardian", "Yes", "bad"),
    ("granite_guardian", "No\n<confidence> High </confidence>", "good"),
    ("granite_guardian", "yes\n<confidence> Low </confidence>", "bad"),
    ("granite_guardian", "<score> no </score>", "good"),
    ("granite_guardian", "<score> yes </score>", "bad"),
    ("granite_guardian", "<think>\nno\n</think>\n\n<score> yes </score>", "bad"),
    ("granite_guardian", "<think>\n", "unverified"),
    ("granite_guardian", "Not sure", "unverified"),
    ("shieldgemma", "No", "good"),
    ("shieldgemma", "Yes, the response", "bad"),
    ("shieldgemma", "**No**", "good"),
    ("shieldgemma", "Nobody is hurt", "unverified"),
]


def preset(name: str, **more: Any) -> Verify:
    return Verify.model_validate({"by": ["guard"], "guard": {"preset": name, **more}})


@pytest.mark.parametrize("mute", [False, True], ids=["logprobs", "words alone"])
@pytest.mark.parametrize(("name", "says", "polarity"), FORMS)
def test_published_forms(bench: Bench, name: str, says: str, polarity: str, mute: bool) -> None:
    bench.fake.answers, bench.fake.mute = {"none": says}, mute
    said = bench.says(Guard, preset(name), None, 3)
    assert said.polarity == polarity, said
    if polarity != "unverified":
        assert said.by["picked"] == (PRESETS[name]["safe" if polarity == "good" else "unsafe"],)
        assert (said.probability is None) is mute
        assert mute or (said.probability is not None and abs(said.probability - (polarity == "good")) < 0.2)
    elif says:
        assert repr(says.strip()[:20])[:-1] in said.detail


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_tested_in_both_words(name: str) -> None:
    assert {polarity for of, _, polarity in FORMS if of == name} == {"good", "bad", "unverified"}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sends_the_conversation_as_its_template_wants_it(bench: Bench, name: str) -> None:
    bench.fake.answers = {"none": "safe"}
    bench.says(Guard, preset(name), None, 3)
    (body,) = bench.fake.requests
    assert [message["role"] for message in body["messages"]] == ["user", "assistant"]
    assert body["messages"][1]["content"].endswith("Answer: Careful.")
    assert "continue_final_message" not in body
    pictures = sum(part["type"] == "image_url" for part in body["messages"][0]["content"])
    assert pictures == (name == "llama_guard"), "the others read text alone"
    variables = body.get("chat_template_kwargs", {})
    assert variables.keys() == {
        "granite_guardian": {"guardian_config", "think"},
        "shieldgemma": {"guideline"},
    }.get(name, set())


def test_a_guard_that_reads_no_pictures_gets_none(bench: Bench) -> None:
    bench.fake.answers = {"none": "safe"}
    bench.says(Guard, Verify(), None, 3, sees=False)
    (body,) = bench.fake.requests
    assert [part["type"] for part in body["messages"][0]["content"]] == ["text"]


def weighs(bench: Bench, number: int, *shares: tuple[str, float]) -> Judgement:
    """What F makes of a guard that says the first of these words with these probabilities; each question has
    another `number`, as answers are kept.
    """
    bench.fake.answers, bench.fake.shares = {"none": f"Safety: {shares[0][0]}"}, dict(shares)
    bench.path = bench.path.model_copy(
        update={"query": bench.path.query.model_copy(update={"text": f"{number}?"})}
    )
    return bench.says(Guard, preset("qwen3guard"), None, 3)


def test_what_is_left_open_counts_for_neither_word(bench: Bench) -> None:
    said = weighs(bench, 1, ("Safe", 0.6), ("Unsafe", 0.1), ("Controversial", 0.3))
    assert said.polarity == "good" and said.probability == pytest.approx(6 / 7)
    assert said.by["mass"] == pytest.approx(0.7)
    said = weighs(bench, 2, ("Controversial", 0.45), ("Safe", 0.4), ("Unsafe", 0.15))
    assert said.polarity == "unverified" and "Controversial" in said.detail
    said = weighs(bench, 3, ("Unsafe", 0.3), ("Safe", 0.1), ("Controversial", 0.25))
    assert (said.polarity, said.detail) == ("unverified", "label mass 0.40")


def test_what_is_set_wins_over_the_preset(bench: Bench) -> None:
    guard = preset("qwen3guard", tokens=4, unsure=["Mixed"]).guard
    assert (guard.tokens, guard.unsure, guard.after) == (4, ("Mixed",), "Safety:")


def test_a_guard_with_words_and_a_prompt_of_its_own(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text(
        "---\nversion: 1\nnote: a guard's\n---\n{% block system %}# Agent: mine{% endblock %}"
        "{% block user %}{{ text }}|{{ response }}{% endblock %}"
    )
    bench.fake.answers = {"mine": "harmful"}
    settings = Verify.model_validate({"guard": {"prompt": "mine", "safe": "harmless", "unsafe": "harmful"}})
    said = bench.says(Guard, settings, str(tmp_path / "mine"), 3)
    assert said.polarity == "bad"
    assert prompt_text(bench.fake.requests[0], "user").startswith("How?|1. Visual context")


def test_a_prompt_without_a_system_text_sends_none(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text(
        "---\nversion: 1\nnote: a guard's\n---\n{% block system %}{% endblock %}"
        "{% block user %}{{ text }}|{{ response }}{% endblock %}"
    )
    bench.fake.answers = {"none": "safe"}
    assert bench.says(Guard, Verify(), str(tmp_path / "mine"), 3).polarity == "good"
    assert [message["role"] for message in bench.fake.requests[0]["messages"]] == ["user"]


@pytest.mark.parametrize("name", PRESETS)
def test_settings_with_a_preset_are_written_and_read_back_as_the_same(name: str) -> None:
    config = Config(verify=preset(name))
    assert parse(Config, yamls.load(as_yaml(config), "run.yaml"), "run.yaml") == config


@pytest.mark.parametrize(
    ("guard", "says"),
    [
        ({"preset": "llama"}, r"verify\.guard\.preset: .*'llama_guard', 'qwen3guard'"),
        ({"preset": ["llama_guard"]}, r"verify\.guard\.preset"),
        ({"preset": "qwen3guard", "afer": ""}, r"unknown key 'verify\.guard\.afer' \(known: after, pic"),
        ({"after": "("}, r"verify\.guard\.after: .*expected a regular expression"),
        ({"safe": "Yes", "unsafe": "yes"}, "no word of a guard may begin with another"),
        ({"unsure": ["saf"]}, "'safe' begins with 'saf'"),
        ({"tokens": 0}, r"verify\.guard\.tokens"),
        ("qwen3guard", r"verify\.guard"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(guard: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse(Config, {"verify": {"guard": guard}}, "run.yaml")
