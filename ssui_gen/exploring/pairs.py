"""Preference pairs out of judged branches: a good one over a bad one from the same prefix. Pure.

Ways to choose them, `pairs.mode`:
- `default`: the surest pairs of each cut, at most so many a cut and a path;
- `rpo`: every good with every bad one, as RPO does (arXiv 2410.10858, `branching.py`), no caps;
- `root_only`: `default` at cut 0 alone; `one_per_step`: `default` with one a cut;
- `best_worst`: at each cut the surest good one with the surest bad one;
- `value`: single steps, by the share of good ends behind them (`values`).

Where F judged steps (`verify.level`), a pair holds the step after the cut and nothing behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice, product
from typing import Any

from ssui_gen.branches import Branch, Cut, Judgement, Level, Pair, Place, Source
from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.values import by_value
from ssui_gen.reading import read
from ssui_gen.records import row_id
from ssui_gen.verifying.first_bad_step import place_in

Couple = tuple[Branch, Branch]
"""Chosen and rejected."""


def pair_up(
    cuts: Sequence[Cut],
    settings: Pairing,
    system: str = "",
    level: Level = "outcome",
    source: Source = "branch",
) -> list[Pair]:
    """The pairs of one path, whose cuts are in order; `system` is what the policy was told first."""
    if settings.mode == "value":
        taught, level = list(by_value(cuts, settings.value)), "step"
    else:
        taught = [steps_alone(cut) if level == "step" else cut for cut in cuts]
    found = [(cut, couple) for cut in taught for couple in MODES[settings.mode](cut, settings)]
    if settings.mode != "rpo":
        found = sorted(found, key=lambda one: _rank(one[1]))[: settings.per_path]
        found.sort(key=lambda one: one[0].cut)
    return [pair_of(cut, couple, system, level, source) for cut, couple in found]


def steps_alone(cut: Cut) -> Cut:
    """The cut with each branch shortened to its own step. One step said by several branches is one branch;
    if F disagrees with itself about it, that is unverified.
    """
    alike: dict[str, list[Branch]] = {}
    for branch in cut.branches:
        alike.setdefault(read(branch.text).own_step(cut.cut), []).append(branch)
    return cut.model_copy(update={"branches": tuple(_one(text, found) for text, found in alike.items())})


def _one(text: str, alike: Sequence[Branch]) -> Branch:
    judged = [branch.judgement for branch in alike if branch.judgement.polarity != "unverified"]
    said = {judgement.polarity for judgement in judged}
    judgement = judged[0] if len(said) == 1 else Judgement(polarity="unverified", detail="F disagrees")
    update = {"text": text, "judgement": judgement, "token_ids": None, "tokens": None}
    return alike[0].model_copy(update=update | {"times": sum(branch.times for branch in alike)})


def margin(couple: Couple) -> float | None:
    """How much surer F is of the chosen one; None where it only decided."""
    good, bad = (branch.judgement.probability for branch in couple)
    return None if good is None or bad is None else good - bad


def _default(cut: Cut, settings: Pairing) -> Iterable[Couple]:
    fit = (c for c in _couples(cut) if _wide(c, settings) and _alike(c, settings))
    return islice(sorted(fit, key=_rank), settings.per_cut)


def _rpo(cut: Cut, settings: Pairing) -> Iterable[Couple]:
    good, bad = (sorted(cut.of(kind), key=lambda b: b.text) for kind in ("good", "bad"))
    return product(good, bad)


def _root_only(cut: Cut, settings: Pairing) -> Iterable[Couple]:
    return _default(cut, settings) if cut.cut == 0 else ()


def _one_per_step(cut: Cut, settings: Pairing) -> Iterable[Couple]:
    return _default(cut, settings.model_copy(update={"per_cut": 1}))


def _best_worst(cut: Cut, settings: Pairing) -> Iterable[Couple]:
    return islice(sorted(_couples(cut), key=lambda couple: -(margin(couple) or 0.0)), 1)


def _value(cut: Cut, settings: Pairing) -> Iterable[Couple]:
    wide = (couple for couple in _couples(cut) if (margin(couple) or 0.0) > settings.gap)
    return islice(sorted(wide, key=_rank), settings.per_cut)


MODES: dict[str, Callable[[Cut, Pairing], Iterable[Couple]]] = {
    "default": _default,
    "rpo": _rpo,
    "root_only": _root_only,
    "one_per_step": _one_per_step,
    "best_worst": _best_worst,
    "value": _value,
}


def _couples(cut: Cut) -> Iterable[Couple]:
    return product(cut.of("good"), cut.of("bad"))


def _wide(couple: Couple, settings: Pairing) -> bool:
    """A margin that is not known is no obstacle."""
    found = margin(couple)
    return found is None or found >= settings.least_margin


def _alike(couple: Couple, settings: Pairing) -> bool:
    """Whether lengths (characters) are near enough, so that length is not what is learnt."""
    if settings.length_ratio is None:
        return True
    short, long = sorted(len(branch.text) for branch in couple)
    return long <= settings.length_ratio * max(short, 1)


def _rank(couple: Couple) -> tuple[float, int, str, str]:
    """The surest first, then those alike in length; ids make the order the same on every machine."""
    good, bad = couple
    return -(margin(couple) or 0.0), abs(len(good.text) - len(bad.text)), good.id, bad.id


def pair_of(
    cut: Cut,
    couple: Couple,
    system: str,
    level: Level,
    source: Source = "branch",
    first_bad: Place | None = None,
) -> Pair:
    """The row of one couple from `cut`; where the rejected one goes wrong is F's word unless it is told."""
    good, bad = couple
    user = {
        "role": "user",
        "content": [*({"type": "image"} for _ in cut.images), {"type": "text", "text": cut.query}],
    }
    told = ({"role": "system", "content": [{"type": "text", "text": system}]},) if system else ()
    return Pair(
        images=tuple(image.path for image in cut.images),
        prompt=(*told, user),
        chosen=_said(cut.prefix + good.text),
        rejected=_said(cut.prefix + bad.text),
        id=row_id(cut.id, good.id, bad.id),
        path_id=cut.path_id,
        kind=cut.kind,
        level=level,
        source=source,
        cut=cut.cut,
        prefix=cut.prefix,
        chosen_id=good.id,
        rejected_id=bad.id,
        margin=margin(couple),
        first_bad=first_bad or place_in(bad.judgement),
        off_path=cut.origin is not None,
        image_ref=cut.image,
        more_image_refs=cut.more_images,
    )


def _said(text: str) -> tuple[dict[str, Any], ...]:
    return ({"role": "assistant", "content": [{"type": "text", "text": text}]},)
