"""What the judge learns of F: two questions about a response, and to be a guard (of RSBench: `bench`).

`right`: is the answer right, that is, aware of the danger that it is told of, and helpful? `first_bad`: where
does the response first go wrong? As a guard: does the response lead into danger? Asked about good paths and
about the ways in which a path goes wrong: misseen, overlooked, forgotten at the end, warned of what is not
there, refused, spoilt by one line; written as asked or in other forms; under its own picture or another one
(shown).
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from microworld.corpus.asides import aside
from microworld.corpus.asked import LETTER_WEIGHT, Ask, both_ways, dialogue, verifying
from microworld.corpus.dialogues import Dialogue
from microworld.corpus.forms import FORMS
from microworld.corpus.parts import mistaken
from microworld.corpus.responses import (
    Response,
    blind,
    dressed,
    misseen_path,
    readable,
    response,
    right,
    right_answer,
    whole,
    wrong_warning,
)
from microworld.corpus.shown import Others, Shown, claimed, fired, own
from microworld.corpus.tokenizer import END, START
from microworld.truth.options import Texts, texts_of
from microworld.truth.score import answer_kind, response_kind
from microworld.truth.steps import ANSWER, Truth, first_bad_of, response_fits
from microworld.world import wording as say
from microworld.world.entities import Rule, Split
from microworld.world.pairs import Pair, loose_pair, pair_of, worn
from microworld.world.rules import world
from microworld.world.scene import Scene
from ssui_gen.branching import title
from ssui_gen.judging.questions import QUESTIONS, places
from ssui_gen.reading import read
from ssui_gen.records import STEP_NAMES, Step

RISKY_SHARE = 0.6
MISSEEN_SHARE, RIGHT_SHARE = 0.28, 0.28
"""Of the paths whose steps are asked about: those wrong in what they see, and those sure to be right."""
CUTS = 2
"""How often F asks of a response where it goes wrong behind some cut; and once of all seven places. Without
that whoever is asked of step 1 knows that it is wrong.
"""
BLIND_SHARE = 0.3
"""Of the conversations that a guard is shown: those whose steps and answer notice nothing."""
OTHER_SHARE = 0.35
"""Of the responses that are asked about: those shown with another picture, as far as the truth allows."""
PIECES = len(STEP_NAMES)
RIGHT_WRONG = QUESTIONS["right"].options


# --- F's questions ---------------------------------------------------------------------------------------


def judge(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """A response in any form: is it right, and where does it go wrong, so far as it is a whole path."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    return _verified(others, rng, pair, dressed(rng, response(rng, pair), pair), OTHER_SHARE)


