"""What each family of models can do here: agents, policy and probe, on a real vLLM, in one table.

    .venv/bin/python benchmarks/families.py [--only gemma3 pixtral] [--list]

For each tiny random model (`families_models.py`) one vLLM is started; its rows are asked under their chat
templates, sent with each request as vLLM allows (`--trust-request-chat-template`): as the family publishes it
(`tests/published.py`), and ours where there is one. Families that no tiny model stands for are asked on
Qwen3-VL's, with its mark for a picture. A row runs the seven agents, the check of the policy's prompts, two
branches from every cut, and the probe; what fails stands in it in the server's words. The table goes into
docs/families.md between its marks; with `--only`, other rows stay as they were.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench import ROOT
from families_asking import agents, policy, probed, said_of, short
from families_models import save
from published import MARK, published

from ssui_gen.calling.client import ChatClient
from ssui_gen.config_serve import Serve
from ssui_gen.demo import draw_seeds
from ssui_gen.dialect import Dialect
from ssui_gen.errors import SsuiError
from ssui_gen.serving.chat_templates import FOLDER
from ssui_gen.serving.vllm import VllmServers
from ssui_gen.serving.vllm_launch import find_python, plan

PAGE = ROOT / "docs" / "families.md"
BEGIN, END = "<!-- table: make families -->", "<!-- end -->"
HEAD = (
    "| family | chat template | tiny random model | agents read | policy goes on | branches | probe |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)
QWEN_MARK = "<|vision_start|><|image_pad|><|vision_end|>"
MARKS = (MARK, "<|image|>", "<start_of_image>")
"""What families that have no model of their own here write for a picture."""


class Row(NamedTuple):
    """One family under one template."""

    family: str
    model: str
    """The tiny model that is served."""
    template: str
    """A name of `published`, or a file of ours."""
    quiet: bool = False
    """Whether it is told `enable_thinking: false`."""

    @property
    def ours(self) -> bool:
        return self.template.endswith(".jinja")

    @property
    def said(self) -> str:
        """The template in words."""
        thoughts = ", `enable_thinking: false`" if self.quiet else ""
        return f"ours (`{self.template}`)" if self.ours else f"published{thoughts}"

    @property
    def text(self) -> str:
        text = (FOLDER / self.template).read_text("utf-8") if self.ours else published(self.template)
        if self.own:
            return text
        for mark in MARKS:
            text = text.replace(mark, QWEN_MARK)
        return text

    @property
    def dialect(self) -> Dialect:
        """What each request brings with it."""
        extra: dict[str, Any] = {"chat_template": self.text}
        extra |= {"chat_template_kwargs": {"enable_thinking": False}} if self.quiet else {}
        return Dialect(extra=extra)

    @property
    def own(self) -> bool:
        """Whether the model is of the family."""
        return self.model != "qwen3_vl" or self.family == "Qwen3-VL Instruct"


ROWS = (
    Row("Qwen2.5-VL, Qwen2-VL", "qwen2_5_vl", "qwen2_5_vl"),
    Row("Qwen3-VL Instruct", "qwen3_vl", "qwen3_vl"),
    Row("LLaVA-1.5, NeXT-Vicuna", "llava", "llava"),
    Row("LLaVA-NeXT-Mistral", "llava_next", "llava_next"),
    Row("InternVL3 (-hf)", "internvl", "internvl"),
    Row("Mistral-Small 3.1, 3.2", "mistral3", "mistral3"),
    Row("Pixtral-12B (-hf)", "llava_pixtral", "pixtral"),
    Row("Pixtral-12B (-hf)", "llava_pixtral", "pixtral.jinja"),
    Row("Gemma 3", "qwen3_vl", "gemma3"),
    Row("Gemma 3", "qwen3_vl", "gemma3.jinja"),
    Row("Gemma 4, first revisions", "qwen3_vl", "gemma4_v2"),
    Row("Gemma 4, newest, large", "qwen3_vl", "gemma4_31b"),
    Row("Gemma 4, large", "qwen3_vl", "gemma4.jinja"),
    Row("Gemma 4, E2B and E4B", "qwen3_vl", "gemma4_e.jinja"),
    Row("GLM-4.5V, 4.6V", "qwen3_vl", "glm4v"),
    Row("GLM-4.5V, 4.6V", "qwen3_vl", "glm4v", quiet=True),
    Row("GLM-4.5V, 4.6V", "qwen3_vl", "glm4v.jinja"),
    Row("Qwen3.5, 3.6", "qwen3_vl", "qwen3_5_think", quiet=True),
    Row("Qwen3.5, 3.6", "qwen3_vl", "qwen3_5.jinja"),
    Row("Qwen3.8", "qwen3_vl", "qwen3_8", quiet=True),
    Row("Qwen3.8", "qwen3_vl", "qwen3_8.jinja"),
    Row("Llama 4", "qwen3_vl", "llama4"),
    Row("Llama 3.2 Vision", "qwen3_vl", "llama3_2_vision"),
)


@asynccontextmanager
async def serving(kind: str, folder: Path, media: Path) -> AsyncIterator[tuple[ChatClient, str]]:
    """A vLLM with this tiny model, started as a stage starts one, and a client for it."""
    model = str(save(kind, folder / kind))
    flags = {"trust-request-chat-template": True, "chat-template": None}
    serve = Serve.model_validate({"flags": flags})
    launches = plan(model, [], media, serve, flags={}, notice=say)
    log, seconds = folder / f"{kind}.log", serve.start_seconds
    async with VllmServers(launches, log=log, start_seconds=seconds, notice=say) as servers:
        client = ChatClient(servers.urls, api_key="", timeout_seconds=600, tries=2)
        try:
            yield client, model
        finally:
            await client.aclose()


def say(line: str) -> None:
    print(f"  {line}", flush=True)


async def cells(row: Row, client: ChatClient, model: str, seeds: Path, folder: Path) -> list[str]:
    """What a line tells behind the model: asked as a run asks, once the probe has found on which terms."""
    try:
        subject = await probed(client, model, row.dialect, seeds)
        found = [await agents(subject, seeds, folder), *await policy(subject, seeds, folder)]
        return [*found, said_of(subject.features)]
    except SsuiError as error:
        return [short(str(error)), "–", "–", "–"]


async def measure(rows: Sequence[Row]) -> AsyncIterator[str]:
    """Lines, one vLLM after the other; a server that does not start is a line for each of its rows."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        seeds = draw_seeds(folder / "seeds", count=4)
        for kind in dict.fromkeys(row.model for row in rows):
            mine = [row for row in rows if row.model == kind]
            async with AsyncExitStack() as stack:
                try:
                    client, name = await stack.enter_async_context(serving(kind, folder, seeds.parent))
                except SsuiError as error:
                    for row in mine:
                        yield line(row, [f"vLLM does not start: {short(str(error))}", "–", "–", "–"])
                    continue
                for number, row in enumerate(mine):
                    say(f"{row.family}: {row.said}")
                    (here := folder / f"{kind}-{number}").mkdir()
                    yield line(row, await cells(row, client, name, seeds, here))


