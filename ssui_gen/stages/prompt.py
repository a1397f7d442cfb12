"""What an agent, the policy or its judge would be sent for one seed or path: to the letter, without a call.

Earlier agents' replies come from the run's journal or record where there is one, else from an example. What a
server is sent in other words (`calling`) is not shown, nor are second tries.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ssui_gen import graph
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.calling.calls import Request
from ssui_gen.calling.journal import CALLS, Journal, Seen
from ssui_gen.calling.pictures import Pictures
from ssui_gen.completions import Features
from ssui_gen.config import Config, Explore
from ssui_gen.dialect import Dialect
from ssui_gen.errors import ConfigError, NothingMade
from ssui_gen.examples import drawn
from ssui_gen.exploring.continuing import Draw, going_on, seed_after
from ssui_gen.exploring.explored import Explored
from ssui_gen.images import inspect_together, shown
from ssui_gen.jobs.plan import AGENTS, Plan
from ssui_gen.jobs.replay import Reached, Replay
from ssui_gen.jobs.served import OWN_MODEL
from ssui_gen.jsonl import read, validate
from ssui_gen.judging.choosing import JudgeModel
from ssui_gen.manifest import PAIRS, RUN, read_manifest, source_of_seeds
from ssui_gen.picture_tokens import tokens_of
from ssui_gen.records import MOST_IMAGES, STEP_NAMES, ImageRef, Kind, ReasoningPath, Seed
from ssui_gen.run_files import BRANCHES, CURATED, PATHS
from ssui_gen.seeds import read_seeds, root_of
from ssui_gen.serving.embedded import EMBEDDED
from ssui_gen.serving.vllm_model import about_adapter
from ssui_gen.state import Context, Item
from ssui_gen.verifying.judge import Judge
from ssui_gen.verifying.verify import Case

HOPED = Features(n=True, most_n=Explore().most_n, token_ids=True)
"""Of a server that nobody has asked yet."""
NOT_KNOWN = "(the only one that its server lists)"
"""Stands for a model's name where nobody has said it and no run remembers it."""


class Question(NamedTuple):
    """One request, and what there is to say about it."""

    who: str
    of: str
    """The seed and its kind, or the path and its cut."""
    role: str
    request: Request
    pictures: tuple[str, ...]
    """Of each its size as it is sent and its tokens."""
    sources: dict[str, str]
    """Where the replies of earlier agents come from."""

    @property
    def lines(self) -> Iterator[str]:
        """For people to read; the texts stand as they are."""
        body = {key: value for key, value in self.request.body.items() if key != "messages"}
        asked = body.pop("response_format", None)
        yield f"{self.who} for {self.of}; model: {body.pop('model')} (role {self.role})"
        yield from (f"{agent}'s reply: from {source}" for agent, source in self.sources.items())
        yield from (f"picture: {told}" for told in self.pictures or ("none is shown",))
        for message in self.request.body["messages"]:
            yield f"\n--- {message['role']}"
            yield from _texts(message["content"])
        yield f"\n--- sampling\n{json.dumps(body)}"
        if asked:
            yield f"\n--- response schema\n{json.dumps(asked['json_schema']['schema'], ensure_ascii=False)}"


def _texts(content: Any) -> Iterator[str]:
    parts: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for part in parts:
        yield part["text"] if part["type"] == "text" else f"[{part['image_url']['url']}]"


# --- the agents ----------------------------------------------------------------------------------------


def question_of_agent(plan: Plan, name: str, seed_id: str | None, kind: Kind | None) -> Question:
    """What the agent `name` is sent first for a seed, by default the first one.

    Raises ConfigError for a seed that is not there, ImageError for its picture, and NothingMade where the
    item ends before this agent is asked.
    """
    source = plan.seeds or source_of_seeds(plan.run)
    if source is None:
        raise ConfigError(f"{plan.run}: no run yet: name the seeds, --seeds (SEEDS=...)")
    seed, root, limits = _seed(source, plan.run, seed_id), root_of(source, plan.run), plan.config.images
    images = inspect_together(root, seed.images, limits)
    item = Item.of(seed, kind or seed.kind or "risky", images, plan.config.twins)
    request, sources = _asked(plan, name, item, Pictures(root, limits, MOST_IMAGES))
    role = plan.cards[name].model
    size = _sizes(plan.config, root, images, request) if plan.cards[name].picture else ()
    return Question(name, f"the seed {seed.id!r}, {item.kind}", role, request, size, sources)


