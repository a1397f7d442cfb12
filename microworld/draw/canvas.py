"""A sheet to paint on, and the pen that paints one object inside a square box of it.

Every measure a pen takes is a share of its box, so a drawing is the same at any size. A thing is painted
twice: a first pass lays its silhouette, grown by RIM, in ink; the second lays the colours. What the objects
look like is not here.
"""

import itertools

from PIL import Image, ImageDraw

from microworld.draw.palette import INK, Colour
from microworld.draw.shapes import Outline, Point, arc, grown, ribbon, smooth_loop, smooth_path

RIM = 0.016


class Pen:
    def __init__(
        self,
        solid: ImageDraw.ImageDraw,
        clear: ImageDraw.ImageDraw,
        box: tuple[float, float, float],
        flip: bool = False,
        rim: float = 0.0,
    ) -> None:
        """`box` is left, top and side in pixels."""
        self._solid, self._clear = solid, clear
        self._box, self._flip, self._rim = box, flip, rim
        left, self._top, self._side = box
        self._left, self._across = (left + self._side, -self._side) if flip else (left, self._side)

    def part(self, x: float, y: float, side: float, flip: bool = False) -> "Pen":
        """A pen for the smaller square whose upper left corner is x, y."""
        corner = self._left + self._across * (x + side if self._flip else x)
        box = (corner, self._top + y * self._side, side * self._side)
        return Pen(self._solid, self._clear, box, flip != self._flip, self._rim)

    def inked(self) -> "Pen":
        return Pen(self._solid, self._clear, self._box, self._flip, RIM)

    def poly(self, colour: Colour, *points: Point) -> None:
        self._fill(colour, grown(points, self._rim) if self._rim else points)

    def blob(self, colour: Colour, *points: Point) -> None:
        """A closed smooth shape through the points."""
        self.poly(colour, *smooth_loop(points))

    def line(self, colour: Colour, width: float, *points: Point) -> None:
        for pair in itertools.pairwise(points):
            self._fill(colour, ribbon(pair, width + 2 * self._rim))

    def curve(self, colour: Colour, width: float, *points: Point) -> None:
        """A smooth open stroke through the points."""
        self._fill(colour, ribbon(smooth_path(points), width + 2 * self._rim))

    def arc(
        self,
        colour: Colour,
        width: float,
        cx: float,
        cy: float,
        r: float,
        start: float,
        end: float,
        ry: float | None = None,
    ) -> None:
        self._fill(colour, ribbon(arc(cx, cy, r, ry or r, start, end), width + 2 * self._rim))

    def pie(
        self,
        colour: Colour,
        cx: float,
        cy: float,
        r: float,
        start: float,
        end: float,
        ry: float | None = None,
    ) -> None:
        """The area between an arc and its chord; a half turn gives a half disc."""
        self.poly(colour, *arc(cx, cy, r, ry or r, start, end))

    def box(self, colour: Colour, x0: float, y0: float, x1: float, y1: float, r: float = 0.0) -> None:
        if self._hidden(colour):
            return
        draw, ink, spot = self._paint(colour), self._tone(colour), self._span(x0, y0, x1, y1)
        if r:
            draw.rounded_rectangle(spot, (r + self._rim) * self._side, ink)
        else:
            draw.rectangle(spot, ink)

    def disc(self, colour: Colour, cx: float, cy: float, r: float, ry: float | None = None) -> None:
        if not self._hidden(colour):
            spot = self._span(cx - r, cy - (ry or r), cx + r, cy + (ry or r))
            self._paint(colour).ellipse(spot, self._tone(colour))

    def ring(self, colour: Colour, width: float, cx: float, cy: float, r: float) -> None:
        """A circle line whose outer radius is r."""
        thick = max(1, round((width + 2 * self._rim) * self._side))
        self._solid.ellipse(self._span(cx - r, cy - r, cx + r, cy + r), None, self._tone(colour), thick)

    def shadow(self, cx: float = 0.5, y: float = 0.93, r: float = 0.42) -> None:
        """Soft shade on the ground, laid before anything else of the thing."""
        if self._rim:
            for share, alpha in ((1.0, 26), (0.82, 34), (0.62, 40)):
                spot = self._span(cx - r * share, y - 0.06 * share, cx + r * share, y + 0.06 * share)
                self._clear.ellipse(spot, (40, 30, 60, alpha))

    def _hidden(self, colour: Colour) -> bool:
        return bool(self._rim) and len(colour) == 4

    def _tone(self, colour: Colour) -> Colour:
        return INK if self._rim else colour

    def _paint(self, colour: Colour) -> ImageDraw.ImageDraw:
        return self._clear if len(colour) == 4 else self._solid

    def _fill(self, colour: Colour, outline: Outline) -> None:
        if not self._hidden(colour):
            left, top, across, side = self._left, self._top, self._across, self._side
            spots = [(left + across * x, top + side * y) for x, y in outline]
            self._paint(colour).polygon(spots, self._tone(colour))

    def _span(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """Pixels of a rectangle, at least one pixel each way, its far edge not included."""
        rim = self._rim
        a, b = self._left + self._across * (x0 - rim), self._left + self._across * (x1 + rim)
        left, right = round(min(a, b)), round(max(a, b)) - 1
        top, bottom = (
            round(self._top + self._side * (y0 - rim)),
            round(self._top + self._side * (y1 + rim)) - 1,
        )
        return left, top, max(left, right), max(top, bottom)


class Sheet:
    def __init__(self, pixels: int) -> None:
        self.image = Image.new("RGB", (pixels, pixels))
        self._solid, self._clear = ImageDraw.Draw(self.image), ImageDraw.Draw(self.image, "RGBA")

    def pen(self, left: float, top: float, side: float, flip: bool = False) -> Pen:
        """A pen for the square with this corner and side, as shares of the sheet."""
        pixels = self.image.width
        return Pen(self._solid, self._clear, (left * pixels, top * pixels, side * pixels), flip)

    def reduced(self, factor: int) -> Image.Image:
        return self.image.reduce(factor) if factor > 1 else self.image
