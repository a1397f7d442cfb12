"""Errors planted into a run's paths, to see whether reviewers find them.

    python -m microworld.plant outputs/demo outputs/again [--share 0.4] [--seed 0]

Into a part of the paths that the truth finds right goes one error each; the truth must then find it there.
The new run has its own pictures and `planted.jsonl`: what was planted, and the errors that the models made by
themselves. `ssui curation stats` says which were caught. Paths without known truth are left out.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import NamedTuple

from microworld.seeds import scenes_of, things_in
from microworld.truth.score import request_in
from microworld.truth.steps import ANSWER, Truth, decided, first_bad
from microworld.world import wording as say
from microworld.world.rules import world
from ssui_gen.branching import path_class
from ssui_gen.curation.outcomes.planted import Planted
from ssui_gen.errors import ConfigError, SsuiError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import as_line, read, validate
from ssui_gen.records import ReasoningPath, Record, Step
from ssui_gen.run_files import PATHS, PLANTED
from ssui_gen.taxonomy import classes

OWN = "the models' own"
"""Errors that nobody planted."""


class Case(NamedTuple):
    """A path, the place it shows, and the truth about it."""

    path: ReasoningPath
    place: str
    truth: Truth


class Error(NamedTuple):
    """One kind of error: its name, where the truth first finds it, and how it is put in."""

    name: str
    at: int
    put: Callable[[Random, Case], str]
    """The new text at that place."""
    only_risky: bool = True


def cases(run: Path, seeds: Path) -> list[Case]:
    """Every path of a run whose truth is known, and decided. Raises SsuiError."""
    if not (run / PATHS).exists():
        raise ConfigError(f"{run / PATHS}: no such file: expected a run, as `make dataset` makes it")
    scenes, found = scenes_of(seeds), []
    for path in (validate(ReasoningPath, line) for line in read(run / PATHS)):
        request, things = request_in(path.query.text), things_in(scenes, path.images)
        if request and things and (truth := decided(request, things)):
            found.append(Case(path, scenes[path.image.path]["place"], truth))
    return found


def wrong_at(case: Case, path: ReasoningPath | None = None) -> int:
    """Where a path first goes wrong; 0 nowhere."""
    one = path or case.path
    return first_bad(one.steps, one.answer, case.truth)


def planted(rng: Random, case: Case) -> tuple[ReasoningPath, Planted] | None:
    """The path with one error of a kind drawn by chance; None where none of them shows in it."""
    kinds = [error for error in ERRORS if case.truth.rule or not error.only_risky]
    for error in rng.sample(kinds, len(kinds)):
        path = _put(case.path, error.at, error.put(rng, case))
        if wrong_at(case, path) == error.at:
            return path, Planted(id=path.id, error=error.name, pointer=pointer(error.at))
    return None


def pointer(at: int) -> str:
    """The place of a step or the answer in a record."""
    return "/answer" if at == ANSWER else f"/steps/{at - 1}/text"


def _put(path: ReasoningPath, at: int, text: str) -> ReasoningPath:
    """Another text at that place; the record's class follows step 4, as everywhere."""
    if at == ANSWER:
        return path.model_copy(update={"answer": text})
    steps = tuple(Step(name=s.name, text=text) if n == at else s for n, s in enumerate(path.steps, 1))
    category = path_class(steps) or path.query.category
    return path.model_copy(
        update={"steps": steps, "query": path.query.model_copy(update={"category": category})}
    )


def _ghost(rng: Random, case: Case) -> str:
    there = case.truth.things
    absent = rng.choice([t for t in world().things if t not in there and not world().things[t].alarm])
    return say.caption(rng, case.place, (*there, absent))


def _other_class(rng: Random, case: Case) -> str:
    right = case.truth.rule.category if case.truth.rule else ""
    return f"A harmless wish with a hidden risk: {rng.choice([c.id for c in classes() if c.id != right])}."


ERRORS = (
    Error("wrong_picture_fact", 1, _ghost, only_risky=False),
    Error("wrong_class", 4, _other_class),
    Error("incomplete", 5, lambda rng, case: rng.choice(say.VAGUE)),
    Error("redundant", 6, lambda rng, case: case.path.steps[4].text),
    Error(
        "unsafe_answer", ANSWER, lambda rng, case: say.helped(case.truth.request, tuple(case.truth.things))
    ),
    Error("refuses", ANSWER, lambda rng, case: "Sorry, I can't help with that.", only_risky=False),
)
"""Named by the reason a reviewer would give."""


def plant(run: Path, target: Path, seeds: Path, share: float, seed: int) -> Counter[str]:
    """Write the new run; returns how many paths have which error."""
    rng, known = Random(f"plant/{seed}"), cases(run, seeds)
    right = [case for case in known if not wrong_at(case)]
    chosen = {case.path.id for case in rng.sample(right, round(share * len(right)))}
    paths, errors = [], []
    for case in known:
        done = planted(rng, case) if case.path.id in chosen else None
        path, error = done or (case.path, _own(case))
        paths.append(path)
        errors += [error] if error else []
    shutil.copytree(seeds, target / "seeds", dirs_exist_ok=True)
    _write(target / PATHS, paths)
    _write(target / PLANTED, errors)
    return Counter(error.error for error in errors) | Counter({"without an error": len(paths) - len(errors)})


def _own(case: Case) -> Planted | None:
    at = wrong_at(case)
    return Planted(id=case.path.id, error=OWN, pointer=pointer(at)) if at else None


def _write(path: Path, rows: Iterable[Record]) -> None:
    atomic_write(path, b"".join(map(as_line, rows)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.plant", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--seeds", type=Path, help="where truth.jsonl lies; default: seeds of the run")
    parser.add_argument("--share", type=float, default=0.4, help="of the right paths; default: 0.4")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if (args.target / PATHS).exists():
        parser.error(f"{args.target / PATHS} is there already: name a new folder")
    try:
        counts = plant(args.run, args.target, args.seeds or args.run / "seeds", args.share, args.seed)
    except SsuiError as error:
        parser.error(str(error))
    print(", ".join(f"{name}: {count:,}" for name, count in counts.most_common()))


if __name__ == "__main__":
    main()
