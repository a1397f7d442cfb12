"""A caller that calls nobody: it answers from what is known, and stops at the question that is looked for.

For whoever wants to see a question as it would be sent: the agents' graph runs as ever, up to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ssui_gen.calling.calls import Request, Sending
from ssui_gen.calling.journal import Journal
from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.dialect import Dialect
from ssui_gen.examples import Situation
from ssui_gen.records import ReasoningPath, Record
from ssui_gen.replies import QueryReply, ReasoningReply, ReflectionReply, SafetyReply, SummaryReply

CLEAN = ReflectionReply(
    redundancy="none", completeness="none", faithfulness="none", decision="accept", advice="none"
)


class Reached(Exception):
    """The question that was looked for; never leaves whoever looks."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.agent)
        self.request = request


@dataclass
class Replay:
    """Earlier replies from the journal, where this very question was asked; else from the item's record; else
    from an example. `sources` says which, by agent.
    """

    wanted: str
    dialects: Mapping[str, Dialect]
    """By agent: what is asked in another dialect is another question to the journal."""
    journal: Journal | None
    record: ReasoningPath | None
    example: Situation
    sources: dict[str, str] = field(default_factory=dict)
    _asked: Counter[str] = field(default_factory=Counter)

    async def call(self, request: Request) -> tuple[str, Completion]:
        """Raises Reached at the wanted agent's first question."""
        if request.agent == self.wanted:
            raise Reached(request)
        self._asked[request.agent] += 1
        key = Sending(dialect=self.dialects[request.agent]).key(request)
        if self.journal and (known := self.journal.get(key)):
            self.sources[request.agent] = "the run's journal"
            return key, known
        reply = self._known(request.agent)
        choice = Choice(text=reply.model_dump_json(by_alias=True), finish_reason="stop")
        return request.id, Completion(model="", choices=(choice,), usage=Usage(), seconds=0.0)

    def _known(self, agent: str) -> Record:
        if self.record:
            self.sources[agent] = "the run's record"
            return replies_of(self.record, self._asked[agent])[agent]
        self.sources[agent] = f"the example {self.example.id!r}, as the run knows none to what is asked now"
        return CLEAN if agent == "reflection" else getattr(self.example, agent)


def replies_of(path: ReasoningPath, round: int) -> Mapping[str, Record]:
    """What each agent must have said, by its name; reflection in this round, from 1."""
    seen, said = path.verdicts, path.reflection[min(round, len(path.reflection)) - 1]
    checks = {"check_text": seen.text_only, "check_image": seen.image_only, "check_joint": seen.joint}
    return {
        "query": QueryReply(**path.query.model_dump()),
        "reasoning": ReasoningReply(**{step.name: step.text for step in path.steps}),
        "reflection": ReflectionReply.model_validate(said.model_dump()),
        "summary": SummaryReply(answer=path.answer),
        **{name: SafetyReply(evidence=it.evidence, label=it.label) for name, it in checks.items()},
    }
