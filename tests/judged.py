"""What a judge's dialogue teaches: each question with the option that its letter names."""

from __future__ import annotations

from collections.abc import Iterator

from microworld.corpus.dialogues import Dialogue
from ssui_gen.judging.questions import LETTERS


def answers_of(one: Dialogue) -> Iterator[tuple[str, str]]:
    for user, letter in ((one.user, one.target), *one.more):
        lines = user.rpartition("\n# Asked: ")[2].splitlines()
        options = dict(line.split(". ", 1) for line in lines if line[:1] in LETTERS and line[1:3] == ". ")
        yield lines[0], options[letter]