def line(row: Row, found: Sequence[str]) -> str:
    """A row of the table."""
    whole = [row.family, row.said, "its own kind" if row.own else "Qwen3-VL", *found]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in whole) + " |"


def merged(page: str, lines: Sequence[str], order: Sequence[tuple[str, str]]) -> str:
    """The page with these rows new and the others as they were, in the order of ROWS."""
    before, rest = page.split(BEGIN)
    table, after = rest.split(END)
    known = {_key(line): line for line in [*table.splitlines(), *lines] if line.startswith("| ")}
    kept = [known[key] for key in order if key in known]
    return f"{before}{BEGIN}\n{told()}\n\n" + "\n".join([*HEAD, *kept]) + f"\n{END}{after}"


def _key(line: str) -> tuple[str, str]:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
    return cells[1], cells[2]


def told() -> str:
    """With what it was measured."""
    ask = [find_python(), "-c", "import vllm; print(vllm.__version__)"]
    vllm = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()[-1]
    return f"vLLM {vllm}, CPU build; all weights random."


def chosen(only: Sequence[str]) -> Iterator[Row]:
    """Rows of which some word stands in family, model or template."""
    for row in ROWS:
        if not only or any(
            word.lower() in f"{row.family} {row.model} {row.template}".lower() for word in only
        ):
            yield row


async def run(rows: Sequence[Row]) -> None:
    """Each line is on the page as soon as it is known."""
    order = [(row.family, row.said) for row in ROWS]
    async for one in measure(rows):
        print(one, flush=True)
        PAGE.write_text(merged(PAGE.read_text("utf-8"), [one], order), "utf-8")


def main() -> None:
    """The rows that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=(), help="words of a family, a model or a template")
    parser.add_argument("--list", action="store_true", help="say which rows there are, and ask nothing")
    args = parser.parse_args()
    rows = list(chosen(args.only))
    if args.list:
        print("\n".join(f"{row.family}: {row.said} on {row.model}" for row in rows))
        return
    asyncio.run(run(rows))


if __name__ == "__main__":
    main()
