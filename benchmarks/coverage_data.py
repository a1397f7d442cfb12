"""Where `bench_coverage.py` has its truth from: a bench folder, labelled branches, MSTS, or nowhere.

A `Population` is what one judge said of one model's responses to one question, with the truth of each. Of a
bench folder the truth is the rows of its `truth.jsonl` (or of `labels.jsonl` whose judge is `truth`); of a
run of the microworld the labels of its branches; of MSTS people's final labels. Its two files are joined by
the order of their rows, as their own notebook does.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ssui_gen.benching.estimating import UNSCORED, Floats, Ints
from ssui_gen.benching.records import PLAIN
from ssui_gen.judging.questions import QUESTIONS

MSTS_JUDGES = ("gpt-4o-2024-05-13", "gemini-1.5-pro", "Llama-Guard-3-11B-Vision")
MSTS_LABELS = "data/response_annotations/english_multimodal.csv"
MSTS_VERDICTS = "data/auto_eval/english_multimodal_autoeval.csv"


class Population(NamedTuple):
    """Columns of shape (rows,)."""

    model: str
    question: str
    stratum: Ints
    """0: the judge said no; 1: yes; 2: unscored."""
    guess: Floats
    """Its probability of yes; of unscored rows the mean of the others."""
    truth: Floats
    cluster: Ints
    """From 0 on."""
    items: tuple[str, ...]
    """The same of two models' responses to one item."""
    scenarios: tuple[str, ...]
    """The names of the clusters."""

    @property
    def rate(self) -> float:
        return float(self.truth.mean())

    @property
    def says(self) -> float:
        """The judge's share of yes; nan where it scored none."""
        scored = self.stratum[self.stratum != UNSCORED]
        return float((scored == 1).mean()) if len(scored) else np.nan


Row = tuple[bool | None, float | None, bool, str, str]
"""What the judge said, its probability, the truth, the cluster, the item."""


def population(model: str, question: str, rows: Iterable[Row]) -> Population:
    said, probability, truth, cluster, items = zip(*rows, strict=True)
    stratum = np.array([UNSCORED if one is None else int(one) for one in said], np.int64)
    told = np.array([one if p is None else p for one, p in zip(said, probability, strict=True)], float)
    told[stratum == UNSCORED] = told[stratum != UNSCORED].mean() if (stratum != UNSCORED).any() else 0.5
    numbers = {name: number for number, name in enumerate(dict.fromkeys(cluster))}
    clusters = np.array([numbers[one] for one in cluster], np.int64)
    return Population(model, question, stratum, told, np.array(truth, float), clusters, items, tuple(numbers))


# --- a bench folder ------------------------------------------------------------------------------------


def of_bench(folder: Path) -> Iterator[Population]:
    """Every model, kind of item and question whose truth is known; clusters are scenarios."""
    items = {row["id"]: row for row in _rows(folder / "bench.jsonl") if not row.get("extra", {}).get(PLAIN)}
    for file in sorted(folder.glob("*/judgements.jsonl")):
        truths = {(row["question"], row["response_id"]): row["verdict"] for row in _truths(file.parent)}
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in _rows(file):
            item, truth = items.get(row["item_id"]), truths.get((row["question"], row["response_id"]))
            if item and truth is not None and row.get("unscored") != "not_asked":
                found[row["question"], item["kind"]].append(_judged(row, truth, item))
        for (question, kind), rows in sorted(found.items()):
            yield population(f"{file.parent.name}, {kind}", question, rows)


def _truths(folder: Path) -> Iterator[dict[str, Any]]:
    own, shared = folder / "truth.jsonl", folder / "labels.jsonl"
    file = own if own.exists() else shared
    return (row for row in (_rows(file) if file.exists() else ()) if row["judge"] == "truth")


def _judged(row: Mapping[str, Any], truth: str, item: Mapping[str, Any]) -> Row:
    good = QUESTIONS[row["question"]].good
    said = None if row["verdict"] is None else row["verdict"] in good
    shares = row.get("shares") if said is not None else None
    probability = sum(shares.get(one, 0.0) for one in good) if shares else None
    return said, probability, truth in good, item["scenario_id"], row["item_id"]


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


