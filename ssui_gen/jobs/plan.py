"""What a job is to do, settled before the first call: settings, cards, prompts, seeds, folder.

Raises ConfigError or PromptError for anything wrong; asks no server and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from ssui_gen import yamls
from ssui_gen.agent import Agent
from ssui_gen.calling.calls import Calling
from ssui_gen.config import Card, Config, load_cards
from ssui_gen.errors import ConfigError
from ssui_gen.examples import EXAMPLES, Situation, load_examples
from ssui_gen.jobs.lots import check as check_lots
from ssui_gen.jobs.remembered import Memory, Stage, recall
from ssui_gen.manifest import Edition
from ssui_gen.prompts import Prompt, blob_id, home, load_prompts, rendered, rendered_files
from ssui_gen.records import Reason, Record, digest
from ssui_gen.replies import REPLIES
from ssui_gen.settings import parse
from ssui_gen.state import Context
from ssui_gen.wanting import NOTHING, PERSONAS, WANTED, Wanting, personas_file, wanting_of

AGENTS = {
    name: get_args(kind)[0].__name__
    for name, kind in get_type_hints(Context).items()
    if get_origin(kind) is Agent
}
"""The agents of the graph, and the reply type that each one's node reads."""
SEVERAL = "pictures"
"""The prompt that says how several pictures are to be looked at."""


@dataclass(frozen=True)
class Plan:
    """One job, fully resolved except for the served models' names."""

    run: Path
    seeds: Path | None
    """None means those the run was made of; of a new run, the drawn scenes of the microworld."""
    limit: int | None
    """Only the first so many seeds."""
    sample: int | None
    """Only so many seeds, drawn at random."""
    mix: bool
    """Go on although prompts, cards or models have changed."""
    config: Config
    config_file: Path | None
    home: Path
    """The folder that holds `agents/` and `prompts/`."""
    cards: dict[str, Card]
    prompts: dict[str, Prompt]
    examples: tuple[Situation, ...]
    toy: bool = False
    """Let the embedded micro VLM play though the pictures are no drawn scenes."""
    retry: frozenset[Reason] = frozenset()
    """Rejects of these reasons are tried again, though they are of the item."""
    wanting: Wanting = NOTHING
    """What is wanted of texts."""
    personas: Path | None = None
    """The file of who may ask."""

    def edition(self, models: Mapping[str, str]) -> Edition:
        """What the rows will be made with; `models` is role → served name."""
        files = {name: self.home / "agents" / f"{name}.yaml" for name in self.cards}
        return Edition(
            prompts={name: self.prompts[card.prompt].id for name, card in self.cards.items()},
            cards={name: blob_id(file.read_bytes())[:8] for name, file in files.items()},
            models=dict(models),
            rendered=rendered() | self._shown,
        )

    def agent(self, name: str, model: str, caller: Calling) -> Agent[Record]:
        """One agent; `model` is the served name of its role's model."""
        card = self.cards[name]
        prompt, reply, language = self.prompts[card.prompt], REPLIES[card.reply], self.config.language
        rest = (self.examples, self.prompts[SEVERAL])
        return Agent(name, card, prompt, model, reply, caller, language, *rest)

    @property
    def _shown(self) -> dict[str, str]:
        """What agents' prompts show beside what every prompt may."""
        pool = blob_id((self.home / "prompts" / EXAMPLES).read_bytes())[:8]
        told = {EXAMPLES: pool, "language": self.config.language, SEVERAL: self.prompts[SEVERAL].id}
        return told | self._wanted

    @property
    def _wanted(self) -> dict[str, str]:
        """How texts are steered; nothing where they are not."""
        settings = self.config.query
        if not settings.steers:
            return {}
        shown = {"query": digest(settings.asks)[:8], WANTED: self.prompts[WANTED].id}
        people = self.personas
        return shown | ({people.name: blob_id(people.read_bytes())[:8]} if people else {})

    @property
    def sources(self) -> dict[str, Path]:
        """What is kept word for word beside the rows."""
        folders = {name: self.home / name for name in ("agents", "prompts")} | rendered_files()
        more = {"run.yaml": self.config_file, PERSONAS: self.personas}
        return folders | {name: file for name, file in more.items() if file}


