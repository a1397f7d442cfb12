"""What makes a line of a person's file valid: its shape by the form, and by the item it is of. Pure.

Every fault is told, each as the way to the wrong value and words: `expected …; got …`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from ssui_gen.curation.asked.form import MOST, OTHER, Choice, Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.texts import LONGEST, faults, unfit
from ssui_gen.curation.lines.located import Key, Way
from ssui_gen.curation.lines.review import LONGEST_LOOK, Earlier, Review

LONGEST_NOTE = 4000
Found = tuple[Way, str]
"""The way to what is wrong, and what is wrong with it."""


def shape(form: Form, value: Any) -> Iterator[Found]:
    """What keeps a JSON value from being a line for this form, whatever it is of."""
    if not isinstance(value, dict):
        yield (), f"expected an object; got {_shown(value)}"
        return
    yield from _unknown(list(Review.model_fields), value)
    for key in ("id", "sha"):
        if not isinstance(value.get(key), str) or not value[key]:
            yield (key,), f"expected the {key} as it was exported; got {_shown(value.get(key))}"
    yield from _words(form, value)
    for number, one in enumerate(_list(value.get("before"))):
        for way, found in _earlier(form, one):
            yield (
                ("before", number, *way),
                f"{found}: only `ssui curation` writes here, put back what it wrote",
            )


def _earlier(form: Form, one: Any) -> Iterator[Found]:
    if not isinstance(one, dict) or not isinstance(one.get("sha"), str):
        yield (), f"expected an object with a sha; got {_shown(one)}"
        return
    yield from _unknown(list(Earlier.model_fields), one)
    yield from _words(form, one)


def _unknown(known: list[str], value: dict[str, Any]) -> Iterator[Found]:
    return (((Key(key),), _one_of(known, key, "the field")) for key in value if key not in known)


def _words(form: Form, value: dict[str, Any]) -> Iterator[Found]:
    decision = value.get("decision")
    if decision is not None and decision not in _values(form.decisions):
        yield ("decision",), _one_of([*_values(form.decisions), None], decision)
    yield from _reasons(form, value.get("reasons", []))
    yield from _scores(form, value.get("scores", {}))
    edits = value.get("edits", {})
    if not isinstance(edits, dict):
        yield ("edits",), f'expected an object such as {{"/answer": "the new text"}}; got {_shown(edits)}'
    elif edits and not form.edited:
        yield ("edits",), "expected {}: nothing can be edited here; got edits"
    else:
        yield from _edits(edits)
    note, seconds = value.get("note", ""), value.get("seconds")
    if not isinstance(note, str):
        yield ("note",), f"expected a text in double quotes; got {_shown(note)}"
    elif len(note) > LONGEST_NOTE:
        yield ("note",), f"expected a text of at most {LONGEST_NOTE} characters; got {len(note)}"
    elif hidden := unfit(note, note=True):
        yield ("note",), f"expected plain characters; got {hidden}"
    if seconds is not None and not (_whole(seconds) and 0 <= seconds <= LONGEST_LOOK):
        yield ("seconds",), f"expected whole seconds, at most {LONGEST_LOOK}; got {_shown(seconds)}"


def _edits(edits: dict[str, Any]) -> Iterator[Found]:
    for pointer, text in edits.items():
        if pointer not in LONGEST:
            known = f"expected one of {', '.join(LONGEST)} (step 1 is /steps/0)"
            yield ("edits", Key(pointer)), f"{known}; got {_shown(pointer)}"
        elif not isinstance(text, str):
            yield ("edits", pointer), f"expected the new text; got {_shown(text)}"


def _reasons(form: Form, reasons: Any) -> Iterator[Found]:
    if not isinstance(reasons, list):
        example = json.dumps(_values(form.reasons)[:1])
        yield ("reasons",), f"expected a list such as {example}; got {_shown(reasons)}"
        return
    known, seen = _values(form.reasons), set()
    for number, reason in enumerate(reasons):
        if reason not in known:
            yield ("reasons", number), _one_of(known, reason)
        elif reason in seen:
            yield ("reasons", number), f"expected each reason once; got {reason!r} again"
        else:
            seen.add(reason)


def _scores(form: Form, scores: Any) -> Iterator[Found]:
    if not isinstance(scores, dict):
        yield ("scores",), f"expected an object; got {_shown(scores)}"
        return
    for name, score in scores.items():
        steps = next((choice.steps for choice in form.scores if choice.value == name), None)
        if steps is None:
            yield ("scores", Key(name)), _one_of(_values(form.scores), name)
        elif steps and score is not None and score not in steps:
            yield ("scores", name), _one_of([*steps, None], score)
        elif not steps and score is not None and not (_whole(score) and 1 <= score <= MOST):
            yield ("scores", name), f"expected a whole number from 1 to {MOST}, or null; got {_shown(score)}"


def agreement_with(form: Form, item: Item, line: Review) -> Iterator[Found]:
    """What keeps a line of good shape from being said of `item`, whose sha it has."""
    for pointer, found in faults(item.path, line.edits) if line.edits else ():
        yield ("edits", pointer), found
    if form.edited and line.decision == form.edited and not line.edits:
        yield ("edits",), f"expected an edit, as the decision is {form.edited!r}; got none"
    if line.edits and line.decision not in (None, form.edited, form.explained):
        yield ("decision",), f"expected {form.edited!r}, as there are edits; got {line.decision!r}"
    if form.explained and line.decision == form.explained and not line.reasons:
        yield ("reasons",), f"expected a reason, as the decision is {form.explained!r}; got none"
    yield from _answers(form, item, line)
    if OTHER in line.reasons and not line.note.strip():
        yield ("note",), f"expected a note, as {OTHER!r} is a reason; got none"


def _answers(form: Form, item: Item, line: Review) -> Iterator[Found]:
    """Words that cannot be said of this item, and where its decision needs more of them."""
    if item.exhibit is None:
        return
    for name, said in line.scores.items():
        known = item.exhibit.asked.get(name, ())
        if said is not None and said not in known:
            yield ("scores", name), _one_of([*known, None], said)
        elif known and said is None and line.decision == form.answered:
            listed = ", ".join(known)
            yield ("scores", name), f"expected {listed}, as the decision is {form.answered!r}; got null"


def _values(choices: Iterable[Choice]) -> list[str]:
    return [choice.value for choice in choices]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one_of(known: Sequence[str | None], got: Any, what: str = "") -> str:
    names = [name if name is not None else "null" for name in known]
    listed = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names) or "nothing"
    near = get_close_matches(got, names, 1) if isinstance(got, str) else []
    meant = f" (did you mean {near[0]}?)" if near else ""
    return f"expected {f'{what} ' if what else ''}{listed}; got {_shown(got)}{meant}"


def _shown(value: Any) -> str:
    text = repr(value)
    return "null" if value is None else text if len(text) <= 60 else f"{text[:57]}…"
