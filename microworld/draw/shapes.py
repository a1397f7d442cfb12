"""Outlines in unit coordinates: smooth curves, ribbons, sectors, and outlines grown outwards.

Pure geometry, cached because the same few hundred outlines are drawn in every picture. No colours, no pixels.
"""

import itertools
from functools import lru_cache
from math import atan2, cos, hypot, pi, radians, sin

Point = tuple[float, float]
Outline = tuple[Point, ...]

STEPS = 6


def _spline(a: Point, b: Point, c: Point, d: Point) -> list[Point]:
    """Catmull-Rom from b towards c, without c itself."""
    return [_blend(a, b, c, d, step / STEPS) for step in range(STEPS)]


def _blend(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    t2, t3 = t * t, t * t * t
    weights = (-t + 2 * t2 - t3, 2 - 5 * t2 + 3 * t3, t + 4 * t2 - 3 * t3, t3 - t2)
    x, y = (sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) / 2 for axis in (0, 1))
    return x, y


@lru_cache(maxsize=2048)
def smooth_loop(points: Outline) -> Outline:
    n = len(points)
    return tuple(
        p
        for i in range(n)
        for p in _spline(points[i - 1], points[i], points[(i + 1) % n], points[(i + 2) % n])
    )


@lru_cache(maxsize=2048)
def smooth_path(points: Outline) -> Outline:
    padded = (points[0], *points, points[-1])
    inner = [p for i in range(len(points) - 1) for p in _spline(*padded[i : i + 4])]
    return (*inner, points[-1])


@lru_cache(maxsize=2048)
def arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float) -> Outline:
    """Degrees clockwise from three o'clock, as in Pillow."""
    steps = max(4, round(abs(end - start) / 12))
    angles = [radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return tuple((cx + rx * cos(a), cy + ry * sin(a)) for a in angles)


def _cap(centre: Point, heading: float, radius: float) -> list[Point]:
    turns = [heading - pi / 2 + pi * i / 6 for i in range(7)]
    return [(centre[0] + radius * cos(a), centre[1] + radius * sin(a)) for a in turns]


@lru_cache(maxsize=8192)
def ribbon(path: Outline, width: float) -> Outline:
    """A round-ended band of `width` along `path`; bends must be gentler than the width."""
    half = width / 2
    headings = [atan2(b[1] - a[1], b[0] - a[0]) for a, b in itertools.pairwise(path)]
    left: list[Point] = []
    right: list[Point] = []
    for (x, y), a, b in zip(path[1:-1], headings, headings[1:], strict=False):
        nx, ny = -sin(a) - sin(b), cos(a) + cos(b)
        scale = half / (hypot(nx, ny) or 1.0)
        left.append((x - nx * scale, y - ny * scale))
        right.append((x + nx * scale, y + ny * scale))
    return (*left, *_cap(path[-1], headings[-1], half), *right[::-1], *_cap(path[0], headings[0] + pi, half))


@lru_cache(maxsize=8192)
def grown(outline: Outline, by: float) -> Outline:
    """The outline moved outwards by `by`, with corners mitred up to 1.8 times that."""
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(outline, (*outline[1:], outline[0]), strict=True))
    side = by if area > 0 else -by
    n = len(outline)
    return tuple(_pushed(outline[i - 1], outline[i], outline[(i + 1) % n], side) for i in range(n))


def _pushed(before: Point, at: Point, after: Point, by: float) -> Point:
    a = atan2(at[1] - before[1], at[0] - before[0])
    b = atan2(after[1] - at[1], after[0] - at[0])
    turn = (b - a + pi) % (2 * pi) - pi
    reach = by * min(1.8, 1 / max(0.2, cos(turn / 2)))
    normal = a + turn / 2 - pi / 2
    return at[0] + reach * cos(normal), at[1] + reach * sin(normal)
