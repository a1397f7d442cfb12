"""What a training costs on a GPU, and whether a tree says there what single sequences say.

    .venv/bin/python benchmarks/train_gpu.py [--rounds 3] [--image 300 1000] [--pairs one all] [--layers 36]

A random Qwen2.5-VL in the shape of the 3B model, in bf16 under autocast with its adapter in fp32, as the
product trains; the questions of `train.py`. Three tables: how far log-probabilities and gradients of each way
are from those of single sequences in fp32; what a question with its pairs costs in seconds (by the clock, the
GPU idle before and after) and in memory, each way, once with activations kept and once computed twice, as is
the default on a GPU; TRL's DPOTrainer on the same pairs. The bound is the least FLOPs at the speed that this
GPU shows in large products of bf16, once without any attention and once with what a tree needs.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
import train_question
from peft import get_peft_model
from torch import Tensor
from train_bound import linear, scores
from train_question import Question, enlivened
from train_steps import example, maker_of
from transformers import AutoModelForImageTextToText

from ssui_train.attention import allowed, kernels
from ssui_train.encode import Encoder
from ssui_train.forward import Eyes, read
from ssui_train.job import recompute
from ssui_train.learn import taught
from ssui_train.paths import disagreement, register
from train import EACH, GRIDS, THINNED, TREES, WAYS, step_of

TEXT = {
    "vocab_size": 151_936,
    "hidden_size": 2048,
    "intermediate_size": 11_008,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "initializer_range": 0.02,
    "tie_word_embeddings": True,
}
VISION = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "num_heads": 16,
    "out_hidden_size": 2048,
    "fullatt_block_indexes": [7, 15, 23, 31],
    "window_size": 112,
    "initializer_range": 0.02,
}
"""The shape of Qwen/Qwen2.5-VL-3B-Instruct, after its config.json."""
SECTIONS = [16, 24, 24]
EDGE, TIMES = 8192, 20
"""Of the matrices whose product tells the speed, and how many products do."""
DEVICE = "cuda"


def sized(pixels: int, layers: int, dtype: torch.dtype) -> tuple[Any, Any]:
    """A random model on the GPU, whose words are those of the tests' tokenizer, and its processor."""
    small, processor = train_question.tiny("qwen2_5_vl", pixels=pixels)
    config = small.config
    for part, shape in ((config.text_config, TEXT), (config.vision_config, VISION)):
        for name, value in shape.items():
            setattr(part, name, value)
    text = config.text_config
    text.num_hidden_layers, text.layer_types = layers, ["full_attention"] * layers
    text.rope_parameters = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": SECTIONS}
    config.tie_word_embeddings, config.initializer_range = True, TEXT["initializer_range"]
    torch.manual_seed(0)
    with torch.device(DEVICE):
        model = AutoModelForImageTextToText.from_config(config, dtype=dtype, attn_implementation="sdpa")
    return model.eval(), processor


