"""Which GPUs vLLM may use: nvidia-smi's words, as CUDA_VISIBLE_DEVICES lets them through."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_vllm import nvidia_smi
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.errors import ConfigError
from ssui_gen.serving.vllm_machine import OTHERS, VISIBLE, Machine, find_machine


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VISIBLE, *OTHERS):
        monkeypatch.delenv(name, raising=False)


def found(gpus: int | None = None) -> tuple[Machine, list[str]]:
    said: list[str] = []
    return find_machine(gpus, said.append), said


def test_the_smallest_gpu_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch, 81920, 40960)
    assert found() == (Machine(2, 40.0), [])
    assert found(1) == (Machine(1, 80.0), [])


def test_without_nvidia_smi_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found() == (Machine(0, 0.0), [])


@pytest.mark.parametrize("visible", ["", "  ", "-1", "NoDevFiles"])
def test_a_variable_that_lets_none_through_means_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    """Without asking nvidia-smi, so that it may be broken."""
    nvidia_smi(tmp_path, monkeypatch, more="exit 9")
    monkeypatch.setenv(VISIBLE, visible)
    assert found() == (Machine(0, 0.0), [])


@pytest.mark.parametrize(
    ("visible", "names", "gigabytes"),
    [
        ("1", ("1",), 40.0),
        (" 2 , 0 ", ("2", "0"), 20.0),
        ("GPU-1a1b-77", ("GPU-1a1b-77",), 40.0),
        ("gpu-2A", ("gpu-2A",), 20.0),
        ("0,1,", ("0", "1"), 40.0),
        ("MIG-aa-3", ("MIG-aa-3",), 40.0),
    ],
)
def test_gpus_are_named_by_number_by_uuid_or_by_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str, names: tuple[str, ...], gigabytes: float
) -> None:
    slices = """if [ "$1" = -L ]; then
echo 'GPU 0: NVIDIA H100 (UUID: GPU-0a0b-77)'
echo '  MIG 3g.40gb     Device  0: (UUID: MIG-aa-3)'
echo '  MIG 1g.10gb     Device  1: (UUID: MIG-bb-1)'; exit; fi"""
    nvidia_smi(tmp_path, monkeypatch, 81920, 40960, 20480, more=slices)
    monkeypatch.setenv(VISIBLE, visible)
    machine, said = found()
    assert (machine.names, machine.gigabytes, said) == (names, gigabytes, [])
    assert machine.named(0, 1) == names[0]


@pytest.mark.parametrize(
    ("visible", "says"),
    [
        ("0,0", r"CUDA_VISIBLE_DEVICES=0,0: 0 is named twice"),
        ("0,7", r"7: no such GPU; there are 0, 1"),
        ("GPU-", r"GPU-: it fits several GPUs"),
        ("MIG-gone", r"MIG-gone: no such GPU"),
        ("0;1", r"0;1: no such GPU"),
    ],
)
def test_a_name_that_fits_no_gpu_or_two_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str, says: str
) -> None:
    nvidia_smi(tmp_path, monkeypatch, 81920, 81920, more='[ "$1" = -L ] && exit 0')
    monkeypatch.setenv(VISIBLE, visible)
    with pytest.raises(ConfigError, match=says):
        found()


def test_more_gpus_than_there_are_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch, 81920, 81920)
    with pytest.raises(ConfigError, match=r"serve\.gpus: expected at most 2, as many as there are; got 3"):
        found(3)
    monkeypatch.setenv(VISIBLE, "1")
    with pytest.raises(
        ConfigError, match=r"at most 1, as many as CUDA_VISIBLE_DEVICES=1 lets through; got 2"
    ):
        found(2)


@pytest.mark.parametrize(
    "words",
    [
        "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18",
        'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver."; exit 9',
        "exit 127",
    ],
)
def test_a_driver_that_fails_is_not_taken_for_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    nvidia_smi(tmp_path, monkeypatch, more=words)
    with pytest.raises(ConfigError, match=r"nvidia-smi is there and fails \(.+\): .*CUDA_VISIBLE_DEVICES= "):
        found()


def test_no_devices_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch, more="echo 'No devices were found'; exit 6")
    assert found() == (Machine(0, 0.0), [])


def test_a_line_that_names_no_gpu_is_left_out_aloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch, 81920, more="echo 'WARNING: infoROM is corrupted at gpu 0000:00:1E.0'")
    machine, said = found()
    assert machine == Machine(1, 80.0) and len(said) == 1 and "infoROM" in said[0]


def test_a_gpu_that_shares_the_machines_memory_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi(tmp_path, monkeypatch, "[N/A]")
    machine, said = found()
    assert machine.gpus == 1 and machine.gigabytes > 1
    assert "tells no memory of GPU 0 ([N/A])" in said[0] and "--gpu-memory-utilization" in said[0]


@pytest.mark.parametrize("name", OTHERS)
def test_gpus_of_others_are_not_left_for_the_cpu_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(name, "0")
    with pytest.raises(ConfigError, match=rf"{name} is set, and there is no NVIDIA GPU: .*BASE_URL"):
        found()
    monkeypatch.setenv(VISIBLE, "")
    assert found()[0].gpus == 0, "the CPU was asked for"


@given(gpus=st.integers(1, 12), names=st.lists(st.integers(0, 99), max_size=12), each=st.integers(1, 12))
def test_replicas_never_share_a_gpu(gpus: int, names: list[int], each: int) -> None:
    named = tuple(map(str, dict.fromkeys(names)))
    machine = Machine(len(named) or gpus, 80.0, named)
    replicas = [machine.named(one * each, each).split(",") for one in range(machine.gpus // each)]
    taken = [gpu for one in replicas for gpu in one]
    assert all(len(one) == each for one in replicas) and len(taken) == len(set(taken))
