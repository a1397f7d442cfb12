"""Why vLLM ended, from its real last words: logs of failures that people reported, and of its sources.

Their lines stand as they were written, however long.
"""

# ruff: noqa: E501
from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.serving.vllm_words import ERROR, REMEDY, remedy, why

ARGS = (
    "(APIServer pid=1) INFO 09-13 04:02:29 [utils.py:325] non-default args: {'max_model_len': 16384, "
    "'max_num_batched_tokens': 8192, 'chat_template': None, 'trust_remote_code': False, 'max_lora_rank': 16}"
)
ECHO = (
    "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core "
    "proc(s): {}"
)
CASES = {
    # vllm-project/vllm#9531
    "ValueError: Loading internvl2-8b/ requires you to execute the configuration file in that repo on your local "
    "machine. Make sure you have read the code there to avoid malicious use, then set the option "
    "`trust_remote_code=True` to remove this error.": "-- --trust-remote-code",
    # vllm 0.25, transformers_utils/config.py
    "(APIServer pid=1) RuntimeError: Failed to load the model config. If the model is a custom model not yet "
    "available in the HuggingFace transformers library, consider setting `trust_remote_code=True` in LLM or using "
    "the `--trust-remote-code` flag in the CLI.": "its code would run on this machine",
    # HumanMLLM/HumanOmniV2#2, vllm-project/vllm#13579
    "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
    "  Value error, The checkpoint you are trying to load has model type `qwen2_5_omni_thinker` but Transformers "
    "does not recognize this architecture. This could be because of an issue with the checkpoint, or because your "
    "version of Transformers is out of date. [type=value_error, input_value=ArgsKwargs(...)]": "a newer vLLM",
    # xorbitsai/inference#4561, as the API server's process says it
    "(APIServer pid=7) pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
    "(APIServer pid=7)   Value error, The checkpoint you are trying to load has model type `qwen3_vl` but "
    "Transformers does not recognize this architecture.": "a newer vLLM",
    # vllm 0.25, model_executor/models/registry.py
    "ValueError: Model architectures ['NewVLForConditionalGeneration'] are not supported for now. Supported "
    f"architectures: dict_keys({['LlamaForCausalLM'] * 300})": "a newer vLLM",
    # McGill-NLP/llm2vec#130
    "OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://hub/x.\n401 Client "
    "Error. (Request ID: Root=1-66a7)": "accept the model's terms",
    # kyegomez/NeoSapiens#3
    "huggingface_hub.utils._errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-661471eb)": "HF_TOKEN",
    # modelscope/FunASR#2973
    "(EngineCore_DP0 pid=9) ERROR 06-11 10:00:00 [core.py:718] RuntimeError: The NVIDIA driver on your system is "
    "too old (found version 12080). Please update your GPU driver by downloading and installing a new "
    "version.": "update the driver",
    # ovg-project/kvcached#74
    "RuntimeError: CUDA driver version is insufficient for CUDA runtime version": "update the driver",
    # vllm-project/vllm#25837
    "(EngineCore_DP0 pid=17374) ERROR 09-28 15:47:24 [core.py:718] ValueError: Free memory on device (3.22/4.0 "
    "GiB) on startup is less than desired GPU memory utilization (0.9, 3.6 GiB). Decrease GPU memory utilization "
    "or reduce GPU memory used by other processes.": "other programs hold the GPU's memory",
    # vllm-project/vllm-omni#1842
    "(Worker pid=2291010) [Stage-0] ERROR 03-12 08:22:28 [multiproc_executor.py:800] ValueError: Free memory on "
    "device cuda:0 (111.99/139.8 GiB) on startup is less than desired GPU memory utilization.": "nvidia-smi",
    # vllm-project/vllm#20305
    "[multiproc_executor.py:492] ValueError: Free memory on device (31.44/47.38 GiB) on startup is less than "
    "desired GPU memory utilization (0.95, 45.01 GiB).": "other programs hold the GPU's memory",
    # vllm 0.10 to 0.25, v1/core/kv_cache_utils.py
    "(EngineCore pid=7) ERROR 11-24 04:35:24 [core.py:1510] ValueError: To serve at least one request with the "
    "model's max seq len (16384), (7.0 GiB KV cache is needed, which is larger than the available KV cache memory "
    "(3.1 GiB). Based on the available memory, the estimated maximum model length is 7232. Try increasing "
    "`gpu_memory_utilization` or decreasing `max_model_len`.": "--max-model-len 4096",
    # MiniMax-AI/MiniMax-01#42
    "(VllmWorkerProcess pid=221) ERROR 04-06 20:46:48 [multiproc_worker_utils.py:238] torch.distributed."
    "DistBackendError: NCCL error in: /pytorch/torch/csrc/distributed/c10d/NCCLUtils.hpp:268, unhandled system "
    "error (run with NCCL_DEBUG=INFO for details), NCCL version 2.21.5": "--shm-size",
    # vllm-project/vllm#12847
    "RuntimeError: Failed to infer device type, please set the environment variable "
    "`VLLM_LOGGING_LEVEL=DEBUG` to turn on verbose logging": "make vllm",
    # vllm 0.25, config/model.py
    "ValueError: Total number of attention heads (28) must be divisible by tensor parallel size (8).": "as many GPUs",
    # vllm 0.25, lora/peft_helper.py
    "ValueError: LoRA rank 64 is greater than max_lora_rank 16.": "-- --max-lora-rank 64",
    # vllm 0.25, v1/worker/lora_model_runner_mixin.py
    "(EngineCore pid=7) ERROR 11-24 04:35:24 [core.py:1] ValueError: LlavaOnevisionForConditionalGeneration does not "
    "support LoRA yet.": "merge the adapter",
    # vllm 0.25, v1/core/encoder_cache_manager.py
    "ValueError: Chunked MM input disabled but max_tokens_per_mm_item (2880) is larger than max_num_batched_tokens "
    "(2048). Please increase max_num_batched_tokens.": "-- --max-num-batched-tokens",
    # vllm 0.25, config/model.py
    "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n  Value error, User-specified "
    "max_model_len (16384) is greater than the derived max_model_len (max_position_embeddings=4096.0 or "
    "model_max_length=None in model's config.json).": "take a shorter context",
    # vllm 0.25, entrypoints/openai/api_server.py
    "KeyError: 'invalid reasoning parser: deepseek_r9 (chose from { deepseek_r1,glm45,qwen3 })'": "no such parser",
    # vllm 0.20, entrypoints/chat_utils.py
    "ValueError: The supplied chat template (gone.jinja) looks like a file path, but it failed to be opened. Tried: "
    "gone.jinja and /x/gone.jinja.": "-- --chat-template FILE",
    # vllm 0.10, v1/worker/gpu_worker.py
    "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has "
    "compute capability 7.5.": "-- --dtype half",
    # argparse
    "api_server.py: error: argument --max-lora-rank: invalid choice: '7' (choose from 1, 8)": "max-lora-rank 64",
    "api_server.py: error: unrecognized arguments: --bogus": "this vLLM does not know a flag",
    # safetensors, huggingface_hub, torch, Python
    "safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer": "download it",
    "OSError: [Errno 28] No space left on device": "HF_HOME",
    "RuntimeError: Failed to find C compiler. Please specify via CC environment variable.": "gcc",
    "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory": "make it anew",
    "OSError: [Errno 98] Address already in use": "another --port",
    "OSError: x/y is not a local folder and is not a valid model identifier": "name a folder",
}  # fmt: skip
"""The last words, and a part of what is to help."""


