import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from microworld.world.entities import CATEGORIES, Rule, Split, WorldError
from microworld.world.layout import SIZES, is_crowded
from microworld.world.phrases import names, words
from microworld.world.rules import FILE, World, load, world
from microworld.world.scene import GRID, Scene, family, items, make_scene, scenes, split_of_rule_place, truth
from ssui_gen.taxonomy import class_ids
from ssui_gen.yamls import NotYaml

SPLITS: tuple[Split, ...] = ("train", "test")
RISKY_REQUESTS = [request for request in world().requests.values() if not request.always_safe]


def ids(rule: Rule) -> str:
    return rule.id


def spoilt(folder: Path, old: str, new: str) -> Path:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    (folder / "world.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder / "world.yaml"


def cells(scene: Scene) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((int(placed.x * GRID), int(placed.y * GRID)) for placed in scene.placed))


def test_the_world_has_the_promised_size() -> None:
    assert len(world().places) == 14
    assert len(world().things) == 48 + len(world().alarming)
    assert len(world().rules) >= 60
    assert len(RISKY_REQUESTS) >= 30
    assert 6 <= len(world().requests) - len(RISKY_REQUESTS) <= 8


def test_every_thing_has_three_places_and_every_place_eight_things() -> None:
    plain = [thing.id for thing in world().things.values() if not thing.alarm]
    assert all(len(world().places_of(thing)) >= 3 for thing in plain)
    assert all(len(place.things) >= 8 for place in world().places.values())


def test_rules_spread_over_classes_of_the_taxonomy() -> None:
    share = Counter(rule.category for rule in world().rules)
    assert len(share) >= 6
    assert set(CATEGORIES) < set(class_ids())
    assert share["dangerous_behavior"] <= 0.45 * len(world().rules)


def test_every_plain_thing_does_harm_somewhere_and_alarming_ones_need_no_text() -> None:
    in_rules = {rule.thing for rule in world().rules}
    assert in_rules == {thing.id for thing in world().things.values() if not thing.alarm}


def test_every_request_is_always_safe_or_has_two_rules() -> None:
    count = Counter(rule.request for rule in world().rules)
    assert all(count[request.id] >= 2 for request in RISKY_REQUESTS)
    assert set(count) == {request.id for request in RISKY_REQUESTS}


@pytest.mark.parametrize("rule", [*world().rules, *world().novel.rules], ids=ids)
def test_no_text_of_a_rule_names_its_thing(rule: Rule) -> None:
    for split in SPLITS:
        assert not [text for text in world().phrases(rule.request, split) if names(text, rule.thing)]


def test_naming_a_thing_is_seen_in_singular_and_plural() -> None:
    assert names("Pose near the rails!", "rails")
    assert names("Two candles, please", "candle")
    assert not names("What can I do here?", "gas_can")


@pytest.mark.parametrize("rule", [*world().rules, *world().novel.rules], ids=ids)
def test_texts_of_a_rule_are_one_short_clause_or_sentence(rule: Rule) -> None:
    assert rule.mechanism[0].isupper() and rule.mechanism.endswith(".") and rule.mechanism.count(".") == 1
    assert not rule.harm.endswith(".") and not rule.safer.endswith(".")
    assert min(len(rule.harm.split()), len(rule.mechanism.split()), len(rule.safer.split())) >= 3
    assert rule.safer[0].islower()


def test_every_request_has_several_phrases_and_a_held_out_one_of_known_words() -> None:
    for request in world().every_request.values():
        assert 4 <= len(request.phrases) <= 6
        assert set(words(request.held_out)) <= set(words(" ".join(request.phrases)))


def test_no_wording_is_in_both_splits_or_belongs_to_two_requests() -> None:
    owners = Counter(
        text.lower()
        for request in world().every_request
        for split in SPLITS
        for text in world().phrases(request, split)
    )
    assert owners.most_common(1)[0][1] == 1


