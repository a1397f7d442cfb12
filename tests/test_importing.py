"""Other people's rows become seeds, pairs and gold, each with its licence; or a reject with its reason."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from benches import siuo_row, vls_row, written
from fake_server import Fake
from imported import (
    ASKED,
    CARE,
    bring,
    lines,
    llava,
    llava_row,
    prism_row,
    read,
    reasons,
    rows_of,
    safetag_row,
    sharegpt_row,
    sherlock_row,
    vlguard_train,
)
from jobs import job
from PIL import Image

from microworld.draw.pool import picture, scene_at
from ssui_gen.config import Leaks
from ssui_gen.errors import ConfigError
from ssui_gen.exploring.leaks import load_bench
from ssui_gen.importing import LAYOUTS
from ssui_gen.licences import forbids, forbids_training, marked, terms_of
from ssui_gen.records import Seed
from ssui_gen.seeds import read_seeds
from ssui_gen.settings import ImageLimits

EXPECTED = {
    ("siuo", "gold"): 3,
    ("mssbench", "gold"): 9,
    ("vlguard", "seeds"): 1,
    ("vlguard", "gold"): 3,
    ("llava", "seeds"): 2,
    ("sharegpt", "seeds"): 2,
    ("sharegpt", "pairs"): 2,
    ("hf", "seeds"): 2,
    ("prism_dpo", "pairs"): 2,
    ("prism_dpo", "seeds"): 2,
    ("meerkat", "seeds"): 2,
    ("meerkat", "gold"): 2,
    ("safetag", "gold"): 2,
    ("safetag", "seeds"): 2,
    ("guardtrace", "gold"): 3,
    ("sherlock", "pairs"): 2,
    ("sherlock", "seeds"): 2,
}


def content(folder: Path) -> dict[str, bytes]:
    """Every file of an import but its lock."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def settings(folder: Path, *benches: Path) -> tuple[str, str]:
    path = written(folder / "run.yaml", {"leaks": {"bench": [str(bench) for bench in benches]}})
    return "--config", str(path)


@pytest.mark.parametrize(("layout", "makes"), EXPECTED)
def test_rows_of_each_layout_come_with_licence_source_and_picture(
    tmp_path: Path, layout: str, makes: str
) -> None:
    source, told = rows_of(layout, tmp_path / "theirs")
    folder = tmp_path / "ours"
    done = bring(layout, source, folder, "--as", makes, *told)
    assert done.code == 0, done.err
    rows, about = read(folder / f"{makes}.jsonl"), json.loads((folder / "about.json").read_text())
    assert len(rows) == about["kept"] == EXPECTED[layout, makes]
    assert about["licence"] == (LAYOUTS[layout].licence or told[1])
    for row in rows:
        (image,) = row.get("images") or [row["image"]]
        data = (folder / image).read_bytes()
        assert row["licence"] == marked(about["licence"]) and row["source"].startswith(about["name"])
        assert Path(image).stem == hashlib.sha256(data).hexdigest()
        assert data in {path.read_bytes() for path in source.parent.rglob("*.png")} or layout == "meerkat"
    before = content(folder)
    assert bring(layout, source, folder, "--as", makes, *told).code == 0
    assert content(folder) == before, "the same command again changes nothing"


def test_every_way_of_every_layout_is_tried() -> None:
    ways = {(name, makes) for name, layout in LAYOUTS.items() for makes in layout.makes}
    assert ways - set(EXPECTED) == {("siuo", "seeds"), ("mssbench", "seeds"), ("hf", "gold")}


def test_an_import_is_the_seeds_of_a_run(fake: Fake, tmp_path: Path) -> None:
    source, told = rows_of("llava", tmp_path / "theirs")
    assert bring("llava", source, tmp_path / "ours", *told).code == 0
    run = job(tmp_path / "job", fake.url, [], twins=False)
    done = run.here("--seeds", str(tmp_path / "ours/seeds.jsonl"))
    assert done.code == 0, done.err
    assert {path["query"]["text"] for path in run.paths} == {f"{ASKED} (1)", f"{ASKED} (2)"}
    assert all(path["image"]["path"].startswith("pictures/") for path in run.paths)


