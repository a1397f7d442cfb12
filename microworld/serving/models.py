"""The models a server offers, each loaded when first asked for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from microworld.serving.protocol import Refusal, stopping

if TYPE_CHECKING:
    from microworld.serving.engine import Engine


class Models:
    """Checkpoint folders by name. torch comes with the first model asked for: the server is up at once."""

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
        """Loads the model if it is not; raises Refusal (404) for a name that is not served."""
        if name not in self._folders:
            served = ", ".join(self.names)
            raise Refusal(f"no model {name!r} here (served: {served})", status=404, code="model_not_found")
        with self._loading:
            if name not in self._engines:
                from microworld.serving.engine import Engine

                self._engines[name] = Engine(self._folders[name], self._threads)
            if self._stopping:
                raise stopping()
            return self._engines[name]

    def stop(self) -> None:
        """Refuse what is under way; does not wait, so that a signal handler may call it."""
        self._stopping = True
        for engine in list(self._engines.values()):
            engine.stop()

    def close(self) -> None:
        """Stop, and wait until all has stopped."""
        for engine in self._engines.values():
            engine.close()
