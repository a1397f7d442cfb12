"""What inspect_ai finds of us, by the entry point in pyproject.toml: a task, its solver and its scorer."""

from ssui_gen.inspecting.scoring import clustered_stderr, judged
from ssui_gen.inspecting.task import asked, rsbench

__all__ = ["asked", "clustered_stderr", "judged", "rsbench"]
