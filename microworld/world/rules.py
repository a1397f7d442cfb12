"""The words of the microworld: places, things, requests, rules and text frames, read once from world.yaml.

Does not place things in pictures (scene.py) and does not draw them (draw/).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from ssui_gen import yamls
from ssui_gen.errors import SsuiError

Split = Literal["train", "test"]
Size = Literal["small", "medium", "large"]
Zone = Literal["any", "top", "ground"]

CATEGORIES = (
    "dangerous_behavior",
    "violence",
    "moral_violations",
    "illegal_crimes",
    "discrimination_stereotypes",
    "offensive_religious_beliefs",
    "privacy_violations",
    "self_harm",
    "misinformation",
)
MOST_WORDS = {"harm": 12, "mechanism": 16, "safer": 14}
PHRASE_WORDS = 14
HELD_OUT_SHARE = 0.15
FILE = Path(__file__).with_name("world.yaml")

Row = TypeVar("Row")


class WorldError(SsuiError):
    """world.yaml, or a name looked up in it, is wrong; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    id: str
    display: str
    things: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """`alarm` is one sentence for a thing that makes a picture unsafe on its own, else None."""

    id: str
    display: str
    size: Size
    zone: Zone = "any"
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """`help` knows of no risk; with `unclear` things people would disagree, so they share no item with it."""

    id: str
    needs: str
    help: str
    phrases: tuple[str, ...]
    held_out: str
    always_safe: bool = False
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """This request with this thing in the picture does this harm; `safer` still serves the request."""

    request: str
    thing: str
    category: str
    harm: str
    mechanism: str
    safer: str
    beside: str | None = None
    """Of a couple the other thing, which stands in another picture: it takes both."""

    @property
    def id(self) -> str:
        return "+".join((self.request, *self.causes))

    @property
    def causes(self) -> tuple[str, ...]:
        """The things that it takes."""
        return (self.thing, self.beside) if self.beside else (self.thing,)


@dataclass(frozen=True)
class World:
    places: dict[str, Place]
    things: dict[str, Thing]
    requests: dict[str, Request]
    rules: tuple[Rule, ...]
    frames: tuple[str, ...]
    held_out_frames: tuple[str, ...]
    apart: frozenset[frozenset[str]]
    couples: tuple[Rule, ...]
    """Rules that take two things in two pictures; no scene of one picture knows them, or their requests."""
    couple_requests: dict[str, Request]

    @cached_property
    def alarming(self) -> tuple[Thing, ...]:
        return tuple(thing for thing in self.things.values() if thing.alarm)

    @cached_property
    def _rules_by_pair(self) -> dict[tuple[str, str], Rule]:
        return {(rule.request, rule.thing): rule for rule in self.rules}

    @cached_property
    def every_rule(self) -> tuple[Rule, ...]:
        return self.rules + self.couples

    @cached_property
    def every_request(self) -> dict[str, Request]:
        return self.requests | self.couple_requests

    def coupled(self, request_id: str) -> frozenset[str]:
        """The things of which this request must not meet two."""
        return self._coupled.get(request_id, frozenset())

    @cached_property
    def _coupled(self) -> dict[str, frozenset[str]]:
        return {
            request: frozenset(t for rule in self.couples if rule.request == request for t in rule.causes)
            for request in self.couple_requests
        }

    def rule_for(self, request_id: str, things: Iterable[str]) -> Rule | None:
        """The rule that fires for this request with these thing ids in the picture: the first if several."""
        self.request(request_id)
        here = tuple(things)
        found = (self._rules_by_pair.get((request_id, thing)) for thing in here)
        couples = (c for c in self.couples if c.request == request_id and set(c.causes) <= set(here))
        return next((rule for rule in found if rule), None) or next(couples, None)

    def is_clear_benign(self, request_id: str, things: Iterable[str]) -> bool:
        """No thing fires a rule with this request, and none is one people would disagree about."""
        unclear, here = self.request(request_id).unclear, tuple(things)
        if len(self.coupled(request_id) & set(here)) > 1:
            return False
        return all(t not in unclear and (request_id, t) not in self._rules_by_pair for t in here)

    def fires_alone(self, rule: Rule, things: Iterable[str]) -> bool:
        """Whether a rule fires with these things, and nothing else does or is unclear."""
        here = set(things)
        rest = here - set(rule.causes)
        clear = self.is_clear_benign(rule.request, rest) and not self.coupled(rule.request) & rest
        return rest < here and set(rule.causes) <= here and clear

    def may_meet(self, thing: str, others: Iterable[str]) -> bool:
        """Whether a picture of them all is harmless without a text."""
        return not any(frozenset((thing, other)) in self.apart for other in others)

    def request(self, request_id: str) -> Request:
        if request_id not in self.every_request:
            raise WorldError(f"request {request_id!r} is unknown; known: {', '.join(self.every_request)}")
        return self.every_request[request_id]

    def places_of(self, thing_id: str) -> tuple[str, ...]:
        return tuple(place.id for place in self.places.values() if thing_id in place.things)

    def phrases(self, request_id: str, split: Split) -> tuple[str, ...]:
        """Every wording of a request that belongs to this split, frames applied; the two splits are disjoint.

        Held out: one phrase per request, the held-out frames, and a hashed share of (frame, phrase) pairs.
        """
        request = self.request(request_id)
        pairs = [(frame, phrase) for phrase in request.phrases for frame in self.frames]
        if split == "train":
            return tuple(framed(frame, phrase) for frame, phrase in pairs if not _held_out(frame, phrase))
        unseen = [(frame, phrase) for frame, phrase in pairs if _held_out(frame, phrase)]
        unseen += [(frame, phrase) for phrase in request.phrases for frame in self.held_out_frames]
        unseen += [(frame, request.held_out) for frame in (*self.frames, *self.held_out_frames)]
        return tuple(framed(frame, phrase) for frame, phrase in unseen)


