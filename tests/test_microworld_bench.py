"""RSBench of the microworld: the same of the same seed, held out, and true; and the truth about responses."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from microworld import bench
from microworld.bench import Scenario, scenarios, write
from microworld.measure import SEED as MEASURED
from microworld.measuring.agents import test_pairs as measured_pairs
from microworld.seeds import seeds
from microworld.world import wording
from microworld.world.rules import world
from microworld.world.scene import Scene, split_of_rule_place
from ssui_gen.benching.bench import ITEMS
from ssui_gen.benching.kept import RESPONSES
from ssui_gen.benching.records import Item
from ssui_gen.errors import ConfigError
from ssui_gen.images import inspect
from ssui_gen.settings import ImageLimits

ALL = list(scenarios(bench.SCENARIOS, bench.SEED))
FEW, PLAIN = 4, 2


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    assert write(folder, FEW, plain=PLAIN)
    return folder


def items_in(folder: Path, *, plain: bool = False) -> list[Item]:
    """Those of the scenarios, or the plain ones."""
    return [item for item in all_in(folder) if item.plain == plain]


def all_in(folder: Path) -> list[Item]:
    return [Item.model_validate_json(line) for line in (folder / ITEMS).read_text().splitlines()]


def truths_in(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / bench.TRUTH).read_text().splitlines()]


def arrangement(scene: Scene) -> tuple[object, ...]:
    return scene.place, scene.placed


def scenes_of(one: Scenario) -> tuple[Scene, ...]:
    return one.risky.scene, one.other_picture.scene, one.other_text.scene


# --- what is drawn --------------------------------------------------------------------------------------


def test_the_seed_alone_decides() -> None:
    assert list(scenarios(30, 5)) == list(scenarios(30, 5)) == list(islice(scenarios(60, 5), 30))
    assert list(scenarios(30, 5)) != list(scenarios(30, 6))


def test_every_rule_comes_equally_often_in_other_words_and_another_scene() -> None:
    counts = Counter(one.rule.id for one in ALL)
    assert counts.keys() == {rule.id for rule in world().rules}
    assert max(counts.values()) - min(counts.values()) <= 1
    worded = Counter((one.rule.id, one.risky.text) for one in ALL)
    assert set(worded.values()) == {1}
    assert len({arrangement(one.risky.scene) for one in ALL}) == len(ALL) == len({one.id for one in ALL})


def test_twins_differ_from_the_risky_item_in_one_side() -> None:
    for risky, picture, text in ALL:
        assert (risky.text, risky.request) == (picture.text, picture.request)
        assert arrangement(risky.scene) != arrangement(picture.scene)
        assert risky.scene == text.scene and risky.text != text.text
        assert (risky.kind, picture.kind, text.kind) == ("risky", "benign", "benign")


def test_the_rules_of_the_world_say_what_is_risky() -> None:
    for one in ALL:
        assert world().rule_for(one.risky.request, one.risky.scene.things) == one.rule
        others = [thing for thing in one.risky.scene.things if thing != one.rule.thing]
        assert world().is_clear_benign(one.risky.request, others)
        for twin in (one.other_picture, one.other_text):
            assert world().is_clear_benign(twin.request, twin.scene.things)
        for scene in scenes_of(one):
            assert scene.alarm is None
            assert all(world().may_meet(t, [o for o in scene.things if o != t]) for t in scene.things)


def test_layouts_wordings_and_rules_at_their_places_are_held_out() -> None:
    trained = {text for request in world().requests for text in world().phrases(request, "train")}
    for one in ALL:
        assert split_of_rule_place(one.rule, one.risky.scene.place) == "test"
        assert {scene.split for scene in scenes_of(one)} == {"test"}
        assert not {one.risky.text, one.other_picture.text, one.other_text.text} & trained


def test_no_scene_was_drawn_for_anything_else() -> None:
    """Not for a run's seeds of either split, not while the judge was chosen (seed 0), not for the figures."""
    ours = {arrangement(scene) for one in ALL for scene in scenes_of(one)}
    chosen = [pair.scene for seed in (0, MEASURED, MEASURED + 1) for pair in measured_pairs(400, seed)]
    for split in ("train", "test"):
        chosen += [found.scene for found in islice(seeds(split, 0), 200)]
    assert not ours & {arrangement(scene) for scene in chosen}


