"""A draft becomes a seed, a pair or gold with its licence and source, or is left out with the reason.

The order of the questions is that of their cost: words, labels, licence, picture, the leak guard. Knows
neither where rows come from nor where they go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ssui_gen.errors import ImageError
from ssui_gen.exploring.leaks import Bench
from ssui_gen.importing.pictures import Looked, Pictures
from ssui_gen.importing.reading import left
from ssui_gen.importing.shape import Draft, Gold, ImportedPair, Left, Preference, What, Why
from ssui_gen.lengths import LONGEST_LINE
from ssui_gen.licences import MARK, forbids, forbids_training, marked
from ssui_gen.records import MOST_IMAGES, Record, Seed, look_of, row_id

LONGEST = 20_000
"""Characters of a question or an answer that is no seed's text."""
LICENCE = 200
"""Characters of a licence in a row; a longer one is cut, and none that `licences` knows is so long."""


@dataclass(frozen=True)
class Rules:
    """What holds for every row of an import."""

    makes: What
    name: str
    """Of the data."""
    licence: str
    """Of rows that tell none of their own."""
    evaluation: bool
    publishable: bool
    """Leave out what may not be published."""


@dataclass
class Making:
    """The rows of one import, one after another."""

    rules: Rules
    pictures: Pictures
    bench: Bench
    new: Callable[[str], bool]
    """Whether an id comes for the first time."""

    def of(self, draft: Draft) -> Record | Left:
        licence = " ".join((draft.licence.strip() or self.rules.licence).split())
        fault = self._by_words(draft) or self._by_licence(draft, licence)
        return fault or self._looked_at(draft, licence)

    def _by_words(self, draft: Draft) -> Left | None:
        """What no look at the picture could mend."""
        seed, texts = self.rules.makes == "seeds", _texts(draft)
        most = LONGEST_LINE if seed else LONGEST
        longest = max(map(len, texts[:1] if seed else texts))
        if longest > most:
            found = f"{draft.row}: a text of {longest:,} characters; at most {most:,}"
            return left(draft.row, Why.TEXT_TOO_LONG, found)
        if any(not _is_text(text) for text in texts):
            return left(
                draft.row, Why.ROW_INVALID, f"{draft.row}: a text with half a character (a surrogate)"
            )
        if not seed and not draft.text:
            return left(draft.row, Why.TEXT_MISSING, f"{draft.row}: nothing is asked")
        if len(draft.pictures) > (most := MOST_IMAGES if seed else 1):
            found = f"{draft.row}: {len(draft.pictures)} pictures; at most {most} in {self.rules.makes}"
            return left(draft.row, Why.PICTURES_SEVERAL, found)
        return {"seeds": _no_seed, "pairs": _no_pair, "gold": _no_gold}[self.rules.makes](draft)

    def _by_licence(self, draft: Draft, licence: str) -> Left | None:
        why = "" if self.rules.makes == "gold" or self.rules.evaluation else forbids_training(licence)
        if self.rules.publishable:
            why = why or forbids(licence)
        return left(draft.row, Why.LICENCE_FORBIDS, f"{draft.row}: {why}") if why else None

    def _looked_at(self, draft: Draft, licence: str) -> Record | Left:
        try:
            found = [self.pictures.look(picture, draft.row) for picture in draft.pictures]
        except ImageError as error:
            return Left(row=draft.row, reason=str(error.reason), detail=f"{draft.row}: {error}")
        looked = [one for _, one in found]
        if why := next(filter(None, (self._held(draft, one.sha256, one.hash) for one in looked)), ""):
            return left(draft.row, Why.IN_BENCHMARK, f"{draft.row}: {why}")
        if twice := next((one for one in looked if looked.count(one) > 1), None):
            return left(draft.row, Why.ROW_INVALID, f"{draft.row}: shows {twice.image} twice")
        row = self._row(draft, looked, licence)
        if not self.new(row.id):
            why = f"{draft.row}: the same picture and words came before; the first is kept"
            return left(draft.row, Why.DUPLICATE, why)
        for data, one in found:
            self.pictures.keep(data, one)
        return row

    def _held(self, draft: Draft, sha256: str, bits: str) -> str:
        """What is only for measuring may be a benchmark's."""
        if self.rules.makes == "gold" or self.rules.evaluation or not self.bench:
            return ""
        return self.bench.has(sha256, draft.text) or self.bench.looks(int(bits, 16))

    def _row(self, draft: Draft, looked: list[Looked], licence: str) -> Seed | ImportedPair | Gold:
        image, *others = (one.image for one in looked)
        shas = look_of(one.sha256 for one in looked)
        whose = {
            "licence": marked(licence[: LICENCE - len(MARK)], anyway=self.rules.evaluation),
            "source": f"{self.rules.name}, {draft.row}"[:1000],
        }
        said = _texts(draft)[1:]
        id = f"{self.rules.makes}-{row_id(self.rules.name, str(draft.kind), draft.text, shas, *said)}"
        if self.rules.makes == "seeds":
            shown = {"image": image, "more_images": tuple(others)}
            return Seed(id=id, text=draft.text or None, kind=draft.kind, **shown, **whose)
        if self.rules.makes == "pairs":
            assert draft.preference
            return _pair(id, image, draft.text, draft.preference, whose)
        more = {"response": draft.response or None, "grade": draft.grade, "facts": dict(draft.facts)}
        return Gold(id=id, image=image, text=draft.text, labels=dict(draft.gold), **more, **whose)


