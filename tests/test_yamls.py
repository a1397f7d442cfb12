"""YAML that people write: read strictly, every fault at its place, small files never much work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen import yamls
from ssui_gen.errors import ConfigError

LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
WRONG = {
    "a: 1\nb:\n  c: 1\n  c: 2": "4:3: not YAML: the key 'c' stands twice; keep one",
    "a: !!int ''": "1:4: not YAML: expected a value of the kind 'int'; got ''",
    "a: !!float abc": "1:4: not YAML: expected a value of the kind 'float'; got 'abc'",
    "a: !!timestamp foo": "1:4: not YAML: expected a value of the kind 'timestamp'; got 'foo'",
    "a: " + "9" * 5000: "1:4: not YAML: expected a value of the kind 'int'; got '9999",
    "a: " + "[" * 3000: "1:43: not YAML: deeper than 40 levels",
    "a: &x [*x]": "1:4: not YAML: an anchor that holds itself",
    LAUGHS: "1:1: not YAML: more than 100,000 values",
    "a: \x07": "1:4: not YAML: the character '\\x07' cannot stand in YAML",
    "a: !!python/object/apply:os.getcwd []": "1:4: not YAML: could not determine a constructor",
    "? [1]\n: 2": "1:3: not YAML: while constructing a mapping found unhashable key",
    "a: [1": "1:6: not YAML: while parsing a flow sequence",
    "a: 'x" * 300_000: "1:1: not YAML: 1,500,000 characters; at most 1,000,000",
}


@pytest.mark.parametrize(("text", "says"), WRONG.items(), ids=lambda text: text[:24])
def test_every_fault_has_its_place(text: str, says: str) -> None:
    with pytest.raises(yamls.NotYaml) as caught:
        yamls.load(text, "run.yaml")
    assert str(caught.value).startswith(f"run.yaml:{says}")
    assert len(str(caught.value)) < 400


def test_a_date_is_the_text_that_was_written() -> None:
    assert yamls.load("note: 2024-31-12\nday: 2024-12-31", "x") == {"note": "2024-31-12", "day": "2024-12-31"}


def test_anchors_that_stay_small_are_read() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, y: 3}\nc: {<<: *b, z: 4}"
    assert yamls.load(text, "x") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 3, "z": 4},
    }


@pytest.mark.parametrize("name", [".", "x.yaml/below", "n" * 300, "\0"])
def test_a_path_that_is_no_file_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1")
    with pytest.raises(ConfigError, match=r"no such file|could not be read: .*; expected a file"):
        yamls.read(tmp_path / name)


WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_what_was_written_out_is_read_back(value: Any) -> None:
    assert yamls.load(yaml.safe_dump(value, allow_unicode=True), "x") == value


@given(st.text(st.sampled_from("ab01:-?[]{}&*!|>'\"#%@`,\n\t .<=~"), max_size=60) | st.text(max_size=40))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        yamls.load(text, "here.yaml")
    except yamls.NotYaml as fault:
        assert re.match(r"here\.yaml:[1-9]\d*:[1-9]\d*: not YAML: \S", str(fault))
