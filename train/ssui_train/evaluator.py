"""Programs of ours that are run apart, an evaluator of adapters above all: `python -m EVALUATOR ADAPTER`.

Training knows of what measures an adapter its name alone.
"""

from __future__ import annotations

import subprocess
import sys

from ssui_gen.errors import TrainError


def run_apart(module: str, *words: str) -> None:
    """Run a module to its end; raises TrainError if that was not well."""
    command = [sys.executable, "-m", module, *words]
    if code := subprocess.run(command, check=False).returncode:
        raise TrainError(f"{' '.join(command[1:])}: ended with {code}; mend it and try the same again")
