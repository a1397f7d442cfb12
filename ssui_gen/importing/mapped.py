"""Tables whose columns mean what a person says they mean: a dataset of the hub on disk, Meerkat-Safe.

Unless a person says so, a column is taken where only one fits, as seeds are read (`columns`); of Meerkat-Safe
no column's name could be checked, so there it has to be said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from ssui_gen.columns import MORE, as_seed
from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.importing.benchmarks import whose
from ssui_gen.importing.reading import left, pictures_of, placed, words_of
from ssui_gen.importing.shape import Check, Draft, Layout, Left, Source, Why
from ssui_gen.records import KINDS, Label

CHECKS: tuple[Check, ...] = get_args(Check)
FACTS = ("intent", "risk", "harm")
NAMES = ("image", "text", "kind", "licence", *CHECKS, *FACTS)
"""What a column may be said to hold."""
NEEDED = {"hf": ("image",), "meerkat": ("image", "text")}
HF_IS = "a dataset saved to disk, or a file or folder of rows: Parquet, JSON, JSONL, CSV"
MEERKAT_IS = "its Parquet file, and --map image=... text=... risk=... with the names of its columns"


def _hf(source: Source) -> Iterator[Draft | Left]:
    return _read(source, {})


def _meerkat(source: Source) -> Iterator[Draft | Left]:
    """Text and picture are harmless, and together hold a risk: so its authors describe all rows."""
    if missing := [name for name in NEEDED["meerkat"] if name not in source.columns]:
        raise ConfigError(
            f"--map: no {' and '.join(missing)}: no name of its columns could be checked, and a guess could "
            f"turn them round; it has {_columns(source)}: say which is which, such as --map image=COLUMN "
            f"text=COLUMN (also known: {', '.join(FACTS)})"
        )
    return _read(source, {"check_text": "safe", "check_image": "safe", "check_joint": "unsafe"})


def _columns(source: Source) -> str:
    first = next((line.value for _, line in placed(source) if line.value), {})
    return ", ".join(map(str, first)) or "no row"


def _read(source: Source, gold: dict[Check, Label]) -> Iterator[Draft | Left]:
    if strange := sorted(set(source.columns) - set(NAMES)):
        raise ConfigError(f"--map: no {', '.join(strange)} is known; expected some of {', '.join(NAMES)}")
    for where, line in placed(source):
        try:
            if line.value is None:
                raise RecordError(str(line.error))
            _refuse_benchmark(line.value, source)
            yield _draft(source, where, _named(source.columns, line.value, where), gold)
        except RecordError as error:
            yield left(where, Why.ROW_INVALID, error)


def _refuse_benchmark(row: Mapping[str, Any], source: Source) -> None:
    if title := whose(row.keys()):
        raise ConfigError(
            f"{source.path}: its columns are those of {title}, which models are measured with: name it in "
            "leaks: {bench: [...]}, and import it by its own name where it has one (--from)"
        )


def _named(columns: Mapping[str, str], value: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """A row by our names: as a person said, else as seeds are read."""
    if not columns:
        try:
            return as_seed(value, strict=False)
        except ValueError as error:
            raise RecordError(f"{where}: {error}, or say it with --map") from None
    if missing := sorted(set(columns.values()) - value.keys()):
        found = ", ".join(map(str, value))[:300]
        raise RecordError(f"{where}: no {', '.join(map(repr, missing))} (columns: {found}): another edition?")
    return {ours: value[theirs] for ours, theirs in columns.items()}


def _draft(source: Source, where: str, row: Mapping[str, Any], gold: dict[Check, Label]) -> Draft | Left:
    pictures = pictures_of(source, where, [row.get("image"), row.get(MORE)])
    if isinstance(pictures, Left):
        return pictures
    labels = gold | {name: _one_of(row[name], get_args(Label), name) for name in CHECKS if row.get(name)}
    joint = labels.get("check_joint")
    kind = _one_of(row["kind"], KINDS, "kind") if row.get("kind") else None
    return Draft(
        where,
        words_of(row["text"]) if row.get("text") else "",
        pictures,
        kind=kind or ({"unsafe": "risky", "safe": "benign"}.get(joint) if joint else None),  # type: ignore[arg-type]
        gold=labels,
        licence=str(row.get("licence") or ""),
        facts={name: str(row[name])[:2000] for name in FACTS if row.get(name)},
    )


def _one_of(value: Any, known: tuple[str, ...], name: str) -> Any:
    if value not in known:
        raise RecordError(f"{name}: expected {' or '.join(known)}; got {str(value)[:40]!r}")
    return value


HF = Layout(
    name="hf",
    title="a dataset",
    version="huggingface.co/docs/datasets",
    expects=HF_IS,
    makes=("seeds", "gold"),
    read=_hf,
    mapped=True,
)
MEERKAT = Layout(
    name="meerkat",
    title="Meerkat-Safe",
    version="Tunanzzz/Meerkat-VL@9ecb792, README.md, in words",
    expects=MEERKAT_IS,
    makes=("seeds", "gold"),
    read=_meerkat,
    licence="Apache-2.0, for research only",
    mapped=True,
)
