"""What a kept figure was made of, so that it is served again only for the same: files by their bytes, code by
all the sources that it reaches. Runs none of them.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ssui_gen.errors import ConfigError

MADE_OF = "made_of"
"""The key of a kept file under which that stands."""
OURS = frozenset({"ssui_gen", "microworld", "ssui_train"})
LIBRARIES = ("torch", "transformers", "peft")
"""Of what is foreign, what decides what a model says."""


def kept(path: Path, made_of: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a JSON file holds, if it was made of just this; else None, and it must be made anew."""
    if not path.exists():
        return None
    found: Any = None
    with suppress(ValueError, RecursionError):  # cut off or of another make: it is made anew
        found = json.loads(path.read_text("utf-8"))
    same = isinstance(found, dict) and found.get(MADE_OF) == json.loads(json.dumps(made_of))
    return found if same else None


def as_kept(found: Mapping[str, Any], made_of: Mapping[str, Any]) -> str:
    """The text of such a file."""
    return json.dumps({MADE_OF: made_of, **found}, indent=1) + "\n"


def files(paths: Iterable[Path]) -> str:
    """sha256 of files with their names; a missing one raises OSError."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def code(module: str) -> dict[str, Any]:
    """Name and sha256 of a module with all that it imports, directly or not, of its own package and of ours,
    and the YAML files beside those; with the versions of `LIBRARIES`. Raises ConfigError if it is not found.
    """
    reached = dict(_reached(module))
    if module not in reached:
        raise ConfigError(f"{module}: no such module: expected one that `python -m {module}` runs from here")
    digest = hashlib.sha256()
    for name, path in sorted(reached.items()):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    yaml = files({path for source in reached.values() for path in source.parent.glob("*.yaml")})
    digest.update(yaml.encode())
    return {"module": module, "sha256": digest.hexdigest(), "libraries": dict(_versions())}


def _reached(module: str) -> Iterator[tuple[str, Path]]:
    """Modules and their sources."""
    inside, todo, seen = OURS | {module.partition(".")[0]}, [module], set[str]()
    while todo:
        name = todo.pop()
        if name in seen or name.partition(".")[0] not in inside:
            continue
        seen.add(name)
        if source := _source(name):
            yield name, source
            todo += [name.rpartition(".")[0], *_imports(name, source)]


def _source(name: str) -> Path | None:
    """Where a module's source lies; None of what is no module, such as a function. Imports nothing."""
    top, *rest = name.split(".")
    spec = find_spec(top)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    if not rest:
        return path
    inner = path.parent.joinpath(*rest)
    return next((one for one in (inner.with_suffix(".py"), inner / "__init__.py") if one.is_file()), None)


def _imports(name: str, source: Path) -> Iterator[str]:
    """Full names of all that a module imports, inside functions too, and of what may be modules in those."""
    package = name if source.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _versions() -> Iterator[tuple[str, str]]:
    for library in LIBRARIES:
        try:
            yield library, version(library)
        except PackageNotFoundError:
            yield library, "not installed"
