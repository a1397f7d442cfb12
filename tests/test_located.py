"""JSON as people type it: the place of every part, and words that help for what is wrong."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.curation.lines.located import Key, located

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def paths(value: object, way: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], object]]:
    """Every part of a value and the way to it."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [(way, value), *(found for step, one in inner for found in paths(one, (*way, step)))]


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_it_reads_what_json_reads_and_knows_where_each_part_begins(
    value: object, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found = located(text)
    assert (found.value, found.flaws) == (value, [])
    for way, part in paths(value):
        rest = text[found.places[way] :]
        assert json.JSONDecoder().raw_decode(rest)[0] == part
    for way, start in found.keys.items():
        assert json.JSONDecoder().raw_decode(text[start:])[0] == way[-1]


@given(st.text(alphabet='{}[]",:0-9.eE+nulltrueaN \\u00d8\n', max_size=30))
def test_what_json_refuses_has_a_flaw(text: str) -> None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        assert located(text).flaws
    else:
        assert located(text).flaws or located(text).value == value


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        (
            '{"a":1,}',
            8,
            "expected a key in double quotes, such as \"decision\"; got '}' after a comma: delete",
        ),
        ('{"a":[1,]}', 9, "got ']' after a comma: delete the comma"),
        ('{"a":1 "b":2}', 8, "expected ',' or '}' here; got '\"'"),
        ("{'a':1}", 2, "got a single quote: texts stand in double quotes"),
        ('{"a":“keep”}', 6, "the curly quote “, which an editor put there"),
        ('{"a":None}', 6, "expected a value; got None, which is null in JSON"),
        ('{"a":keep}', 6, "expected a value; got 'keep'"),
        ('{"a":"b', 6, "this text has no closing double quote"),
        ('{"a":"b","c"', 13, "the line ends here: it is cut off"),
        ('{"a":1,', 8, "the line ends here: it is cut off"),
        ('{"a":', 6, "the line ends here: it is cut off"),
        ("", 1, "the line ends here"),
        ('{"a":1}{"b":2}', 8, "expected the end of the line after the object"),
        ('{"a":"tab\there"}', 10, "a raw control character inside a text"),
        ('{"a":"C:\\dir"}', 9, "a backslash itself is written"),
        ('{"a":01}', 6, "expected a value; got '01'"),
        ("[" * 50, 22, "nested too deeply"),
    ],
)
def test_broken_syntax_is_explained_at_its_place(text: str, column: int, says: str) -> None:
    flaw = located(text).flaws[-1]
    assert (flaw.offset + 1, True) == (column, says in flaw.message), flaw


def test_what_does_not_break_the_syntax_is_told_all_at_once() -> None:
    found = located('{"a":NaN,"a":1e999,"b":"\\ud800","b":-Infinity}')
    assert [flaw.offset + 1 for flaw in found.flaws] == [6, 10, 14, 24, 33, 37]
    assert "the key 'a' stands twice; keep one" in found.flaws[1].message


def test_a_column_is_that_of_the_value_of_the_key_or_of_what_it_would_lie_in() -> None:
    found = located('{"a": 1, "b": {"c": 2}}')
    assert found.column(("a",)) == 7
    assert found.column((Key("a"),)) == 2
    assert found.column(("b", Key("c"))) == 16
    assert found.column(("b", "missing")) == 15
    assert found.column(("missing", 3)) == 1


def test_numbers_are_exact() -> None:
    assert located("12345678901234567890123").value == 12345678901234567890123
    assert math.isclose(located("-1.5e-3").value, -0.0015)
