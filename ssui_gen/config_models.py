"""The settings of models: which served model plays a role, and how its server wants to be asked."""

from __future__ import annotations

from pydantic import field_validator, model_validator

from ssui_gen.config_spending import Prices
from ssui_gen.dialect import PLAIN, Dialect, presets
from ssui_gen.settings import secret


class ModelRole(Dialect):
    """Which served model plays a role, and what its server wants otherwise."""

    like: str | None = None
    """Another role whose model plays this one too; then nothing else may be said here."""
    name: str | None = None
    """As the server lists it; the only one it serves when absent."""
    base_urls: tuple[str, ...] = ()
    """Replicas, each ending in `/v1`; empty: vLLM is started for a named model, else the embedded server."""
    adapter: str | None = None
    """Folder of a LoRA adapter; with it the role is played, and its folder's name is the model's."""
    api_key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; local servers need none."""
    preset: str | None = None
    """A dialect of `presets.yaml`; what else is said here goes over it."""

    prices: Prices = Prices()

    @field_validator("preset")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in presets():
            raise ValueError(f"no such preset (there are: {', '.join(presets())})")
        return name

    @field_validator("base_urls")
    @classmethod
    def _hold_no_password(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if any("@" in url.partition("://")[2].partition("/")[0] for url in urls):
            raise secret("an address without a password, and the variable that holds the key (api_key_env)")
        return urls

    @model_validator(mode="after")
    def _like_stands_alone(self) -> ModelRole:
        if self.like and self.model_dump(exclude_defaults=True).keys() != {"like"}:
            raise ValueError(
                "a role that is like another has nothing of its own: name, base_urls, dialect ..."
            )
        return self

    @property
    def dialect(self) -> Dialect:
        """The preset's, changed by what is said here."""
        return self.over(presets()[self.preset] if self.preset else PLAIN)
