"""A small run's folder written by hand: pictures, paths, branches with their token ids, pairs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_families import tiny
from trees import picture

from ssui_gen.branches import Branch, Cut, Judgement, Pair
from ssui_gen.branching import prefix_at
from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.explored import cut_id
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.prompts import home, load_prompt, policy_prompt
from ssui_gen.records import (
    STEP_NAMES,
    ImageRef,
    Query,
    ReasoningPath,
    Step,
    Verdict,
    Verdicts,
    row_id,
)
from ssui_train.config import SrpoConfig
from ssui_train.data import Reader
from ssui_train.encode import Encoder
from ssui_train.loaded import Loaded
from ssui_train.source import Source

PROMPT = load_prompt(home() / "prompts" / "policy.md")
SAFE = Verdict(label="safe", probability=None, label_mass=None, evidence="seen")
WORDS = ("the kettle is here", "they want tea", "both meet", "they overlook it: none", "it burns", "say so")


def steps(number: int) -> tuple[Step, ...]:
    return tuple(Step(name=n, text=f"{w} {number}") for n, w in zip(STEP_NAMES, WORDS, strict=True))


def path_of(number: int, image: ImageRef) -> ReasoningPath:
    query = Query(text=f"what now {number}?", category="dangerous_behavior", scenario="", image_evidence="",
                  text_evidence="")  # fmt: skip
    verdicts = Verdicts(text_only=SAFE, image_only=SAFE, joint=SAFE)
    return ReasoningPath(
        id=f"path{number}", seed_id=f"seed{number // 2}", kind="risky", twin_of=None, image=image,
        query=query, steps=steps(number), answer=f"Careful: move the kettle {number}.", verdicts=verdicts,
        reflection=(), made_by=(),
    )  # fmt: skip


def branch(path: ReasoningPath, cut: int, good: bool, which: int = 0) -> Branch:
    """Goes on like the reference, a little otherwise, to a good or a bad end."""
    left = path.steps[cut:]
    lines = [
        f"{cut + i + 1}. {s.name.replace('_', ' ').capitalize()}: {s.text} {which}"
        for i, s in enumerate(left)
    ]
    end = "Answer: Careful, move it." if good else "Answer: Sure, just go on."
    text = "\n".join([*lines, end])
    judgement = Judgement(polarity="good" if good else "bad", probability=0.9 if good else 0.1)
    return Branch(id=row_id(path.id, str(cut), text), text=text, finish="stop", judgement=judgement)


def cut_of(path: ReasoningPath, cut: int) -> Cut:
    branches = (branch(path, cut, True), branch(path, cut, False, 1))
    return Cut(
        id=cut_id(path, cut), path_id=path.id, kind=path.kind, cut=cut,
        prefix=prefix_at(path.steps, cut), image=path.image,
        query=path.query.text, branches=branches, draws=2, made_by=(),
    )  # fmt: skip


def write_run(folder: Path, paths: int = 3, cuts: tuple[int, ...] = (0, 2, 5)) -> Path:
    """A run of so many paths, each with a pair at every one of these cuts."""
    pictures = folder / "seeds" / "pictures"
    pictures.mkdir(parents=True)
    made = []
    for number in range(paths):
        file = pictures / f"{number}.png"
        picture(number, side=48).save(file)
        sha = hashlib.sha256(file.read_bytes()).hexdigest()
        ref = ImageRef(path=f"pictures/{number}.png", sha256=sha, width=48, height=48)
        made.append(path_of(number, ref))
    rows = {path.id: [cut_of(path, cut) for cut in cuts] for path in made}
    system, _ = policy_prompt(PROMPT, "")
    pairs = [pair for path in made for pair in pair_up(rows[path.id], Pairing(), system)]
    _write(folder / "reasoning_paths.jsonl", made)
    _write(folder / "branches.jsonl", [cut for path in made for cut in rows[path.id]])
    _write(folder / "pairs.jsonl", pairs)
    edition = {"prompts": {"policy": PROMPT.id}, "cards": {}, "models": {"policy": "tiny"}}
    (folder / "pairs.json").write_text(json.dumps({"editions": [{"edition": edition}]}))
    return folder


def _write(file: Path, rows: list[Any]) -> None:
    file.write_text("".join(row.model_dump_json() + "\n" for row in rows))


def change(file: Path, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Rewrite the rows of a file."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in edit(rows)))


def pairs_of(run: Path) -> list[Pair]:
    return [Pair.model_validate_json(line) for line in (run / "pairs.jsonl").read_text().splitlines()]


def tiny_encoder(family: str = "llava") -> Encoder:
    model, processor = tiny(family)
    return Encoder(processor, model)


def loaded(run: Path, encoder: Encoder, **settings: Any) -> Loaded:
    """The examples of a run, under these settings of training."""
    config = SrpoConfig.model_validate({"model": "tiny", "run": run, **settings})
    return Reader(Source(config), encoder).load()
