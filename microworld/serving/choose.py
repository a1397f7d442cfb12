"""Picks the next token of every row, each with its own temperature, seed, grammar, stops and limit.

`generate` calls a `Chooser` as its only logits processor and then takes the arg max of what comes back, so
a score of zero for the chosen token and minus infinity for all others makes the choice. The same object's
`finished` is the stopping criterion. A row's draw uses nothing of its neighbours: its own random numbers,
one per token, against its own cumulated probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

import torch
from tokenizers import Tokenizer

from microworld.serving.protocol import Refusal
from microworld.serving.rows import Finish, Reply, Row, Scored

GREEDY_BELOW = 1e-5
"""Temperatures below are zero, as in vLLM."""


class Chooser:
    """The choices of one stride of a batch. `closing` ends it early, with rows left without a reply."""

    def __init__(self, rows: Sequence[Row], speller: Tokenizer, ends: Sequence[int], closing: Event) -> None:
        self._rows = rows
        self._speller = speller
        self._ends = frozenset(ends)
        self._closing = closing

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """What `generate` asks: all minus infinity but for the tokens chosen."""
        return torch.full_like(scores, -torch.inf).scatter_(1, self.choose(scores)[:, None], 0.0)

    def choose(self, scores: torch.Tensor) -> torch.Tensor:
        """The next token of each row, shape (rows,); `scores` are the model's logits, (rows, vocabulary)."""
        open_rows = [i for i, row in enumerate(self._rows) if not row.reply.done()]
        chosen = torch.zeros(len(self._rows), dtype=torch.long)
        if open_rows:
            rows = [self._rows[i] for i in open_rows]
            chosen[open_rows] = draw(rows, masked(rows, scores[open_rows]))
            self._score(open_rows, chosen, scores)
        for i in open_rows:
            self._append(self._rows[i], int(chosen[i]))
        return chosen

    def finished(self, input_ids: torch.Tensor, scores: object) -> torch.Tensor:
        """Which rows need no more tokens: bool, shape (rows,)."""
        return torch.tensor([self._closing.is_set() or row.reply.done() for row in self._rows])

    def _score(self, open_rows: list[int], chosen: torch.Tensor, scores: torch.Tensor) -> None:
        asked = [i for i in open_rows if self._rows[i].how.top is not None]
        for i, logprobs in zip(asked, scores[asked].log_softmax(-1), strict=True):
            self._rows[i].scored.append(scored(self._rows[i], int(chosen[i]), logprobs))

    def _append(self, row: Row, token: int) -> None:
        row.tokens.append(token)
        if row.grammar is not None and (fault := row.grammar.advance(token)):
            row.fail(Refusal(f"response_format: {fault}", code="invalid_schema"))
        elif token in self._ends or self._stop(row) is not None:
            self._finish(row, "stop")
        elif len(row.tokens) == row.how.max_tokens:
            self._finish(row, "length")

    def _finish(self, row: Row, finish: Finish) -> None:
        text = self._text(row)[: self._stop(row)]
        row.finish(Reply(text, row.tokens, row.scored, finish))

    def _stop(self, row: Row) -> int | None:
        """Where the first stop string begins, if one has been said."""
        if not row.how.stops:
            return None
        text = self._text(row)
        return min((text.find(stop) for stop in row.how.stops if stop in text), default=None)

    def _text(self, row: Row) -> str:
        text: str = self._speller.decode(row.tokens, skip_special_tokens=True)
        return text


def masked(rows: Sequence[Row], logits: torch.Tensor) -> torch.Tensor:
    """`logits`, a copy of its own, with what a row's grammar forbids at minus infinity."""
    for row, line in zip(rows, logits, strict=True):
        if row.grammar is not None:
            line.masked_fill_(~row.grammar.allowed(len(line)), -torch.inf)
    return logits


def draw(rows: Sequence[Row], logits: torch.Tensor) -> torch.Tensor:
    """One token for each row, shape (rows,)."""
    chosen = logits.argmax(-1)
    warm = [i for i, row in enumerate(rows) if row.how.temperature >= GREEDY_BELOW]
    if not warm:
        return chosen
    temperature = torch.tensor([rows[i].how.temperature for i in warm])
    weights = torch.softmax(logits[warm].double() / temperature[:, None], -1)
    for line, i in enumerate(warm):
        if rows[i].how.top_p < 1:
            weights[line] = nucleus(weights[line], rows[i].how.top_p)
    up_to = weights.cumsum(-1)
    at = torch.tensor([rows[i].rng.random() for i in warm], dtype=torch.double) * up_to[:, -1]
    chosen[warm] = torch.searchsorted(up_to, at[:, None], right=True)[:, 0]
    return chosen


def nucleus(weights: torch.Tensor, top_p: float) -> torch.Tensor:
    """Keep the fewest most probable tokens that reach `top_p` together; the rest weigh nothing."""
    by_weight, order = weights.sort(descending=True, stable=True)
    before = by_weight.cumsum(-1) - by_weight
    return weights.index_fill(0, order[before >= top_p], 0.0)


def scored(row: Row, token: int, logprobs: torch.Tensor) -> Scored:
    """The chosen token and those reported beside it; `logprobs` has shape (vocabulary,)."""
    others = torch.tensor(row.how.watched, dtype=torch.long)
    if not row.how.watched:
        others = logprobs.topk(row.how.top or 0).indices
    return Scored(
        token,
        float(logprobs[token]),
        list(zip(others.tolist(), logprobs[others].tolist(), strict=True)),
    )
