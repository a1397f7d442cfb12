"""bench.jsonl → responses, judgements and reports: the model under test and the run's adapter, side by side.

Two phases, each drained and resumed by its rows: every item is answered, then every response judged. Which
benchmark it is stands in `benching.sources`, the work on one model in `benching.entry`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from ssui_gen.benching.answering import PROMPTS, Tested
from ssui_gen.benching.bench import Bench
from ssui_gen.benching.entry import Entry, folder_name
from ssui_gen.benching.forecast import forecast
from ssui_gen.benching.judged import Judge
from ssui_gen.benching.players import weights_of
from ssui_gen.benching.raw import raw_rates
from ssui_gen.benching.sources import Source, find
from ssui_gen.calling.gate import Gate
from ssui_gen.calling.pictures import Pictures
from ssui_gen.calling.probe import Sample
from ssui_gen.config import Config
from ssui_gen.errors import ImageError
from ssui_gen.files import atomic_write
from ssui_gen.images import data_url, file_url
from ssui_gen.jobs.job import Job, Outcome, carry_out, opened
from ssui_gen.jobs.progress import Funnel, saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import as_line
from ssui_gen.judging.choosing import Asked
from ssui_gen.manifest import Edition
from ssui_gen.prompts import Prompt, rendered
from ssui_gen.records import Reason
from ssui_gen.serving.vllm_launch import about_adapter

REJECTS = "rejects.jsonl"
CALLS_EACH = 4
"""Of a response that is judged, about so many are in flight at once."""
Work = Callable[[Any], Awaitable[None]]
SELF = "The judge is the model under test: it may favour its own words. JUDGE= (--judge) names another."


class Plan(NamedTuple):
    """One job, settled before the first call."""

    run: Path
    bench: str | None
    """An adapter's name or a folder; None: the run's own."""
    data: Path | None
    """Somebody's copy of the benchmark."""
    limit: int | None
    """Only the first so many scenarios."""
    mix: bool
    config: Config
    """With a role `adapter` where one is to be measured beside the policy."""
    prompts: dict[str, Prompt]
    toy: bool = False
    """Let the embedded micro VLM play though the pictures are no drawn scenes."""
    retry: frozenset[Reason] = frozenset()
    """Responses and judgements that failed for these reasons are tried again, though they are of the item."""

    @property
    def tested(self) -> list[str]:
        """The roles that are measured."""
        return ["policy", *(["adapter"] if "adapter" in self.config.models else [])]

    @property
    def prompt(self) -> Prompt | None:
        """What the models under test are told."""
        name = PROMPTS.get(self.config.bench.protocol)
        return self.prompts[name] if name else None


class Done(NamedTuple):
    """How a job ended."""

    outcome: Outcome
    folders: list[Path]
    """Of each model."""
    failed: int
    """Calls that the same command tries again."""


async def make_bench(plan: Plan, console: Console) -> Done:
    """Do what is left of `plan`. Raises ConfigError for a benchmark that cannot be run or rows of another
    make, and as `make_pairs` does.
    """
    say = saying(console)
    async with AsyncExitStack() as open_:
        open_.enter_context(RunDir(plan.run, "bench"))
        folder, bench = find(Source(plan.run, plan.bench, plan.data, plan.config.images, plan.mix))
        bench = _limited(bench, plan.limit)
        _tell(bench, say)
        roles = [*plan.tested, "judge"]
        job = await open_.enter_async_context(
            opened(plan.run, plan.config, roles, bench.root, console, plan.toy)
        )
        await _probe(job, plan, bench, say)
        entries = [_entry(plan, job, bench, folder, role, open_) for role in plan.tested]
        funnel = Funnel()
        for entry in entries:
            entry.begin(plan.retry, funnel)
        say(str(forecast(entries)))
        outcome = await _phases(job, entries, funnel, console)
        failed = sum(entry.failed for entry in entries)
        console.print(_table(entries))
    return Done(outcome, [entry.folder for entry in entries], failed)


def _limited(bench: Bench, limit: int | None) -> Bench:
    """Whole scenarios: half of one says nothing."""
    if limit is None:
        return bench
    kept = set(list(dict.fromkeys(item.scenario_id for item in bench.items))[:limit])
    return bench._replace(items=tuple(item for item in bench.items if item.scenario_id in kept))


def _tell(bench: Bench, say: Callable[[str], None]) -> None:
    scenarios = len({item.scenario_id for item in bench.items})
    about = bench.about
    facts = f"{bench.name}{' ' + about.version if about.version else ''}: {len(bench.items):,} items of"
    say(f"{facts} {scenarios:,} scenarios{f', licence {about.licence}' if about.licence else ''}.")
    if bench.rejects:
        first = bench.rejects[0]
        count = f"{len(bench.rejects):,} rows are left out ({REJECTS})"
        say(f"{count}; the first: {first.reason}: {first.detail}")
    if bench.shared:
        say(f"{bench.shared:,} pictures stand in several scenarios, which then are not independent.")


