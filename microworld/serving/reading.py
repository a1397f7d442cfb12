"""Prompts read: what follows each, and the keys and values to go on from.

What a prompt has in common with what was read before is not read again (`prefixes`). Of prompts that come
together and begin alike, the first is read for all, and the others go on from there in the next wave.
Covers no choice of tokens and no rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from microworld.learning.cache import roomy
from microworld.serving.prefixes import BLOCK, Prefixes
from microworld.serving.rows import Prompt
from microworld.serving.sight import Sight

WORTH = 4
"""Blocks in common for which a prompt waits for another."""
MOST_TOGETHER = 16_384
"""Tokens read in one pass, padding included; a longer prompt is read alone."""


@dataclass(frozen=True)
class Begun:
    """A prompt and the blocks of it that are known."""

    prompt: Prompt
    held: list[torch.Tensor]

    @property
    def known(self) -> int:
        """Tokens."""
        return BLOCK * len(self.held)

    @property
    def new(self) -> int:
        """Tokens."""
        return len(self.prompt.ids) - self.known


@dataclass(frozen=True)
class Read:
    """A prompt that was read; keys and values have shape (layers, 2, heads, tokens, width)."""

    logits: torch.Tensor
    """Of what follows it, shape (vocabulary,)."""
    held: torch.Tensor
    new: torch.Tensor

    @property
    def past(self) -> torch.Tensor:
        """Of all its tokens."""
        return torch.cat([self.held, self.new], -2)


class Reader:
    """One model as a reader."""

    def __init__(self, model: Any, sight: Sight) -> None:
        self._model, self._sight = model, sight
        self._image: int = model.config.image_token_id
        self._prefixes = Prefixes()
        self._nothing = _nothing(model.config.get_text_config())

    def read(self, prompts: Sequence[Prompt]) -> dict[Prompt, Read]:
        """Each of them once; says of each how much of it was known."""
        found: dict[Prompt, Read] = {}
        while waiting := [prompt for prompt in prompts if prompt not in found]:
            for together in _alike(self._ready(waiting)):
                for begun, read in zip(together, self._forward(together), strict=True):
                    self._keep(begun, read)
                    found[begun.prompt] = read
        return found

    def _ready(self, prompts: Sequence[Prompt]) -> list[Begun]:
        """Those that nobody before them is about to read the beginning of; the first always is."""
        ready, under_way = [], set[bytes]()
        for prompt in prompts:
            held = self._prefixes.held(prompt.names)
            missing = prompt.names[len(held) :]
            if len(missing) < WORTH or missing[WORTH - 1] not in under_way:
                ready.append(Begun(prompt, held))
                under_way.update(missing)
        return ready

    def _forward(self, begun: Sequence[Begun]) -> Iterator[Read]:
        """All in one pass: what is known of each on the left, what is new on the right, each padded."""
        known, new = max(one.known for one in begun), max(one.new for one in begun)
        mask = torch.zeros(len(begun), known + new, dtype=torch.long)
        past = self._nothing.new_zeros(*self._nothing.shape[:2], len(begun), *self._shape(known))
        embeds = self._embedded(begun, new)
        for line, one in enumerate(begun):
            mask[line, known - one.known : known] = mask[line, known + new - one.new :] = 1
            past[:, :, line, :, known - one.known :] = torch.cat([self._nothing, *one.held], -2)
        cache = roomy(past, new)
        logits = self._model(
            inputs_embeds=embeds,
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0)[:, known:],
            past_key_values=cache,
            logits_to_keep=1,
        ).logits[:, -1]
        for line, one in enumerate(begun):
            of_line = cache.past[:, :, line]
            held = of_line[..., known - one.known : known, :]
            yield Read(logits[line], held, of_line[..., known + new - one.new :, :])

    def _shape(self, tokens: int) -> tuple[int, int, int]:
        """Of one layer's keys: (heads, tokens, width)."""
        return self._nothing.shape[2], tokens, self._nothing.shape[4]

    def _embedded(self, begun: Sequence[Begun], wide: int) -> torch.Tensor:
        """What is new of each for the language model, padded on the left; shape (prompts, wide, width)."""
        ids = torch.zeros(len(begun), wide, dtype=torch.long)
        for line, one in enumerate(begun):
            ids[line, wide - one.new :] = torch.tensor(one.prompt.ids[one.known :])
        embeds: torch.Tensor = self._model.get_input_embeddings()(ids)
        shown = ids == self._image
        unseen = [one.prompt.pictures if some else [] for one, some in zip(begun, shown.any(1), strict=True)]
        self._sight.look([picture for pictures in unseen for picture in pictures])
        for line, pictures in enumerate(unseen):
            if pictures:
                features = torch.cat([p.features for p in pictures if p.features is not None])
                embeds[line, shown[line]] = features[-int(shown[line].sum()) :]
        return embeds

    def _keep(self, begun: Begun, read: Read) -> None:
        begun.prompt.cached = begun.known
        count = len(begun.prompt.names) - len(begun.held)
        fresh = [read.new[..., BLOCK * i : BLOCK * (i + 1), :].clone() for i in range(count)]
        self._prefixes.keep(begun.prompt.names, [*begun.held, *fresh])


def _alike(begun: Sequence[Begun]) -> Iterator[list[Begun]]:
    """Prompts with about as many new tokens, since all are padded to the most."""
    together: list[Begun] = []
    for one in sorted(begun, key=lambda one: one.new):
        if together and (one.new > 2 * together[0].new or one.new * len(together) > MOST_TOGETHER):
            yield together
            together = []
        together.append(one)
    yield together


def _nothing(config: Any) -> torch.Tensor:
    """The keys and values of no tokens: shape (layers, 2, heads, 0, width)."""
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return torch.zeros(config.num_hidden_layers, 2, config.num_key_value_heads, 0, width)
