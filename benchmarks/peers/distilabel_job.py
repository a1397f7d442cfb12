"""The job in distilabel: one task per agent in a pipeline, the two checks side by side.

    python distilabel_job.py SEEDS URL FOLDER

Chosen for it: batches of BATCH rows (its default is 50). Each task has a process of its own with one batch in
flight; 32 makes about 64 calls at a time, 9 made only 18. Its cache in FOLDER, used when run again; JSON
mode of the server with the replies parsed in `format_output`; a log of warnings only.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("DISTILABEL_LOG_LEVEL", "WARNING")

from datasets import Dataset
from distilabel.models.llms import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import CombineOutputs
from distilabel.steps.tasks import TextGeneration, TextGenerationWithImage
from job import AGENTS, CARDS, REPLY_TYPES, SYSTEM, seeds, user

BATCH = int(os.environ.get("DISTILABEL_BATCH", "32"))
logging.getLogger("httpx2").setLevel(logging.WARNING)


class _Parsed:
    """The fields of an agent's reply become columns named after agent and field."""

    name: str

    @property
    def outputs(self) -> list[str]:
        return [f"{self.name}_{field}" for field in REPLY_TYPES[self.name].model_fields]

    def format_output(self, output: str | None, input: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            reply = json.loads(output or "")
        except ValueError:
            reply = {}
        return {f"{self.name}_{field}": reply.get(field) for field in REPLY_TYPES[self.name].model_fields}


class Blind(_Parsed, TextGeneration):
    """An agent that does not see the picture."""


class Seeing(_Parsed, TextGenerationWithImage):
    """An agent that sees it."""


def task(agent: str, url: str) -> TextGeneration:
    template = user(agent, lambda source, field: f"{{{{ {source}_{field} }}}}")
    llm = OpenAILLM(
        model="stub",
        base_url=url,
        api_key="none",
        generation_kwargs={
            "temperature": 0.5,
            "max_new_tokens": 1600,
            "response_format": {"type": "json_object"},
        },
    )
    kind = Seeing if CARDS[agent].picture else Blind
    return kind(
        name=agent,
        llm=llm,
        system_prompt=SYSTEM[agent],
        template=template,
        columns=sorted(set(re.findall(r"{{ (\w+) }}", template))),
        input_batch_size=BATCH,
        add_raw_input=False,
        add_raw_output=False,
    )


def main() -> None:
    """Make the dataset, or go on with it."""
    source, url, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    rows = [{"id": s["id"], "image": f"data:image/png;base64,{s['picture']}"} for s in seeds(source)]
    with Pipeline(name="ssui", cache_dir=folder / "cache") as pipeline:
        tasks = {agent: task(agent, url) for agent in AGENTS}
        checks = [tasks["check_text"], tasks["check_image"]]
        tasks["query"] >> checks >> CombineOutputs() >> tasks["reasoning"]
        tasks["reasoning"] >> tasks["reflection"] >> tasks["check_joint"] >> tasks["summary"]
    made = pipeline.run(dataset=Dataset.from_list(rows), dataset_batch_size=BATCH, use_cache=True)
    frame = made["default"]["train"].remove_columns(["image"])
    frame.to_json(folder / "rows.jsonl", orient="records", lines=True)


if __name__ == "__main__":
    main()