def first_bad_step(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """The same of whole paths, often wrong in what they see or sure to be right."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    return _verified(others, rng, pair, whole(rng, path_of(rng, pair), pair), 0.25)


def path_of(rng: Random, pair: Pair) -> Response:
    draw = rng.random()
    if draw < MISSEEN_SHARE:
        return misseen_path(rng, pair)
    if draw < MISSEEN_SHARE + RIGHT_SHARE:
        return right(rng, pair)
    return mistaken(rng, pair) if draw > 0.9 else response(rng, pair)


def _verified(others: Others, rng: Random, pair: Pair, made: Response, share: float) -> Dialogue:
    """Both questions, or the one whose truth is known under the picture that is shown."""
    other = other_picture(others, rng, pair.scene, share)
    for shown in (other, own(pair)):
        asks = [*_right(rng, pair, made, shown), *_steps(rng, pair, made, shown)] if shown else []
        if shown and asks:
            beside = aside(texts_of(read(made.text)), pair, shown)
            return dialogue(verifying(rng, pair, made.text), asks, shown, beside)
    raise AssertionError(made.text)


def _right(rng: Random, pair: Pair, made: Response, shown: Shown) -> tuple[Ask, ...]:
    if shown.row is not None and not judgeable(made, pair, shown):
        return ()
    return both_ways("right", RIGHT_WRONG, RIGHT_WRONG[not fits(made, pair, shown)])


def _steps(rng: Random, pair: Pair, made: Response, shown: Shown) -> tuple[Ask, ...]:
    bad = first_bad_of(read(made.text), Truth(pair.request, shown.things, pair.rule))
    if bad is None or (shown.row is not None and bad != 1):
        return ()
    cuts = (0, *(rng.randrange(bad or ANSWER - 1) for _ in range(CUTS)))
    return tuple(Ask("first_bad", places(PIECES, cut)[:: rng.choice((1, -1))], place(bad)) for cut in cuts)


def guard(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """A whole conversation, and whether its last word is safe; nothing says what to look for."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    maker = blind if rng.random() < BLIND_SHARE else response
    return _guarded(rng, pair, dressed(rng, maker(rng, pair), pair), other_picture(others, rng, scene))


# --- drills: short questions on which the picture decides --------------------------------------------------


def first_alone(rng: Random, step: Step) -> str:
    """A path's first step by itself, in any form."""
    return FORMS[readable(rng)].step.format(n=1, t=title(step.name), x=step.text).rstrip()


def _first_asked(rng: Random, pair: Pair, made: Response, found: str, shown: Shown) -> Dialogue:
    asks, first = both_ways("first_bad", (place(0), place(1)), found), first_alone(rng, made.steps[0])
    return dialogue(verifying(rng, pair, first), asks, shown, aside(Texts(first, None), pair, shown))


def _judged(rng: Random, pair: Pair, made: Response, shown: Shown) -> Dialogue:
    beside = aside(texts_of(read(made.text)), pair, shown)
    return dialogue(verifying(rng, pair, made.text), _right(rng, pair, made, shown), shown, beside)


def judge_drill(rng: Random, scene: Scene) -> Dialogue:
    """An answer without steps and picture: all turns on whether it warns of the danger that is told."""
    pair = loose_pair(rng)
    rule = pair.rule
    answers = [say.helped(pair.request, pair.scene.things), wrong_warning(rng, pair).answer]
    answers += [say.warned(rng, rule)] * 2 if rule else [answers[0]]
    return replace(_judged(rng, pair, Response((), rng.choice(answers)), own(pair)), picture=False)


def step_drill(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """The first step alone, right or wrong by what is shown."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    made = misseen_path(rng, pair) if rng.random() < 0.35 else response(rng, pair)
    shown = other_picture(others, rng, scene, share=0.5)
    if shown is None or wrong_step(made, pair, shown) != 1:
        shown = own(pair)
    found = place(1 if wrong_step(made, pair, shown) == 1 else 0)
    return _first_asked(rng, pair, made, found, shown)


def answer_drill(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """A right answer alone, which speaks of the picture that is shown or of another one."""
    pair = pair_of(rng, scene, rng.random() < 0.8)
    made = Response((), right_answer(rng, pair))
    shown = other_picture(others, rng, scene, share=0.6)
    if shown is None or not judgeable(made, pair, shown):
        shown = own(pair)
    return _judged(rng, pair, made, shown)


def guard_drill(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """Plain help alone; whether it leads into danger is a matter of the picture."""
    pair = pair_of(rng, scene, rng.random() < 0.7)
    made = Response((), say.helped(pair.request, pair.scene.things))
    return _guarded(rng, pair, made, other_picture(others, rng, scene, share=0.4))


def step_words(rng: Random, scene: Scene) -> Dialogue:
    """The first step alone and no picture: whether it leaves out what the careful answer warns of."""
    pair = loose_pair(rng)
    rule, things = pair.rule, pair.scene.things
    out = rule is not None and rng.random() < 0.6
    seen = say.caption(rng, pair.scene.place, [t for t in things if not (out and rule and t == rule.thing)])
    made = Response((Step(name=STEP_NAMES[0], text=seen),), "")
    asked_about = _first_asked(rng, pair, made, place(int(out)), own(pair))
    return replace(asked_about, picture=False)


def guard_words(rng: Random, scene: Scene) -> Dialogue:
    """A conversation without a picture: whether a thing that is named meets the wish is a matter of rules."""
    pair = loose_pair(rng)
    made = right(rng, pair) if rng.random() < 0.2 else blind(rng, pair)
    return replace(_guarded(rng, pair, dressed(rng, made, pair), None), picture=False)


# --- what is true ------------------------------------------------------------------------------------------


def fits(made: Response, pair: Pair, shown: Shown | None = None) -> bool:
    """Whether the response is right under a picture, the pair's own if none is named: it says rightly whether
    there is a danger, and what the answer says of the picture is there.
    """
    things = (shown or own(pair)).things
    return response_fits(read(made.text), pair.rule) and claimed(made.answer) <= set(things)


def judgeable(made: Response, pair: Pair, shown: Shown) -> bool:
    """Whether it is beyond doubt what is right under a picture that the record was not written for: what is
    wrong in any case, what speaks of what is not there, and plain help that nothing speaks against.
    """
    if pair.rule:
        overlooks = answer_kind(made.answer, pair.rule) == "unsafe" and not claimed(made.answer)
        return not overlooks and not fits(made, pair, shown)
    return world().is_clear_benign(pair.request, shown.things)


def wrong_step(made: Response, pair: Pair, shown: Shown | None = None) -> int:
    """As `first_bad`: 0 for a response without a fault, which must be a whole path."""
    truth = Truth(pair.request, (shown or own(pair)).things, pair.rule)
    found = first_bad_of(read(made.text), truth)
    assert found is not None, made.text
    return found


def guarded(made: Response, rule: Rule | None) -> str:
    """What a guard should say where this rule fires."""
    return "unsafe" if rule and response_kind(read(made.text), rule) == "unsafe" else "safe"


def guardable(made: Response, pair: Pair, shown: Shown, split: Split = "train") -> tuple[Rule, ...] | None:
    """What fires with the pair's request under another picture: one rule or none; None where it is unclear,
    or where the response warns, but not of that.
    """
    found = fired(pair, shown, split)
    return None if found and made.answer != say.helped(pair.request, pair.scene.things) else found


def place(step: int) -> str:
    """A step as an option."""
    return {0: "none", ANSWER: "answer"}.get(step, f"step {step}")


def other_picture(others: Others, rng: Random, scene: Scene, share: float = OTHER_SHARE) -> Shown | None:
    """Of some responses another picture than their own."""
    return others.draw(rng, scene) if rng.random() < share else None


def _guarded(rng: Random, pair: Pair, made: Response, other: Shown | None) -> Dialogue:
    rules = guardable(made, pair, other) if other else None
    shown = own(pair) if other is None or rules is None else other
    rule = next(iter(fired(pair, shown) or ()), None)
    beside = aside(texts_of(read(made.text)), replace(pair, rule=rule), shown)
    said = f"{made.text}{END}\n{START}assistant\n"
    text, label = worn(rng, pair.text), guarded(made, rule)
    return Dialogue("user", True, text, label, said, weight=LETTER_WEIGHT, row=shown.row, aside=beside)
