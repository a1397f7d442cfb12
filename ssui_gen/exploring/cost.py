"""What exploration cost: the policy's tokens and F's, by kind of path, in all and for a pair. Pure sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

from ssui_gen.completions import Completion
from ssui_gen.records import KINDS, Kind

Who = Literal["policy", "F"]
WHO: tuple[Who, ...] = get_args(Who)


class Spent(NamedTuple):
    """One line of the account, by kind of path."""

    what: str
    by_kind: tuple[int, ...]
    """In the order of KINDS."""

    @property
    def whole(self) -> int:
        return sum(self.by_kind)

    def a_pair(self, pairs: Mapping[str, int]) -> list[str]:
        """For one pair: of all, then of each kind."""
        counts = [sum(pairs[kind] for kind in KINDS), *(pairs[kind] for kind in KINDS)]
        return [_each(n, count) for n, count in zip((self.whole, *self.by_kind), counts, strict=True)]


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
        for who in WHO:
            for what in ("requests", "prompt tokens", "of these cached", "generated tokens"):
                yield Spent(f"{who}: {what}", self._of((who,), (what,)))
        tokens = ("prompt tokens", "generated tokens")
        yield Spent("all tokens, policy and F", self._of(WHO, tokens))
        waited = self._of(WHO, ("milliseconds",))
        yield Spent("seconds of waiting", tuple(round(part / 1000) for part in waited))

    def account(self, pairs: Mapping[str, int]) -> str:
        """In one line, what a pair of each kind took, and who read and wrote it."""
        return "; ".join(f"{kind} {self._account(kind, pairs[kind])}" for kind in KINDS)

    def _account(self, kind: Kind, pairs: int) -> str:
        tokens = ("prompt tokens", "generated tokens")
        parts = {who: sum(self._sums[kind, who, part] for part in tokens) for who in WHO}
        if not pairs:
            return f"none, for {sum(parts.values()):,}"
        told = ", ".join(f"{who} {_each(n, pairs)}" for who, n in parts.items())
        return f"{_each(sum(parts.values()), pairs)} ({told})"

    def _of(self, who: Iterable[Who], what: Iterable[str]) -> tuple[int, ...]:
        wanted = [(one, part) for one in who for part in what]
        return tuple(sum(self._sums[kind, one, part] for one, part in wanted) for kind in KINDS)


def _each(n: int, pairs: int) -> str:
    return f"{n / pairs:,.1f}" if pairs else "–"
