"""Which attention kernels a training may take: on a GPU none that holds every score at once.

A mask of ours keeps out FlashAttention, and where no other fused kernel fits, torch falls back to the math
kernel without a word: heads · n² scores a layer, 30 GB at 16,384 tokens of a 7B model, where the
memory-efficient one (arXiv 2112.05682) holds none. On the CPU torch chooses, as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch.nn.attention import SDPBackend, sdpa_kernel

from ssui_gen.errors import TrainError

FUSED = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION)
"""Flash takes no mask: it is for towers and for trees that attend by paths."""
NO_KERNEL = ("No available kernel", "No viable backend")
"""How torch says that none of the allowed fits."""


def allowed(device: str, attention: str) -> tuple[SDPBackend, ...]:
    """The kernels for a type of device and what `model.kernel` began with; none: torch chooses."""
    return FUSED if device == "cuda" and attention == "sdpa" else ()


@contextmanager
def kernels(only: Sequence[SDPBackend]) -> Iterator[None]:
    """Nothing but these, where there are any; the switch is the process's, backward pass included.

    Raises TrainError where none of them fits.
    """
    if not only:
        yield
        return
    try:
        with sdpa_kernel(list(only)):
            yield
    except RuntimeError as error:
        if not any(sign in str(error) for sign in NO_KERNEL):
            raise
        names = ", ".join(one.name.removesuffix("_ATTENTION").lower() for one in only)
        raise TrainError(
            f"attention: no memory-efficient kernel ({names}) fits this model here, and torch's math "
            "kernel would hold every score at once: use a newer torch or precision: bf16, or set "
            "attention: eager if max_row is small enough for heads · max_row² scores a layer"
        ) from error
