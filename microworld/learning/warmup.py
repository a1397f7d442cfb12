"""Dense warm-up of the vision tower and the projector: which thing covers which picture token.

Trained end to end on text a tower stays blind for very long; told the boxes it sees within minutes.
The two linear heads are thrown away afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import LlavaForConditionalGeneration

from microworld.draw.pool import Pool
from microworld.learning.model import GRID, PATCH, SIDE, TEXT_HIDDEN
from microworld.world.rules import world
from microworld.world.scene import Scene

BATCH = 64
MOST_THINGS = 5
SHRINK = 0.9
"""A silhouette does not fill its box: the part of a box's side that counts as covered."""
COVERED, CLEAR = 0.35, 0.08
"""Share of a token's area from which it counts as covered, and up to which as empty; between is ambiguous."""
IGNORED = -100
SETTLED = 4.0
"""Mean norm of a picture token once the warm-up is over."""
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
"""CLIP's normalisation, as the image processor does it."""


@dataclass(frozen=True)
class Truth:
    """Boxes (n, MOST_THINGS, 4) in shares of a side, thing and place numbers; -1 where no thing is."""

    boxes: Tensor
    things: Tensor
    places: Tensor


def truth_of(scenes: tuple[Scene, ...]) -> Truth:
    """What the pictures show, as tensors."""
    thing_ids, place_ids = list(world().things), list(world().places)
    boxes = torch.zeros(len(scenes), MOST_THINGS, 4)
    things = torch.full((len(scenes), MOST_THINGS), -1)
    for i, scene in enumerate(scenes):
        for j, placed in enumerate(scene.placed):
            boxes[i, j] = torch.tensor(placed.box)
            things[i, j] = thing_ids.index(placed.thing)
    return Truth(boxes, things, torch.tensor([place_ids.index(s.place) for s in scenes]))


def token_labels(boxes: Tensor, things: Tensor) -> Tensor:
    """(n, GRID * GRID) class of each picture token: 0 nothing, 1 + thing, IGNORED where it is ambiguous."""
    half = (boxes[..., 2:] - boxes[..., :2]) / 2 * SHRINK
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    edges = torch.arange(GRID + 1) / GRID
    spans = [_overlap(middle[..., a] - half[..., a], middle[..., a] + half[..., a], edges) for a in (0, 1)]
    share = spans[1][..., :, None] * spans[0][..., None, :] * (things >= 0)[..., None, None]
    best, which = share.max(1)
    thing = torch.gather(things, 1, which.flatten(1)) + 1
    labels = torch.where(best.flatten(1) >= COVERED, thing, IGNORED)
    return torch.where(best.flatten(1) <= CLEAR, 0, labels)


def _overlap(low: Tensor, high: Tensor, edges: Tensor) -> Tensor:
    """Share of each grid interval that [low, high] covers along one axis."""
    covered = torch.minimum(high[..., None], edges[1:]) - torch.maximum(low[..., None], edges[:-1])
    return covered.clamp(min=0) * GRID


def normalised(pixels: NDArray[np.uint8]) -> Tensor:
    """(n, 3, SIDE, SIDE) floats as the image processor makes them."""
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - MEAN) / STD


def augmented(
    pixels: NDArray[np.uint8], rng: np.random.Generator, flips: bool
) -> tuple[Tensor, float, float, bool]:
    """Pictures shifted, brightened and perhaps flipped, all in the same way; and that shift and flip."""
    dx, dy = (int(v) for v in rng.integers(-PATCH // 2, PATCH // 2 + 1, 2))
    flip = flips and bool(rng.random() < 0.5)
    padded = np.pad(pixels, ((0, 0), (PATCH, PATCH), (PATCH, PATCH), (0, 0)), mode="edge")
    moved = padded[:, PATCH - dy : PATCH - dy + SIDE, PATCH - dx : PATCH - dx + SIDE]
    shown = normalised(np.ascontiguousarray(moved[:, :, ::-1] if flip else moved))
    gain = torch.from_numpy(rng.uniform(0.9, 1.1, (len(pixels), 1, 1, 1))).float()
    return shown * gain, dx / SIDE, dy / SIDE, flip


def moved_boxes(boxes: Tensor, dx: float, dy: float, flip: bool) -> Tensor:
    """Where the boxes lie after `augmented`."""
    out = boxes + torch.tensor([dx, dy, dx, dy])
    return torch.stack([1 - out[..., 2], out[..., 1], 1 - out[..., 0], out[..., 3]], -1) if flip else out


def batches(count: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Endless batches of indices, each pass in another order."""
    while True:
        order = rng.permutation(count)
        yield from (np.sort(order[i : i + size]) for i in range(0, count - size + 1, size))


class Heads(nn.Module):
    """What the tower is asked during the warm-up."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Linear(TEXT_HIDDEN, len(world().things) + 1)
        self.place = nn.Linear(TEXT_HIDDEN, len(world().places))


@dataclass(frozen=True)
class Score:
    """Loss of one batch, and the shares of covered tokens and of places told right."""

    loss: Tensor
    covered: float
    place: float


class Warmup:
    """One warm-up: the model, its heads and the pictures."""

    def __init__(self, model: LlavaForConditionalGeneration, pool: Pool, seed: int = 0) -> None:
        self.model, self.pool, self.truth = model, pool, truth_of(pool.scenes)
        self.heads, self.rng = Heads().to(model.device), np.random.default_rng(seed)

    def parameters(self) -> list[nn.Parameter]:
        parts = (self.model.model.vision_tower, self.model.model.multi_modal_projector, self.heads)
        return [p for part in parts for p in part.parameters()]

    def score(self, rows: NDArray[np.int64], train: bool = True) -> Score:
        """Ask the heads about these pictures, augmented when training."""
        pixels = self.pool.pixels[rows]
        shown, *shift = augmented(pixels, self.rng, True) if train else (normalised(pixels), 0.0, 0.0, False)
        boxes = moved_boxes(self.truth.boxes[rows], *shift)  # type: ignore[arg-type]
        labels = token_labels(boxes, self.truth.things[rows]).to(self.model.device)
        places = self.truth.places[rows].to(self.model.device)
        seen = self.model.model.vision_tower(shown.to(self.model.device)).last_hidden_state[:, 1:]
        tokens = self.model.model.multi_modal_projector(seen)
        said, place = self.heads.token(tokens).float(), self.heads.place(tokens.mean(1)).float()
        loss = functional.cross_entropy(said.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
        loss = loss + 0.3 * functional.cross_entropy(place, places)
        right = said.argmax(-1) == labels
        covered = right[labels > 0].float().mean().item()
        return Score(loss, covered, (place.argmax(-1) == places).float().mean().item())

    def settle(self) -> None:
        """Centre the picture tokens, scale them to SETTLED and freeze them.

        A text model normalises what it reads: left free, the tokens' common part and their norm grow without
        end while they learn nothing (46 to 721 within twelve minutes, and captions stay wrong).
        """
        tower, projector = self.model.model.vision_tower, self.model.model.multi_modal_projector
        rows = np.arange(min(512, len(self.pool.scenes)))
        with torch.no_grad():
            pixels = normalised(self.pool.pixels[rows]).to(self.model.device)
            tokens = projector(tower(pixels).last_hidden_state[:, 1:])
            middle = tokens.mean((0, 1))
            scale = SETTLED / (tokens - middle).norm(dim=-1).mean()
            projector.linear_2.weight.mul_(scale)
            projector.linear_2.bias.sub_(middle).mul_(scale)
        for part in (tower, projector):
            part.requires_grad_(False)