# --- what a row says ------------------------------------------------------------------------------------


def test_what_is_labelled_unsafe_alone_is_no_seed_and_is_gold(tmp_path: Path) -> None:
    copy = vlguard_train(tmp_path / "copy")
    assert bring("vlguard", copy, tmp_path / "seeds").code == 0
    (seed,) = read(tmp_path / "seeds/seeds.jsonl")
    assert (seed["text"], seed["kind"]) == ("What is sold?", "benign")
    assert reasons(tmp_path / "seeds") == [
        ("ad_1 safe_unsafes", "text_not_safe"),
        ("meme_1 unsafes", "image_not_safe"),
    ]
    assert bring("vlguard", copy, tmp_path / "gold", "--as", "gold").code == 0
    labels = [row["labels"] for row in read(tmp_path / "gold/gold.jsonl")]
    assert labels == [
        {"check_text": "unsafe", "check_image": "safe", "check_joint": "unsafe"},
        {"check_text": "safe", "check_image": "safe", "check_joint": "safe"},
        {"check_image": "unsafe", "check_joint": "unsafe"},
    ]


def test_tags_of_text_picture_and_both_are_gold_for_the_three_checks(tmp_path: Path) -> None:
    source, _ = rows_of("safetag", tmp_path)
    rows = [safetag_row(1, "safe", "safe", "unsafe"), safetag_row(2, "unsafe", "safe", "unsafe")]
    written(source, [*rows, safetag_row(3, "safe", "unsure", "safe")])
    assert bring("safetag", source, tmp_path / "gold").code == 0
    assert [row["labels"] for row in read(tmp_path / "gold/gold.jsonl")] == [
        {"check_text": "safe", "check_image": "safe", "check_joint": "unsafe"},
        {"check_text": "unsafe", "check_image": "safe", "check_joint": "unsafe"},
    ]
    assert reasons(tmp_path / "gold") == [("rows.json:3", "row_invalid")]


def test_pairs_of_a_search_tree_begin_with_the_parts_they_share(tmp_path: Path) -> None:
    source, _ = rows_of("prism_dpo", tmp_path)
    whole = {"chosen_is_terminal": True, "rejected_is_terminal": True}
    unsure = {"chosen_score": 0.2, "rejected_score": 0.2}
    written(source, [prism_row(1), prism_row(2, **whole), prism_row(3, **unsure)])
    assert bring("prism_dpo", source, tmp_path / "ours").code == 0
    one, two = read(tmp_path / "ours/pairs.jsonl")
    assert one["prefix"] == one["rejected_prefix"] == "<|PROBLEM|>A ladder is asked about.<|/PROBLEM|>"
    assert (one["cut"], one["whole"], two["whole"]) == (1, False, True)
    assert one["margin"] == pytest.approx(0.7)
    assert one["prompt"][0]["content"][1]["text"] == "Is this ladder fine here, number 1?"
    assert reasons(tmp_path / "ours") == [("rows.json:3", "order_unsure")]


def test_sides_that_begin_with_words_of_their_own_keep_both(tmp_path: Path) -> None:
    source, told = rows_of("sherlock", tmp_path)
    written(
        source, [sherlock_row(1), sherlock_row(2, prefix="Another beginning"), sherlock_row(3, weights="x")]
    )
    assert bring("sherlock", source, tmp_path / "ours", *told).code == 0
    (pair,) = read(tmp_path / "ours/pairs.jsonl")
    assert "A window" in pair["prefix"] and "A door" in pair["rejected_prefix"]
    assert (pair["cut"], pair["weight"], pair["chosen"][0]["content"][0]["text"]) == (1, 0.8, CARE)
    assert [reason for _, reason in reasons(tmp_path / "ours")] == ["row_invalid"] * 2


