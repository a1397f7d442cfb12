"""A part of a larger job heeds what a person says to all parts, and tells how far it is.

Where a word comes from, and where what is told goes, the witness knows. One job's own socket is `ctl`'s; of
the two the later word holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ssui_gen.jobs.part import UNSAID, Witness, Word
from ssui_gen.jobs.progress import Progressing
from ssui_gen.jobs.runner import Stop

LOOK_SECONDS = 0.5
"""Between two looks at what has been heard."""


@asynccontextmanager
async def obeying(
    witness: Witness | None, progress: Progressing, stop: Stop, tell: Callable[[str], object]
) -> AsyncIterator[None]:
    """Heed the last word, and each that comes until the block ends. Without a witness nobody says any."""
    if witness is None:
        yield
        return
    ear = _Ear(witness, progress, stop, tell)
    ear.look()
    task = asyncio.create_task(ear.listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        witness.now(progress.facts())


class _Ear:
    def __init__(
        self, witness: Witness, progress: Progressing, stop: Stop, tell: Callable[[str], object]
    ) -> None:
        self._witness, self._progress, self._stop, self._tell = witness, progress, stop, tell
        self._heard = UNSAID

    async def listen(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Once. Behind a closed gate what is in flight could not end: a job that stops is not paused."""
        word, before = self._witness.word, self._heard
        if word != before and not self._stop.asked:
            self._heard = word
            self._pace(word, before)  # first: a job that goes on keeps it from its first call
            self._pause(word)
        self._witness.now(self._progress.facts())

    def _pause(self, word: Word) -> None:
        gate = self._progress.steering.gate
        if word.paused and not gate.paused:
            gate.pause()
            self._tell("Paused, as all shards are: no call begins until `ssui ctl ... resume`.")
        elif gate.paused and not word.paused:
            gate.resume()
            self._tell("Going on, as all shards do.")

    def _pace(self, word: Word, before: Word) -> None:
        steering = self._progress.steering
        if word.places:
            places = min(word.places, steering.most_allowed)
            steering.hold(places)
            self._tell(f"Held at {places} calls at once, as all shards are.")
        elif before.places:
            steering.let_go()
            self._tell("Steered by the servers' load again, as all shards are.")
