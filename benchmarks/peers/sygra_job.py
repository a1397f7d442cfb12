"""The job in ServiceNow SyGra: one LLM node per agent, the two checks side by side.

    python sygra_job.py SEEDS URL FOLDER

Chosen for it: `batch_size=64`, which is its window of records in flight (it has no limit on calls);
`checkpoint_interval=64`, the smallest it allows for that window (SYGRA_WINDOW=50,100 takes its defaults);
`resumable`; native structured output;
`delay=0` instead of the 100 ms that it sleeps before each call by default; a log of warnings only.
SYGRA_BACKEND=custom takes its own OpenAI client instead of LiteLLM, its default.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from job import AGENTS, CARDS, REPLY_TYPES, SYSTEM, seeds, user

EDGES = (
    ("START", "query"),
    ("query", "check_text"),
    ("query", "check_image"),
    ("check_text", "reasoning"),
    ("check_image", "reasoning"),
    ("reasoning", "reflection"),
    ("reflection", "check_joint"),
    ("check_joint", "summary"),
    ("summary", "END"),
)


def _after(agent: str) -> type:
    """The class that SyGra calls with a node's answer: its fields become variables of the graph's state."""

    class After:
        def apply(self, answer: Any, state: Any) -> dict[str, Any]:
            reply = json.loads(answer.message.content)
            return {f"{agent}_{field}": value for field, value in reply.items()}

    return After


for _agent in AGENTS:
    globals()[f"after_{_agent}"] = _after(_agent)


def node(agent: str) -> dict[str, Any]:
    told = user(agent, lambda source, field: f"{{{source}_{field}}}")
    picture = [{"type": "image_url", "image_url": "{picture}"}] if CARDS[agent].picture else []
    return {
        "node_type": "llm",
        "model": {
            "name": "stub",
            "delay": 0,
            "parameters": {"temperature": 0.5, "max_tokens": 1600},
            "structured_output": {"enabled": True, "schema": f"job.{REPLY_TYPES[agent].__name__}"},
        },
        "prompt": [
            {"system": SYSTEM[agent].replace("{", "{{").replace("}", "}}")},
            {"user": [*picture, {"type": "text", "text": told}]},
        ],
        "output_keys": [f"{agent}_{field}" for field in REPLY_TYPES[agent].model_fields],
        "post_process": f"sygra_job.after_{agent}",
    }


def _models(folder: Path, url: str) -> None:
    """SyGra reads models from a file and addresses from the environment, both before it is imported."""
    backend = os.environ.get("SYGRA_BACKEND", "litellm")
    name = "openai/stub" if backend == "litellm" else "stub"
    model = {"model_type": "openai", "model": name, "backend": backend, "api_version": "v1", "parameters": {}}
    file = folder / "models.yaml"
    file.write_text(json.dumps({"stub": model}))
    os.environ |= {
        "SYGRA_CUSTOM_MODELS_PATH": str(file),
        "SYGRA_STUB_URL": url,
        "SYGRA_STUB_TOKEN": "none",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


def main() -> None:
    """Make the dataset, or go on with it."""
    source, url, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    _models(folder, url)
    os.chdir(folder)
    import sygra

    logging.getLogger().setLevel(logging.WARNING)
    rows = folder / "seeds.json"
    pictured = [row | {"picture": f"data:image/png;base64,{row['picture']}"} for row in seeds(source)]
    rows.write_text(json.dumps(pictured))
    work = sygra.Workflow("ssui").source(str(rows)).resumable()
    for agent in AGENTS:
        work.add_node(agent, node(agent))
    for one, other in EDGES:
        work.add_edge(one, other)
    for key in ("id", *(key for agent in AGENTS for key in node(agent)["output_keys"])):
        work.output_field(key, from_key=key)
    window, every = map(int, os.environ.get("SYGRA_WINDOW", "64,64").split(","))
    made = work.run(output_dir=str(folder / "out"), batch_size=window, checkpoint_interval=every)
    with (folder / "rows.jsonl").open("w") as out:
        out.writelines(json.dumps(row) + "\n" for row in made or [])


if __name__ == "__main__":
    main()
