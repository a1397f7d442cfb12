"""report.html: one file with its style, its script, its pictures and its data inside; it loads nothing else.

Words of models reach the page as escaped text, or as data that the script puts there as text. Charts are SVG
by hand in the templates (`web/`), each beside the words that say the same. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ssui_gen.benching.evidence import MEASURES
from ssui_gen.benching.telling import BOTH, OVER, UNSAFE, WORDS, Told, by_truth, percent, share, signed, told
from ssui_gen.branching import title
from ssui_gen.judging.questions import ANSWER, NONE
from ssui_gen.pages import frame
from ssui_gen.records import KINDS, STEP_NAMES, Kind

OWN = "ssui_gen.benching"
SIDES: dict[Kind, str] = {"risky": "Risky items", "benign": "Harmless twins"}
NO_RATE = {"value": None, "n": 0}
Figures = Mapping[str, Any]


def report_page(report: Figures, failures: Figures) -> str:
    """The page of `report.json`'s content, and of failures as `failures` picks them."""
    tested = [report, *([report["baseline"]] if report["baseline"] else [])]
    data = {
        **failures,
        "models": [one["model"] for one in tested],
        "words": WORDS,
        "steps": [title(name) for name in STEP_NAMES],
    }
    changes = {} if "why" in report["change"] else report["change"]
    return rendered(
        "report.html",
        (OWN, "report.js"),
        data=data,
        report=report,
        tested=tested,
        tiles=tiles(tested, changes),
        glances={kind: glance(tested, changes, kind) for kind in KINDS},
        places={kind: {form: places(tested, kind, form) for form in ("steps", "trace")} for kind in KINDS},
        trust=list(trusted(report)),
        few=[name for name, kinds in report["classes"].items() if _is_bare(kinds)],
        titles={name: _title_of(name) for name in changes},
        classes={name: by_kind(tested, "classes", name) for name in report["classes"]},
        languages={name: by_kind(tested, "languages", name) for name in report["languages"]},
        by_truth=by_truth(report),
        knows_truth=any(one for kinds in report["truth"].values() for one in kinds.values()),
    )


def tiles(tested: list[Figures], changes: Figures) -> list[tuple[str, str, Told]]:
    """The three figures that come first: title, what is better, the figure."""
    found = (
        (title, f"{better} is better", told(name, tested, changes))
        for name, title, better in (
            (BOTH, "Right on both sides", "higher"),
            (UNSAFE, "Unsafe on risky items", "lower"),
            (OVER, "Warns or refuses needlessly", "lower"),
        )
    )
    return [(title, better, one) for title, better, one in found if one]


def trusted(one: Figures) -> Iterator[tuple[str, str, Figures, Figures, Figures | None]]:
    """What it is, of which items, raw, corrected, and true where that is known."""
    yield "right on both sides", "scenarios", one[BOTH], one[BOTH]["corrected"], one[BOTH]["truth"]
    for name, kinds in one["raw"].items():
        for kind, rate in kinds.items():
            known = one["truth"][name][kind]
            yield MEASURES[name].title, kind, rate, one["corrected"][name][kind], known


def _is_bare(kinds: Mapping[Kind, Figures]) -> bool:
    """Whether a class has no rate at all."""
    return all(rate["value"] is None for rate in kinds.values())


def _title_of(name: str) -> str:
    """What a row of a comparison is called."""
    measure, _, kind = name.partition("/")
    return f"{SIDES[kind]}: {MEASURES[measure].title}" if kind in SIDES else "Both sides right"


def glance(tested: list[Figures], changes: Figures, kind: Kind) -> list[tuple[str, str, Told]]:
    """What stands first for a kind: title, what is better, the figure."""
    right = "good" if all(one["has_paths"] for one in tested) else "answer_good"
    feared = "unsafe" if kind == "risky" else "over"
    found = (
        (MEASURES[name].title, better, told(f"{name}/{kind}", tested, changes))
        for name, better in ((right, "higher"), (feared, "lower"))
    )
    return [(title, f"{better} is better", one) for title, better, one in found if one]


def by_kind(tested: Sequence[Figures], what: str, name: str) -> dict[Kind, list[Figures]]:
    """Each model's rates of a class or a language."""
    return {kind: [one[what].get(name, {}).get(kind, NO_RATE) for one in tested] for kind in KINDS}


def places(tested: Sequence[Figures], kind: Kind, form: str) -> list[tuple[str, list[tuple[int, int, int]]]]:
    """For each place of the first fault: number of the model, how often, of how many."""
    found = [(n, one["first_bad"][kind][form]) for n, one in enumerate(tested) if one["first_bad"]]
    having = [(number, counts) for number, counts in found if counts]
    return [
        (name, [(number, counts[name], sum(counts.values())) for number, counts in having])
        for name in (having[0][1] if having else ())
    ]


def compare_page(names: Sequence[str], rows: Sequence[Figures], edition: Figures) -> str:
    """Models side by side; nothing on it needs a script."""
    tested = [{"model": name} for name in names]
    return rendered("compare.html", frame.START, names=names, tested=tested, rows=rows, edition=edition)


def rendered(template: str, script: frame.Part, **values: Any) -> str:
    """A page of `web/` in the frame that all pages share."""
    named: dict[str, Any] = {"KINDS": KINDS, "SIDES": SIDES, "MEASURES": MEASURES, "WORDS": WORDS}
    return frame.rendered(
        template,
        OWN,
        styles=((OWN, "report.css"),),
        scripts=(script,),
        filters={"share": share, "percent": percent, "title": title, "points": points, "place": place},
        **named,
        **values,
    )


def points(change: Figures) -> str:
    """`+13.0 points (+8.1 to +17.9)`."""
    if change["points"] is None:
        return "–"
    low, high = change["interval"]
    return f"{signed(change['points'])} points ({signed(low)} to {signed(high)})"


def place(name: str) -> str:
    """What a place of the first fault is called."""
    if name in STEP_NAMES:
        return f"{STEP_NAMES.index(name) + 1}. {title(name)}"
    return {NONE: "nothing wrong", ANSWER: "the answer"}.get(name, name)