def stable_share(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but the parts: same on every machine and run."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def framed(frame: str, phrase: str) -> str:
    first = phrase.split()[0]
    keeps_capital = first == "I" or first.startswith("I'")
    lowered = phrase if keeps_capital else phrase[0].lower() + phrase[1:]
    return frame.format(phrase=phrase, lowered=lowered)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def names(phrase: str, thing_id: str) -> bool:
    """Whether a phrase names the thing: a word of its id, singular or plural, short words of pairs aside."""
    parts = thing_id.split("_")
    telling = [part for part in parts if len(part) > 3 or len(parts) == 1]
    return any(word in (part, part + "s", part + "es") for word in words(phrase) for part in telling)


@cache
def world() -> World:
    return load(FILE)


def load(path: Path) -> World:
    """Read and check a world file. Raises WorldError naming the first entry that is wrong."""
    data = yamls.read(path)
    built = World(
        places={key: _row(Place, id=key, **row) for key, row in data["places"].items()},
        things={key: _row(Thing, id=key, **row) for key, row in data["things"].items()},
        requests={key: _row(Request, id=key, **row) for key, row in data["requests"].items()},
        rules=tuple(_row(Rule, **row) for row in data["rules"]),
        frames=tuple(data["frames"]["train"]),
        held_out_frames=tuple(data["frames"]["held_out"]),
        apart=frozenset(frozenset((a, b)) for a, others in data["apart"].items() for b in others),
        couples=tuple(_row(Rule, **row) for row in data["couples"]["rules"]),
        couple_requests={k: _row(Request, id=k, **row) for k, row in data["couples"]["requests"].items()},
    )
    _check_places(built)
    _check_rules(built)
    _check_phrases(built)
    return built


def _row(kind: type[Row], **fields: Any) -> Row:
    frozen = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    try:
        return kind(**frozen)
    except TypeError as error:
        raise WorldError(f"{kind.__name__.lower()} {fields!r}: {error}") from error


def _held_out(frame: str, phrase: str) -> bool:
    return frame != "{phrase}" and stable_share("frame", frame, phrase) < HELD_OUT_SHARE


def _refuse_twice(keys: Iterable[str], where: str) -> None:
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise WorldError(f"{where}: {twice[0]!r} stands twice; keep one")


def _refuse_unknown(found: Iterable[str], known: Iterable[str], where: str) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise WorldError(f"{where}: {unknown[0]!r} is unknown; known: {', '.join(known)}")


def _check_places(built: World) -> None:
    for place in built.places.values():
        _refuse_twice(place.things, f"place {place.id}")
        _refuse_unknown(place.things, built.things, f"place {place.id}")
    _refuse_unknown((thing for pair in built.apart for thing in pair), built.things, "apart")


def _check_rules(built: World) -> None:
    _refuse_twice((rule.id for rule in built.every_rule), "rules")
    for rule in built.every_rule:
        asked = built.couple_requests if rule.beside else built.requests
        _refuse_unknown([rule.request], asked, f"rule {rule.id}")
        _refuse_unknown(rule.causes, built.things, f"rule {rule.id}")
        _refuse_unknown([rule.category], CATEGORIES, f"rule {rule.id}")
        _check_rule_words(rule)
        if asked[rule.request].always_safe or set(rule.causes) & set(asked[rule.request].unclear):
            raise WorldError(f"rule {rule.id}: request calls this pair safe or unclear; drop one of the two")


def _check_rule_words(rule: Rule) -> None:
    for field, most in MOST_WORDS.items():
        text = getattr(rule, field)
        if len(text.split()) > most:
            raise WorldError(f"rule {rule.id}: {field} {text!r} is longer than {most} words; shorten it")


def _check_phrases(built: World) -> None:
    _refuse_twice((p for r in built.every_request.values() for p in (*r.phrases, r.held_out)), "phrases")
    for request in built.every_request.values():
        _refuse_unknown(request.unclear, built.things, f"request {request.id} unclear")
        seen = {word for phrase in request.phrases for word in words(phrase)}
        _refuse_unknown(words(request.held_out), seen, f"request {request.id} held_out")
        for phrase in (*request.phrases, request.held_out):
            if len(phrase.split()) > PHRASE_WORDS:
                raise WorldError(f"request {request.id}: {phrase!r} is longer than {PHRASE_WORDS} words")
    for rule in built.every_rule:
        asked = built.request(rule.request)
        for phrase in (*asked.phrases, asked.held_out):
            if any(names(phrase, thing) for thing in rule.causes):
                raise WorldError(f"rule {rule.id}: phrase {phrase!r} names the thing; reword it")
