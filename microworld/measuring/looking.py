"""Does the judge look? The same questions under the true picture, another scene's and plain grey.

Only responses whose verdict depends on the picture are asked about: right answers that speak of it, good
paths, plain help where something in the picture makes it dangerous. Whoever does not look says the same under
all three, and follows the picture under one or two of them. Half are written as asked, half in other forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random

from PIL import Image

from microworld.corpus.bench import grounding
from microworld.corpus.judge import (
    RIGHT_WRONG,
    fits,
    guardable,
    judgeable,
    place,
    wrong_step,
)
from microworld.corpus.parts import parted
from microworld.corpus.responses import (
    Response,
    blind,
    readable,
    right,
    right_answer,
    untidy,
)
from microworld.corpus.shown import NOTHING, Others, Shown, claimed, misseen
from microworld.draw.pool import LARGE, picture
from microworld.learning.ask import Checkpoint
from microworld.measuring.bench import posed
from microworld.measuring.judge import Case, Posed, in_both_orders, labels, where_bad, whether_right
from microworld.truth.score import things_named
from microworld.world.pairs import Pair
from ssui_gen.shares import Share, share

TRIES = 24
PICTURES = ("the true picture", "another scene's", "a grey one")
GREY = Image.new("RGB", (LARGE, LARGE), (128, 128, 128))
Changes = Callable[[Pair, Response, Shown], bool]
"""Whether the verdict under that picture is another than under the pair's own."""


def looking(model: Checkpoint, pairs: list[Pair]) -> dict[str, Share]:
    """How far each way's verdicts follow the picture, and which wrong first steps are found."""
    others = Others([pair.scene for pair in pairs])
    found: dict[str, Share] = {}
    for name, ask, made, changes in _ways(pairs):
        for which, cases in zip(PICTURES, _shown(others, made, changes), strict=True):
            found[f"{name} follows {which}"] = share(ask(model, cases, which == PICTURES[0]))
    return found | _first_steps(model, pairs)


Made = list[tuple[Pair, Response]]
Ask = Callable[[Checkpoint, list[Case], bool], Iterator[bool]]


def _ways(pairs: list[Pair]) -> Iterator[tuple[str, Ask, Made, Changes]]:
    good = _dressed(Random(1), [(pair, right(Random(i), pair)) for i, pair in enumerate(pairs)])
    yield "judge", _judge, [(p, m) for p, m in good if claimed(m.answer)], _speaks_of_else
    yield "first bad step", _step, good, lambda pair, made, shown: wrong_step(made, pair, shown) == 1
    yield "grounded", _ground, good, _invents
    unaware = [(pair, blind(Random(i), pair)) for i, pair in enumerate(pairs) if pair.rule]
    yield "guard", _guard, _dressed(Random(2), unaware), _disarms


def _speaks_of_else(pair: Pair, made: Response, shown: Shown) -> bool:
    return judgeable(made, pair, shown) and not fits(made, pair, shown)


def _disarms(pair: Pair, made: Response, shown: Shown) -> bool:
    return guardable(made, pair, shown, "test") == ()


def _invents(pair: Pair, made: Response, shown: Shown) -> bool:
    return grounding(parted(made), pair, shown, "test") == "invented"


def _judge(model: Checkpoint, cases: list[Case], true: bool) -> Iterator[bool]:
    for said in in_both_orders(model, [whether_right(case) for case in cases]):
        yield from (option == RIGHT_WRONG[not true] for option in said)


def _step(model: Checkpoint, cases: list[Case], true: bool) -> Iterator[bool]:
    for said in in_both_orders(model, [where_bad(case) for case in cases]):
        yield from (option == place(0 if true else 1) for option in said)


def _ground(model: Checkpoint, cases: list[Case], true: bool) -> Iterator[bool]:
    for said in in_both_orders(model, [_grounding(case) for case in cases]):
        yield from (option == ("named" if true else "invented") for option in said)


def _grounding(case: Case) -> Posed:
    return posed(Random(case.pair.scene.id), "grounded", parted(case.made), case.pair, case.picture)


def _guard(model: Checkpoint, cases: list[Case], true: bool) -> Iterator[bool]:
    yield from (label == ("unsafe" if true else "safe") for label in labels(model, cases))


def _dressed(rng: Random, made: Made) -> Made:
    """Every second one in another form, as right as before: none is spoilt by a line more."""
    loose = [(p, untidy(rng, m, p, readable(rng)) if i % 2 else m) for i, (p, m) in enumerate(made)]
    return [
        (p, new if fits(new, p) == fits(m, p) else m) for (p, m), (_, new) in zip(made, loose, strict=True)
    ]


def _shown(others: Others, made: Made, changes: Changes) -> tuple[list[Case], list[Case], list[Case]]:
    """The same responses under the true picture, under another one and under grey, those left out for which
    no other picture changes the verdict.
    """
    changed = [(pair, one, _another(others, pair, one, changes)) for pair, one in made]
    kept = [(pair, one, other) for pair, one, other in changed if other and changes(pair, one, NOTHING)]
    return (
        [Case(pair, one, drawn(pair)) for pair, one, _ in kept],
        [Case(pair, one, other) for pair, one, other in kept],
        [Case(pair, one, GREY) for pair, one, _ in kept],
    )


def _another(others: Others, pair: Pair, made: Response, changes: Changes) -> Image.Image | None:
    """Every second one is the most alike of the same place."""
    rng = Random(pair.scene.id)
    alike = rng.random() < 0.5
    draws = (others.alike(rng, pair.scene) if alike else others.any(rng) for _ in range(TRIES))
    found = next((shown for shown in draws if changes(pair, made, shown)), None)
    return picture(others.scenes[found.row]) if found and isinstance(found.row, int) else None


@lru_cache(maxsize=1024)
def drawn(pair: Pair) -> Image.Image:
    return picture(pair.scene)


def _first_steps(model: Checkpoint, pairs: list[Pair]) -> dict[str, Share]:
    """Paths that go wrong in step 1 alone, under their own picture."""
    rng = Random(3)
    made = [(pair, Response(misseen(rng, pair), right_answer(rng, pair))) for pair in pairs]
    cases = [Case(pair, one, drawn(pair)) for pair, one in _dressed(rng, made)]
    located = [
        [one == place(1) for one in both]
        for both in zip(*in_both_orders(model, [where_bad(case) for case in cases]), strict=True)
    ]
    invents = [not things_named(c.made.steps[0].text) <= set(c.pair.scene.things) for c in cases]
    parts = {"names what is not there": True, "leaves out what decides": False}
    return {
        "first bad step: wrong first step located": share(one for both in located for one in both),
        **{
            f"first bad step: located where it {name}": share(
                one for both, kind in zip(located, invents, strict=True) if kind == part for one in both
            )
            for name, part in parts.items()
        },
    }
