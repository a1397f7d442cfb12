"""The words of the microworld: places, things, requests, rules and text frames, read once from world.yaml.

Does not place things in pictures (scene.py) and does not draw them (draw/).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from microworld.world.entities import (
    CATEGORIES,
    Area,
    Novel,
    Place,
    Request,
    Rule,
    Split,
    Thing,
    WorldError,
)
from microworld.world.phrases import framed, names, stable_share, words
from ssui_gen import yamls

MOST_WORDS = {"harm": 12, "mechanism": 16, "safer": 14}
PHRASE_WORDS = 14
HELD_OUT_SHARE = 0.15
FILE = Path(__file__).with_name("world.yaml")

Row = TypeVar("Row")


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
    novel: Novel
    """What no checkpoint was taught, and nothing is drawn of unless it is asked for (`Area`)."""

    @cached_property
    def alarming(self) -> tuple[Thing, ...]:
        return tuple(thing for thing in self.things.values() if thing.alarm)

    @cached_property
    def _rules_by_pair(self) -> dict[tuple[str, str], Rule]:
        return {(rule.request, rule.thing): rule for rule in self.rules + self.novel.rules}

    @cached_property
    def taught_rules(self) -> tuple[Rule, ...]:
        """All of which some checkpoint learned."""
        return self.rules + self.couples

    @cached_property
    def taught_requests(self) -> dict[str, Request]:
        return self.requests | self.couple_requests

    @cached_property
    def every_rule(self) -> tuple[Rule, ...]:
        return self.taught_rules + self.novel.rules

    @cached_property
    def every_request(self) -> dict[str, Request]:
        return self.taught_requests | self.novel.requests

    @cached_property
    def every_thing(self) -> dict[str, Thing]:
        return self.things | self.novel.things

    def rules_of(self, area: Area) -> tuple[Rule, ...]:
        """Those of one picture."""
        if area == "known":
            return self.rules
        of_things = area == "novel_things"
        return tuple(rule for rule in self.novel.rules if (rule.thing in self.novel.things) == of_things)

    def requests_of(self, area: Area) -> dict[str, Request]:
        """Those that its rules are of."""
        return self.novel.requests if area == "novel_rules" else self.requests

    def things_of(self, area: Area) -> dict[str, Thing]:
        """Those that may be the first of a scene."""
        return self.novel.things if area == "novel_things" else self.things

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
        unclear, here = self._unclear(request_id), tuple(things)
        if len(self.coupled(request_id) & set(here)) > 1:
            return False
        return all(t not in unclear and (request_id, t) not in self._rules_by_pair for t in here)

    def _unclear(self, request_id: str) -> tuple[str, ...]:
        """Nobody said what is true of a novel thing beside any but a known request."""
        novel = self.novel.unclear.get(request_id, ()) if request_id in self.requests else self.novel.things
        return (*self.request(request_id).unclear, *novel)

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
        more = self.novel.places
        return tuple(p.id for p in self.places.values() if thing_id in (*p.things, *more.get(p.id, ())))

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
        apart=_apart(data["apart"]) | _apart(data["novel"]["apart"]),
        couples=tuple(_row(Rule, **row) for row in data["couples"]["rules"]),
        couple_requests={k: _row(Request, id=k, **row) for k, row in data["couples"]["requests"].items()},
        novel=_novel(data["novel"]),
    )
    _check_novel(built)
    _check_places(built)
    _check_rules(built)
    _check_phrases(built)
    return built


def _apart(data: dict[str, list[str]]) -> frozenset[frozenset[str]]:
    return frozenset(frozenset((one, other)) for one, others in data.items() for other in others)


def _novel(data: dict[str, Any]) -> Novel:
    return Novel(
        things={key: _row(Thing, id=key, **row) for key, row in data["things"].items()},
        requests={key: _row(Request, id=key, **row) for key, row in data["requests"].items()},
        rules=tuple(_row(Rule, **row) for row in data["rules"]),
        places={key: tuple(things) for key, things in data["places"].items()},
        unclear={key: tuple(things) for key, things in data["unclear"].items()},
    )


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
    _refuse_unknown((thing for pair in built.apart for thing in pair), built.every_thing, "apart")


def _check_novel(built: World) -> None:
    novel = built.novel
    _refuse_twice((*built.things, *novel.things), "things")
    _refuse_twice((*built.requests, *built.couple_requests, *novel.requests), "requests")
    for where, known in ((novel.places, built.places), (novel.unclear, built.requests)):
        _refuse_unknown(where, known, "novel")
        _refuse_unknown((thing for things in where.values() for thing in things), novel.things, "novel")
    for rule in novel.rules:
        if (rule.request in novel.requests) == (rule.thing in novel.things):
            raise WorldError(f"novel rule {rule.id}: expected a novel request or a novel thing, and not both")


def _check_rules(built: World) -> None:
    _refuse_twice((rule.id for rule in built.every_rule), "rules")
    for rules, requests, things in (
        (built.rules, built.requests, built.things),
        (built.couples, built.couple_requests, built.things),
        (built.novel.rules, built.requests | built.novel.requests, built.every_thing),
    ):
        for rule in rules:
            _refuse_unknown([rule.request], requests, f"rule {rule.id}")
            _refuse_unknown(rule.causes, things, f"rule {rule.id}")
            _check_rule(rule, requests[rule.request], built)


def _check_rule(rule: Rule, asked: Request, built: World) -> None:
    _refuse_unknown([rule.category], CATEGORIES, f"rule {rule.id}")
    _check_rule_words(rule)
    unclear = (*asked.unclear, *built.novel.unclear.get(asked.id, ()))
    if asked.always_safe or set(rule.causes) & set(unclear):
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
