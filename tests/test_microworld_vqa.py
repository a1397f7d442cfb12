"""Visual questions of the microworld: the same of the same seed, and true."""

from __future__ import annotations

from pathlib import Path

from asked import read
from jobs import rows

from microworld.truth.score import things_named
from microworld.vqa import write
from ssui_gen.benching.vqa.reading import key_of
from ssui_gen.demo import are_drawn

PICTURES = 6


def test_each_picture_is_asked_three_questions_whose_answers_are_so(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    files = write(folder, PICTURES, seed=1)
    assert [file.name for file in files] == ["describe.jsonl", "count.jsonl", "there.jsonl"]
    made = read(folder)
    assert (len(made.items), made.refused, are_drawn(folder)) == (3 * PICTURES, [], True)
    truth = {
        f"pictures/{one['scene']}.png": {thing["thing"] for thing in one["things"]}
        for one in rows(folder / "truth.jsonl")
    }
    for item in made.items:
        key, things = key_of(item), truth[item.images[0].path]
        assert key is not None
        if item.extra["vqa"]["set"] == "there":
            assert (key.answers == ("yes",)) is (things_named(item.text) <= things)
        else:
            assert things_named(key.answers[0]) == things


def test_the_same_seed_gives_the_same_bytes_and_another_other_scenes(tmp_path: Path) -> None:
    one, same, other = (
        [file.read_bytes() for file in write(tmp_path / name, PICTURES, seed)]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert one == same != other
