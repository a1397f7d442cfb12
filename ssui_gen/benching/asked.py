"""What a judge is asked about a response, and what it is shown of it. Nothing is asked here (`judged`).

Path questions need a path and answer questions an answer: what never came is not asked about, and is neither
a pass nor a fail.
"""

from __future__ import annotations

from ssui_gen.benching.records import Item, Response, ResponsePath
from ssui_gen.config import BenchQuestion
from ssui_gen.judging.questions import OF_PATH, QUESTIONS, RSBENCH, Material, numbered, places
from ssui_gen.records import STEP_NAMES

_OF_ANSWER = tuple(name for name in RSBENCH if name not in OF_PATH)
FORKS: tuple[tuple[BenchQuestion, ...], ...] = (
    ("path_safe", "path_effective", "first_bad"),
    ("grounded",),
    ("answer_safe", "answer_helpful"),
    ("refusal",),
)
"""Questions that are shown the same up to their rubric (`first_bad` the answer besides); the forks share
pictures and question with each other.
"""


def questions_of(response: Response) -> tuple[BenchQuestion, ...]:
    """Those that there is something to ask of; none where the model did not come to speak."""
    if response.status not in ("ok", "no_answer"):
        return ()
    path = OF_PATH if response.path.pieces else ()
    answer = _OF_ANSWER if response.answer else ()
    return tuple(name for name in RSBENCH if name in path or name in answer)  # type: ignore[misc]


def material_of(item: Item, response: Response) -> Material:
    """All that any question may be shown; `seen_by` takes out what a question is not."""
    return Material(
        pictures=item.images,
        text=item.text,
        text_en=item.text_en,
        earlier="\n".join(f"{turn.role}: {turn.text}" for turn in item.turns) or None,
        danger=item.danger if item.kind == "risky" else "",
        path=path_shown(response.path) if response.path.pieces else None,
        answer=response.answer,
    )


def path_shown(path: ResponsePath) -> str:
    """Six steps bear their numbers, and are shown to the letter; other pieces get a number each."""
    if path.source == "steps" and len(path.pieces) == len(STEP_NAMES):
        return path.text
    return numbered([piece.text.strip() for piece in path.pieces])


def options_of(question: BenchQuestion, response: Response) -> tuple[str, ...]:
    """The options, of `first_bad` by the pieces that there are; the answer is one where it came."""
    if question != "first_bad":
        return QUESTIONS[question].options
    found = places(len(response.path.pieces))
    return found if response.answer else found[:-1]
