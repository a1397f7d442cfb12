"""One row of somebody's visual questions, whatever its columns are called: question, picture, what is right.

Shapes that are read: VQA v2, OK-VQA, TextVQA and A-OKVQA (ten people's answers), GQA (one answer), ScienceQA,
MMStar, MMBench and AI2D (options). What could mean two things is refused, with what would be clear. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple

from ssui_gen.benching.adapters.making import LONGEST
from ssui_gen.benching.records import MOST_PICTURES
from ssui_gen.benching.vqa.scoring import LETTERS, PEOPLE, Key, lettered
from ssui_gen.columns import pictures, words
from ssui_gen.errors import RecordError
from ssui_gen.strict_json import value_of

ID = ("id", "question_id", "questionid", "qid", "sample_id", "uid", "index", "idx")
QUESTION = ("question", "query", "prompt", "text")
ANSWERS = ("answers", "direct_answers")
OPTIONS = ("choices", "options", "multiple_choices")
ANSWER = ("answer", "multiple_choice_answer", "label", "gt_answer")
INDEX = ("correct_choice_idx", "answer_index", "answer_idx")
BEFORE = ("hint", "context")
TYPE = ("type", "answer_type", "category", "question_type", "subject")
PICTURE = ("image_id", "imageid")
"""A picture's number, of rows that name no file."""
RIGHTS = ("licence", "license")
EXAMPLE = '{"image": "a.png", "question": "How many cups?", "answer": "two"}'
_OPTION = re.compile(
    r"(?:^|[\s,;(])([A-Z])\s?[.:)]\s*(\S.*?)(?:(?<![\s,;(])(?=[\s,;(]++[A-Z]\s?[.:)]\s)|$)", re.DOTALL
)
"""An option that stands in the question's own words. Each run of marks is looked through once."""
Row = Mapping[str, Any]


class Question(NamedTuple):
    """What a row asks."""

    id: str
    """Empty where it has none."""
    text: str
    """With its options, if it has some."""
    key: Key
    pictures: tuple[str | bytes, ...]
    """As the row has them: names of files, bytes, or these in base64."""
    number: str
    """Of its picture, where it names no file."""
    type: str
    licence: str


def question(row: Row, where: str) -> Question:
    """Raises RecordError for what cannot be asked or scored."""
    low = _low(row)
    asked = words(_first(low, QUESTION))
    if not asked:
        raise RecordError(f"{where}: no question: expected one of the columns {', '.join(QUESTION)}")
    _fits("the question", asked, where)
    key, shown = _key(low, asked, where)
    text = "\n".join(filter(None, (_before(low), _kept(_first(low, QUESTION)), shown)))
    shows = tuple(pictures(low))
    if len(shows) > MOST_PICTURES:
        raise RecordError(f"{where}: {len(shows)} pictures; at most {MOST_PICTURES}")
    _fits("the question", text, where)
    _fits("what is right", "".join(key.answers), where)
    return Question(
        id=_name(_first(low, ID)),
        text=text,
        key=key,
        pictures=shows,
        number=_name(_first(low, PICTURE)),
        type=words(_first(low, TYPE))[:80],
        licence=words(_first(low, RIGHTS))[:200],
    )


def _fits(what: str, text: str, where: str) -> None:
    if len(text) > LONGEST:
        raise RecordError(f"{where}: {what} has {len(text):,} characters; at most {LONGEST:,}")


def _plain(value: Any) -> Any:
    """A whole number that a table has as a float, as one with gaps does, as a whole number; NaN as a gap."""
    if not isinstance(value, float):
        return value
    return (int(value) if value.is_integer() else value) if math.isfinite(value) else None


def has_question(row: Row) -> bool:
    """Whether it asks anything: the answers to VQA's questions stand in a file of their own."""
    return not _low(row).keys().isdisjoint(QUESTION)


def id_of(row: Row) -> str:
    """Empty where it has none."""
    return _name(_first(_low(row), ID))


def _low(row: Row) -> dict[str, Any]:
    """By names in lower case, numbers and gaps as they were meant."""
    return {str(name).lower(): _plain(value) for name, value in row.items()}


def _first(row: Row, names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "", [])), None)


def _name(value: Any) -> str:
    """An id or a number of a picture as a text."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _kept(value: Any) -> str:
    """A question with its lines."""
    return value.strip() if isinstance(value, str) else words(value)


def _before(row: Row) -> str:
    found = _kept(_first(row, BEFORE) or "")
    return "" if found.lower() in ("nan", "none") else found


# --- what is right ---------------------------------------------------------------------------------------


def _key(row: Row, asked: str, where: str) -> tuple[Key, str]:
    """And what is shown of options that the question does not show itself."""
    if options := _options(row, where):
        return Key((_letter(row, options, where),), options), lettered(options)
    answers, one = _answers(row, where), _first(row, ANSWER)
    if not answers and (inside := options_in(asked)) and _is_letter(one):
        return Key((_lettered(str(one).strip().upper(), inside, where),), inside), ""
    return Key(answers or (_only(one, where),)), ""


def _answers(row: Row, where: str) -> tuple[str, ...]:
    """Ten people's, or one; none where there is no list of answers."""
    value = _first(row, ANSWERS) or _list_or_none(row.get("answer"))
    told = _listed(value.get("answer") if isinstance(value, Mapping) else value)
    if told is None:
        return ()
    found = tuple(_text(one.get("answer") if isinstance(one, Mapping) else one) for one in told)
    if not any(found):
        raise RecordError(f"{where}: no answers: the list is empty")
    if len(found) not in (1, PEOPLE):
        raise RecordError(
            f"{where}: {len(found)} answers: expected {PEOPLE}, of which VQA accuracy is made, or one; of a "
            "list of other length nobody has said how it counts: give the commonest as `answer`"
        )
    return found


