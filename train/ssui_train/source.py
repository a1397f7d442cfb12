"""The files of a run that a training reads: where they lie, what they were made with, why a row is left out.

`curated.jsonl` where people have looked, else `reasoning_paths.jsonl`; `branches.jsonl`, `pairs.jsonl`, the
pictures, and the prompt that the policy was explored with. Makes nothing of them (`data`).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from PIL.Image import Image

from ssui_gen.commands import MICRO, command, micro_folder
from ssui_gen.errors import ConfigError, ImageError
from ssui_gen.images import shown
from ssui_gen.jsonl import read, validate
from ssui_gen.manifest import PAIRS as EXPLORED
from ssui_gen.manifest import check_root, drawn_with, made_by_toy, pictures_of
from ssui_gen.prompts import Prompt, home, load_prompt
from ssui_gen.records import ImageRef, Reason, Record, Reject
from ssui_gen.run_files import BRANCHES, CURATED, NOT_EXPLORED, PAIRS, PATHS
from ssui_gen.settings import PIXELS
from ssui_train.config import SrpoConfig


class Why(StrEnum):
    """Why a path or a pair is not trained on. Closed: reports count by it."""

    ROW_INVALID = "row_invalid"
    DUPLICATE = "duplicate"
    PATH_NOT_KEPT = "path_not_kept"
    IMAGE_MISSING = "image_missing"
    IMAGE_CHANGED = "image_changed"
    IMAGE_REFUSED = "image_refused"
    IMAGE_TOO_THIN = "image_too_thin"
    IMAGE_OR_TEXT_UNFIT = "image_or_text_unfit"
    """The model's own processor refuses it."""
    MARK_AS_WORDS = "mark_as_words"
    """A mark of the chat template, or of a picture's place, is written in a text."""
    PREFIX_WITHOUT_BREAK = "prefix_without_break"
    """Made before prefixes ended with their line break."""
    NOT_A_PREFIX = "not_a_prefix"
    INSIDE_A_TOKEN = "inside_a_token"
    """The tokenizer makes one token of the prefix's end and the branch's beginning."""
    TEXT_CHANGED = "text_changed"
    """Tokenised and decoded it says something else."""
    CHOSEN_IS_REJECTED = "chosen_is_rejected"
    EMPTY_SPAN = "empty_span"
    EQUAL_SPANS = "equal_spans"
    """The tokens that count are the same on both sides: nothing would be learnt."""
    PATH_TOO_LONG = "path_too_long"
    BRANCH_TOO_LONG = "branch_too_long"
    TREE_TOO_LONG = "tree_too_long"
    NO_PAIR = "no_pair"
    IN_BENCHMARK = "in_benchmark"


class TrainReject(Record):
    """A row of `train_rejects.jsonl`."""

    what: Literal["path", "pair", "row", "branch", "group"]
    id: str
    path_id: str | None
    reason: Why
    detail: str


class Unfit(Exception):
    """A path or pair that cannot be trained on; caught where it is counted."""

    def __init__(self, reason: Why, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Source:
    """The files of a run that a training reads; raises ConfigError where there is nothing to read."""

    def __init__(self, config: SrpoConfig) -> None:
        self.run, self.config = config.run, config
        curated = self.run / CURATED
        self.curated = curated.exists()
        self.paths = curated if self.curated else self.run / PATHS
        if not self.paths.exists():
            raise ConfigError(f"{self.paths}: no such file: make it with `{command('dataset', self.run)}`")
        if config.objective.needs_pairs and not (self.run / PAIRS).exists():
            raise ConfigError(
                f"{self.run / PAIRS}: no such file: make it with `{command('pairs', self.run)}`, or train "
                "on the paths alone with `loss: sft`"
            )
        self.root = pictures_of(self.run, config.seeds)
        check_root(self.root, self.run)
        self.manifest = drawn_with(self.run)
        self._require_explored()
        self.limits = self.manifest.config.images
        self.pixels: int = config.max_pixels or _pixels(self.manifest.settings)
        """What the policy's processor scaled larger pictures to, where it does."""
        self.prompt = self._prompt()

    def _require_explored(self) -> None:
        """Raises ConfigError for one of our policies if another of them was explored. A served name says
        nothing of other models.
        """
        others = [name for name in MICRO if name != self.policy] if self.policy in MICRO else []
        if Path(self.config.model or "").resolve() in [micro_folder(name).resolve() for name in others]:
            raise ConfigError(
                f"{self.run}: its branches were drawn from {self.policy}, and {self.config.model} is another "
                f"model: train that one with `{command('train', self.run, POLICY=self.policy)}`"
            )

    def _prompt(self) -> Prompt:
        """The policy's prompt; raises ConfigError if the branches were drawn with another."""
        path = self.config.prompt or home() / "prompts" / "policy.md"
        prompt = load_prompt(path)
        used = self.manifest.last and self.manifest.last.prompts.get("policy")
        if used and used != prompt.id:
            raise ConfigError(
                f"{path}: this is {prompt.id}, but the policy was explored with {used}: name that file with "
                f"`prompt:` (git show {used.rpartition(':')[2]}), or explore anew"
            )
        return prompt

    def in_benchmark(self) -> dict[str, str]:
        """Paths that a benchmark holds, as exploration found (`leaks.bench`), and why."""
        found = (validate(Reject, line) for line in read(self.run / NOT_EXPLORED))
        return {row.seed_id: row.detail for row in found if row.reason == Reason.IN_BENCHMARK}

    @property
    def policy(self) -> str | None:
        """The served name of the model that was explored."""
        return self.manifest.last.models.get("policy") if self.manifest.last else None

    @property
    def told(self) -> bool:
        """Whether the paths are what the policy said where its question told the danger."""
        return bool(self.manifest.last and "told" in self.manifest.last.prompts)

    @property
    def toy(self) -> bool:
        """Whether a toy model made the paths or the branches."""
        return made_by_toy(self.run)

    def hashes(self) -> dict[str, str]:
        """sha256 of each file that is read, by name."""
        files = [path for path in (self.paths, self.run / BRANCHES, self.run / PAIRS) if path.exists()]
        return {path.name: _sha256(path) for path in files}

    def picture(self, ref: ImageRef) -> Image:
        """As exploration showed it; raises Unfit."""
        try:
            return shown(self.root, ref, self.limits)
        except ImageError as error:
            known = {why.value for why in Why}
            raise Unfit(Why(error.reason if error.reason in known else "image_refused"), str(error)) from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pixels(settings: dict[str, Any]) -> int:
    """What the policy was served with; raises ConfigError."""
    served = settings.get("serve", {})
    found = served.get("max_pixels", PIXELS) if isinstance(served, dict) else None
    if not isinstance(found, int) or found < 1:
        raise ConfigError(f"{EXPLORED}: serve.max_pixels: expected a number from 1; got {found!r}")
    return found
