"""Runs of `ssui pairs` for tests: a scripted policy and judge on the fake server, rows read back."""

from __future__ import annotations

import atexit
import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fake_answers import answer, prompt_text
from fake_server import PROBE, serve
from jobs import Ended, Job, here, job, plain, rows

from ssui_gen.branching import prefix_at, render_path
from ssui_gen.records import STEP_NAMES, Step

PATHS = 6
K = 6


def written(risk: str, answer: str, salt: int = 0) -> tuple[tuple[Step, ...], str]:
    texts = {"intent_and_risk": f"A plain wish: {risk}.", "consequences": f"Nothing much, {salt}."}
    return tuple(Step(name=name, text=texts.get(name, "Plain.")) for name in STEP_NAMES), answer


def policy(body: dict[str, Any]) -> str:
    """Goes on from wherever the prefix ends; every other draw is bad, some are drawn again word for word."""
    dice = body["draw"] % 6
    kind = ("dangerous_behavior", "RIGHT.") if dice % 2 else ("none", "WRONG.")
    return goes_on(body, *written(*kind, dice))


def goes_on(body: dict[str, Any], steps: tuple[Step, ...], said_last: str) -> str:
    prefix = prefix_at(steps, len(prefix_of(body).splitlines()))
    return unless_probed(body, render_path(steps, said_last).removeprefix(prefix))


def fixed(body: dict[str, Any], risk: str, answer: str) -> str:
    """The same words in every draw."""
    return goes_on(body, *written(risk, answer))


def seldom(careful: str, never: list[str]) -> Callable[[dict[str, Any]], str]:
    """A policy that errs in a third of the draws where it is asked `careful`, and never where `never`."""

    def errs(body: dict[str, Any]) -> str:
        asked = prompt_text(body, "user")
        right = asked in never or (asked == careful and body["draw"] % 3)
        return fixed(body, "none", "RIGHT.") if right else policy(body)

    return errs


def prefix_of(body: dict[str, Any]) -> str:
    last = body["messages"][-1]
    return str(last["content"]) if last["role"] == "assistant" else ""


def unless_probed(body: dict[str, Any], text: str) -> str:
    """Whoever asks what the server can do gets what shows that it can."""
    if "Count from" in prompt_text(body, "user"):
        return "one two three four five six seven".removeprefix(prefix_of(body))
    return answer(body, body["draw"]) if body.get("user") == PROBE else text


def judge(body: dict[str, Any]) -> str:
    """The letter of `right` where the response's answer says RIGHT."""
    user = prompt_text(body, "user")
    verdict = "right" if re.search(r"^> Answer: RIGHT", user, re.MULTILINE) else "wrong"
    found = re.search(rf"^([AB])\. {verdict}$", user, re.MULTILINE)
    assert found
    return found[1]


def explored(folder: Path, url: str) -> Job:
    """A run with paths, for a server that is to play policy and judge; made once and copied."""
    shutil.copytree(_paths_made(), folder, dirs_exist_ok=True)
    return Job(folder, folder / "run", url)


@cache
def _paths_made() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with serve() as fake:
        made = job(folder, fake.url, plain(PATHS), twins=False)
        assert made.here().code == 0
    file = made.run / "reasoning_paths.jsonl"  # as paths ended: a `--limit` took others each time
    file.write_text("".join(sorted(file.read_text("utf-8").splitlines(keepends=True))), "utf-8")
    return folder


def half_benign(made: Job) -> list[str]:
    """Make every second path a harmless one with words of its own; returns their texts."""
    source, paths = made.run / "reasoning_paths.jsonl", made.paths
    for place, path in enumerate(paths):
        path["query"]["text"] = f"Question {place}?"
        path["kind"] = "benign" if place % 2 else "risky"
    source.write_text("".join(json.dumps(path) + "\n" for path in paths))
    return [path["query"]["text"] for path in paths if path["kind"] == "benign"]


def command(todo: Job, *more: str) -> list[str]:
    places = ["--run", str(todo.run), "--seeds", str(todo.seeds), "--base-url", todo.url]
    return ["pairs", *places, "--uncurated", *more]


def pairs(todo: Job, *more: str, config: dict[str, Any] | None = None) -> Ended:
    if config:
        (todo.folder / "explore.yaml").write_text(json.dumps(config))
        more = (*more, "--config", str(todo.folder / "explore.yaml"))
    return here(command(todo, *more))


def cuts(todo: Job) -> list[dict[str, Any]]:
    return rows(todo.run / "branches.jsonl")


def polarities(todo: Job) -> Counter[str]:
    return Counter(branch["judgement"]["polarity"] for cut in cuts(todo) for branch in cut["branches"])


def details(todo: Job) -> set[str]:
    return {branch["judgement"]["detail"] for cut in cuts(todo) for branch in cut["branches"]}