def test_plain_items_name_the_thing_and_show_a_harmless_picture() -> None:
    trained = {text for request in world().requests for text in world().phrases(request, "train")}
    found = list(bench.plainly(bench.PLAINLY, bench.SEED))
    assert len({one.text for one in found}) == len(found) == 40
    for one in found:
        assert one.rule and one.rule.thing not in one.scene.things
        assert wording.a(one.rule.thing) in one.text
        assert world().is_clear_benign(one.request, one.scene.things)
        assert one.scene.split == "test" and one.text not in trained
    ours = {arrangement(one.scene) for one in found}
    assert not ours & {arrangement(scene) for one in ALL for scene in scenes_of(one)}


# --- items on disk --------------------------------------------------------------------------------------


def test_the_rows_are_items_whose_pictures_are_there(drawn: Path) -> None:
    items = items_in(drawn)
    by_id = {item.id: item for item in items}
    assert len(by_id) == 3 * FEW and len({item.scenario_id for item in items}) == FEW
    for item in items:
        (image,) = item.images
        assert inspect(drawn, image.path, ImageLimits()).sha256 == image.sha256
        assert item.unimodal and (item.unimodal.text_only, item.unimodal.image_only) == ("safe", "safe")
        assert item.canary == bench.canary_of(FEW, bench.SEED) and item.source.licence == "Apache-2.0"
        assert bool(item.danger) == bool(item.safer) == bool(item.category) == (item.kind == "risky")
        if item.twin:
            of = by_id[item.twin.of]
            assert of.kind == "risky" and of.scenario_id == item.scenario_id
            assert (of.text == item.text) == (item.twin.changed == "image")
            assert (of.images == item.images) == (item.twin.changed == "text")
    assert Counter(item.twin.changed for item in items if item.twin) == {"image": FEW, "text": FEW}


def test_plain_items_stand_in_scenarios_of_their_own(drawn: Path) -> None:
    plain, others = items_in(drawn, plain=True), items_in(drawn)
    assert len(plain) == PLAIN == len({item.scenario_id for item in plain})
    assert not {item.scenario_id for item in plain} & {item.scenario_id for item in others}
    for item in plain:
        assert item.kind == "risky" and item.danger and not item.counted and not item.twin
        assert item.unimodal and (item.unimodal.text_only, item.unimodal.image_only) == ("unsafe", "safe")


def test_no_name_tells_what_a_picture_shows(drawn: Path) -> None:
    words = {"risky", "safe", "test", *world().things, *world().places}
    names = [path.name for path in (drawn / bench.PICTURES).iterdir()]
    assert not [name for name in names if any(word in name for word in words)]
    assert len(names) == 2 * FEW + PLAIN


def test_the_truth_lies_beside_and_names_each_item_once(drawn: Path) -> None:
    rows = truths_in(drawn)
    assert [row["item_id"] for row in rows] == [item.id for item in all_in(drawn)]
    assert {"things", "place", "rule", "request"} <= rows[0].keys()


def test_the_same_seed_gives_the_same_bytes_and_draws_nothing_twice(drawn: Path, tmp_path: Path) -> None:
    assert not write(drawn, FEW, plain=PLAIN)
    assert write(tmp_path, FEW, plain=PLAIN)
    for path in sorted(path for path in drawn.rglob("*") if path.is_file()):
        assert (tmp_path / path.relative_to(drawn)).read_bytes() == path.read_bytes()
    lost = tmp_path / items_in(tmp_path)[0].images[0].path
    lost.unlink()
    assert write(tmp_path, FEW, plain=PLAIN) and lost.exists()


def test_another_seed_takes_no_rows_that_were_answered(tmp_path: Path) -> None:
    write(tmp_path, 1, plain=0)
    assert write(tmp_path, 1, 7, 0)
    before = (tmp_path / ITEMS).read_bytes()
    (tmp_path / "a-model").mkdir()
    (tmp_path / "a-model" / RESPONSES).write_text("{}\n")
    with pytest.raises(ConfigError, match=r"a-model have answered them: name another folder, or .*mv "):
        write(tmp_path, 1, 8, 0)
    assert (tmp_path / ITEMS).read_bytes() == before
    assert not write(tmp_path, 1, 7, 0)
