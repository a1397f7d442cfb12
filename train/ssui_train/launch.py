"""How a training may be started, in one process or several, and what transformers is told of it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from transformers import TrainingArguments

from ssui_gen.errors import ConfigError
from ssui_train.config import SrpoConfig


def arguments(config: SrpoConfig, cpu: bool, half: bool) -> TrainingArguments:
    """What transformers is told; raises ConfigError where a step cannot be shared out among the processes."""
    refuse_other_sharding(os.environ)
    args = TrainingArguments(
        output_dir=str(config.folder / "checkpoints"),
        per_device_train_batch_size=config.trees_per_row,
        per_device_eval_batch_size=config.trees_per_row,
        num_train_epochs=config.epochs,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        bf16=half,
        use_cpu=cpu,
        seed=config.seed,
        data_seed=config.seed,
        eval_strategy="steps",
        eval_steps=config.watch_every,
        eval_on_start=True,
        logging_steps=config.log_every,
        save_steps=config.save_every,
        save_total_limit=2,
        report_to=config.report_to,
        project="ssui_gen",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
    )
    refuse_data_parallel(args.n_gpu)
    share = config.trees_per_row * args.world_size
    if config.questions_per_step % share:
        raise ConfigError(
            f"questions_per_step: {config.questions_per_step} cannot be shared out among {args.world_size} "
            f"processes that take {config.trees_per_row} (trees_per_row) at once: take a multiple of {share}"
        )
    args.gradient_accumulation_steps = config.questions_per_step // share
    return args


def refuse_data_parallel(gpus: int) -> None:
    """Raises ConfigError: DataParallel would cut rows, masks and positions along the wrong axis."""
    if gpus > 1:
        raise ConfigError(
            f"{gpus} GPUs are seen by one process, which would cut rows into pieces (DataParallel): start "
            f"one process a GPU (accelerate launch --num_processes {gpus} -m ssui_train.srpo ...), or "
            "show it one (CUDA_VISIBLE_DEVICES=0)"
        )


def refuse_other_sharding(told: Mapping[str, str]) -> None:
    """Raises ConfigError: what accelerate shards takes all processes to read alike, and a tree whole."""
    for name in ("FSDP", "DEEPSPEED", "MEGATRON_LM"):
        if told.get(f"ACCELERATE_USE_{name}", "false").lower() in ("true", "1"):
            raise ConfigError(
                f"accelerate was told to use {name}, which reads no trees in parts: launch without it "
                "(accelerate config, or no --use_... option), and set shard=true for a base that one GPU "
                "cannot hold"
            )
