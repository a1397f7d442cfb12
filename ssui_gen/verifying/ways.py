"""The registry of F: each way by its name, the role whose model it asks, and how it is made for a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ssui_gen.calling.pictures import Picture
from ssui_gen.config import Verify, WayName
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.job import Job
from ssui_gen.judging.choosing import JudgeModel
from ssui_gen.prompts import Prompt
from ssui_gen.records import ImageRef
from ssui_gen.verifying.first_bad_step import FirstBadStep
from ssui_gen.verifying.guard import Guard
from ssui_gen.verifying.judge import Judge
from ssui_gen.verifying.matching import contains, label, mcq
from ssui_gen.verifying.verify import Verifier

SEES = ("sees_pictures", "room")


class Way(NamedTuple):
    """One way of F."""

    make: Callable[[JudgeModel, Verify], Verifier]
    role: str
    needs: tuple[str, ...] = ()
    """What that role's model must be able to do."""


PURE: Mapping[str, Verifier] = {"label": label, "contains": contains, "mcq": mcq}
ASKING: Mapping[str, Way] = {
    "judge": Way(Judge, "judge", SEES),
    "first_bad_step": Way(FirstBadStep, "judge", SEES),
    "guard": Way(Guard, "guard", ("room",)),
}


JUDGE = "judge"
"""The prompt of every way that is shown options."""
IN_ORDERS = ("judge", "first_bad_step")
"""Those that are shown options in an order."""


def roles_of(names: Iterable[str]) -> list[str]:
    """The roles that these ways ask, each once."""
    return list(dict.fromkeys(ASKING[name].role for name in names if name in ASKING))


def needs_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By role, what these ways need of its model."""
    return {ASKING[name].role: ASKING[name].needs for name in names if name in ASKING and ASKING[name].needs}


def prompt_of(name: str, settings: Verify, prompts: Mapping[str, Prompt]) -> Prompt | None:
    """The prompt of a way that asks; raises ConfigError for a guard's prompt that is not there."""
    wanted = settings.guard.prompt if name == "guard" else JUDGE
    if wanted is None or name not in ASKING:
        return None
    if wanted not in prompts:
        raise ConfigError(f"verify.guard.prompt: no prompts/{wanted}.md (there are: {', '.join(prompts)})")
    return prompts[wanted]


def ways(
    names: Iterable[WayName],
    job: Job,
    settings: Verify,
    prompts: Mapping[str, Prompt],
    picture_of: Callable[[ImageRef], Picture],
) -> dict[str, Verifier]:
    """The ways by name, ready to be used; the job's models have been probed."""

    def made(name: str) -> Verifier:
        if name in PURE:
            return PURE[name]
        way = ASKING[name]
        caller, model = job.callers[way.role], job.models.names[way.role]
        sees = job.features[way.role].sees_pictures is not False
        return way.make(
            JudgeModel(caller, model, prompt_of(name, settings, prompts), picture_of, sees), settings
        )

    return {name: made(name) for name in names}
