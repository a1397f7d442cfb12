"""dataset.html: records beside their pictures, what was dropped, what it is made of, what it cost. Pure.

Bounded whatever the run's size: so many records and examples, drawn evenly over classes and reasons, and so
many bytes of pictures; all figures are of the whole run, and the page says what it leaves out. The words
around the figures stand in `web/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ssui_gen.calling.journal import Spent
from ssui_gen.manifest import Made
from ssui_gen.pages.album import Album
from ssui_gen.pages.frame import rendered
from ssui_gen.pages.masthead import Masthead
from ssui_gen.records import ImageRef, ReasoningPath, Reject, Verdict
from ssui_gen.showing.counted import Counts

OWN = "ssui_gen.showing"
MOST, EACH = 200, 4
"""Records that are shown; rejects of each reason."""
PICTURES = 12_000_000
"""Bytes of all pictures, as they stand in the page: a file that can still be sent."""
SIDE, QUALITY = 640, 80


class Example(NamedTuple):
    """A reject to be shown, and what is known of it."""

    row: Reject
    images: tuple[ImageRef, ...]
    asked: str
    """What was to be asked about the picture; empty where it did not come so far."""


class Shown(NamedTuple):
    """All that stands on the page."""

    counts: Counts
    records: Sequence[ReasoningPath]
    examples: Sequence[Example]
    costs: Sequence[Spent]
    editions: Sequence[Made]
    trees: Mapping[str, str]
    """By id of the record the page of its branches, where there is one: its address from this page."""
    quotas: Mapping[str, int] = MappingProxyType({})
    """By class how many risky records were wanted."""


def dataset_page(shown: Shown, head: Masthead, album: Album) -> str:
    """The page; `album` has the pictures' room."""
    records = list(_with_room(shown.records, album))
    examples = [one if album.takes(one.images) else one._replace(images=()) for one in shown.examples]
    counts = shown.counts
    by_class = list(counts.by_class(shown.quotas))
    return rendered(
        "dataset.html",
        OWN,
        **head.of(f"Dataset of {head.title}"),
        data={"pictures": album.taken},
        lead=_lead(counts),
        tiles=list(_tiles(counts, shown.costs)),
        shown_of=_shown_of(records, counts.kinds.total(), album),
        records=records,
        ids={one.id for one in records},
        kinds=Counter(one.kind for one in records),
        classes=dict(Counter(one.query.category for one in records).most_common()),
        rounds=dict(sorted(Counter(len(one.reflection) for one in records).items())),
        checks=checks,
        dropped=counts.reasons.total(),
        each=EACH,
        reasons=list(_reasons(counts, examples)),
        by_class=by_class,
        quotas=shown.quotas,
        most_of_class=max((sum(found) for _, found in by_class), default=1),
        histograms=list(counts.histograms()),
        costs=list(_costs(shown.costs, counts.kinds.total())),
        editions=shown.editions,
        trees=shown.trees,
    )


def _with_room(records: Iterable[ReasoningPath], album: Album) -> Iterator[ReasoningPath]:
    """Until the pictures are too many bytes; one that cannot be shown takes none."""
    for record in records:
        if not album.takes(record.images):
            return
        yield record


def checks(path: ReasoningPath) -> list[tuple[str, Verdict, str]]:
    """Each check: its name, what it said, what a record of this kind needs."""
    said = path.verdicts
    return [
        ("text alone", said.text_only, "safe"),
        ("picture alone", said.image_only, "safe"),
        ("together", said.joint, "unsafe" if path.kind == "risky" else "safe"),
    ]


def _lead(counts: Counts) -> str:
    kept, dropped = counts.kinds.total(), counts.reasons.total()
    kinds = f"{counts.kinds['risky']:,} risky, {counts.kinds['benign']:,} benign"
    return f"{kept:,} records ({kinds}) of {kept + dropped:,} items; {dropped:,} were dropped with a reason."


def _tiles(counts: Counts, costs: Sequence[Spent]) -> Iterator[tuple[str, str, str]]:
    """Title, figure, what it means."""
    kept, dropped = counts.kinds.total(), counts.reasons.total()
    yield "Yield", _share(kept, kept + dropped), "items that became records"
    risky = sum(1 for name, found in counts.classes.items() if found["risky"])
    yield "Classes of risk", f"{risky}", "with at least one risky record"
    back = sum(n for rounds, n in counts.rounds.items() if rounds > 1)
    yield "Sent back", _share(back, kept), "records that reflection made anew at least once"
    if counts.people:
        told = ", ".join(f"{n:,} {how}" for how, n in counts.people.most_common())
        yield "Seen by people", _share(counts.people.total(), kept), told
    elif costs and kept:
        tokens = sum(one.prompt_tokens + one.completion_tokens for one in costs)
        yield "Tokens a record", f"{tokens / kept:,.0f}", "read and written, dropped items counted"


def _shown_of(records: Sequence[ReasoningPath], whole: int, album: Album) -> str:
    """What is in the page and what is not."""
    told = f"All {whole:,} are here." if len(records) == whole else (
        f"{len(records):,} of {whole:,} are in this page, drawn evenly over kinds and classes; all of them "
        "are in the run's file, and every figure is of all."
    )  # fmt: skip
    lacking = sum(any(image.path in album.refused for image in one.images) for one in records)
    return told + (f" Of {lacking:,} a picture cannot be shown." if lacking else "")


def _reasons(counts: Counts, examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
    """The most frequent first."""
    for name, n in counts.reasons.most_common():
        yield {
            "name": name,
            "n": n,
            "share": _share(n, counts.reasons.total()),
            "stages": ", ".join(stage for stage, _ in counts.stages[name].most_common()),
            "examples": [
                {"row": one.row, "asked": one.asked, "shas": [image.sha256 for image in one.images]}
                for one in examples
                if one.row.reason == name
            ],
        }


def _costs(costs: Sequence[Spent], records: int) -> Iterator[Mapping[str, Any]]:
    most = max((one.prompt_tokens + one.completion_tokens for one in costs), default=0)
    for one in costs:
        tokens = one.prompt_tokens + one.completion_tokens
        yield one._asdict() | {
            "a_record": f"{tokens / records:,.0f}" if records else "–",
            "scale": tokens / most if most else 0,
        }


def _share(n: int, whole: int) -> str:
    return f"{n / whole:.0%}" if whole else "–"
