"""What exploration gave, as pages: branches by cut, F's probabilities, the cost, the tree of a path. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import chain
from typing import NamedTuple

from ssui_gen.branches import Branch, Cut, Pair, Polarity
from ssui_gen.branching import one_line, title
from ssui_gen.exploring import page
from ssui_gen.exploring.cost import Cost
from ssui_gen.exploring.diversity import self_bleu
from ssui_gen.exploring.watch import Watch, form_name
from ssui_gen.reading import read
from ssui_gen.records import KINDS, ReasoningPath, Step

COLOURS: dict[Polarity, str] = {"good": page.GOOD, "unverified": page.OPEN, "bad": page.BAD}
BINS = 10
SAMPLED = 2000
"""Cuts whose branches are compared with each other, which takes some milliseconds a cut."""
FIRST = 70
"""Characters of a branch's answer in its title."""


@dataclass
class Numbers:
    """Everything the overview counts; one cut at a time, so that no branch is kept."""

    by_cut: dict[int, Counter[str]] = field(default_factory=dict)
    cuts: Counter[int] = field(default_factory=Counter)
    both: Counter[int] = field(default_factory=Counter)
    """Cuts with a good and a bad branch."""
    draws: Counter[int] = field(default_factory=Counter)
    distinct: Counter[int] = field(default_factory=Counter)
    alike: dict[int, list[float]] = field(default_factory=dict)
    """Self-BLEU of the first SAMPLED cuts that have two branches."""
    by_class: dict[str, Counter[str]] = field(default_factory=dict)
    histogram: Counter[int] = field(default_factory=Counter)
    details: Counter[str] = field(default_factory=Counter)
    watch: Watch = field(default_factory=Watch)
    """Forms of branches."""
    pairs: Counter[str] = field(default_factory=Counter)
    """By path."""
    pairs_by_cut: Counter[int] = field(default_factory=Counter)
    paired: set[tuple[str, int]] = field(default_factory=set)
    """Path and cut."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Paths that could not be explored, by reason."""
    pairs_by_kind: Counter[str] = field(default_factory=Counter)
    """Of those that cost something: a pair with another path's words was never drawn."""
    cost: Cost = field(default_factory=Cost)

    def add_cut(self, cut: Cut, category: str) -> None:
        kinds = Counter(branch.judgement.polarity for branch in cut.branches)
        self.by_cut.setdefault(cut.cut, Counter()).update(kinds)
        self.by_class.setdefault(category, Counter()).update(kinds)
        self.watch.note(cut)
        self.cuts[cut.cut] += 1
        self.both[cut.cut] += bool(kinds["good"] and kinds["bad"])
        self.draws[cut.cut] += cut.draws
        self.distinct[cut.cut] += len(cut.branches)
        if self.cuts.total() <= SAMPLED and (bleu := self_bleu([b.text for b in cut.branches])) is not None:
            self.alike.setdefault(cut.cut, []).append(bleu)
        for branch in cut.branches:
            self._add_branch(branch)

    def _add_branch(self, branch: Branch) -> None:
        said = branch.judgement
        if said.probability is not None:
            self.histogram[min(int(said.probability * BINS), BINS - 1)] += 1
        if said.detail:
            self.details[said.detail.split(":")[0]] += 1

    def add_pair(self, pair: Pair) -> None:
        self.pairs[pair.path_id] += 1
        self.pairs_by_cut[pair.cut] += 1
        self.pairs_by_kind[pair.kind] += not pair.twin_id
        self.paired.add((pair.path_id, pair.cut))


class Grown(NamedTuple):
    """A path in the list of trees."""

    path: ReasoningPath
    address: str
    kinds: Counter[str]
    """Branches by polarity."""