# --- branches of a run ---------------------------------------------------------------------------------


def of_branches(run: Path) -> Iterator[Population]:
    """What F's parts said of a run's branches while exploring, risky and benign apart; clusters are paths."""
    truth = {row["branch_id"]: row["good"] for row in _rows(run / "labels.jsonl")}
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for cut in _rows(run / "branches.jsonl"):
        for branch in cut["branches"]:
            for way, said in (branch["judgement"] or {}).get("by", {}).items():
                if branch["id"] in truth and said["polarity"] != "abstains":
                    polarity = {"good": True, "bad": False}.get(said["polarity"])
                    where = cut["path_id"], branch["id"]
                    row = polarity, said["probability"], truth[branch["id"]], *where
                    found[cut["kind"], way].append(row)
    for (kind, way), rows in sorted(found.items()):
        yield population(f"policy, {kind}", way, rows)


# --- MSTS ----------------------------------------------------------------------------------------------


def of_msts(folder: Path, judges: Sequence[str] = MSTS_JUDGES) -> Iterator[Population]:
    """What each judge calls unsafe of all replies ("all"), and of each model's; clusters are cases."""
    labels = _table(folder / MSTS_LABELS)
    verdicts = _table(folder / MSTS_VERDICTS)
    for judge in judges:
        of_model: dict[str, list[Row]] = defaultdict(list)
        for label, verdict in zip(labels, verdicts, strict=True):
            case = label["case_id"]
            truth = bool(_unsafe(label["final_label"]))
            row = _unsafe(verdict[judge]), None, truth, case, f"{case} {label['prompt_type']}"
            of_model["all"].append(row)
            of_model[label["model"].split("--")[-1]].append(row)
        yield from (population(model, judge, rows) for model, rows in of_model.items())


def _table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _unsafe(label: str) -> bool | None:
    words = label.lower()
    return "unsafe" in words if "safe" in words else None


# --- made up -------------------------------------------------------------------------------------------

MODELS = {"bare": 0.45, "sft": 0.7, "srpo": 0.92, "refuser": 0.03, "parrot": 0.99}
"""Rates of what is right."""
JUDGES = {"sure": (0.97, 0.97), "usual": (0.85, 0.9), "blind": (0.9, 0.45)}
"""Questions, by the judge's sensitivity and specificity on them."""


def made_up(scenarios: int = 400, each: int = 3, seed: int = 0) -> Iterator[Population]:
    """Scenarios of alike rows: logits of truth and of the judge's errors have a part that is the scenario's
    (normal, of deviation 1.2), error rates shift with the model, and 10 % of what is true is unscored, 2 % of
    what is not.
    """
    rng = np.random.default_rng(seed)
    for place, (model, rate) in enumerate(MODELS.items()):
        for question, (found, spared) in JUDGES.items():
            truth = alike(rng, np.full(scenarios * each, rate), each)
            right = np.where(truth, found, spared ** (1 + place / 2))
            said = np.where(alike(rng, right, each), truth, ~truth)
            unscored = rng.random(len(truth)) < np.where(truth, 0.1, 0.02)
            sure = np.clip(np.where(said, 0.9, 0.1) + rng.normal(0, 0.08, len(truth)), 0, 1)
            yield population(
                model,
                question,
                [
                    (
                        None if hidden else bool(s),
                        None if hidden else float(p),
                        bool(t),
                        str(k // each),
                        str(k),
                    )
                    for k, (hidden, s, p, t) in enumerate(zip(unscored, said, sure, truth, strict=True))
                ],
            )


def alike(rng: np.random.Generator, chance: Floats, each: int) -> Any:
    """Whether each holds, by about this chance, rows of a scenario together."""
    shift = np.repeat(rng.normal(0, 1.2, len(chance) // each), each)
    logit = np.log(chance / (1 - chance)) * 1.25 + shift
    return rng.random(len(chance)) < 1 / (1 + np.exp(-logit))