def resolve(
    *,
    run: Path,
    seeds: Path | None,
    limit: int | None,
    sample: int | None = None,
    mix: bool,
    config_file: Path | None,
    model: str | None,
    base_url: str | None,
    toy: bool = False,
    retry: Iterable[str] = (),
    spending: Mapping[str, Any] | None = None,
    stage: Stage = "dataset",
    say: Callable[[str], None] = lambda _: None,
) -> Plan:
    """Read everything a job needs; `model` and `base_url` (commas between replicas) win over the file, and
    that over what the run remembers for the `stage`, of which `say` hears.
    """
    check_lots(limit, sample)
    memory = recall(stage, run)
    config = configure(config_file, model, base_url, memory=memory, say=say, spending=spending)
    cards = load_cards(home() / "agents", config.models)
    cards = {name: card.writing(config.language) for name, card in cards.items()}
    prompts, examples = load_prompts(home() / "prompts"), load_examples(home() / "prompts" / EXAMPLES)
    for name, reply in AGENTS.items():
        _check(name, reply, cards, prompts)
    for name in (SEVERAL, WANTED):
        if name not in prompts:
            raise ConfigError(f"prompts/{name}.md: no such prompt; agents are told by it what is not usual")
    again = frozenset(map(Reason, retry))
    if config.query.texts > 1 and not cards["query"].sampling.temperature:
        raise ConfigError(
            f"query.texts: {config.query.texts}, and agents/query.yaml draws at temperature 0, so that all "
            "would be alike: set its temperature above 0, or texts: 1"
        )
    people = personas_file(config.query, home())
    wanting = wanting_of(config.query, prompts, people)
    rest = (mix, config, config_file, home(), cards, prompts, examples, toy, again, wanting, people)
    return Plan(run, seeds, limit, sample, *rest)


def _check(name: str, reply: str, cards: Mapping[str, Card], prompts: Mapping[str, Prompt]) -> None:
    """Raises ConfigError unless the agent has a card, its reply type and its prompt."""
    where = f"agents/{name}.yaml"
    if name not in cards:
        raise ConfigError(f"{where}: no such card; the graph needs {', '.join(AGENTS)}")
    if cards[name].reply != reply:
        raise ConfigError(
            f"{where}: reply: expected {reply}, which its node reads; got {cards[name].reply!r}"
        )
    if cards[name].prompt not in prompts:
        known = ", ".join(sorted(prompts))
        raise ConfigError(f"{where}: prompt: no prompts/{cards[name].prompt}.md (there are: {known})")


def configure(
    config_file: Path | None,
    model: str | None,
    base_url: str | None,
    *,
    memory: Memory | None = None,
    say: Callable[[str], None] = lambda _: None,
    adapter: str | None = None,
    policy: str | None = None,
    protocol: str | None = None,
    score: Sequence[str] | None = None,
    spending: Mapping[str, Any] | None = None,
    **serve: int | None,
) -> Config:
    """The settings of a file; what the command line says of the agents' model and of serving wins, and what
    neither says is as the `memory` of a run has it, of which `say` hears. `spending` holds limits, and the
    agents' prices.
    """
    said = yamls.read(config_file) if config_file else {}
    parse(Config, said, str(config_file))
    urls = addresses(base_url)
    where = str(config_file or "command line")
    whole = memory.beneath(said, model, urls) if memory else said
    data = parse(
        Config, whole, f"{where}, over what {memory.file} remembers" if memory else where
    ).model_dump()
    role = {"name": model, "base_urls": urls, "adapter": adapter}
    told = {key: value for key, value in (spending or {}).items() if value is not None}
    role["prices"] = told.pop("prices", None)
    data["limits"] |= told
    data["models"]["vlm"] |= {key: value for key, value in role.items() if value}
    if policy:
        data["models"]["policy"] = data["models"]["vlm"] | {"name": policy, "adapter": None}
    asked = {"protocol": protocol, "score": score}
    data["bench"] |= {key: value for key, value in asked.items() if value}
    data["vqa"] |= {"protocol": protocol} if protocol else {}
    data["serve"] |= {key: value for key, value in serve.items() if value is not None}
    config = parse(Config, data, where)
    for line in memory.lines(config, said, config_file) if memory else ():
        say(line)
    return config


def addresses(base_url: str | None) -> list[str]:
    """Of the servers that a command line names. Raises ConfigError."""
    return [_url(part.strip()) for part in (base_url or "").split(",") if part.strip()]


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ConfigError(f"--base-url: expected http://HOST:PORT/v1; got {text!r}")
    return text.rstrip("/")
