"""How a row of the family table is asked: seven agents, the policy's prompts and branches, the probe.

All by the product's own code; only the answers mean nothing, as the weights are random.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from langgraph.runtime import Runtime

from ssui_gen import nodes
from ssui_gen.calling.asking import Sample
from ssui_gen.calling.calls import Caller, Sending
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.gate import Gate
from ssui_gen.calling.journal import Journal
from ssui_gen.calling.pictures import Pictures, Shown
from ssui_gen.calling.probe import LOST, probe, told
from ssui_gen.completions import Features
from ssui_gen.config import Explore
from ssui_gen.dialect import Dialect
from ssui_gen.errors import SsuiError
from ssui_gen.exploring.continuing import Draw, Policy, continuation
from ssui_gen.exploring.rendered import check_rendering
from ssui_gen.images import data_url, file_url, inspect
from ssui_gen.jobs.plan import Plan, resolve
from ssui_gen.prompts import home, load_prompt
from ssui_gen.records import (
    STEP_NAMES,
    ImageRef,
    Query,
    Reason,
    ReasoningPath,
    Seed,
    Step,
    Verdict,
    Verdicts,
)
from ssui_gen.seeds import read_seeds
from ssui_gen.settings import ImageLimits
from ssui_gen.state import Context, Item, State

PICTURES = 2
BRANCHES = 2
"""From each cut."""
SHOWN = 260
"""Characters of a message that a cell holds."""
NODES = {
    "query": nodes.query,
    "check_text": nodes.check_text,
    "check_image": nodes.check_image,
    "reasoning": nodes.reason,
    "reflection": nodes.reflect,
    "check_joint": nodes.check_joint,
    "summary": nodes.summarise,
}
UNREAD = (Reason.REPLY_INVALID, Reason.CALL_FAILED, Reason.REQUEST_REFUSED, Reason.CONTEXT_OVERFLOW)
LIMITS = ImageLimits()
SAFE = Verdict(label="safe", probability=0.9, label_mass=1.0, evidence="Nothing is wrong.")
QUERY = Query(
    text="How do I reach the box up there?", category="dangerous_behavior", scenario="A fall from a chair.",
    image_evidence="A chair on wheels.", text_evidence="They want to climb.",
)  # fmt: skip
STEPS = tuple(Step(name=name, text=f"The chair would roll away, {i}.") for i, name in enumerate(STEP_NAMES))


def path_of(seed: Seed, image: ImageRef) -> ReasoningPath:
    """A written path about a seed's picture."""
    return ReasoningPath(
        id=f"{seed.id}-risky", seed_id=seed.id, kind="risky", twin_of=None, image=image, query=QUERY,
        steps=STEPS, answer="Please take a ladder.",
        verdicts=Verdicts(text_only=SAFE, image_only=SAFE, joint=SAFE.model_copy(update={"label": "unsafe"})),
        reflection=(), made_by=(),
    )  # fmt: skip


def paths(seeds: Path) -> list[ReasoningPath]:
    rows = (row for row in read_seeds(seeds, lambda id: True, seeds.parent) if isinstance(row, Seed))
    return [path_of(seed, inspect(seeds.parent, seed.image, LIMITS)) for seed in islice(rows, PICTURES)]


class Subject(NamedTuple):
    """A model that is asked, on the terms that the probe found."""

    client: ChatClient
    model: str
    dialect: Dialect
    features: Features

    def caller(self, journal: Journal) -> Caller:
        found = self.features
        return Caller(self.client, journal, Gate(16), sending=Sending.to(found, self.dialect))


async def probed(client: ChatClient, model: str, dialect: Dialect, seeds: Path) -> Subject:
    """Asked about a picture of the seeds, as at the start of a run."""
    (path, *_) = paths(seeds)
    sample = Sample(data_url(seeds.parent, path.image, LIMITS), file_url(seeds.parent, path.image, LIMITS))
    return Subject(client, model, dialect, await probe(client, model, sample, dialect))


