"""A vLLM server's `/metrics` becomes a load; what is not there or no number counts as nothing."""

from __future__ import annotations

import pytest

from ssui_gen.calling.metrics import Counts, Load, Meter, read, together

PAGE = """\
# HELP python_gc_objects_collected_total Objects collected during gc
# TYPE python_gc_objects_collected_total counter
python_gc_objects_collected_total{generation="0"} 11023.0
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="micro"} 3.0
vllm:num_requests_running{engine="1",model_name="micro"} 4.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="micro"} 1.0
vllm:num_requests_waiting{engine="1",model_name="micro"} 0.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="micro",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="micro"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="a } b"} 0.5 1395066363000
vllm:num_preemptions_total{engine="0",model_name="micro"} 2.0
vllm:num_preemptions_created{engine="0",model_name="micro"} 1.7e+09
vllm:prefix_cache_queries_total{engine="0",model_name="micro"} 4.0e+02
vllm:prefix_cache_hits_total{engine="0",model_name="micro"} 3.0e+02
"""


def load(**counts: float) -> Load:
    return Load(1, 0, 0.1, Counts(**counts))


def test_engines_add_up_and_the_fullest_cache_counts() -> None:
    assert read(PAGE) == Load(7, 1, 0.5, Counts(2, 400, 300))


@pytest.mark.parametrize(
    "text", ["", "<html>", "process_cpu_seconds_total 1.5\n", "vllm:num_requests_running"]
)
def test_a_page_of_another_server_is_no_load(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("value", ["NaN", "+Inf", "many"])
def test_what_is_no_number_counts_as_nothing(value: str) -> None:
    found = read(PAGE.replace("0.25", value).replace("0.5 ", f"{value} "))
    assert found and found.kv_share == 0


def test_servers_together_add_up_too() -> None:
    assert together([]) is None
    assert together([load(cache_hits=2), load(cache_hits=3)]) == Load(2, 0, 0.1, Counts(cache_hits=5))


def test_growth_counts_from_the_first_reading_and_survives_a_restart() -> None:
    meter = Meter()
    assert meter.grown({"a": load(cache_hits=100)}) == Counts()
    assert meter.grown({"a": load(cache_hits=130)}) == Counts(cache_hits=30)
    assert meter.grown({}) == Counts()
    assert meter.grown({"a": load(cache_hits=5), "b": load(cache_hits=50)}) == Counts(cache_hits=5)
    assert meter.grown({"a": load(cache_hits=6), "b": load(cache_hits=52)}) == Counts(cache_hits=3)
