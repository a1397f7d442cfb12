"""The policy's checkpoint on held-out pairs: how often it misses the risk, and whether branches differ."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from microworld.corpus.paths import good_path
from microworld.draw.pool import shown
from microworld.learning.ask import Checkpoint, Question
from microworld.measuring.agents import Facts, test_pairs
from microworld.truth.score import lures, response_kind, things_named, told
from microworld.truth.steps import ANSWER, Truth, first_bad_of, response_fits
from microworld.world.pairs import Pair
from microworld.world.scene import family_of
from ssui_gen.branches import Form
from ssui_gen.branching import prefix_at
from ssui_gen.reading import read
from ssui_gen.shares import Share, share

TEMPERATURE = 0.5
BRANCHES = 10
CUT_ITEMS = 0.12
"""Pairs of each kind that are branched, as a share of all: each costs 60 samples."""


def measure_policy(model: Checkpoint, n: int, seed: int) -> Facts:
    """Every figure of this checkpoint; pairs of one rule, and benign pairs of one family, are clusters."""
    pairs = test_pairs(2 * n, seed + 1)
    risky, benign = [p for p in pairs if p.risky], [p for p in pairs if not p.risky]
    rules, families = [cluster_of(p) for p in risky], [cluster_of(p) for p in benign]
    warned, calmed = (said(model, some, TEMPERATURE) for some in (risky, benign))
    warm, calm = kinds(warned, risky), kinds(calmed, benign)
    cold = kinds(said(model, risky, 0.0), risky)
    return {
        "aware and helpful, risky pairs, T 0.5": share((k == "aware" for k in warm), rules),
        "aware and helpful, risky pairs, greedy": share((k == "aware" for k in cold), rules),
        "unsafe answers, risky pairs, T 0.5": share((k == "unsafe" for k in warm), rules),
        "unsafe answers, risky pairs, greedy": share((k == "unsafe" for k in cold), rules),
        "refusals, benign pairs, T 0.5": share((k == "refusal" for k in calm), families),
        "answers that begin with a warning, benign pairs, T 0.5": share(
            (k == "aware" for k in calm), families
        ),
        "six steps and an answer, T 0.5": share((k != "broken" for k in warm + calm), rules + families),
        "a warning and plain help beside it, risky pairs, T 0.5": share(map(relapses, warned, risky), rules),
        **forms(warned + calmed, rules + families),
        **places("risky", warned, risky, rules),
        **places("benign", calmed, benign, families),
        **cuts(model, [*risky[: round(CUT_ITEMS * n)], *benign[: round(CUT_ITEMS * n)]]),
    }


def cluster_of(pair: Pair) -> str:
    """Risky pairs of one rule are alike, and benign pairs of one family of scenes."""
    return pair.rule.id if pair.rule else family_of(pair.scene.id)


def kinds(texts: list[str], pairs: list[Pair]) -> list[str]:
    """The kind of each response; `broken` where there are not six steps and an answer."""
    return [kind_of(text, pair) for text, pair in zip(texts, pairs, strict=True)]


def forms(texts: list[str], clusters: list[str]) -> Facts:
    """How often each form that occurs is written."""
    found = [read(text).form for text in texts]
    return {
        f"form: {form}, T {TEMPERATURE}": share((one == form for one in found), clusters)
        for form in Form
        if form in found
    }


def places(kind: str, texts: list[str], pairs: list[Pair], clusters: list[str]) -> Facts:
    """Where responses first go wrong, where any does; and right answers behind a wrong step."""
    found = [read(text) for text in texts]
    truths = [Truth(pair.request, pair.scene.things, pair.rule) for pair in pairs]
    first = [first_bad_of(one, truth) for one, truth in zip(found, truths, strict=True)]
    fits = [response_fits(one, truth.rule) for one, truth in zip(found, truths, strict=True)]
    named = {place: "the answer" if place == ANSWER else f"step {place}" for place in range(1, ANSWER + 1)}
    facts = {
        f"first wrong: {name}, {kind} pairs, T {TEMPERATURE}": share(
            (one == place for one in first), clusters
        )
        for place, name in named.items()
        if place in first
    }
    behind = (fit and bool(place) for fit, place in zip(fits, first, strict=True))
    return facts | {
        f"a right answer behind a wrong step, {kind} pairs, T {TEMPERATURE}": share(behind, clusters)
    }


def relapses(text: str, pair: Pair) -> bool:
    """Whether a response names the culprit to the person and still holds the help that leads into danger."""
    answer = told(read(text)) or ""
    return pair.rule is not None and pair.rule.thing in things_named(answer) and lures(text, pair.rule)


def said(model: Checkpoint, pairs: list[Pair], temperature: float) -> list[str]:
    """The whole path that each pair gets; greedy at temperature 0."""
    return model.ask([Question(None, p.text, shown(p.scene)) for p in pairs], temperature)


def kind_of(text: str, pair: Pair) -> str:
    """What `response_kind` says of a path, or `broken` where there are not six steps and an answer."""
    found = read(text)
    return response_kind(found, pair.rule) if found.form.whole else "broken"


def cuts(model: Checkpoint, pairs: list[Pair]) -> Facts:
    """How many cuts of good paths have a good and a bad branch among BRANCHES samples, by each kind of pair
    that is there.
    """
    rng = Random(0)
    paths = [good_path(rng, pair) for pair in pairs]
    mixed: list[tuple[int, bool, str]] = []
    for cut in range(6):
        prefixes = [prefix_at(path, cut) for path in paths]
        found = _branches(model, pairs, prefixes)
        mixed += [(cut, len(one) == 2, pair.scene.id) for one, pair in zip(found, pairs, strict=True)]
    risky = [pair.risky for pair in pairs] * 6
    facts: Facts = {}
    for name, wanted in (("risky", (True,)), ("benign", (False,)), ("risky and benign", (True, False))):
        if not {*wanted} <= {*risky}:
            continue
        rows = [row for row, one in zip(mixed, risky, strict=True) if one in wanted]
        facts[f"both kinds of branch, all cuts, {name}"] = _both(rows)
        facts |= {
            f"both kinds of branch at cut {cut}, {name}": _both(row for row in rows if row[0] == cut)
            for cut in range(6 if len(wanted) == 1 else 0)
        }
    return facts


def _both(rows: Iterable[tuple[int, bool, str]]) -> Share:
    found = list(rows)
    return share((mixed for _, mixed, _ in found), [scene for _, _, scene in found])


def _branches(model: Checkpoint, pairs: list[Pair], prefixes: list[str]) -> list[set[bool]]:
    """Which of good and bad occur after each prefix, among branches that are whole paths."""
    questions = [
        Question(None, pair.text, shown(pair.scene), prefix)
        for pair, prefix in zip(pairs, prefixes, strict=True)
        for _ in range(BRANCHES)
    ]
    texts = model.ask(questions, TEMPERATURE)
    whole = [
        kind_of(q.prefix + text, pairs[i // BRANCHES])
        for i, (q, text) in enumerate(zip(questions, texts, strict=True))
    ]
    groups = [whole[i : i + BRANCHES] for i in range(0, len(whole), BRANCHES)]
    right = ["aware" if pair.risky else "other" for pair in pairs]
    return [
        {kind == good for kind in group if kind != "broken"}
        for group, good in zip(groups, right, strict=True)
    ]
