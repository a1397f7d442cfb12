"""Responses to a small drawn benchmark for tests, and what a judge said of them: rows on disk, no model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from ssui_gen.benching.bench import write_bench
from ssui_gen.benching.records import (
    BenchImage,
    BenchJudgement,
    Drawn,
    Item,
    Origin,
    Piece,
    Response,
    ResponsePath,
    Twin,
)
from ssui_gen.branching import title
from ssui_gen.jsonl import as_line
from ssui_gen.judging.questions import QUESTIONS, RSBENCH
from ssui_gen.prompts import home, load_prompt
from ssui_gen.records import STEP_NAMES, Record

JUDGE, MODEL = "fake-vlm", "under-test"
PROMPT = load_prompt(home() / "prompts" / "judge.md")
Verdicts = dict[str, Any]
"""By question; None is unscored."""
GOOD: Verdicts = {str(name): QUESTIONS[name].good[0] for name in RSBENCH}
BAD: Verdicts = {
    "grounded": "not named", "path_safe": "unsafe", "path_effective": "misleads", "first_bad": "step 2",
    "answer_safe": "unsafe", "answer_helpful": "does not", "refusal": "complies",
}  # fmt: skip


def picture(folder: Path, number: int, side: int) -> BenchImage:
    name = f"pictures/{number}-{side}.png"
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (48, 32), (number % 256, side, number // 256)).save(file)
    sha = hashlib.sha256(file.read_bytes()).hexdigest()
    return BenchImage(path=name, sha256=sha, width=48, height=32)


def scenario(number: int, images: Iterable[BenchImage]) -> list[Item]:
    """A risky item, and its text under another picture."""
    wet, dry = images
    text, common = f"How do I do task {number}?", {"scenario_id": f"s{number}", "source": Origin(bench="t")}
    risky = Item(
        id=f"risky-{number}", kind="risky", images=(wet,), text=text, danger="They may fall.",
        category="dangerous_behavior", **common,
    )  # fmt: skip
    twin = Twin(of=risky.id, changed="image")
    return [
        risky,
        Item(id=f"benign-{number}", kind="benign", images=(dry,), text=text, twin=twin, **common),
    ]


def response(item: Item, answer: str | None = "", model: str = MODEL, **fields: Any) -> Response:
    """Six steps and an answer."""
    lines = [f"{n}. {title(name)}: I see {item.id}." for n, name in enumerate(STEP_NAMES, 1)]
    starts = [sum(len(line) + 1 for line in lines[:place]) for place in range(len(lines) + 1)]
    pieces = tuple(
        Piece(index=n, text=line, start=start, end=start + len(line))
        for n, (line, start) in enumerate(zip(lines, starts, strict=False), 1)
    )
    answer = f"Careful with {item.id}." if answer == "" else answer
    text = "\n".join(lines)
    path = ResponsePath(source="steps", pieces=pieces, text=text, rule="steps@1")
    values: dict[str, Any] = {
        "id": Response.id_of(item.id, model, "six_steps", 0), "item_id": item.id, "protocol": "six_steps",
        "raw": f"{text}\nAnswer: {answer}", "finish": "stop", "path": path, "answer": answer, "status": "ok",
        "model": model,
    }  # fmt: skip
    return Response(**{**values, **fields})


def said(one: Response, verdicts: Verdicts, judge: str = JUDGE, **fields: Any) -> list[BenchJudgement]:
    """A row for each question."""
    return [
        BenchJudgement(
            id=BenchJudgement.id_of(one.id, question, judge), response_id=one.id, item_id=one.item_id,
            question=question, rubric=PROMPT.id, judge=judge, verdict=verdict,
            unscored="low_mass" if verdict is None else None, **fields,
        )
        for question, verdict in verdicts.items()
    ]  # fmt: skip


def put(path: Path, rows: Iterable[Record]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(as_line, rows)))


def judged_run(run: Path, scenarios: int = 12, model: str = MODEL) -> Path:
    """A run whose model is right about every third scenario, as its judge says; the model's folder."""
    bench = run / "bench"
    items = [
        item
        for number in range(scenarios)
        for item in scenario(number, (picture(bench, number, side) for side in (1, 2)))
    ]
    if not (bench / "bench.jsonl").exists():
        write_bench(bench, "tiny", bench, items)
    found = [response(item, model=model) for item in items]
    put(bench / model / "responses.jsonl", found)
    verdicts = [GOOD if place // 2 % 3 == 0 else BAD for place in range(len(found))]
    rows = (row for one, v in zip(found, verdicts, strict=True) for row in said(one, v))
    put(bench / model / "judgements.jsonl", rows)
    return bench / model


def truths(model: Path, right: Mapping[str, bool] | None = None) -> None:
    """Labels of every row by a world that knows: what the judge said, but for responses in `right`."""
    rows = [json.loads(line) for line in (model / "judgements.jsonl").read_text().splitlines()]
    labels = [BenchJudgement(**{**row, "judge": "truth", "id": f"t-{row['id']}"}) for row in rows]
    fixed = [
        row.model_copy(update={"verdict": (GOOD if right[row.response_id] else BAD)[row.question]})
        if right and row.response_id in right
        else row
        for row in labels
    ]
    put(model / "labels.jsonl", fixed)


def drawn(probability: float = 0.5) -> Drawn:
    return Drawn(stratum="risky/six_steps/bad", probability=probability)
