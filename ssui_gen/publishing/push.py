"""A published folder → a repository of the Hugging Face hub, by its own client. Private by default.

Sent is what `published.json` lists, as it lists it, and that list; the client alone knows the token.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ssui_gen.errors import ConfigError
from ssui_gen.publishing.folder import LISTED, listed

RepoType = Literal["dataset", "model"]
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
OURS = re.compile(r"data/(?:paths|pairs|bench)/[^/]+\.parquet|prompts/(?:[^/]+/)?[^/]+\.(?:md|ya?ml)")
"""Of a former version in the repository, what goes when this one has it no more."""


class Sent(NamedTuple):
    """Where it is now, and whether only its owners see it."""

    url: str
    private: bool


def named(to: str) -> str:
    """Raises ConfigError for what is no repository's name."""
    if not _NAME.fullmatch(to) or ".." in to or "--" in to:
        raise ConfigError(f"--to: expected user/name, as the hub has it; got {to!r}")
    return to


def push(folder: Path, to: str, kind: RepoType, *, public: bool) -> Sent:
    """Send it. Raises ConfigError where the folder is not as listed, where a repository
    of that name is public and this is not to be, and with the hub's words where it refuses.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    names = [*listed(folder), LISTED]
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
    try:
        api.create_repo(to, repo_type=kind, private=not public, exist_ok=True)
        private = api.repo_info(to, repo_type=kind).private
        if not (public or private):
            raise ConfigError(
                f"{to}: is there already, and public: say so (--public), or name another; nothing sent"
            )
        before = set(api.list_repo_files(to, repo_type=kind))
        done = api.create_commit(
            to, _operations(folder, names, before), repo_type=kind, commit_message="Publish with ssui_gen"
        )
    except (HfHubHTTPError, LocalTokenNotFoundError, httpx.HTTPError, OSError, ValueError) as error:
        raise ConfigError(f"{to}: the hub took nothing: {' '.join(str(error).split())[:500]}") from None
    return Sent(str(done.repo_url), bool(private))


def _operations(folder: Path, names: list[str], before: set[str]) -> list[Any]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    gone = sorted(name for name in before - set(names) if OURS.fullmatch(name))
    adds = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(folder / name)) for name in names]
    return [*adds, *(CommitOperationDelete(path_in_repo=name) for name in gone)]


def url_of(to: str, kind: RepoType) -> str:
    """Where it will be found."""
    return f"https://huggingface.co/{'datasets/' if kind == 'dataset' else ''}{to}" if to else ""
