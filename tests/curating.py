"""Records to be curated, for tests: small paths with texts of their own, and what people say of them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from jobs import SSUI, Ended
from PIL import Image

from ssui_gen.cli import main
from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.texts import sha_of
from ssui_gen.curation.lines.review import Review, blank
from ssui_gen.records import (
    STEP_NAMES,
    ImageRef,
    Query,
    ReasoningPath,
    ReflectionRound,
    Step,
    Verdict,
    Verdicts,
)

SURE = Verdict(label="safe", probability=1.0, label_mass=1.0, evidence="Plain to see.")
ROUND = ReflectionRound(
    decision="accept", redundancy="none", completeness="none", faithfulness="none", advice="none"
)


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (96, 64), (200, 90, 40)).save(buffer, "png")
    return buffer.getvalue()


PICTURE = _png()


def record(id: str, kind: str = "risky", **texts: Any) -> ReasoningPath:
    """A path whose texts all tell its id; `texts` are steps by name, or fields of the record."""
    category = "dangerous_behavior" if kind == "risky" else "none"
    said = {name: f"What {name} says of {id}." for name in STEP_NAMES}
    said["intent_and_risk"] = f"They overlook it in {id}: {category}."
    said |= {name: texts.pop(name) for name in STEP_NAMES if name in texts}
    question = texts.pop("question", f"How do I do {id}?")
    values = {
        "id": id, "seed_id": f"seed-{id}", "kind": kind, "twin_of": None,
        "image": ImageRef(path="a.png", sha256=hashlib.sha256(PICTURE).hexdigest(), width=96, height=64),
        "query": Query(text=question, category=category, scenario=f"Harm of {id}.",
                       image_evidence="i", text_evidence="t"),
        "steps": tuple(Step(name=name, text=text) for name, text in said.items()),
        "answer": f"Careful with {id}.", "verdicts": Verdicts(text_only=SURE, image_only=SURE, joint=SURE),
        "reflection": (ROUND,), "made_by": (),
    }  # fmt: skip
    return ReasoningPath(**{**values, **texts})


def a_run(folder: Path, paths: Iterable[ReasoningPath]) -> Path:
    """A run's folder with these paths, and a picture for all of them below `seeds`."""
    (folder / "seeds").mkdir(parents=True, exist_ok=True)
    (folder / "seeds" / "seeds.jsonl").touch()
    (folder / "seeds" / "a.png").write_bytes(PICTURE)
    put_paths(folder, paths)
    return folder


def exported(folder: Path, paths: Iterable[ReasoningPath], name: str = "ana") -> Path:
    """Such a run, exported for a person."""
    made = a_run(folder, paths)
    assert curation(made, "export", "--as", name).code == 0
    return made


def put_paths(run: Path, paths: Iterable[ReasoningPath]) -> None:
    rows = "".join(path.model_dump_json() + "\n" for path in paths)
    (run / "reasoning_paths.jsonl").write_text(rows, "utf-8")


def curation(run: Path, order: str, *more: str) -> Ended:
    """`ssui curation` in this process."""
    return ssui("curation", order, "--run", str(run), *more)


def on_a_wide_screen(run: Path, order: str) -> str:
    """What `ssui curation` prints where no table has to be broken."""
    command = [SSUI, "curation", order, "--run", run]
    env = {**os.environ, "COLUMNS": "180"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout


def ssui(*arguments: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
        main(arguments)
    assert isinstance(end.value.code, int)
    return Ended(end.value.code, out.getvalue(), err.getvalue())


def say(run: Path, name: str, **words: dict[str, Any]) -> None:
    """Write into a person's file, as an editor would: by id, the fields to be changed."""
    path = run / "curation" / f"{name}.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    path.write_text("".join(json.dumps(row | words.get(row["id"], {})) + "\n" for row in rows), "utf-8")


def item(path: ReasoningPath) -> Item:
    return Item(id=path.id, sha=sha_of(path), risk=0.0, why=(), of=path)


def review(path: ReasoningPath, decision: str | None = "keep", **words: Any) -> Review:
    """What a person says of this very record."""
    line = blank(PATHS, path.id, sha_of(path))
    return line.model_copy(update={"decision": decision, **words})


def cells_of(line: str) -> list[str]:
    """Of a row of a printed table."""
    return [cell.strip() for cell in re.split(r"│|\s{2,}", line) if cell.strip()]
