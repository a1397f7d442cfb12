"""Tokenizers as they are in the world: Qwen's own merges, and one of SentencePiece's shape made here.

Qwen's ranks (151,643 of them) come with the PyPI package `dashscope`, whose file alone is read; nothing of it
is imported.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN_MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|image_pad|>")
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def qwen_file() -> Path | None:
    """`qwen.tiktoken`, if the package that carries it is installed."""
    found = find_spec("dashscope")
    place = Path(found.origin).parent / "resources" / "qwen.tiktoken" if found and found.origin else None
    return place if place and place.exists() else None


@cache
def qwen(file: Path) -> PreTrainedTokenizerFast:
    """As transformers makes Qwen2's tokenizer: NFC, the published pattern, byte-level BPE."""
    rows = (line.split() for line in file.read_bytes().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in rows}
    letters = bytes_to_unicode()
    written = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges = [
        (written[token[:at]], written[token[at:]])
        for token in sorted(ranks, key=ranks.__getitem__)
        for at in sorted(_splits(token, ranks), key=lambda at: (ranks[token[:at]], ranks[token[at:]]))
    ]
    core = Tokenizer(models.BPE({written[token]: rank for token, rank in ranks.items()}, merges))
    core.normalizer = normalizers.NFC()
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    return _with_marks(core, QWEN_MARKS, end="<|im_end|>", pad="<|endoftext|>")


def _splits(token: bytes, ranks: dict[bytes, int]) -> list[int]:
    """Where a token falls into two others."""
    return [at for at in range(1, len(token)) if token[:at] in ranks and token[at:] in ranks]


def sentencepiece(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Of the shape of Llama's and Mistral's: a `▁` before any text, blanks as `▁`, unknown letters and line
    breaks as bytes, `<s>` before a text that is asked for with its marks.
    """
    core = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    core.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")  # of the training alone
    lines = [line for text in texts for line in text.split("\n")]
    special = ["<unk>", "<s>", "</s>", *BYTES]
    core.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=800, special_tokens=special, show_progress=False)
    )
    plain = Tokenizer.from_str(_untied(core.to_str()))
    return _with_marks(plain, ("<unk>", "<s>", "</s>"), end="</s>", pad="<unk>", start="<s>", unknown="<unk>")


def _untied(saved: str) -> str:
    """Without what only the trainer needs: blanks as bounds, and bytes named as special tokens to be kept."""
    whole = json.loads(saved)
    whole["pre_tokenizer"] = None
    whole["added_tokens"] = [token for token in whole["added_tokens"] if token["content"] not in BYTES]
    return json.dumps(whole)


def _with_marks(
    core: Tokenizer,
    marks: Sequence[str],
    *,
    end: str,
    pad: str,
    start: str | None = None,
    unknown: str | None = None,
) -> PreTrainedTokenizerFast:
    core.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token=end, pad_token=pad, bos_token=start, unk_token=unknown,
        clean_up_tokenization_spaces=False,
    )  # fmt: skip
