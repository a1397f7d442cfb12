"""Scenes of two pictures: their truth, what is taught and measured of them, and who reads them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from jobs import here, rows

from microworld.corpus.albums import Albums, together
from microworld.corpus.dialogues import Dialogue, check_joint, describe
from microworld.corpus.shown import GREY, Others
from microworld.draw.pool import scene_at, shown
from microworld.label_branches import label
from microworld.learning.ask import Checkpoint, Question
from microworld.learning.feed import Encoder
from microworld.learning.looking import wish_number
from microworld.learning.mixtures import MAKERS
from microworld.learning.mixtures_two import TWO
from microworld.learning.model import GRID, load, shift
from microworld.measure_records import found_in
from microworld.measuring.albums import ROLES, families
from microworld.plant import cases
from microworld.pretrain import MODELS
from microworld.seeds import scenes_of, seeds, things_in, write
from microworld.truth.options import texts_of as texts_in
from microworld.truth.options import true_option
from microworld.truth.score import request_of, things_named
from microworld.truth.steps import decided
from microworld.world.album import Album, bound, caption, firing_in, go_together, split_of
from microworld.world.album_items import album_family, album_items
from microworld.world.pairs import Pair
from microworld.world.rules import world
from microworld.world.scene import Scene, family_of, items, truth
from ssui_gen.reading import read as read_path
from ssui_gen.records import ImageRef
from ssui_gen.seeds import read_seeds

POOL = tuple(scene_at("train", index) for index in range(120))
ALBUMS = Albums(POOL)
ITEMS = tuple(album_items("test", 40, 3, couples=0.5))


def digest(rows: Iterable[object]) -> str:
    found = hashlib.sha256()
    for row in rows:
        found.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")
    return found.hexdigest()[:16]


# --- one picture stays as it was ---------------------------------------------------------------------------

ONE_PICTURE = {
    "pool": "b36e859d5e1bc81e",
    "items, train": "fd0a40d92a5fb0ed",
    "seeds, train": "16d7960d27132dc9",
    "items, test": "63c8d6de08d3e84f",
    "seeds, test": "289d23a4198976e2",
    "corpus, agents": "1c5b395ae597309a",
    "corpus, judge": "4cd64bced6decc8e",
    "corpus, policy": "fc776a2ff8432a45",
    "corpus, untidy": "1cb99e6e88a0fef9",
}
"""Digests of what is drawn, said and asked of one picture, taken before there were scenes of two."""
UNSAID = {"licence": None, "source": None}
"""Of a seed then; whose its pictures are was said later."""


def one_picture() -> dict[str, str]:
    found = {"pool": digest(map(asdict, POOL))}
    for split in ("train", "test"):
        found[f"items, {split}"] = digest(truth(item) for item in items(split, 40, 5, 0.5))  # type: ignore[arg-type]
        drawn = islice(seeds(split, 3), 24)  # type: ignore[arg-type]
        rows = ((d.seed.model_dump() | UNSAID, asdict(d.scene)) for d in drawn)
        found[f"seeds, {split}"] = digest(map(list, rows))
    for name, maker in MAKERS.items():
        rng = Random(name)
        found[f"corpus, {name}"] = digest(asdict(maker(Others(POOL), 0.7)(rng, scene)) for scene in POOL)
    return found


def test_no_draw_of_one_picture_has_changed() -> None:
    assert one_picture().items() >= ONE_PICTURE.items(), "a policy that came later is not among them"


# --- what is true ------------------------------------------------------------------------------------------


def test_an_item_of_two_pictures_is_harmless_with_either_alone() -> None:
    for item in ITEMS:
        album = item.scene
        assert isinstance(album, Album) and album.split == "test" and not album.alarm
        one, other = album.pictures
        assert album.things == one.things + other.things and len(set(album.things)) == len(album.things) <= 5
        if item.rule is None:
            assert world().is_clear_benign(item.request, album.things)
            continue
        assert split_of(item.rule, album) == "test" and item.rule in firing_in(album, "test")
        alone = [world().is_clear_benign(item.request, scene.things) for scene in album.pictures]
        assert sum(alone) == (2 if item.rule.beside else 1), item


def test_twins_differ_in_one_thing_or_in_the_text_alone() -> None:
    for at in range(0, len(ITEMS), 3):
        risky, picture, text = ITEMS[at : at + 3]
        assert risky.twin_ids == (picture.id, text.id) and risky.rule and not picture.rule and not text.rule
        assert picture.text == risky.text and text.text != risky.text
        before, after = (one.scene.pictures for one in (risky, picture) if isinstance(one.scene, Album))
        changed = [n for n in (0, 1) if before[n] != after[n]]
        assert len(changed) == 1 and set(risky.rule.causes) & set(before[changed[0]].things)
        assert text.scene == risky.scene
        assert len({family_of(one.id) for one in (risky, picture, text)}) == 1


def test_what_decides_stands_in_either_picture_and_every_couple_is_drawn() -> None:
    made = [item for item in album_items("train", 150, 1, couples=0.5) if item.rule]
    counts: Counter[object] = Counter()
    for item in made:
        assert item.rule and isinstance(item.scene, Album) and split_of(item.rule, item.scene) == "train"
        counts[bool(item.rule.beside), item.scene.where(item.rule.thing)] += 1
        counts[item.rule.id] += 1
    assert all(counts[beside, number] > 20 for beside in (True, False) for number in (0, 1)), counts
    assert all(counts[rule.id] for rule in world().couples), counts
    assert len(world().couples) >= 6 and not world().couple_requests.keys() & world().requests.keys()


def test_a_couple_in_one_picture_is_no_couple() -> None:
    couple = next(rule for rule in world().couples if rule.id == "ride_after+wine_bottle+car")
    risky = album_family(Random(0), "train", couple)[0].scene
    assert isinstance(risky, Album)
    both = risky.pictures[risky.where("car")].placed + risky.pictures[risky.where("wine_bottle")].placed
    beach = Scene("a-1", 1, "beach", both, risky.variant)
    other = Scene("a-2", 2, "street", (), risky.variant)
    assert split_of(couple, bound((beach, other))) is None
    assert couple not in firing_in(bound((beach, other)), "train")


def test_the_truth_of_a_text_under_two_pictures_is_decided() -> None:
    for item in ITEMS:
        request = request_of(item.text)
        assert request == item.request
        found = decided(item.request, item.scene.things)
        assert found is not None and found.rule == item.rule, item
    things = ("pill_bottle", "wine_bottle")
    assert decided("whole_evening", things[:1]) == ("whole_evening", things[:1], None)
    rule = decided("whole_evening", things)
    assert rule is not None and rule.rule is not None and rule.rule.causes == things


def test_seeds_of_two_pictures_are_read_with_their_truth(tmp_path: Path) -> None:
    write(tmp_path, 10, "test", 1, pictures=2)
    read = list(read_seeds(tmp_path / "seeds.jsonl", lambda _: True, tmp_path / "run"))
    rows = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    scenes, known = scenes_of(tmp_path), {row["seed_id"]: row for row in rows}
    assert len(read) == 10 and len(known) == 9, "one shows something that alarms"
    assert {row["beside"] is not None for row in rows if row["rule"]} == {True, False}
    for seed in read:
        assert len(seed.images) == 2 and all((tmp_path / name).is_file() for name in seed.images)
        if row := known.get(seed.id):
            assert [f"pictures/{one['scene']}.png" for one in row["pictures"]] == [*seed.images]
            refs = [ImageRef(path=name, sha256=name, width=1, height=1) for name in seed.images]
            things = things_in(scenes, refs)
            assert things and things == [one["thing"] for p in row["pictures"] for one in p["things"]]
            found = decided(row["request"], things)
            assert found is not None and (found.rule.id if found.rule else None) == row["rule"]


# --- what is taught ----------------------------------------------------------------------------------------


def test_a_caption_says_in_which_picture_each_thing_is() -> None:
    album = ITEMS[0].scene
    assert isinstance(album, Album)
    text = caption(Random(0), album, album.things)
    for number, part in enumerate(text.split(" in picture ")[:2]):
        assert things_named(part) == set(album.pictures[number].things)
    less = caption(Random(0), album, album.things[1:])
    assert things_named(less) == set(album.things[1:])


@pytest.mark.parametrize("role", TWO)
def test_every_role_learns_of_two_pictures_and_goes_on_with_one(role: str) -> None:
    rng, maker, rows = Random(role), TWO[role](ALBUMS, 0.7), Counter[str]()
    for scene in POOL * 2:
        found = maker(rng, scene)
        if found.picture:
            rows["two" if isinstance(found.row, tuple) else "one"] += 1
        if isinstance(found.row, tuple) and GREY not in found.row:
            shown_things = [thing for row in found.row for thing in POOL[row].things]
            assert len(found.row) == 2 and len(set(shown_things)) == len(shown_things)
            if found.target.startswith(("A ", "An ", "This is ", "Railway")):
                assert things_named(found.target) == set(shown_things)
    assert rows["two"] > rows["one"] > 20


def test_a_judge_is_told_of_couples_while_it_learns() -> None:
    """Every dialogue becomes tokens; at the question stands which request it is, a couple's too."""
    encoder = Encoder(load(MODELS / "judge")[1].tokenizer)
    rng, maker, couples = Random(2), TWO["two-judge"](ALBUMS, 0.7), {*world().couple_requests}
    numbers = {wish_number(request) for request in couples}
    told = {part.wish for scene in POOL for part in encoder.encode(maker(rng, scene), 0).parts if part.wish}
    assert told & couples and len(numbers) == len(couples) and min(numbers) == len(world().requests)


