"""The trainer's former name, for what imports `train.X` in a checkout: each module is that of `ssui_train`.

An installation has no module of this name: any project's own `train.py` would shadow it.
"""

import pkgutil
import sys
from importlib import import_module

import ssui_train

COMMANDS = frozenset({"merge", "overfit", "srpo", "sweep"})
"""Run by `python -m`, so they are found where they lie."""
__path__ = ssui_train.__path__
for _found in pkgutil.iter_modules(ssui_train.__path__):
    if _found.name not in COMMANDS:
        _module = import_module(f"ssui_train.{_found.name}")
        sys.modules[f"{__name__}.{_found.name}"] = globals()[_found.name] = _module
