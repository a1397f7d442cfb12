"""Pictures of the microworld: a place, and things in their boxes. Deterministic and the same at any size."""

from microworld.draw.picture import PLACE_NAMES, THING_NAMES, draw

__all__ = ["PLACE_NAMES", "THING_NAMES", "draw"]