def test_what_is_shown_in_the_place_of_two_pictures_goes_together() -> None:
    rng, kinds = Random(0), Counter[str]()
    albums = [album for scene in POOL if not scene.alarm and (album := ALBUMS.beside(rng, scene))]
    for album in albums:
        found = ALBUMS.draw(rng, album)
        assert isinstance(found.row, tuple)
        if found.scene is None:
            assert set(found.row) == {GREY} and not found.things
        else:
            assert isinstance(found.scene, Album) and go_together(*found.scene.pictures)
            assert [POOL[row].id for row in found.row] == [one.id for one in found.scene.pictures]
        kept = set(found.row) & set(ALBUMS.rows_of(album))
        kinds["grey" if found.scene is None else "one kept" if kept else "both others"] += 1
    assert all(kinds[kind] > 5 for kind in ("grey", "one kept", "both others")), kinds


@pytest.mark.parametrize("maker", [check_joint, describe])
def test_the_model_is_trained_on_what_is_sent_of_two_pictures(maker: Any) -> None:
    """As the chat template writes a request of two pictures, with the pictures' tokens in place."""
    _, processor = load(MODELS / "agents")
    scene = next(scene for scene in POOL if not scene.alarm)
    found: Dialogue = together(ALBUMS, maker)(Random(0), scene)
    assert isinstance(found.row, tuple)
    encoded = Encoder(processor.tokenizer).encode(found, 0)
    assert encoded.rows == found.row
    pictures = tuple(picture for row in found.row for picture in shown(POOL[row]))
    agent = None if found.agent == "user" else found.agent
    question = Question(agent, found.user, pictures)
    text = processor.apply_chat_template(question.messages(), add_generation_prompt=True)
    ids = processor(images=list(pictures), text=text)["input_ids"][0]
    assert ids == encoded.ids[: encoded.learned[0].start]
    assert ids.count(processor.tokenizer.convert_tokens_to_ids("<image>")) == 2 * GRID**2


