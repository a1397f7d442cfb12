"""What the judge learns: three questions about a response, each asked as a way of F asks it.

`judge`: is the answer right, that is, aware of the danger that it is told of, and helpful? `first_bad_step`:
where does the response first go wrong? As a guard: does the response lead into danger? Asked about good paths
and about the ways in which a path goes wrong: misseen, overlooked, forgotten at the end, warned of what is
not there, refused, spoilt by one line; written as asked or in other forms; under its own picture or another
one (shown).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from microworld import wording as say
from microworld.corpus import Dialogue, asked, joint_reply
from microworld.corpus_forms import FORMS
from microworld.pairs import Pair, firing, loose_pair, pair_of, worn
from microworld.responses import (
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
from microworld.scene import Scene
from microworld.score import answer_kind, response_kind
from microworld.score_steps import ANSWER, Truth, first_bad_of, response_fits
from microworld.shown import Others, Shown, claimed, own
from microworld.tokenizer import END, START
from microworld.world import Rule, Split, world
from ssui_gen.branching import one_line, title
from ssui_gen.marks import as_words, quoted
from ssui_gen.reading import read
from ssui_gen.records import STEP_NAMES, Step

RISKY_SHARE = 0.6
LETTER_WEIGHT = 20.0
"""A judge writes one token where others write sixty."""
MISSEEN_SHARE, RIGHT_SHARE = 0.28, 0.28
"""Of the paths whose steps are asked about: those wrong in what they see, and those sure to be right."""
FROM_START = 0.45
"""Of the questions about steps those asked of all seven places. Without them whoever is asked of step 1 knows
that it is wrong: a judge of an hour said so of every risky path, right ones among them.
"""
BLIND_SHARE = 0.3
"""Of the conversations that a guard is shown: those whose steps and answer notice nothing."""
OTHER_SHARE = 0.35
"""Of the responses that are asked about: those shown with another picture, as far as the truth allows."""
LETTERS = "ABCDEFGH"
RIGHT_WRONG = ("right", "wrong")


# --- the three questions -------------------------------------------------------------------------------


def judge(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """A response and the letter of what it is."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    made = dressed(rng, response(rng, pair), pair)
    shown = _other(others, rng, scene)
    if shown is None or not judgeable(made, pair, shown):
        shown = own(pair)
    return _judged(rng, pair, made, shown)