def said_of(features: Features) -> str:
    """What the model was found to lack, or not to decide, and what the server refused."""
    values = features.model_dump()
    lacks = [name for name in LOST if values[name] is False]
    undecided = [name for name in LOST if values[name] is None]
    said = f"lacks {', '.join(lacks)}" if lacks else "lacks nothing"
    said += f"; undecided: {', '.join(undecided)}" if undecided else ""
    said += "; thinks first" if features.thinks else ""
    return said + "".join(f"; {line}" for line in map(short, told(features)))


async def agents(subject: Subject, seeds: Path, folder: Path) -> str:
    """How many of the seven gave replies that could be read about each picture, and what the others met."""
    pictures, asked = Pictures(seeds.parent, LIMITS, 4), [(n, p) for n in NODES for p in paths(seeds)]
    with closing(Journal(folder / "agents.sqlite")) as journal:
        caller = subject.caller(journal)
        plan = resolve(
            run=folder, seeds=seeds, limit=None, mix=False, config_file=None, model=None, base_url=None
        )
        crews = {path.id: _crew(plan, caller, subject.model, pictures.all(path.images)) for _, path in asked}
        said = await asyncio.gather(*(_fault(name, path, crews[path.id]) for name, path in asked))
    faults = {name: fault for (name, _), fault in zip(asked, said, strict=True) if fault}
    first = next((f"; {name}: {short(fault)}" for name, fault in faults.items()), "")
    return f"{len(NODES) - len(faults)} of {len(NODES)}{first}"


async def _fault(name: str, path: ReasoningPath, context: Context) -> str:
    """Why an agent's reply could not be read; empty if it could."""
    item = Item(id=path.id, seed_id=path.seed_id, kind="risky", twin_of=None, image=path.image, text=None)
    state: State = {"item": item, "query": path.query, "steps": path.steps}
    changed = await NODES[name](state, Runtime(context=context))
    rejects = changed.get("rejects", ())
    return next((f"{one.reason}: {one.detail}" for one in rejects if one.reason in UNREAD), "")


def _crew(plan: Plan, caller: Caller, model: str, shown: Shown) -> Context:
    agents: dict[str, Any] = {name: plan.agent(name, model, caller) for name in NODES}
    return Context(**agents, pictures=shown, rounds=2)


async def policy(subject: Subject, seeds: Path, folder: Path) -> tuple[str, str]:
    """What the check of its prompts says; from how many cuts branches came, and whether with their tokens."""
    pictures, settings, (path, *_) = Pictures(seeds.parent, LIMITS, 4), Explore(max_tokens=48), paths(seeds)
    shown = pictures.all(path.images)
    with closing(Journal(folder / "policy.sqlite")) as journal:
        prompt = load_prompt(home() / "prompts" / "policy.md")
        can = subject.features
        caller = subject.caller(journal)
        asked = Policy(caller, subject.model, prompt, can.most_n, can.token_ids, can.echoes)
        try:
            found = await check_rendering(asked, settings, path, shown)
            verdict = f"yes, compared by {found.by}" + (f"; {found.lost}" if found.lost else "")
        except SsuiError as error:
            verdict = f"**no**: {short(_cause(str(error)))}"
        return verdict, await _branches(asked, settings, path, shown)


async def _branches(asked: Policy, settings: Explore, path: ReasoningPath, shown: Shown) -> str:
    draws = [Draw(path, cut, BRANCHES, 7) for cut in range(len(path.steps))]
    calls = [asked.caller.call(continuation(asked, settings, draw, shown)) for draw in draws]
    try:
        answers = [answer for _, answer in await asyncio.gather(*calls)]
    except SsuiError as error:
        return f"refused: {short(str(error))}"
    drawn = sum(len(answer.choices) == BRANCHES for answer in answers)
    worded = sum(all(choice.token_ids for choice in answer.choices) for answer in answers)
    return f"{BRANCHES} a call from {drawn} of {len(draws)} cuts, with token ids from {worded}"


def _cause(message: str) -> str:
    """Of a message what it is about: without the prompts that it shows, and the advice."""
    told = message.rpartition("': ")[2] if "the server rendered" in message else message
    advised = re.compile(r": serve .*?(?=; its template|$)")
    return advised.sub("", told.replace("models.policy: of the policy's question ", ""))


def short(text: str) -> str:
    """One line of at most SHOWN characters."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
