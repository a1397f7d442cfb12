"""What a person sees of a training: a bar with its ETA, or lines; log.jsonl; curves.png. Decides nothing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback

from ssui_gen.files import atomic_write, open_own

LOG, CURVES = "log.jsonl", "curves.png"
PLAIN_LINE_SECONDS = 10.0
PANELS = (
    ("likelihood", ("loss", "nll", "pair_loss")),
    ("log-probability a token", ("logps/chosen", "logps/rejected")),
    ("margin", ("margin",)),
    ("pairs in the right order", ("accuracy",)),
)
"""Of curves.png: title, and figures in it; those of watched examples are drawn as dots."""

Row = dict[str, Any]


class Show(TrainerCallback):  # type: ignore[misc]
    """On the main process alone."""

    def __init__(self, folder: Path, console: Console) -> None:
        self.folder, self.console = folder, console
        self.bar = Progress(
            TextColumn("steps"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
            TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self.task = self.bar.add_task("")
        self.began = self.said = time.monotonic()
        self.first = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """After a resume the rows since the checkpoint are trained, and written, again."""
        self.first, self.began = state.global_step, time.monotonic()
        self._rewrite(state)
        self.bar.update(self.task, total=state.max_steps, completed=state.global_step)
        self.bar.start()

    def on_log(self, args: Any, state: Any, control: Any, logs: Row | None = None, **kwargs: Any) -> None:
        if state.is_world_process_zero and state.log_history:
            with os.fdopen(open_own(self.folder / LOG, os.O_WRONLY | os.O_APPEND), "a") as file:
                file.write(json.dumps(state.log_history[-1]) + "\n")
        if logs and "loss" in logs:
            self._tell(state, logs)

    def _tell(self, state: Any, logs: Row) -> None:
        """One line of figures."""
        names = {"loss": "loss", "nll": "nll", "margin": "margin", "accuracy": "right"}
        figures = ", ".join(f"{short} {logs[name]:.3f}" for name, short in names.items() if name in logs)
        self.bar.update(self.task, completed=state.global_step, description=figures)
        due = time.monotonic() - self.said > PLAIN_LINE_SECONDS or state.global_step == state.max_steps
        if not self.console.is_terminal and due:
            self.said = time.monotonic()
            line = f"step {state.global_step} of {state.max_steps} | {figures} | {self._speed(state, logs)}"
            self.console.print(line, highlight=False, soft_wrap=True)

    def _speed(self, state: Any, logs: Row) -> str:
        done = max(1, state.global_step - self.first)
        left = (state.max_steps - state.global_step) * (time.monotonic() - self.began) / done
        return f"{logs.get('tokens_per_second', 0):,.0f} tokens/s, ETA {left // 60:.0f}:{left % 60:02.0f}"

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            draw(state.log_history, self.folder / CURVES)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.bar.stop()

    def _rewrite(self, state: Any) -> None:
        atomic_write(self.folder / LOG, "".join(json.dumps(row) + "\n" for row in state.log_history))


def draw(history: list[Row], path: Path) -> None:
    """The curves of a training, a panel for each of PANELS."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(4 * len(PANELS), 3.4), layout="constrained")
    for axis, (title, names) in zip(axes, PANELS, strict=True):
        for number, name in enumerate(names):
            colour = f"C{number}"
            axis.plot(*_points(history, name), color=colour, linewidth=1.2, label=name)
            axis.plot(
                *_points(history, f"eval_{name}"), "o", color=colour, markersize=4, markerfacecolor="white"
            )
        axis.set(title=title, xlabel="step")
        axis.grid(alpha=0.25)
        axis.legend(fontsize="small", frameon=False)
    figure.suptitle("lines: trained examples; dots: watched examples", fontsize="small", y=-0.03)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def _points(history: list[Row], name: str) -> tuple[list[int], list[float]]:
    rows = {row["step"]: row[name] for row in history if name in row}
    return sorted(rows), [rows[step] for step in sorted(rows)]