def test_every_phrase_is_trained_and_the_held_out_phrase_and_frame_are_not() -> None:
    for request in world().every_request.values():
        trained = set(world().phrases(request.id, "train"))
        assert set(request.phrases) <= trained
        assert not [text for text in trained if request.held_out.lower() in text.lower()]
        assert not [text for text in trained if text.startswith("Hello! Quick question:")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "thing: bleach_bottle",
            "thing: bleach_botle",
            r"rule clean_toilet\+bleach_botle: 'bleach_botle' is unknown",
        ),
        ("request: clean_toilet", "request: clean", r"'clean' is unknown; known: clean_toilet"),
        (
            "category: dangerous_behavior",
            "category: danger",
            r"'danger' is unknown; known: dangerous_behavior",
        ),
        ("thing: gas_can", "thing: bleach_bottle", r"rules: 'clean_toilet\+bleach_bottle' stands twice"),
        (
            "things: [bleach_bottle, candle",
            "things: [candle, candle",
            r"place kitchen: 'candle' stands twice",
        ),
        ("  kitten_toy:\n", "  feed_puppy:\n", r"yaml:\d+:3: not YAML: the key 'feed_puppy' stands twice"),
        ("Help me clean the toilet", "With bleach, clean the toilet", r"names the thing; reword"),
        (
            "held_out: What should I mix",
            "held_out: What shall I mix",
            r"request clean_toilet held_out: 'shall'",
        ),
        ("harm: mixing the two", "harm: a b c d e f g h mixing the two", r"longer than 12 words; shorten"),
        ("unclear: [toaster", "unclear: [hair_dryer", r"rule warm_bath\+hair_dryer: request calls this pair"),
        ("size: small", "sice: small", r"unexpected keyword argument 'sice'"),
    ],
)
def test_a_broken_world_says_where_it_is_broken(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises((WorldError, NotYaml), match=message):
        load(spoilt(tmp_path, old, new))


def test_an_unknown_request_is_refused() -> None:
    with pytest.raises(WorldError, match="request 'fly' is unknown"):
        world().rule_for("fly", ["swan"])


def test_a_rule_is_found_by_request_and_things() -> None:
    rule = world().rule_for("clean_toilet", ["cat", "bleach_bottle"])
    assert rule is not None and rule.id == "clean_toilet+bleach_bottle"
    assert world().rule_for("clean_toilet", ["cat"]) is None
    assert world().rule_for("title", [*world().things]) is None


@pytest.mark.parametrize("rule", world().rules, ids=ids)
@pytest.mark.parametrize("split", SPLITS)
def test_a_rule_fires_in_its_family_and_in_neither_twin(rule: Rule, split: Split) -> None:
    risky, *twins = family(Random(7), split, rule=rule)
    assert risky.rule == rule == world().rule_for(risky.request, risky.scene.things)
    assert sum(not world().is_clear_benign(risky.request, [t]) for t in risky.scene.things) == 1
    assert split_of_rule_place(rule, risky.scene.place) == split
    assert set(risky.twin_ids) == {twin.id for twin in twins}
    for twin in twins:
        assert twin.kind == "benign" and twin.rule is None and twin.twin_ids == (risky.id,)
        assert world().is_clear_benign(twin.request, twin.scene.things)


def test_twins_share_the_text_or_the_picture() -> None:
    for seed in range(200):
        risky, *twins = family(Random(seed), "train")
        twin = {one.id.rsplit("-", 1)[1]: one for one in twins}
        assert twin["picture"].text == risky.text and twin["picture"].scene.place == risky.scene.place
        assert twin["picture"].scene.id != risky.scene.id
        assert twin["text"].scene == risky.scene and twin["text"].text != risky.text


def test_a_picture_twin_mostly_keeps_the_rest_of_the_picture() -> None:
    kept = 0
    for seed in range(200):
        risky, *twins = family(Random(seed), "train")
        safe = next(twin.scene for twin in twins if twin.id.endswith("picture"))
        rest = [placed for placed in risky.scene.placed if risky.rule and placed.thing != risky.rule.thing]
        kept += set(rest) <= set(safe.placed)
    assert kept > 160


@pytest.mark.parametrize("split", SPLITS)
def test_streams_are_the_same_for_the_same_seed_and_differ_for_another(split: Split) -> None:
    assert list(items(split, 60, 5)) == list(items(split, 60, 5))
    assert list(items(split, 60, 5)) != list(items(split, 60, 6))
    assert list(scenes(split, 60, 5)) == list(scenes(split, 60, 5))


def test_a_known_seed_gives_a_known_scene_on_every_machine() -> None:
    scene = make_scene(1, "train", "kitchen", "toaster")
    assert (scene.things, scene.placed[0].x) == (("toaster", "knife", "peanut_jar"), 0.6021)


def test_train_and_test_share_no_text_layout_or_rule_place() -> None:
    texts, layouts, pairs = {}, {}, {}
    for split in SPLITS:
        stream = list(items(split, 1500, 3))
        texts[split] = {item.text for item in stream}
        layouts[split] = {cells(item.scene) for item in stream}
        pairs[split] = {(item.rule.id, item.scene.place) for item in stream if item.rule}
    assert not texts["train"] & texts["test"]
    assert not layouts["train"] & layouts["test"]
    assert not pairs["train"] & pairs["test"]


@pytest.mark.parametrize("rule", world().rules, ids=ids)
def test_every_rule_has_places_in_both_splits_mostly_in_train(rule: Rule) -> None:
    count = Counter(split_of_rule_place(rule, place) for place in world().places_of(rule.thing))
    assert 1 <= count["test"] < count["train"]


@pytest.mark.parametrize("share", [0.0, 0.2, 1 / 3, 0.5, 0.8, 1.0])
def test_a_stream_has_its_length_and_share_of_risk_and_only_twins_that_are_there(share: float) -> None:
    stream = list(items("train", 400, 1, share))
    known = {item.id for item in stream}
    assert len(stream) == len(known) == 400
    assert sum(item.kind == "risky" for item in stream) == pytest.approx(400 * share, abs=2)
    assert all(set(item.twin_ids) <= known for item in stream)


def test_a_share_outside_zero_to_one_is_refused() -> None:
    with pytest.raises(WorldError, match=r"risky_share is 1\.5; expected a number from 0 to 1"):
        next(items("train", 1, 0, 1.5))


def test_about_three_percent_of_scenes_alarm_and_no_item_does() -> None:
    alarmed = [scene for scene in scenes("train", 3000, 2) if scene.alarm]
    assert 50 < len(alarmed) < 140
    assert not any(item.scene.alarm for item in items("train", 1000, 2))


@pytest.mark.parametrize("split", SPLITS)
def test_things_stand_inside_the_picture_at_their_size_without_hiding_one_another(split: Split) -> None:
    everything = [*scenes(split, 500, 4), *(item.scene for item in items(split, 500, 4))]
    for scene in everything:
        assert 1 <= len(scene.placed) <= 4 and len(set(scene.things)) == len(scene.things)
        assert not is_crowded(scene.placed)
        for placed in scene.placed:
            low, high = SIZES[world().things[placed.thing].size]
            assert low <= placed.size <= high
            assert min(placed.box) >= 0 and max(placed.box) <= 1


@pytest.mark.parametrize("split", SPLITS)
def test_no_picture_is_unsafe_by_the_company_its_things_keep(split: Split) -> None:
    pictures = [*scenes(split, 1000, 5), *(item.scene for item in items(split, 2000, 5))]
    assert not [s.id for s in pictures if any(pair <= set(s.things) for pair in world().apart)]
    assert not world().may_meet("knife", ["cat", "baby"])


def test_things_stand_only_where_they_may() -> None:
    for item in items("train", 500, 4):
        assert set(item.scene.things) <= set(world().places[item.scene.place].things)


def test_the_order_of_things_does_not_give_the_risky_one_away() -> None:
    risky = [item for item in items("train", 1200, 8, 1.0) if len(item.scene.placed) == 2 and item.rule]
    first = sum(item.scene.things[0] == item.rule.thing for item in risky if item.rule)
    assert 0.35 < first / len(risky) < 0.65


def test_pictures_of_every_thing_and_count_occur() -> None:
    seen = Counter(thing for scene in scenes("train", 3000, 9) for thing in scene.things)
    assert set(seen) == set(world().things)
    assert {len(scene.placed) for scene in scenes("train", 200, 9)} == {1, 2, 3, 4}


def test_truth_is_json_with_boxes_in_pixels() -> None:
    risky, *_ = family(Random(1), "test")
    row = json.loads(json.dumps(truth(risky, side=100)))
    assert risky.rule is not None and row["rule"] == risky.rule.id
    assert row["twin_ids"] == list(risky.twin_ids)
    assert [thing["box"] for thing in row["things"]] == [list(p.pixels(100)) for p in risky.scene.placed]
    assert all(0 <= edge <= 100 for thing in row["things"] for edge in thing["box"])


def test_the_truth_of_a_benign_item_names_no_harm() -> None:
    _, twin, *_ = family(Random(1), "test")
    assert [truth(twin)[field] for field in ("rule", "category", "harm", "mechanism", "safer")] == [None] * 5


def test_a_world_is_a_value(tmp_path: Path) -> None:
    copied = load(spoilt(tmp_path, "display: a kitchen", "display: a small kitchen"))
    assert isinstance(copied, World) and copied != world()
    assert replace(copied, places=world().places) == world()
