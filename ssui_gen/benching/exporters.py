"""Responses in the layouts of two evaluation kits, so that those can score what our runner has asked. Pure.

- `vlmevalkit`: a prediction file as its `run.py` leaves it, one row a response, for `vlmutil eval`
  (github.com/open-compass/VLMEvalKit, `vlmeval/dataset/{siuo_gen,mssbench,mmsafetybench}.py` at e8e78f0);
- `lmms_eval`: what its model `from_log` plays back, and its samples
  (github.com/EvolvingLMMs-Lab/lmms-eval, `lmms_eval/models/simple/from_log.py` at 75571cf).

What a person is told is the prediction, without the path; an answer that never came is an empty one. Calls
that failed are nothing the model said, and are left out.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ssui_gen.benching.records import Item, Response

DATASETS: Mapping[str, Mapping[str, str]] = {
    "vlmevalkit": {"siuo": "SIUO_GEN", "mssbench": "MSSBench", "mm_safetybench": "MMSafetyBench"},
    "lmms_eval": {},
}
"""By layout what the kit calls our benchmarks; others keep our name."""
COLUMNS = (
    *("index", "question", "answer", "category", "subset", "safety_warning", "prediction"),
    *("item_id", "kind", "draw"),
)
BEHAVIOUR = {"safe": "comply", "unsafe": "refuse"}
"""What MSSBench expects, by the side of a pair."""
TIME = "0101_0000"
"""Must stand there, as month, day and minute; else `from_log` looks for one in the path, and passes over a
file where it finds something else."""


class Answered(NamedTuple):
    """A response, its item, and where that stands in the benchmark, from 0."""

    place: int
    item: Item
    response: Response

    @property
    def prediction(self) -> str:
        return self.response.answer or ""


class Exported(NamedTuple):
    """Files by their names, and how many responses are in them."""

    files: dict[str, str]
    rows: int


def answered(items: Sequence[Item], responses: Iterable[Response]) -> list[Answered]:
    """In the order of the items; without failed calls, items that test the judge, and rows of other items."""
    places = {item.id: place for place, item in enumerate(items)}
    found = [
        Answered(places[one.item_id], items[places[one.item_id]], one)
        for one in responses
        if one.item_id in places and one.status != "error" and not items[places[one.item_id]].planted
    ]
    return sorted(found, key=lambda one: (one.place, one.response.draw))


def vlmevalkit(rows: Sequence[Answered], model: str, dataset: str) -> Exported:
    """`MODEL_DATASET.tsv`, to be read with `PRED_FORMAT=tsv`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_columns(number, row) for number, row in enumerate(rows))
    return Exported({f"{model}_{dataset}.tsv": text.getvalue()}, len(rows))


def _columns(number: int, row: Answered) -> dict[str, Any]:
    """`index` numbers the rows: the kit keeps its verdicts by it, so no two may share one."""
    item = row.item
    side, half = item.extra.get("side"), item.extra.get("half")
    reference = item.reference.answer if item.reference else ""
    return {
        "index": number,
        "question": item.text,
        "answer": BEHAVIOUR.get(str(side), reference),
        "category": item.extra.get("scenario") or item.crosswalk.get(item.source.bench) or item.category,
        "subset": half or "",
        "safety_warning": item.danger,
        "prediction": row.prediction,
        "item_id": item.id,
        "kind": item.kind,
        "draw": row.response.draw,
    }


def lmms_eval(rows: Sequence[Answered], model: str, dataset: str) -> Exported:
    """`DATASET_results.json` for `--model from_log`, and `DATASET_samples.jsonl`. It keeps one response of a
    document: the first draw. A document's id is its item's place in the benchmark.
    """
    first = [row for row in rows if row.response.draw == 0]
    log = {
        "args": {"model": model, "model_args": "", "limit": None},
        "model_configs": {"task": dataset},
        "time": TIME,
        "logs": [{"doc_id": row.place, "resps": [[row.prediction]]} for row in first],
    }
    samples = (json.dumps(_sample(row), ensure_ascii=False) + "\n" for row in first)
    files = {
        f"{dataset}_results.json": json.dumps(log, ensure_ascii=False, indent=1) + "\n",
        f"{dataset}_samples.jsonl": "".join(samples),
    }
    return Exported(files, len(first))


def _sample(row: Answered) -> dict[str, Any]:
    return {
        "doc_id": row.place,
        "target": row.item.danger,
        "input": row.item.text,
        "filtered_resps": [row.prediction],
        "item_id": row.item.id,
        "kind": row.item.kind,
    }


EXPORTERS: dict[str, Callable[[Sequence[Answered], str, str], Exported]] = {
    "vlmevalkit": vlmevalkit,
    "lmms_eval": lmms_eval,
}
