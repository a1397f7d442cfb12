"""One loaded model: prompts in, replies out, whatever waits decoded together by transformers' `generate`.

A prompt is read (`reading`), and what follows it is a reply's first token; a reply of one is finished then.
The others go on in strides of `generate` of a few tokens. Between them, finished rows leave the batch and
waiting rows join it, so that a short reply never waits for a long one. Covers no HTTP and no streaming.
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
from tokenizers import Tokenizer
from torch.nn.functional import pad
from transformers import GenerationConfig
from transformers.utils.logging import disable_progress_bar

from microworld.learning.adapters import load
from microworld.learning.cache import roomy
from microworld.serving.batch import Batch, begun, joined
from microworld.serving.choose import Chooser
from microworld.serving.grammar import Grammars
from microworld.serving.prefixes import names_of
from microworld.serving.protocol import Refusal, stopping
from microworld.serving.reading import Reader
from microworld.serving.rows import Prompt, Row
from microworld.serving.sight import Picture, Sight
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
    """The LLaVA checkpoint in `folder`, as transformers saves it, or an adapter of one, as PEFT does, served
    from a thread of its own. Raises SsuiError for an adapter that fits no checkpoint here.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        disable_progress_bar()
        self._model, self._processor = load(folder)
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
        self.sight = Sight(self._model, self._processor)
        self._reader = Reader(self._model, self.sight)
        self._encoding = threading.Lock()
        self._waiting: queue.SimpleQueue[Row | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)
        self._thread.start()

    def words(self, text: str) -> str:
        """`text` with this model's own marks as plain words: only a template ends turns, shows pictures."""
        return self._marks.sub(lambda mark: as_words(mark[0]), text)

    def encode(self, messages: list[dict[str, Any]], pictures: list[Picture], **template: bool) -> Prompt:
        """The prompt as the model reads it; `template` goes to the chat template. Raises Refusal."""
        try:
            text: str = self._processor.apply_chat_template(messages, **template)
        except ValueError as error:
            raise Refusal(f"messages: {error}") from None
        mark = self._processor.image_token
        between = text.split(mark)
        if len(between) != len(pictures) + 1:
            raise Refusal(f"messages: {len(between) - 1} {mark!r} for {len(pictures)} pictures in {text!r}")
        marks = [*(picture.marks for picture in pictures), ""]
        ids = self._ids("".join(words + shown for words, shown in zip(between, marks, strict=True)))
        return Prompt(text, ids, pictures, names_of(self._words_of(ids, pictures)))

    def _ids(self, text: str) -> list[int]:
        with self._encoding:
            ids: list[int] = self._processor.tokenizer(text)["input_ids"]
        return ids

    def _words_of(self, ids: list[int], pictures: Sequence[Picture]) -> list[bytes]:
        """Each token in bytes; one that stands for a picture with what the picture is."""
        shown = iter([picture.sha for picture in pictures for _ in range(picture.tokens)])
        image: int = self._processor.image_token_id
        return [token.to_bytes(4) + (next(shown) if token == image else b"") for token in ids]

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
        if batch is not None or not self._waiting.empty():
            return self._drain(MAX_ROWS - (len(batch.rows) if batch else 0))
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
        batches = [*([batch] if batch else []), *(self._started(new) if new else [])]
        return self._written(joined(batches)).unfinished() if batches else None

    def _started(self, rows: Sequence[Row]) -> list[Batch]:
        """The rows that are not finished with their first token."""
        read = self._reader.read(list(dict.fromkeys(row.prompt for row in rows)))
        self._chooser(rows).choose(torch.stack([read[row.prompt].logits for row in rows]))
        return [begun(row, read[row.prompt].past) for row in rows if not row.reply.done()]

    def _written(self, batch: Batch) -> Batch:
        """The batch after one stride."""
        chooser = self._chooser(batch.rows)
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
        return Batch(batch.rows, ids, mask, cache.past)

    def _chooser(self, rows: Sequence[Row]) -> Chooser:
        return Chooser(rows, self._speller, self._ends, self._closing)

    def _spell(self, token: int) -> Spelling:
        text: str = self._speller.decode([token], skip_special_tokens=False)
        return Spelling(text, list(self.grammars.tokens.decode_bytes([token])))


def _marks(tokenizer: Any) -> re.Pattern[str]:
    """Every token that is read as itself wherever it stands."""
    marks = sorted((str(token) for token in tokenizer.added_tokens_decoder.values()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, marks)) or "(?!)")


def _give_up(rows: Sequence[Row], fault: BaseException) -> None:
    for row in rows:
        if not row.reply.done():
            row.fail(fault)


def _as_list(value: int | list[int]) -> list[int]:
    return value if isinstance(value, list) else [value]
