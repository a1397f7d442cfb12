"""One loaded model: prompts in, replies out, whatever waits decoded together by transformers' `generate`.

`generate` runs in strides of a few tokens. Between them, finished rows leave the batch and waiting rows
join it, so that a short reply never waits for a long one. A prompt that several rows share is read once.
Covers no HTTP and no streaming.
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from tokenizers import Tokenizer
from torch.nn.functional import pad
from transformers import AutoModelForImageTextToText, AutoProcessor, DynamicCache, GenerationConfig
from transformers.utils.logging import disable_progress_bar

from microworld.serving.batch import Batch, joined, roomy, taken
from microworld.serving.choose import Chooser
from microworld.serving.grammar import Grammars
from microworld.serving.protocol import Refusal, stopping
from microworld.serving.rows import Prompt, Row
from ssui_gen.marks import as_words

MAX_ROWS = 32
MOST_WAITING = 16_384
"""Rows."""
STRIDE = 16
"""Tokens between two chances to join or leave."""
GATHER_SECONDS = 0.01
"""Requests that come this soon after the first, in an idle moment, are read together with it."""


class Spelling(NamedTuple):
    """A token as text and as the bytes it stands for."""

    text: str
    raw: list[int]


class Engine:
    """The LLaVA checkpoint in `folder`, as transformers saves it, served from a thread of its own."""

    def __init__(self, folder: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        disable_progress_bar()
        self._processor = AutoProcessor.from_pretrained(folder)
        self._model = AutoModelForImageTextToText.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True
        ).eval()
        self.context: int = self._model.config.text_config.max_position_embeddings
        self._ends = _as_list(self._model.generation_config.eos_token_id)
        self._pad: int = self._processor.tokenizer.pad_token_id
        self._marks = _marks(self._processor.tokenizer)
        self._model.generation_config = GenerationConfig(eos_token_id=self._ends, pad_token_id=self._pad)
        self._speller = Tokenizer.from_str(self._processor.tokenizer.backend_tokenizer.to_str())
        vocabulary: int = self._model.config.text_config.vocab_size
        self.grammars = Grammars(self._processor.tokenizer, vocabulary, self._ends)
        self.spelling = [self._spell(token) for token in range(vocabulary)]
        self.longest_token = max(len(spelling.raw) for spelling in self.spelling)
        self._encoding = threading.Lock()
        self._waiting: queue.SimpleQueue[Row | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)
        self._thread.start()

    def words(self, text: str) -> str:
        """`text` with this model's own marks as plain words: only a template ends turns, shows pictures."""
        return self._marks.sub(lambda mark: as_words(mark[0]), text)

    def encode(self, messages: list[dict[str, Any]], images: list[Image.Image], **template: bool) -> Prompt:
        """The prompt as the model reads it; `template` goes to the chat template. Raises Refusal."""
        try:
            text: str = self._processor.apply_chat_template(messages, **template)
        except ValueError as error:
            raise Refusal(f"messages: {error}") from None
        mark = self._processor.image_token
        if text.count(mark) != len(images):
            raise Refusal(f"messages: {text.count(mark)} {mark!r} for {len(images)} pictures in {text!r}")
        with self._encoding:
            inputs = self._processor(text=text, images=images or None, return_tensors="pt")
        return Prompt(text, inputs["input_ids"][0].tolist(), inputs.get("pixel_values"))

    def submit(self, rows: Sequence[Row]) -> None:
        """Each row's `reply` is set when it is finished, or fails with what went wrong; raises Refusal."""
        if self._waiting.qsize() > MOST_WAITING:
            raise Refusal("too many replies are waited for: ask again later", status=503, code="busy")
        for row in rows:
            self._waiting.put(row)

    def stop(self) -> None:
        """End the batch under way at its next token; rows without a reply are refused with 503."""
        self._closing.set()
        self._waiting.put(None)

    def close(self) -> None:
        """Stop, and wait until it has stopped."""
        self.stop()
        self._thread.join()
        self._decoder.shutdown()

    def _run(self) -> None:
        batch: Batch | None = None
        while not self._closing.is_set():
            new = self._gather(batch)
            stride = self._decoder.submit(self._stride, batch, new)
            if fault := stride.exception():
                _give_up([*(batch.rows if batch else []), *new], fault)
            batch = None if fault else stride.result()
        _give_up([*(batch.rows if batch else []), *self._drain(self._waiting.qsize())], stopping())

    def _gather(self, batch: Batch | None) -> list[Row]:
        """Rows that may join; waits for the first if there is nothing else to do."""
        if batch is not None:
            return self._drain(MAX_ROWS - len(batch.rows))
        first = self._waiting.get()
        time.sleep(GATHER_SECONDS)
        rows = self._drain(MAX_ROWS - 1)
        return [row for row in (first, *rows) if row and not row.reply.done()]

    def _drain(self, limit: int) -> list[Row]:
        rows: list[Row] = []
        while len(rows) < limit:
            try:
                row = self._waiting.get_nowait()
            except queue.Empty:
                break
            rows += [row] if row and not row.reply.done() else []
        return rows

    @torch.inference_mode()
    def _stride(self, batch: Batch | None, new: Sequence[Row]) -> Batch | None:
        """Let `new` rows join, decode a stride, and let finished rows leave."""
        if new:
            batch = joined(batch, self._read(new)) if batch else self._read(new)
        return self._written(batch).unfinished() if batch else None

    def _read(self, rows: Sequence[Row]) -> Batch:
        """Read the rows' prompts, each once, but for the last token, which `generate` reads."""
        prompts = list(dict.fromkeys(row.prompt for row in rows))
        ids, mask = _padded([prompt.ids for prompt in prompts], self._pad)
        pixels = [prompt.pixels for prompt in prompts if prompt.pixels is not None]
        cache = DynamicCache()
        self._model(
            input_ids=ids[:, :-1],
            attention_mask=mask[:, :-1],
            position_ids=(mask[:, :-1].cumsum(-1) - 1).clamp(min=0),
            pixel_values=torch.cat(pixels) if pixels else None,
            past_key_values=cache,
            logits_to_keep=1,
        )
        lines = [prompts.index(row.prompt) for row in rows]
        return Batch([], ids, mask, taken(cache)).pick(rows, lines)

    def _written(self, batch: Batch) -> Batch:
        """The batch after one stride."""
        chooser = Chooser(batch.rows, self._speller, self._ends, self._closing)
        steps = min(STRIDE, max(row.how.max_tokens - len(row.tokens) for row in batch.rows))
        cache = roomy(batch.past, steps)
        ids = self._model.generate(
            batch.ids,
            attention_mask=batch.mask,
            past_key_values=cache,
            logits_processor=[chooser],
            stopping_criteria=[chooser.finished],
            max_new_tokens=steps,
            do_sample=False,
        )
        mask = pad(batch.mask, (0, ids.shape[1] - batch.ids.shape[1]), value=1)
        return Batch(batch.rows, ids, mask, taken(cache))

    def _spell(self, token: int) -> Spelling:
        text: str = self._speller.decode([token], skip_special_tokens=False)
        return Spelling(text, list(self.grammars.tokens.decode_bytes([token])))


def _marks(tokenizer: Any) -> re.Pattern[str]:
    """Every token that is read as itself wherever it stands."""
    marks = sorted((str(token) for token in tokenizer.added_tokens_decoder.values()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, marks)) or "(?!)")


def _padded(prompts: Sequence[list[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask, padded on the left; shape (prompts, longest)."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return ids, mask


def _give_up(rows: Sequence[Row], fault: BaseException) -> None:
    for row in rows:
        if not row.reply.done():
            row.fail(fault)


def _as_list(value: int | list[int]) -> list[int]:
    return value if isinstance(value, list) else [value]
