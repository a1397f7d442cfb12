"""The truth about a model's responses to RSBench of the microworld: every question answered by the world.

    python -m microworld.bench_truth FOLDER

FOLDER is the bench's, with truth.jsonl. For each FOLDER/<model>/responses.jsonl writes truth.jsonl beside it:
the rows that a judge would write, by a judge called `truth` that is never wrong. What was not said has no
verdict (`not_asked`), nor has what the world cannot tell (`undecided`).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from microworld.bench import TRUTH as KNOWN
from microworld.learning.adapters import base_of
from microworld.truth.options import Texts, true_option
from microworld.truth.steps import Truth
from microworld.world.rules import world
from ssui_gen import provenance
from ssui_gen.benching.asked import questions_of
from ssui_gen.benching.kept import RESPONSES, TRUTH, rows_in
from ssui_gen.benching.records import BenchJudgement, Response
from ssui_gen.errors import ConfigError, SsuiError
from ssui_gen.files import atomic_write
from ssui_gen.jsonl import as_line, read
from ssui_gen.judging.questions import RSBENCH
from ssui_gen.manifest import RUN, read_manifest

JUDGE = "truth"
CHECKPOINTS = Path(__file__).with_name("models")


def known(folder: Path) -> dict[str, Truth]:
    """By the item's id what is asked beside what, and what fires. Raises ConfigError where nobody knows."""
    found = {str(row["item_id"]): _truth(row) for row in (line.value for line in read(folder / KNOWN)) if row}
    if not found:
        raise ConfigError(
            f"{folder / KNOWN}: expected the truth about the items; only a bench that "
            "`python -m microworld.bench` drew has it"
        )
    return found


def _truth(row: Mapping[str, object]) -> Truth:
    request, shown = str(row["request"]), row.get("pictures", [row])
    things = [str(one["thing"]) for scene in shown for one in scene["things"]]  # type: ignore[attr-defined]
    things += [str(row["told"])] if "told" in row else []
    return Truth(request, things, world().rule_for(request, things))


def write(folder: Path, *, if_known: bool = False) -> Counter[str]:
    """The truth about all responses below `folder`, or only those of models that speak this world's words;
    how many verdicts there are of each model.
    """
    truths, edition, counts = known(folder), _edition(), Counter[str]()
    there = sorted(folder.glob(f"*/{RESPONSES}"))
    if not there:
        raise ConfigError(f"{folder}: no <model>/{RESPONSES} in it: nothing has been answered yet")
    for path in (path for path in there if not if_known or speaks(path.parent)):
        rows = [
            row
            for response in rows_in(path, Response)
            for row in judged(response, truths.get(response.item_id), edition)
        ]
        counts[path.parent.name] = sum(row.verdict is not None for row in rows)
        atomic_write(path.with_name(TRUTH), b"".join(map(as_line, rows)))
    return counts


def speaks(folder: Path) -> bool:
    """Whether the model of such a folder says what this world understands: its own, or an adapter of one."""
    names = [f"micro-{file.parent.name}" for file in CHECKPOINTS.glob("*/config.json")]
    return any(folder.name == name or folder.name.startswith(f"{name}-") for name in names) or _adapts(folder)


def _adapts(folder: Path) -> bool:
    """Whether these are the responses of an adapter of one of our checkpoints, as its manifest names it."""
    models = read_manifest(folder / RUN).settings.get("models", {})
    adapter = Path(models.get("adapter", {}).get("adapter") or "")
    if not folder.name.startswith(f"{adapter.name}-"):
        return False
    try:
        return base_of(adapter).resolve().parent == CHECKPOINTS.resolve()
    except SsuiError:
        return False


def judged(response: Response, truth: Truth | None, edition: str) -> Iterator[BenchJudgement]:
    """All questions about one response; `truth` None: of an item that this world does not know."""
    texts, asked = Texts(response.path.text or None, response.answer), questions_of(response)
    for question in RSBENCH:
        verdict = true_option(question, texts, truth) if truth and question in asked else None
        yield BenchJudgement(
            id=BenchJudgement.id_of(response.id, question, JUDGE),
            response_id=response.id,
            item_id=response.item_id,
            question=question,
            rubric=edition,
            judge=JUDGE,
            verdict=verdict,
            unscored=None if verdict else "undecided" if question in asked else "not_asked",
        )


def _edition() -> str:
    return f"{JUDGE}@{provenance.code('microworld.truth.options')['sha256'][:8]}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.bench_truth", description=__doc__)
    parser.add_argument("folder", type=Path, help="of the bench, for example outputs/demo/bench")
    args = parser.parse_args()
    try:
        counts = write(args.folder)
    except SsuiError as error:
        parser.error(str(error))
    print(", ".join(f"{model}: {count:,} verdicts" for model, count in counts.items()))


if __name__ == "__main__":
    main()