def overview(numbers: Numbers, trees: Sequence[Grown], run: str) -> str:
    """The page of a run, which is called `run`."""
    made = numbers.pairs.total()
    return page.page(
        f"Branches and pairs of {run}",
        page.paragraph(
            f"{made:,} pairs from {len(numbers.pairs):,} paths, out of {numbers.cuts[0]:,} explored."
        ),
        page.section("From paths to pairs", _funnel(numbers)),
        page.section("Branches by cut", _legend(), _by_cut(numbers)),
        page.section("How far branches can be read as a path", _forms(numbers.watch)),
        page.section("Branches by class", _by_class(numbers)),
        page.section("How sure F was that a branch is good", _histogram(numbers)),
        page.section("What it cost, F's judging counted", _cost(numbers)),
        page.section("Why branches are bad at once, or unverified", _counts(numbers.details)),
        page.section("Pairs of a path", _per_path(numbers)),
        page.section("The trees", _trees(numbers, trees)),
    )


def _per_path(numbers: Numbers) -> str:
    """How many paths gave how many pairs."""
    found = Counter(numbers.pairs.values())
    found[0] = numbers.cuts[0] - len(numbers.pairs)
    most = max(found.values())
    rows = [[str(n), f"{count:,}", page.bar({page.CALM: count}, most)] for n, count in sorted(found.items())]
    return page.table(["pairs", "paths", ""], rows)


def _trees(numbers: Numbers, trees: Sequence[Grown]) -> str:
    """Those with the most pairs first."""
    most = max((one.kinds.total() for one in trees), default=0)
    rows = [
        [
            page.link(one.path.query.text, one.address), one.path.query.category,
            str(numbers.pairs[one.path.id]), _bar(one.kinds, most),
        ]
        for one in sorted(trees, key=lambda one: -numbers.pairs[one.path.id])
    ]  # fmt: skip
    return page.table(["path", "class", "pairs", "branches"], rows)


def _funnel(numbers: Numbers) -> str:
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
    return page.table(["", "number", ""], [row for part in parts for row in _stages(part)])


def _stages(part: dict[str, int]) -> Iterable[list[str]]:
    """Bars on the scale of the first; what was left out is negative."""
    most = next(iter(part.values()))
    for name, n in part.items():
        colour = page.OPEN if n < 0 else page.CALM
        yield [escape(name), f"{abs(n):,}", page.bar({colour: abs(n)}, most)]


def _legend() -> str:
    return page.paragraph(
        "Green: good. Red: bad. Grey: unverified, in no pair. Cut 0 is the root: no step is given. "
        "Self-BLEU: how alike the branches of a cut are, from 0 to 1."
    )


def _by_cut(numbers: Numbers) -> str:
    head = ["cut", "branches", "", "cuts with both kinds", "distinct of drawn", "self-BLEU", "pairs"]
    most = max((sum(found.values()) for found in numbers.by_cut.values()), default=0)
    rows = [
        [
            str(cut), f"{sum(found.values()):,}", _bar(found, most),
            f"{numbers.both[cut] / numbers.cuts[cut]:.0%}",
            f"{numbers.distinct[cut] / max(numbers.draws[cut], 1):.0%}", _mean(numbers.alike.get(cut, [])),
            f"{numbers.pairs_by_cut[cut]:,}",
        ]
        for cut, found in sorted(numbers.by_cut.items())
    ]  # fmt: skip
    return page.table(head, rows)


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.2f}" if values else "–"


def _by_class(numbers: Numbers) -> str:
    most = max((sum(found.values()) for found in numbers.by_class.values()), default=0)
    ordered = sorted(numbers.by_class.items(), key=lambda one: -sum(one[1].values()))
    rows = [[name, f"{sum(found.values()):,}", _bar(found, most)] for name, found in ordered]
    return page.table(["class", "branches", ""], rows)


def _bar(found: Counter[str], most: float) -> str:
    return page.bar({colour: found[kind] for kind, colour in COLOURS.items()}, most)


def _forms(watch: Watch) -> str:
    """Form is a finding of its own: what cannot be read is unverified."""
    most = max(watch.forms.values(), default=0)
    rows = [
        [
            escape(form_name(form)),
            f"{count:,}",
            page.bar({page.CALM if form.whole else page.OPEN: count}, most),
        ]
        for form, count in watch.forms.most_common()
    ]
    warned = [page.paragraph(watch.warning)] if watch.hopeless else []
    return "".join([page.table(["form", "branches", ""], rows), *warned])


