"""Why vLLM ended, in its own words, and what helps. Pure: reads its log's lines.

The words are those of vLLM's sources 0.10 to 0.33 and of failures that people reported:
`tests/test_vllm_words.py` has them with their addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

BEFORE = r"^(?:\([^)]*\) |\[[^\]]*\]:? )*"
"""Which process says it."""
ERROR = re.compile(BEFORE + r"(?:ERROR .*?\] |\S+\.py: )?((?:[\w.]+\.)?(?:\w*Error|\w*Exception|error)\b.*)")
ECHO = re.compile(r"[Ss]ee (root cause above|stack trace for root cause)")
"""In an error that only says that there was one."""
SHOWN = 300
"""Letters of an error; vLLM lists every architecture that it knows."""
KILLED = (137, -9)
MEMORY_ENDED = "killed from outside: often the system does so as memory ends: take a smaller model"
_FLAG = (
    "this vLLM does not know a flag, or what it is set to: install vllm 0.32 or newer, or drop the flag in "
    "run.yaml (serve: {flags: {NAME: null}})"
)
REMEDY = {
    r"unrecognized arguments|ambiguous option": _FLAG,
    r"driver.*(too old|insufficient)|no kernel image|unsupported PTX": (
        "the GPU's driver is older than this vLLM's CUDA: update the driver, or install an older vLLM"
    ),
    r"Free memory on device": (
        "other programs hold the GPU's memory (`nvidia-smi` names them): end them, or take less of "
        "it: -- --gpu-memory-utilization 0.7"
    ),
    r"out of memory|No available memory|KV ?cache.*(memory|space)|KVCACHE_SPACE|[Nn]ot enough memory"
    r"|insufficient": (
        "take a smaller model, or give it more room: -- --gpu-memory-utilization 0.95, "
        "--max-model-len 4096, --tensor-parallel-size 2 (on a CPU: VLLM_CPU_KVCACHE_SPACE, in GiB)"
    ),
    r"divisible by.*(parallel|size)|attention heads": (
        "take as many GPUs as the model's heads can be divided by: -- --tensor-parallel-size 2, or "
        "--pipeline-parallel-size"
    ),
    r"does not recognize this architecture|are not supported for now|no vLLM implementation": (
        "this vLLM, or its transformers, does not know this kind of model: install a newer vLLM, or "
        "take another model"
    ),
    r"trust.remote.code|execute the configuration file|contains custom code": (
        "its code would run on this machine: take a conversion that needs none (its name ends in "
        "-hf), or, if you trust it: -- --trust-remote-code"
    ),
    r"gated repo|GatedRepo|\b40[13] Client Error|is restricted": (
        "accept the model's terms on its page, then log in on this machine: `hf auth login`, or set HF_TOKEN"
    ),
    r"NCCL|DistBackendError": (
        "its GPUs do not reach each other: give a container shared memory (--shm-size=16g), try "
        "NCCL_P2P_DISABLE=1, or one GPU: -- --tensor-parallel-size 1"
    ),
    r"max.lora.rank": (
        "say the adapter's rank: -- --max-lora-rank 64 (512 at most); merge a larger one: ssui merge"
    ),
    r"not support LoRA|LoRA.*not supported|supported LoRA modules": (
        "merge the adapter and serve what comes out: ssui merge"
    ),
    r"max_num_batched_tokens": "let a batch hold one prompt: -- --max-num-batched-tokens 16384",
    r"max_model_len|max_position_embeddings|model_max_length": (
        "take a shorter context: -- --max-model-len 4096"
    ),
    r"invalid reasoning parser": (
        "this vLLM has no such parser: serve: {flags: {reasoning-parser: null}}, or install a newer one"
    ),
    r"chat.template": "name a chat template that is there: -- --chat-template FILE",
    r"infer device type|No CUDA GPUs|no CUDA-capable|not compiled with CUDA": (
        "this vLLM is built for a GPU and finds none: mend the driver, or install the CPU build: make vllm"
    ),
    r"Bfloat16 is only supported": "this GPU has no bfloat16: -- --dtype half",
    r"invalid choice": _FLAG,
    r"SafetensorError|deserializing header|IncompleteBuffer|HeaderTooLarge": (
        "a file of weights is broken or not whole: download it again"
    ),
    r"No space left|quota exceeded": "make room where models are kept, or keep them elsewhere (HF_HOME)",
    r"C compiler|Python\.h": (
        "a C compiler or Python's headers are missing (gcc, python3-dev); or do without: -- --enforce-eager"
    ),
    r"Repository Not Found|not a valid model|is not a local folder|offline mode|connect to": (
        "name a folder, or a model that this machine may download"
    ),
    r"No module named|cannot import name|shared object file": (
        "vLLM's environment lacks a package or mixes versions: make it anew (remove .venv-vllm, `make vllm`)"
    ),
    r"Address already in use": "choose another --port",
}
"""What helps, by what vLLM said; the first that fits."""


def why(words: Sequence[str], code: int | None) -> str | None:
    """In one line: the last error of a log, and what helps; None where there is none."""
    found = list(errors(words))
    said = next((error for error in reversed(found) if not ECHO.search(error)), "")
    if not said:
        return MEMORY_ENDED if code in KILLED else None
    helps = remedy(said) or next(filter(None, map(remedy, reversed(found))), None)
    said = said if len(said) <= SHOWN else f"{said[:SHOWN]}…"
    return said + (f": {helps}" if helps else "")


def remedy(error: str) -> str | None:
    return next((helps for hint, helps in REMEDY.items() if re.search(hint, error)), None)


def errors(words: Sequence[str]) -> Iterator[str]:
    """Each error with its message, which pydantic writes into the next line."""
    for line, after in pairwise([*words, ""]):
        if found := ERROR.match(line):
            below = re.sub(BEFORE, "", after).partition("[type=")[0].strip()
            yield f"{found.group(1)} {below if 'validation error' in line else ''}".strip()
