"""croissant.json: the files of a published run for programs (mlcommons.org/croissant), with what its
extension for responsible AI asks. Made and validated with `mlcroissant`, which is an extra.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ssui_gen.errors import ConfigError
from ssui_gen.publishing.facts import PAPER, About, Facts
from ssui_gen.publishing.rows import COLUMNS, WHAT, Config, Kind
from ssui_gen.publishing.shards import DATA

FILE = "croissant.json"
PARQUET = "application/x-parquet"
LACKS = (
    "mlcroissant is not installed, and croissant.json is made and validated with it: "
    "pip install 'ssui_gen[publish]'"
)


def croissant(facts: Facts, hashes: Mapping[str, str], url: str) -> str:
    """The file's content. `hashes` are sha256 by name of file; `url` is where the dataset is to be found.

    Raises ConfigError where the library is missing.
    """
    mlc = library()
    context = mlc.Context(conforms_to="http://mlcommons.org/croissant/1.0")
    about = facts.about
    metadata = mlc.Metadata(
        ctx=context,
        name=about.name,
        description=_description(facts),
        license=list(
            dict.fromkeys(one.url or one.name for one in (facts.terms, *(p.terms for p in facts.pictures)))
        ),
        url=url or "https://arxiv.org/abs/2509.12060",
        version=_semantic(about.version),
        cite_as=f"{about.authors or about.name}: {about.name}, version {about.version}. Method: {PAPER}",
        date_published=_when(facts),
        creators=list(_creators(mlc, context, about)),
        in_language=[about.language],
        keywords=["safety", "vision-language", "reasoning"],
        distribution=list(_files(mlc, context, facts, hashes)),
        record_sets=[_records(mlc, context, config) for config in COLUMNS if config in facts.rows],
        **_responsible(facts),
    )
    return json.dumps(metadata.to_json(), indent=1, ensure_ascii=False, default=str) + "\n"


def validate(folder: Path) -> None:
    """Raises ConfigError with the library's words where it finds an error in `folder`'s file."""
    mlc = library()
    try:
        found = mlc.Dataset(jsonld=str(folder / FILE))
    except mlc.ValidationError as error:
        raise ConfigError(f"{FILE}: mlcroissant refuses it: {error}") from None
    if found.metadata.ctx.issues.errors:
        raise ConfigError(f"{FILE}: mlcroissant refuses it: {found.metadata.ctx.issues.report()}")


def library() -> Any:
    """Raises ConfigError where it is not installed."""
    try:
        import mlcroissant
    except ImportError:
        raise ConfigError(LACKS) from None
    return mlcroissant


def _creators(mlc: Any, ctx: Any, about: About) -> Iterator[Any]:
    """People who are named, else nobody in particular."""
    names = [name.strip() for name in about.authors.split(";") if name.strip()]
    yield from (mlc.Person(ctx=ctx, name=name) for name in names)
    if not names:
        yield mlc.Organization(ctx=ctx, name=f"The authors of {about.name}")


def _files(mlc: Any, ctx: Any, facts: Facts, hashes: Mapping[str, str]) -> Iterator[Any]:
    """Each file with its hash, and those of a configuration as one set."""
    for shard in facts.shards:
        yield mlc.FileObject(
            ctx=ctx, id=shard.name, name=shard.name, content_url=shard.name, encoding_formats=[PARQUET],
            content_size=f"{shard.bytes} B", sha256=hashes[shard.name],
            description=f"{shard.rows} rows of {shard.config}, split {shard.split}",
        )  # fmt: skip
    for config in facts.rows:
        name, pattern = f"{config}-files", f"{DATA}/{config}/*.parquet"
        yield mlc.FileSet(ctx=ctx, id=name, name=name, encoding_formats=[PARQUET], includes=[pattern])


def _records(mlc: Any, ctx: Any, config: Config) -> Any:
    return mlc.RecordSet(
        ctx=ctx, id=config, name=config, description=WHAT[config],
        fields=[
            _field(mlc, ctx, config, name, kind, meaning)
            for name, (kind, meaning) in COLUMNS[config].items() if kind != "messages"
        ],
    )  # fmt: skip


def _field(mlc: Any, ctx: Any, config: Config, name: str, kind: Kind, meaning: str) -> Any:
    types = {"number": mlc.DataType.INTEGER, "fraction": mlc.DataType.FLOAT}
    if picture := kind in ("picture", "pictures"):
        types[kind] = mlc.DataType.IMAGE_OBJECT
    source = mlc.Source(
        ctx=ctx, file_set=f"{config}-files", extract=mlc.Extract(ctx=ctx, column=name),
        transforms=[mlc.Transform(ctx=ctx, json_path="bytes")] if picture else [],
    )  # fmt: skip
    return mlc.Field(
        ctx=ctx, id=f"{config}/{name}", name=f"{config}/{name}", description=meaning.replace("`", ""),
        data_types=[types.get(kind, mlc.DataType.TEXT)], source=source,
        repeated=kind in ("texts", "pictures"),
    )  # fmt: skip


def _description(facts: Facts) -> str:
    toy = " Made by a toy model that knows drawn scenes alone." if facts.toy else ""
    nested = " Messages of pairs are not described here: they are lists of lists."
    nested = nested if "pairs" in facts.rows else ""
    unnamed = f" Of {facts.unnamed} pictures nobody said whose they are." if facts.unnamed else ""
    return (
        "Pictures and questions that are each safe alone, some of them dangerous together, with six steps of "
        f"reasoning and a safe, helpful answer.{toy} The split stands in the name of the file.{nested} "
        f"Canary GUID {facts.canary}.{unnamed}"
    )


def _responsible(facts: Facts) -> dict[str, Any]:
    """The properties of croissant-rai."""
    people = (
        f"{sum(facts.settled.values())} paths were decided by people"
        if facts.settled
        else "No person has looked at the paths"
    )
    return {
        "data_collection": ["Pictures were brought by whoever made the run; agents wrote the rest."],
        "data_collection_type": ["Software Collection"],
        "data_annotation_protocol": [f"Models check each side alone and both together. {people}."],
        "data_annotation_analysis": [_agreement(facts)],
        "machine_annotation_tools": [facts.made_with, *facts.models],
        "data_limitations": [
            "Labels are models' verdicts. It is no sample of the world, and no advice on safety."
        ],
        "data_biases": ["Classes are as the pictures that were brought and the models make them."],
        "data_use_cases": ["Training and studying models that see danger which neither side shows alone."],
        "data_social_impact": ["Harms are named in one sentence each, never how to do them."],
        "personal_sensitive_information": [
            "Pictures carry no metadata. Keys, paths of home folders and reviewers' names were searched for; "
            "whether people in the pictures agreed is for whoever brought them to know."
        ],
        "data_release_maintenance_plan": [f"Contact: {facts.about.contact or 'nobody is named'}."],
    }


def _agreement(facts: Facts) -> str:
    one = facts.agreed
    if one is None:
        return "No record was decided by two people."
    figures = f"percent {one.percent}, kappa {one.kappa}, alpha {one.alpha}"
    return f"{one.items} records, {one.people} people: {figures}."


def _semantic(version: str) -> str:
    """`1` as `1.0.0`."""
    return ".".join([*version.split("."), "0", "0"][:3])


def _when(facts: Facts) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(facts.date)
