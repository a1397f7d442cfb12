"""The limit: a bare asyncio loop with the calls of `ssui dataset`, the same client and nothing else.

Same rendered messages, pictures, schemas and order, as many seeds and calls in flight. No journal, no graph,
no checks of pictures or replies, no files written, no progress.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ssui_gen.branching import render_steps
from ssui_gen.calling.client import ChatClient
from ssui_gen.config import Config, load_cards
from ssui_gen.examples import load_examples
from ssui_gen.images import data_url
from ssui_gen.prompts import load_prompts
from ssui_gen.records import STEP_NAMES, ImageRef, Step, row_id
from ssui_gen.replies import REPLIES
from ssui_gen.taxonomy import classes

ROOT = Path(__file__).parent.parent
CONFIG = Config()
CARDS = load_cards(ROOT / "agents", CONFIG.models)
PROMPTS = load_prompts(ROOT / "prompts")
EXAMPLES = load_examples(ROOT / "prompts" / "examples.yaml")
SCHEMAS = {name: REPLIES[card.reply].model_json_schema() for name, card in CARDS.items()}


class Bare:
    """One run."""

    def __init__(self, url: str, root: Path, calls_in_flight: int) -> None:
        self.client = ChatClient([url], api_key="", timeout_seconds=600, tries=6)
        self.root = root
        self.gate = asyncio.Semaphore(calls_in_flight)

    async def ask(self, agent: str, item: str, picture: tuple[str, str] | None, **values: Any) -> Any:
        card = CARDS[agent]
        shown = {"language": "English", "examples": EXAMPLES[: card.examples]}
        system, user = PROMPTS[card.prompt].render(**values, **shown)
        content: Any = user
        if picture:
            image = {"type": "image_url", "image_url": {"url": picture[1]}}
            content = [image, {"type": "text", "text": user}]
        schema = {"name": card.reply, "schema": SCHEMAS[agent]}
        body = {
            "model": "stub",
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": content}],
            **card.sampling.model_dump(exclude_none=True),
            **({"seed": int(row_id(item, agent), 16) % 2**31} if card.sampling.temperature else {}),
            "response_format": {"type": "json_schema", "json_schema": schema},
            **({"logprobs": True, "top_logprobs": 20} if card.label_logprobs else {}),
        }
        async with self.gate:
            completion = await self.client.chat(body, affinity=picture[0] if picture else "")
        return json.loads(completion.choices[0].text)

    async def item(self, seed: dict[str, Any]) -> None:
        item, picture = seed["id"], self.picture(seed["image"])
        pair = await self.ask(
            "query", item, picture, kind="risky", text=None, advice="", earlier="", classes=classes()
        )
        text = pair["text"]
        await asyncio.gather(
            self.ask("check_text", item, None, text=text), self.ask("check_image", item, picture)
        )
        told = {key: pair[key] for key in ("text", "category", "scenario")}
        six = await self.ask("reasoning", item, picture, **told, advice="", earlier="", classes=classes())
        path = render_steps([Step(name=name, text=six[name]) for name in STEP_NAMES])
        await self.ask("reflection", item, picture, text=text, path=path)
        await self.ask("check_joint", item, picture, text=text)
        await self.ask("summary", item, picture, text=text, path=path)

    def picture(self, name: str) -> tuple[str, str]:
        sha = hashlib.sha256((self.root / name).read_bytes()).hexdigest()
        ref = ImageRef(path=name, sha256=sha, width=0, height=0)
        return sha, data_url(self.root, ref, CONFIG.images)

    async def all(self, seeds: Iterator[dict[str, Any]], in_flight: int) -> None:
        async def worker() -> None:
            for seed in seeds:
                await self.item(seed)

        await asyncio.gather(*(worker() for _ in range(in_flight)))
        await self.client.aclose()


async def main() -> None:
    """Ask about every seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=Path)
    parser.add_argument("url")
    args = parser.parse_args()
    bare = Bare(args.url, args.seeds.parent, CONFIG.limits.calls_in_flight)
    with args.seeds.open() as lines:
        await bare.all(map(json.loads, lines), CONFIG.limits.seeds_in_flight)


if __name__ == "__main__":
    asyncio.run(main())
