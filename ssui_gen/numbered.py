"""Sequences whose members are read or made each time they are asked for; a part of one is numbers alone."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T", covariant=True)


class Numbered(Sequence[T]):
    """Whatever can say how many there are, and give one by its number."""

    @abstractmethod
    def at(self, number: int) -> T:
        """The one of this number, from 0 on; it is there."""

    @overload
    def __getitem__(self, which: int) -> T: ...
    @overload
    def __getitem__(self, which: slice) -> Chosen[T]: ...
    def __getitem__(self, which: int | slice) -> T | Chosen[T]:
        numbers = range(len(self))
        return Chosen(self, numbers[which]) if isinstance(which, slice) else self.at(numbers[which])

    def __iter__(self) -> Iterator[T]:
        return map(self.at, range(len(self)))


class Chosen(Numbered[T]):
    """Those of others that have these numbers."""

    def __init__(self, others: Sequence[T], numbers: Iterable[int]) -> None:
        self.others, self.numbers = others, array("Q", numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, number: int) -> T:
        """Of the others."""
        return self.others[self.numbers[number]]
