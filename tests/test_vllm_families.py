"""What families want of vLLM: thoughts, contexts, films, code of their own, adapters."""

from __future__ import annotations

from typing import Any

import pytest

from ssui_gen.errors import ConfigError
from ssui_gen.serving.vllm_families import Flags, advise, of_family, refuse
from ssui_gen.serving.vllm_model import Adapter, Model

OFF = {"enable_thinking": False}
NEW = (0, 32)


def flags(name: str, *, kind: str = "", thinking: bool = False, **more: Any) -> Flags:
    return of_family(Model(name, kind=kind, **more), 1_003_520, thinking)


def advice(model: Model, given: Flags | None = None, *, thinking: bool = False) -> list[str]:
    said: list[str] = []
    advise(model, of_family(model, 1, thinking) if given is None else given, said.append)
    return said


@pytest.mark.parametrize(
    "model",
    [
        Model("Qwen/Qwen3.5-9B"),
        Model("Qwen/Qwen3.6-35B-A3B"),
        Model("my-finetune", kind="qwen3_5_moe"),
        Model("zai-org/GLM-4.5V"),
        Model("zai-org/GLM-4.6V"),
        Model("folder", kind="glm4v_moe"),
    ],
)
def test_thinking_that_can_be_switched_off_is_and_it_is_said(model: Model) -> None:
    found = of_family(model, 1, False)
    assert found["default-chat-template-kwargs"] == OFF and "reasoning-parser" not in found
    (said,) = advice(model)
    assert "switched off" in said and "serve: {thinking: true}" in said


@pytest.mark.parametrize(("name", "parser"), [("Qwen/Qwen3.5-9B", "qwen3"), ("zai-org/GLM-4.6V", "glm45")])
def test_thinking_that_is_left_on_is_told_apart_and_needs_room(name: str, parser: str) -> None:
    found = flags(name, thinking=True)
    assert found["reasoning-parser"] == parser
    assert found["default-chat-template-kwargs"] == {"enable_thinking": True}, (
        "our templates are off by default"
    )
    (said,) = advice(Model(name), thinking=True)
    assert "models: {vlm: {thoughts: " in said and "has no switch" not in said


@pytest.mark.parametrize(
    ("name", "parser"),
    [
        ("Qwen/Qwen3-VL-8B-Thinking", "deepseek_r1"),
        ("zai-org/GLM-4.1V-9B-Thinking", "glm45"),
        ("baidu/ERNIE-4.5-VL-28B-A3B-Thinking", "ernie45"),
        ("moonshotai/Kimi-VL-A3B-Thinking-2506", None),
    ],
)
def test_thinking_without_a_switch_is_said_with_what_it_needs(name: str, parser: str | None) -> None:
    found = flags(name)
    assert found["reasoning-parser"] == parser and "default-chat-template-kwargs" not in found
    (said,) = advice(Model(name))
    assert "has no switch" in said and "models: {vlm: {thoughts: " in said
    assert ("no parser of vLLM knows" in said) == (parser is None)


@pytest.mark.parametrize(
    "name",
    [
        "Qwen/Qwen3-VL-8B-Instruct",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "google/gemma-4-31B-it",
        "llava-hf/llava-1.5-7b-hf",
        "someone/vlm-8b-nonthinking",
    ],
)
def test_a_model_that_answers_at_once_is_left_alone(name: str) -> None:
    assert not {"reasoning-parser", "default-chat-template-kwargs"} & flags(name).keys()
    assert advice(Model(name)) == []


def test_a_switch_that_the_user_sets_or_that_this_vllm_lacks_is_not_spoken_of_again() -> None:
    model = Model("Qwen/Qwen3.5-9B")
    typed = {"default-chat-template-kwargs": '{"enable_thinking": true}', "max-model-len": 16384}
    assert advice(model, typed) == advice(model, {"max-model-len": 16384}) == []


def test_the_folders_that_a_model_lies_in_say_nothing_about_it() -> None:
    plain = Model("/data/thinking-72b/qwen2.5-vl/my-run", kind="llava", local=True)
    assert of_family(plain, 1, False) == of_family(Model("my-run", kind="llava"), 1, False)
    assert plain.weights is None
    cached = f"/x/models--Qwen--Qwen3-VL-8B-Thinking/snapshots/{'0a' * 20}"
    assert of_family(Model(cached, local=True), 1, False)["reasoning-parser"] == "deepseek_r1"


