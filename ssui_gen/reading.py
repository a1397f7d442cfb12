"""What a model wrote, read into think / before / steps / answer / after: every character in exactly one part.

Models write six steps in many ways: `1.`, `1)`, `Step 1:`, headings, bold titles, a dash for the colon, title
and text on two lines, lists inside a step, thoughts in tags before it all. The reader takes them as they
come; what cannot be read as a whole path is a *finding* about form (`Form`), never a verdict about content.
Pure and linear in the text; never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from ssui_gen.branches import Form
from ssui_gen.branching import ANSWER, render_path, title
from ssui_gen.records import STEP_NAMES, Step

Kind = Literal["think", "before", "step", "answer", "after"]
SIX = range(1, len(STEP_NAMES) + 1)
LINE = r"[^\s<◁*_`~#>-][^\s<◁]*( [^\s<◁]+)*"
"""Words with a blank between each, in any script (what `\\w` is differs between servers); nothing that opens
is taken for markup, nothing within it for a tag that ends thoughts or the answer.
"""


class Part(NamedTuple):
    """Characters `start` to `stop` of a text; its content begins at `content`, behind number and title."""

    kind: Kind
    start: int
    content: int
    stop: int
    number: int = 0
    """Of a step, from 1 on."""


@dataclass(frozen=True)
class Reading:
    """A text and its parts, in order and without a gap."""

    text: str
    parts: tuple[Part, ...]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """In the order in which they stand, by their names; a step may hold several lines."""
        return tuple(Step(name=STEP_NAMES[p.number - 1], text=self._said(p)) for p in self._of("step"))

    @cached_property
    def answer(self) -> str | None:
        """What the person is told, without its label; None where nothing is called the answer."""
        said = [self._said(part) for part in self._of("answer")]
        return "\n".join(said) if said else None

    @property
    def think(self) -> str:
        return self._all("think")

    @property
    def before(self) -> str:
        return self._all("before")

    @property
    def after(self) -> str:
        return self._all("after")

    @cached_property
    def form(self) -> Form:
        """The first finding that applies."""
        if not self.text.strip():
            return Form.EMPTY
        numbers = [part.number for part in self._of("step")]
        if not numbers:
            return Form.NO_STEPS
        heads = [part.number or len(SIX) + 1 for part in self.parts if part.kind in ("step", "answer")]
        if heads != sorted(set(heads)):
            return Form.STEPS_OUT_OF_ORDER
        if numbers != list(SIX):
            return Form.STEPS_LACK
        if self.answer is None:
            return Form.NO_ANSWER
        if not self.answer or not all(step.text for step in self.steps):
            return Form.STEP_EMPTY
        plain = render_path(self.steps, self.answer) == self.text.rstrip()
        return Form.EXACT if plain else Form.READABLE

    def own_step(self, cut: int) -> str:
        """Of a continuation from `cut`: up to where the next step or the answer begins, line break included;
        all of it at the last cut, where the answer belongs to the step.
        """
        heads = [part for part in self.parts if part.kind in ("step", "answer")]
        last = cut + 1 == len(STEP_NAMES)
        return self.text if last or len(heads) < 2 else self.text[: heads[1].start]

    def through(self, number: int) -> int | None:
        """Where step `number` of a whole path ends, its line break included; None of what is no path."""
        stops = (part.stop for part in self._of("step") if part.number == number)
        return next(stops, None) if self.form.whole else None

    def _of(self, kind: Kind) -> Iterator[Part]:
        return (part for part in self.parts if part.kind == kind)

    def _said(self, part: Part) -> str:
        return self.text[part.content : part.stop].strip()

    def _all(self, kind: Kind) -> str:
        return "".join(self.text[part.start : part.stop] for part in self._of(kind))


def rest_of_path(cut: int) -> str:
    """A regular expression for what goes on from a cut as `render_path` writes it; read as form `exact`."""
    lines = (rf"{n}\. {title(name)}: {LINE}\n" for n, name in enumerate(STEP_NAMES, 1) if n > cut)
    return "".join(lines) + f"{ANSWER}{LINE}"


def read(text: str) -> Reading:
    """The parts of `text`; the parts' texts joined are `text`."""
    begin = _end_of_thoughts(text)
    heads = _heads(text, begin)
    first = heads[0].start if heads else len(text)
    parts = [Part("think", 0, 0, begin), Part("before", begin, begin, first)]
    stops = [*(head.start for head in heads[1:]), len(text)]
    for head, stop in zip(heads, stops, strict=False):
        parts += _ended(text, head, stop)
    return Reading(text, tuple(part for part in parts if part.stop > part.start))


