"""Every setting of a training, with its one default, what it means and where the default comes from.

[SRPO] arXiv 2509.12060, [RPO] arXiv 2410.10858 and its code, the ancestor whose settings stand wherever SRPO
does not say; a default without either is ours. A setting is used where it is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from ssui_gen import yamls
from ssui_gen.errors import ConfigError
from ssui_gen.settings import OneOf, Settings, parse
from ssui_train.loss import LOSSES, USUAL, Norm, Objective, Span, Target

Weights = Literal["question", "step", "pair"]
Packing = Literal["tree", "none"]
Attention = Literal["auto", "paths", "mask", "eager"]
Positive = Annotated[int, Field(ge=1)]
FILE = "srpo.yaml"
"""The resolved settings, beside the adapter."""


class Lora(Settings):
    """The adapter's shape; it never touches the vision tower or the projector."""

    rank: Positive = 8
    """[RPO] r."""
    alpha: Positive | None = None
    """Scale; absent: twice the rank [RPO]."""
    targets: tuple[str, ...] | Literal["all-linear"] = ("q_proj", "v_proj")
    """[RPO] Which linear layers of the language model, by the end of their names."""


class SrpoConfig(Settings):
    """One training. A YAML file changes what it names; everything else stands here."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    # --- what is trained, and on what
    model: str | None = None
    """Hub name or folder of the policy: the model whose branches were explored."""
    adapter: Path | None = None
    """Begin with this LoRA adapter of the model, instead of a fresh one."""
    run: Path = Path("outputs/demo")
    """Folder of the run: curated.jsonl or reasoning_paths.jsonl, branches.jsonl, pairs.jsonl. Or its URL on
    an object store, which is copied to `outputs/`."""
    seeds: Path | None = None
    """Where the pictures lie, a URL where the run is one; absent: `seeds` of the run."""
    output: Path | None = None
    """Where the adapter goes; absent: `adapter` of the run."""
    prompt: Path | None = None
    """How the policy is asked; absent: prompts/policy.md. It must be the one it was explored with."""
    max_pixels: Positive | None = None
    """What the processors of Qwen2-VL and Qwen2.5-VL scale larger pictures to; absent: what the policy was
    explored with (`serve.max_pixels` in the run's pairs.json)."""
    limit: Positive | None = None
    """Only the first so many paths, those with pairs before others."""

    # --- the loss (train/ssui_train/loss.py); null is the loss's own default
    loss: Annotated[str, OneOf(tuple(LOSSES))] = "srpo"
    """[SRPO], or a baseline on the same pairs; `grpo` on the same branches."""
    lam: Annotated[float | None, Field(ge=0, alias="lambda")] = None
    """λ, the weight of the pairs; srpo 0.3 [SRPO, RPO]."""
    beta: Annotated[float, Field(gt=0)] | None = None
    """β of dpo, step_dpo, cpo and simpo."""
    gamma: Annotated[float, Field(ge=0)] | None = None
    """γ of simpo."""
    ref_target: Target | None = None
    """Whose likelihood is raised: srpo `reference` [SRPO]; `chosen` is what RPO's code does."""
    span: Span | None = None
    """Which tokens of a branch count: srpo `suffix`, all after the cut; `diverging` is RPO's; `error` (ours):
    on both sides the steps up to the one in which the rejected branch first goes wrong, as `first_bad` of its
    pair says; without it all after the cut."""
    norm: Norm | None = None
    """A span's log-probability: srpo `mean` over its tokens [RPO]; with `sum` the odds lose their meaning."""
    group_cap: Positive | None = None
    """Pairs of an example in one visit, drawn anew each epoch; RPO 8. Absent: all, cheap in a tree."""
    weights: Weights = "question"
    """What counts alike in λ's term: questions, their steps, or single pairs [RPO: pairs of one question]."""

    # --- rows
    packing: Packing = "tree"
    """`tree`: one row an example, each shared prefix once. `none`: a row a continuation, the oracle."""
    trees_per_row: Positive = 1
    """Examples that share a row; more than one pays where trees are small."""
    max_tokens: Positive = 4096
    """Of the prompt and one continuation; what is longer is left out before training, never cut."""
    max_row: Positive = 16384
    """Of an example's whole tree; pairs that do not fit are left out."""
    batch_tokens: Positive = 8192
    """Without a tree: tokens of the continuations that the model reads at once, padding included. All but
    one batch of an example are computed twice, and their memory is that of one."""

    # --- the adapter
    lora: Lora = Lora()

    # --- how it is trained
    epochs: Annotated[float, Field(gt=0)] = 3.0
    """[RPO]"""
    questions_per_step: Positive = 8
    """[RPO] Examples behind one optimiser step, all processes together."""
    learning_rate: Annotated[float, Field(gt=0)] = 5e-5
    """[RPO] Peak of a cosine."""
    warmup: Annotated[float, Field(ge=0)] = 0.05
    """Steps of rising rate, or below 1 their share; RPO has 100 steps, about as much of its runs. The first
    step has a rate already."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """[RPO]"""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """[RPO] An almost certain rejected branch has a gradient like 1/(1 − p)."""
    seed: int = 0

    # --- the machine
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """auto: bf16 where a GPU can, else fp32. The loss is always in fp32."""
    quantize: Literal["none", "4bit"] = "none"
    """4bit: the frozen language model in NF4 (QLoRA, arXiv 2305.14314); needs bitsandbytes and a GPU."""
    shard: bool = False
    """Each of several processes (`accelerate launch`) holds a part of the frozen base's layers and is sent
    the others' when it reads (ZeRO stage 3, arXiv 1910.02054): for a base that one GPU cannot hold."""
    gradient_checkpointing: bool | None = None
    """Compute activations twice to hold fewer; absent: on a GPU."""
    attention: Attention = "auto"
    """How a tree attends. `paths`: each segment to what leads to it, no more scores than a tree has. `mask`:
    a row under one mask, the oracle; `eager`: the same by a kernel that holds every score. auto (ours):
    paths where a first try on this model gives what the mask gives."""
    part_tokens: Positive | None = 2048
    """By paths: beside what they share, at most so many tokens of a tree's branches are at work at a time
    (the schedule of arXiv 2606.01143, for trees and pairs; the number is ours). Where pairs bind more
    together the tree is read once more; null: all at once."""
    vision_cache_gb: Annotated[float, Field(ge=0)] = 4.0
    """Memory for pictures' features, computed once as the tower is frozen; 0 computes them each time."""

    # --- what is watched and kept
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of seeds, with their twins, that is not trained on but watched; 0 watches trained ones."""
    watch: Positive = 32
    """At most so many examples are watched."""
    log_every: Positive = 1
    """Steps."""
    watch_every: Positive = 25
    """Steps between two looks at the watched examples; there is one before the first step, one at the end."""
    save_every: Positive = 25
    """Steps between checkpoints; what a kill can cost."""
    report_to: Literal["none", "tensorboard", "trackio"] = "none"
    """Where curves go beside log.jsonl and curves.png."""

    @model_validator(mode="after")
    def _spans_fit(self) -> SrpoConfig:
        if self.loss == "grpo" and self.span in ("error", "diverging"):
            raise ValueError(
                f"span {self.span} compares two sides, and grpo weighs branches alone: expected suffix, step "
                "or full"
            )
        if (self.loss == "grpo") != (self.objective.target == "drawn"):
            raise ValueError(f"ref_target {self.objective.target}: loss grpo has drawn, and no other loss")
        return self

    @model_validator(mode="after")
    def _shards_fit(self) -> SrpoConfig:
        if self.shard and self.quantize != "none":
            raise ValueError(
                f"shard: true divides weights as they are, and quantize {self.quantize} packs them: expected "
                "one of the two"
            )
        return self

    @property
    def objective(self) -> Objective:
        """The loss with its own defaults filled in."""
        usual = USUAL[self.loss]
        pick: dict[str, Any] = {
            "lam": self.lam,
            "beta": self.beta,
            "gamma": self.gamma,
            "target": self.ref_target,
        }
        pick |= {"span": self.span, "norm": self.norm}
        given = {key: value for key, value in pick.items() if value is not None}
        return Objective(**(vars(usual) | given))

    @property
    def folder(self) -> Path:
        """Where everything of this training goes."""
        return self.output or self.run / "adapter"

    def resolved(self) -> SrpoConfig:
        """The same with every default filled in, as it is kept beside the adapter."""
        o = self.objective
        own: dict[str, Any] = {"lam": o.lam, "beta": o.beta, "gamma": o.gamma, "ref_target": o.target}
        own |= {"span": o.span, "norm": o.norm, "output": self.folder}
        lora = self.lora.model_copy(update={"alpha": self.lora.alpha or 2 * self.lora.rank})
        return self.model_copy(update=own | {"lora": lora})


def load(
    path: Path, words: Sequence[str] = (), usual: Mapping[str, Any] | None = None, **told: Any
) -> SrpoConfig:
    """The settings of a file; those that are `usual` win over it, then `words` (`lora.rank=16`), then what is
    told, None apart. Raises ConfigError.
    """
    data = yamls.read(path)
    if isinstance(data, dict):
        data |= usual or {}
    for word in words:
        _set(data, word)
    if isinstance(data, dict):
        data |= {key: value for key, value in told.items() if value is not None}
        data |= _at_hand(data)
    config = parse(SrpoConfig, data, str(path))
    if not config.model:
        raise ConfigError(f"{path}: model: which one? A hub name or a folder (--model)")
    return config


def _at_hand(data: dict[str, Any]) -> dict[str, Path | None]:
    """A run that lies on an object store, and its pictures, as folders of this machine."""
    from ssui_train.fetching import fetched, is_url

    run, seeds = data.get("run"), data.get("seeds")
    if is_url(run):
        run, pictures = fetched(str(run), str(seeds) if is_url(seeds) else None)
        return {"run": run} | ({"seeds": pictures} if is_url(seeds) else {})
    if is_url(seeds):
        raise ConfigError(f"seeds: {seeds}: a URL goes with a `run` that is one: expected a folder or file")
    return {}


def _set(data: Any, word: str) -> None:
    """Put one KEY=VALUE into settings; a value is read as YAML reads it."""
    key, equals, value = word.partition("=")
    if not equals or not isinstance(data, dict):
        raise ConfigError(f"{word!r}: expected KEY=VALUE")
    *outer, last = key.split(".")
    for name in outer:
        data = data.setdefault(name, {})
    data[last] = yamls.load(value, word)