def _seed(source: Path, run: Path, seed_id: str | None) -> Seed:
    first: list[str] = []
    with closing(Seen()) as known:
        for seed in read_seeds(source, known.add, run):
            if isinstance(seed, Seed):
                if seed_id in (None, seed.id):
                    return seed
                first = [*first, seed.id][:5]
    named, there = (
        f" {seed_id!r}" if seed_id else "",
        f"; the first ones are {', '.join(first)}" if first else "",
    )
    raise ConfigError(f"{source}: no seed{named} that can be used{there}")


def _asked(plan: Plan, name: str, item: Item, pictures: Pictures) -> tuple[Request, dict[str, str]]:
    """Run the graph up to the agent's question."""
    kin = [one for one in plan.examples if one.kind == item.kind]
    with _journal(plan.run) as journal:
        dialects = {agent: plan.config.dialect(plan.cards[agent].model) for agent in AGENTS}
        example = drawn(kin, 1, [item.id], "")[0]
        replay = Replay(name, dialects, journal, _record(plan.run, item.id), example)
        names = {agent: _name(plan.config, plan.run, RUN, plan.cards[agent].model) for agent in AGENTS}
        agents: dict[str, Any] = {agent: plan.agent(agent, names[agent], replay) for agent in AGENTS}
        context = Context(
            **agents,
            pictures=pictures.all(item.images),
            rounds=plan.config.limits.reflection_rounds,
            wanting=plan.wanting,
        )
        try:
            ended = asyncio.run(graph.run(item, context))
        except Reached as reached:
            return _spoken(reached.request, dialects[name]), replay.sources
    assert not isinstance(ended, ReasoningPath), "every agent of the graph is asked for a record"
    why = f"{ended.stage}: {ended.reason}: {ended.detail}"
    raise NothingMade(
        f"{item.seed_id} ({item.kind}) ends before {name} is asked: {why} (--seed: another one)"
    )


def _spoken(request: Request, dialect: Dialect) -> Request:
    """As the role wants it said; what a server was found to refuse is left out only when it is sent."""
    return replace(request, body=dialect(request.body))


@contextmanager
def _journal(run: Path) -> Iterator[Journal | None]:
    """Of a run that has made calls."""
    if not (run / CALLS).exists():
        yield None
        return
    with closing(Journal(run / CALLS)) as journal:
        yield journal


def _record(run: Path, item_id: str) -> ReasoningPath | None:
    file = run / PATHS
    lines = read(file) if file.exists() else ()
    return next((validate(ReasoningPath, line) for line in lines if _is(line.value, item_id)), None)


def _is(row: dict[str, Any] | None, id: str) -> bool:
    return row is not None and row.get("id") == id


# --- the policy and its judge ---------------------------------------------------------------------------


def question_of_policy(plan: Plan, root: Path, path_id: str | None, cut: int) -> Question:
    """What the policy is sent first at a cut of a path, by default of the first one, as people left it.
    Raises ConfigError for a path or a cut that is not there, ImageError for its picture.
    """
    path = _path(plan.run, path_id, cut)
    config, can, model = plan.config, _found(plan.run), _name(plan.config, plan.run, PAIRS, "policy")
    draw = Draw(path, cut, _draws(config.explore, can), seed_after(path, cut, 0))
    pictures = Pictures(root, config.images, MOST_IMAGES).all(path.images)
    asked = going_on(plan.prompts["policy"], model, config.explore, draw, pictures, token_ids=can.token_ids)
    request = _spoken(asked, config.dialect("policy"))
    size, at_most = _sizes(config, root, path.images, request), cut and config.explore.adaptive
    by = ", as text: the prompt of all but the last turn, and that turn" if cut and can.verbatim else ""
    of = f"the path {path.id!r}, {path.kind}, cut {cut}{', n at most' if at_most else ''}{by}"
    return Question("policy", of, "policy", request, size, {})


