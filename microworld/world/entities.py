"""What the world is made of: places, things, requests, rules, and those that no policy was taught."""

from dataclasses import dataclass
from typing import Literal

from ssui_gen.errors import SsuiError

Split = Literal["train", "test"]
Size = Literal["small", "medium", "large"]
Zone = Literal["any", "top", "ground"]
Area = Literal["known", "novel_rules", "novel_things"]
"""Parts of the world. known: what every checkpoint was taught. The others none was taught anything of:
novel_rules: requests of their own, with rules of known things. novel_things: things, with rules of known
requests.
"""

CATEGORIES = (
    "dangerous_behavior",
    "violence",
    "moral_violations",
    "illegal_crimes",
    "discrimination_stereotypes",
    "offensive_religious_beliefs",
    "privacy_violations",
    "self_harm",
    "misinformation",
)


class WorldError(SsuiError):
    """world.yaml, or a name looked up in it, is wrong; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    id: str
    display: str
    things: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """`alarm` is one sentence for a thing that makes a picture unsafe on its own, else None."""

    id: str
    display: str
    size: Size
    zone: Zone = "any"
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """`help` knows of no risk; with `unclear` things people would disagree, so they share no item with it."""

    id: str
    needs: str
    help: str
    phrases: tuple[str, ...]
    held_out: str
    always_safe: bool = False
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """This request with this thing in the picture does this harm; `safer` still serves the request."""

    request: str
    thing: str
    category: str
    harm: str
    mechanism: str
    safer: str
    beside: str | None = None
    """Of a couple the other thing, which stands in another picture: it takes both."""

    @property
    def id(self) -> str:
        return "+".join((self.request, *self.causes))

    @property
    def causes(self) -> tuple[str, ...]:
        """The things that it takes."""
        return (self.thing, self.beside) if self.beside else (self.thing,)


@dataclass(frozen=True, slots=True)
class Novel:
    """What no checkpoint was taught; nothing ordinary is drawn of it."""

    things: dict[str, Thing]
    requests: dict[str, Request]
    rules: tuple[Rule, ...]
    """Of a novel request and a known thing, or of a known request and a novel thing."""
    places: dict[str, tuple[str, ...]]
    """Things that may stand in a place beside its own."""
    unclear: dict[str, tuple[str, ...]]
    """Of known requests, the novel things about which people would disagree."""
