"""Another family on a real vLLM: Pixtral's, whose own template forgets the system text; and how vLLM reads
the templates that are ours.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from published import published
from real_vllm import ROOT

from ssui_gen.calling.client import ChatClient
from ssui_gen.config_serve import Serve
from ssui_gen.dialect import PLAIN
from ssui_gen.serving.chat_templates import FOLDER
from ssui_gen.serving.vllm import VllmServers
from ssui_gen.serving.vllm_launch import find_python, plan

pytestmark = pytest.mark.vllm
sys.path.append(str(ROOT / "benchmarks"))
FORMATS = (
    "import json, sys; from vllm.renderers.hf import _detect_content_format as seen;"
    "print(json.dumps({file: seen(open(file).read(), default='string') for file in sys.argv[1:]}))"
)


def test_vllm_hands_our_templates_the_parts_of_a_message() -> None:
    """And not one string, into which it would write a picture's mark by itself."""
    files = sorted(map(str, FOLDER.iterdir()))
    done = subprocess.run([find_python(), "-c", FORMATS, *files], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == dict.fromkeys(files, "openai")


def test_pixtrals_policy_goes_on_under_our_template_and_its_agents_answer(
    drawn_seeds: Path, tmp_path: Path
) -> None:
    """Without a word of the user's: `plan` knows the kind by the model's config."""
    from families_asking import agents, policy, probed
    from families_models import save

    model = save("llava_pixtral", tmp_path / "model")
    (model / "chat_template.jinja").write_text(published("pixtral"))
    heard: list[str] = []

    async def ask() -> tuple[str, tuple[str, str]]:
        launches = plan(str(model), [], drawn_seeds.parent, Serve(), flags={}, notice=heard.append)
        log = tmp_path / "vllm.log"
        async with VllmServers(launches, log=log, start_seconds=600, notice=heard.append) as servers:
            client = ChatClient(servers.urls, api_key="", timeout_seconds=600, tries=2)
            subject = await probed(client, str(model), PLAIN, drawn_seeds)
            found = await agents(subject, drawn_seeds, tmp_path), await policy(subject, drawn_seeds, tmp_path)
            await client.aclose()
            return found

    read, (verdict, branches) = asyncio.run(ask())
    assert any("our chat template pixtral.jinja" in line for line in heard)
    assert read == "7 of 7"
    assert verdict == "yes, compared by text"
    assert branches == "2 a call from 6 of 6 cuts, with token ids from 6"