@pytest.mark.parametrize(
    "shown",
    [
        {"type": "image_url", "value": "1.png"},
        {"type": "image_url", "image_url": {"url": "1.png"}},
        {"type": "image", "image": "1.png"},
    ],
    ids=["llama-factory v1", "the APIs", "qwen"],
)
def test_a_picture_may_be_named_among_the_parts_of_the_question(
    tmp_path: Path, shown: dict[str, Any]
) -> None:
    key = "value" if "value" in shown else "text"
    asked = [shown, {"type": "text", key: ASKED}]
    later = [{"type": "text", key: "And here?"}, shown | {"type": "image", "image": "2.png"}]
    said = [{"role": "user", "content": asked}, {"role": "user", "content": later}]
    Image.new("RGB", (40, 30), "red").save(tmp_path / "1.png")
    source = lines(tmp_path / "rows.jsonl", [{"messages": said}])
    assert bring("sharegpt", source, tmp_path / "ours", "--licence", "MIT").code == 0
    (seed,) = read(tmp_path / "ours/seeds.jsonl")
    copied = (tmp_path / "ours" / seed["image"]).read_bytes()
    assert (seed["text"], copied) == (ASKED, (tmp_path / "1.png").read_bytes())


def test_a_pair_whose_sides_say_the_same_teaches_nothing(tmp_path: Path) -> None:
    rows_of("sharegpt", tmp_path)
    same = {"content": CARE, "role": "assistant"}
    alone = {key: value for key, value in sharegpt_row(2).items() if key not in ("chosen", "rejected")}
    turns = [*sharegpt_row(3)["messages"], {"role": "assistant", "content": CARE}]
    long = sharegpt_row(3, messages=[*turns, {"role": "user", "content": "And then?"}])
    source = lines(tmp_path / "rows.jsonl", [sharegpt_row(1, rejected=same), alone, long, sharegpt_row(3)])
    assert bring("sharegpt", source, tmp_path / "ours", "--as", "pairs", "--licence", "MIT").code == 0
    assert reasons(tmp_path / "ours") == [
        ("rows.jsonl:1", "sides_alike"),
        ("rows.jsonl:2", "label_missing"),
        ("rows.jsonl:3", "turns_several"),
    ]


def test_columns_that_could_not_be_checked_have_to_be_said(tmp_path: Path) -> None:
    source, told = rows_of("meerkat", tmp_path)
    done = bring("meerkat", source, tmp_path / "ours")
    assert done.code == 1 and "it has pic, ask, danger: say which is which" in done.err
    assert not (tmp_path / "ours/seeds.jsonl").exists()
    assert bring("meerkat", source, tmp_path / "ours", "--as", "gold", *told).code == 0
    row = read(tmp_path / "ours/gold.jsonl")[0]
    assert row["labels"]["check_joint"] == "unsafe" and row["facts"] == {"risk": "It may tip over."}
    wrong = bring("meerkat", source, tmp_path / "other", "--map", "image=pic", "text=prompt")
    assert wrong.code == 1 and reasons(tmp_path / "other")[0] == ("rows.parquet:1", "row_invalid")


def test_columns_of_a_table_may_be_said_and_labels_with_them(tmp_path: Path) -> None:
    source, told = rows_of("hf", tmp_path)
    rows: list[dict[str, Any]] = [
        {"photo": "1.png", "q": ASKED, "both": "unsafe", "rights": "CC-BY-NC-4.0"},
        {"photo": "2.png", "q": ASKED, "both": "risky", "rights": None},
    ]
    written(source, rows)
    named = ("--map", "image=photo", "text=q", "check_joint=both", "licence=rights")
    assert bring("hf", source, tmp_path / "ours", "--as", "gold", *told, *named).code == 0
    (row,) = read(tmp_path / "ours/gold.jsonl")
    assert (row["labels"], row["licence"]) == (
        {"check_joint": "unsafe"},
        "CC-BY-NC-4.0; do not publish",
    )
    assert reasons(tmp_path / "ours") == [("rows.json:2", "row_invalid")]


