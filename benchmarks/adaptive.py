"""Does the adaptive rule find rare errors, and at what cost? The product's own explorer, a made-up policy.

    .venv/bin/python benchmarks/adaptive.py [--seed 1] [--paths 400]

The policy errs in a given share of its draws, each written in one of several wordings; F is always right. So
what is measured is the rule alone: the share of paths with a pair beside fixed k = 10 in one request, and
tokens for a pair, the judge's counted: fixed k asks in both orders about each distinct branch. Constants were
chosen on seed 0; the table is of another seed. Lengths (in tokens) are a 7B model's on a photo: --prompt,
--step, --judge change them. --alike 0 has every branch judged that may be what lacks, as if no two answers of
a path were alike. All paths are of one kind, so nothing is drawn again with what others spared.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

from ssui_gen.branches import Cut, Judgement
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.calling.calls import Request
from ssui_gen.calling.pictures import Picture, Shown
from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.config import Explore
from ssui_gen.exploring.continuing import Policy
from ssui_gen.exploring.explore import Explorer
from ssui_gen.prompts import home, load_prompt
from ssui_gen.records import STEP_NAMES, ImageRef, Query, ReasoningPath, Step, Verdict, Verdicts
from ssui_gen.shares import Share
from ssui_gen.verifying.verify import Case

RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9)
SECOND_ORDER = 0.13
"""Of a judge's calls, where one order is enough when it is sure: a tenth by lot, and some that are not."""
SAFE = Verdict(label="safe", probability=None, label_mass=None, evidence="seen")
HELP = "Put it on the {0} shelf, {1} side first, and wipe it with a {2} cloth."
WARN = "Please wait: there is a {0} thing here on the {1} side. Better take a {2} one."
WORDS = ("upper", "lower", "left", "right", "soft", "dry", "small", "plain", "clean", "new")


class Lengths(NamedTuple):
    """Tokens."""

    prompt: int
    step: int
    judge: int


class Outcome(NamedTuple):
    """What one way came to."""

    paths: int
    paired: int
    pairs: int
    policy: float
    """Tokens, read and written."""
    judge: float

    def times(self, other: Outcome, what: Callable[[Outcome], float]) -> str:
        """How many times fewer tokens a pair takes than with `other`."""
        if not (self.pairs and other.pairs):
            return "–"
        return f"{what(other) / other.pairs / (what(self) / self.pairs):.1f}"


class Erring:
    """A policy that errs in a share of its draws, and F that knows; counts what both would cost."""

    def __init__(self, rate: float, seed: int, wordings: int, lengths: Lengths) -> None:
        self.rate, self.seed, self.wordings, self.lengths = rate, seed, wordings, lengths
        self.spent: Counter[str] = Counter()

    async def call(self, request: Request) -> tuple[str, Completion]:
        body = request.body
        said = body["messages"][-1]
        cut = said["content"].count("\n") if said["role"] == "assistant" else 0
        rng = Random(f"{self.seed}/{body['seed']}/{body['messages'][1]['content'][1]['text']}")
        texts = [self._branch(rng, cut) for _ in range(body["n"])]
        self.spent["policy"] += self.lengths.prompt + cut * self.lengths.step
        self.spent["policy"] += len(texts) * (7 - cut) * self.lengths.step
        choices = tuple(Choice(text=text, finish_reason="stop") for text in texts)
        return request.id, Completion(model="m", choices=choices, usage=Usage(), seconds=0.0)

    def _branch(self, rng: Random, cut: int) -> str:
        words = [rng.choice(WORDS[: self.wordings]) for _ in range(3)]
        answer = (WARN if rng.random() < self.rate else HELP).format(*words)
        spoken = [Step(name=s.name, text=f"{s.text} {rng.choice(WORDS)}.") for s in STEPS]
        return render_path([*STEPS[:cut], *spoken[cut:]], answer).removeprefix(prefix_at(STEPS, cut))

    async def verify(self, case: Case) -> Judgement:
        self.spent["judged"] += 1
        bad = (case.answer or "").startswith("Please wait")
        return Judgement(polarity="bad" if bad else "good", probability=float(not bad))


STEPS = tuple(Step(name=name, text="One plain sentence about this") for name in STEP_NAMES)


def paths(count: int, seed: int) -> Iterable[ReasoningPath]:
    image = ImageRef(path="a.png", sha256="0" * 64, width=8, height=8)
    for number in range(count):
        query = Query(
            text=f"{seed}/{number}", category="none", scenario="", image_evidence="", text_evidence=""
        )
        yield ReasoningPath(
            id=hashlib.sha1(query.text.encode(), usedforsecurity=False).hexdigest(), seed_id="s",
            kind="benign", twin_of=None, image=image, query=query, steps=STEPS, answer=HELP,
            verdicts=Verdicts(text_only=SAFE, image_only=SAFE, joint=SAFE), reflection=(), made_by=(),
        )  # fmt: skip


async def explored(erring: Erring, settings: Explore, orders: float, count: int) -> Outcome:
    caller: Any = erring
    policy = Policy(caller, "m", load_prompt(home() / "prompts" / "policy.md"), True, False)
    explorer = Explorer(policy, settings, erring.verify, _shown)
    with_pair = [_pairs(await explorer.explore(path)) for path in paths(count, erring.seed)]
    judge = erring.spent["judged"] * orders * erring.lengths.judge
    return Outcome(count, sum(map(bool, with_pair)), sum(with_pair), erring.spent["policy"], judge)


def _pairs(cuts: Iterable[Cut]) -> int:
    return sum(bool(cut.of("good") and cut.of("bad")) for cut in cuts)


def _shown(refs: Iterable[ImageRef]) -> Shown:
    return Shown(tuple(Picture(ref, 1280, lambda sending: {}) for ref in refs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paths", type=int, default=400)
    parser.add_argument("--wordings", type=int, default=3, help="words that an answer draws its three from")
    parser.add_argument("--prompt", type=int, default=1700)
    parser.add_argument("--step", type=int, default=30)
    parser.add_argument("--judge", type=int, default=2200)
    parser.add_argument("--alike", type=float, default=0.9)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    args = parser.parse_args()
    head = "errors | paths with a pair: adaptive | fixed k | ratio | pairs a path: adaptive | fixed k | "
    print(f"| {head}tokens a pair, fixed / adaptive: policy | judge | all |")
    print(f"|{'--:|' * 9}")
    for rate in args.rates:
        ways = ((Explore(alike=args.alike or None), 1 + SECOND_ORDER), (Explore(adaptive=False), 2.0))
        ours, fixed = (
            asyncio.run(explored(_erring(rate, args), how, orders, args.paths)) for how, orders in ways
        )
        print(_row(rate, ours, fixed), flush=True)


def _erring(rate: float, args: argparse.Namespace) -> Erring:
    return Erring(rate, args.seed, args.wordings, Lengths(args.prompt, args.step, args.judge))


def _row(rate: float, ours: Outcome, fixed: Outcome) -> str:
    shares = [Share(one.paired, one.paths) for one in (ours, fixed)]
    cells = [f"{rate:.0%}", *map(str, shares), f"{ours.paired / max(fixed.paired, 1):.2f}"]
    cells += [f"{one.pairs / one.paths:.2f}" for one in (ours, fixed)]
    parts = (lambda o: o.policy), (lambda o: o.judge), (lambda o: o.policy + o.judge)
    cells += [ours.times(fixed, part) for part in parts]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
