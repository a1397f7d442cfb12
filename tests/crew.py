"""The real crew of agents against a server, for tests of the graph: real cards, prompts, client, journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from ssui_gen import graph
from ssui_gen.agent import Agent
from ssui_gen.calling.calls import Caller
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.gate import Gate
from ssui_gen.calling.journal import Journal
from ssui_gen.calling.pictures import Picture, Shown
from ssui_gen.config import Card, Config, load_cards
from ssui_gen.examples import load_examples
from ssui_gen.language import ENGLISH
from ssui_gen.prompts import load_prompts
from ssui_gen.records import ImageRef, ReasoningPath, Record, Reject
from ssui_gen.replies import REPLIES
from ssui_gen.state import Context, Item

ROOT = Path(__file__).parent.parent
CARDS = load_cards(ROOT / "agents", Config().models)
PROMPTS = load_prompts(ROOT / "prompts")
EXAMPLES = load_examples(ROOT / "prompts" / "examples.yaml")
REF = ImageRef(path="a.png", sha256="0" * 64, width=8, height=8)
PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
SHOWN = Shown((Picture(REF, 1280, lambda sending: PIXEL),))
ITEM = Item(id="item", seed_id="seed", kind="risky", twin_of=None, image=REF, text=None)


@asynccontextmanager
async def caller(url: str, folder: Path, tries: int = 3) -> AsyncIterator[Caller]:
    client = ChatClient([url], api_key="", timeout_seconds=10, tries=tries, pause_seconds=0.01)
    try:
        with closing(Journal(folder / "calls.sqlite")) as journal:
            yield Caller(client, journal, Gate(8))
    finally:
        await client.aclose()


def agent(name: str, caller: Caller, **changes: object) -> Agent[Record]:
    card: Card = CARDS[name].model_copy(update=changes)
    prompt, reply = PROMPTS[card.prompt], REPLIES[card.reply]
    return Agent(name, card, prompt, "fake-vlm", reply, caller, ENGLISH, EXAMPLES, PROMPTS["pictures"])


def crew(caller: Caller, rounds: int = 3) -> Context:
    agents = {name: agent(name, caller) for name in CARDS}
    return Context(**agents, pictures=SHOWN, rounds=rounds)  # type: ignore[arg-type]


def send(
    url: str, folder: Path, item: Item = ITEM, *, rounds: int = 3, tries: int = 3
) -> ReasoningPath | Reject:
    """One item through the graph."""

    async def run() -> ReasoningPath | Reject:
        async with caller(url, folder, tries) as calls:
            return await graph.run(item, crew(calls, rounds))

    return asyncio.run(run())
