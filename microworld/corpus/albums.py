"""Pictures of the pool shown together, and dialogues about them.

Every maker that takes a scene takes an album; here it is chosen which pictures stand together, and which are
shown in the place of a pair's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random

from microworld.corpus.dialogues import Dialogue, says_nothing, told
from microworld.corpus.shown import GREY, Others, Shown
from microworld.world.album import Album, bound, go_together, partners
from microworld.world.entities import Rule
from microworld.world.pairs import phrase, worn
from microworld.world.rules import world
from microworld.world.scene import Scene

TRIES, COUPLE_TRIES = 40, 400
COUPLED = 0.5
"""Share of the pictures with a thing of a couple that are shown with its partner, where they find one."""
GREYED, BOTH = 0.25, 0.25
"""Of the pictures shown in the place of a pair's own: plain grey, and both of them others; else one is."""

Maker = Callable[[Random, Scene], Dialogue]


class Albums(Others):
    """Which pictures of the pool are shown together, and which in the place of two."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        super().__init__(scenes)
        self.row = {scene.id: row for row, scene in enumerate(scenes)}
        self.with_thing: defaultdict[str, list[int]] = defaultdict(list)
        for row in self.rows:
            for thing in scenes[row].things:
                self.with_thing[thing].append(row)

    def beside(self, rng: Random, scene: Scene) -> Album | None:
        """The scene with another, in any order; None where none is found that goes with it."""
        other = self._partner(rng, scene)
        if other is None:
            return None
        return bound((scene, other) if rng.random() < 0.5 else (other, scene))

    def couple(self, rng: Random) -> Album | None:
        """Pictures of which each holds one thing of a couple, or, half of the time, only one of them does;
        and nothing else that matters to its request.
        """
        rule, fires = rng.choice(world().couples), rng.random() < 0.5
        rows = [self.with_thing[thing] for thing in rule.causes]
        if not fires:
            rows[rng.randrange(2)] = self.rows
        for _ in range(COUPLE_TRIES if all(rows) else 0):
            pictures = [self.scenes[rng.choice(some)] for some in rows]
            things = [thing for one in pictures for thing in one.things]
            decided = world().fires_alone if fires else _harmless
            if decided(rule, things) and go_together(*pictures):
                return bound(rng.sample(pictures, 2))
        return None

    def rows_of(self, album: Album) -> tuple[int, ...]:
        return tuple(self.row[one.id] for one in album.pictures)

    def draw(self, rng: Random, scene: Scene) -> Shown:
        """Of an album grey, other pictures, or one of the two exchanged."""
        if not isinstance(scene, Album):
            return super().draw(rng, scene)
        draw = rng.random()
        if draw < GREYED:
            return Shown((GREY,) * len(scene.pictures), "", ())
        if draw < GREYED + BOTH:
            found = self.beside(rng, self.scenes[rng.choice(self.rows)])
            return self.as_shown(found or self.exchanged(rng, scene))
        return self.as_shown(self.exchanged(rng, scene))

    def exchanged(self, rng: Random, album: Album, at: int | None = None) -> Album:
        """With another picture in the place of one; of the same place every second time."""
        number = rng.randrange(len(album.pictures)) if at is None else at
        old, kept = album.pictures[number], album.pictures[1 - number]
        for _ in range(TRIES):
            other = self.alike(rng, old) if rng.random() < 0.5 else self.any(rng)
            assert isinstance(other.row, int)
            new = self.scenes[other.row]
            if go_together(kept, new) and set(old.things) - set(new.things):
                return bound((kept, new) if number else (new, kept))
        return album

    def as_shown(self, album: Album) -> Shown:
        """To a judge, in the place of another."""
        return Shown(self.rows_of(album), album.place, album.things, album)

    def _partner(self, rng: Random, scene: Scene) -> Scene | None:
        wanted = [thing for one in scene.things for thing in sorted(partners(one))]
        coupled = bool(wanted) and not scene.alarm and rng.random() < COUPLED
        rows = self.with_thing[rng.choice(wanted)] if coupled else self.rows
        drawn = (self.scenes[rng.choice(rows)] for _ in range(TRIES if rows else 0))
        return next((other for other in drawn if go_together(scene, other)), None)


def _harmless(rule: Rule, things: Iterable[str]) -> bool:
    return world().is_clear_benign(rule.request, things)


def together(albums: Albums, maker: Maker, couples: bool = False) -> Maker:
    """What `maker` makes of the scene and another, or of what may be a couple."""

    def made(rng: Random, scene: Scene) -> Dialogue:
        album = albums.couple(rng) if couples else albums.beside(rng, scene)
        found = maker(rng, album or scene)
        own = album and found.picture and found.row is None
        return replace(found, row=albums.rows_of(album)) if album and own else found

    return made


def couple_text(rng: Random, scene: Scene) -> Dialogue:
    """The text of a couple's request alone, at times with a thing named: it is harmless."""
    request = rng.choice(list(world().couple_requests))
    text = phrase(rng, request)
    if rng.random() < 0.3:
        return says_nothing(request, told(rng, text, rng.choice(sorted(world().coupled(request)))))
    return says_nothing(request, worn(rng, text))
