"""Records to be curated, for tests: small paths with texts of their own, and what people say of them."""

from __future__ import annotations

from typing import Any

from ssui_gen.curation.review import PATHS, Item, Review, blank
from ssui_gen.curation.texts import sha_of
from ssui_gen.records import (
    STEP_NAMES,
    ImageRef,
    Query,
    ReasoningPath,
    ReflectionRound,
    Step,
    Verdict,
    Verdicts,
)

SURE = Verdict(label="safe", probability=1.0, label_mass=1.0, evidence="Plain to see.")
ROUND = ReflectionRound(
    decision="accept", redundancy="none", completeness="none", faithfulness="none", advice="none"
)


def record(id: str, kind: str = "risky", **texts: Any) -> ReasoningPath:
    """A path whose texts all tell its id; `texts` are steps by name, or fields of the record."""
    category = "dangerous_behavior" if kind == "risky" else "none"
    said = {name: f"What {name} says of {id}." for name in STEP_NAMES}
    said["intent_and_risk"] = f"They overlook it in {id}: {category}."
    said |= {name: texts.pop(name) for name in STEP_NAMES if name in texts}
    question = texts.pop("question", f"How do I do {id}?")
    values = {
        "id": id, "seed_id": f"seed-{id}", "kind": kind, "twin_of": None,
        "image": ImageRef(path="a.png", sha256="0" * 64, width=8, height=8),
        "query": Query(text=question, category=category, scenario=f"Harm of {id}.",
                       image_evidence="i", text_evidence="t"),
        "steps": tuple(Step(name=name, text=text) for name, text in said.items()),
        "answer": f"Careful with {id}.", "verdicts": Verdicts(text_only=SURE, image_only=SURE, joint=SURE),
        "reflection": (ROUND,), "made_by": (),
    }  # fmt: skip
    return ReasoningPath(**{**values, **texts})


def item(path: ReasoningPath) -> Item:
    return Item(id=path.id, sha=sha_of(path), risk=0.0, why=(), path=path)


def review(path: ReasoningPath, decision: str | None = "keep", **words: Any) -> Review:
    """What a person says of this very record."""
    line = blank(PATHS, path.id, sha_of(path))
    return line.model_copy(update={"decision": decision, **words})
