"""The models a server offers, each loaded when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from microworld.serving.protocol import Refusal, stopping
from ssui_gen.errors import SsuiError

if TYPE_CHECKING:
    from microworld.serving.engine import Engine


class Models:
    """Folders of checkpoints and of adapters by name. torch comes with the first model asked for: the server
    is up at once.
    """

    def __init__(self, folders: Mapping[str, Path], threads: int) -> None:
        self._folders = folders
        self._threads = threads
        self._engines: dict[str, Engine] = {}
        self._loading = threading.Lock()
        self._stopping = False

    @property
    def names(self) -> list[str]:
        return list(self._folders)

    def engine(self, name: str) -> Engine:
        """Loads the model if it is not; raises Refusal (404) for a name that is not served, or cannot be."""
        if name not in self._folders:
            served = ", ".join(self.names)
            raise Refusal(f"no model {name!r} here (served: {served})", status=404, code="model_not_found")
        with self._loading:
            if name not in self._engines:
                self._engines[name] = self._loaded(name)
            if self._stopping:
                raise stopping()
            return self._engines[name]

    def _loaded(self, name: str) -> Engine:
        from microworld.serving.engine import Engine

        try:
            return Engine(self._folders[name], self._threads)
        except SsuiError as error:
            raise Refusal(f"no model {name!r} here: {error}", status=404, code="model_not_found") from None

    def stop(self) -> None:
        """Refuse what is under way; does not wait, so that a signal handler may call it."""
        self._stopping = True
        for engine in list(self._engines.values()):
            engine.stop()

    def close(self) -> None:
        """Stop, and wait until all has stopped."""
        for engine in self._engines.values():
            engine.close()
