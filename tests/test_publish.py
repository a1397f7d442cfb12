"""`ssui publish`: a run becomes a folder that `datasets` reads without us, and that tells what it is."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from curating import ssui
from fake_server import Fake
from giving import NAMES, SECRET_PLACE, given, publish, put
from hypothesis import example, settings
from hypothesis import given as whatever
from hypothesis import strategies as st
from imported import bring, llava, llava_row
from jobs import job, rows
from markdown_it import MarkdownIt
from PIL import Image
from pyarrow import parquet
from runs import change
from yaml import safe_load

from ssui_gen.benching.bench import read_bench, write_bench
from ssui_gen.benching.records import Item
from ssui_gen.branches import Pair
from ssui_gen.images import cleaned
from ssui_gen.licences import marked, terms_of
from ssui_gen.publishing.splits import SPLITS, split_of
from ssui_gen.publishing.templates import inert
from ssui_gen.records import ReasoningPath
from ssui_gen.settings import ImageLimits
from ssui_gen.wish import Wish

READ = """
import json, sys
from datasets import Image, load_dataset

folder, config = sys.argv[1:]
found = {}
for split, data in load_dataset(folder, config).items():
    streamed = load_dataset(folder, config, split=split, streaming=True)
    assert list(data) == list(streamed) and data.features == streamed.features
    decoded = next(iter(data))
    assert all(p.mode == "RGB" for p in decoded.get("images", [decoded.get("image")])), "a picture, decoded"
    raw = [row for batch in data.with_format("arrow").iter(8) for row in batch.to_pylist()]
    found[split] = raw
print(json.dumps(found, default=lambda data: data.hex()))
"""
"""What a stranger does, in a process that knows nothing of us; pictures as hexadecimal bytes."""


def read(folder: Path, config: str, home: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows by split, as `load_dataset(folder)` has them without a network."""
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(home)}
    command = [sys.executable, "-c", READ, str(folder), config]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=home.parent, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def table(folder: Path, config: str) -> list[dict[str, Any]]:
    """Rows straight from the files."""
    files = sorted((folder / "data" / config).glob("*.parquet"))
    return [row for file in files for row in parquet.read_table(file).to_pylist()]


