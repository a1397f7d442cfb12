"""What exploration gave, as pages: branches by cut, F's probabilities, the cost, the tree of a path. Pure.

The words around the figures stand in `web/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from ssui_gen.branches import Branch, Cut, Polarity
from ssui_gen.branching import one_line, title
from ssui_gen.exploring.counted import BINS, Numbers
from ssui_gen.exploring.watch import Watch, form_name
from ssui_gen.pages.frame import rendered
from ssui_gen.pages.masthead import Masthead
from ssui_gen.reading import read
from ssui_gen.records import KINDS, ReasoningPath

OWN = "ssui_gen.exploring"
WORDS: dict[Polarity, str] = {"good": "✓ good", "unverified": "? not verified", "bad": "✕ bad"}
"""A sign and a word beside each colour."""
NAMES = tuple(f"f-{kind}" for kind in WORDS)
CALM, OPEN = "s0", "f-unverified"
FIRST = 70
"""Characters of a branch's answer in its title."""


class Grown(NamedTuple):
    """A path in the list of trees."""

    path: ReasoningPath
    address: str
    kinds: Counter[str]
    """Branches by polarity."""


class Rows(NamedTuple):
    """A table: cells are words, or a bar."""

    cells: list[list[Any]]
    numbers: frozenset[int]
    """Columns that stand to the right."""


def overview(numbers: Numbers, trees: Sequence[Grown], head: Masthead) -> str:
    """The page of a run."""
    return rendered(
        "pairs.html",
        OWN,
        **head.of(f"Branches and pairs of {head.title}"),
        lead=_lead(numbers),
        tiles=list(_tiles(numbers)),
        warning=numbers.watch.warning if numbers.watch.hopeless else "",
        parts=list(_parts(numbers)),
        legend=_legend(),
        names=NAMES,
        kinds=Counter(one.path.kind for one in trees),
        classes=dict(Counter(one.path.query.category for one in trees).most_common()),
        trees=list(_trees(numbers, trees)),
    )


def _lead(numbers: Numbers) -> str:
    made = numbers.pairs.total()
    return f"{made:,} pairs from {len(numbers.pairs):,} paths, out of {numbers.cuts[0]:,} explored."


def _tiles(numbers: Numbers) -> Iterable[tuple[str, str, str]]:
    """Title, figure, what it means."""
    polarities = sum(numbers.by_cut.values(), Counter[str]())
    for kind, word in WORDS.items():
        share = polarities[kind] / max(1, polarities.total())
        yield f"Branches: {word}", f"{polarities[kind]:,}", f"{share:.0%} of {polarities.total():,} distinct"
    both, cuts = numbers.both.total(), numbers.cuts.total()
    yield "Cuts with both kinds", f"{both:,}", f"of {cuts:,}: only from these a pair can come"


def _parts(numbers: Numbers) -> Iterable[dict[str, Any]]:
    polar = {"legend": _legend()}
    yield _part("From paths to pairs", ("", "number", ""), _funnel(numbers))
    cut_head = ("cut", "branches", "good, not verified, bad", "cuts with both kinds", "distinct of drawn",
                "self-BLEU", "pairs")  # fmt: skip
    note = "Cut 0 is the root: no step is given. Self-BLEU: how alike the branches of a cut are, from 0 to 1."
    yield _part("Branches by cut", cut_head, _by_cut(numbers), note) | polar
    yield _part("How far branches can be read as a path", ("form", "branches", ""), _forms(numbers.watch))
    class_head = ("class", "branches", "good, not verified, bad")
    yield _part("Branches by class", class_head, _by_class(numbers)) | polar
    sure = "How sure F was that a branch is good"
    yield _part(sure, ("probability", "branches", ""), _histogram(numbers), "Of branches that a judge saw.")
    yield _part("What it cost, F's judging counted", *_cost(numbers))
    why = [[name, f"{n:,}"] for name, n in numbers.details.most_common()]
    yield _part("Why branches are bad at once, or unverified", ("why", "how often"), why)
    yield _part("Pairs of a path", ("pairs", "paths", ""), _per_path(numbers))