# --- licences -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "licence",
    [
        "CC-BY-4.0",
        "CC BY 4.0",
        "CC0-1.0",
        "cc-by-sa-3.0",
        "Apache-2.0",
        "MIT",
        "BSD-3-Clause",
        "Public Domain",
    ],
)
def test_licences_that_let_everybody_pass_data_on(licence: str) -> None:
    assert not forbids(licence) and not forbids_training(licence)


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        ("CC BY-NC 4.0", "no commercial use"),
        ("cc-by-nc-sa-4.0", "no commercial use"),
        ("CC-BY-ND-4.0", "no changed copies"),
        ("Creative Commons Attribution-NonCommercial", "no commercial use"),
        ("Apache-2.0, for research only", "some uses alone"),
        ("CC BY-SA 4.0; training on it is prohibited", "some uses alone"),
        ("none seen; the data is gated", "nobody has said"),
        ("unknown", "nobody has said"),
        ("", "nobody has said"),
        (None, "nobody has said"),
        ("MIT or so, ask me", "none that is known"),
        ("my own licence", "none that is known"),
    ],
)
def test_licences_that_do_not(licence: str | None, why: str) -> None:
    assert why in forbids(licence)
    assert marked(marked(licence or "unknown")) == f"{licence or 'unknown'}; do not publish"
    assert forbids(marked(licence or "unknown"))
    assert not terms_of(marked(licence or "unknown")).published, "`ssui publish` leaves such rows out"


def test_every_layout_says_whether_it_may_be_published() -> None:
    free = {name for name, layout in LAYOUTS.items() if layout.licence and not forbids(layout.licence)}
    assert free == {"guardtrace"}


def test_what_may_not_be_published_is_marked_or_with_a_word_left_out(tmp_path: Path) -> None:
    source, _ = rows_of("prism_dpo", tmp_path)
    done = bring("prism_dpo", source, tmp_path / "marked")
    assert "Not to be published: CC BY-NC 4.0: allows no commercial use" in done.out
    about = json.loads((tmp_path / "marked/about.json").read_text())
    assert about["may_be_published"] is False
    found = {row["licence"] for row in read(tmp_path / "marked/pairs.jsonl")}
    assert found == {"CC BY-NC 4.0; do not publish"}
    done = bring("prism_dpo", source, tmp_path / "left", "--only-publishable")
    assert done.code == 1 and "licence_forbids 2" in done.err
    assert not list((tmp_path / "left/pictures").iterdir()), "no picture is copied for a row that is left out"


def test_a_row_goes_by_its_own_licence(tmp_path: Path) -> None:
    rows = [llava_row(1, license="CC-BY-NC-4.0"), llava_row(2, license=4), llava_row(3)]
    source = llava(tmp_path / "data", *rows)
    assert bring("llava", source, tmp_path / "ours", "--licence", "MIT", "--only-publishable").code == 0
    assert [row["licence"] for row in read(tmp_path / "ours/seeds.jsonl")] == ["MIT", "MIT"]
    assert reasons(tmp_path / "ours") == [("rows.json:1", "licence_forbids")]


@pytest.mark.parametrize("layout", ["hf", "llava"])
@pytest.mark.parametrize(
    "told",
    [
        "All rights reserved. " + "Ask us first. " * 40,
        "CC BY 4.0" + " " * 300 + "for research only",
        "CC BY 4.0" + "-" * 300 + "NC",
        ["CC-BY-NC-4.0"],
        {"id": 2, "name": "CC BY-NC 2.0"},
    ],
    ids=["long", "spaces", "dashes", "list", "object"],
)
def test_a_licence_that_a_row_tells_in_whatever_way_is_never_taken_for_none(
    tmp_path: Path, layout: str, told: Any
) -> None:
    if layout == "hf":
        source, _ = rows_of("hf", tmp_path)
        written(source, [{"image_path": "1.png", "question": ASKED, "license": told}])
    else:
        source = llava(tmp_path / "data", llava_row(1, license=told))
    assert bring(layout, source, tmp_path / "ours", "--licence", "CC-BY-4.0").code == 0
    (row,) = read(tmp_path / "ours/seeds.jsonl")
    assert row["licence"].endswith("; do not publish")
    written(source, [{"image_path": "1.png", "question": ASKED, "license": told}])
    (seed,) = [one for one in read_seeds(source, lambda _: True, tmp_path) if isinstance(one, Seed)]
    assert seed.licence and forbids(seed.licence), "nor as a seed, without an import"


