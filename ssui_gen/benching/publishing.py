"""A run's path → an item of an RSBench that can be given away, or why it is none. Opens no file.

The rules by which a path is an item are those of an agent's check, asked once more: each side safe alone, and
together what its kind says. Which are one scenario stands in `scenarios`, whether one was trained on in
`proof`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from ssui_gen.benching.records import BenchImage, Evidence, Item, Origin, Reference, Twin, Unimodal
from ssui_gen.licences import terms_of
from ssui_gen.records import Kind, ReasoningPath, Record, Reject, look_of
from ssui_gen.taxonomy import crosswalk_of


class Why(StrEnum):
    """Why a path is no item. Closed: the card counts by it."""

    ROW_INVALID = "row_invalid"
    PICTURE_UNFIT = "picture_unfit"
    """Refused, gone or changed since; the detail says which."""
    LICENCE_FORBIDS = "licence_forbids"
    """Or is not known: the licence of its picture, as the seed has it, does not let it be given away."""
    NO_DANGER = "no_danger"
    """Risky, and no sentence says what may happen: no judge could be told."""
    NOT_SAFE_ALONE = "not_safe_alone"
    KIND_NOT_CONFIRMED = "kind_not_confirmed"
    """The joint check says otherwise than its kind."""
    SCENARIO_LACKS = "scenario_lacks"
    """A benign twin of which no risky item is left."""
    DUPLICATE = "duplicate"


class NotPublished(Record):
    """A row of `rsbench_rejects.jsonl`."""

    path_id: str
    kind: Kind | None
    reason: Why
    detail: str

    @staticmethod
    def of_row(row: Reject) -> NotPublished:
        """A row that is no path."""
        return NotPublished(path_id=row.seed_id, kind=row.kind, reason=Why.ROW_INVALID, detail=row.detail)


class Imprint(NamedTuple):
    """What every item says of where it is published."""

    name: str
    version: str
    licence: str
    language: str
    canary: str
    checked_by: str
    """Who found each side safe."""


# --- which paths are items -----------------------------------------------------------------------------


def sifted(
    paths: Iterable[ReasoningPath],
    scenario_of: Mapping[str, str],
    picture_fault: Callable[[ReasoningPath], str],
    allowed: Collection[str] = (),
) -> tuple[list[ReasoningPath], list[NotPublished]]:
    """The paths that may be published, in their order, and why the others may not. `picture_fault` says what
    is wrong with a path's picture; empty: nothing. `allowed` are licences that a person has read.
    """
    seen, fit, rejects = set[tuple[str, ...]](), list[ReasoningPath](), list[NotPublished]()
    for path in paths:
        same = (path.kind, path.query.text, path.look)
        fault = _unfit(path) or _denied(path, allowed) or _of_picture(picture_fault(path))
        if fault is None and same in seen:
            fault = Why.DUPLICATE, "kind, text and picture are another path's"
        seen.add(same)
        if fault:
            rejects.append(_not_published(path, *fault))
        else:
            fit.append(path)
    risky = {scenario_of[path.id] for path in fit if path.kind == "risky"}
    alone = [path for path in fit if scenario_of[path.id] not in risky]
    rejects += [_not_published(path, Why.SCENARIO_LACKS, _LACKS) for path in alone]
    return [path for path in fit if scenario_of[path.id] in risky], rejects


_LACKS = "no risky item of its scenario is published: a twin alone says nothing of over-refusal"


def _not_published(path: ReasoningPath, reason: Why, detail: str) -> NotPublished:
    return NotPublished(path_id=path.id, kind=path.kind, reason=reason, detail=detail)


def _denied(path: ReasoningPath, allowed: Collection[str]) -> tuple[Why, str] | None:
    """Of a picture whose seed says nothing the licence is that of the benchmark."""
    told = path.rights.licence if path.rights else None
    if told is None or (terms := terms_of(told, allowed)).published:
        return None
    return Why.LICENCE_FORBIDS, f"{terms.name!r} is no licence known to let it be given away"


def _of_picture(fault: str) -> tuple[Why, str] | None:
    return (Why.PICTURE_UNFIT, fault) if fault else None


def _unfit(path: ReasoningPath) -> tuple[Why, str] | None:
    """Why a path can be no item, whatever else is published."""
    verdicts, together = path.verdicts, "unsafe" if path.kind == "risky" else "safe"
    sides = {"text": verdicts.text_only.label, "picture": verdicts.image_only.label}
    if unsafe := [side for side, label in sides.items() if label != "safe"]:
        return Why.NOT_SAFE_ALONE, f"{' and '.join(unsafe)} alone found unsafe; expected safe"
    if verdicts.joint.label != together:
        return Why.KIND_NOT_CONFIRMED, f"{path.kind}, but together found {verdicts.joint.label}"
    if path.kind == "risky" and not path.query.scenario.strip():
        return Why.NO_DANGER, "query.scenario: expected one sentence that names the harm; it is empty"
    return None


def counted(rejects: Iterable[NotPublished]) -> dict[str, int]:
    """How many were left out, by reason."""
    return dict(Counter(one.reason.value for one in rejects).most_common())


# --- items ---------------------------------------------------------------------------------------------


def item_of(path: ReasoningPath, scenario: str, images: Sequence[BenchImage], imprint: Imprint) -> Item:
    """The item that a path becomes; whose twin it is is said once all are known (`twinned`)."""
    verdicts = path.verdicts
    item = Item(
        id=Item.id_of(path.kind, path.query.text, tuple(image.sha256 for image in images)),
        scenario_id=scenario,
        kind=path.kind,
        images=tuple(images),
        text=path.query.text,
        language=imprint.language,
        reference=Reference(steps=path.steps, answer=path.answer),
        unimodal=Unimodal(
            text_only=verdicts.text_only.label, image_only=verdicts.image_only.label, by=imprint.checked_by
        ),
        source=Origin(
            bench=imprint.name, version=imprint.version, row=path.id, licence=imprint.licence, training=False
        ),
        canary=imprint.canary,
    )
    return _risky(item, path) if path.kind == "risky" else item


def _risky(item: Item, path: ReasoningPath) -> Item:
    query = path.query
    return item.model_copy(
        update={
            "category": query.category,
            "crosswalk": crosswalk_of(query.category),
            "danger": query.scenario,
            "evidence": Evidence(image=(query.image_evidence,), text=(query.text_evidence,)),
            "safer": path.steps[-1].text,
        }
    )


def twinned(items: Iterable[Item]) -> list[Item]:
    """Each benign item as the twin of a risky one of its scenario: one that shares a side with it."""
    found = list(items)
    risky = defaultdict[str, list[Item]](list)
    for item in found:
        if item.kind == "risky":
            risky[item.scenario_id].append(item)
    return [item if item.kind == "risky" else _twin(item, risky[item.scenario_id]) for item in found]


def _look(item: Item) -> str:
    return look_of(image.sha256 for image in item.images)


def _twin(item: Item, risky: list[Item]) -> Item:
    """Without a shared side it is of the same scenario, but no twin."""
    for one in risky:
        if _look(one) == _look(item):
            return item.model_copy(update={"twin": Twin(of=one.id, changed="text")})
    for one in risky:
        if one.text == item.text:
            return item.model_copy(update={"twin": Twin(of=one.id, changed="image")})
    return item


def untwinned(items: Iterable[Item]) -> int:
    """How many risky items have no benign one beside them: their over-refusal is not measured."""
    kinds = Counter((item.scenario_id, item.kind) for item in items)
    return sum(
        n for (scenario, kind), n in kinds.items() if kind == "risky" and not kinds[scenario, "benign"]
    )
