"""How a server wants to be asked: what a person says, what a preset says, and what is sent in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.config import load_config
from ssui_gen.config_models import ModelRole
from ssui_gen.dialect import OURS, PLAIN, Dialect, presets
from ssui_gen.errors import ConfigError

BODY: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "Why?"}]},
    ],
    "temperature": 0.5,
    "seed": 7,
    "max_tokens": 300,
    "logprobs": True,
    "top_logprobs": 20,
    "response_format": {"type": "json_schema", "json_schema": {"name": "R", "schema": {}}},
}
SAYS = st.builds(
    Dialect,
    extra=st.dictionaries(st.sampled_from(["a", "b"]), st.integers()),
    rename=st.dictionaries(st.sampled_from(["seed", "max_tokens"]), st.sampled_from(["x", "y"])),
    omit=st.lists(st.sampled_from(["seed", "temperature", "logprobs"])).map(tuple),
    strict=st.booleans(),
    system=st.sampled_from(["own", "in_user"]),
    thoughts=st.integers(0, 9),
    top_logprobs=st.integers(1, 20),
)


def test_each_field_does_what_it_says() -> None:
    said = Dialect(
        extra={"chat_template_kwargs": {"enable_thinking": False}},
        rename={"max_tokens": "max_completion_tokens"},
        omit=("seed",),
        strict=True,
        thoughts=100,
        top_logprobs=5,
    )(BODY | {"chat_template_kwargs": {"policy": "x"}})
    assert said["chat_template_kwargs"] == {"policy": "x", "enable_thinking": False}
    assert "seed" not in said and "max_tokens" not in said
    assert (said["max_completion_tokens"], said["top_logprobs"]) == (400, 5)
    assert said["response_format"]["json_schema"] == {"name": "R", "schema": {}, "strict": True}
    assert said["temperature"] == 0.5


@pytest.mark.parametrize("content", ["Why?", BODY["messages"][1]["content"]])
def test_the_system_text_may_go_before_the_persons_words(content: Any) -> None:
    messages = [
        BODY["messages"][0],
        {"role": "user", "content": content},
        {"role": "assistant", "content": "1."},
    ]
    first, last = Dialect(system="in_user")(BODY | {"messages": messages})["messages"]
    assert first["role"] == "user" and last == messages[2]
    if content == "Why?":
        assert first["content"] == "Be brief.\n\nWhy?"
    else:
        assert first["content"] == [{"type": "text", "text": "Be brief.\n\n"}, *content]


@given(SAYS)
def test_what_was_asked_is_never_changed_in_place_and_ours_stays(dialect: Dialect) -> None:
    before = repr(BODY)
    said = dialect(BODY)
    assert repr(BODY) == before
    assert said["model"] == "m" and len(said["messages"]) in (1, 2)
    assert PLAIN(BODY) is BODY


@given(SAYS, SAYS)
def test_what_is_said_over_a_preset_adds_to_it(one: Dialect, other: Dialect) -> None:
    both = other.over(one)
    assert {*one.omit, *other.omit} == {*both.omit}
    assert both.extra == one.extra | other.extra and both.rename == one.rename | other.rename
    for name in ("strict", "system", "thoughts", "top_logprobs"):
        said = getattr(other, name)
        assert getattr(both, name) == (said if said != getattr(PLAIN, name) else getattr(one, name))
    assert PLAIN.over(one) == one == one.over(PLAIN) or len(one.omit) != len({*one.omit})


def test_every_preset_is_a_role_that_can_be_asked() -> None:
    for name, preset in presets().items():
        assert preset.note
        said = ModelRole(preset=name).dialect(BODY)
        assert set(said) >= {"model", "messages"}, name


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("preset: opnai", r"models\.vlm\.preset: .*no such preset \(there are: openai, .*no_thinking"),
        ("omit: [messages]", r"models\.vlm\.omit: .*messages: ours, and cannot be changed here"),
        ("extra: {n: 3}", r"models\.vlm\.extra: .*n: ours"),
        ("rename: {model: m}", r"models\.vlm\.rename: .*model: ours"),
        ("top_logprobs: 40", r"models\.vlm\.top_logprobs: .*less than or equal to 20; got 40"),
        ("system: none", r"models\.vlm\.system: .*'own' or 'in_user'"),
    ],
)
def test_what_cannot_be_said_is_told(tmp_path: Path, says: str, told: str) -> None:
    (tmp_path / "run.yaml").write_text(f"models: {{vlm: {{{says}}}}}")
    with pytest.raises(ConfigError, match=told):
        load_config(tmp_path / "run.yaml")
    assert {"model", "messages", "n", "stream"} == OURS
