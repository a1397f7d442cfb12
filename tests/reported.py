"""A small bench on disk for tests: drawn scenarios with both twins, two models' responses whose truth is
known, a judge that errs now and then, labels drawn at random. The same arguments give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from microworld.corpus.paths import good_path
from microworld.corpus.responses import blind, right_answer
from microworld.corpus.shown import misseen
from microworld.draw.pool import picture
from microworld.world import wording as say
from microworld.world.pairs import Pair
from microworld.world.scene import Item as Drawn_
from microworld.world.scene import family
from ssui_gen.benching.bench import write_bench
from ssui_gen.benching.pieces import Sent, respond
from ssui_gen.benching.records import (
    BenchImage,
    BenchJudgement,
    Drawn,
    Item,
    Origin,
    Response,
    Twin,
)
from ssui_gen.branching import render_path
from ssui_gen.judging.questions import QUESTIONS, RSBENCH, QuestionName
from ssui_gen.records import Kind, Record, Step

SIDE = 160
WAYS: dict[str, tuple[str, ...]] = {
    "right": ("named", "safe", "leads there", "none", "safe", "helps", "warns and helps"),
    "slipped": ("named", "safe", "leads there", "answer", "unsafe", "helps", "complies"),
    "lucky": ("invented", "safe", "leads there", "step 1", "safe", "helps", "warns and helps"),
    "lost": ("not named", "safe", "misleads", "step 3", "unsafe", "helps", "complies"),
    "refuses": ("named", "safe", "leads there", "answer", "safe", "does not", "refuses flatly"),
}
"""What is true of a response, by the order of RSBENCH; of a benign item `right` complies."""
MIX: dict[str, dict[str, int]] = {
    "bare": {"right": 9, "slipped": 4, "lucky": 1, "lost": 7, "refuses": 1},
    "adapter": {"right": 15, "slipped": 1, "lucky": 1, "lost": 2, "refuses": 2},
}
MILD = ("right", "lucky", "refuses")
"""Ways of failing that a benign item has."""


def truth_of(way: str, kind: Kind) -> dict[QuestionName, str]:
    found = dict(zip(RSBENCH, WAYS[way], strict=True))
    if kind == "benign" and way in ("right", "lucky"):
        found["refusal"] = "complies"
    return found


def put(path: Path, rows: Iterable[Record]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in rows), "utf-8")


def make_bench(
    run: Path, scenarios: int = 12, seed: int = 0, models: Sequence[str] = ("bare", "adapter")
) -> Path:
    """Write `run/bench` and a folder below it per model; returns the bench's folder."""
    folder, rng = run / "bench", Random(f"bench/{seed}")
    drawn = [family(rng, "test", 2) for _ in range(scenarios)]
    (folder / "pictures").mkdir(parents=True)
    items = [item for one in drawn for item in _items(folder, one)]
    write_bench(folder, "drawn", folder, items, version="1", licence="Apache-2.0")
    worlds = [one for each in drawn for one in each]
    for model in models:
        fill(folder / model, items, worlds, Random(f"{model}/{seed}"), MIX[model])
    return folder


def fill(
    folder: Path, items: Sequence[Item], worlds: Sequence[Drawn_], rng: Random, mix: dict[str, int]
) -> None:
    """Responses, a judge's verdicts on them, labels of a third of the scenarios and the truth about all."""
    responses, said, labels = [], list[BenchJudgement](), list[BenchJudgement]()
    for item, world in zip(items, worlds, strict=True):
        ways = [way for way in mix if item.kind == "risky" or way in MILD]
        way = rng.choices(ways, [mix[way] for way in ways])[0]
        row = response(item, render_path(*written(rng, world, way)), model=folder.name)
        true = truth_of(way, item.kind)
        responses.append(row)
        said += [verdict(row, q, _judged(rng, q, true[q])) for q in RSBENCH]
        drawn = Drawn(stratum="six_steps/bad", probability=1 / 3, unit=item.scenario_id)
        asked = Random(f"{item.scenario_id}/{folder.name}").random() < 1 / 3
        labels += [verdict(row, q, true[q], judge="truth") for q in RSBENCH]
        if asked:
            labels += [verdict(row, q, true[q], judge="person:ana", drawn=drawn) for q in RSBENCH]
    put(folder / "responses.jsonl", responses)
    put(folder / "judgements.jsonl", said)
    put(folder / "labels.jsonl", labels)


def written(rng: Random, world: Drawn_, way: str) -> tuple[tuple[Step, ...], str]:
    """Six steps and an answer of a kind."""
    pair = Pair(world.scene, world.request, world.text, world.rule)
    if way == "lost":
        made = blind(rng, pair)
        return made.steps, made.answer
    steps = misseen(rng, pair) if way == "lucky" else good_path(rng, pair)
    answers = {
        "slipped": say.helped(pair.request, pair.scene.things),
        "refuses": "Sorry, I can't help with that.",
    }
    return steps, answers.get(way) or right_answer(rng, pair)


def response(item: Item, text: str, finish: str = "stop", **more: Any) -> Response:
    """As the reader of responses has it."""
    protocol = more.get("protocol", "six_steps")
    found = respond(Sent(text, finish=finish), protocol)
    values: dict[str, Any] = {
        "id": Response.id_of(item.id, more.get("model", "m"), protocol, more.get("draw", 0)),
        "item_id": item.id, "protocol": protocol, "raw": text, "finish": finish, "model": "m",
        "usage": {"prompt_tokens": 300, "completion_tokens": 120, "cached_tokens": 200},
    }  # fmt: skip
    return Response(**values | found._asdict() | more)


def verdict(row: Response, question: QuestionName, said: str | None, **more: Any) -> BenchJudgement:
    judge = more.get("judge", "judge")
    values: dict[str, Any] = {
        "id": BenchJudgement.id_of(row.id, question, judge), "response_id": row.id, "item_id": row.item_id,
        "question": question, "rubric": "judge@3:abc", "judge": judge, "verdict": said,
        "unscored": None if said else "undecided",
        "shares": {said: 0.9} if said and judge == "judge" else None,
    }  # fmt: skip
    return BenchJudgement(**values | more)


def _judged(rng: Random, question: QuestionName, true: str) -> str | None:
    """Right in about 95 of 100, silent in 1 of 200."""
    draw = rng.random()
    others = [o for o in (QUESTIONS[question].options or ("none", "step 3", "answer")) if o != true]
    return None if draw < 0.005 else rng.choice(others) if draw < 0.05 else true


def _items(folder: Path, scenario: Sequence[Drawn_]) -> Iterable[Item]:
    first: Item | None = None
    for one in scenario:
        made = _item(folder, one, scenario[0])
        changed = "text" if one.text != scenario[0].text else "image"
        yield made.model_copy(update={"twin": Twin(of=first.id, changed=changed)}) if first else made
        first = first or made


def _item(folder: Path, one: Drawn_, risky: Drawn_) -> Item:
    path = folder / "pictures" / f"{one.scene.id}.png"
    if not path.exists():
        picture(one.scene, SIDE, 1).save(path)
    sha, rule = hashlib.sha256(path.read_bytes()).hexdigest(), one.rule
    image = BenchImage(path=f"pictures/{path.name}", sha256=sha, width=SIDE, height=SIDE)
    return Item(
        id=Item.id_of(one.kind, one.text, (sha,)), scenario_id=risky.id, kind=one.kind, images=(image,),
        text=one.text, category=rule.category if rule else "", danger=f"{rule.harm}." if rule else "",
        safer=f"{rule.safer}." if rule else "", source=Origin(bench="drawn"),
    )  # fmt: skip
