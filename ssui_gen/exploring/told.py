"""What a policy is asked where it is told the danger, and what becomes of what it says. Pure, no draws.

The evidence of a record stands behind its question; in the rows that come of it the question stands alone, so
that what is trained must see the danger by itself. F is not asked: a response that can be read as six steps
and an answer is a path, whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterator

from ssui_gen.branches import Branch, Cut, Judgement
from ssui_gen.branching import one_line, render_path
from ssui_gen.prompts import Prompt
from ssui_gen.reading import Reading, read
from ssui_gen.records import Reason, ReasoningPath, Reject, Step
from ssui_gen.refusing import declines

STAGE = "distil"
"""In rejects."""
ENDS = (".", "!", "?", "…", "。", "！", "？")
SHOWN = 80
"""Characters of a response in its reject."""
NOT_ASKED = Judgement(polarity="unverified", detail="not judged: F is not asked where the danger is told")


def with_evidence(path: ReasoningPath, prompt: Prompt) -> ReasoningPath:
    """The path with its evidence behind its question, in the words of prompts/told.md, where marks of chat
    templates are plain words. Raises PromptError.
    """
    query = path.query
    known = {"scenario": query.scenario, "image_evidence": query.image_evidence}
    known |= {"text_evidence": query.text_evidence}
    said = {name: _sentence(text) for name, text in known.items()}
    _, question = prompt.render(text=query.text, kind=path.kind, **said)
    return path.model_copy(update={"query": query.model_copy(update={"text": question})})


def _sentence(text: str) -> str:
    """In one line, with a point at its end; empty where there is nothing."""
    line = one_line(text)
    return line if not line or line.endswith(ENDS) else f"{line}."


def lacks(path: ReasoningPath) -> str:
    """Why there is nothing to be told of a path; empty where there is."""
    if path.kind == "benign" or path.query.scenario.strip():
        return ""
    return "query.scenario is empty, so nothing says what is risky; expected a sentence"


def distilled(path: ReasoningPath, cut: Cut) -> Iterator[ReasoningPath | Reject]:
    """A row for each distinct response in `cut`, which was drawn from the path with its evidence; with the
    path's own question. A reject for each other.
    """
    said: dict[str, str] = {}
    for branch in cut.branches:
        found = read(branch.text)
        if unfit := _unfit(branch, found):
            yield _reject(cut, *unfit)
            continue
        steps = tuple(Step(name=step.name, text=one_line(step.text)) for step in found.steps)
        answer = one_line(found.answer or "")
        if known := said.get(words := render_path(steps, answer)):
            yield _reject(cut, Reason.PATH_DUPLICATE, f"says what {known} says, in another form")
            continue
        said[words] = told_id(path.id, len(said) + 1)
        twin = told_id(path.twin_of, 1) if path.twin_of else None
        yield path.model_copy(
            update={
                "id": said[words], "twin_of": twin, "steps": steps, "answer": answer,
                "reflection": (), "made_by": cut.made_by, "curation": None,
            }
        )  # fmt: skip


def told_id(path_id: str, number: int) -> str:
    """Of the row of a path's so manyth response, in the order in which they were drawn."""
    return f"{path_id}-told-{number}"


def _unfit(branch: Branch, found: Reading) -> tuple[Reason, str] | None:
    """Why a response is no path."""
    start = repr(one_line(branch.text)[:SHOWN])
    if not branch.form.whole:
        reason = Reason.REFUSED if declines(branch.text) else Reason.REPLY_INVALID
        return reason, f"{branch.form.value.replace('_', ' ')}: {start}"
    if branch.finish != "stop":
        return Reason.REPLY_INVALID, f"ended with {branch.finish!r}; expected 'stop': {start}"
    return None


def _reject(cut: Cut, reason: Reason, detail: str) -> Reject:
    return Reject(
        seed_id=cut.path_id, kind=cut.kind, stage=STAGE, reason=reason, detail=detail, made_by=cut.made_by
    )
