"""Who is measured and who judges, as roles of the settings; which weights an adapter's name stands for."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ssui_gen.config import Config
from ssui_gen.config_models import ModelRole

WEIGHTS = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")


def with_roles(config: Config, judge: str | None, adapter: Path | None) -> Config:
    """The settings with a judge of this name (`NAME` or `NAME@URL`), and an adapter beside the policy."""
    models = dict(config.models)
    if adapter:
        policy = models[config.player("policy")]
        models["adapter"] = policy.model_copy(update={"adapter": str(adapter)})
    if judge:
        models["judge"] = _named(models[config.player("judge")], judge)
    return config.model_copy(update={"models": models})


def _named(role: ModelRole, told: str) -> ModelRole:
    name, at, url = told.rpartition("@http")
    urls = (f"http{url.rstrip('/')}",) if at else role.base_urls
    return role.model_copy(update={"name": name if at else told, "base_urls": urls, "adapter": None})


def weights_of(folder: str) -> str:
    """Hash of an adapter: one that is trained anew is another model, whatever it is called."""
    found = hashlib.sha256()
    for name in WEIGHTS:
        path = Path(folder) / name
        if path.is_file():
            with path.open("rb") as file:
                found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()
