"""Which GPUs vLLM may use: what nvidia-smi counts, seen through CUDA_VISIBLE_DEVICES as CUDA reads it.

Covers NVIDIA only: on others vLLM is started by hand, and its address given. Starts nothing on a GPU.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ssui_gen.errors import ConfigError

VISIBLE = "CUDA_VISIBLE_DEVICES"
OTHERS = ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
"""What names GPUs of AMD and Intel."""
NONE = ("", "-1", "nodevfiles")
"""By which CUDA_VISIBLE_DEVICES says that there are none."""
ASK = ("nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits")
LIST = ("nvidia-smi", "-L")
"""Names the slices of a GPU too, with their gigabytes in the name of their profile."""
SLICE = re.compile(r"MIG\s+\S*?(\d+)gb.*?UUID:\s*(MIG-[^)\s]+)", re.IGNORECASE)
SECONDS = 30.0
NO_DEVICES = re.compile(r"no devices were found", re.IGNORECASE)


class Machine(NamedTuple):
    """What vLLM may use."""

    gpus: int
    """0 means the CPU build."""
    gigabytes: float
    """Of the smallest GPU."""
    names: tuple[str, ...] = ()
    """As CUDA_VISIBLE_DEVICES names them; empty: by their numbers."""

    def named(self, first: int, count: int) -> str:
        """So many of them, for CUDA_VISIBLE_DEVICES."""
        names = self.names or tuple(map(str, range(self.gpus)))
        return ",".join(names[first : first + count])


class Gpu(NamedTuple):
    """One GPU, or one slice of one."""

    name: str
    """Its number, or as CUDA_VISIBLE_DEVICES names it; a slice has none by itself."""
    uuid: str
    gigabytes: float


def find_machine(gpus: int | None, notice: Callable[[str], None]) -> Machine:
    """What vLLM may use, of it `gpus` where they are limited; `notice` hears what was guessed.

    Raises ConfigError when more are asked for than there are, when one is named that is not there, and when
    nvidia-smi fails or only GPUs of others are named: vLLM would run on the CPU in silence.
    """
    visible = os.environ.get(VISIBLE)
    if visible is not None and visible.strip().lower() in NONE:
        found: list[Gpu] = []
    else:
        found = _counted(notice)
        _refuse_others(found)
        found = found if visible is None else _seen(visible, found)
    if gpus and gpus > len(found):
        why = "as many as there are" if visible is None else f"as many as {VISIBLE}={visible} lets through"
        raise ConfigError(f"serve.gpus: expected at most {len(found)}, {why}; got {gpus}")
    found = found[: gpus or len(found)]
    names = tuple(gpu.name for gpu in found) if visible is not None else ()
    return Machine(len(found), min((gpu.gigabytes for gpu in found), default=0.0), names)


def _counted(notice: Callable[[str], None]) -> list[Gpu]:
    """Every GPU of this machine."""
    said = _said(ASK)
    found = []
    for line in (line for line in said.splitlines() if line.strip()):
        index, uuid, memory = ([part.strip() for part in line.split(",")] + ["", "", ""])[:3]
        if not index.isdecimal() or not memory:
            notice(f"nvidia-smi: a line that names no GPU is left out: {line.strip()[:100]}")
            continue
        found.append(Gpu(index, uuid, _gigabytes(index, memory, notice)))
    return found


def _gigabytes(index: str, memory: str, notice: Callable[[str], None]) -> float:
    """Of a GPU; where CPU and GPU share their memory, nvidia-smi tells none."""
    if re.fullmatch(r"\d+(\.\d+)?", memory):
        return float(memory) / 1024
    shared = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    notice(
        f"nvidia-smi tells no memory of GPU {index} ({memory}): it is taken to share the machine's "
        f"{shared:.0f} GiB; if that is wrong, say how much vLLM may take: -- --gpu-memory-utilization 0.5"
    )
    return shared


def _said(words: Sequence[str]) -> str:
    """What nvidia-smi prints; nothing where it is not installed."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS)
    except FileNotFoundError:
        return ""
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(_broken(str(error))) from None
    said = " ".join(f"{done.stdout} {done.stderr}".split())
    if done.returncode and not NO_DEVICES.search(said):
        raise ConfigError(_broken(said[:200] or f"exit code {done.returncode}"))
    return "" if done.returncode else done.stdout


def _broken(why: str) -> str:
    return (
        f"nvidia-smi is there and fails ({why}): expected the GPUs of this machine: mend the driver (often a "
        f"restart helps), or take the CPU: {VISIBLE}= (empty)"
    )


def _refuse_others(found: Sequence[Gpu]) -> None:
    named = next((name for name in OTHERS if os.environ.get(name)), None)
    if named and not found:
        raise ConfigError(
            f"{named} is set, and there is no NVIDIA GPU: vLLM's flags are chosen here for NVIDIA's alone: "
            f"start vLLM by hand and name it (BASE_URL=...), or take the CPU: {VISIBLE}= (empty)"
        )


def _seen(visible: str, found: Sequence[Gpu]) -> list[Gpu]:
    """The GPUs that are named, in that order, each as it is named."""
    named = [name.strip() for name in visible.split(",") if name.strip()]
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise ConfigError(f"{VISIBLE}={visible}: {twice[0]} is named twice: expected each GPU once")
    slices = _slices() if any(name.upper().startswith("MIG-") for name in named) else []
    return [_one(name, [*found, *slices], visible) for name in named]


def _one(name: str, found: Sequence[Gpu], visible: str) -> Gpu:
    """CUDA takes a number, or as much of a UUID as tells it apart."""
    if name.isdecimal():
        match = [gpu for gpu in found if gpu.name == str(int(name))]
    else:
        match = [gpu for gpu in found if gpu.uuid.lower().startswith(name.lower())]
    if len(match) != 1:
        there = ", ".join(gpu.name for gpu in found if gpu.name) or "none"
        what = "no such GPU" if not match else "it fits several GPUs"
        raise ConfigError(f"{VISIBLE}={visible}: {name}: {what}; there are {there} (`nvidia-smi -L`)")
    return match[0]._replace(name=name)


def _slices() -> list[Gpu]:
    lines = (SLICE.search(line) for line in _said(LIST).splitlines())
    return [Gpu("", found[2], float(found[1])) for found in lines if found]
