"""Models' folders of a set of visual questions → report.json, report.html, and one page of several.

The first model is the one before: each other is compared with it, question by question, if they were asked
and scored alike under one margin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen import __version__
from ssui_gen.benching.bench import ABOUT, Bench, read_about, read_bench
from ssui_gen.benching.failures import clipped
from ssui_gen.benching.kept import OFFICIAL, RESPONSES, rows_in
from ssui_gen.benching.official.shape import Judged
from ssui_gen.benching.page import rendered
from ssui_gen.benching.records import BENCH_SCHEMA, BenchImage, Item, Response
from ssui_gen.benching.report import HTML, JSON, Made
from ssui_gen.benching.vqa.asking import settings_of
from ssui_gen.benching.vqa.marking import NOBODY, STANDS, marked
from ssui_gen.benching.vqa.reading import NAME, key_of, set_of
from ssui_gen.benching.vqa.scoring import RULE
from ssui_gen.benching.vqa.tax import ItemDraw, Marked, figures, losses, taxes
from ssui_gen.benching.vqa.words import VERDICTS, groups, headline, standing, title_of, verdict
from ssui_gen.errors import ConfigError
from ssui_gen.files import atomic_write
from ssui_gen.manifest import RUN, read_manifest
from ssui_gen.pages import frame
from ssui_gen.pages.album import Album
from ssui_gen.settings import ImageLimits

SAME = ("bench", "sha", "protocol", "prompts", "sampling", "rule", "margin")
"""Of an edition: what must not differ between models that are compared."""
SHOWN, LONGEST = 60, 600
"""Lost answers on a page, and characters of each."""
PICTURES, SMALL, QUALITY = 4_000_000, ImageLimits(longest_side=240), 80


class Results(NamedTuple):
    """A model's folder, read."""

    path: Path
    bench: Bench
    items: dict[str, Item]
    """By id, in their order."""
    name: str
    responses: dict[ItemDraw, Response]
    marks: dict[ItemDraw, Marked]
    margin: float

    @property
    def edition(self) -> dict[str, Any]:
        """What the figures are of."""
        rows = self.responses.values()
        return {
            "bench": self.bench.name,
            "sha": self.bench.sha,
            "protocol": ", ".join(sorted({row.protocol for row in rows})),
            "prompts": sorted({row.prompt_id for row in rows}),
            "sampling": sorted({json.dumps(row.sampling, sort_keys=True) for row in rows}),
            "rule": RULE,
            "margin": self.margin,
            "judge": NOBODY,
            "ssui_gen": __version__,
        }

    @property
    def figures(self) -> dict[str, Any]:
        """All of this model."""
        return {"model": self.name, "edition": self.edition, "n": self.counts, **figures(self.marks)}

    @property
    def counts(self) -> dict[str, int]:
        """Of what the figures are made."""
        asked = {id for id, _ in self.responses}
        return {
            "items": len(self.items),
            "pictures": len({item.scenario_id for item in self.items.values()}),
            "answers": len(self.responses),
            "items_without_answer": len(self.items) - len(asked),
            "tried_again": sum(bool(row.reason and row.reason.passing) for row in self.responses.values()),
        }


class Lost(NamedTuple):
    """Answers that were better before, for a page."""

    shown: list[dict[str, Any]]
    pictures: dict[str, str]
    """By hash, as far as a page holds them."""


NONE_LOST = Lost([], {})


def holds_questions(folder: Path) -> bool:
    """Whether a bench's folder, or a model's in it, is of visual questions. Raises RecordError."""
    place = folder if (folder / ABOUT).is_file() else folder.parent
    return (place / ABOUT).is_file() and read_about(place).name == NAME


def read_results(folder: Path) -> Results:
    """The folder of one model. Raises ConfigError where it has no answers, RecordError for broken rows."""
    bench = read_bench(folder.parent)
    items = {item.id: item for item in bench.items}
    rows = [row for row in rows_in(folder / RESPONSES, Response) if row.item_id in items]
    if not rows:
        raise ConfigError(f"{folder / RESPONSES}: no answer to a question of {folder.parent}")
    kept = {row.response_id: row for row in rows_in(folder / OFFICIAL, Judged)}
    responses = {(row.item_id, row.draw): row for row in rows}
    marks = {key: _mark(items[row.item_id], row, kept.get(row.id)) for key, row in responses.items()}
    margin = settings_of(read_manifest(folder / RUN).last).margin
    return Results(folder, bench, items, rows[0].model, responses, marks, margin)


