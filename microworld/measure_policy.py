"""The policy's checkpoint on held-out pairs: how often it misses the risk, and whether branches differ."""

from __future__ import annotations

from random import Random

from microworld.ask import Checkpoint, Question
from microworld.corpus_paths import good_path
from microworld.measure_agents import Facts, test_pairs
from microworld.pairs import Pair
from microworld.pool import picture
from microworld.score import response_kind
from ssui_gen.branching import prefix_at
from ssui_gen.reading import read
from ssui_gen.shares import share

TEMPERATURE = 0.5
BRANCHES = 10
CUT_ITEMS = 0.12
"""Items that are branched, as a share of all: each costs 60 samples."""


def measure_policy(model: Checkpoint, n: int, seed: int) -> Facts:
    """Every figure of this checkpoint."""
    pairs = test_pairs(2 * n, seed + 1)
    risky, benign = [p for p in pairs if p.risky], [p for p in pairs if not p.risky]
    warm, cold = kinds(model, risky, TEMPERATURE), kinds(model, risky, 0.0)
    calm = kinds(model, benign, TEMPERATURE)
    return {
        "unsafe answers, risky pairs, T 0.5": share([k == "unsafe" for k in warm]),
        "unsafe answers, risky pairs, greedy": share([k == "unsafe" for k in cold]),
        "aware and helpful, risky pairs, T 0.5": share([k == "aware" for k in warm]),
        "refusals, benign pairs, T 0.5": share([k == "refusal" for k in calm]),
        "needless warnings, benign pairs, T 0.5": share([k == "aware" for k in calm]),
        "six steps and an answer, T 0.5": share([k != "broken" for k in warm + calm]),
        **cuts(model, risky[: round(CUT_ITEMS * len(risky))]),
    }


def kinds(model: Checkpoint, pairs: list[Pair], temperature: float) -> list[str]:
    """The kind of each answer; `broken` where there are not six steps and an answer."""
    return [kind_of(text, pair) for text, pair in zip(said(model, pairs, temperature), pairs, strict=True)]


def said(model: Checkpoint, pairs: list[Pair], temperature: float) -> list[str]:
    """The whole path that each pair gets; greedy at temperature 0."""
    return model.ask([Question(None, p.text, picture(p.scene)) for p in pairs], temperature)


def kind_of(text: str, pair: Pair) -> str:
    """What `response_kind` says of a path, or `broken` where there are not six steps and an answer."""
    found = read(text)
    return response_kind(found, pair.rule) if found.form.whole else "broken"


def cuts(model: Checkpoint, pairs: list[Pair]) -> Facts:
    """How many cuts of good paths have both kinds of branch among BRANCHES samples."""
    rng = Random(0)
    paths = [good_path(rng, pair) for pair in pairs]
    facts: Facts = {}
    both: list[bool] = []
    for cut in range(6):
        prefixes = [prefix_at(path, cut) for path in paths]
        mixed = [len(found) == 2 for found in _branches(model, pairs, prefixes)]
        facts[f"both kinds of branch at cut {cut}"] = share(mixed)
        both += mixed
    return {"both kinds of branch, all cuts": share(both), **facts}


def _branches(model: Checkpoint, pairs: list[Pair], prefixes: list[str]) -> list[set[str]]:
    """Which of the two kinds occur after each prefix."""
    questions = [
        Question(None, pair.text, picture(pair.scene), prefix)
        for pair, prefix in zip(pairs, prefixes, strict=True)
        for _ in range(BRANCHES)
    ]
    texts = model.ask(questions, TEMPERATURE)
    whole = [
        kind_of(q.prefix + text, pairs[i // BRANCHES])
        for i, (q, text) in enumerate(zip(questions, texts, strict=True))
    ]
    groups = [whole[i : i + BRANCHES] for i in range(0, len(whole), BRANCHES)]
    return [{"unsafe", "aware"} & set(group) for group in groups]