def _part(title: str, head: Sequence[str], rows: Iterable[list[Any]], note: str = "") -> dict[str, Any]:
    cells = list(rows)
    places = ((n, cell) for row in cells for n, cell in enumerate(row) if n)
    numbers = frozenset(n for n, cell in places if isinstance(cell, str) and cell[:1].isdigit())
    return {"title": title, "head": head, "rows": Rows(cells, numbers), "note": note, "legend": ()}


def _legend() -> list[tuple[str, str]]:
    return [(f"f-{kind}", word) for kind, word in WORDS.items()]


def _bar(parts: Sequence[int], names: Sequence[str], most: float) -> dict[str, Any]:
    """As `stack` draws it: so much of the width as they are of `most`."""
    return {"parts": list(parts), "names": list(names), "scale": round(sum(parts) / most, 4) if most else 0}


def _polar(found: Counter[str], most: float) -> dict[str, Any]:
    return _bar([found[kind] for kind in WORDS], NAMES, most)


def _per_path(numbers: Numbers) -> Iterable[list[Any]]:
    """How many paths gave how many pairs."""
    found = Counter(numbers.pairs.values())
    found[0] = numbers.cuts[0] - len(numbers.pairs)
    most = max(found.values())
    return ([str(n), f"{count:,}", _bar([count], [CALM], most)] for n, count in sorted(found.items()))


def _trees(numbers: Numbers, trees: Sequence[Grown]) -> Iterable[dict[str, Any]]:
    """Those with the most pairs first."""
    most = max((one.kinds.total() for one in trees), default=0)
    for one in sorted(trees, key=lambda one: -numbers.pairs[one.path.id]):
        words = ", ".join(f"{one.kinds[kind]} {word}" for kind, word in WORDS.items() if one.kinds[kind])
        bar = _polar(one.kinds, most)
        yield {"path": one.path, "address": one.address, "pairs": numbers.pairs[one.path.id],
               "words": words, "parts": bar["parts"], "scale": bar["scale"]}  # fmt: skip


def _funnel(numbers: Numbers) -> Iterable[list[Any]]:
    """How many of what came in went on, and what was left out: paths, then their cuts, then branches."""
    explored = numbers.cuts[0]
    left_out = {f"left out: {reason}": -n for reason, n in numbers.dropped.most_common()}
    parts: tuple[dict[str, int], ...] = (
        {"paths": explored + numbers.dropped.total(), **left_out, "explored": explored,
         "with a pair": len(numbers.pairs)},
        {"cuts": numbers.cuts.total(), "with both kinds of branch": numbers.both.total(),
         "with a pair": len(numbers.paired)},
        {"branches drawn": numbers.draws.total(), "distinct": numbers.distinct.total()},
    )  # fmt: skip
    return (row for part in parts for row in _stages(part))


def _stages(part: dict[str, int]) -> Iterable[list[Any]]:
    """Bars on the scale of the first; what was left out is negative."""
    most = next(iter(part.values()))
    for name, n in part.items():
        yield [name, f"{abs(n):,}", _bar([abs(n)], [OPEN if n < 0 else CALM], most)]


def _by_cut(numbers: Numbers) -> Iterable[list[Any]]:
    most = max((sum(found.values()) for found in numbers.by_cut.values()), default=0)
    for cut, found in sorted(numbers.by_cut.items()):
        yield [
            str(cut), f"{sum(found.values()):,}", _polar(found, most),
            f"{numbers.both[cut] / numbers.cuts[cut]:.0%}",
            f"{numbers.distinct[cut] / max(numbers.draws[cut], 1):.0%}", _mean(numbers.alike.get(cut, [])),
            f"{numbers.pairs_by_cut[cut]:,}",
        ]  # fmt: skip


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.2f}" if values else "–"


