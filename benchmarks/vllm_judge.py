"""How many prompt tokens seven questions about one response cost a real vLLM, by the order of the prompt.

    .venv/bin/python benchmarks/vllm_judge.py --responses 24 [--side 512]

Asks all questions in both orders of their options: with the material first and the rubric last, as RSBench
does, and with a prompt per question, whose system text holds its rubric. On vLLM's CPU build serving a model
shaped as the micro VLM, random, whose picture has as many tokens as real ones have, under a chat template
that drops nothing. Computed tokens are those looked up in the prefix cache and not found, by `/metrics`.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import ROOT
from judging import Layout, as_it_is, ask, materials, rubric_first
from transformers import AutoProcessor, LlavaForConditionalGeneration

from microworld.learning.model import PATCH, build_config, save
from ssui_gen.config import Config
from ssui_gen.jobs.served import Served, served
from ssui_gen.judging.questions import Material

MODEL = ROOT / "microworld" / "models" / "judge"
TEMPLATE = (
    "{%- for m in messages -%}{{ '<|start|>' + m.role + '\\n' }}"
    "{%- if m.content is string -%}{{ m.content }}{%- else -%}"
    "{%- for p in m.content -%}{{ p.text if p.type == 'text' else '<image>\\n' }}{%- endfor -%}{%- endif -%}"
    "{{ '<|end|>\\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|start|>assistant\\n' }}{%- endif -%}"
)
"""All messages as they are: the micro VLM's own keeps of a rubric only what is asked."""
LAYOUTS: dict[str, Layout] = {
    "a prompt per question, its rubric in the system text": rubric_first,
    "one system text, material first, rubric last": as_it_is,
}


def wordy(folder: Path, side: int) -> Path:
    """A random model under the template; (side / PATCH)² tokens a picture."""
    processor = AutoProcessor.from_pretrained(MODEL)
    config = build_config(processor.tokenizer)
    config.vision_config.image_size, config.image_seq_length = side, (side // PATCH) ** 2
    square = {"height": side, "width": side}
    processor.image_processor.size = processor.image_processor.crop_size = square
    processor.chat_template = processor.tokenizer.chat_template = TEMPLATE
    save(LlavaForConditionalGeneration(config), processor, folder)
    return folder


async def computed(found: Served, folder: Path, shown: Sequence[Material], layout: Layout) -> tuple[int, int]:
    """Prompt tokens that were sent, and those of them that were computed."""
    client = found.clients["judge"]
    (url, before), *_ = (await client.loads()).items()
    rate = await ask(url, found.names["judge"], folder, shown, layout)
    after = (await client.loads())[url]
    queries = after.counts.cache_queries - before.counts.cache_queries
    hits = after.counts.cache_hits - before.counts.cache_hits
    assert queries == rate.tally.prompt_tokens, (queries, rate.tally)
    return int(queries), int(queries - hits)


async def compare(folder: Path, count: int, side: int) -> None:
    """A row of the table for each layout."""
    model = wordy(folder / "judge", side)
    (folder / "pictures").mkdir()
    config = Config.model_validate({"models": {"judge": {"name": str(model)}}})
    shown = materials(folder / "pictures", count)
    costs = []
    print("| layout | prompt tokens a response | of these computed |\n| --- | --: | --: |")
    async with served(config, folder, ["judge"], folder, lambda line: None) as found:
        for name, layout in LAYOUTS.items():
            sent, cost = await computed(found, folder / "pictures", shown, layout)
            costs.append(cost)
            print(f"| {name} | {sent / count:,.0f} | {cost / count:,.0f} |", flush=True)
    picture = (side // PATCH) ** 2
    print(
        f"\n{costs[0] / costs[1]:.1f} times fewer computed; {count} responses, pictures of {picture} tokens"
    )


def main() -> None:
    """Both layouts on one server: they share no block, as they differ from the first words on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=int, default=24)
    parser.add_argument("--side", type=int, default=512, help="of a picture, in pixels; 16 to a token")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(Path(folder), args.responses, args.side))


if __name__ == "__main__":
    main()
