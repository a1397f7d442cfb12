"""Visual questions for tests: sets on disk in the shapes that others publish, and runs of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from benching import unless_probed
from fake_answers import prompt_text
from jobs import Ended, here, rows
from PIL import Image

from ssui_gen.benching.adapters.shape import Refused
from ssui_gen.benching.records import Item
from ssui_gen.benching.vqa.reading import Read, Source, read_questions
from ssui_gen.config_vqa import Vqa
from ssui_gen.settings import ImageLimits

PLAIN = Vqa(short="", letter="")
"""Questions as they stand in the rows."""
TEN = ["yes"] * 8 + ["no", "maybe"]


def png(colour: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (colour, 9, 9)).save(file, "PNG")
    return file.getvalue()


def shown(folder: Path, *names: str) -> Path:
    """A folder with pictures of these names, no two alike."""
    for number, name in enumerate(names, 1):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(number))
    return folder


def written(file: Path, found: Any) -> Path:
    """JSON, or JSONL of rows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in found) if file.suffix == ".jsonl" else json.dumps(found)
    file.write_text(lines, "utf-8")
    return file


def row(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "image": f"{number}.png", "question": f"Q{number}?", "answer": "yes"} | fields


def read(data: Path, home: Path | None = None, asking: Vqa = PLAIN) -> Read:
    return read_questions(Source(data, home or data.parent / "home", ImageLimits(), asking))


def sets(folder: Path, *found: dict[str, Any]) -> Path:
    """A file of these rows beside pictures 1.png to 4.png."""
    shown(folder, *(f"{number}.png" for number in range(1, 5)))
    return written(folder / "mine.jsonl", found)


def only(folder: Path, **fields: Any) -> Item:
    """The item of one row."""
    (item,) = read(sets(folder, row(**fields))).items
    return item


def refused(folder: Path, **fields: Any) -> Refused:
    """Why a row is none, beside one that is."""
    made = read(sets(folder, row(2), row(1, **fields)))
    assert len(made.items) == 1
    (found,) = made.refused
    return found


# --- runs ------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """A run of visual questions."""

    run: Path
    data: Path
    url: str

    @property
    def bench(self) -> Path:
        return self.run / "bench-vqa"

    @property
    def model(self) -> Path:
        return self.bench / "fake-vlm"

    def command(self, *more: str) -> list[str]:
        which = ["--bench", "vqa", "--data", str(self.data)]
        return ["bench", "run", "--run", str(self.run), *which, "--base-url", self.url, *more]

    def here(self, *more: str, bench: dict[str, Any] | None = None, **vqa: Any) -> Ended:
        """Run in this process; `vqa` are the settings of that name."""
        self.run.parent.mkdir(parents=True, exist_ok=True)
        file = self.run.parent / f"{self.run.name}.yaml"
        file.write_text(json.dumps({"vqa": vqa, "bench": bench or {}, "limits": {"tries_per_call": 1}}))
        return here(self.command("--config", str(file), *more))

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.model / "report.json").read_text("utf-8"))
        return found

    @property
    def scores(self) -> dict[str, tuple[float, str]]:
        """By the question's first line, how right the answer is and how it stands."""
        texts = {item["id"]: item["text"].split("\n")[0] for item in rows(self.bench / "bench.jsonl")}
        return {
            texts[one["item_id"]]: (one["score"], one["stand"]) for one in rows(self.model / "official.jsonl")
        }

    @property
    def content(self) -> list[str]:
        files = ("responses.jsonl", "official.jsonl")
        return sorted(json.dumps(one, sort_keys=True) for name in files for one in rows(self.model / name))


def many(folder: Path, pictures: int, each: int = 2) -> Path:
    """A set of so many pictures with questions that are answered yes."""
    shown(folder, *(f"{number}.png" for number in range(1, pictures + 1)))
    asked: Iterable[dict[str, Any]] = (
        row(number, id=f"{number}-{turn}", question=f"Q{number}-{turn}?")
        for number in range(1, pictures + 1)
        for turn in range(each)
    )
    return written(folder / "many.jsonl", list(asked))


def saying(says: dict[str, Any], otherwise: Any = "yes") -> dict[str, Any]:
    """A model that answers questions that begin so."""

    def script(body: dict[str, Any]) -> Any:
        asked = prompt_text(body, "user")
        return next((answer for start, answer in says.items() if asked.startswith(start)), otherwise)

    return {"none": unless_probed(script)}
