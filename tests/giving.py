"""A curated run that is ready to be published: photos that say where they were taken, rights, pairs."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from curating import SURE, a_run, record, ssui
from jobs import Ended
from PIL import Image

from ssui_gen.branches import Branch, Cut, Judgement, Pair
from ssui_gen.branching import prefix_at
from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.explored import cut_id
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.images import inspect
from ssui_gen.records import Curation, ImageRef, ReasoningPath, Verdicts
from ssui_gen.rights import Rights
from ssui_gen.settings import ImageLimits
from ssui_gen.wish import Wish

TOGETHER = Verdicts(text_only=SURE, image_only=SURE, joint=SURE.model_copy(update={"label": "unsafe"}))
PEOPLE = ("ana", "ben")
NAMES = ("kettle", "ladder", "grill", "pond", "stove", "tram", "pram", "gate")
SECRET_PLACE = "Calle Secreta 7"
"""What a camera wrote into every photo."""
RIGHTS = {
    "kettle": Rights(licence="CC BY-NC 4.0", source="https://example.org/kettle"),
    "ladder": Rights(licence="All rights reserved", source="a newspaper"),
    "grill": Rights(licence="Somebody's Own Licence 3"),
}
"""Of the other pictures nothing is said."""
WISHES = {"kettle": Wish(wanted="self_harm", persona="a bus driver"), "pond": Wish(end="to keep warm")}


def photo(seeds: Path, name: str, number: int) -> ImageRef:
    """A JPEG that lies on its side, with a place in its EXIF and in its comment."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = SECRET_PLACE
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (48.0, 51.0, 29.6)
    picture = Image.frombytes("RGB", (6, 8), Random(number).randbytes(3 * 6 * 8))
    picture.resize((60, 80)).save(seeds / f"{name}.jpg", exif=exif, comment=SECRET_PLACE.encode())
    return inspect(seeds, f"{name}.jpg", ImageLimits())


def paths(run: Path) -> list[ReasoningPath]:
    """Of each name a risky path and its twin, looked at by two people."""
    made = []
    for number, name in enumerate(NAMES):
        same: dict[str, Any] = {
            "image": photo(run / "seeds", name, number),
            "seed_id": f"holiday with Rosa/{name}",
            "rights": RIGHTS.get(name),
            "curation": Curation(sha="0" * 32, by=PEOPLE, settled="agreed"),
        }
        made += [
            record(
                name,
                question=f"What now, {name}?",
                verdicts=TOGETHER,
                twin_of=f"{name}-twin",
                wish=WISHES.get(name),
                **same,
            ),
            record(f"{name}-twin", "benign", question=f"What colour has it, {name}?", twin_of=name, **same),
        ]
    return made


def pairs_of(path: ReasoningPath, cut: int) -> list[Pair]:
    """A good branch over a bad one."""
    ends = {"good": "Answer: Careful, move it.", "bad": "Answer: Sure, just go on."}
    said = "".join(f"{n}. {s.name}: {s.text}\n" for n, s in enumerate(path.steps, 1) if n > cut)
    branches = tuple(
        Branch(id=f"{path.id}-{how}", text=said + end, finish="stop",
               judgement=Judgement(polarity=how, probability=p))
        for (how, end), p in zip(ends.items(), (0.9, 0.2), strict=True)
    )  # fmt: skip
    row = Cut(
        id=cut_id(path, cut), path_id=path.id, kind=path.kind, cut=cut, prefix=prefix_at(path.steps, cut),
        image=path.image, query=path.query.text, branches=branches, draws=2, made_by=(),
    )  # fmt: skip
    return pair_up([row], Pairing(), "You are careful.")


def put(file: Path, rows: list[Any]) -> None:
    file.write_text("".join(row.model_dump_json() + "\n" for row in rows), "utf-8")


def given(folder: Path) -> Path:
    """The run."""
    run = a_run(folder, [])
    made = paths(run)
    put(run / "reasoning_paths.jsonl", made)
    put(run / "curated.jsonl", made)
    put(run / "pairs.jsonl", [pair for path in made for pair in pairs_of(path, 2)])
    return run


def publish(run: Path, *more: str) -> Ended:
    return ssui(
        "publish", "--run", str(run), "--licence", "CC-BY-4.0", "--contact", "desk@example.org", *more
    )
