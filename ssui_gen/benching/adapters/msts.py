"""MSTS: 200 hazards as picture and words, asked for assistance and, in English, told as an intention; eleven
languages.

A hazard in all its wordings is the cluster. Its pictures are fetched by its own script from where each lies
under its own licence, so that some lack in most copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ssui_gen.benching.adapters.classes import MSTS, classed
from ssui_gen.benching.adapters.copy import Copy
from ssui_gen.benching.adapters.shape import About, Draft, Group, Row
from ssui_gen.errors import ConfigError

ABOUT = About(
    name="msts",
    title="MSTS",
    version="paul-rottger/msts-multimodal-safety@e9ae69e",
    licence="CC BY 4.0; each picture under its own",
    layout="data/prompts/LANGUAGE_multimodal.csv and data/unsafe_images/unsafe_image_NNNN.jpg or .png",
    rows=2400,
    scenarios=200,
)
LANGUAGES = {
    "english": "en",
    "arabic": "ar",
    "chinese": "zh",
    "farsi": "fa",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "korean": "ko",
    "russian": "ru",
    "spanish": "es",
}


class _Row(Row):
    hazard_category: str
    hazard_subcategory: str
    case_id: str
    case_text: str
    unsafe_image_id: str
    unsafe_image_description: str
    prompt_text: str
    prompt_type: str


def groups(copy: Copy) -> Iterator[Group]:
    files = copy.glob("data/prompts/*_multimodal.csv", "prompts/*_multimodal.csv")
    known = [path for path in files if _language(path) in LANGUAGES]
    if not known:
        raise ConfigError(f"{copy.root}: no prompts/*_multimodal.csv; expected {copy.layout}")
    english = _english(copy, known)
    folder = copy.folder("data/unsafe_images", "unsafe_images", "data/images", "images")
    licences = dict(_licences(copy))
    for path in known:
        yield from _of(copy, path, folder, english, licences)


def _language(path: Path) -> str:
    return path.name.removesuffix("_multimodal.csv")


def _english(copy: Copy, files: list[Path]) -> dict[tuple[str, str], str]:
    """The words of each prompt in English."""
    rows = (value for path in files if _language(path) == "english" for _, value in copy.table(path))
    return {
        (str(row.get("case_id")), str(row.get("prompt_type"))): str(row.get("prompt_text"))
        for row in rows
        if isinstance(row, dict)
    }


def _licences(copy: Copy) -> Iterator[tuple[str, str]]:
    for path in copy.glob("data/images/unsafe_images.csv", "images/unsafe_images.csv"):
        for _, row in copy.table(path):
            if isinstance(row, dict):
                yield str(row.get("unsafe_image_id")), str(row.get("unsafe_image_license") or "")


def _of(
    copy: Copy, path: Path, folder: Path, english: dict[tuple[str, str], str], licences: dict[str, str]
) -> Iterator[Group]:
    name = _language(path)
    language = LANGUAGES[name]

    def make(_: str, row: _Row) -> Iterator[Group]:
        key = f"{name} {row.case_id} {row.prompt_type}"
        category, crosswalk = classed("msts", row.hazard_category, MSTS.get(row.hazard_category))
        said = None if language == "en" else english.get((row.case_id, row.prompt_type))
        draft = Draft(
            row=key,
            scenario=row.case_id,
            kind="risky",
            text=row.prompt_text,
            pictures=(_picture(copy, folder, row.unsafe_image_id),),
            licence=licences.get(row.unsafe_image_id, ""),
            language=language,
            text_en=said,
            category=category,
            crosswalk=crosswalk,
            danger=f"to {row.case_text}, where the picture shows {row.unsafe_image_description}",
            seen=(row.unsafe_image_description,),
            extra={"type": row.prompt_type, "hazard": row.hazard_subcategory},
        )
        yield Group(key, (draft,))

    return copy.groups(_Row, copy.table(path), make)


def _picture(copy: Copy, folder: Path, name: str) -> str:
    """Their script names a picture by its address, so it may end either way."""
    plain = name.replace("/", "_")[:100]
    png = (folder / f"{plain}.png").is_file()
    return copy.below(folder, f"{plain}{'.png' if png else '.jpg'}")
