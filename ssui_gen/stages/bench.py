"""bench.jsonl → responses, judgements and scores: the model under test and the run's adapter, side by side.

Which benchmark it is stands in `benching.sources`, the work on one model in `benching.entry`, its order in
`benching.phases`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple, get_args

from rich.console import Console

from ssui_gen.benching.announcing import tell_of, tell_rules
from ssui_gen.benching.answering import PROMPTS, Tested
from ssui_gen.benching.bench import Bench, first_scenarios
from ssui_gen.benching.edition import Makers, edition_of
from ssui_gen.benching.entry import Entry, Scoring, folder_name
from ssui_gen.benching.forecast import forecast
from ssui_gen.benching.judged import Judge
from ssui_gen.benching.official.asking import PROMPT, Scorer
from ssui_gen.benching.official.shape import Official
from ssui_gen.benching.phases import carried_out
from ssui_gen.benching.players import weights_of
from ssui_gen.benching.sources import Source, find
from ssui_gen.benching.theirs import is_judged, protocols_of
from ssui_gen.benching.vqa.asking import as_questions, fixed
from ssui_gen.benching.vqa.marking import Marker
from ssui_gen.calling.asking import Sample
from ssui_gen.calling.pictures import Pictures
from ssui_gen.config import Config, ScoreName
from ssui_gen.errors import ConfigError, ImageError, NothingMade
from ssui_gen.files import atomic_write
from ssui_gen.images import data_url, file_url
from ssui_gen.jobs.dry import Todo, tell, tried
from ssui_gen.jobs.forecast import TRIED
from ssui_gen.jobs.job import Job, Outcome, opened
from ssui_gen.jobs.lots import drawn
from ssui_gen.jobs.part import Witness
from ssui_gen.jobs.progress import Funnel, saying
from ssui_gen.jobs.rundir import RunDir
from ssui_gen.jsonl import as_line
from ssui_gen.judging.choosing import JudgeModel
from ssui_gen.manifest import RUN, Edition, read_manifest
from ssui_gen.prompts import Prompt, rendered
from ssui_gen.records import Reason
from ssui_gen.run_files import REJECTS
from ssui_gen.serving.vllm_model import about_adapter

SCORES = get_args(ScoreName)
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

    def asking(self, bench: Bench) -> Plan:
        """As a benchmark of this kind is asked."""
        return self if is_judged(bench.name) else self._replace(config=as_questions(self.config))

    def edition(self, bench: Bench) -> Edition:
        """What the rows of a model are made with, but for the models' names."""
        names = ("judge", PROMPT) if is_judged(bench.name) else ()
        rubrics = [self.prompts[name].id for name in names] or ["", ""]
        makers = Makers("", "", self.prompt.id if self.prompt else "", *rubrics)
        made = edition_of(bench, self.config.bench, makers, rendered())
        cards = made.cards | ({} if names else fixed(self.config.vqa))
        return made.model_copy(update={"models": {}, "cards": cards})


class Part(NamedTuple):
    """One part of a benchmark's run."""

    bench: Bench
    """The items of this part, under the hash of all."""
    folder: str
    """What it is called in a run."""
    witness: Witness


class Done(NamedTuple):
    """How a job ended."""

    outcome: Outcome
    folders: list[Path]
    """Of each model."""
    failed: int
    """Calls that the same command tries again."""


async def make_bench(plan: Plan, console: Console, part: Part | None = None) -> Done:
    """Do what is left of `plan`, or of a `part` of it. Raises ConfigError for a benchmark that cannot be run
    or rows of another make, and as `make_pairs` does.
    """
    async with _ready(plan, console, part=part) as (job, entries):
        if part:
            made = {f"{entry.folder.name}/{RUN}": read_manifest(entry.folder / RUN) for entry in entries}
            part.witness.edition(made, plan.run / "used")
        funnel = Funnel()
        for entry in entries:
            entry.begin(plan.retry, funnel)
        saying(console)(str(forecast(entries)))
        outcome = await carried_out(job, entries, funnel, console)
        failed = sum(entry.failed for entry in entries)
    return Done(outcome, [entry.folder for entry in entries], failed)


async def foresee(plan: Plan, console: Console) -> None:
    """Say what is left to ask, and what that will take, from a few items that are really asked about. Raises
    as `make_bench` does, and NothingMade where no item is left to answer.
    """
    say = saying(console)
    async with _ready(plan, console, dry=True) as (job, entries):
        for entry in entries:
            entry.begin((), Funnel())
        say(str(forecast(entries)))
        left = [(entry, item, draws) for entry in entries for item, draws in entry.unanswered()]
        if not left:
            raise NothingMade(f"{plan.run}: every item has its responses; what is left is said above")
        some = drawn(left, TRIED, lambda one: f"{one[0].tested.name} {one[1].id}")
        results, pace = await tried(some, lambda one: one[0].attempt(one[1], one[2]))
        draws = sum(len(one[2]) for one in left)
        tell(job, results, pace, Todo("items", len(left), draws, "responses"), say)


