"""Every setting of a run, with its one default; and the agents' cards.

A setting is used where it is named; how files become settings, and what is refused, stands in `settings`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from ssui_gen import yamls
from ssui_gen.branches import Level
from ssui_gen.config_models import ModelRole
from ssui_gen.config_pairs import Pairing, Recovery
from ssui_gen.config_query import Querying
from ssui_gen.config_roles import followed, with_usual_roles
from ssui_gen.config_serve import Serve
from ssui_gen.config_spending import Prices, Spending
from ssui_gen.config_trust import Alarms, Carding, Labelling
from ssui_gen.config_vqa import Vqa
from ssui_gen.dialect import Dialect
from ssui_gen.errors import ConfigError
from ssui_gen.guards import GuardWords
from ssui_gen.language import ENGLISH, MOST_TOKENS, Language, tokens_in
from ssui_gen.replies import REPLIES
from ssui_gen.settings import ImageLimits, OneOf, Settings, parse


class Sampling(Settings):
    """How a model draws its reply; the names are OpenAI's."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS)] = 1024
    """In English; in another language a reply may take more, `language.MORE_TOKENS` times."""
    seed: int | None = None


class Card(Settings):
    """One agent: a file of `agents/`. It may change words and sampling, never a type or the flow."""

    model: str = "vlm"
    """A role of `models` in the run's configuration."""
    prompt: str
    """Name of a file in `prompts/`, without its ending."""
    reply: Annotated[str, OneOf(tuple(REPLIES))]
    """The type of `ssui_gen/records.py` that the answer must be."""
    picture: bool = True
    """Whether the agent sees the picture."""
    sampling: Sampling = Sampling()
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Tries until the reply parses; each retry shows the model what was wrong."""
    label_logprobs: bool = False
    """Ask for token log-probabilities, so that the label comes with a probability."""
    examples: Annotated[int, Field(ge=0, le=20)] = 0
    """So many situations of `prompts/examples.yaml`; which part of each is shown, the prompt says."""

    def writing(self, language: str) -> Card:
        """The card of an agent that writes in `language`."""
        most = tokens_in(language, self.sampling.max_tokens)
        return self.model_copy(update={"sampling": self.sampling.model_copy(update={"max_tokens": most})})


class Limits(Spending):
    """How hard a run pushes, what it may spend, and when it gives up."""

    calls_in_flight: Annotated[int, Field(ge=1)] = 64
    """At once, at the start; from there steered by the servers' load. The most where no server tells it."""
    most_calls_in_flight: Annotated[int, Field(ge=1)] = 512
    """Steering never goes beyond this, nor does `ssui ctl concurrency`."""
    steer: bool = True
    """Whether calls in flight follow the servers' load (vLLM's /metrics, 429, 503), or stay as they are."""
    seeds_in_flight: Annotated[int, Field(ge=1)] = 96
    timeout_seconds: Annotated[float, Field(gt=0)] = 600.0
    tries_per_call: Annotated[int, Field(ge=1)] = 6
    """Attempts of one call at the network level, with growing pauses."""
    reflection_rounds: Annotated[int, Field(ge=1)] = 2

    @model_validator(mode="after")
    def _start_is_within(self) -> Limits:
        if self.calls_in_flight > self.most_calls_in_flight:
            raise ValueError(
                f"calls_in_flight is {self.calls_in_flight}, more than most_calls_in_flight "
                f"({self.most_calls_in_flight}): lower the first or raise the second"
            )
        return self


class Explore(Settings):
    """How branches are drawn from the policy; k and temperature are RPO's (arXiv 2410.10858)."""

    k: Annotated[int, Field(ge=1, le=128)] = 10
    """Draws for each cut; adaptive: on average at most."""
    temperature: Annotated[float, Field(gt=0, le=2)] = 0.5
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1, le=32768)] = 768
    """Of a branch; one that is longer is cut off, and unverified."""
    form: Literal["free", "regex"] = "free"
    """regex: the server holds branches to six numbered lines and an answer, where it can; for policies that
    never write them by themselves. Pairs then teach no form."""
    adaptive: bool = True
    """Stop a cut when it has both kinds or little hope, and spend what that spared where one lacks."""
    enough: Annotated[int, Field(ge=1)] = 1
    """Good ones and bad ones that are enough for a cut."""
    round: Annotated[int, Field(ge=1)] = 4
    """Draws of a request at least; it asks for as many as what lacks is expected to take."""
    most_per_cut: Annotated[int, Field(ge=1)] = 20
    """Draws, those spared by other cuts and other paths included."""
    patience: Annotated[float, Field(gt=0)] = 24.0
    """Draws that the kind that lacks may be expected to take; a cut that would take more is given up, once
    its path has a pair."""
    alike: Annotated[float, Field(gt=0, le=1)] | None = 0.9
    """From this likeness on two answers of a path say the same, and the second is not judged where it would
    add to a kind that its cut has. null: all are judged; so they are where F asks for the first bad step."""
    most_n: Annotated[int, Field(ge=1)] = 128
    """Draws in one call, where the server can make several."""
    recovery: Recovery = Recovery()


FormRule = Literal["readable", "strict"]
"""Which form a branch must have to be judged: any that can be read, or the very form that was asked for."""
WayName = Literal["label", "contains", "mcq", "judge", "first_bad_step", "guard"]
"""The ways of F; what each does stands in `ssui_gen/verifying/ways.py`."""

BenchQuestion = Literal[
    "grounded", "path_safe", "path_effective", "first_bad", "answer_safe", "answer_helpful", "refusal"
]
"""What RSBench asks about a response; what each means stands in `ssui_gen/judging/questions.py`."""
ScoreName = Literal["rsbench", "official", "copsd"]
"""By which rules: the questions above, those of a benchmark itself, those of COPSD's harness."""


