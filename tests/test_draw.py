"""The microworld's pictures: deterministic, the same at any size, and every thing unlike every other."""

from itertools import combinations

import pytest
from PIL import Image, ImageChops, ImageStat

from microworld.draw import PLACE_NAMES, THING_NAMES, draw
from microworld.world.rules import world

ALONE = 0.6
SMALL = 32


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two pictures, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def thing(name: str, size: int = 96) -> Image.Image:
    return draw("garage", [(name, 0.5, 0.5, ALONE)], variant=1, size=size)


def test_everything_the_world_names_can_be_drawn_and_nothing_else() -> None:
    assert set(THING_NAMES) == set(world().every_thing)
    assert set(PLACE_NAMES) == set(world().places)


@pytest.mark.parametrize("place", PLACE_NAMES)
def test_a_picture_depends_on_its_arguments_alone(place: str) -> None:
    things = [("dog", 0.3, 0.7, 0.3), ("key", 0.7, 0.4, 0.25)]
    one, two = draw(place, things, 7, 128), draw(place, things, 7, 128)
    assert one.tobytes() == two.tobytes()
    assert (one.mode, one.size) == ("RGB", (128, 128))
    assert draw(place, things, 8, 128).tobytes() != one.tobytes()


@pytest.mark.parametrize("name", THING_NAMES)
def test_a_thing_stays_in_its_box(name: str) -> None:
    x, y, side = 0.5, 0.5, 0.4
    empty, full = draw("office", [], 3, 120), draw("office", [(name, x, y, side)], 3, 120)
    changed = ImageChops.difference(empty, full).convert("L").point(lambda v: 255 * (v > 24))
    left, top, right, bottom = changed.getbbox() or (0, 0, 0, 0)
    assert left >= 120 * (x - side / 2) - 5
    assert right <= 120 * (x + side / 2) + 5
    assert top >= 120 * (y - side / 2) - 5
    assert bottom <= 120 * (y + side / 2) + 5
    assert ImageStat.Stat(changed).mean[0] > 255 * 0.16 * 0.15


@pytest.mark.parametrize("place", PLACE_NAMES)
def test_a_picture_is_the_same_at_any_size(place: str) -> None:
    things = [("bicycle", 0.4, 0.6, 0.4)]
    large, small = draw(place, things, 5, 448), draw(place, things, 5, 112)
    assert difference(large.resize((112, 112), Image.Resampling.BOX), small) < 4


def test_no_two_things_look_alike_even_when_small() -> None:
    pictures = {name: thing(name).resize((SMALL, SMALL), Image.Resampling.BOX) for name in THING_NAMES}
    closest = min((difference(pictures[a], pictures[b]), a, b) for a, b in combinations(THING_NAMES, 2))
    assert closest[0] > 6, closest


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError, match="unicorn"):
        draw("garden", [("unicorn", 0.5, 0.5, 0.3)], 1)
