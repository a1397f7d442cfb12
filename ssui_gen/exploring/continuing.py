"""How a policy is asked to go on: system, pictures, question, and a path's first steps as its own words."""

from __future__ import annotations

from typing import Any, NamedTuple

from ssui_gen.branching import prefix_at
from ssui_gen.calling.calls import Caller, Request
from ssui_gen.calling.pictures import Shown
from ssui_gen.completions import Choice
from ssui_gen.config import Explore
from ssui_gen.prompts import Prompt, policy_prompt
from ssui_gen.reading import rest_of_path
from ssui_gen.records import ReasoningPath, row_id


class Policy(NamedTuple):
    """The model that is to be trained, and what its server can do."""

    caller: Caller
    model: str
    prompt: Prompt
    most_n: int
    """Draws that its server makes in one call; 1: each is a call of its own."""
    token_ids: bool
    """Whether the server reports them."""
    echoes: bool = False
    """Whether it repeats a prefix before what it writes."""

    def written(self, choice: Choice, draw: Draw) -> Choice:
        """What it wrote itself."""
        if not (self.echoes and choice.text.startswith(draw.prefix)):
            return choice
        return choice.model_copy(update={"text": choice.text.removeprefix(draw.prefix)})


class Draw(NamedTuple):
    """Where to go on, how often, and the sampling seed."""

    path: ReasoningPath
    cut: int
    n: int
    seed: int
    lead: str | None = None
    """So many steps that are not the path's."""

    @property
    def prefix(self) -> str:
        """The first `cut` steps, with their line break."""
        return prefix_at(self.path.steps, self.cut) if self.lead is None else self.lead


def seed_after(path: ReasoningPath, cut: int, drawn: int) -> int:
    """The sampling seed of the request that follows so many draws at a cut."""
    return int(row_id(path.id, str(cut), str(drawn)), 16) % 2**31


def continuation(policy: Policy, settings: Explore, draw: Draw, pictures: Shown) -> Request:
    """The request for `n` branches of this policy."""
    return going_on(policy.prompt, policy.model, settings, draw, pictures, token_ids=policy.token_ids)


def going_on(
    prompt: Prompt, model: str, settings: Explore, draw: Draw, pictures: Shown, *, token_ids: bool
) -> Request:
    """At the root a policy begins its answer, else it goes on with it."""
    system, user = policy_prompt(prompt, draw.path.query.text)
    content: Any = [*pictures.placeholders, {"type": "text", "text": user}]
    messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
    body: dict[str, Any] = {"model": model, "messages": messages}
    if draw.cut:
        messages.append({"role": "assistant", "content": draw.prefix})
        body |= {"add_generation_prompt": False, "continue_final_message": True}
    body |= {"temperature": settings.temperature, "top_p": settings.top_p, "seed": draw.seed}
    body |= {"max_tokens": settings.max_tokens, "n": draw.n}
    if settings.form == "regex":
        body |= {"structured_outputs": {"regex": rest_of_path(draw.cut)}}
    body |= {"return_token_ids": True} if token_ids else {}
    return Request("policy", body, pictures.parts, pictures.affinity, draw.cut)
