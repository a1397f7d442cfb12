"""How varied rows are is said at a run's end: classes, word pairs, near-duplicates within and across runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_server import Fake
from hypothesis import given
from hypothesis import strategies as st
from jobs import PICTURES, Job, job, plain
from PIL import Image, ImageDraw

from ssui_gen.images import HASH_BITS
from ssui_gen.variety import Variety, distinct_2, near_pictures

HASHES = st.integers(0, 2**HASH_BITS - 1)


def album(made: Job) -> Job:
    """Unlike pictures in the place of the plain ones, whose hashes are all alike."""
    for number in range(PICTURES):
        picture = Image.new("RGB", (64, 64), "white")
        draw = ImageDraw.Draw(picture)
        for step in range(9):
            x, y = (
                (number * 37 + step * (5 + number)) % 56,
                (step * 23 + number * 11) % 56,
            )
            draw.rectangle((x, y, x + 12, y + 9), fill=(step * 25, 10 * number, 90))
        picture.save(made.folder / f"{number}.png")
    return made


def of(made: Job) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((made.run / "variety.json").read_text("utf-8"))
    return found


@given(
    st.lists(HASHES, max_size=6), st.lists(st.sets(st.integers(0, HASH_BITS - 1), max_size=14), max_size=6)
)
def test_just_the_pictures_within_so_many_bits_of_an_earlier_one_are_found(
    bases: list[int], flips: list[set[int]]
) -> None:
    near = [base ^ sum(1 << bit for bit in bits) for base, bits in zip(bases, flips, strict=False)]
    hashes = [(str(number), value) for number, value in enumerate([*bases, *near])]
    found, kept = near_pictures(hashes, 10), dict[str, int]()
    for name, value in hashes:
        like = [other for other, its in kept.items() if (its ^ value).bit_count() <= 10]
        assert (found.get(name) in like) if like else (name not in found)
        if not like:
            kept[name] = value


def test_distinct_2_on_a_worked_example() -> None:
    assert distinct_2(["May I sit here", "may I stand here?"]) == 5 / 6
    assert distinct_2(["one", ""]) == 0


def test_texts_and_pictures_that_nearly_are_earlier_ones_are_named(fake: Fake, tmp_path: Path) -> None:
    text = "Could you tell me whether I may sit down on this bench for an hour before lunch today?"
    seeds = [{"id": f"s{n}", "image": f"{n}.png", "kind": "risky"} for n in range(4)]
    seeds[1]["text"], seeds[3]["text"] = text, text.replace("today", "please")
    made = album(job(tmp_path, fake.url, seeds))
    Image.open(made.folder / "0.png").resize((90, 90)).save(made.folder / "2.png")
    end = made.here()
    assert end.code == 0
    ids = {row["seed_id"]: row["id"] for row in made.paths}
    assert sorted((ids["s1"], ids["s3"])) in [sorted(pair) for pair in of(made)["texts"].items()]
    assert [sorted(pair) for pair in of(made)["alike"].items()] == [["0.png", "2.png"]]
    assert "1 of 4 pictures nearly show" in end.out


def test_an_earlier_run_is_compared_with_and_one_without_rows_is_refused(fake: Fake, tmp_path: Path) -> None:
    seeds = plain(3, kind="risky", text="Where in this room should the old wooden ladder stand tomorrow?")
    first = album(job(tmp_path / "first", fake.url, seeds[:1]))
    first.here()
    second = album(job(tmp_path / "second", fake.url, seeds[:1]))
    end = second.here("--against", str(first.run))
    (row,) = second.paths
    assert of(second)["texts"] == {row["id"]: f"{first.run}: {first.paths[0]['id']}"}
    assert of(second)["alike"] == {"0.png": f"{first.run}: 0.png"}
    assert end.code == 0
    third = job(tmp_path / "third", fake.url, seeds)
    calls, refused = fake.calls, third.here("--against", str(tmp_path / "nothing"))
    assert (refused.code, fake.calls, third.content) == (1, calls, [])
    assert "expected the folder of an earlier run" in refused.err


@pytest.mark.parametrize(("violence", "warned"), [(4, False), (5, True)])
def test_a_class_that_takes_too_much_is_warned_of(violence: int, warned: bool) -> None:
    found = Variety(rows=10, compared=10)
    found.classes.update({"violence": violence, "self_harm": 3, "illegal_crimes": 7 - violence})
    said = " ".join(found.lines())
    assert f"violence {violence} ({violence}0%)" in said
    assert ("Warning: violence takes 50% of the risky rows" in said) == warned
