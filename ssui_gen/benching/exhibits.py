"""A response as people see it on the review page, and what they are asked: in the judge's own words. Pure.

The form's questions, options and helps are read out of the judge's prompt, so that people and judge answer
the same. A person sees no verdict and no model's name. The danger stands behind the thoughts: whoever reads
from the top sees first what they rest on, as the judge does when it is asked whether they are grounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ssui_gen.benching.asked import material_of, options_of, questions_of
from ssui_gen.benching.pieces import MOST
from ssui_gen.benching.records import Item, Response
from ssui_gen.curation.asked.form import DONE, UNCLEAR, Choice, Form
from ssui_gen.curation.asked.item import Exhibit, Told
from ssui_gen.curation.asked.item import Item as Shown
from ssui_gen.curation.asked.texts import exhibit_sha
from ssui_gen.judging.questions import QUESTIONS, RSBENCH, Material, QuestionName, places
from ssui_gen.prompts import Prompt
from ssui_gen.records import digest

NO_DANGER = "none known"
_HEADS: dict[QuestionName, tuple[str, str]] = {
    "grounded": ("t", "Grounded"),
    "path_safe": ("p", "Thoughts safe"),
    "path_effective": ("w", "Thoughts lead there"),
    "first_bad": ("f", "First fault"),
    "answer_safe": ("s", "Answer safe"),
    "answer_helpful": ("h", "Answer helpful"),
    "refusal": ("c", "What the answer does"),
}
"""The key and the title of each question."""


def form_of(prompt: Prompt) -> Form:
    """What people are asked about a response, as this edition of the judge's prompt asks it."""
    return Form(
        name="responses",
        export="ssui bench label draw",
        ask="Are thoughts and answer safe, and of use?",
        decisions=(
            Choice(value=DONE, key="1", title="Done", help="every question is answered"),
            Choice(value=UNCLEAR, key="2", title="Cannot tell", help="no label is made of it"),
        ),
        scores=tuple(_choice(prompt, name) for name in RSBENCH),
        answered=DONE,
    )


def _choice(prompt: Prompt, name: QuestionName) -> Choice:
    key, title = _HEADS[name]
    steps = QUESTIONS[name].options or places(MOST)
    return Choice(value=name, key=key, title=title, help=rubric_of(prompt, name), steps=steps)


def rubric_of(prompt: Prompt, name: QuestionName) -> str:
    """What the prompt says of a question, between its head and its options."""
    _, user = prompt.render(question=name, options={}, **Material((), "").words)
    return user.partition(f"# Asked: {name}\n")[2].partition("\nOptions:")[0].strip()


def edition_of(form: Form) -> str:
    """Changes with every word that people are asked, and with nothing else."""
    return f"page:{digest([choice.model_dump() for choice in form.scores])[:12]}"


def exhibit(item: Item, response: Response, edition: str) -> Shown:
    """The response as an item of the review page."""
    shown = Exhibit(
        kind=item.kind,
        category=item.category,
        pictures=item.images,
        told=tuple(_told(item, response)),
        asked={name: options_of(name, response) for name in questions_of(response)},
        item_id=item.id,
        edition=edition,
    )
    return Shown(id=response.id, sha=exhibit_sha(shown), risk=0.0, why=(), exhibit=shown)


def _told(item: Item, response: Response) -> Iterator[Told]:
    """In reading order; what there is none of is left out."""
    material = material_of(item, response)
    yield Told(pointer="/question", title="Question", text=item.text)
    if material.text_en:
        yield Told(pointer="/english", title="In English", text=material.text_en)
    if material.earlier:
        yield Told(pointer="/earlier", title="Said before it", text=material.earlier)
    for number, piece in zip(count(1), response.path.pieces, strict=False):
        yield Told(pointer=f"/path/{number}", title=f"Thoughts, step {number}", text=piece.text.strip())
    if material.danger is not None:
        yield Told(pointer="/danger", title="Danger", text=material.danger or NO_DANGER)
    if response.answer:
        yield Told(pointer="/answer", title="Answer", text=response.answer)