def speed() -> float:
    """FLOPs a second, in large products of bf16."""
    a, b = (torch.randn(EDGE, EDGE, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    a @ b
    return TIMES * 2 * EDGE**3 / timed(lambda: [a @ b for _ in range(TIMES)])


def timed(work: Callable[[], Any]) -> float:
    """Seconds by the clock, from idle to idle."""
    torch.cuda.synchronize()
    start = time.monotonic()
    work()
    torch.cuda.synchronize()
    return time.monotonic() - start


@contextmanager
def as_trained(dtype: torch.dtype) -> Iterator[None]:
    """The kernels and the precision of the product."""
    half = torch.autocast(DEVICE, dtype) if dtype == torch.bfloat16 else nullcontext()
    with kernels(allowed(DEVICE, "sdpa")), half:
        yield


def freed() -> None:
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()


# --- the same numbers


def said(question: Question, way: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Nats a token of each span, and the gradient of SRPO's loss, both as float64 on the CPU."""
    if way == "tree":
        register(question.model)
    encoder = Encoder(question.processor, question.model)
    maker = maker_of(encoder, "tree" if way in TREES else "none", way == "tree", loss="srpo")
    row = maker([example(question, encoder, question.pairs())]).to(DEVICE)
    adapted = enlivened(get_peft_model(question.model.requires_grad_(False), question.lora()))
    eyes = Eyes(lambda _: encoder.shown(encoder.asked("", question.text, [question.picture])), 1.0)
    with as_trained(dtype):
        with torch.no_grad():
            spans = read(adapted, adapted.get_base_model(), row, eyes).spans
        taught(adapted, adapted, row, eyes, maker.objective)[1].loss.backward()
    slopes = [w.grad.flatten().double().cpu() for w in adapted.parameters() if w.requires_grad]
    return spans.mean.double().cpu(), torch.cat(slopes)


def exactness(layers: int, image: int) -> list[dict[str, Any]]:
    """How far each way and precision is from single sequences in fp32; picture and weights are the same."""
    picture = Question(*GRIDS[image], 1).picture

    def found(way: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        question = Question(*GRIDS[image], 1, partial(sized, layers=layers, dtype=torch.float32))
        question.picture = picture
        question.model.to(dtype)
        try:
            return said(question, way, dtype)
        finally:
            del question
            freed()

    nats, slopes = found("sequences", torch.float32)
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        for way in ("sequences", *TREES):
            own, slope = found(way, dtype)
            rows.append(
                {
                    "precision": str(dtype).removeprefix("torch."),
                    "way": way,
                    "image": image,
                    "nats a token, at most": float((own - nats).abs().max()),
                    "gradient": float((slope - slopes).norm() / slopes.norm()),
                }
            )
            print(rows[-1], flush=True)
    return rows


# --- what it costs


def cost(layers: int, image: int, which: str, way: str, twice: bool, rounds: int) -> dict[str, Any]:
    """Median seconds of a question, its peak memory, and what the bound would be."""
    question = Question(*GRIDS[image], EACH[which], partial(sized, layers=layers, dtype=torch.bfloat16))
    times = THINNED if which == "all" and way not in TREES else 1
    with tempfile.TemporaryDirectory() as folder, as_trained(torch.bfloat16):
        step = step_of(way, question, question.pairs()[::times], Path(folder))
        if twice:
            recompute(step.model)
        step.run()
        freed()
        held = torch.cuda.memory_allocated()
        seconds = [timed(step.run) for _ in range(rounds)]
    row = {
        "image": image,
        "pairs": which,
        "way": way,
        "computed": "twice" if twice else "once",
        "tokens": step.tokens * times,
        "seconds": statistics.median(seconds) * times,
        "gb": torch.cuda.max_memory_allocated() / 1e9,
        "gb_held": held / 1e9,
    }
    if way in TREES:
        row |= {"flops": linear(question, step), "attention": scores(question, step)}
    return row


def costs(layers: int, image: int, which: str, ways: Sequence[str], rounds: int) -> list[dict[str, Any]]:
    each = speed()
    rows = []
    for way in ways:
        for twice in (False, True):
            try:
                row = cost(layers, image, which, way, twice, rounds)
            except torch.OutOfMemoryError as error:
                row = {"image": image, "pairs": which, "way": way, "failed": str(error)[:200]}
            finally:
                freed()
            if "flops" in row:
                row["bound"] = row["flops"] / each / row["seconds"]
                row["bound with attention"] = (row["flops"] + row["attention"]) / each / row["seconds"]
            rows.append(row)
            print(row, flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=36)
    parser.add_argument("--image", type=int, nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--pairs", nargs="+", default=list(EACH), choices=list(EACH))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--json", type=Path, help="where the rows go as well")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    card = torch.cuda.get_device_properties(0)
    found: dict[str, Any] = {"card": card.name, "torch": torch.__version__, "tflops": speed() / 1e12}
    print(found, flush=True)
    probe = Question(*GRIDS[300], 1, partial(sized, layers=args.layers, dtype=torch.bfloat16))
    found["parameters"] = sum(weight.numel() for weight in probe.model.parameters())
    register(probe.model)
    with as_trained(torch.bfloat16):
        words = Encoder(probe.processor, probe.model).ids(probe.text)
        found["disagreement"] = disagreement(probe.model, words)
    del probe
    freed()
    print(found, flush=True)
    found["exact"] = exactness(args.layers, args.image[0])
    keep(args.json, found)
    found["costs"] = []
    for image in args.image:
        for which in args.pairs:
            found["costs"] += costs(args.layers, image, which, args.ways, args.rounds)
            keep(args.json, found)


def keep(file: Path | None, found: dict[str, Any]) -> None:
    if file:
        file.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
