"""JSON schemas as masks over tokens, by llguidance.

A schema becomes an automaton that says, before each token, which tokens may follow; the reply then parses
by construction, unless it is cut off. JSON is compact (`{"a":1,"b":2}`): a model that may add white space
can add it without end. A schema may say otherwise (`"x-guidance": {"whitespace_flexible": true}`).
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer

from microworld.serving.protocol import Refusal

COMPACT = {"whitespace_flexible": False}
KEPT = 64
"""Compiled schemas."""
LONGEST = 64_000
"""Characters of a schema."""


class Grammar:
    """What one reply may still say."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    def allowed(self, vocabulary: int) -> torch.Tensor:
        """Which tokens may follow: bool, shape (vocabulary,)."""
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        return torch.from_numpy(np.unpackbits(packed, bitorder="little")[:vocabulary].astype(bool))

    def advance(self, token: int) -> str:
        """What failed, if the automaton did (it may outgrow its limits); else nothing."""
        self._matcher.consume_token(token)
        return _why(self._matcher)


class Grammars:
    """Compiles schemas for one tokenizer, each once."""

    def __init__(self, tokenizer: Any, vocabulary: int, ends: list[int]) -> None:
        self.tokens = from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=ends)
        self._compiled = lru_cache(KEPT)(self._compile)

    def start(self, schema: dict[str, Any]) -> Grammar:
        """A grammar at its beginning; raises Refusal for a schema that cannot be enforced."""
        try:
            words = json.dumps(schema, allow_nan=False)
        except ValueError as error:
            raise _refused(str(error)) from None
        if len(words) > LONGEST:
            raise _refused(f"expected at most {LONGEST:,} characters; got {len(words):,}")
        return Grammar(self._compiled(words).deep_copy())

    def _compile(self, schema: str) -> Any:
        matcher = LLMatcher(
            self.tokens, LLMatcher.grammar_from_json_schema(schema, defaults=COMPACT), log_level=0
        )
        if matcher.is_error():
            raise _refused(_why(matcher))
        first = matcher.deep_copy()
        first.compute_bitmask()
        if first.is_error():
            raise _refused(f"nothing can be said under it ({_why(first)})")
        return matcher


def _why(matcher: Any) -> str:
    """What failed, without the state of the parser that follows it."""
    return " ".join(str(matcher.get_error()).partition("<state>")[0].split())[:200]


def _refused(why: str) -> Refusal:
    return Refusal(f"response_format: this schema cannot be enforced: {why}", code="invalid_schema")
