"""A contact sheet of the microworld: `python -m microworld.draw.sheet OUT.png`.

24 held-out scenes, each above what a person might type under it; red marks a risky pair, green a harmless.
"""

import argparse
import textwrap
from itertools import islice
from pathlib import Path

from PIL import Image, ImageDraw

from microworld.draw.picture import draw
from microworld.world.scene import Item, items

COLUMNS, ROWS, SIDE, CAPTION = 6, 4, 300, 62
MARK = {"risky": (206, 60, 56), "benign": (70, 150, 84)}


def sheet(shown: list[Item]) -> Image.Image:
    """Rows of pictures with their texts below."""
    paper = Image.new("RGB", (COLUMNS * SIDE, ROWS * (SIDE + CAPTION)), (255, 255, 255))
    pen = ImageDraw.Draw(paper)
    for number, item in enumerate(shown):
        x, y = number % COLUMNS * SIDE, number // COLUMNS * (SIDE + CAPTION)
        placed = [(p.thing, p.x, p.y, p.size) for p in item.scene.placed]
        paper.paste(draw(item.scene.place, placed, item.scene.variant.clutter, SIDE - 8), (x + 4, y + 4))
        pen.rectangle((x + 4, y + SIDE - 2, x + SIDE - 5, y + SIDE), MARK[item.kind])
        pen.text((x + 8, y + SIDE + 4), textwrap.fill(item.text, 44), (50, 46, 60), font_size=13)
    return paper


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.draw.sheet", description=__doc__)
    parser.add_argument("out", type=Path, help="a .png")
    out: Path = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet(list(islice(items("test", 400, seed=4, risky_share=0.6), COLUMNS * ROWS))).save(out, optimize=True)


if __name__ == "__main__":
    main()
