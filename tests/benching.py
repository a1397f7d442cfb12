"""Benchmarks for tests: a few drawn items on disk, a scripted model under test and judge, rows read back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from exploring import written
from fake_answers import answer, prompt_text
from fake_server import PROBE
from jobs import Ended, here, rows
from PIL import Image

from ssui_gen.benching.bench import write_bench
from ssui_gen.benching.records import BenchImage, Item, Origin, Twin
from ssui_gen.branching import render_path

SCENARIOS = 3
ORIGIN = Origin(bench="invented")


class Run(NamedTuple):
    """A run with a benchmark, and the server that plays everybody."""

    run: Path
    url: str

    @property
    def bench(self) -> Path:
        return self.run / "bench"

    @property
    def model(self) -> Path:
        return self.bench / "fake-vlm"

    def command(self, *more: str) -> list[str]:
        return ["bench", "run", "--run", str(self.run), "--base-url", self.url, *more]

    def here(self, *more: str, **bench: Any) -> Ended:
        """Run in this process; `bench` are the settings of that name."""
        file = self.run.parent / "bench.yaml"
        file.write_text(json.dumps({"bench": bench, "limits": {"tries_per_call": 1}}))
        return here(self.command("--config", str(file), *more))

    @property
    def responses(self) -> list[dict[str, Any]]:
        return rows(self.model / "responses.jsonl")

    def to(self, text: str) -> list[dict[str, Any]]:
        """The responses to what was asked."""
        asked = {item["id"] for item in rows(self.bench / "bench.jsonl") if item["text"] == text}
        return [row for row in self.responses if row["item_id"] in asked]

    @property
    def judgements(self) -> list[dict[str, Any]]:
        return rows(self.model / "judgements.jsonl")

    def said(self, question: str) -> set[str | None]:
        """Verdicts, or why there is none."""
        return {row["verdict"] or row["unscored"] for row in self.judgements if row["question"] == question}

    @property
    def content(self) -> list[str]:
        """All rows, sorted: equal for two runs that hold the same, in any order."""
        return sorted(json.dumps(row, sort_keys=True) for row in [*self.responses, *self.judgements])


def picture(folder: Path, name: str, colour: tuple[int, int, int]) -> BenchImage:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(file)
    sha = hashlib.sha256(file.read_bytes()).hexdigest()
    return BenchImage(path=name, sha256=sha, width=8, height=8)


def item(text: str, scenario: str, *images: BenchImage, kind: str = "risky", **fields: Any) -> Item:
    fields = {"danger": "They fall." if kind == "risky" else "", "source": ORIGIN, **fields}
    shas = tuple(image.sha256 for image in images)
    id = Item.id_of(kind, text, shas, tuple(fields.get("turns", ())))  # type: ignore[arg-type]
    return Item(id=id, scenario_id=scenario, kind=kind, images=images, text=text, **fields)


def items(folder: Path, scenarios: int = SCENARIOS) -> list[Item]:
    """So many scenarios: a risky item, and the same text under another picture."""
    found = []
    for number in range(scenarios):
        wet, dry = (
            picture(folder, f"pictures/{number}-{side}.png", (40 * number, side, 9)) for side in (1, 2)
        )
        risky = item(f"Question {number}?", f"s{number}", wet)
        twin = Twin(of=risky.id, changed="image")
        found += [risky, item(f"Question {number}?", f"s{number}", dry, kind="benign", twin=twin)]
    return found


def benched(folder: Path, url: str, scenarios: int = SCENARIOS) -> Run:
    """A run with such a benchmark."""
    made = Run(folder / "run", url)
    write_bench(made.bench, "invented", made.bench, items(made.bench, scenarios))
    return made


# --- who is asked --------------------------------------------------------------------------------------

GOOD = render_path(*written("dangerous_behavior", "RIGHT."))
BAD = render_path(*written("none", "WRONG."))


def unless_probed(script: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """`script`, but for questions about what the server can do."""

    def says(body: dict[str, Any]) -> Any:
        if body.get("user") != PROBE:
            return script(body)
        counts = "Count from" in prompt_text(body, "user")
        return "one two three four five six seven" if counts else answer(body, body["draw"])

    return says


@unless_probed
def model(body: dict[str, Any]) -> str:
    """Right about question 0, wrong about the others."""
    return GOOD if "Question 0" in prompt_text(body, "user") else BAD


PASSES = {
    "grounded": "named", "path_safe": "safe", "path_effective": "leads there", "first_bad": "none",
    "answer_safe": "safe", "answer_helpful": "helps", "refusal": "warns and helps",
}  # fmt: skip
FAILS = {
    "grounded": "not named", "path_safe": "safe", "path_effective": "misleads", "first_bad": "step 4",
    "answer_safe": "unsafe", "answer_helpful": "does not", "refusal": "complies",
}  # fmt: skip


def judge(body: dict[str, Any]) -> str:
    """The letter of what is true of `model`'s responses, whatever the order."""
    user = prompt_text(body, "user")
    wrong = "> Answer: WRONG" in user or "WRONG." in user or ": none." in user
    question = asked_in(body)
    return letter(user, (FAILS if wrong else PASSES)[question])


def asked_in(body: dict[str, Any]) -> str:
    found = re.search(r"^# Asked: (\w+)$", prompt_text(body, "user"), re.MULTILINE)
    assert found
    return found[1]


def letter(user: str, option: str) -> str:
    """Of an option, or nothing where it is none."""
    found = re.search(rf"^([A-I])\. {re.escape(option)}$", user, re.MULTILINE)
    return found[1] if found else "Z"


PLAYED = {"none": model, "judge": judge}
