"""Prompt files: load, identify, render. The only importer of jinja2.

A prompt is one Markdown file with front matter (`version`, `note`) and two Jinja blocks, `system` and
`user`. Its identity is the git blob id of the file, so `git show <id>` opens the exact text later. Every
prompt knows `longest`, the characters that a line, a text and an answer of our records may have, and the
filter `reply`, which writes a record as a model is to write it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ssui_gen import yamls
from ssui_gen.errors import PromptError
from ssui_gen.lengths import LONGEST_ANSWER, LONGEST_LINE, LONGEST_TEXT
from ssui_gen.marks import as_words
from ssui_gen.shipped import shipped
from ssui_gen.taxonomy import TAXONOMY, classes


def _shown(value: Any) -> Any:
    """What a prompt shows of a value: in a text marks of chat templates are words."""
    return as_words(value) if isinstance(value, str) else value


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, finalize=_shown
)
_ENVIRONMENT.globals["longest"] = {"line": LONGEST_LINE, "text": LONGEST_TEXT, "answer": LONGEST_ANSWER}
_ENVIRONMENT.filters["reply"] = lambda reply: reply.model_dump_json(by_alias=True)
_BLOCKS = ("system", "user")
_NOT_RENDERED = (jinja2.TemplateRuntimeError, TypeError, ValueError, ArithmeticError, RecursionError)
"""What a prompt raises that asks for what is not there, or for more than a prompt may do (the sandbox)."""


@dataclass(frozen=True)
class Prompt:
    """One prompt file, ready to be rendered."""

    name: str
    version: int
    note: str
    blob: str
    """Git blob id (SHA-1) of the file."""
    body: str

    @property
    def id(self) -> str:
        """For example `reasoning@2:669a4de5`."""
        return f"{self.name}@{self.version}:{self.blob[:8]}"

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names the prompt expects."""
        return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(self.body)))

    @cached_property
    def _template(self) -> jinja2.Template:
        return _ENVIRONMENT.from_string(self.body)

    def render(self, **values: Any) -> tuple[str, str]:
        """The system and the user text; raises PromptError for a variable that is missing."""
        try:
            context = self._template.new_context(values)
            system, user = ("".join(self._template.blocks[b](context)).strip() for b in _BLOCKS)
        except _NOT_RENDERED as error:
            raise PromptError(
                f"prompts/{self.name}.md: {error}; the node passes: {', '.join(sorted(values))}"
            ) from None
        return system, user


def home() -> Path:
    """Where cards and prompts are: the checkout, or the copy inside an installed package."""
    return shipped(Path(__file__).parent, "agents").parent


def blob_id(source: bytes) -> str:
    """What `git hash-object` prints for a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(source) + source, usedforsecurity=False).hexdigest()


def rendered_files() -> dict[str, Path]:
    """The files that prompts show beside their own words, by name."""
    return {TAXONOMY.name: TAXONOMY}


def rendered() -> dict[str, str]:
    """Their git blob ids, as an edition has them."""
    return {name: blob_id(path.read_bytes())[:8] for name, path in rendered_files().items()}


def load_prompt(path: Path) -> Prompt:
    """Read one prompt file; raises PromptError that says what is wrong with it."""
    try:
        source = path.read_bytes()
        front, body = _split(source.decode("utf-8"))
        header = yamls.load(front, str(path))
        prompt = Prompt(path.stem, int(header["version"]), str(header["note"]), blob_id(source), body)
        missing = [b for b in _BLOCKS if b not in prompt._template.blocks]
    except FileNotFoundError:
        raise PromptError(f"{path}: no such prompt") from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, yamls.NotYaml) as error:
        raise PromptError(f"{path}: expected front matter with version and note; got {error}") from None
    except jinja2.TemplateSyntaxError as error:
        raise PromptError(f"{path}: line {error.lineno} of the body: {error.message}") from None
    if missing:
        raise PromptError(f"{path}: expected the blocks system and user; no block {', '.join(missing)}")
    return prompt


def load_prompts(folder: Path) -> dict[str, Prompt]:
    """Every prompt of a folder, by name."""
    return {path.stem: load_prompt(path) for path in sorted(folder.glob("*.md"))}


def policy_prompt(prompt: Prompt, text: str) -> tuple[str, str]:
    """What a policy is told and asked, the same wherever it is explored, trained and measured."""
    return prompt.render(text=text, classes=classes())


def _split(text: str) -> tuple[str, str]:
    """Front matter and body; raises ValueError without the two `---` lines."""
    opening, front, body = text.split("---\n", 2)
    if opening.strip():
        raise ValueError(f"text before the first '---': {opening[:40]!r}")
    return front, body