def _histogram(numbers: Numbers) -> str:
    most = max(numbers.histogram.values(), default=0)
    rows = [
        [f"{place / BINS:.1f} – {(place + 1) / BINS:.1f}", f"{numbers.histogram[place]:,}",
         page.bar({page.CALM: numbers.histogram[place]}, most)]
        for place in range(BINS)
    ]  # fmt: skip
    return (
        page.table(["probability", "branches", ""], rows)
        if most
        else page.paragraph("F gave no probabilities.")
    )


def _cost(numbers: Numbers) -> str:
    """By kind of path, so that what the rarer kind of pair costs is seen."""
    pairs = numbers.pairs_by_kind
    made = [f"{pairs.total():,}", *(f"{pairs[kind]:,}" for kind in KINDS)]
    rows = []
    for line in numbers.cost.lines():
        sums = (f"{n:,}" for n in (line.whole, *line.by_kind))
        rows.append([line.what, *chain(*zip(sums, line.a_pair(pairs), strict=True))])
    kinds = chain(*((f"{kind} paths", f"a {kind} pair") for kind in KINDS))
    return page.table(["", "in all", "a pair", *kinds], [["pairs", *chain(*((n, "") for n in made))], *rows])


def _counts(counts: Counter[str]) -> str:
    rows = [[name, f"{n:,}"] for name, n in counts.most_common()]
    return page.table(["", "how often"], rows) if rows else page.paragraph("None.")


def tree(path: ReasoningPath, cuts: Sequence[Cut], picture: str) -> str:
    """The page of one path: its steps down the middle, good branches to the right, bad ones to the left."""
    drawn = {cut.cut: cut for cut in cuts}
    rows = [_level(number, step, drawn.get(number)) for number, step in enumerate(path.steps)]
    answer = f'<div></div><div class="step"><b>Answer</b><br>{escape(path.answer)}</div><div></div>'
    return page.page(
        path.query.text,
        f"<p>{page.link('All paths', '../pairs.html')}</p>",
        f'<p><img src="{escape(picture)}" alt=""></p>',
        page.paragraph(f"{path.kind}, {path.query.category}: {path.query.scenario}"),
        page.paragraph("A branch leaves the path before the step beside which it stands. Click to read it."),
        f'<div class="tree">{"".join(rows)}{answer}</div>',
    )


def _level(number: int, step: Step, cut: Cut | None) -> str:
    name, text = escape(title(step.name)), escape(step.text)
    middle = f'<div class="step"><b>{number + 1}. {name}</b><br>{text}</div>'
    if cut is None:
        return f"<div></div>{middle}<div></div>"
    left = _folds(cut.of("bad")) + _unverified(cut.of("unverified"))
    return f"<div>{left}</div>{middle}<div>{_folds(cut.of('good'))}</div>"


def _unverified(branches: Sequence[Branch]) -> str:
    """One line for all of them: they are many where F judged only as many as it had to."""
    if len(branches) < 2:
        return _folds(branches)
    return page.folded(f"{len(branches):,} not verified", _folds(branches), COLOURS["unverified"])


def _folds(branches: Iterable[Branch]) -> str:
    return "".join(
        page.fold(_name(branch), branch.text.strip(), COLOURS[branch.judgement.polarity])
        for branch in branches
    )


def _name(branch: Branch) -> str:
    """How its answer begins, how sure F is, how often it was drawn."""
    said = branch.judgement
    last = one_line(read(branch.text).answer or branch.text) or "empty"
    start = last if len(last) <= FIRST else f"{last[:FIRST]}…"
    sure = f" ({said.probability:.2f})" if said.probability is not None else ""
    return f"{start}{sure}{f' ×{branch.times}' if branch.times > 1 else ''}"
