"""What a model has read before, kept so that prompts that begin alike are read once.

Keys and values are kept in blocks of a few tokens. A block's name is a hash over all that stands up to its
end, pictures by their content, so that one name is one content. What was longest unused is forgotten first,
the end of a prompt before its beginning. Each model has its own: what one has read is nothing to another,
nor to an adapter of it. Computes nothing (`reading`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import torch

BLOCK = 8
"""Tokens."""
MOST_BYTES = 128 * 2**20
"""Of each model: 26,000 tokens of the micro VLM."""


class Prefixes:
    """Blocks by name, each of shape (layers, 2, heads, BLOCK, width): keys, then values."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._blocks: OrderedDict[bytes, torch.Tensor] = OrderedDict()
        self.bytes = 0
        """Held at the moment."""

    def __len__(self) -> int:
        return len(self._blocks)

    def held(self, names: Sequence[bytes]) -> list[torch.Tensor]:
        """The blocks of the longest beginning that is known."""
        return list(self._known(names))

    def keep(self, names: Sequence[bytes], blocks: Sequence[torch.Tensor]) -> None:
        """All blocks of a prompt that was just read, those that were held included."""
        for name, block in reversed(list(zip(names, blocks, strict=True))):
            if name not in self._blocks:
                self._blocks[name] = block
                self.bytes += block.nbytes
            self._blocks.move_to_end(name)
        while self.bytes > self._most:
            self.bytes -= self._blocks.popitem(last=False)[1].nbytes

    def _known(self, names: Sequence[bytes]) -> Iterator[torch.Tensor]:
        for name in names:
            block = self._blocks.get(name)
            if block is None:
                return
            yield block


def names_of(words: Sequence[bytes]) -> list[bytes]:
    """The names of a prompt's blocks; `words` stand for its tokens, none of them the beginning of another.

    Its last token is in none of them: it is read in any case, for what follows it.
    """
    names, name = [], b""
    for end in range(BLOCK, len(words), BLOCK):
        name = blake2b(name + b"".join(words[end - BLOCK : end]), digest_size=16).digest()
        names.append(name)
    return names
