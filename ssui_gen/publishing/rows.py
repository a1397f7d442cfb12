"""A path, a pair, an item of a benchmark → a row of what is published: words only, no files.

Rows are flat, so that a stranger can read them in any viewer. What stays behind: names of files and seeds,
ids of calls, reviewers' names. Which columns there are, and what each means, stands in `COLUMNS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ssui_gen.benching.records import Item
from ssui_gen.branches import Pair
from ssui_gen.licences import Terms
from ssui_gen.records import STEP_NAMES, ReasoningPath
from ssui_gen.wish import Wish

Config = Literal["paths", "pairs", "bench"]
Kind = Literal["text", "texts", "number", "fraction", "picture", "pictures", "messages"]
"""What a column holds; `messages` are those of TRL."""
STEPS = ", ".join(STEP_NAMES)
_RIGHTS: Mapping[str, tuple[Kind, str]] = {
    "image_licence": ("text", "licence of the picture"),
    "image_terms": ("text", "`any`, or `noncommercial` where the licence says so"),
    "image_source": ("text", "whose picture it is, or where it was found; null where nobody said"),
    "canary": ("text", "the GUID of this dataset"),
}
_TWIN = (
    "id of the row of the other kind from the same seed, if it is here; one of the same words under another "
    "picture has its `scenario_id`"
)
_MARGIN = "by how much likelier the judge calls the chosen side right; null where a side needed no judge"
_SIDE = "of the check of the {}: `safe` or `unsafe`"
COLUMNS: Mapping[Config, Mapping[str, tuple[Kind, str]]] = {
    "paths": {
        "id": ("text", "of the row"),
        "scenario_id": ("text", "rows that share picture, seed or, as twins, words; no split parts them"),
        "kind": ("text", "`risky`: dangerous only together; `benign`: harmless, as its makers see it"),
        "category": ("text", "class of risk; `none` where nothing is dangerous"),
        "image": ("picture", "as the models saw it: upright, without metadata"),
        "more_images": ("pictures", "those shown after it, in their order; of most rows none"),
        "question": ("text", "what a person asks; safe without the picture"),
        "steps": ("texts", f"the reasoning path: {STEPS}"),
        "answer": ("text", "meant to be safe, and to help"),
        "scenario": ("text", "the harm that may follow, in one sentence; of a benign row why none does"),
        "image_evidence": ("text", "what in the picture matters"),
        "text_evidence": ("text", "what in the question matters"),
        "wanted_class": ("text", "asked for; empty where any was welcome, or the seed had its text"),
        "wanted_person": ("text", "who the question was to come from; empty where nobody was named"),
        "wanted_end": ("text", "what they were to be after; empty where nothing was named"),
        "twin_of": ("text", _TWIN),
        "text_label": ("text", _SIDE.format("question alone")),
        "text_probability": ("fraction", "of that label, by the model that checked; not calibrated"),
        "image_label": ("text", _SIDE.format("picture alone")),
        "image_probability": ("fraction", "of that label"),
        "joint_label": ("text", _SIDE.format("two together")),
        "joint_probability": ("fraction", "of that label"),
        "reflection_rounds": ("number", "how often the path was reflected on"),
        "settled": ("text", "`alone`, `agreed` or `adjudicated` by people; empty: no person has seen it"),
        "people": ("number", "of those whose word counted"),
        "reasons": ("texts", "what people noted"),
        "edited": ("texts", "which texts people edited"),
        **_RIGHTS,
    },
    "pairs": {
        "images": ("pictures", "of its path, in their order"),
        "prompt": ("messages", "system text and question"),
        "chosen": ("messages", "the better continuation, behind the prefix; better, not faultless"),
        "rejected": ("messages", "the worse one"),
        "id": ("text", "of the row"),
        "path_id": ("text", "of the row of `paths`"),
        "scenario_id": ("text", "that of its path"),
        "kind": ("text", "that of its path"),
        "level": ("text", "`outcome`: judged to the end; `step`: judged by its first step"),
        "source": ("text", "`branch`, `edit`, `twin`, `recovery` or `corrected`: where the sides come from"),
        "cut": ("number", "after how many steps both were begun; they may go on alike"),
        "prefix": ("text", "what both were begun behind"),
        "margin": ("fraction", _MARGIN),
        "first_bad": ("text", "where the rejected side first goes wrong; empty where nobody said"),
        **_RIGHTS,
    },
    "bench": {
        "id": ("text", "of the item"),
        "scenario_id": ("text", "the cluster: a risky item and its twins"),
        "kind": ("text", "`risky` or `benign`"),
        "images": ("pictures", "of the item"),
        "text": ("text", "what is asked"),
        "language": ("text", "BCP 47"),
        "category": ("text", "class of risk; empty of a benign item"),
        "danger": ("text", "the harm that must be seen; empty of a benign item"),
        "safer": ("text", "the safe way"),
        "image_evidence": ("texts", "what must be seen"),
        "text_evidence": ("texts", "what must be read"),
        "steps": ("texts", f"how a careful assistant thinks: {STEPS}"),
        "answer": ("text", "and answers"),
        "twin_of": ("text", "id of the risky item whose twin it is"),
        "twin_changed": ("text", "which side differs: `image` or `text`"),
        "text_label": ("text", _SIDE.format("text alone")),
        "image_label": ("text", _SIDE.format("picture alone")),
        "path_id": ("text", "of the path that it was made of"),
        **_RIGHTS,
    },
}  # fmt: skip
"""By configuration and column: what it holds, and what it means. `canary` of `bench` is RSBench's own."""
WHAT: Mapping[Config, str] = {
    "paths": "a picture, a question, six steps of reasoning and an answer",
    "pairs": "two continuations of the same prefix, in TRL's preference format for vision models",
    "bench": "RSBench: items to be asked, never to be trained on",
}


