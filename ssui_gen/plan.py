"""What a job is to do, settled before the first call: settings, cards, prompts, seeds, folder.

Raises ConfigError or PromptError for anything wrong; asks no server and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ssui_gen.config import Card, Config, load_cards, load_config, parse
from ssui_gen.errors import ConfigError
from ssui_gen.prompts import Prompt, blob_id, load_prompts
from ssui_gen.rundir import Edition


@dataclass(frozen=True)
class Plan:
    """One job, fully resolved except for the served models' names."""

    run: Path
    seeds: Path | None
    """None means the drawn scenes of the microworld."""
    limit: int | None
    """Only the first so many seeds."""
    mix: bool
    """Go on although prompts, cards or models have changed."""
    config: Config
    config_file: Path
    home: Path
    """The folder that holds `agents/` and `prompts/`."""
    cards: dict[str, Card]
    prompts: dict[str, Prompt]

    def edition(self, models: Mapping[str, str]) -> Edition:
        """What the rows will be made with; `models` is role → served name."""
        files = {name: self.home / "agents" / f"{name}.yaml" for name in self.cards}
        return Edition(
            prompts={name: self.prompts[card.prompt].id for name, card in self.cards.items()},
            cards={name: blob_id(file.read_bytes())[:8] for name, file in files.items()},
            models=dict(models),
        )

    @property
    def sources(self) -> dict[str, Path]:
        """What is kept word for word beside the rows."""
        return {name: self.home / name for name in ("agents", "prompts")} | {"run.yaml": self.config_file}


def home() -> Path:
    """Where cards and prompts are: the checkout, or the copy inside an installed package."""
    package = Path(__file__).parent
    return package.parent if (package.parent / "agents").is_dir() else package / "share"


def resolve(
    *,
    run: Path,
    seeds: Path | None,
    limit: int | None,
    mix: bool,
    config_file: Path,
    model: str | None,
    base_url: str | None,
) -> Plan:
    """Read everything a job needs; `model` and `base_url` (commas between replicas) win over the file."""
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit: expected a number from 1; got {limit}")
    config = configure(config_file, model, base_url)
    cards = load_cards(home() / "agents", config.models)
    prompts = load_prompts(home() / "prompts")
    for name, card in cards.items():
        if card.prompt not in prompts:
            raise ConfigError(
                f"agents/{name}.yaml: prompt: no prompts/{card.prompt}.md "
                f"(there are: {', '.join(sorted(prompts))})"
            )
    return Plan(run, seeds, limit, mix, config, config_file, home(), cards, prompts)


def configure(config_file: Path, model: str | None, base_url: str | None) -> Config:
    """The settings of a file, with the command line's model and server for the role that plays the agents."""
    config = load_config(config_file)
    if not model and not base_url:
        return config
    data = config.model_dump()
    role = data["models"].setdefault("vlm", {})
    if model:
        role["name"] = model
    if base_url:
        role["base_urls"] = [_url(part.strip()) for part in base_url.split(",") if part.strip()]
    return parse(Config, data, str(config_file))


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ConfigError(f"--base-url: expected http://HOST:PORT/v1; got {text!r}")
    return text.rstrip("/")
