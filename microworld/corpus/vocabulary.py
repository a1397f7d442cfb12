"""The texts from which the tokenizer learns its words: the training corpus itself."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from microworld.corpus.dialogues import Dialogue, dialogue
from microworld.corpus.policy import policy
from microworld.draw.pool import scene_at
from microworld.world.rules import world

DIALOGUES = 6000


def corpus_texts() -> Iterator[str]:
    """Dialogues of all kinds, and every sentence of the rules so that no word of theirs is rare."""
    rng = Random("vocabulary")
    for index in range(DIALOGUES):
        scene = scene_at("train", index)
        yield _text(dialogue(rng, scene))
        if not scene.alarm and index % 3 == 0:
            yield _text(policy(rng, scene))
    for rule in world().rules * 3:
        harm = rule.harm[0].upper() + rule.harm[1:]
        yield f" {rule.harm}. {rule.mechanism} {rule.safer}.\n{harm}. Better {rule.safer}.\n"
    for request in world().requests.values():
        yield from (f" {text}\n" for text in (*request.phrases, request.help, request.needs) * 3)


def _text(found: Dialogue) -> str:
    return f"{found.agent}\n{found.user}\n{found.target}"