@pytest.mark.parametrize("words", CASES, ids=lambda words: re.sub(r"[^\w]+", "-", words)[-40:])
def test_each_failure_is_told_in_its_own_words_with_what_helps(words: str) -> None:
    said = why([ARGS, "INFO loading", *words.splitlines(), "Traceback (most recent call last):", ECHO], 1)
    assert said and CASES[words] in said and "\n" not in said and len(said) < 700
    found = ERROR.match(words.splitlines()[0])
    assert found and said.startswith(found[1][:80]), "its own words come first"


def test_every_remedy_is_for_words_that_were_really_said() -> None:
    said = [words.replace("\n", " ") for words in CASES]
    helped = {remedy(words) for words in said}
    assert set(REMEDY.values()) == helped


def test_flags_in_the_log_are_no_error() -> None:
    """vLLM logs what it was started with, names of flags and all: no advice follows from that."""
    assert (
        why([ARGS, "ValueError: something that nobody has met"], 1)
        == "ValueError: something that nobody has met"
    )
    assert why([ARGS, "nothing that looks like one"], 1) is None


@pytest.mark.parametrize("code", [137, -9])
def test_a_server_killed_from_outside_is_told(code: int) -> None:
    assert "memory ends" in str(why([ARGS, "INFO loading"], code))


@given(words=st.lists(st.text(max_size=60) | st.sampled_from([*CASES, ECHO, ARGS]), max_size=8))
def test_any_log_is_told_in_one_line_or_not_at_all(words: list[str]) -> None:
    lines = [line for one in words for line in one.splitlines()]
    said = why(lines, 1)
    assert said is None or ("\n" not in said and len(said) < 900)
