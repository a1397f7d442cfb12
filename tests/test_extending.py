"""docs/extending.md, followed: each recipe's diff on a copy of the checkout, and its addition used there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
RECIPES = {
    title: "".join(re.findall(r"^```diff\n(.*?)^```$", body, re.DOTALL | re.MULTILINE))
    for title, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
}
NEEDED = ("ssui_gen", "train", "agents", "prompts", "tests/*.py")
MOST_PLACES = 3

USES = {
    "An agent": """
import asyncio, sys
from pathlib import Path
from crew import PIXEL, REF, agent, caller
from fake_server import serve
from ssui_gen.agent import Origin
from ssui_gen.calling.pictures import Picture, Shown
from ssui_gen.jobs.plan import AGENTS

async def ask(url):
    async with caller(url, Path(sys.argv[1])) as calls:
        shown = Shown((Picture(REF, 1280, lambda sending: PIXEL),))
        return await agent("critic", calls).ask(Origin("item", 0, 0), shown, text="How?", answer="So.")

assert AGENTS["critic"] == "CriticReply", AGENTS
with serve() as fake:
    replies = [{"lack": "The reason.", "label": "safe"}, {"lack": "The reason.", "label": "useful"}]
    fake.answers = {"critic": lambda body: replies.pop(0)}
    said = asyncio.run(ask(fake.url))
    assert type(said.reply).__name__ == "CriticReply" and said.reply.label == "useful", said
    assert fake.calls == 2
    assert fake.requests[0]["response_format"]["json_schema"]["name"] == "CriticReply"
""",
    "A way of F": """
import asyncio
from test_verify import path
from ssui_gen.config import Config, Verify
from ssui_gen.settings import parse
from ssui_gen.verifying.verify import Case
from ssui_gen.verifying.ways import ways

settings = parse(Config, {"verify": {"by": ["answered"]}}, "run.yaml").verify
(way,) = ways(settings.by, None, settings, {}, None).values()
for text, polarity in (("Answer: Dry it first.", "good"), ("3. Synthesis: it is wet.", "bad")):
    said = asyncio.run(way(Case(path(), 2, text, "stop")))
    assert said.polarity == polarity, (text, said)
""",
    "A loss": """
import torch
from test_loss import layout
from ssui_train.loss import USUAL, Spans, objective

wanted = USUAL["cpo_simpo"]
totals = torch.tensor([-2.0, -3.0, -3.0], requires_grad=True)
def terms():
    return objective(wanted, Spans(totals, torch.tensor([2, 3, 3])), layout(1))
before = terms()
before.loss.backward()
with torch.no_grad():
    totals -= 0.1 * totals.grad
after = terms()
assert after.loss < before.loss and after.margin > before.margin == -wanted.gamma, (before, after)
""",
    "A class of risk": """
from ssui_gen.examples import load_examples
from ssui_gen.prompts import home, load_prompts
from ssui_gen.replies import QueryReply
from ssui_gen.taxonomy import class_ids, classes

reply = dict(image_evidence="a", text="b", text_evidence="c", category="money_loss", scenario="d")
assert QueryReply(**reply).category == "money_loss" and class_ids()[-2:] == ("money_loss", "none")
pool = load_examples(home() / "prompts" / "examples.yaml")
assert any(one.query.category == "money_loss" for one in pool)
assert "money_loss" in "".join(load_prompts(home() / "prompts")["query"].render(
    kind="risky", text="", advice="", classes=classes(), language="English", examples=()))
""",
    "A format of seeds": """
import sys
from pathlib import Path
from ssui_gen.seeds import read_seeds

source = Path(sys.argv[1]) / "seeds.yaml"
source.write_text("- {id: one, image: a.png, text: How}\\n- 3\\n")
good, bad = read_seeds(source, lambda _: True, Path(sys.argv[1]))
assert (good.id, good.text) == ("one", "How") and bad.reason == "seed_invalid", (good, bad)
""",
    "A benchmark": """
import sys
from pathlib import Path
from benches import picture, read, written

folder = Path(sys.argv[1])
picture(folder / "a.png")
row = {"id": "1", "photo": "a.png", "question": "How?", "danger": "It is wet."}
written(folder / "rows.json", [row, row | {"id": "2", "photo": "none.png"}])
(item,), refused = read("homebench", folder)
assert (item.text, item.danger) == ("How?", "It is wet.") and [one.row for one in refused] == ["2"], refused
""",
    "An exporter of pairs": """
from test_exporters import PAIR
from ssui_gen.stages.export import EXPORTERS

row = EXPORTERS["plain"](PAIR, ["a.png"])
assert row["question"] == "How?" and row["images"] == ["a.png"], row
assert row["better"].endswith("Careful.") and row["worse"].endswith("Go."), row
""",
    "A layout of imported rows": """
import json, sys
from pathlib import Path
from benches import picture
from imported import bring, read, reasons

folder = Path(sys.argv[1])
picture(folder / "a.png")
rows = [{"photo": "a.png", "question": "How?"}, {"photo": "a.png"}]
(folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\\n" for row in rows))
ended = bring("asked", folder / "rows.jsonl", folder / "made")
assert [row["text"] for row in read(folder / "made" / "seeds.jsonl")] == ["How?"], ended
assert reasons(folder / "made") == [("rows.jsonl:2", "row_invalid")]
""",
}


def test_each_recipe_has_a_use_and_touches_few_places() -> None:
    assert set(RECIPES) == set(USES)
    for title, diff in RECIPES.items():
        known = re.findall(r"^--- a/(.+)$", diff, re.MULTILINE)
        assert 1 <= len(known) <= MOST_PLACES, f"{title}: {known}"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files", "-z", *NEEDED], cwd=ROOT, check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / "microworld").symlink_to(ROOT / "microworld")
    return copy


def outcome(copy: Path, use: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What became of a use in a process that sees the copy alone."""
    places = os.pathsep.join(map(str, (copy, copy / "train", copy / "tests")))
    env = {**os.environ, "PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", use, str(folder)], cwd=folder, env=env, capture_output=True, text=True
    )


def patched(copy: Path, diff: str, *options: str) -> None:
    """Raises CalledProcessError where the diff does not fit the files."""
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)}
    subprocess.run(["git", "apply", *options, "-"], cwd=copy, input=diff, text=True, env=env, check=True)


@pytest.mark.parametrize("title", USES)
def test_a_recipe_works_as_written(title: str, checkout: Path, tmp_path: Path) -> None:
    patched(checkout, RECIPES[title])
    try:
        with_it = outcome(checkout, USES[title], tmp_path)
    finally:
        patched(checkout, RECIPES[title], "-R")
    assert with_it.returncode == 0, with_it.stderr