def _only(value: Any, where: str) -> str:
    if not (text := _text(value)):
        raise RecordError(f"{where}: no answers: expected `answers`, `answer`, or options and `answer`")
    return text


def _text(value: Any) -> str:
    """An answer as a text: numbers and truths are written as people say them."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    value = _plain(value)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _list_or_none(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else None


def _listed(value: Any) -> Sequence[Any] | None:
    """A list, also one that is written in a text as JSON or as Python would."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = value_of(value.encode("utf-8"))
        except ValueError:
            value = re.findall(r"'([^']*)'|\"([^\"]*)\"", value)
            value = [one or other for one, other in value]
    return value if isinstance(value, list | tuple) else [value] if isinstance(value, str) else None


# --- options ---------------------------------------------------------------------------------------------


def _options(row: Row, where: str) -> tuple[str, ...]:
    """Of a list, of an object by letters, or of columns A, B, C …"""
    columns = [row.get(letter.lower()) for letter in ascii_uppercase] if {"a", "b"} <= row.keys() else []
    found = list(map(_text, _told(_first(row, OPTIONS), where) or columns))
    while found and found[-1].lower() in ("", "nan"):
        found.pop()
    if not found:
        return ()
    if len(found) < 2 or not all(found) or len(found) > len(LETTERS):
        raise RecordError(
            f"{where}: options: expected 2 to {len(LETTERS)}, each with a text; got {found[:9]!r}"
        )
    return tuple(found)


def _told(value: Any, where: str) -> Sequence[Any]:
    """Options in their order; what holds some and cannot be read is no question without options."""
    if isinstance(value, Mapping):
        lettered = {str(name).upper(): one for name, one in value.items()}
        value = [lettered.get(letter) for letter in LETTERS] if set(lettered) <= set(LETTERS) else value
    told = [] if value is None or value == {} else _listed(value)
    if told is None or any(isinstance(one, Mapping | list | tuple) for one in told):
        what = "a list of texts, or an object of them by letter"
        raise RecordError(f"{where}: options: expected {what}; got {str(value)[:60]!r}")
    return told


def options_in(asked: str) -> tuple[str, ...]:
    """The options that stand in a question's own words: at least A and B, in their order."""
    found = [(one[1], one[2].strip(" ,;\n")) for one in _OPTION.finditer(asked)]
    start = next((place for place, (letter, _) in enumerate(found) if letter == "A"), len(found))
    texts = [text for (letter, text), due in zip(found[start:], LETTERS, strict=False) if letter == due]
    return tuple(texts) if len(texts) > 1 else ()


def _letter(row: Row, options: Sequence[str], where: str) -> str:
    """Of the right option, by its letter, its place from 0 on, or its text."""
    answer, place = _first(row, ANSWER), _first(row, INDEX)
    for value in (place, answer):
        if isinstance(value, int) and not isinstance(value, bool):
            return _placed(value, options, where)
    text = _text(answer)
    if not text:
        raise RecordError(f"{where}: no answers: which of {len(options)} options is right?")
    same = [LETTERS[n] for n, option in enumerate(options) if option.casefold() == text.casefold()]
    if _is_letter(text):
        meant = {*same, *([text.upper()] if text.upper() in LETTERS[: len(options)] else [])}
        if len(meant) > 1:
            what = f"{text!r} is the letter of one option and the text of another: give its place, from 0 on"
            raise RecordError(f"{where}: answer: {what}")
        return meant.pop() if meant else _lettered(text.upper(), options, where)
    if text.isdigit() and not (same and int(text) < len(options) and LETTERS[int(text)] != same[0]):
        return same[0] if len(same) == 1 else _placed(int(text), options, where)
    if text.isdigit():
        what = f"{text!r} is the place of one option and the text of another: give its letter"
        raise RecordError(f"{where}: answer: {what}")
    if len(same) != 1:
        what = "none" if not same else f"{len(same)}"
        raise RecordError(f"{where}: answer: {text[:60]!r} is the text of {what} of the options")
    return same[0]


def _is_letter(value: Any) -> bool:
    return isinstance(value, str) and len(value.strip()) == 1 and value.strip().upper() in LETTERS


def _lettered(letter: str, options: Sequence[str], where: str) -> str:
    return _placed(LETTERS.index(letter), options, where, f"the letter {letter}")


def _placed(place: int, options: Sequence[str], where: str, said: str = "") -> str:
    if not 0 <= place < len(options):
        said = said or f"place {place}, counted from 0"
        raise RecordError(
            f"{where}: answer: {said} is none of {len(options)} options (A to {LETTERS[len(options) - 1]})"
        )
    return LETTERS[place]