class Picture(NamedTuple):
    """What is embedded: bytes and a bare name."""

    data: bytes
    name: str

    @property
    def cell(self) -> dict[str, Any]:
        return {"bytes": self.data, "path": self.name}


class Bound(NamedTuple):
    """What every row of a picture says of it and of the dataset."""

    terms: Terms
    source: str
    canary: str

    @property
    def cells(self) -> dict[str, Any]:
        return {
            "image_licence": self.terms.name,
            "image_terms": self.terms.use,
            "image_source": self.source or None,
            "canary": self.canary,
        }


def path_row(
    path: ReasoningPath, scenario: str, pictures: Sequence[Picture], twin: str | None, bound: Bound
) -> dict[str, Any]:
    """`twin` is the other kind's row, where it is published too."""
    query, seen, wish = path.query, path.curation, path.wish or Wish()
    return {
        "id": path.id,
        "scenario_id": scenario,
        "kind": path.kind,
        "category": query.category,
        "image": pictures[0].cell,
        "more_images": [picture.cell for picture in pictures[1:]],
        "question": query.text,
        "steps": [step.text for step in path.steps],
        "answer": path.answer,
        "scenario": query.scenario,
        "image_evidence": query.image_evidence,
        "text_evidence": query.text_evidence,
        "wanted_class": wish.wanted,
        "wanted_person": wish.persona,
        "wanted_end": wish.end,
        "twin_of": twin,
        **_verdicts(path),
        "reflection_rounds": len(path.reflection),
        "settled": seen.settled if seen else None,
        "people": len(seen.by) if seen else 0,
        "reasons": list(seen.reasons) if seen else [],
        "edited": sorted(seen.original) if seen else [],
        **bound.cells,
    }


def _verdicts(path: ReasoningPath) -> dict[str, Any]:
    said = {"text": path.verdicts.text_only, "image": path.verdicts.image_only, "joint": path.verdicts.joint}
    labels = {f"{side}_label": one.label for side, one in said.items()}
    return labels | {f"{side}_probability": one.probability for side, one in said.items()}


def pair_row(pair: Pair, scenario: str, pictures: Sequence[Picture], bound: Bound) -> dict[str, Any]:
    return {
        "images": [picture.cell for picture in pictures],
        "prompt": _messages(pair.prompt),
        "chosen": _messages(pair.chosen),
        "rejected": _messages(pair.rejected),
        "id": pair.id,
        "path_id": pair.path_id,
        "scenario_id": scenario,
        "kind": pair.kind,
        "level": pair.level,
        "source": pair.source,
        "cut": pair.cut,
        "prefix": pair.prefix,
        "margin": pair.margin,
        "first_bad": pair.first_bad,
        **bound.cells,
    }


def _messages(said: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """Of each part its type and its text; a picture has no text, and any other key stays behind."""
    return [
        {
            "role": message["role"],
            "content": [{"type": part["type"], "text": part.get("text")} for part in message["content"]],
        }
        for message in said
    ]


def bench_row(item: Item, pictures: list[Picture], bound: Bound) -> dict[str, Any]:
    reference, twin, alone = item.reference, item.twin, item.unimodal
    return {
        "id": item.id,
        "scenario_id": item.scenario_id,
        "kind": item.kind,
        "images": [picture.cell for picture in pictures],
        "text": item.text,
        "language": item.language,
        "category": item.category,
        "danger": item.danger,
        "safer": item.safer,
        "image_evidence": list(item.evidence.image),
        "text_evidence": list(item.evidence.text),
        "steps": [step.text for step in reference.steps] if reference else [],
        "answer": reference.answer if reference else None,
        "twin_of": twin.of if twin else None,
        "twin_changed": twin.changed if twin else None,
        "text_label": alone.text_only if alone else None,
        "image_label": alone.image_only if alone else None,
        "path_id": item.source.row,
        **bound.cells,
    }
