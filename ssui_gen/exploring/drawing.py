"""What has been drawn from one cut of a path so far, and which of it is worth a judge's call.

A judge reads ten times what a policy writes. So a branch is judged only while its cut lacks a kind, those
that say something new first; one whose answer was judged before on this path, and that would only add to a
kind that its cut has, stays *not judged*: unverified, in no pair, never a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rapidfuzz import fuzz

from ssui_gen.branches import Branch, Cut, Judgement, Origin, Polarity
from ssui_gen.branching import one_line, path_class, prefix_at
from ssui_gen.completions import Choice
from ssui_gen.records import ReasoningPath, row_id
from ssui_gen.verifying.verify import Case

PRIOR = 2.0
"""Draws of a cut that what the whole path has shown is worth."""
ENOUGH = Judgement(polarity="unverified", detail="not judged: enough was found")
SAID_BEFORE = Judgement(polarity="unverified", detail="not judged: its answer was, on this path")
KINDS: tuple[Polarity, ...] = ("good", "bad")


class Gist(NamedTuple):
    """What a branch says, as far as it tells whether another says the same."""

    whole: bool
    risk: str | None
    """The class that step 4 names."""
    answer: str
    """With what stands around it."""

    @staticmethod
    def of(case: Case) -> Gist:
        found = case.reading
        answer = one_line(f"{found.before} {found.answer} {found.after}")
        return Gist(case.form.whole, path_class(found.steps), answer)

    def like(self, other: Gist, likeness: float | None) -> bool:
        """Whether the classes are the same and the answers' letters so alike (Levenshtein's indel ratio).
        What cannot be read is like nothing; nor is anything where `likeness` is None.
        """
        if likeness is None or not (self.whole and other.whole) or self.risk != other.risk:
            return False
        return fuzz.ratio(self.answer, other.answer, score_cutoff=100 * likeness) > 0


class Lead(NamedTuple):
    """What a cut goes on from where that is not its path."""

    prefix: str
    cut: int
    origin: Origin


@dataclass
class Drawing:
    """One cut."""

    path: ReasoningPath
    cut: int
    lead: Lead | None = None
    draws: int = 0
    branches: dict[str, Branch] = field(default_factory=dict)
    """By text."""
    waiting: dict[str, Case] = field(default_factory=dict)
    """By text: drawn and not judged."""
    said: dict[str, Gist] = field(default_factory=dict)
    """By text."""
    presumed: dict[str, Polarity] = field(default_factory=dict)
    """By text: of what is not judged as its answer was. It steers the draws and is no verdict."""
    calls: list[str] = field(default_factory=list)

    @staticmethod
    def of(path: ReasoningPath, cut: int, row: Cut | None = None) -> Drawing:
        """A new one, or that of an earlier row of this very cut: what nobody was asked about waits again."""
        drawing = Drawing(path, cut)
        if row:
            drawing.draws, drawing.calls = row.draws, list(row.made_by)
            for branch in row.branches:
                drawing._put(Case(path, cut, branch.text, branch.finish), branch)
        return drawing

    @property
    def kinds(self) -> Counter[str]:
        """Draws by polarity, presumed ones too."""
        counts: Counter[str] = Counter()
        for text, branch in self.branches.items():
            counts[self.presumed.get(text, branch.judgement.polarity)] += branch.times
        return counts

    def lacks(self, enough: int) -> dict[str, int]:
        """How many distinct branches of each kind are still wanted."""
        found = Counter(branch.judgement.polarity for branch in self.branches.values())
        return {kind: enough - found[kind] for kind in KINDS if found[kind] < enough}

    def expected(self, kind: str, wanted: int, seen: Counter[str]) -> float:
        """Draws that `wanted` more of `kind` will take: its share of what is judged or presumed here, with
        the path's share (`seen`, by the rule of succession) counting as PRIOR draws.
        """
        prior = (seen[kind] + 1) / (seen["good"] + seen["bad"] + 2)
        here = self.kinds
        return wanted * (PRIOR + here["good"] + here["bad"]) / (PRIOR * prior + here[kind])

    def takes(self, enough: int, seen: Counter[str]) -> float:
        """Draws that what lacks will take."""
        return max((self.expected(kind, n, seen) for kind, n in self.lacks(enough).items()), default=0.0)

    def add(self, choices: Iterable[Choice]) -> None:
        """Count what was drawn before; the rest waits to be judged."""
        for choice in choices:
            self.draws += 1
            if seen := self.branches.get(choice.text):
                self.branches[choice.text] = seen.model_copy(update={"times": seen.times + 1})
                continue
            said = self.lead and self.lead.prefix
            case = Case(self.path, self.cut, choice.text, choice.finish_reason or "unknown", said)
            self._put(case, _branch(case, choice))

    def _put(self, case: Case, branch: Branch) -> None:
        self.branches[case.text], self.said[case.text] = branch, Gist.of(case)
        if branch.judgement in (ENOUGH, SAID_BEFORE):
            self.waiting[case.text] = case

    def judged(self, case: Case, judgement: Judgement) -> None:
        del self.waiting[case.text]
        self.presumed.pop(case.text, None)
        self._set(case.text, judgement)

    def leave(self, likeness: float | None, path: Sequence[Drawing]) -> None:
        """Say of each that waits why nobody was asked."""
        known = [said for said, _ in answers(path)]
        for text in self.waiting:
            told = any(self.said[text].like(other, likeness) for other in known)
            self._set(text, SAID_BEFORE if told else ENOUGH)

    def next_to_judge(self, enough: int, likeness: float | None, path: Sequence[Drawing]) -> Case | None:
        """The first that waits and may be of a kind that lacks; `path` is all cuts of this path. None where
        none may, or nothing lacks.
        """
        lacks = self.lacks(enough)
        if not lacks:
            return None
        known = [(said, kind) for said, kind in answers(path) if kind not in lacks]
        for text, case in self.waiting.items():
            alike = next((kind for said, kind in known if self.said[text].like(said, likeness)), None)
            if alike is None:
                return case
            self.presumed[text] = alike
        return None

    def _set(self, text: str, judgement: Judgement) -> None:
        self.branches[text] = self.branches[text].model_copy(update={"judgement": judgement})

    def row(self, enough: int) -> Cut:
        """What is kept of it, and how many of each kind were looked for."""
        path, lead = self.path, self.lead
        prefix = lead.prefix if lead else prefix_at(path.steps, self.cut)
        return Cut.of_path(
            path,
            self.cut,
            prefix,
            self.branches.values(),
            draws=self.draws,
            enough=enough,
            made_by=tuple(self.calls),
            source="recovery" if lead else "path",
            origin=lead and lead.origin,
        )


def seen(path: Iterable[Drawing]) -> Counter[str]:
    """Draws of a path by polarity."""
    return sum((drawing.kinds for drawing in path), Counter[str]())


def answers(path: Iterable[Drawing]) -> list[tuple[Gist, Polarity]]:
    """What has been judged good or bad on a path."""
    return [
        (drawing.said[text], branch.judgement.polarity)
        for drawing in path
        for text, branch in drawing.branches.items()
        if branch.judgement.polarity in KINDS
    ]


def _branch(case: Case, choice: Choice) -> Branch:
    ids = choice.token_ids
    return Branch(
        id=row_id(case.path.id, str(case.cut), choice.text, *filter(None, [case.lead])),
        text=choice.text,
        finish=case.finish,
        tokens=len(ids) if ids is not None else None,
        token_ids=ids,
        form=case.form,
        judgement=ENOUGH,
    )
