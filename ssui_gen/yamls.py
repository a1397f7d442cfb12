"""The one door to YAML: what people write by hand, read strictly, every fault told by line and column.

Stricter than YAML 1.1 where that loses words: a key that stands twice is a fault, a date is a text. Bounded
in depth and in what anchors grow to, so that a small file is small work. Which keys there are is `settings`'.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ssui_gen.errors import ConfigError

MOST_CHARACTERS = 1_000_000
MOST_DEPTH = 40
MOST_NODES = 100_000
"""Values, those counted again that an anchor repeats."""
_ODD = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What PyYAML's own constructors raise for a value that is none of its tag's."""


class NotYaml(ConfigError):
    """A text that is not the YAML we read: `line` and `column` count from 1."""

    def __init__(self, where: str, line: int, column: int, says: str) -> None:
        super().__init__(f"{where}:{line}:{column}: not YAML: {says}")
        self.line, self.column, self.says = line, column, says


class _Loader(yaml.SafeLoader):
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise _wrong(f"deeper than {MOST_DEPTH} levels", self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except _ODD:
            kind, got = node.tag.rpartition(":")[2], str(node.value)[:60]
            raise _wrong(f"expected a value of the kind {kind!r}; got {got!r}", node.start_mark) from None

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise _wrong(f"the key {key.value[:80]!r} stands twice; keep one", key.start_mark)
            seen.add(key.value)
        return node


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in those if not tag.endswith(":timestamp")]
    for first, those in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str, where: str) -> Any:
    """The value of a text; None for an empty one. Raises NotYaml, whose message begins with `where`."""
    if len(text) > MOST_CHARACTERS:
        raise NotYaml(where, 1, 1, f"{len(text):,} characters; at most {MOST_CHARACTERS:,}")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        says = " ".join(part for part in (error.context, error.problem) if part)
        raise NotYaml(where, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, says) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        column = error.position - (text.rfind("\n", 0, error.position) + 1)
        says = f"the character {chr(error.character)!r} cannot stand in YAML"
        raise NotYaml(where, line + 1, column + 1, says) from None


def read(path: Path) -> Any:
    """The value of a file; {} for an empty one. Raises ConfigError: NotYaml, or why it could not be read."""
    try:
        return load(path.read_text("utf-8"), str(path)) or {}
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: byte {error.start + 1}; save it as UTF-8") from None
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{str(path)[:200]!r}: could not be read: {why}; expected a file") from None


def dump(value: Any) -> str:
    """A value as a text that `load` reads back as the same; keys in the order they have."""
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def _check_size(node: yaml.Node) -> None:
    """Refuse what would grow past MOST_NODES, and an anchor that holds itself."""
    if _size(node, {}) > MOST_NODES:
        raise _wrong(f"more than {MOST_NODES:,} values once its anchors are written out", node.start_mark)


def _size(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many values a node is, each repeated anchor counted as often as it stands."""
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise _wrong("an anchor that holds itself", node.start_mark)
        return size
    known[id(node)] = None
    known[id(node)] = size = 1 + sum(_size(part, known) for part in _parts(node))
    return size


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _wrong(problem: str, mark: yaml.Mark | None) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=mark)