class Judging(Settings):
    """How a model is asked to pick an option about a response, and when it is believed."""

    doubt: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """A verdict whose probability is so near to where another one begins is a coin flip, and no verdict."""
    orders: Literal["when_unsure", "both"] = "when_unsure"
    """In which orders a model is shown its options: in one, drawn by what it is shown, and in the other where
    the first was not sure, and for a tenth of the responses in any case, so that what order does is known."""
    sure: Annotated[float, Field(gt=0.5, le=1)] = 0.9
    """From which probability of one option on a first order is sure."""
    least_mass: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Below it the model did not answer the question."""
    most_gap: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Beyond it the model's two orders contradict each other."""


class Verify(Judging):
    """F: which branches reach the right end."""

    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """From which probability on a model's verdict is good."""
    by: Annotated[tuple[WayName, ...], Field(min_length=1)] = ("label", "judge")
    """Asked in this order, until the rest can change nothing."""
    mode: Literal["all", "any"] = "all"
    level: Level = "outcome"
    """What is good or bad: the whole branch by its end, or its first step alone (only `first_bad_step`)."""
    form: FormRule = "readable"
    """readable: a branch that cannot be read as six steps and an answer is unverified. strict: one that is
    not written as the prompt asks is bad; then pairs teach form, too."""
    guard: GuardWords = GuardWords()

    @model_validator(mode="after")
    def _steps_are_judged_by_steps(self) -> Verify:
        if self.level == "step" and self.by != ("first_bad_step",):
            raise ValueError(
                f"level step wants by: [first_bad_step], the one way that judges steps; by is {list(self.by)}"
            )
        return self


class Bench(Judging):
    """RSBench: how the model under test is asked, and the judge about what it says."""

    protocol: Literal["as_is", "six_steps", "think"] = "six_steps"
    """The question alone; as a policy is explored and trained (prompts/policy.md); asked to think first."""
    draws: Annotated[int, Field(ge=1, le=64)] = 1
    """Responses to each item."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1, le=131072)] = 2048
    """Of a response, thoughts included: more for models that think long."""
    seed: int = 0
    """Of the first draw; the next has the next."""
    questions: Annotated[tuple[BenchQuestion, ...], Field(min_length=1)] = get_args(BenchQuestion)
    score: Annotated[tuple[ScoreName, ...], Field(min_length=1)] = ("rsbench", "official")
    orders: Literal["when_unsure", "both"] = "both"


class Leaks(Settings):
    """What no pair may hold: the benchmarks that the trained model will be measured with."""

    bench: tuple[str, ...] = ()
    """Files of rows (JSONL, JSON, CSV, Parquet), folders of these and of pictures, or datasets on disk."""
    picture_bits: Annotated[int, Field(ge=0, le=255)] = 10
    """Two pictures are the same if their perceptual hashes differ in so many of 255 bits at most."""
    text_likeness: Annotated[float, Field(gt=0, le=100)] = 90.0
    """Two texts are the same from so much per cent of their letters on (Levenshtein's indel ratio)."""


class Config(Settings):
    """One run. `run.yaml` changes what it names; everything else stands here."""

    models: Annotated[dict[str, ModelRole], BeforeValidator(with_usual_roles)] = Field(
        {}, validate_default=True
    )
    """Which model plays which role; `vlm` plays the agents, and every role of the usual ones is there."""
    language: Language = ENGLISH
    """In which agents write; the policy writes in the question's, a judge minds none."""
    serve: Serve = Serve()
    twins: bool = True
    """Make a benign twin of each seed that does not name its kind."""
    query: Querying = Querying()
    images: ImageLimits = ImageLimits()
    limits: Limits = Limits()
    explore: Explore = Explore()
    labelling: Labelling = Labelling()
    card: Carding = Carding()
    alarms: Alarms = Alarms()
    verify: Verify = Verify()
    pairs: Pairing = Pairing()
    leaks: Leaks = Leaks()
    bench: Bench = Bench()
    vqa: Vqa = Vqa()

    @model_validator(mode="after")
    def _likes_are_there(self) -> Config:
        for name in self.models:
            self.player(name)
        return self

    @model_validator(mode="after")
    def _wrong_steps_are_told(self) -> Config:
        told = self.pairs.first_bad != "known" or "first_bad_step" in self.verify.by
        if self.explore.recovery.cuts and not told:
            raise ValueError(
                "explore.recovery begins behind the step in which a branch first goes wrong, and nobody says "
                "which that is: set pairs: {first_bad: ask} or {first_bad: labels}, or take first_bad_step "
                "into verify.by"
            )
        return self

    def player(self, role: str) -> str:
        """The role whose model plays `role`: itself, or the one it is like, or that one is like."""
        return followed({name: settings.like for name, settings in self.models.items()}, role)

    def prices(self, role: str) -> Prices:
        """Of the model that plays `role`."""
        return self.models[self.player(role)].prices

    def dialect(self, role: str) -> Dialect:
        """How the server of the model that plays `role` wants to be asked."""
        return self.models[self.player(role)].dialect


def load_config(path: Path) -> Config:
    """Read a run's configuration."""
    return parse(Config, yamls.read(path), str(path))


def load_cards(folder: Path, roles: dict[str, ModelRole]) -> dict[str, Card]:
    """Read every card of `folder`, by agent name; raises ConfigError for an unknown role or reply type."""
    cards = {path.stem: parse(Card, yamls.read(path), str(path)) for path in sorted(folder.glob("*.yaml"))}
    for name, card in cards.items():
        if card.model not in roles:
            raise ConfigError(
                f"{folder / name}.yaml: model: no role {card.model!r} in the run's configuration "
                f"(roles: {', '.join(sorted(roles))})"
            )
    return cards
