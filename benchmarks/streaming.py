"""What stages that read all rows of a run take as it grows: seconds of CPU, and memory at most.

    .venv/bin/python benchmarks/streaming.py [--rows 1000 10000 100000] [--stages pairs curation ...]

Rows are invented and written as the product writes them; then each stage's own code does its work in a
process of its own: `pairs` pairs up so many branches (six cuts a path, two branches a cut), `export` writes
those pairs for another trainer, `curation` publishes so many paths and merges them with what a person said,
`bench` reports on so many responses and judgements (eight rows an item), `parquet` writes so many paths as
shards and reads them back. "Before" is what the process holds before it looks at a row. No model is asked.
Memory is read from /proc.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import ROOT, most_held

sys.path.insert(0, str(ROOT / "tests"))

CUTS, BRANCHES, QUESTIONS_EACH = 6, 2, 7
PICTURES = 64
HEAD = "| stage | rows | MB of rows | seconds of CPU | MB before | MB at most |"


def paths_of(folder: Path, count: int) -> Iterator[Any]:
    """So many paths of a few pictures, which are drawn."""
    from PIL import Image

    from ssui_gen.records import STEP_NAMES, ImageRef, Query, ReasoningPath, Step, Verdict, Verdicts

    refs = []
    (folder / "seeds").mkdir()
    for number in range(PICTURES):
        file = folder / "seeds" / f"{number}.png"
        Image.new("RGB", (16, 16), (4 * number, 9, 99)).save(file)
        sha = hashlib.sha256(file.read_bytes()).hexdigest()
        refs.append(ImageRef(path=file.name, sha256=sha, width=16, height=16))
    safe = Verdict(label="safe", probability=0.9, label_mass=0.99, evidence="plain to see")
    for number in range(count):
        query = Query(
            text=f"May I put number {number} here?", category="dangerous_behavior", scenario="It falls.",
            image_evidence="a narrow shelf", text_evidence="put here",
        )  # fmt: skip
        yield ReasoningPath(
            id=f"path{number}", seed_id=f"seed{number}", kind="risky", twin_of=None, query=query,
            image=refs[number % PICTURES], answer=f"Better lower down, number {number}.", reflection=(),
            verdicts=Verdicts(text_only=safe, image_only=safe, joint=safe), made_by=(f"call{number}",),
            steps=tuple(Step(name=n, text=f"What there is to say of it, {number}.") for n in STEP_NAMES),
        )  # fmt: skip


def write_paths(folder: Path, count: int) -> None:
    from ssui_gen.jsonl import as_line

    with (folder / "reasoning_paths.jsonl").open("wb") as file:
        file.writelines(map(as_line, paths_of(folder, count)))


def write_branches(folder: Path, count: int) -> None:
    """So many branches, with their paths."""
    from ssui_gen.branches import Branch, Cut, Judgement
    from ssui_gen.branching import prefix_at, render_path
    from ssui_gen.jsonl import as_line
    from ssui_gen.prompts import home, load_prompt

    with (
        (folder / "reasoning_paths.jsonl").open("wb") as paths,
        (folder / "branches.jsonl").open("wb") as rows,
    ):
        for path in paths_of(folder, max(1, count // (CUTS * BRANCHES))):
            paths.write(as_line(path))
            for cut in range(CUTS):
                prefix, made = prefix_at(path.steps, cut), []
                for which in range(BRANCHES):
                    end = render_path(path.steps, f"{'Lower' if which else 'Just'} there, {path.id}.")
                    said = Judgement(polarity="good" if which else "bad", probability=0.9 if which else 0.1)
                    name = f"{path.id}-{cut}-{which}"
                    text = end.removeprefix(prefix)
                    made.append(Branch(id=name, text=text, finish="stop", judgement=said))
                rows.write(as_line(Cut.of_path(path, cut, prefix, made, draws=BRANCHES)))
    prompt = load_prompt(home() / "prompts" / "policy.md")
    edition = {"prompts": {"policy": prompt.id}, "cards": {}, "models": {"policy": "invented"}}
    (folder / "pairs.json").write_text(json.dumps({"editions": [{"edition": edition}]}))


def write_bench(folder: Path, count: int) -> None:
    """So many responses and judgements, two items a scenario; each question is answered in two calls, and
    every tenth response is wrong in all.
    """
    from benching import item, picture

    from ssui_gen.benching.bench import write_bench as write
    from ssui_gen.benching.pieces import Sent, respond
    from ssui_gen.benching.records import BenchJudgement, Response
    from ssui_gen.branching import render_path
    from ssui_gen.jsonl import as_line
    from ssui_gen.judging.questions import QUESTIONS, RSBENCH
    from ssui_gen.records import STEP_NAMES, Step, row_id

    bench, items = folder / "bench", []
    for number in range(max(1, count // (2 * (1 + QUESTIONS_EACH)))):
        shown = picture(bench / "pictures", f"{number % PICTURES}.png", (number % PICTURES, 1, 2))
        for kind in ("risky", "benign"):
            items.append(item(f"{kind} {number}?", f"s{number}", shown, kind=kind))
    write(bench, "invented", bench / "pictures", items)
    model = bench / "model"
    model.mkdir()
    with (model / "responses.jsonl").open("wb") as said, (model / "judgements.jsonl").open("wb") as judged:
        for number, one in enumerate(items):
            steps = tuple(Step(name=n, text=f"What there is to say of it, {number}.") for n in STEP_NAMES)
            text = render_path(steps, f"Better lower down, number {number}.")
            row = Response(
                id=Response.id_of(one.id, "model", "six_steps", 0), item_id=one.id, protocol="six_steps",
                raw=text, finish="stop", model="model", made_by=(row_id(one.id),),
                usage={"prompt_tokens": 300, "completion_tokens": 120, "cached_tokens": 200},
                **respond(Sent(text), "six_steps")._asdict(),
            )  # fmt: skip
            said.write(as_line(row))
            for question in RSBENCH:
                options = QUESTIONS[question].options or ("none", "step 3", "answer")
                best = options[-1 if number % 10 == 0 else 0]
                id = BenchJudgement.id_of(row.id, question, "judge")
                judged.write(as_line(BenchJudgement(
                    id=id, response_id=row.id, item_id=one.id, question=question, rubric="r", judge="judge",
                    verdict=best, mass=0.99, gap=0.01, picked=(best, best), shown=row_id(id, "shown"),
                    shares={option: 0.9 if option == best else 0.1 / len(options) for option in options},
                    made_by=(row_id(id, "first"), row_id(id, "second")),
                )))  # fmt: skip


def pairs(run: Path) -> None:
    from ssui_gen.exploring.written import pair_up_again

    assert pair_up_again(run, run / "reasoning_paths.jsonl", run / "seeds", lambda _: None).made


def export(run: Path) -> None:
    from ssui_gen.stages.export import export

    export(run, run / "seeds", "trl")


def curation(run: Path) -> None:
    from ssui_gen.stages.curation import export

    for _ in range(2):  # the second merges what the person has said, which is nothing yet
        export(run, ["ana"], run / "seeds")


def bench(run: Path) -> None:
    from ssui_gen.benching.report import make_report

    make_report(run / "bench" / "model")


def parquet(run: Path) -> None:
    from ssui_gen.shards.folding import fold_rows, unfold_rows

    fold_rows(run, ["reasoning_paths.jsonl"], 50_000)
    (run / "reasoning_paths.jsonl").unlink()
    unfold_rows(run)


Stage = tuple[Callable[[Path, int], None], tuple[Callable[[Path], None], ...]]
STAGES: dict[str, Stage] = {
    "pairs": (write_branches, (pairs,)),
    "export": (write_branches, (pairs, export)),
    "curation": (write_paths, (curation,)),
    "bench": (write_bench, (bench,)),
    "parquet": (write_paths, (parquet,)),
}
"""Who writes the rows, and what is done with them: the last is measured."""
IMPORTS = {
    "pairs": ("ssui_gen.exploring.written",),
    "export": ("ssui_gen.stages.export",),
    "curation": ("ssui_gen.stages.curation",),
    "bench": ("ssui_gen.benching.report",),
    "parquet": ("ssui_gen.shards.folding", "pyarrow.parquet"),
}
"""What is there before memory is first looked at."""


def child(stage: str, run: Path) -> dict[str, float]:
    for name in IMPORTS[stage]:
        import_module(name)
    before, began = most_held(), time.process_time()
    STAGES[stage][1][-1](run)
    return {"seconds": time.process_time() - began, "before": before, "most": most_held()}


def line(stage: str, rows: int) -> str:
    """A stage on so many rows, as a line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        write, done = STAGES[stage]
        write(run, rows)
        size = sum(file.stat().st_size for file in run.rglob("*.jsonl"))
        for before in done[:-1]:
            before(run)
        told = [sys.executable, __file__, "--child", stage, str(run)]
        used = json.loads(subprocess.run(told, capture_output=True, text=True, check=True).stdout)
    return (
        f"| `{stage}` | {rows:,} | {size / 1e6:,.1f} | {used['seconds']:.1f} | {used['before'] / 1e6:,.0f} "
        f"| {used['most'] / 1e6:,.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--child", nargs=2, metavar=("STAGE", "RUN"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(args.child[0], Path(args.child[1]))))
        return
    print(f"{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
    for stage in args.stages:
        for rows in args.rows:
            print(line(stage, rows), flush=True)


if __name__ == "__main__":
    main()