def left_out(run: Path) -> Counter[str]:
    return Counter(f"{row['config']} {row['reason']}" for row in rows(run / "published_rejects.jsonl"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published once; whoever changes it makes one of their own."""
    made = given(tmp_path_factory.mktemp("given") / "street")
    done = publish(made)
    assert done.code == 0, done.err
    return made


@pytest.fixture(scope="module")
def folder(run: Path) -> Path:
    return run / "published"


# --- what is in it ----------------------------------------------------------------------------------------


def test_a_stranger_reads_the_same_rows_without_a_network_and_as_a_stream(
    run: Path, folder: Path, tmp_path: Path
) -> None:
    found = [row for rows in read(folder, "paths", tmp_path / "hf").values() for row in rows]
    paths = {path.id: path for path in _paths(run)}
    assert {row["id"] for row in found} == {id for id in paths if not id.startswith(("ladder", "grill"))}
    for row in found:
        path = paths[row["id"]]
        assert row["question"] == path.query.text and row["answer"] == path.answer
        assert row["steps"] == [step.text for step in path.steps] and row["kind"] == path.kind
        assert row["joint_label"] == path.verdicts.joint.label and row["people"] == 2
        wish = path.wish or Wish()
        assert [row[f"wanted_{name}"] for name in ("class", "person", "end")] == [
            wish.wanted, wish.persona, wish.end
        ]  # fmt: skip
        data, kind = cleaned(run / "seeds", path.image, ImageLimits())
        assert bytes.fromhex(row["image"]["bytes"]) == data
        assert row["image"]["path"] == f"{hashlib.sha256(data).hexdigest()}.{kind}"


def _paths(run: Path) -> list[ReasoningPath]:
    return [ReasoningPath.model_validate(row) for row in rows(run / "curated.jsonl")]


def test_pairs_are_in_the_preference_format_with_their_ids(run: Path, folder: Path, tmp_path: Path) -> None:
    found = [row for rows in read(folder, "pairs", tmp_path / "hf").values() for row in rows]
    pairs = {pair.id: pair for pair in map(Pair.model_validate, rows(run / "pairs.jsonl"))}
    assert found and {row["path_id"] for row in found} <= {row["id"] for row in table(folder, "paths")}
    for row in found:
        pair = pairs[row["id"]]
        for side in ("prompt", "chosen", "rejected"):
            assert list(map(_plain, row[side])) == [dict(message) for message in getattr(pair, side)]
        assert len(row["images"]) == 1 and row["cut"] == pair.cut and row["margin"] == pair.margin


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """Arrow gives every part of a message all keys that any part has."""
    parts = [{key: v for key, v in part.items() if v is not None} for part in message["content"]]
    return {"role": message["role"], "content": parts}


def test_pictures_bear_nothing_but_pixels_and_no_name_of_anybodys_file_leaves(folder: Path) -> None:
    for row in table(folder, "paths"):
        with Image.open(io.BytesIO(row["image"]["bytes"])) as picture:
            assert picture.size == (80, 60), "upright"
            assert not picture.getexif() and not picture.info.keys() - {"jfif", "jfif_version", "jfif_unit"}
        assert not re.search(rb"GPS|Exif|" + SECRET_PLACE.encode(), row["image"]["bytes"])
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert SECRET_PLACE.encode() not in content and b"Rosa" not in content and b".jpg" not in content
    texts = json.dumps(table(folder, "paths"), default=str)
    assert "Rosa" not in texts and not re.search(r"\bana\b|\bben\b", texts), "nor who looked"


def test_no_scenario_stands_in_two_splits(folder: Path) -> None:
    where: dict[str, set[str]] = {}
    for file in (folder / "data").rglob("*.parquet"):
        split = file.name.split("-")[0]
        for row in parquet.read_table(file, columns=["scenario_id"]).to_pylist():
            where.setdefault(row["scenario_id"], set()).add(split)
    assert len(where) == len(NAMES) - 2 and all(len(splits) == 1 for splits in where.values())


@settings(max_examples=25)
@whatever(st.sets(st.text(min_size=1), min_size=1, max_size=9), st.sets(st.text(min_size=1), max_size=9))
def test_a_split_hangs_on_the_scenario_alone(some: set[str], others: set[str]) -> None:
    before = {one: split_of(one) for one in some}
    assert before == {one: split_of(one, others - some) for one in some}
    assert {split_of(one, some) for one in some} == {"test"}


def test_splits_are_about_as_large_as_they_say() -> None:
    counts = Counter(split_of(str(n)) for n in range(4000))
    assert [round(counts[name] / 4000, 1) for name in SPLITS] == [0.8, 0.1, 0.1]


def test_the_card_tells_a_stranger_what_it_is(folder: Path) -> None:
    card = (folder / "README.md").read_text("utf-8")
    head = safe_load(card.split("---\n")[1])
    assert head["license"] == ["cc-by-4.0", "cc-by-nc-4.0"] and head["configs"][0]["default"] is True
    told = {
        one["config_name"]: {s["name"]: s["num_examples"] for s in one["splits"]}
        for one in head["dataset_info"]
    }
    for config, splits in told.items():
        assert splits == Counter(
            file.name.split("-")[0]
            for file in (folder / "data" / config).glob("*")
            for _ in range(parquet.read_metadata(file).num_rows)
        )
    assert "Not all of it may be used commercially" in card and "desk@example.org" in card
    assert "12 paths were decided by people: 12 by several who said the same" in card
    assert "| `paths` | `licence_forbids` | 2 |" in card and "| `paths` | `licence_unknown` | 2 |" in card
    assert "@misc{ssuistreet," in card and "GUID" in card and "arXiv:2509.12060" in card
    for column in table(folder, "paths")[0]:
        assert f"| `{column}` |" in card


def test_croissant_is_valid_and_reads_the_rows(folder: Path) -> None:
    code = (
        "import sys, mlcroissant as m; d = m.Dataset(jsonld=sys.argv[1]);"
        "assert not d.metadata.ctx.issues.errors;"
        "print(sorted(row['paths/id'].decode() for row in d.records('paths')))"
    )
    command = [sys.executable, "-c", code, str(folder / "croissant.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(sorted(row["id"] for row in table(folder, "paths")))
    described = json.loads((folder / "croissant.json").read_text())
    hashes = {one["@id"]: one["sha256"] for one in described["distribution"] if "sha256" in one}
    assert hashes == {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.parquet")
    }
    assert described["rai:dataLimitations"] and described["rai:personalSensitiveInformation"]


def test_every_file_is_listed_and_nothing_else_is_there(folder: Path) -> None:
    told = json.loads((folder / "published.json").read_text())["files"]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert told.keys() | {"published.json"} == there
    assert {name.split("/")[0] for name in there} == {
        "data", "README.md", "LICENSE", "CITATION.cff", "croissant.json", "published.json",
    }  # fmt: skip


def test_written_again_it_is_the_same_to_the_byte_and_no_other_run_has_its_canary(tmp_path: Path) -> None:
    first, second = given(tmp_path / "one" / "street"), given(tmp_path / "two" / "street")
    canaries = []
    for run in (first, second):
        assert publish(run).code == 0
        before = _content(run / "published")
        assert publish(run).code == 0
        assert _content(run / "published") == before
        canaries.append({row["canary"] for row in table(run / "published", "paths")})
        assert not list(run.glob(".published*")), "nothing is left beside it"
    assert len(canaries[0]) == len(canaries[1]) == 1 and canaries[0] != canaries[1]


def _content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- licences ---------------------------------------------------------------------------------------------


def test_a_licence_that_forbids_leaves_the_row_out_and_noncommercial_is_marked(
    run: Path, folder: Path
) -> None:
    assert left_out(run) == {
        "paths licence_forbids": 2, "paths licence_unknown": 2, "pairs path_not_published": 4,
    }  # fmt: skip
    terms = {
        row["id"]: (row["image_licence"], row["image_terms"], row["image_source"])
        for row in table(folder, "paths")
    }
    assert terms["kettle"] == ("CC BY-NC 4.0", "noncommercial", "https://example.org/kettle")
    assert terms["pond"] == ("CC-BY-4.0", "any", None)


def test_a_licence_that_is_told_in_two_ways_is_listed_by_its_address_once(tmp_path: Path) -> None:
    run = given(tmp_path / "street")
    curated = (run / "curated.jsonl").read_text()
    (run / "curated.jsonl").write_text(curated.replace("All rights reserved", "cc by 4.0"))
    assert publish(run).code == 0
    by, by_nc = (f"https://creativecommons.org/licenses/{kind}/4.0/" for kind in ("by", "by-nc"))
    licence = (run / "published" / "LICENSE").read_text()
    assert f"not a picture: CC-BY-4.0 ({by})\n\n" in licence
    assert f"\n  cc by 4.0 ({by}): 1 pictures\n" in licence
    assert json.loads((run / "published" / "croissant.json").read_text())["license"] == [by, by_nc]


def test_an_unknown_licence_passes_when_a_person_has_read_it(tmp_path: Path) -> None:
    run = given(tmp_path / "street")
    assert publish(run, "--allow-licence", "somebody's own licence 3").code == 0
    assert left_out(run)["paths licence_unknown"] == 0 and left_out(run)["paths licence_forbids"] == 2
    assert "Somebody's Own Licence 3: 1 pictures" in (run / "published" / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("told", "hub", "use"),
    [
        ("CC-BY-4.0", "cc-by-4.0", "any"),
        ("cc by-sa 3.0", "cc-by-sa-3.0", "any"),
        ("CC BY-SA 2.0", "other", "any"),
        ("Creative Commons BY-NC-ND 4.0 International", "cc-by-nc-nd-4.0", "noncommercial"),
        ("CC0", "cc0-1.0", "any"),
        ("Public Domain", "cc0-1.0", "any"),
        ("Apache 2.0", "apache-2.0", "any"),
        ("Apache-2.0", "apache-2.0", "any"),
        ("© 2024 A Newspaper", "other", "forbidden"),
        ("Editorial use only", "other", "forbidden"),
        ("do not redistribute", "other", "forbidden"),
        ("CC-BY-4.0 but ask me", "other", "unknown"),
        ("", "other", "unknown"),
    ],
)
def test_a_licence_is_read_as_people_write_it_and_denied_where_it_is_not_known(
    told: str, hub: str, use: str
) -> None:
    assert (terms_of(told).hub, terms_of(told).use) == (hub, use)


KNOWN = ("CC-BY-4.0", "CC0", "cc by-nc 4.0", "Apache 2.0", "public domain", "GFDL")


@whatever(st.sampled_from(KNOWN), st.text("abcdefghijklm :,;()-", min_size=1).filter(str.strip))
def test_a_known_name_with_other_words_around_it_is_another_licence(known: str, words: str) -> None:
    assert terms_of(known).published
    for told in (f"{known} {words.strip(' -')}.", f"{words} {known}", known + " " * 300 + words + "."):
        assert not terms_of(told).published, told


def test_what_an_import_marked_is_not_given_away_whatever_is_allowed(tmp_path: Path) -> None:
    run, licence = given(tmp_path / "street"), marked("Somebody's Own Licence 3")
    rights = {"licence": licence, "source": "theirs"}
    change(run / "curated.jsonl", lambda found: [{**found[0], "rights": rights}, *found[1:]])
    assert publish(run, "--allow-licence", licence).code == 0
    assert "theirs" not in {row["image_source"] for row in table(run / "published", "paths")}
    assert not terms_of(licence, [licence]).published


@pytest.mark.parametrize(
    ("told", "spdx"),
    [
        ("cc by-nc 4.0", "CC-BY-NC-4.0"),
        ("CC BY-SA 2.0", "CC-BY-SA-2.0"),
        ("bsd-3-clause", "BSD-3-Clause"),
        ("ODbL", "ODbL-1.0"),
        ("MIT", "MIT"),
        ("CC BY", ""),
        ("my own", ""),
    ],
)
def test_a_citation_names_a_licence_as_spdx_has_it(told: str, spdx: str) -> None:
    assert terms_of(told).spdx == spdx


@pytest.mark.parametrize("licence", ["", "All rights reserved", marked("unknown")])
def test_a_benchmark_is_not_made_under_a_licence_that_forbids_it(tmp_path: Path, licence: str) -> None:
    run = given(tmp_path / "street")
    done = ssui("bench", "publish", "--run", str(run), "--licence", licence)
    assert done.code == 1 and "--licence: " in done.err and not (run / "rsbench").exists()


# --- made by agents, over a benchmark -----------------------------------------------------------------------


def test_what_a_seed_says_of_its_rights_goes_from_the_seed_into_the_row(fake: Fake, tmp_path: Path) -> None:
    seeds = [
        {"id": str(n), "image": f"{n}.png", "licence": "CC BY-NC 4.0", "source": f"Foto {n}, Ana Ruiz"}
        for n in range(4)
    ]
    made = job(tmp_path, fake.url, [*seeds, {"id": "4", "image": "4.png"}])
    assert made.here().code == 0
    asked = json.dumps(made.paths)
    assert "Foto 0" in asked and "Foto" not in str(fake.requests), "no agent is shown them"
    done = publish(made.run, "--uncurated")
    assert done.code == 0, done.err
    assert "NOT CURATED" in done.out and "Licence not said" in done.out
    found = {row["image_source"]: row["image_terms"] for row in table(made.run / "published", "paths")}
    assert found == {f"Foto {n}, Ana Ruiz": "noncommercial" for n in range(4)} | {None: "any"}
    card = (made.run / "published" / "README.md").read_text()
    assert "no person has looked" in card and "not said: its terms may bind" in card
    told = {path.name for path in (made.run / "published" / "prompts").iterdir()}
    prompts = {f"{name.split('@')[0]}.md" for name in re.findall(r"`(\w+@\d+):", card)}
    cards = {name.replace(".md", ".yaml") for name in prompts}
    assert prompts and told == prompts | cards | {"pictures.md", "taxonomy.yaml", "examples.yaml"}
    assert "NOT NAMED: whose 1 pictures" in done.out and "Of 1 pictures nobody said whose" in card


def test_of_an_import_only_free_rows_come_out_of_a_run_and_of_its_benchmark(
    fake: Fake, tmp_path: Path
) -> None:
    told = ("CC BY-NC 4.0", "somebody's own", ["CC-BY-ND-4.0"], "MIT", None)
    source = llava(tmp_path / "theirs", *(llava_row(n, license=one) for n, one in enumerate(told)))
    assert bring("llava", source, tmp_path / "ours", "--licence", "CC0").code == 0
    made = job(tmp_path / "job", fake.url, [])
    assert made.here("--seeds", str(tmp_path / "ours" / "seeds.jsonl")).code == 0
    assert len({path["image"]["path"] for path in made.paths}) == len(told)
    run = ("--seeds", str(tmp_path / "ours" / "seeds.jsonl"), "--uncurated")
    allowed = [part for one in told[:2] for part in ("--allow-licence", f"{one}; do not publish")]
    assert publish(made.run, *run, *allowed).code == 0
    found = table(made.run / "published", "paths")
    assert {row["image_licence"] for row in found} == {"MIT", "CC0"}
    assert left_out(made.run)["paths licence_forbids"] == len(made.paths) - len(found) > 0
    done = ssui("bench", "publish", "--run", str(made.run), "--licence", "CC-BY-4.0", *run)
    assert done.code == 0, done.err
    items = rows(made.run / "rsbench" / "bench.jsonl")
    assert {one["licence"] for item in items for one in item["images"]} == {"MIT", "CC0"}


def test_the_benchmark_of_the_run_is_a_configuration_and_its_scenarios_are_for_testing(
    tmp_path: Path,
) -> None:

    run = given(tmp_path / "street")
    paths = [path for path in _paths(run) if path.id.startswith(("kettle", "pond", "stove", "ladder"))]
    put(run / "pairs.jsonl", [])
    held = tmp_path / "held"
    held.write_text("\n".join(path.id for path in paths))
    done = ssui("bench", "publish", "--run", str(run), "--licence", "CC-BY-4.0", "--holdout", str(held))
    assert done.code == 0, done.err
    assert Counter(row["reason"] for row in rows(run / "rsbench_rejects.jsonl")) == {"licence_forbids": 2}
    assert publish(run).code == 0
    bench = table(run / "published", "bench")
    assert len(bench) == 6 and {row["image_licence"] for row in bench} == {"CC BY-NC 4.0", "CC-BY-4.0"}
    held_out = {row["scenario_id"] for row in bench}
    for file in (run / "published" / "data" / "paths").iterdir():
        for row in parquet.read_table(file).to_pylist():
            assert (row["scenario_id"] in held_out) <= file.name.startswith("test-")
    card = (run / "published" / "README.md").read_text()
    assert f"RSBench canary GUID {bench[0]['canary']}" in card


def test_an_item_of_several_pictures_goes_by_the_strictest_licence(tmp_path: Path) -> None:
    run = given(tmp_path / "street")
    put(run / "pairs.jsonl", [])
    assert ssui("bench", "publish", "--run", str(run), "--licence", "CC-BY-4.0").code == 0
    bench = read_bench(run / "rsbench")
    pond, stove = (next(i for i in bench.items if i.source.row == name) for name in ("pond", "stove"))

    def both(item: Item, licence: str) -> Item:
        second = stove.images[0].model_copy(update={"licence": licence, "source": "theirs"})
        return item.model_copy(update={"images": (*item.images, second)})

    items = [both(pond, "All rights reserved"), both(stove, "CC BY-NC 4.0")]
    write_bench(run / "rsbench", "rsbench", bench.root, items)
    assert publish(run).code == 0
    (row,) = table(run / "published", "bench")
    assert (row["path_id"], row["image_terms"], row["image_source"]) == ("stove", "noncommercial", "theirs")
    assert left_out(run)["bench licence_forbids"] == 1


# --- words in a card --------------------------------------------------------------------------------------


@example("__0__")
@whatever(st.text())
def test_no_value_of_a_card_is_more_than_words_on_a_line(value: str) -> None:
    html = MarkdownIt("commonmark").enable("table").render(f"Contact {inert(value)} end")
    assert not re.search(r"<(?!/?p>)", html) and "\n" not in inert(value)


def test_the_card_counts_paths_that_people_took_out(tmp_path: Path) -> None:
    run = given(tmp_path / "given")
    rows = (run / "curated.jsonl").read_text("utf-8").splitlines(keepends=True)
    (run / "curated.jsonl").write_text("".join(rows[2:]), "utf-8")
    done = publish(run)
    assert done.code == 0, done.err
    card = (run / "published" / "README.md").read_text("utf-8")
    assert "2 paths that they dropped, or have not decided, are not here" in card
    assert "at least one person" in card


def test_sizes_in_the_card_are_those_of_rows_in_memory_and_of_files(folder: Path) -> None:
    head = safe_load((folder / "README.md").read_text("utf-8").split("---\n")[1])
    for info in head["dataset_info"]:
        files = sorted((folder / "data" / info["config_name"]).iterdir())
        held = {file.name.split("-")[0]: parquet.read_table(file).nbytes for file in files}
        assert {one["name"]: one["num_bytes"] for one in info["splits"]} == pytest.approx(held, rel=0.02)
        assert info["dataset_size"] == sum(one["num_bytes"] for one in info["splits"])
        assert info["download_size"] == sum(file.stat().st_size for file in files)


def test_the_card_tells_how_many_rows_have_their_twin_and_that_pairs_point_one_way(
    folder: Path, tmp_path: Path
) -> None:
    card, found = (folder / "README.md").read_text("utf-8"), table(folder, "paths")
    couples = {frozenset((row["id"], row["twin_of"])) for row in found if row["twin_of"]}
    assert f"{len(frozenset().union(*couples))} have\na twin of the other kind" in card
    kinds = Counter(row["kind"] for row in table(folder, "pairs"))
    assert ("Nearly all pairs are of risky rows" in card) == (kinds["benign"] < 0.2 * kinds.total())
    run = given(tmp_path / "street")
    put(run / "pairs.jsonl", [])
    assert publish(run).code == 0
    assert "Messages of pairs" not in (run / "published" / "croissant.json").read_text("utf-8")
    assert "Messages of pairs" in (folder / "croissant.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("told", "credited"),
    [("CC BY 4.0", True), ("cc-by-nc-sa", True), ("ODC-By", True), ("CC0", False), ("MIT", False)],
)
def test_a_licence_is_known_to_ask_for_the_makers_name(told: str, credited: bool) -> None:
    assert terms_of(told).credited == credited