def _by_class(numbers: Numbers) -> Iterable[list[Any]]:
    most = max((sum(found.values()) for found in numbers.by_class.values()), default=0)
    ordered = sorted(numbers.by_class.items(), key=lambda one: -sum(one[1].values()))
    return ([name, f"{sum(found.values()):,}", _polar(found, most)] for name, found in ordered)


def _forms(watch: Watch) -> Iterable[list[Any]]:
    """Form is a finding of its own: what cannot be read is unverified."""
    most = max(watch.forms.values(), default=0)
    for form, count in watch.forms.most_common():
        yield [form_name(form), f"{count:,}", _bar([count], [CALM if form.whole else OPEN], most)]


def _histogram(numbers: Numbers) -> Iterable[list[Any]]:
    most = max(numbers.histogram.values(), default=0)
    for place in range(BINS if most else 0):
        count = numbers.histogram[place]
        yield [f"{place / BINS:.1f} – {(place + 1) / BINS:.1f}", f"{count:,}", _bar([count], [CALM], most)]


def _cost(numbers: Numbers) -> tuple[Sequence[str], list[list[Any]]]:
    """Head and rows, by kind of path, so that what the rarer kind of pair costs is seen."""
    pairs = numbers.pairs_by_kind
    made = [f"{pairs.total():,}", *(f"{pairs[kind]:,}" for kind in KINDS)]
    rows: list[list[Any]] = [["pairs", *chain(*((n, "") for n in made))]]
    for line in numbers.cost.lines():
        sums = (f"{n:,}" for n in (line.whole, *line.by_kind))
        rows.append([line.what, *chain(*zip(sums, line.a_pair(pairs), strict=True))])
    kinds = chain(*((f"{kind} paths", f"a {kind} pair") for kind in KINDS))
    return ("what", "in all", "a pair", *kinds), rows


class Beside(NamedTuple):
    """The trees before and after one, by address from its page; empty at the ends."""

    before: str = ""
    after: str = ""


ALONE = Beside()


def tree(
    path: ReasoningPath, cuts: Sequence[Cut], pictures: Sequence[str], head: Masthead, beside: Beside = ALONE
) -> str:
    """The page of one path: its steps down the middle, good branches to the right, bad ones to the left.
    `pictures` are their addresses from the page.
    """
    drawn = {cut.cut: cut for cut in cuts}
    kinds = Counter(branch.judgement.polarity for cut in cuts for branch in cut.branches)
    return rendered(
        "tree.html",
        OWN,
        images="'self' file:",
        **head.of(path.query.text),
        path=path,
        pictures=list(zip(path.images, pictures, strict=True)),
        before=beside.before,
        after=beside.after,
        counts=[(kind, word, kinds[kind]) for kind, word in WORDS.items()],
        levels=[
            {
                "name": f"{number + 1}. {title(step.name)}",
                "text": step.text,
                **_leaving(drawn.get(number)),
            }
            for number, step in enumerate(path.steps)
        ],
    )


def _leaving(cut: Cut | None) -> dict[str, list[dict[str, str]]]:
    """The branches that leave the path there."""
    sides: dict[str, Polarity] = {"bad": "bad", "open": "unverified", "good": "good"}
    return {side: [_told(one) for one in cut.of(kind)] if cut else [] for side, kind in sides.items()}


def _told(branch: Branch) -> dict[str, str]:
    """How its answer begins, how sure F is, how often it was drawn."""
    said = branch.judgement
    last = one_line(read(branch.text).answer or branch.text) or "empty"
    sure = [f"({said.probability:.2f})"] if said.probability is not None else []
    return {
        "polarity": said.polarity,
        "word": WORDS[said.polarity],
        "start": last if len(last) <= FIRST else f"{last[:FIRST]}…",
        "facts": " ".join([*sure, *([f"×{branch.times}"] if branch.times > 1 else [])]),
        "text": branch.text.strip(),
    }
