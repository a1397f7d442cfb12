"""Which flags vLLM gets, by model and memory."""

from __future__ import annotations

import shlex

import pytest

from ssui_gen.serving.vllm_flags import arguments, choose, environment, read_flags
from ssui_gen.serving.vllm_machine import Machine
from ssui_gen.serving.vllm_model import Adapter, Model

H200, A10, LAPTOP = Machine(1, 140.0), Machine(4, 23.0), Machine(0, 0.0)
QWEN = Model("Qwen/Qwen2.5-VL-7B-Instruct")


def test_more_memory_means_larger_batches() -> None:
    sizes = [choose(QWEN, Machine(1, gigabytes), "/p")["max-num-seqs"] for gigabytes in (16, 24, 48, 80)]
    assert sizes == [64, 128, 256, 512]


def test_qwen_on_one_gpu() -> None:
    flags = choose(QWEN, H200, "/pictures")
    assert flags["allowed-local-media-path"] == "/pictures"
    assert flags["limit-mm-per-prompt"] == {"image": 1, "video": 0}
    assert flags["mm-processor-kwargs"] == {"max_pixels": 1_003_520}
    assert flags["max-model-len"] == 16384
    assert flags["structured-outputs-config"]["backend"] == "guidance", "xgrammar breaks bounded strings"
    assert "tensor-parallel-size" not in flags
    assert "dtype" not in flags


@pytest.mark.parametrize(
    ("model", "context"),
    [
        (Model("llava-hf/llava-v1.6-vicuna-7b-hf"), 4096),
        (Model("llava-hf/llava-v1.6-mistral-7b-hf"), 16384),
        (Model("someone/unknown"), 16384),
        (Model("meta-llama/Llama-4-Scout-17B-16E-Instruct"), 16384),
        (Model("folder", context=10_485_760), 16384),
        (Model("folder", context=2048), 2048),
        (Model("folder", context=131072), 16384),
    ],
)
def test_no_context_is_longer_than_the_models(model: Model, context: int | None) -> None:
    assert choose(model, H200, "/p")["max-model-len"] == context


def test_the_cpu_build_is_told_what_it_can() -> None:
    flags = choose(Model("folder", kind="llava", local=True), LAPTOP, "/p")
    assert flags["dtype"] == "float32"
    assert flags["enable-chunked-prefill"] is False
    assert environment(Model("folder", local=True), LAPTOP).keys() >= {
        "VLLM_CPU_KVCACHE_SPACE",
        "HF_HUB_OFFLINE",
    }
    assert environment(QWEN, H200) == {"VLLM_NO_USAGE_STATS": "1"}


def test_adapters_are_served_by_name_with_room_for_the_largest_rank() -> None:
    adapters = [Adapter("a", "/x/a", 4), Adapter("b", "/x/b", 24)]
    flags = choose(QWEN, H200, "/p", adapters)
    assert flags["lora-modules"] == ["a=/x/a", "b=/x/b"]
    assert (flags["max-loras"], flags["max-lora-rank"]) == (2, 32)


def test_typed_flags_are_read_and_written_back() -> None:
    typed = "--max_num_seqs 64 --no-enable-prefix-caching --enforce-eager --a=b --lora-modules x=1 y=2"
    flags = read_flags(shlex.split(typed))
    assert flags == {
        "max-num-seqs": "64",
        "enable-prefix-caching": False,
        "enforce-eager": True,
        "a": "b",
        "lora-modules": ["x=1", "y=2"],
    }
    assert read_flags(arguments(flags)) == flags


def test_a_word_that_is_no_flag_is_refused() -> None:
    with pytest.raises(ValueError, match="beginning with --; got '64'"):
        read_flags(["64"])


def test_flags_as_words() -> None:
    assert arguments({"a": {"b": 1}, "c": None, "d": False, "e": True, "f": 2}) == [
        "--a", '{"b": 1}', "--no-d", "--e", "--f", "2",
    ]  # fmt: skip