def _mark(item: Item, row: Response, kept: Judged | None) -> Marked:
    """By its row; of an answer that has none yet, or of another version of the rule, by the rule."""
    if kept and kept.rubric == RULE and kept.score is not None and kept.stand:
        score, stand = kept.score, kept.stand
    else:
        stand, (score, _) = marked(item, row)
    key = key_of(item)
    assert key is not None
    return Marked(score, stand, item.scenario_id, set_of(item), item.category, key.way)


def apart(before: Results, after: Results) -> str:
    """What forbids to compare them, `key: one / another`; empty where nothing does."""
    one, other = before.edition, after.edition
    return "; ".join(f"{key}: {one[key]} / {other[key]}" for key in SAME if one[key] != other[key])


def taxed(before: Results, after: Results) -> dict[str, Any]:
    """What `after` lost. Raises ConfigError where they were not asked alike."""
    if why := apart(before, after):
        raise ConfigError(
            f"{before.path}, {after.path}: cannot be compared, as they differ in {why}: ask both alike, "
            "under one margin"
        )
    return taxes(before.marks, after.marks, after.margin)


# --- what is written -------------------------------------------------------------------------------------


def make_report(folder: Path, baseline: Path | None = None) -> Made[Results]:
    """Write both files into `folder`. Raises ConfigError and RecordError as `read_results` does."""
    results = read_results(folder)
    before = read_results(baseline) if baseline else None
    report = report_of(results, before)
    atomic_write(folder / JSON, json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    tested = [one for one in (report["baseline"], report) if one]
    told, why = [report["tax"]] if report["baseline"] else [], (report["tax"] or {}).get("why", "")
    lost = _lost(before, results) if before and told else NONE_LOST
    atomic_write(folder / HTML, _page(tested, told, report["headline"], lost, why))
    return Made(folder / JSON, folder / HTML, results, report)


def report_of(results: Results, before: Results | None = None) -> dict[str, Any]:
    """The content of `report.json`."""
    found, other, tax = results.figures, None, None
    why = apart(before, results) if before else ""
    if before and not why:
        other, tax = before.figures, taxes(before.marks, results.marks, results.margin)
    return {
        "schema": BENCH_SCHEMA,
        "status": _status(found["n"]),
        "models": [one.name for one in (results, before) if one],
        "headline": headline([one for one in (found, other) if one], tax),
        **found,
        "tax": {"why": f"not compared: they differ in {why}"} if why else tax,
        "baseline": other,
    }


def _status(n: Mapping[str, int]) -> str:
    """Complete where every question was put and no call is tried again."""
    return "incomplete" if n["items_without_answer"] or n["tried_again"] else "complete"


def write_compared(results: Sequence[Results], told: Sequence[Mapping[str, Any]], page: Path) -> None:
    """One page of several models, the first of which the others are compared with."""
    first, *others = results
    said = [f"{one.name}: {verdict(tax['all'])}" for one, tax in zip(others, told, strict=True)]
    lost = _lost(first, others[0]) if len(others) == 1 else NONE_LOST
    atomic_write(page, _page([one.figures for one in results], told, said, lost))


def _page(
    tested: Sequence[Mapping[str, Any]],
    told: Sequence[Mapping[str, Any]],
    said: Sequence[str],
    lost: Lost,
    why: str = "",
) -> str:
    """`why` nothing is compared, where somebody wanted it."""
    told_of = [(title_of(group, name).capitalize(), rates) for group, name, rates in groups(tested)]
    return rendered(
        "tax.html", frame.START, data={"pictures": lost.pictures}, tested=tested, told=told, said=said,
        lost=lost.shown, why=why, groups=told_of, standing=standing(tested), VERDICTS=VERDICTS,
    )  # fmt: skip


def _lost(before: Results, after: Results) -> Lost:
    album, shown = Album(after.bench.root, PICTURES, SMALL, QUALITY), []
    for key in losses(before.marks, after.marks)[:SHOWN]:
        item = after.items[key[0]]
        room = album.takes(item.images)
        shown.append(_shown(item, before, after, key, item.images if room else ()))
    return Lost(shown, album.taken)


def _shown(
    item: Item, before: Results, after: Results, key: ItemDraw, images: Sequence[BenchImage]
) -> dict[str, Any]:
    known = key_of(item)
    assert known is not None
    return {
        "text": clipped(item.text, LONGEST),
        "shas": [image.sha256 for image in images],
        "right": ", ".join(dict.fromkeys(known.answers)),
        "said": [clipped(one.responses[key].answer or "–", LONGEST) for one in (before, after)],
        "scores": [one.marks[key].score for one in (before, after)],
        "stand": STANDS[after.marks[key].stand],  # type: ignore[index]
    }