def _texts(draft: Draft) -> list[str]:
    """All that it says, the question first."""
    preference = draft.preference
    sides = (preference.chosen, preference.rejected) if preference else ()
    return [draft.text, draft.response, *sides]


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _no_seed(draft: Draft) -> Left | None:
    """A seed's picture and text are each safe; of a text nobody may have said so."""
    if draft.gold.get("check_image") == "unsafe":
        return left(draft.row, Why.IMAGE_NOT_SAFE, f"{draft.row}: its picture is labelled unsafe by itself")
    if draft.gold.get("check_text") == "unsafe":
        return left(draft.row, Why.TEXT_NOT_SAFE, f"{draft.row}: its text is labelled unsafe by itself")
    return None


def _no_pair(draft: Draft) -> Left | None:
    if draft.preference is None:
        return left(draft.row, Why.LABEL_MISSING, f"{draft.row}: no chosen and rejected answer")
    if draft.preference.turns > 1:
        found = f"{draft.row}: answers to question {draft.preference.turns} of a conversation; expected one"
        return left(draft.row, Why.TURNS_SEVERAL, found)
    if draft.preference.chosen.strip() == draft.preference.rejected.strip():
        return left(draft.row, Why.SIDES_ALIKE, f"{draft.row}: chosen and rejected say the same")
    if not (draft.preference.chosen.strip() and draft.preference.rejected.strip()):
        return left(draft.row, Why.TEXT_MISSING, f"{draft.row}: one of its sides says nothing")
    return None


def _no_gold(draft: Draft) -> Left | None:
    if draft.gold or draft.grade is not None:
        return None
    return left(draft.row, Why.LABEL_MISSING, f"{draft.row}: it labels neither text nor picture nor both")


def _pair(id: str, image: str, text: str, preference: Preference, whose: dict[str, Any]) -> ImportedPair:
    asked = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
    other = preference.rejected_prefix
    return ImportedPair(
        images=(image,),
        prompt=(asked,),
        chosen=_said(preference.chosen),
        rejected=_said(preference.rejected),
        id=id,
        cut=preference.cut,
        prefix=preference.prefix,
        rejected_prefix=preference.prefix if other is None else other,
        margin=preference.margin,
        whole=preference.whole,
        weight=preference.weight,
        **whose,
    )


def _said(text: str) -> tuple[dict[str, Any], ...]:
    return ({"role": "assistant", "content": [{"type": "text", "text": text}]},)