def test_a_judge_is_asked_about_a_couple_by_both_its_things() -> None:
    item = next(item for item in ITEMS if item.rule and item.rule.beside)
    assert item.rule
    pair = Pair(item.scene, item.request, item.text, item.rule)
    truth_of_it = decided(item.request, item.scene.things)
    assert truth_of_it
    for left_out, option in (
        (None, "named"),
        (item.rule.thing, "not named"),
        (item.rule.beside, "not named"),
    ):
        seen = caption(Random(0), pair.scene, [t for t in pair.scene.things if t != left_out])
        texts = texts_in(read_path(f"1. Visual context: {seen}"))
        assert true_option("grounded", texts, truth_of_it) == option, left_out


def test_a_model_moves_as_another_did_while_it_learned() -> None:
    model, _ = load(MODELS / "policy")
    name = "lm_head.weight"
    before = model.state_dict()[name].clone()
    shift(model, MODELS / "agents", MODELS / "judge")
    agents, judge = (load(MODELS / folder)[0].state_dict()[name] for folder in ("agents", "judge"))
    moved = model.state_dict()[name] - before
    assert float(moved.abs().max()) > 0.01 and torch.allclose(moved, judge - agents, atol=1e-5)


# --- who reads them ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def agents() -> Checkpoint:
    return Checkpoint(*load(MODELS / "two-agents"))


def test_things_in_both_pictures_are_named(agents: Checkpoint) -> None:
    albums = [item.scene for item in ITEMS if item.rule]
    texts = agents.ask([Question(None, "Describe the picture.", shown(album)) for album in albums], most=96)
    for number in (0, 1):
        wanted = [
            (thing in things_named(text))
            for album, text in zip(albums, texts, strict=True)
            if isinstance(album, Album)
            for thing in album.pictures[number].things
        ]
        assert sum(wanted) >= 0.85 * len(wanted), (number, sum(wanted), len(wanted))


def test_every_checkpoint_of_two_is_measured() -> None:
    told = json.loads((MODELS / "figures-two.json").read_text("utf-8"))["figures"]
    assert told.keys() == ROLES.keys() and all((MODELS / name / "config.json").is_file() for name in ROLES)
    assert len(families(2, 0)) == 2 and len(families(2, 0)[0]) == 3


@pytest.mark.slow
def test_a_run_over_two_pictures_makes_records_and_pairs_that_the_truth_knows(tmp_path: Path) -> None:
    write(tmp_path / "two", 8, "test", 4, pictures=2)
    run, settings = str(tmp_path / "run"), str(MODELS.parent / "two.yaml")
    seeds_file = str(tmp_path / "two" / "seeds.jsonl")
    done = here(["dataset", "--run", run, "--seeds", seeds_file, "--config", settings])
    assert done.code == 0, done.err
    found = found_in(cases(Path(run), tmp_path / "two"))
    assert len(found) >= 6 and all(len(one.path.images) == 2 for one in found)
    assert sum(one.kind for one in found) >= 0.7 * len(found)
    done = here(["pairs", "--run", run, "--uncurated", "--config", settings])
    assert done.code == 0, done.err
    made = rows(tmp_path / "run" / "pairs.jsonl")
    assert made and all(len(pair["images"]) == 2 for pair in made)
    counts = label(Path(run), tmp_path / "two")
    assert counts["good"] and counts["bad"]
