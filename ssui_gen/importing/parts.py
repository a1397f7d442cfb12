"""Answers written in tagged parts, and PRISM's pairs, two of which part at a tag.

`<|PROBLEM|>...<|/PROBLEM|>` as PRISM writes them, or `<CAPTION>...</CAPTION>` as LLaVA-CoT's heirs do. A side
may break off in the middle of an answer: only those that are told to their end teach where an answer ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from ssui_gen.importing.reading import left, parsed, pictures_of, words_of
from ssui_gen.importing.shape import Draft, Layout, Left, Preference, Row, Source, Why

ENDS = re.compile(r"<\|/[A-Z]+\|>|</[A-Z]+>")
PRISM_IS = (
    'rows of {"prompt", "image", "chosen", "rejected", "chosen_score", "rejected_score", '
    '"chosen_is_terminal", "rejected_is_terminal"}, as the generator of the pairs writes them'
)


def whole_parts(text: str) -> int:
    """How many parts of it are closed."""
    return len(ENDS.findall(text))


def common_parts(one: str, other: str) -> str:
    """The closed parts that both begin with, to the letter."""
    same = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False)))
    ends = [found.end() for found in ENDS.finditer(one, 0, same)]
    return one[: ends[-1]] if ends else ""


class _Prism(Row):
    prompt: str
    image: Any
    chosen: str
    rejected: str
    chosen_score: float
    rejected_score: float
    chosen_is_terminal: bool
    rejected_is_terminal: bool
    chosen_visited_times: int = 0
    rejected_visited_times: int = 0
    id: Any = None


def _prism(source: Source) -> Iterator[Draft | Left]:
    def make(where: str, row: _Prism) -> Iterator[Draft | Left]:
        pictures = pictures_of(source, where, row.image)
        prefix = common_parts(row.chosen, row.rejected)
        if isinstance(pictures, Left):
            yield pictures
        elif not row.chosen_score > row.rejected_score:
            scores = f"{row.chosen_score:g} and {row.rejected_score:g}"
            yield left(where, Why.ORDER_UNSURE, f"{where}: chosen and rejected are scored {scores}")
        else:
            preference = Preference(
                row.chosen,
                row.rejected,
                prefix,
                cut=whole_parts(prefix),
                margin=row.chosen_score - row.rejected_score,
                whole=row.chosen_is_terminal and row.rejected_is_terminal,
            )
            yield Draft(where, words_of(row.prompt), pictures, preference=preference)

    return parsed(source, _Prism, PRISM_IS, make)


PRISM = Layout(
    name="prism_dpo",
    title="PRISM-DPO",
    version="SaFoLab-WISC/PRISM@a892f55, PRISM_DPO_data/src/generate_actor_traindata.py",
    expects=PRISM_IS,
    makes=("pairs", "seeds"),
    read=_prism,
    licence="CC BY-NC 4.0",
)
