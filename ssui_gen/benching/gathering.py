"""The rows of a model's folder joined: each response with its item and all that was said of it. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from ssui_gen.benching.evidence import PATH, Case, Model
from ssui_gen.benching.gist import UNSAID, Alike, ByQuestion, Reply, Said, Subject
from ssui_gen.benching.records import TRUTH, BenchJudgement, Item, Protocol, Response
from ssui_gen.judging.questions import RSBENCH, QuestionName


def gather(
    items: Iterable[Item],
    responses: Iterable[Response],
    judgements: Iterable[BenchJudgement],
    labels: Iterable[BenchJudgement],
    *,
    wanted: Collection[QuestionName] = RSBENCH,
) -> list[Model]:
    """The rows of one folder joined, a `Model` per protocol, the one with the most responses first. `wanted`
    is what its judge is to be asked where it has not been asked yet. Each is looked at once, in this order,
    and no row is kept.

    Planted items test the judge and are left out; plain ones stand apart. Of rows with the same id the first
    counts; of several judges the one that said most.
    """
    rows = _Rows()
    rows.items(items)
    rows.responses(responses)
    rows.judgements(judgements)
    rows.labels(labels)
    return rows.models(wanted)


class _Rows:
    """What is known so far."""

    def __init__(self) -> None:
        self.alike = Alike()
        self.subjects: dict[str, Subject] = {}
        self.replies: dict[str, Reply] = {}
        self.said, self.drawn, self.truth = _Words(), _Words(), _Words()
        self.judges = Counter[str]()
        self.rubrics = defaultdict[str, set[str]](set)
        self.strangers = Counter[str]()

    def items(self, rows: Iterable[Item]) -> None:
        for place, row in enumerate(rows):
            subject = Subject.of(row, place, self.alike)
            self.subjects[subject.id] = subject

    def responses(self, rows: Iterable[Response]) -> None:
        for place, row in enumerate(rows):
            if row.id not in self.replies:
                self.replies[row.id] = Reply.of(row, place, self.alike)
                self.strangers["responses"] += row.item_id not in self.subjects

    def judgements(self, rows: Iterable[BenchJudgement]) -> None:
        for row in rows:
            self.judges[row.judge] += 1
            self.rubrics[row.judge].add(row.rubric)
            self._add("judgements", row, self.said)

    def labels(self, rows: Iterable[BenchJudgement]) -> None:
        for row in rows:
            found = self.drawn if row.drawn else self.truth if row.judge == TRUTH else None
            self._add("labels", row, found)

    def _add(self, file: str, row: BenchJudgement, words: _Words | None) -> None:
        reply = self.replies.get(row.response_id)
        if reply is None:
            self.strangers[file] += 1
        elif words is not None:
            words.add(reply.id, Said.of(row, self.alike), self.alike)

    def models(self, wanted: Collection[QuestionName]) -> list[Model]:
        """What was gathered, which is given away."""
        judge = next(iter(self.judges.most_common(1)), ("", 0))[0]
        of = defaultdict[tuple[str, Protocol], list[Case]](list)
        for id, reply in self.replies.items():
            said = self.said.taken(id, judge), self.drawn.taken(id), self.truth.taken(id)
            if (item := self.subjects.get(reply.item_id)) and not item.planted:
                of[reply.model, reply.protocol].append(Case(item, reply, *said))
        made = (self._model(*key, cases, judge, wanted) for key, cases in of.items())
        return sorted(made, key=lambda model: (-len(model.cases), model.name, model.protocol))

    def _model(
        self, name: str, protocol: Protocol, cases: list[Case], judge: str, wanted: Collection[QuestionName]
    ) -> Model:
        """Cases in the order of the items."""
        cases.sort(key=lambda case: (case.item.place, case.response.draw))
        there, counted = tuple(case for case in cases if not case.item.plain), {c.item.id for c in cases}
        asked = frozenset(question for case in cases for question in case.said) or frozenset(wanted)
        having = sum(case.has_path for case in there)
        return Model(
            name=name,
            protocol=protocol,
            cases=there,
            plain=tuple(case for case in cases if case.item.plain),
            unanswered=tuple(one for one in self.subjects.values() if one.counted and one.id not in counted),
            judge=judge,
            rubrics=frozenset(self.rubrics[judge]),
            asked=asked,
            has_paths=set(PATH) <= asked and 2 * having >= max(1, len(there)),
            strangers=+self.strangers,
        )


class _Words:
    """What was said of responses, by whom, in the order in which it was first said."""

    def __init__(self) -> None:
        self._of = defaultdict[str, dict[tuple[QuestionName, str], Said]](dict)

    def add(self, response: str, said: Said, alike: Alike) -> None:
        """The last word of a judge counts."""
        self._of[response][alike((said.question, said.judge))] = said

    def taken(self, response: str, judge: str | None = None) -> ByQuestion:
        """The verdicts on a response, of one judge or of all; where several differ there is none. They are
        forgotten here.
        """
        joined: dict[QuestionName, Said] = {}
        for said in self._of.pop(response, {}).values():
            if judge in (None, said.judge):
                first = joined.setdefault(said.question, said)
                if first.verdict != said.verdict:
                    joined[said.question] = first._replace(verdict=None)
        return joined or UNSAID
