"""Lets a torchvision that was built for CUDA be imported beside a CPU build of torch.

Its compiled part does not load there, and its import stops at the first operator that it then lacks. vLLM
wants only its transforms, which are plain Python: so those operators are declared, and never called.
`install_vllm.py` puts this file where every start of that environment imports it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

OPERATORS = ("nms", "qnms")


class _Finder:
    """Finds torchvision as everyone does, and declares the operators before its code runs."""

    busy = False
    library: Any = None

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != "torchvision" or self.busy:
            return None
        self.busy = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.busy = False
        if spec and spec.loader:
            run = spec.loader.exec_module
            spec.loader.exec_module = lambda module: self.load(module, run)  # type: ignore[method-assign]
        return spec

    def load(self, module: ModuleType, run: Callable[[ModuleType], None]) -> None:
        import torch

        self.library = torch.library.Library("torchvision", "DEF")
        for operator in OPERATORS:
            self.library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        run(module)


sys.meta_path.insert(0, _Finder())
