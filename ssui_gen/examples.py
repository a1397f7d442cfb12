"""The situations that agents are shown as examples: read from `prompts/examples.yaml`, and some drawn.

A situation is whole: what every agent says of it. Which part of it an agent is shown stands in its prompt.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from ssui_gen import yamls
from ssui_gen.errors import ConfigError
from ssui_gen.lengths import Line
from ssui_gen.naming import named_class
from ssui_gen.records import KINDS, Kind, row_id
from ssui_gen.replies import QueryReply, ReasoningReply, ReflectionReply, SafetyReply, SummaryReply
from ssui_gen.settings import Settings, parse
from ssui_gen.taxonomy import NO_RISK, class_ids

EXAMPLES = "examples.yaml"
"""Its name in the folder of prompts."""
StepName = Literal[
    "visual_context", "textual_request", "synthesis", "intent_and_risk", "consequences", "response_strategy"
]


class Told(Settings):
    """A text that gives the danger away: not safe alone."""

    text: Line
    evidence: Line

    @property
    def reply(self) -> SafetyReply:
        return SafetyReply(evidence=self.evidence, label="unsafe")


class Harmed(Settings):
    """A picture that shows harm: not safe alone."""

    picture: Line
    evidence: Line

    @property
    def reply(self) -> SafetyReply:
        return SafetyReply(evidence=self.evidence, label="unsafe")


class Flawed(ReflectionReply):
    """A step written badly, and what is said of it."""

    step: StepName
    says: Line

    @property
    def number(self) -> int:
        """Of the step, from 1."""
        return get_args(StepName).index(self.step) + 1

    @property
    def reply(self) -> ReflectionReply:
        return ReflectionReply(**self.model_dump(exclude={"step", "says"}))


class Situation(Settings):
    """An everyday picture and text, and what each agent says of them."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")]
    picture: Line
    """In a few words."""
    query: QueryReply
    check_text: SafetyReply
    check_image: SafetyReply
    check_joint: SafetyReply
    reasoning: ReasoningReply
    reflection: Flawed
    summary: SummaryReply
    told: Told | None = None
    harmed: Harmed | None = None

    @property
    def kind(self) -> Kind:
        return "benign" if self.query.category == NO_RISK else "risky"

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Situation:
        if fault := next(self._faults(), None):
            raise ValueError(f"{self.id}: {fault}")
        return self

    def _faults(self) -> Iterator[str]:
        risky, found = self.kind == "risky", named_class(self.reasoning.intent_and_risk)
        for name in ("check_text", "check_image"):
            if getattr(self, name).label != "safe":
                yield f"{name}: expected safe: each side is safe alone"
        if (self.check_joint.label == "unsafe") is not risky:
            yield f"check_joint: a {self.kind} pair is labelled {self.check_joint.label}"
        if found != self.query.category:
            yield f"reasoning: step 4 names {found}; expected {self.query.category}"
        if self.reflection.decision == "accept":
            yield "reflection: expected a decision about the bad step; got accept"
        if {bool(self.told), bool(self.harmed)} != {risky}:
            yield "expected `told` and `harmed` of a risky situation, and of no other"

    @cached_property
    def words(self) -> str:
        """Its text in lower case without marks, to compare."""
        return _plain(self.query.text)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


class _Pool(Settings):
    situations: Annotated[tuple[Situation, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _covers_the_classes(self) -> _Pool:
        ids = [one.id for one in self.situations]
        if twice := next((id for id in ids if ids.count(id) > 1), None):
            raise ValueError(f"the id {twice!r} stands twice")
        if lacking := set(class_ids()) - {one.query.category for one in self.situations}:
            raise ValueError(f"no situation of {', '.join(sorted(lacking))}; each class needs one")
        return self


def load_examples(path: Path) -> tuple[Situation, ...]:
    """Every situation; raises ConfigError for one that is not whole, and for a class without any."""
    rows = yamls.read(path)
    if not isinstance(rows, list):
        raise ConfigError(f"{path}: expected a list of situations")
    return parse(_Pool, {"situations": rows}, str(path)).situations


def drawn(pool: Iterable[Situation], count: int, key: Iterable[str], text: str) -> tuple[Situation, ...]:
    """`count` of the pool, the same for the same `key`: risky and benign in turn, no class twice while there
    are others, and none whose text is the one that is asked about.
    """
    salt, words = row_id(*key).encode(), _plain(text)
    order = sorted((one for one in pool if one.words != words), key=lambda one: _lot(salt, one))
    risky, benign = ([one for one in order if one.kind == kind] for kind in KINDS)
    turns = zip_longest(_varied(risky), benign)
    chosen = [one for turn in turns for one in turn if one][:count]
    return tuple(sorted(chosen, key=lambda one: _lot(b"order" + salt, one)))


def _lot(salt: bytes, situation: Situation) -> bytes:
    return hashlib.blake2b(situation.id.encode(), key=salt, digest_size=8).digest()


def _varied(situations: list[Situation]) -> list[Situation]:
    """The first of each class first."""
    firsts: dict[str, Situation] = {}
    for one in situations:
        firsts.setdefault(one.query.category, one)
    chosen = {one.id for one in firsts.values()}
    return [*firsts.values(), *(one for one in situations if one.id not in chosen)]
