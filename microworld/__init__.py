"""The microworld: drawn everyday scenes with known truth, and the micro model that grows up in it."""
