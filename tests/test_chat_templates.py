"""Our chat templates beside those of the families: the same question to the byte, and a way to go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_vllm import python_with_vllm
from hypothesis import given, settings
from hypothesis import strategies as st
from published import published, render

from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.config_serve import Serve
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.rendered import Found, Rendered, Sent, compare
from ssui_gen.serving.chat_templates import FAMILIES, FOLDER, template_flags, template_for, told
from ssui_gen.serving.vllm_launch import PYTHON, plan

QUIET, LOUD = {"enable_thinking": False}, {"enable_thinking": True}
SAME: list[tuple[str, str, dict[str, bool], dict[str, bool]]] = [
    ("gemma3", "gemma3", {}, {}),
    ("gemma4_e", "gemma4_v5", {}, {}),
    ("gemma4_e", "gemma4_v4", {}, {}),
    ("gemma4_e", "gemma4", {}, {}),
    ("gemma4", "gemma4_31b", {}, {}),
    ("gemma4", "gemma4_31b", LOUD, LOUD),
    ("glm4v", "glm4v", QUIET, {}),
    ("glm4v", "glm4v", {}, LOUD),
    ("qwen3_5", "qwen3_5_think", QUIET, {}),
    ("qwen3_5", "qwen3_5_think", {}, LOUD),
    ("qwen3_5", "qwen3_5_nothink", {}, {}),
    ("qwen3_5", "qwen3_6", QUIET, {}),
    ("qwen3_8", "qwen3_8", QUIET, {}),
    ("pixtral", "pixtral", {}, {}),
]
"""Ours, theirs, and what each is told."""
WORDS = st.text("abz Ä'\"{}<|\n.", min_size=1, max_size=30).filter(lambda text: text == text.strip())
PREFIXES = ("", "1. A: b.\n", "1. A: b.\n2. C: d.\n")


def ours(file: str) -> str:
    return (FOLDER / f"{file}.jinja").read_text("utf-8")


def turns(system: str, *said: str) -> list[dict[str, Any]]:
    """Questions and answers by turns, the picture in the first question; all as parts, as vLLM gives them."""
    found = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system else []
    for number, text in enumerate(said):
        picture = [{"type": "image"}] if not number else []
        role = ("user", "assistant")[number % 2]
        found.append({"role": role, "content": [*picture, {"type": "text", "text": text}]})
    return found


@pytest.mark.parametrize(("file", "family", "theirs", "mine"), SAME)
@settings(max_examples=25)
@given(system=WORDS, first=WORDS, answer=WORDS, second=WORDS)
def test_a_question_is_rendered_as_the_family_publishes_it(
    file: str, family: str, theirs: dict[str, bool], mine: dict[str, bool],
    system: str, first: str, answer: str, second: str,
) -> None:  # fmt: skip
    for said in ((first,), (first, answer, second)):
        messages = turns(system, *said)
        assert render(ours(file), messages, **mine) == render(published(family), messages, **theirs)


def check(template: str, **told: Any) -> Found:
    """The verdict of the check that a run makes, on what a template renders."""
    found = []
    for count, prefix in enumerate(PREFIXES):
        text = render(
            template, turns("Think in six steps.", "What now?", *([prefix] if prefix else [])), **told
        )
        found.append(Rendered(prefix, _completion(text, 5 + count)))
    return compare(found, Sent("Think in six steps.", "What now?"))


def _completion(text: str, tokens: int) -> Completion:
    choice, usage = Choice(text="x", finish_reason="length"), Usage(prompt_tokens=tokens)
    return Completion(model="m", choices=(choice,), usage=usage, seconds=0.1, prompt_text=text)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.file)
def test_with_ours_a_policy_goes_on_from_its_prefix(family: Any) -> None:
    assert check((FOLDER / family.file).read_text("utf-8")) == Found("text")


NEEDED = {
    "gemma3": "trims the last turn",
    "gemma4_v2": "shown as a list of Python",
    "gemma4_v5": "trims the last turn",
    "gemma4_31b": "trims the last turn",
    "glm4v": "thoughts|trims",
    "qwen3_5_think": "thoughts|trims",
    "qwen3_8": "thoughts|trims",
    "pixtral": "leaves the system text out",
}


@pytest.mark.parametrize("family", NEEDED)
@pytest.mark.parametrize("told", [{}, QUIET], ids=["as it is", "without thinking"])
def test_with_theirs_it_does_not(family: str, told: dict[str, bool]) -> None:
    with pytest.raises(ConfigError, match=NEEDED[family]):
        check(published(family), **told)


@pytest.mark.parametrize(
    "family",
    ["qwen2_5_vl", "qwen3_vl", "llava", "llava_next", "internvl", "llava_onevision", "llama4", "mistral3"],
)
def test_where_theirs_does_none_of_ours_is_needed(family: str) -> None:
    assert check(published(family)) == Found("text")
    assert template_for(family, "") is None


@pytest.mark.parametrize(
    ("kind", "name", "tower", "file"),
    [
        ("gemma3", "/models/mine", "siglip_vision_model", "gemma3"),
        ("", "google/gemma-3-12b-it", "", "gemma3"),
        ("", "google/medgemma-4b-it", "", "gemma3"),
        ("", "google/gemma-3n-E4B-it", "", None),
        ("", "google/gemma-4-31B-it", "", "gemma4"),
        ("", "google/gemma-4-E2B-it", "", "gemma4_e"),
        ("gemma4", "/models/gemma-4-E4B-it", "", "gemma4_e"),
        ("gemma4", "/models/mine", "", "gemma4"),
        ("glm4v_moe", "/models/mine", "", "glm4v"),
        ("", "zai-org/GLM-4.6V-Flash", "", "glm4v"),
        ("", "zai-org/GLM-4.1V-9B-Thinking", "", None),
        ("", "Qwen/Qwen3.5-9B", "", "qwen3_5"),
        ("", "Qwen/Qwen3.8-27B-FP8", "", "qwen3_8"),
        ("qwen3_5", "Qwen/Qwen3.8-27B", "", "qwen3_8"),
        ("qwen3_5", "/models/mine", "", "qwen3_5"),
        ("", "Qwen/Qwen3-VL-8B-Instruct", "", None),
        ("", "Qwen/Qwen2.5-VL-7B-Instruct", "", None),
        ("llava", "/models/mine", "pixtral", "pixtral"),
        ("llava", "/models/mine", "clip_vision_model", None),
        ("", "mistral-community/pixtral-12b", "", "pixtral"),
        ("", "mistralai/Pixtral-12B-2409", "", None),
        ("mistral3", "/models/mine", "pixtral", None),
        ("qwen2_5_vl", "/models/gemma-3-beater", "", None),
    ],
)
def test_which_template_a_model_is_served_with(kind: str, name: str, tower: str, file: str | None) -> None:
    assert template_for(kind, name, tower) == (FOLDER / f"{file}.jinja" if file else None)


@pytest.mark.parametrize(
    ("kind", "own", "file"),
    [
        ("gemma4", "gemma4_v5", "gemma4_e"),
        ("gemma4", "gemma4", "gemma4_e"),
        ("gemma4", "gemma4_31b", "gemma4"),
        ("qwen3_5", "qwen3_5_think", "qwen3_5"),
        ("qwen3_5", "qwen3_5_nothink", "qwen3_5"),
        ("qwen3_5_moe", "qwen3_6", "qwen3_5"),
        ("qwen3_5", "qwen3_8", "qwen3_8"),
    ],
)
@pytest.mark.parametrize("name", ["/models/mine", "/models/gemma-4"])
def test_under_another_name_its_own_template_tells_what_a_model_is(
    kind: str, own: str, file: str, name: str
) -> None:
    assert template_for(kind, name, own=published(own)) == FOLDER / f"{file}.jinja"


def test_one_that_is_to_think_is_told_how_hard_by_its_own_template() -> None:
    assert template_for("qwen3_5", "Qwen/Qwen3.8-27B", own=published("qwen3_8"), thinking=True) is None
    assert template_for("qwen3_5", "Qwen/Qwen3.6-27B", own=published("qwen3_6"), thinking=True)


def test_every_file_is_some_familys_and_is_there() -> None:
    assert {FOLDER / family.file for family in FAMILIES} == set(FOLDER.iterdir())


def test_a_template_of_another_make_is_left_to_itself() -> None:
    """Somebody tuned the model on turns of their own."""
    assert template_for("gemma3", "/models/mine", own=published("gemma3"))
    assert template_for("gemma3", "/models/mine", own=published("qwen2_5_vl")) is None
    for kind, name in (("glm4v", "GLM-4.1V-9B-Thinking"), ("glm4v", "mine")):
        assert template_for(kind, name, own="[gMASK]<sop><|assistant|><think>") is None


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("chat_template.jinja", published("pixtral")),
        ("chat_template.json", json.dumps({"chat_template": published("pixtral")})),
        ("tokenizer_config.json", json.dumps({"chat_template": published("pixtral")})),
        ("config.json", '{"model_type": "llava", "vision_config": {"model_type": "pixtral"}}'),
    ],
)
def test_vllm_is_told_of_it_and_so_is_whoever_serves(tmp_path: Path, file: str, content: str) -> None:
    config = '{"model_type": "llava", "vision_config": {"model_type": "pixtral"}}'
    (tmp_path / "config.json").write_text(config)
    (tmp_path / file).write_text(content)
    flags = template_flags(str(tmp_path), tmp_path)
    assert flags == {"chat-template": str(FOLDER / "pixtral.jinja")}
    said = told(flags)
    assert "our chat template pixtral.jinja" in said and "drops the system text" in said
    (tmp_path / file).write_text(content.replace("[INST]", "[SAYS]").replace("pixtral", "clip"))
    assert template_flags(str(tmp_path), tmp_path) == {}


def test_a_model_that_needs_none_and_a_template_of_the_users_own_are_not_told_of() -> None:
    assert template_flags("Qwen/Qwen3-VL-8B-Instruct", None) == {}
    assert template_flags("google/gemma-3-4b-it", None) == {"chat-template": str(FOLDER / "gemma3.jinja")}
    assert told({"chat-template": "mine.jinja"}) == told({}) == ""


def test_the_plan_of_a_launch_has_it_unless_the_settings_say_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PYTHON, python_with_vllm(tmp_path / "vllm", "0.32.0"))
    (tmp_path / "config.json").write_text('{"model_type": "gemma3", "vision_config": {}}')
    for flags, there in (({}, True), ({"chat-template": None}, False)):
        heard: list[str] = []
        (launch, *_) = plan(str(tmp_path), [], tmp_path, Serve(flags=flags), flags={}, notice=heard.append)
        assert (str(FOLDER / "gemma3.jinja") in launch.command) is there
        assert any("our chat template gemma3.jinja" in line for line in heard) is there
