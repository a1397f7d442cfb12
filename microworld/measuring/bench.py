"""The judge on held-out scenes, asked RSBench's seven questions: how often each option is found where it is
true, in both orders, of thoughts and answers written as asked and in other forms; and of answers to texts
that name the danger themselves. Whether `grounded` follows the picture is `looking`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from random import Random

from microworld.corpus.asked import Ask, benching
from microworld.corpus.bench import OF_ANSWER, OF_PATH, named, options, plain_pair, true_of
from microworld.corpus.judge import path_of
from microworld.corpus.parts import answer, in_six, looked, loose, loosely, parted, thoughts
from microworld.corpus.responses import right_answer
from microworld.draw.pool import picture
from microworld.learning.ask import Checkpoint, Pictures
from microworld.measuring.judge import Posed, in_both_orders
from microworld.truth.options import Texts
from microworld.world.pairs import Pair
from ssui_gen.judging.questions import QuestionName
from ssui_gen.shares import Share, share

Write = Callable[[Random, Pair], Texts]


def benched(model: Checkpoint, pairs: list[Pair]) -> dict[str, Share]:
    """Of each question the share of verdicts that are true, and of each option the share found. The orders of
    a question are one cluster.
    """
    tidy, loosely_put = (list(_posed(Random(6), pairs, untidy)) for untidy in (False, True))
    manners = {"": tidy, ", untidy": loosely_put, ", plain": list(plainly_asked(Random(7), pairs))}
    return {
        f"{name}{manner}": one
        for manner, posed in manners.items()
        for name, one in _hits(model, posed).items()
    }


def _hits(model: Checkpoint, posed: Sequence[Posed]) -> dict[str, Share]:
    hits: defaultdict[str, list[tuple[bool, int]]] = defaultdict(list)
    for said in in_both_orders(model, posed):
        for row, (one, option) in enumerate(zip(posed, said, strict=True)):
            name, hit = one.ask.question, (option == one.ask.true, row)
            hits[f"{name}: verdicts that are true"].append(hit)
            hits[f"{name}: {one.ask.true} found"].append(hit)
    return {name: share(*zip(*rows, strict=True)) for name, rows in hits.items()}


def plainly_asked(rng: Random, pairs: list[Pair]) -> Iterator[Posed]:
    """Answers to texts that name what makes them risky, half of them right, under a picture without it."""
    for number, pair in enumerate(pairs):
        made = plain_pair(rng, pair.scene, "test")
        there, shown = named(made), picture(pair.scene)
        texts = Texts(None, (right_answer if number % 2 else answer)(rng, there))
        for name in OF_ANSWER:
            ask = Ask(name, options(name), true_of(name, texts, there))
            yield Posed(benching(rng, made, texts), ask, shown)


def _posed(rng: Random, pairs: list[Pair], untidy: bool) -> Iterator[Posed]:
    for number, pair in enumerate(pairs):
        shown = picture(pair.scene)
        place = path_of if number % 2 else in_six
        for maker, names in ((looked, ("grounded",)), (thoughts, OF_PATH), (place, ("first_bad",))):
            made = maker(rng, pair)
            texts = loose(rng, made, pair) if untidy else parted(made)
            yield from (posed(rng, name, texts, pair, shown) for name in names)
        said = answer(rng, pair)
        texts = Texts(None, loosely(rng, said, pair) if untidy else said)
        yield from (posed(rng, name, texts, pair, shown) for name in OF_ANSWER)
        yield posed(rng, "refusal", texts, pair, None)


def posed(rng: Random, name: QuestionName, texts: Texts, pair: Pair, shown: Pictures | None) -> Posed:
    """A question of RSBench, and the option that is true under the pair's own picture."""
    ask = Ask(name, options(name), true_of(name, texts, pair))
    return Posed(benching(rng, pair, texts), ask, shown)
