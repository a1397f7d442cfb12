"""Invented rows of other people's data, in the layout of each: everyday safety, privacy and the like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import benches
import pyarrow
import pyarrow.parquet
from benches import picture, written
from jobs import Ended, here

ASKED = "How do I get this window open further?"
_SEEN = "<CAPTION>A window above a street.</CAPTION>"
CARE = f"{_SEEN}<REASONING>It is high.</REASONING><CONCLUSION>Hold on.</CONCLUSION>"
HASTE = f"{_SEEN}<REASONING>It is stuck.</REASONING><CONCLUSION>Lean out.</CONCLUSION>"


def lines(path: Path, rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def bring(layout: str, source: Path, folder: Path, *more: str) -> Ended:
    return here(["import", str(source), "--from", layout, "--to", str(folder), *more], asks=False)


def reasons(folder: Path) -> list[tuple[str, str]]:
    return [(row["row"], row["reason"]) for row in read(folder / "rejects.jsonl")]


# --- rows ------------------------------------------------------------------------------------------------


def llava_row(number: int, **other: Any) -> dict[str, Any]:
    turns = [
        {"from": "human", "value": f"<image>\n{ASKED} ({number})"},
        {"from": "gpt", "value": "Hold the frame."},
        {"from": "human", "value": "And then?"},
        {"from": "gpt", "value": "Step back."},
    ]
    return {"id": f"{number:09}", "image": f"street/{number}.png", "conversations": turns} | other


def llava(folder: Path, *rows: Any) -> Path:
    rows = rows or (llava_row(1), llava_row(2))
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("image"), str) and ".." not in row["image"]:
            picture(folder / row["image"])
    return written(folder / "rows.json", rows)


def sharegpt_row(number: int, **other: Any) -> dict[str, Any]:
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": f"{ASKED} ({number})"}]
    sides = {
        "chosen": {"role": "assistant", "content": CARE},
        "rejected": {"role": "assistant", "content": HASTE},
    }
    return {"messages": turns, "images": [f"{number}.png"], **sides} | other


def sherlock_row(number: int, **other: Any) -> dict[str, Any]:
    asked = [{"from": "human", "value": f"<image>{ASKED} ({number})"}]
    chosen, rejected = CARE, HASTE.replace("A window", "A door")
    cut = "<REASONING>"
    return {
        "conversations": asked,
        "chosen": {"from": "gpt", "value": chosen},
        "rejected": {"from": "gpt", "value": rejected},
        "prefix": chosen.split(cut)[0],
        "prefix_l": rejected.split(cut)[0],
        "weights": 0.8,
        "images": [f"{number}.png"],
    } | other


def prism_row(number: int, **other: Any) -> dict[str, Any]:
    start = "<|PROBLEM|>A ladder is asked about.<|/PROBLEM|><|CAPTION|>"
    return {
        "prompt": f"Is this ladder fine here, number {number}?",
        "image": f"{number}.png",
        "chosen": f"{start}It leans on a gutter.<|/CAPTION|>",
        "rejected": f"{start}It stands.<|/CAPTION|>",
        "chosen_score": 0.9,
        "rejected_score": 0.2,
        "chosen_is_terminal": False,
        "rejected_is_terminal": False,
        "chosen_visited_times": 3,
        "rejected_visited_times": 2,
    } | other


def safetag_row(number: int, text: str, image: str, both: str) -> dict[str, Any]:
    tags = {"text_tag": text, "image_tag": image, "combine_tag": both}
    return {"prompt": f"How do I clean this, number {number}?", "images": [f"{number}.png"], **tags}


def guardtrace_row(number: int, label: Any, **other: Any) -> dict[str, Any]:
    return {
        "image_name": f"{number}.png",
        "question": f"May I read this letter, number {number}?",
        "thinking": "It is somebody else's.",
        "response": "Ask them first.",
        "evaluation_result": label,
    } | other


def meerkat(path: Path) -> Path:
    """Column names of our own: those of the data could not be checked."""
    rows = []
    for number in (1, 2):
        picture(path.parent / "drawn" / f"{number}.png")
        data = (path.parent / "drawn" / f"{number}.png").read_bytes()
        shown = {"bytes": data, "path": f"{number}.png"}
        rows.append(
            {"pic": shown, "ask": f"What fits on this shelf, {number}?", "danger": "It may tip over."}
        )
    for number in (1, 2):
        (path.parent / "drawn" / f"{number}.png").unlink()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def rows_of(layout: str, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """A small good source of each layout, and what has to be said beside it."""
    for number in (1, 2, 3):
        picture(folder / f"{number}.png")
        picture(folder / f"images/{number}.png")
    if layout in ("siuo", "mssbench"):
        return getattr(benches, layout)(folder / "copy"), ()
    if layout == "vlguard":
        return vlguard_train(folder / "copy"), ()
    if layout == "llava":
        return llava(folder / "data"), ("--licence", "CC-BY-4.0")
    if layout == "meerkat":
        return meerkat(folder / "rows.parquet"), ("--map", "image=pic", "text=ask", "risk=danger")
    if layout == "hf":
        rows: list[Any] = [
            {"image_path": "1.png", "question": ASKED},
            {"image_path": "2.png", "question": ""},
        ]
        return written(folder / "rows.json", rows), ("--licence", "CC0-1.0")
    if layout == "sharegpt":
        return lines(folder / "rows.jsonl", [sharegpt_row(1), sharegpt_row(2)]), ("--licence", "MIT")
    made: dict[str, list[Any]] = {
        "prism_dpo": [prism_row(1), prism_row(2)],
        "safetag": [safetag_row(1, "safe", "safe", "unsafe"), safetag_row(2, "safe", "safe", "safe")],
        "guardtrace": [guardtrace_row(1, 0), guardtrace_row(2, "0.5"), guardtrace_row(3, 1.0)],
        "sherlock": [sherlock_row(1), sherlock_row(2)],
    }
    told = ("--licence", "unknown") if layout == "sherlock" else ()
    return written(folder / "rows.json", made[layout]), told


def vlguard_train(folder: Path) -> Path:
    """The rows of its test half, as the train half has them."""
    benches.vlguard(folder)
    (folder / "test.json").rename(folder / "train.json")
    (folder / "test").rename(folder / "train")
    return folder
