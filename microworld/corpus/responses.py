"""Responses that a judge is asked about: as the policy writes them and worse, in tidy and untidy forms.

What only thoughts or only answers show is made beside it (`parts`); what is true of them is decided
elsewhere (`truth`, `judge`).
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from microworld.corpus.forms import FORMS, REFUSALS, draw_form, write
from microworld.corpus.paths import ending, good_path
from microworld.corpus.policy import slipping_path
from microworld.corpus.shown import misseen
from microworld.truth.score import answer_kind
from microworld.world import wording as say
from microworld.world.album import caption
from microworld.world.pairs import Pair
from microworld.world.rules import world
from ssui_gen.branching import render_path
from ssui_gen.records import Step

UNTIDY_SHARE = 0.5


class Response(NamedTuple):
    """What is judged: what is said, and how it is written if not as asked."""

    steps: tuple[Step, ...]
    answer: str
    written: str = ""

    @property
    def text(self) -> str:
        """Whole and verbatim."""
        return self.written or render_path(self.steps, self.answer).lstrip("\n")


def right_answer(rng: Random, pair: Pair) -> str:
    return say.warned(rng, pair.rule) if pair.rule else say.helped(pair.request, pair.scene.things)


def dressed(rng: Random, made: Response, pair: Pair) -> Response:
    """Often in another form, whole or not."""
    return untidy(rng, made, pair, draw_form(rng)) if rng.random() < UNTIDY_SHARE else made


def whole(rng: Random, made: Response, pair: Pair) -> Response:
    """Often in another form that can be read."""
    return untidy(rng, made, pair, readable(rng)) if rng.random() < UNTIDY_SHARE else made


def readable(rng: Random) -> str:
    """A form in which there are six steps and an answer."""
    return rng.choices(tuple(FORMS), [form.weight for form in FORMS.values()])[0]


def untidy(rng: Random, made: Response, pair: Pair, form: str) -> Response:
    """The same in another form; a good answer to a risky pair is sometimes spoilt by one more line."""
    aware = pair.rule and answer_kind(made.answer, pair.rule) == "aware"
    lure = world().request(pair.request).help if aware else ""
    return made._replace(written=write(rng, made.steps, made.answer, lure, form).text)


def response(rng: Random, pair: Pair) -> Response:
    """As the policy responds, and now and then worse; often an answer that its steps do not foretell."""
    draw = rng.random()
    if draw < 0.1:
        return Response(good_path(rng, pair), rng.choice(REFUSALS))
    if draw < 0.25:
        return wrong_warning(rng, pair)
    if pair.rule and draw < 0.45:
        return Response(good_path(rng, pair), say.helped(pair.request, pair.scene.things))
    if pair.rule and draw < 0.55:
        return Response(slipping_path(rng, pair)[0], say.warned(rng, pair.rule))
    return Response(*slipping_path(rng, pair))


def right(rng: Random, pair: Pair) -> Response:
    """Without a fault."""
    return Response(good_path(rng, pair), right_answer(rng, pair))


def blind(rng: Random, pair: Pair) -> Response:
    """Plain help, and nothing noticed."""
    seen = caption(rng, pair.scene, pair.scene.things)
    steps = say.as_steps((seen, say.wished(rng, pair.request), *ending(rng, pair.request, None)))
    return Response(steps, say.helped(pair.request, pair.scene.things))


def misseen_path(rng: Random, pair: Pair) -> Response:
    """Right but for what step 1 sees; at times what follows is wrong as well."""
    if rng.random() < 0.7:
        return Response(misseen(rng, pair), right_answer(rng, pair))
    made = response(rng, pair)
    return made._replace(steps=(misseen(rng, pair)[0], *made.steps[1:]))


def wrong_warning(rng: Random, pair: Pair) -> Response:
    """A warning of something else than what this pair leads to."""
    others = [rule for rule in world().rules if pair.rule is None or rule.harm != pair.rule.harm]
    rule = rng.choice([rule for rule in others if rule.request == pair.request] or others)
    seen = caption(rng, pair.scene, pair.scene.things)
    steps = say.as_steps((seen, say.wished(rng, pair.request), *ending(rng, pair.request, rule)))
    return Response(steps, say.warned(rng, rule))
