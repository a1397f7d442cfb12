"""Merged rows as Parquet shards: read by `datasets` as one table, and back into the very same files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pyarrow
import pyarrow.parquet
import pytest
from benching import PLAYED as ASKED
from benching import benched
from datasets import load_dataset
from fake_server import Fake
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import here, plain, rows
from pydantic import BaseModel
from test_shards import sharded

from ssui_gen.errors import ConfigError, RecordError
from ssui_gen.files import claim
from ssui_gen.jsonl import as_line
from ssui_gen.records import Reason, Record, Reject
from ssui_gen.seeds import read_seeds
from ssui_gen.shards.folding import KINDS
from ssui_gen.shards.parquet import cells, read_shards, schema_of, values, write_shards

WORDS = st.text('ab\n\u2028é"', max_size=4)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    bool: st.booleans(),
    int: st.integers(-(2**40), 2**40),
    float: st.floats(0, 1),
    type(None): st.none(),
    Any: st.none() | st.integers() | WORDS | st.lists(WORDS, max_size=2),
}


def invented(hint: Any) -> st.SearchStrategy[Any]:
    """A JSON value as a field of this kind has one."""
    origin, args = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        fields = hint.model_fields.items()
        return st.fixed_dictionaries({one.alias or name: invented(one.annotation) for name, one in fields})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from([one.value for one in hint])
    if origin is Literal:
        return st.sampled_from(args)
    if origin is Annotated:
        return WORDS.filter(lambda text: bool(text))
    if origin is tuple:
        return st.lists(invented(args[0]), max_size=2)
    if origin is dict:
        return st.dictionaries(WORDS, invented(args[1]), max_size=2)
    return st.one_of(*map(invented, args))


@pytest.mark.parametrize("kind", dict.fromkeys(KINDS.values()))
@settings(max_examples=15)
@given(data=st.data())
def test_no_value_of_any_kind_of_row_changes_on_its_way(kind: type[Record], data: st.DataObject) -> None:
    made = data.draw(st.lists(invented(kind), max_size=3))
    table = pyarrow.Table.from_pylist([cells(kind, row) for row in made], schema=schema_of(kind))
    assert [values(kind, row) for row in table.to_pylist()] == made


@pytest.mark.parametrize(("rows_a_file", "files"), [(1, 5), (2, 3), (5, 1), (6, 1)])
def test_files_have_so_many_rows_at_most_and_rows_their_order(
    tmp_path: Path, rows_a_file: int, files: int
) -> None:
    kind, lines = KINDS["rejects.jsonl"], b"".join(map(as_line, rejects(5)))
    (tmp_path / "rows.jsonl").write_bytes(lines)
    assert write_shards(kind, tmp_path / "rows.jsonl", tmp_path / "rows", rows_a_file) == 5
    assert len([*(tmp_path / "rows").iterdir()]) == files
    assert b"".join(map(as_line, read_shards(kind, tmp_path / "rows"))) == lines


def test_shards_that_cannot_be_written_leave_those_that_are_there_and_links_lead_nowhere(
    tmp_path: Path,
) -> None:
    kind, source, folder = KINDS["rejects.jsonl"], tmp_path / "rows.jsonl", tmp_path / "run/parquet/rejects"
    source.write_bytes(b"".join(map(as_line, rejects(5))))
    write_shards(kind, source, folder, 2)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert folder.stat().st_mode == folder.parent.stat().st_mode, "as open to others as any folder"
    with source.open("ab") as file:
        file.write(b'{"seed_id": 7}\n')
    with pytest.raises(RecordError, match="seed_id"):
        write_shards(kind, source, folder, 2)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [*folder.parent.iterdir()] == [folder], "no draft is left"
    (tmp_path / "outside").mkdir()
    claim(tmp_path / "run")
    (folder.parent / "linked").symlink_to(tmp_path / "outside")
    with pytest.raises(RecordError, match="is a link"):
        write_shards(kind, source, folder.parent / "linked", 2)
    assert not [*(tmp_path / "outside").iterdir()]


def rejects(count: int) -> list[Reject]:
    told = {"kind": None, "stage": "seed", "reason": Reason.SEED_INVALID}
    return [Reject(seed_id=f"s{number}", detail="\u2028 and é", **told) for number in range(count)]


def offline(files: Path, cache: Path) -> list[Mapping[str, Any]]:
    return list(load_dataset("parquet", data_files=f"{files}/*.parquet", cache_dir=str(cache), split="train"))


def test_merged_rows_are_shards_that_datasets_reads_and_a_run_can_be_made_of_again(
    fake: Fake, tmp_path: Path
) -> None:
    many = sharded(tmp_path, fake, plain(5), of=2)
    assert [end.code for end in many.all()] == [0, 0]
    end = many.told("merge", "--parquet", "--parquet-rows", "4")
    assert end.code == 0 and "6 rows as Parquet" in end.out, end
    folder, paths = many.run / "parquet" / "reasoning_paths", many.run / "reasoning_paths.jsonl"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"train-{number:05}-of-00002.parquet" for number in range(2)
    ]
    assert [row["id"] for row in offline(folder, tmp_path / "cache")] == [row["id"] for row in rows(paths)]
    rejected = offline(many.run / "parquet" / "rejects", tmp_path / "cache")
    assert [row["reason"] for row in rejected] == [row["reason"] for row in rows(many.run / "rejects.jsonl")]
    before = paths.read_bytes()
    assert many.told("merge", "--parquet").code == 0
    assert [path.name for path in folder.iterdir()] == ["train-00000-of-00001.parquet"], "none is left over"
    kept = many.told("unfold")
    assert kept.code == 0 and "is there already" in kept.out
    paths.unlink()
    assert many.told("unfold").code == 0 and paths.read_bytes() == before
    paths.unlink()
    end = many.told("merge", "--parquet-rows", "0")
    assert end.code == 1 and "--parquet-rows: expected a number from 1; got 0" in end.err
    assert not paths.exists(), "refused before anything is merged"


def test_a_benchmarks_rows_are_shards_in_a_folder_of_each_model(fake: Fake, tmp_path: Path) -> None:
    fake.answers = ASKED
    run = benched(tmp_path, fake.url)
    assert here(run.command("--shard", "0/1")).code == 0
    told = ["shards", "merge", "--run", str(run.run), "--stage", "bench", "--parquet"]
    assert here(told).code == 0
    folder = run.run / "parquet" / "bench" / "fake-vlm"
    assert len(offline(folder / "responses", tmp_path / "cache")) == len(run.responses) > 0
    assert len(offline(folder / "judgements", tmp_path / "cache")) == len(run.judgements)
    before = run.content
    (run.model / "responses.jsonl").unlink()
    assert here(["shards", "unfold", "--run", str(run.run)]).code == 0
    assert run.content == before


def test_shards_that_lack_or_are_none_of_ours_are_refused(tmp_path: Path) -> None:
    kind = KINDS["rejects.jsonl"]
    with pytest.raises(ConfigError, match=r"expected all of train-00000-of-N\.parquet"):
        list(read_shards(kind, tmp_path))
    file = tmp_path / "train-00000-of-00001.parquet"
    file.write_bytes(b"PAR1 but no more")
    with pytest.raises(RecordError, match="cannot be read as rows of ours"):
        list(read_shards(kind, tmp_path))
    pyarrow.parquet.write_table(pyarrow.table({"seed_id": ["a"]}), file)
    with pytest.raises(RecordError, match=r"of-00001\.parquet:1: "):
        list(read_shards(kind, tmp_path))
    file.rename(tmp_path / "train-00000-of-00002.parquet")
    with pytest.raises(ConfigError, match="got train-00000-of-00002"):
        list(read_shards(kind, tmp_path))
    assert here(["shards", "unfold", "--run", str(tmp_path)]).code == 1


def test_seeds_may_be_a_folder_of_parquet_files(tmp_path: Path) -> None:
    many = [json.loads(json.dumps(seed)) for seed in plain(5)]
    folder = tmp_path / "seeds"
    folder.mkdir()
    for number, some in enumerate((many[:2], many[2:])):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(some), folder / f"{number}.parquet")
    found = list(read_seeds(folder, lambda _: True, tmp_path))
    assert [getattr(seed, "id", seed) for seed in found] == [seed["id"] for seed in many]
