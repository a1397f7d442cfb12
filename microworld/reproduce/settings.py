"""What a cell is: which paths, which branches, which training, which test. Pure; what each stands for is told
where it is used.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from microworld.world.entities import Area
from ssui_gen.config_pairs import Recovery
from ssui_gen.records import STEP_NAMES
from ssui_gen.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]
PART = 4
"""Draws in one file of branches; more are more files, so that those of few are part of those of many."""
USUAL = {("rules", "known"), ("written", "truth")}
"""What goes without saying in the name of a file."""
EVERY_CUT = tuple(range(len(STEP_NAMES)))


class Keyed(Settings):
    """Settings that name a file."""

    def __hash__(self) -> int:
        return hash(key(self))


class OfArea(Settings):
    """Of a part of the world."""

    rules: Area = "known"
    """Those that the policy was taught, or some of which it was taught nothing."""

    @model_serializer(mode="wrap")
    def _told(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is usual goes without saying, so files of it keep the names that they always had."""
        told: dict[str, Any] = rest(self)
        return {name: value for name, value in told.items() if (name, value) not in USUAL}


class Data(OfArea):
    """Paths of training scenes (`paths`)."""

    seed: int
    paths: Annotated[int, Field(ge=1)] = 48
    risky: Share = 0.5
    harmless: Literal["twins", "alike", "swapped", "strangers"] = "twins"
    """Harmless paths. twins: of the risky ones, as far as there are enough. alike: the same, and what stands
    in the danger's place is what is most like it. swapped: each risky text under another risky path's
    picture. strangers: of scenes of their own."""
    wrong: Share = 0.0
    """Share of paths with a wrong step and the answer that follows from it."""
    reviewed: bool = False
    """A reviewer who finds 90 % of the wrong paths has thrown them out, and 5 % of the right ones."""
    written: Literal["truth", "agents"] = "truth"
    """By whom: by the truth, or as the agents write and accept them, with their own faults (`written`)."""

    @model_validator(mode="after")
    def _faults_of_one_source(self) -> Self:
        if self.written == "agents" and (self.wrong or self.reviewed):
            raise ValueError("written: agents have faults of their own: leave out wrong and reviewed")
        return self


class Drawn(Settings):
    """Branches of the bare policy (`branches`)."""

    temperature: Annotated[float, Field(gt=0)] = 0.5
    k: Annotated[int, Field(ge=1)] = 4
    """Draws for each cut."""
    cuts: tuple[int, ...] = EVERY_CUT
    told: bool = False
    """The policy's question says what the danger is, or that there is none."""

    @property
    def parts(self) -> tuple[Drawn, ...]:
        """These draws, at most PART at a time."""
        sizes = (min(PART, self.k - begun) for begun in range(0, self.k, PART))
        return tuple(self.model_copy(update={"k": size}) for size in sizes)


class Branches(Keyed):
    """A part of the branches of a data set."""

    data: Data
    drawn: Drawn
    part: int = 0
    off: Recovery | None = None
    """Those behind the wrong steps of all its branches."""


class Written(Keyed):
    """What the agents write for a data set (`written`)."""

    data: Data


class Agents(Keyed):
    """What the agents write and check of so many held-out scenes (`agents`)."""

    seed: int
    what: Literal["reflection", "checks"]
    pairs: Annotated[int, Field(ge=2)] = 192


class Test(OfArea):
    """Held-out pairs, and how often each is asked (`measuring`)."""

    seed: int
    each: Annotated[int, Field(ge=1)] = 200
    """Risky pairs, and as many harmless ones."""
    cool: Annotated[int, Field(ge=1)] = 2
    """Answers at temperature 0.5."""
    hot: Annotated[int, Field(ge=0)] = 0
    """Answers at temperature 1.0."""
    probes: Annotated[int, Field(ge=0)] = 0
    """Risky pairs that are gone on with from a wrong step 3, and pictures that are to be described."""
    told: bool = False
    """The question says what the danger is, or that there is none."""


class Cell(Keyed):
    """One training and what is measured of it; without data the bare policy."""

    test: Test
    data: Data | None = None
    drawn: Drawn | None = None
    supervision: Literal["outcome", "process"] = "outcome"
    """What F looks at. outcome: whether a branch ends right. process: whether every step of it is right, too
    (Uesato et al., arXiv 2211.14275); of the first round."""
    noise: Share = 0.0
    """Share of the branches whose verdict by F is turned round."""
    pairs: dict[str, Any] = Field(default_factory=dict)
    """Settings of `pairs`, as in run.yaml."""
    train: dict[str, Any] = Field(default_factory=dict)
    """Settings of the training, as in train/micro.yaml."""
    off: Recovery | None = None
    """Cuts behind wrong steps, as in run.yaml's `explore: {recovery: ...}`."""
    as_paths: Literal["chosen", "drawn"] | None = None
    """What is learnt by likelihood alone; there are no pairs. chosen: each chosen branch, beside the paths.
    drawn: all that was drawn from the root, whatever F says, and no path."""
    rewritten: bool = False
    """Pairs are what the truth makes of the branches that would be rejected, over these."""
    rounds: Annotated[int, Field(ge=1)] = 1
    """In each but the first, what was trained draws branches anew and is trained on, with pairs of all."""


def key(settings: Settings) -> str:
    """What tells these settings from all others: 12 hexadecimal digits."""
    told = json.dumps(settings.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:12]