def first_bad_step(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """A response and the letter of its first wrong step; the steps before some cut are never wrong."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    draw = rng.random()
    sure = right if draw < MISSEEN_SHARE + RIGHT_SHARE else response
    maker = misseen_path if draw < MISSEEN_SHARE else sure
    made = whole(rng, maker(rng, pair), pair)
    shown = _other(others, rng, scene, share=0.25)
    if shown is None or wrong_step(made, pair, shown) != 1:
        shown = own(pair)
    bad = wrong_step(made, pair, shown)
    cut = 0 if rng.random() < FROM_START else rng.randrange(bad or ANSWER - 1)
    return _picked(rng, "first_bad_step", pair, made.text, places(cut), place(bad), shown)


def guard(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """A whole conversation, and whether its last word is safe; nothing says what to look for."""
    pair = pair_of(rng, scene, rng.random() < RISKY_SHARE)
    maker = blind if rng.random() < BLIND_SHARE else response
    return _guarded(rng, pair, dressed(rng, maker(rng, pair), pair), _other(others, rng, scene))


# --- drills: short questions on which the picture decides --------------------------------------------------


def _first_alone(rng: Random, pair: Pair, made: Response, found: str, shown: Shown) -> Dialogue:
    step, form = made.steps[0], FORMS[readable(rng)].step
    first = form.format(n=1, t=title(step.name), x=step.text).rstrip()
    return _picked(rng, "first_bad_step", pair, first, (place(0), place(1)), found, shown)


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
    shown = _other(others, rng, scene, share=0.5)
    if shown is None or wrong_step(made, pair, shown) != 1:
        shown = own(pair)
    found = place(1 if wrong_step(made, pair, shown) == 1 else 0)
    return _first_alone(rng, pair, made, found, shown)


def answer_drill(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """A right answer alone, which speaks of the picture that is shown or of another one."""
    pair = pair_of(rng, scene, rng.random() < 0.8)
    made = Response((), right_answer(rng, pair))
    shown = _other(others, rng, scene, share=0.6)
    if shown is None or not judgeable(made, pair, shown):
        shown = own(pair)
    return _judged(rng, pair, made, shown)


def guard_drill(others: Others, rng: Random, scene: Scene) -> Dialogue:
    """Plain help alone; whether it leads into danger is a matter of the picture."""
    pair = pair_of(rng, scene, rng.random() < 0.7)
    made = Response((), say.helped(pair.request, pair.scene.things))
    return _guarded(rng, pair, made, _other(others, rng, scene, share=0.4))


def step_words(rng: Random, scene: Scene) -> Dialogue:
    """The first step alone and no picture: whether it leaves out what the careful answer warns of."""
    pair = loose_pair(rng)
    rule, things = pair.rule, pair.scene.things
    out = rule is not None and rng.random() < 0.6
    seen = say.caption(rng, pair.scene.place, [t for t in things if not (out and rule and t == rule.thing)])
    made = Response((Step(name=STEP_NAMES[0], text=seen),), "")
    asked_about = _first_alone(rng, pair, made, place(int(out)), own(pair))
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
    if world().is_clear_benign(pair.request, shown.things):
        return ()
    rules = firing(frozenset(shown.things), shown.place, split)
    found = tuple(rule for rule in rules if rule.request == pair.request)
    helps = made.answer == say.helped(pair.request, pair.scene.things)
    return found if len(found) == 1 and helps else None


def place(step: int) -> str:
    """A step as an option, in the words of `ssui_gen/verifying/first_bad_step.py`."""
    return {0: "none", ANSWER: "answer"}.get(step, f"step {step}")


def places(cut: int) -> tuple[str, ...]:
    """The options after a cut."""
    return tuple(place(step) for step in (0, *range(cut + 1, ANSWER + 1)))


# --- how it is asked ---------------------------------------------------------------------------------------


def _other(others: Others, rng: Random, scene: Scene, share: float = OTHER_SHARE) -> Shown | None:
    return others.draw(rng, scene) if rng.random() < share else None


def _judged(rng: Random, pair: Pair, made: Response, shown: Shown) -> Dialogue:
    found = RIGHT_WRONG[not fits(made, pair, shown)]
    return _picked(rng, "judge", pair, made.text, RIGHT_WRONG, found, shown)


def _guarded(rng: Random, pair: Pair, made: Response, other: Shown | None) -> Dialogue:
    rules = guardable(made, pair, other) if other else None
    row, rule = (None, pair.rule) if other is None or rules is None else (other.row, next(iter(rules), None))
    said = f"{made.text}{END}\n{START}assistant\n"
    text, label = worn(rng, pair.text), guarded(made, rule)
    return Dialogue("user", True, text, label, said, weight=LETTER_WEIGHT, row=row)


def _picked(
    rng: Random, agent: str, pair: Pair, text: str, options: Sequence[str], found: str, shown: Shown
) -> Dialogue:
    order = options[:: rng.choice((1, -1))]
    user = judged(rng, agent, pair, text, order)
    return Dialogue(agent, True, user, LETTERS[order.index(found)], weight=LETTER_WEIGHT, row=shown.row)


def judged(rng: Random, agent: str, pair: Pair, text: str, order: Sequence[str]) -> str:
    """The user text, as `ssui_gen/verifying/choosing.py` writes it; the danger is told as records tell it, by
    the harm or by the whole clash.
    """
    rule = pair.rule
    plain = say.capital(rule.harm) + "." if rule else ""
    danger = joint_reply(pair).evidence if rule and rng.random() < 0.2 else plain
    return asked(
        agent,
        text=_told(worn(rng, pair.text)),
        scenario=_told(danger),
        reference=_told(right_answer(rng, pair)),
        response=quoted(text),
        options=dict(zip(LETTERS, order, strict=False)),
    )


def _told(text: str) -> str:
    return as_words(one_line(text))
