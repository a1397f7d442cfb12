"""How visual questions are asked, and what is fixed before anybody looks."""

from __future__ import annotations

import json

from ssui_gen.benching.vqa.reading import NAME
from ssui_gen.config import Config
from ssui_gen.config_vqa import Vqa
from ssui_gen.errors import ConfigError
from ssui_gen.manifest import Edition
from ssui_gen.settings import parse


def as_questions(config: Config) -> Config:
    """The settings of a run of visual questions: asked by their own protocol, and no judge is. Raises
    ConfigError where they are to be scored by another's rules.
    """
    if "official" not in config.bench.score:
        raise ConfigError(f"bench: score: {NAME} is scored by official; got {', '.join(config.bench.score)}")
    asked = config.bench.model_copy(update={"protocol": config.vqa.protocol, "score": ("official",)})
    return config.model_copy(update={"bench": asked})


def fixed(settings: Vqa) -> dict[str, str]:
    """What of an edition is special to them: rows of another margin are of another make."""
    return {NAME: settings.model_dump_json()}


def settings_of(edition: Edition | None) -> Vqa:
    """What `fixed` wrote; of rows that another program made the defaults. Raises ConfigError."""
    told = edition.cards.get(NAME) if edition else None
    return parse(Vqa, json.loads(told), NAME) if told else Vqa()