# --- thoughts --------------------------------------------------------------------------------------

_TAGS = r"(?:\w{1,10}:)?(?:think|thinking|thought|reasoning)"
OPENS = rf"(?:<(?:{_TAGS})>|◁think▷|\[THINK\]|<\|begin_of_thought\|>|<\|channel>thought\b)"
CLOSES = (
    rf"(?:</(?:{_TAGS})>|◁/think▷|\[/THINK\]|<\|end_of_thought\|>|<channel\|>"
    r"|<\|channel\|>final<\|message\|>)"
)
"""Tags of thoughts of DeepSeek, Qwen, GLM and many more; of Kimi, Magistral, Sky-T1, Gemma 4 and gpt-oss."""
_OPENS, _CLOSES = re.compile(rf"\s*{OPENS}", re.IGNORECASE), re.compile(CLOSES, re.IGNORECASE)


def _end_of_thoughts(text: str) -> int:
    """Behind the last closing tag, whether or not one opens (templates often write that one into the prompt);
    of thoughts that are never closed the end of the text.
    """
    closing = [match.end() for match in _CLOSES.finditer(text)]
    if closing:
        return closing[-1]
    return len(text) if opens_thoughts(text) else 0


def opens_thoughts(text: str) -> bool:
    """Whether a text begins with the tag of thoughts."""
    return _OPENS.match(text) is not None


def thoughts(text: str) -> tuple[int, int, int]:
    """Where thoughts begin and end, their tags left out, and where the rest begins; 0, 0, 0 without any."""
    rest, opening = _end_of_thoughts(text), _OPENS.match(text)
    start = opening.end() if opening else 0
    stop = max((match.start() for match in _CLOSES.finditer(text)), default=rest)
    return (start, max(start, stop), rest) if rest else (0, 0, 0)


TURN_END = (
    r"(?:<\|?(?:im_end|im_start|eot_id|eot|eom_id|end|end_of_turn|endoftext|end_of_text|turn)\|?>"
    r"|<｜end▁of▁sentence｜>|</s>|\[/?INST\])"
)
"""A mark by which templates end a turn, where a model writes it as words."""
_ENDED = re.compile(rf"{TURN_END}\s*\Z")
_LONGEST_END = 30


def spoken(text: str) -> str:
    """What stands behind all thoughts, without marks that end the turn."""
    said = text[_end_of_thoughts(text) :]
    while ended := _ENDED.search(said, max(0, len(said.rstrip()) - _LONGEST_END)):
        said = said[: ended.start()]
    return said


# --- where steps and the answer begin --------------------------------------------------------------


class _Head(NamedTuple):
    """A line that begins a step (1 to 6) or the answer (0)."""

    start: int
    content: int
    number: int


