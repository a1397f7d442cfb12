"""The commands of docs/tutorial.md, all of them in their order, as a newcomer types them in the checkout; the
world knows whether the pairs that they make are right.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jobs import rows

from microworld.label_branches import label

ROOT = Path(__file__).parent.parent
RUN = ROOT / "outputs" / "first"
COMMANDS = re.findall(r"```sh\n(.*?)\n```", (ROOT / "docs" / "tutorial.md").read_text("utf-8"), re.DOTALL)
LEAVES = {
    "make dataset": "reasoning_paths.jsonl",
    "make curation": "curation/you.jsonl",
    "make pairs": "pairs.html",
    "make train": "adapter/measured.json",
    "make bench": "bench/bench.json",
}
"""What there is after a command."""

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh() -> Iterator[None]:
    """No run of that name before, none after; somebody's own is kept."""
    if RUN.exists():
        pytest.skip(f"{RUN} is there: somebody follows the tutorial")
    yield
    shutil.rmtree(RUN, ignore_errors=True)


@pytest.mark.usefixtures("fresh")
def test_the_tutorial_works_as_it_is_written() -> None:
    assert len(COMMANDS) == 6
    for command in COMMANDS:
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
        for begins, left in LEAVES.items():
            assert not command.startswith(begins) or (RUN / left).exists(), (command, left)
    assert list(RUN.glob("bench/*/report.html"))
    edition = json.loads((RUN / "pairs.json").read_text())["editions"][0]["edition"]
    assert edition["models"] == {"policy": "micro-policy", "judge": "micro-judge"}
    counts = label(RUN, RUN / "seeds")
    assert counts["good"] > 0 and counts["bad"] > 0
    known = {row["branch_id"]: row["good"] for row in rows(RUN / "labels.jsonl")}
    made = [pair for pair in rows(RUN / "pairs.jsonl") if pair["chosen_id"] in known]
    right = [known[pair["chosen_id"]] and not known[pair["rejected_id"]] for pair in made]
    assert len(right) >= 5 and sum(right) / len(right) > 0.8