async def _probe(job: Job, plan: Plan, bench: Bench, say: Callable[[str], None]) -> None:
    sees = ("sees_pictures",) if any(item.images for item in bench.items) else ()
    needs = dict.fromkeys([*plan.tested, "judge"], sees)
    wanted = ("logprobs", "file_urls", "uuid", "priority", *(("n",) if plan.config.bench.draws > 1 else ()))
    await job.probe(_sample(plan, bench), needs, wanted, say)
    names, clients = job.models.names, job.models.clients
    if clients["judge"] is clients["policy"] and names["judge"] == names["policy"]:
        say(SELF)


def _sample(plan: Plan, bench: Bench) -> Sample | None:
    """The first picture that can be used."""
    limits = plan.config.images
    for image in chain.from_iterable(item.images for item in bench.items):
        try:
            return Sample(data_url(bench.root, image, limits), file_url(bench.root, image, limits))
        except ImageError:
            continue
    return None


# --- one model's part ------------------------------------------------------------------------------


def _entry(plan: Plan, job: Job, bench: Bench, folder: Path, role: str, open_: AsyncExitStack) -> Entry:
    """A model's folder, opened under the edition that its rows are to have. Raises ConfigError."""
    pictures = Pictures(bench.root, plan.config.images, plan.config.limits.seeds_in_flight)
    tested = _tested(plan, job, role, pictures)
    asked = Asked(job.callers["judge"], job.models.names["judge"], plan.prompts["judge"], pictures.of)
    place = folder / folder_name(tested.name)
    home = open_.enter_context(RunDir(place))
    entry = Entry(tested, Judge(asked, plan.config.bench), bench, place, open_)
    home.open_edition(
        _edition(plan, bench, entry),
        rows=entry.rows,
        mix=plan.mix,
        settings=plan.config.model_dump(mode="json"),
        features={role: job.features[role].model_dump() for role in (role, "judge")},
        sources={},
        toy=job.toy,
    )
    atomic_write(place / REJECTS, b"".join(map(as_line, bench.rejects)))
    return entry


def _tested(plan: Plan, job: Job, role: str, pictures: Pictures) -> Tested:
    served = job.models.names[role]
    told = plan.config.models[plan.config.player(role)].adapter
    weights = weights_of(about_adapter(told).folder) if told else ""
    return Tested(
        name=f"{served}-{weights[:6]}" if weights else served,
        served=served,
        caller=job.callers[role],
        prompt=plan.prompt,
        by_n=job.features[role].n,
        picture_of=pictures.of,
        weights=weights,
    )


def _edition(plan: Plan, bench: Bench, entry: Entry) -> Edition:
    asked, judge = entry.tested.prompt, entry.by
    prompts = {"judge": judge.rubric} | ({"policy": asked.id} if asked else {})
    return Edition(
        prompts=prompts,
        cards={"bench": plan.config.bench.model_dump_json(), "items": bench.sha[:16]},
        models={"policy": entry.tested.name, "judge": judge.asked.model},
        rendered=rendered(),
    )


# --- phases ----------------------------------------------------------------------------------------


async def _phases(job: Job, entries: list[Entry], funnel: Funnel, console: Console) -> Outcome:
    """Answers, then judgements; the second only where the first was not stopped."""

    async def answers(work: tuple[Entry, Any, list[int]]) -> None:
        entry, item, draws = work
        await entry.answer(item, draws, funnel)

    async def judges(work: tuple[Entry, Any, list[Any]]) -> None:
        entry, response, questions = work
        await entry.judge(response, questions, funnel)

    def unanswered() -> Iterable[tuple[Entry, Any, list[int]]]:
        return ((entry, *left) for entry in entries for left in entry.unanswered())

    def unjudged() -> Iterable[tuple[Entry, Any, list[Any]]]:
        return ((entry, *left) for entry in entries for left in entry.unjudged())

    outcome = await _phase(job, unanswered, answers, funnel, console)
    if outcome.interrupted:
        return outcome
    return await _phase(job, unjudged, _few(job.gate, judges), funnel, console)


def _few(gate: Gate, work: Work) -> Work:
    """`work` on no more responses at once than fill the gate: so few that a prefix cache holds them all."""
    room = Gate(gate.places)

    async def in_room(one: Any) -> None:
        room.resize(gate.places // CALLS_EACH)
        async with room.place(0):
            await work(one)

    return in_room


async def _phase(
    job: Job,
    left: Callable[[], Iterable[Any]],
    work: Work,
    funnel: Funnel,
    console: Console,
) -> Outcome:
    funnel.fresh = 0

    async def counted(one: Any) -> None:
        funnel.in_flight += 1
        try:
            await work(one)
        finally:
            funnel.in_flight -= 1
            funnel.fresh += 1

    count = sum(1 for _ in left())
    return await carry_out(job, left(), counted, funnel=funnel, left=count, console=console)


def _table(entries: Iterable[Entry]) -> Table:
    """Raw rates, each with its denominator: what the judge says, right or wrong."""
    table = Table(
        "model", "question", "risky: good", "benign: good", "unscored", title="raw rates, not corrected"
    )
    for entry in entries:
        for question, rates in raw_rates(entry.judgements()).items():
            table.add_row(entry.tested.name, question, *map(str, rates))
    return table
