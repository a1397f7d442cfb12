"""The calls that `explore.py` left, counted in Qwen2.5-VL's tokens: the same draws, the same verdicts.

    .venv/bin/python benchmarks/explore.py outputs/demo --folder FOLDER
    .venv/bin/python benchmarks/explore_counted.py FOLDER

The micro VLM reads no system prompt and takes 64 tokens a picture. Here Qwen's merges and its template's
marks count all that was sent, and a picture as it was drawn (256 tokens) or as a photo that fills the limit
(1,230). A prompt counts once a request. What is said is still the micro VLM's; a real model says more.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bench import ROOT
from explore import COLUMNS, DEFAULT, WAYS, each, found_in, whole

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from real_tokens import qwen, qwen_file  # noqa: E402

from ssui_gen.picture_tokens import tokens_of  # noqa: E402
from ssui_gen.settings import PIXELS  # noqa: E402

DRAWN, PHOTO = (448, 448), (1_280, 960)
"""Pixels of a drawn picture, and of a photo that fills the limit."""
MODEL = "qwen2.5-vl"
MARKS = len(("<|im_start|>", "system or user", "\n", "<|im_end|>", "\n"))
"""Tokens of a template around one message of the system's or of the user's."""
REPLY = len(("<|im_start|>", "assistant", "\n"))
"""Before what the model writes or goes on from."""
VISION = len(("<|vision_start|>", "<|vision_end|>"))
SHOWN = ("policy: read", "written", "judge: read", "all tokens")
"""Columns of `explore`'s own table."""


def counted(folder: Path, picture: int, tokens: Callable[[str], int]) -> Counter[str]:
    """What the calls in `folder` took, in tokens: read and written, by policy and judge."""
    spent: Counter[str] = Counter()
    with sqlite3.connect(folder / "calls.sqlite") as journal:
        for agent, request, completion in journal.execute("SELECT agent, request, completion FROM calls"):
            who = "policy" if agent == "policy" else "judge"
            messages, choices = json.loads(request)["messages"], json.loads(completion)["choices"]
            spent[f"{who} prompt"] += REPLY + sum(_read(one, picture, tokens) for one in messages)
            spent[f"{who} generated"] += sum(tokens(choice["text"]) + 1 for choice in choices)
    return spent


def _read(message: Mapping[str, Any], picture: int, tokens: Callable[[str], int]) -> int:
    marks = 0 if message["role"] == "assistant" else MARKS
    return marks + sum(
        picture + VISION if part["type"] == "image_url" else tokens(part["text"]) for part in _parts(message)
    )


def _parts(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    content = message["content"]
    yield from [{"type": "text", "text": content}] if isinstance(content, str) else content


def _counter() -> Callable[[str], int]:
    file = qwen_file()
    if file is None:
        raise SystemExit("explore_counted: needs the package dashscope, which carries Qwen's merges")
    tokenizer = qwen(file)
    return cache(lambda text: len(tokenizer(text)["input_ids"]))


def _tables(folder: Path) -> Iterator[str]:
    """For each size of picture: what a pair takes by each way, and how many times the default's."""
    tokens = _counter()
    for size in (DRAWN, PHOTO):
        estimate = tokens_of(MODEL, *size, PIXELS)
        assert estimate is not None
        got = {
            way: counted(folder / str(n), estimate.tokens, tokens) + found_in(folder / str(n))
            for n, way in enumerate(WAYS)
        }
        yield f"\n{estimate.family}, {estimate.tokens:,} tokens a picture"
        yield f"| a pair takes | {' | '.join(SHOWN)} | times the default |"
        yield "|---|--:|--:|--:|--:|--:|"
        least = each(got[DEFAULT], whole)
        for way, counts in got.items():
            told = " | ".join(f"{each(counts, COLUMNS[name]):,.0f}" for name in SHOWN)
            yield f"| {way} | {told} | {each(counts, whole) / least:.1f} |"


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="what explore.py left in its --folder")
    folder = parser.parse_args().folder
    if not all((folder / str(n) / "calls.sqlite").is_file() for n in range(len(WAYS))):
        raise SystemExit(f"explore_counted: {folder}: expected what explore.py --folder leaves")
    for line in _tables(folder):
        print(line)


if __name__ == "__main__":
    main()
