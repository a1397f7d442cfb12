"""The parts of the embedded model server; `microworld.server` is its command."""
