"""What exploration cost: the policy's tokens and F's, by kind of path, in all and for a pair. Pure sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from ssui_gen.completions import Completion
from ssui_gen.records import KINDS, Kind

Who = Literal["policy", "F"]


class Spent(NamedTuple):
    """One line of the account, by kind of path."""

    what: str
    by_kind: tuple[int, ...]
    """In the order of KINDS."""

    @property
    def whole(self) -> int:
        return sum(self.by_kind)

    def a_pair(self, pairs: int) -> str:
        return f"{self.whole / pairs:,.1f}" if pairs else "–"


class Cost:
    """Sums over calls. A judge reads many times what a policy writes, so neither is left out."""

    def __init__(self) -> None:
        self._sums: Counter[tuple[Kind, Who, str]] = Counter()

    def add(self, kind: Kind, who: Who, call: Completion) -> None:
        usage = call.usage
        parts: Mapping[str, int] = {
            "requests": 1, "prompt tokens": usage.prompt_tokens, "of these cached": usage.cached_tokens or 0,
            "generated tokens": usage.completion_tokens, "milliseconds": round(1000 * call.seconds),
        }  # fmt: skip
        for what, count in parts.items():
            self._sums[kind, who, what] += count

    def lines(self) -> Iterable[Spent]:
        """The policy's, F's, and the tokens of both together."""
        for who in ("policy", "F"):
            for what in ("requests", "prompt tokens", "of these cached", "generated tokens"):
                yield Spent(f"{who}: {what}", self._of((who,), (what,)))
        tokens = ("prompt tokens", "generated tokens")
        yield Spent("all tokens, policy and F", self._of(("policy", "F"), tokens))
        waited = self._of(("policy", "F"), ("milliseconds",))
        yield Spent("seconds of waiting", tuple(round(part / 1000) for part in waited))

    def _of(self, who: Iterable[Who], what: Iterable[str]) -> tuple[int, ...]:
        wanted = [(one, part) for one in who for part in what]
        return tuple(sum(self._sums[kind, one, part] for one, part in wanted) for kind in KINDS)
