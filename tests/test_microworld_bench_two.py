"""RSBench of the microworld in two pictures: the danger stands in one of them, or one thing of it in each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from curating import record

from microworld import bench
from microworld.bench import Scenario, scenarios, write
from microworld.bench_truth import known
from microworld.seeds import album_seeds, shown_by
from microworld.world.album import Album, split_of
from microworld.world.rules import world
from ssui_gen.benching.bench import read_bench

ALL = list(scenarios(150, bench.SEED, 2))
FEW, PLAIN = 6, 2
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "bench"
    assert write(folder, FEW, plain=PLAIN, pictures=2)
    return folder


def test_every_third_scenario_is_a_couples_and_all_rules_come_in_turn() -> None:
    couples = [bool(one.rule.beside) for one in ALL]
    assert couples == [n % 3 == 2 for n in range(len(ALL))]
    for rules in (world().rules, world().couples):
        counts = Counter(one.rule.id for one in ALL if one.rule in rules)
        whole, more = divmod(counts.total(), len(rules))
        assert {counts[rule.id] for rule in rules} <= {whole, whole + bool(more)}


def _shown(one: Scenario) -> tuple[Album, ...]:
    scenes = (one.risky.scene, one.other_picture.scene, one.other_text.scene)
    assert all(isinstance(scene, Album) and len(scene.pictures) == 2 for scene in scenes)
    return scenes  # type: ignore[return-value]


def test_what_is_risky_can_be_seen_and_a_couple_in_neither_picture_alone() -> None:
    for one in ALL:
        risky, other, _ = _shown(one)
        assert world().rule_for(one.risky.request, risky.things) == one.rule
        assert split_of(one.rule, risky) == "test"
        assert world().is_clear_benign(one.risky.request, other.things)
        assert world().is_clear_benign(one.other_text.request, one.other_text.scene.things)
        alone = [world().rule_for(one.risky.request, shown.things) for shown in risky.pictures]
        assert alone.count(None) == (2 if one.rule.beside else 1)


def test_no_album_was_drawn_for_a_runs_seeds() -> None:
    def arranged(album: Album) -> tuple[object, ...]:
        return tuple((scene.place, scene.placed) for scene in album.pictures)

    ours = {arranged(album) for one in ALL for album in _shown(one)}
    for split in ("train", "test"):
        stream = album_seeds(split, 0)  # type: ignore[arg-type]
        theirs = [next(stream).scene for _ in range(120)]
        assert not ours & {arranged(scene) for scene in theirs if isinstance(scene, Album)}


def test_items_show_both_pictures_and_name_what_matters_in_each(drawn: Path) -> None:
    found = read_bench(drawn)
    assert not found.rejects and all(len(item.images) == 2 for item in found.items)
    scored = [item for item in found.items if item.counted]
    assert Counter(len(item.evidence.image) for item in scored) == {1: 4, 2: 2, 0: 12}
    assert {item.canary for item in found.items} == {bench.canary_of(FEW, bench.SEED, 2)}
    assert bench.canary_of(FEW, bench.SEED, 2) != bench.canary_of(FEW, bench.SEED)
    plain = [item for item in found.items if item.plain]
    assert len(plain) == PLAIN and not any(item.evidence.image for item in plain)


def test_the_truth_is_told_of_both_pictures(drawn: Path) -> None:
    rows = [json.loads(line) for line in (drawn / bench.TRUTH).read_text().splitlines()]
    truths = known(drawn)
    for row in rows:
        things = [one["thing"] for scene in row["pictures"] for one in scene["things"]]
        assert set(things) <= set(truths[row["item_id"]].things)
        rule = truths[row["item_id"]].rule
        assert (rule.id if rule else None) == row["rule"]


def test_a_run_of_two_pictures_has_a_bench_of_two(tmp_path: Path) -> None:
    assert shown_by(tmp_path) == 1
    first, one = tmp_path / "reasoning_paths.jsonl", record("one")
    two = one.model_copy(update={"more_images": (one.image,)}).model_dump_json()
    first.write_text(two + "\n")
    assert shown_by(tmp_path) == 2
    first.write_text(one.model_dump_json() + "\n" + two + "\n")
    assert shown_by(tmp_path) == 1
    odd = json.dumps({**json.loads(two), "more_images": None})
    first.write_text(f"{{broken\n\n3\n{odd}\n{two}\n")
    assert shown_by(tmp_path) == 2, "what cannot be read says nothing"


@pytest.mark.parametrize(
    ("module", "options"),
    [("bench", ("--scenarios", "0")), ("bench", ("--plain", "-1")), ("seeds", ("--count", "many"))],
)
def test_so_few_are_no_number_of_things_to_draw(
    module: str, options: tuple[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", f"microworld.{module}", str(tmp_path / "x"), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "expected a number from" in done.stderr
    assert not (tmp_path / "x").exists()