def _draws(settings: Explore, can: Features) -> int:
    """Of the first request at a root; beyond it, what the root gave may make it fewer."""
    return min(settings.k, settings.most_per_cut, settings.most_n, can.most_n)


def question_of_judge(plan: Plan, root: Path, path_id: str | None, cut: int) -> Question:
    """What F's judge is sent first about the first branch of a cut, about the path itself where there is
    none. Raises as `question_of_policy`.
    """
    path = _path(plan.run, path_id, cut)
    case, source = _case(plan.run, path, cut)
    model, pictures = (
        _name(plan.config, plan.run, PAIRS, "judge"),
        Pictures(root, plan.config.images, MOST_IMAGES),
    )
    replay = Replay("judge", {}, None, None, plan.examples[0])
    judge = Judge(JudgeModel(replay, model, plan.prompts["judge"], pictures.of), plan.config.verify)
    try:
        asyncio.run(judge(case))
    except Reached as reached:
        request = _spoken(reached.request, plan.config.dialect("judge"))
    size = _sizes(plan.config, root, path.images, request)
    of = f"the path {path.id!r}, {path.kind}, cut {cut}"
    return Question("judge", of, "judge", request, size, {"policy": source})


def _case(run: Path, path: ReasoningPath, cut: int) -> tuple[Case, str]:
    """A branch to judge, one that the judge was asked about before others, and where it comes from."""
    cuts = Explored(run / BRANCHES).of(path) if (run / BRANCHES).exists() else []
    branches = [branch for row in cuts if row.cut == cut for branch in row.branches]
    for branch in sorted(branches, key=lambda branch: not branch.judgement.made_by):
        return Case(path, cut, branch.text, branch.finish), f"the run's branch {branch.id!r}"
    whole, prefix = render_path(path.steps, path.answer), prefix_at(path.steps, cut)
    return Case(path, cut, whole.removeprefix(prefix), "stop"), "the path itself, as nothing is drawn there"


def _found(run: Path) -> Features:
    """What the policy's server was found to do; of a run that was not explored yet what is to be hoped."""
    known = read_manifest(run / PAIRS).features.get("policy")
    return Features.model_validate(known) if known else HOPED


def _path(run: Path, path_id: str | None, cut: int) -> ReasoningPath:
    if not 0 <= cut < len(STEP_NAMES):
        raise ConfigError(f"--cut: expected 0 (the root) to {len(STEP_NAMES) - 1}; got {cut}")
    file = next((run / name for name in (CURATED, PATHS) if (run / name).exists()), None)
    for line in read(file) if file else ():
        if path_id is None or _is(line.value, path_id):
            return validate(ReasoningPath, line)
    named = f" {path_id!r}" if path_id else ""
    raise ConfigError(f"{file or run / PATHS}: no path{named}: make some with `ssui dataset`")


# --- both ------------------------------------------------------------------------------------------------


def _name(config: Config, run: Path, stage: str, role: str) -> str:
    """The model's name, as far as it is known without asking a server."""
    player = config.player(role)
    settings = config.models[player]
    if settings.adapter:
        return about_adapter(settings.adapter).name
    if settings.name and not (role != player and settings.name in OWN_MODEL.values()):
        return settings.name
    if not settings.base_urls:
        return OWN_MODEL.get(role, EMBEDDED[0])
    last = read_manifest(run / stage).last
    known = last.models.items() if last else ()
    alike = (name for other, name in known if other in config.models and config.player(other) == player)
    return next(alike, NOT_KNOWN)


def _sizes(config: Config, root: Path, images: Sequence[ImageRef], request: Request) -> tuple[str, ...]:
    return tuple(_picture(config, root, ref, request) for ref in images)


def _picture(config: Config, root: Path, ref: ImageRef, request: Request) -> str:
    width, height = shown(root, ref, config.images).size
    found = tokens_of(str(request.body["model"]), width, height, config.serve.max_pixels)
    tokens = f"about {found.tokens:,} tokens, as {found.family} count" if found else "tokens not known"
    return f"{ref.path}, {ref.width} × {ref.height} pixels, sent as {width} × {height}; {tokens}"