_BLANK = r"[ \t\u00a0\u3000]*+"
"""Possessive, here and below: a line of a million blanks must cost a million looks, not their square."""
_BOLD = r"(?:\*{1,3}|_{1,3}|`)?"
_LEAD = rf"{_BLANK}(?:>{_BLANK})?(?:\#{{1,6}}{_BLANK})?(?:[-*+•]{_BLANK}(?=\S))?{_BOLD}{_BLANK}"
_STEP = rf"(?:step{_BLANK})?[(\[]?(?P<number>\d{{1,2}})[)\]]?{_BLANK}{_BOLD}[.:：)、\-–—]*{_BLANK}"
_OPEN = rf"{_BOLD}{_BLANK}[(\[\"“]?"
_CLOSE = rf"[)\]\"”]?{_BLANK}{_BOLD}{_BLANK}"
_SHUT = rf"{_CLOSE}(?:[:：]|[–—]+|-+(?=\s)|(?=\r?$)){_BLANK}{_BOLD}{_BLANK}"
_TITLES = "|".join(title(name).replace(" and ", " (?:and|&) ").replace(" ", "[ _]") for name in STEP_NAMES)
_TITLED = re.compile(rf"{_LEAD}(?:{_STEP})?{_OPEN}(?P<title>{_TITLES}){_SHUT}", re.IGNORECASE | re.MULTILINE)
_LONGER = re.compile(
    rf"{_LEAD}{_STEP}{_OPEN}(?P<title>[^\n:：*.]{{1,60}}?)(?:{_SHUT}|{_CLOSE}\.{_BLANK})",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBERED = re.compile(
    rf"{_LEAD}(?:step{_BLANK}[(\[]?(?P<step>\d{{1,2}})\b[)\]]?[.:：\-–—]*|"
    rf"[(\[]?(?P<number>\d{{1,2}})[.)\]:：、]+(?!\d)){_BLANK}{_BOLD}{_BLANK}",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    rf"{_LEAD}(?:{_STEP})?{_OPEN}(?:(?:the|my){_BLANK})?(?:final{_BLANK}|safe{_BLANK})?answer{_SHUT}"
    rf"|{_BLANK}<answer>",
    re.IGNORECASE | re.MULTILINE,
)
_LINE = re.compile(r"\n(?=[^\n])")
_WORDS = re.compile(r"\w+")
_PLACES = {title(name).lower().replace(" ", "_"): number for number, name in enumerate(STEP_NAMES, 1)}
_KEYS = tuple(frozenset(_WORDS.findall(title(name).lower())) - {"and"} for name in STEP_NAMES)


def _heads(text: str, begin: int) -> list[_Head]:
    """By titles; where these do not make a whole path, steps that bear but a number are taken too."""
    lines = list(_lines(text, begin))
    titled = [head for line in lines if (head := _titled(text, line))]
    if set(SIX) <= {head.number for head in titled}:
        return titled
    numbered = list(_counted(text, lines, {head.start: head for head in titled}))
    return numbered if set(SIX) <= {head.number for head in numbered} else titled


def _lines(text: str, begin: int) -> Iterator[int]:
    """Where lines that are not empty begin."""
    yield begin
    yield from (match.end() for match in _LINE.finditer(text, begin))


def _titled(text: str, line: int) -> _Head | None:
    if found := _ANSWER.match(text, line):
        return _Head(line, found.end(), 0)
    if found := _TITLED.match(text, line):
        name = found["title"].lower().replace(" ", "_").replace("&", "and")
        return _Head(line, found.end(), _PLACES[name])
    return _longer_titled(text, line)


def _longer_titled(text: str, line: int) -> _Head | None:
    """`4. Deeper intent and risk category: ...`: the number's own title with more words around it."""
    found = _LONGER.match(text, line)
    number = int(found["number"]) if found else 0
    if not found or number not in SIX:
        return None
    words = set(_WORDS.findall(found["title"].lower().replace("_", " ")))
    return _Head(line, found.end(), number) if _KEYS[number - 1] <= words else None


def _counted(text: str, lines: Iterable[int], titled: dict[int, _Head]) -> Iterator[_Head]:
    """Titled heads, and lines that bear the number that is next until there is an answer."""
    expected = 1
    for line in lines:
        if head := titled.get(line):
            expected = head.number + 1 if head.number else len(SIX) + 1
            yield head
        elif expected in SIX and (found := _numbered(text, line)) and found.number == expected:
            expected += 1
            yield found


def _numbered(text: str, line: int) -> _Head | None:
    found = _NUMBERED.match(text, line)
    return _Head(line, found.end(), int(found["step"] or found["number"])) if found else None


# --- where the answer ends -------------------------------------------------------------------------

_AFTER = re.compile(r"</answer>|^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$|^[ \t]*#{1,6}[ \t]+\S", re.MULTILINE)
"""A closing tag, a rule across the page, a new heading."""


def _ended(text: str, head: _Head, stop: int) -> Sequence[Part]:
    """The part that a head begins; of an answer also what comes after it."""
    if head.number:
        return (Part("step", head.start, head.content, stop, head.number),)
    found = _AFTER.search(text, head.content, stop)
    end = found.start() if found else stop
    return Part("answer", head.start, head.content, end), Part("after", end, end, stop)