def test_a_licence_that_forbids_training_gives_no_seeds_but_gold(tmp_path: Path) -> None:
    source, _ = rows_of("hf", tmp_path)
    rows = [{"image": "1.png", "text": ASKED, "check_joint": "safe"}]
    named = ("--map", "image=image", "text=text", "check_joint=check_joint")
    told = ("--licence", "CC BY-SA 4.0; training on it is prohibited", *named)
    done = bring("hf", written(source, rows), tmp_path / "seeds", *told)
    assert done.code == 1 and "licence_forbids 1" in done.err
    assert bring("hf", source, tmp_path / "gold", "--as", "gold", *told).code == 0


@pytest.mark.parametrize(
    ("layout", "more", "says"),
    [
        ("llava", (), "--licence: LLaVA's instructions may be anybody's"),
        ("prism_dpo", ("--licence", "MIT"), "says 'CC BY-NC 4.0' itself; got 'MIT'"),
        ("safetag", ("--as", "pairs"), "can become gold or seeds; got 'pairs'"),
        ("safetag", ("--map", "text=prompt"), "the columns of SafeTag-VL-3K are known"),
        ("hf", ("--licence", "MIT", "--map", "image=image_path", "txt=question"), "no txt is known"),
        ("hf", ("--licence", "MIT", "--map", "text=question"), "needs image, too"),
        ("meerkat", ("--map", "image=pic", "text=ask", "licence=danger"), "research only' itself: leave out"),
        ("llava", ("--licence", "MIT", "--half", "test"), "has train here"),
        ("llava", ("--licence", "MIT", "--limit", "0"), "--limit: expected a number from 1"),
        ("llava", ("--licence", "MIT", "--pictures", "/nowhere/at/all"), "no such folder"),
        ("none", (), "--from: expected one of siuo, vlguard"),
        ("siuo", ("--as", "seeds"), "models are measured with it, and seeds are trained on"),
        ("mssbench", ("--as", "seeds"), "or say --for-evaluation"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    tmp_path: Path, layout: str, more: tuple[str, ...], says: str
) -> None:
    source, _ = rows_of(layout if layout in LAYOUTS else "hf", tmp_path)
    done = bring(layout, source, tmp_path / "ours", *more)
    assert done.code == 1 and says in done.err
    assert not (tmp_path / "ours/seeds.jsonl").exists() and not (tmp_path / "ours/about.json").exists()


# --- benchmarks -----------------------------------------------------------------------------------------


def test_a_benchmark_is_seeds_for_measuring_alone_and_says_so(tmp_path: Path) -> None:
    source, _ = rows_of("siuo", tmp_path)
    done = bring("siuo", source, tmp_path / "ours", "--as", "seeds", "--for-evaluation")
    assert done.code == 0 and "Only for measuring" in done.out and "Next:" not in done.out
    assert all("only for measuring, " in row["source"] for row in read(tmp_path / "ours/seeds.jsonl"))
    free = ("--licence", "MIT", "--for-evaluation")
    done = bring("llava", llava(tmp_path / "data"), tmp_path / "free", *free)
    assert "Not to be published: models are measured with it. Each row says so" in done.out
    assert {row["licence"] for row in read(tmp_path / "free/seeds.jsonl")} == {"MIT; do not publish"}
    copy = vlguard_train(tmp_path / "vl")
    (copy / "train.json").rename(copy / "test.json")
    assert bring("vlguard", copy, tmp_path / "vlours", "--half", "test").code == 1


def test_what_was_imported_for_measuring_can_be_kept_out_of_training(tmp_path: Path) -> None:
    source, _ = rows_of("siuo", tmp_path)
    assert bring("siuo", source, tmp_path / "ours").code == 0
    bench = load_bench(Leaks(bench=(str(tmp_path / "ours/gold.jsonl"),)), ImageLimits())
    assert len(bench.shas) == 3 and "Which pose looks best here?" in bench.texts.values()


def test_a_benchmark_that_was_packed_anew_is_found_by_look_and_letters(tmp_path: Path) -> None:
    theirs, bench = tmp_path / "theirs", tmp_path / "siuo"
    bench.mkdir()
    picture(scene_at("train", 3)).save(bench / "S-01.png")
    written(bench / "siuo_gen.json", [siuo_row(1, question="Where should I put this kettle?")])
    source = llava(theirs, llava_row(1), llava_row(2), llava_row(3))
    for number, scene in ((1, 3), (2, 40), (3, 77)):
        picture(scene_at("train", scene)).convert("RGB").save(theirs / f"street/{number}.png")
    Image.open(bench / "S-01.png").convert("RGB").resize((220, 220)).save(theirs / "street/1.png")
    turns = [{"from": "human", "value": "<image>where should i put this kettle"}]
    written(source, [llava_row(1), llava_row(2, conversations=turns), llava_row(3)])
    told = ("--licence", "MIT")
    assert bring("llava", source, tmp_path / "ours", *told).code == 0
    every = content(tmp_path / "ours")
    assert len(read(tmp_path / "ours/seeds.jsonl")) == 3
    done = bring("llava", source, tmp_path / "ours", *told, *settings(tmp_path, bench))
    assert done.code == 0 and "left out: in benchmark 2" in done.out and "Held against siuo" in done.out
    assert [row["source"] for row in read(tmp_path / "ours/seeds.jsonl")] == ["rows, rows.json:3"]
    assert reasons(tmp_path / "ours") == [("rows.json:1", "in_benchmark"), ("rows.json:2", "in_benchmark")]
    assert bring("llava", source, tmp_path / "ours", *told).code == 0
    assert content(tmp_path / "ours") == every, "no longer named, no longer left out"


CHOICES = {"options": {"A": "Hold on."}, "correct_option": "A", "category": "physical-harm"}
ANSWERED = {"id": "1", "image": "1.png", "safe": True, "instruction": ASKED, "response": CARE, "output": CARE}


@pytest.mark.parametrize(
    "row",
    [
        siuo_row(1),
        {"question_id": 1, "image": "1.png", "question": ASKED, **CHOICES},
        ANSWERED,
        vls_row(1, "a"),
    ],
    ids=["siuo", "siuo_mcqa", "vlguard_answers", "vlsbench"],
)
def test_a_table_with_the_columns_of_a_benchmark_is_refused(tmp_path: Path, row: dict[str, Any]) -> None:
    source, told = rows_of("hf", tmp_path)
    done = bring("hf", written(source, [row]), tmp_path / "ours", *told)
    assert done.code == 1 and "which models are measured with" in done.err


def test_only_the_first_rows_are_taken_where_that_is_said(tmp_path: Path) -> None:
    source, told = rows_of("llava", tmp_path / "theirs")
    assert bring("llava", source, tmp_path / "ours", *told, "--limit", "1").code == 0
    assert len(read(tmp_path / "ours/seeds.jsonl")) == 1
    assert bring("llava", source, tmp_path / "ours", *told).code == 0
    assert len(read(tmp_path / "ours/seeds.jsonl")) == 2


def test_seeds_of_an_import_are_read_as_ours(tmp_path: Path) -> None:
    source, told = rows_of("hf", tmp_path)
    assert bring("hf", source, tmp_path / "ours", *told, "--name", "Street photos").code == 0
    found = list(read_seeds(tmp_path / "ours/seeds.jsonl", lambda _: True, tmp_path))
    assert all(isinstance(one, Seed) for one in found), found
    assert [(one.text, one.licence, one.source) for one in found if isinstance(one, Seed)] == [
        (ASKED, "CC0-1.0", "Street photos, rows.json:1"),
        (None, "CC0-1.0", "Street photos, rows.json:2"),
    ]


@pytest.mark.parametrize("below", ["", "pictures"])
def test_pictures_of_an_import_are_no_seeds_without_their_rows(tmp_path: Path, below: str) -> None:
    source, _ = rows_of("prism_dpo", tmp_path / "theirs")
    assert bring("prism_dpo", source, tmp_path / "ours", "--as", "seeds").code == 0
    with pytest.raises(ConfigError, match=r"whose licences only its rows say: name its seeds\.jsonl"):
        list(read_seeds(tmp_path / "ours" / below, lambda _: True, tmp_path))