@asynccontextmanager
async def _ready(
    plan: Plan, console: Console, dry: bool = False, part: Part | None = None
) -> AsyncIterator[tuple[Job, list[Entry]]]:
    """The models, known to do what is asked, and each measured one's rows; `dry`: what is to be made of them
    is checked and not recorded.
    """
    say = saying(console)
    async with AsyncExitStack() as open_:
        open_.enter_context(RunDir(plan.run, "bench"))
        folder, bench = _found(plan, part)
        plan = plan.asking(bench)
        rules = _rules(plan, bench)
        tell_of(bench, say)
        tell_rules(rules, plan.config.bench, say)
        roles = [*plan.tested, *_judges(bench)]
        job = await open_.enter_async_context(
            opened(plan.run, plan.config, roles, bench.root, console, plan.toy, part and part.witness)
        )
        await _probe(job, plan, bench, say)
        making = _Making(plan, job, bench, rules, folder, dry, part and part.witness)
        yield job, [_entry(making, role, open_) for role in plan.tested]


def _found(plan: Plan, part: Part | None) -> tuple[Path, Bench]:
    """The folder of the benchmark in the run, and what of it is to be asked."""
    if part:
        return plan.run / part.folder, part.bench
    asked = (plan.data, plan.config.images, plan.mix, plan.config.vqa)
    folder, bench = find(Source(plan.run, plan.bench, *asked))
    return folder, first_scenarios(bench, plan.limit)


def _rules(plan: Plan, bench: Bench) -> list[Official]:
    """The benchmark's own rules that score responses. Raises ConfigError where nothing scores them."""
    wanted = plan.config.bench.score
    found = protocols_of(bench.name, wanted)
    if not found and "rsbench" not in wanted:
        known = ", ".join(["rsbench", *(one.name for one in protocols_of(bench.name, SCORES))])
        raise ConfigError(f"bench: score: {bench.name} is scored by {known}; got {', '.join(wanted)}")
    return found


async def _probe(job: Job, plan: Plan, bench: Bench, say: Callable[[str], None]) -> None:
    sees = ("sees_pictures",) if any(item.images for item in bench.items) else ()
    judges = _judges(bench)
    needs = dict.fromkeys(plan.tested, sees) | dict.fromkeys(judges, (*sees, "room"))
    wanted = [*(["logprobs"] if judges else []), "file_urls", "uuid", "priority"]
    await job.probe(
        _sample(plan, bench), needs, [*wanted, *(["n"] if plan.config.bench.draws > 1 else [])], say
    )
    names, clients = job.models.names, job.models.clients
    if judges and clients["judge"] is clients["policy"] and names["judge"] == names["policy"]:
        say(SELF)


def _judges(bench: Bench) -> tuple[str, ...]:
    return ("judge",) if is_judged(bench.name) else ()


def _sample(plan: Plan, bench: Bench) -> Sample | None:
    """The first picture that can be used, and how many any item has at most."""
    limits, most = plan.config.images, max(len(item.images) for item in bench.items)
    for image in chain.from_iterable(item.images for item in bench.items):
        try:
            sent = data_url(bench.root, image, limits), file_url(bench.root, image, limits)
            return Sample(*sent, most)
        except ImageError:
            continue
    return None


# --- one model's part ------------------------------------------------------------------------------


class _Making(NamedTuple):
    """What all models under test share."""

    plan: Plan
    job: Job
    bench: Bench
    rules: Sequence[Official]
    folder: Path
    dry: bool
    witness: Witness | None


def _entry(making: _Making, role: str, open_: AsyncExitStack) -> Entry:
    """A model's folder, opened under the edition that its rows are to have. Raises ConfigError."""
    plan, job, bench, _, folder, dry, witness = making
    pictures = Pictures(bench.root, plan.config.images, plan.config.limits.seeds_in_flight)
    tested = _tested(plan, job, role, pictures)
    place, settings = folder / folder_name(tested.name), plan.config.bench
    home = open_.enter_context(RunDir(place))
    judge, scorers = _scoring(making, pictures)
    entry = Entry(tested, judge, scorers, settings, bench, place, open_, witness)
    made = _edition(plan, bench, entry)
    if dry:
        home.check(made, entry.rows, plan.mix)
        return entry
    home.open_edition(
        made,
        rows=entry.rows,
        mix=plan.mix,
        settings=plan.config.model_dump(mode="json"),
        features={role: job.features[role].model_dump() for role in (role, *_judges(bench))},
        sources={},
        toy=job.toy,
    )
    atomic_write(place / REJECTS, b"".join(map(as_line, bench.rejects)))
    return entry


def _scoring(making: _Making, pictures: Pictures) -> tuple[Judge | None, list[Scoring]]:
    """The judge, and the benchmark's own rules; words alone score where nobody judges."""
    plan, job = making.plan, making.job
    if not _judges(making.bench):
        return None, [Marker()]
    asked = JudgeModel(job.callers["judge"], job.models.names["judge"], plan.prompts["judge"], pictures.of)
    official = asked._replace(prompt=plan.prompts[PROMPT])
    return Judge(asked, plan.config.bench), [Scorer(one, official) for one in making.rules]


def _tested(plan: Plan, job: Job, role: str, pictures: Pictures) -> Tested:
    served = job.models.names[role]
    told = plan.config.models[plan.config.player(role)].adapter
    weights = weights_of(about_adapter(told).folder) if told else ""
    return Tested(
        name=f"{served}-{weights[:6]}" if weights else served,
        served=served,
        caller=job.callers[role],
        prompt=plan.prompt,
        by_n=job.features[role].most_n >= plan.config.bench.draws,
        picture_of=pictures.of,
        weights=weights,
    )


def _edition(plan: Plan, bench: Bench, entry: Entry) -> Edition:
    models = {"policy": entry.tested.name} | ({"judge": entry.by.asked.model} if entry.by else {})
    return plan.edition(bench).model_copy(update={"models": models})