@pytest.mark.parametrize(
    ("name", "films"),
    [
        ("Qwen/Qwen3-VL-8B-Instruct", True),
        ("Qwen/Qwen3.5-9B", True),
        ("zai-org/GLM-4.6V-Flash", True),
        ("OpenGVLab/InternVL3-8B-hf", True),
        ("llava-hf/llava-onevision-qwen2-7b-ov-hf", True),
        ("google/gemma-3-12b-it", False),
        ("llava-hf/llava-v1.6-mistral-7b-hf", False),
    ],
)
def test_no_room_is_kept_for_films(name: str, films: bool) -> None:
    assert flags(name)["limit-mm-per-prompt"] == {"image": 1} | ({"video": 0} if films else {})


@pytest.mark.parametrize(
    ("name", "scaled"),
    [
        ("Qwen/Qwen2-VL-7B-Instruct", True),
        ("Qwen/Qwen2.5-VL-7B-Instruct", True),
        ("Qwen/Qwen3-VL-8B-Instruct", False),
        ("llava-hf/llava-onevision-qwen2-7b-ov-hf", False),
        ("google/gemma-3-12b-it", False),
    ],
)
def test_only_processors_that_know_it_are_told_how_large_a_picture_may_be(name: str, scaled: bool) -> None:
    assert flags(name).get("mm-processor-kwargs") == ({"max_pixels": 1_003_520} if scaled else None)


@pytest.mark.parametrize(
    ("model", "short"),
    [
        (Model("llava-hf/llava-v1.6-vicuna-7b-hf"), True),
        (Model("llava-hf/llava-v1.6-34b-hf"), True),
        (Model("folder", kind="llava_next", context=4096), True),
        (Model("llava-hf/llava-v1.6-mistral-7b-hf"), False),
        (Model("llava-hf/llava-1.5-7b-hf"), False),
        (Model("folder", kind="llava", context=4096), False),
        (Model("folder", kind="qwen2_5_vl", context=2048), True),
    ],
)
def test_a_context_too_short_for_six_steps_is_said_with_what_to_take(model: Model, short: bool) -> None:
    said = advice(model)
    assert len(said) == short
    if short:
        assert "too short for six steps" in said[0] and "take " in said[0]


def test_a_context_that_the_user_shortens_is_looked_at_too() -> None:
    model = Model("Qwen/Qwen2.5-VL-7B-Instruct")
    assert "a context of 2,048 tokens" in advice(model, {"max-model-len": "2048"})[0]
    assert advice(model, {"max-model-len": "auto"}) == advice(model, {"max-model-len": None}) == []


CODE = Model("folder", kind="internvl_chat", code=True)


@pytest.mark.parametrize("model", [CODE, Model("OpenGVLab/InternVL3-8B"), Model("opengvlab/InternVL3_5-8B")])
def test_code_that_nobody_said_may_run_does_not(model: Model) -> None:
    with pytest.raises(ConfigError, match=r"its config is code of its own, .*-hf.*-- --trust-remote-code"):
        refuse(model, [], {}, NEW)
    refuse(model, [], {"trust-remote-code": True}, NEW)


@pytest.mark.parametrize(
    "model",
    [
        Model("OpenGVLab/InternVL3-8B-hf"),
        Model("OpenGVLab/InternVL3_5-8B-HF"),
        Model("folder", kind="qwen2_5_vl", code=True),
        Model("folder", kind="internvl", code=False),
    ],
)
def test_what_needs_no_code_is_not_asked_about(model: Model) -> None:
    refuse(model, [], {}, NEW)


def test_an_adapter_that_vllm_cannot_serve_is_to_be_merged() -> None:
    model, adapter = Model("llava-hf/llava-onevision-qwen2-7b-ov-hf"), Adapter("a", "/x/my run", 8)
    with pytest.raises(ConfigError, match=r"my run: vLLM serves no LoRA .*: merge it .*merge.*'/x/my run'"):
        refuse(model, [adapter], {}, NEW)
    refuse(model, [adapter], {"enable-lora": True}, NEW)
    refuse(model, [], {}, NEW)
    refuse(Model("Qwen/Qwen2.5-VL-7B-Instruct"), [adapter], {}, NEW)
    with pytest.raises(ConfigError, match=r"my run: rank 1024, and vLLM serves 512 at most: merge it"):
        refuse(Model("Qwen/Qwen2.5-VL-7B-Instruct"), [adapter._replace(rank=1024)], {}, NEW)


def test_an_adapter_that_a_newer_vllm_serves_is_refused_by_the_older_alone() -> None:
    model, adapter = Model("llava-hf/llava-v1.6-mistral-7b-hf"), Adapter("a", "/x/a", 8)
    with pytest.raises(
        ConfigError, match=r"before 0\.29 vLLM serves no LoRA adapter on models like llava-hf"
    ):
        refuse(model, [adapter], {}, (0, 28))
    refuse(model, [adapter], {}, (0, 29))
    refuse(model, [adapter], {}, None)
