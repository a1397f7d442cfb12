"""A run with records, rejects, calls and branches, for tests of pages and of what shows and joins runs."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from curating import a_run, record
from PIL import Image

from ssui_gen.branches import Branch, Cut, Judgement
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.calling.journal import CALLS, Journal
from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.exploring.explored import cut_id
from ssui_gen.jsonl import as_line
from ssui_gen.records import Reason, ReasoningPath, Record, Reject

HOSTILE = "</script><script>alert(1)</script> {{ 7*7 }} <img src=x onerror=alert(2)> \u202egnp.exe \x1b[31m"


def reject(seed: str, reason: Reason = Reason.IMAGE_NOT_SAFE, *calls: str, detail: str = "Flames.") -> Reject:
    return Reject(
        seed_id=seed, kind="risky", stage="check_image", reason=reason, detail=detail, made_by=calls
    )


def looked_at(folder: Path, paths: Iterable[ReasoningPath] = (), rejects: Iterable[Reject] = ()) -> Path:
    """A run of these, or of a dozen paths in two classes and three rejects; its journal knows their calls."""
    paths = list(paths) or [dozen(n) for n in range(12)]
    run = a_run(folder, paths)
    seeds = "".join(f'{{"id": "{seed}", "image": "a.png"}}\n' for seed in ("burnt-1", "burnt-2"))
    (run / "seeds" / "seeds.jsonl").write_text(seeds, "utf-8")
    manifest = '{"schema": 1, "seeds": {"source": "seeds/seeds.jsonl", "root": "seeds"}}'
    (run / "run.json").write_text(manifest, "utf-8")
    rejects = list(rejects) or [
        reject("burnt-1", Reason.IMAGE_NOT_SAFE, "c-query"),
        reject("burnt-2", Reason.NOT_RISKY_TOGETHER, detail=HOSTILE),
        reject("gone", Reason.IMAGE_MISSING),
    ]
    write(run / "rejects.jsonl", rejects)
    with closing(Journal(run / CALLS)) as journal:
        put(journal, "c-query", "query", '{"text": "Where may I nap?"}')
        for path in paths:
            for call in path.made_by:
                put(journal, call, "reasoning", "six steps")
    return run


def dozen(number: int) -> ReasoningPath:
    """Half of them risky; of two pictures, as half of them are twins."""
    kind = "risky" if number % 2 else "benign"
    texts = {"answer": HOSTILE} if number == 3 else {}
    return record(f"{number:04x}", kind, made_by=(f"call-{number}",), **texts)


def put(journal: Journal, id: str, agent: str, text: str, model: str = "micro") -> None:
    choice = Choice(text=text, finish_reason="stop")
    usage = Usage(prompt_tokens=100, completion_tokens=20, cached_tokens=40)
    journal.put(
        id, agent, {"model": model}, Completion(model=model, choices=(choice,), usage=usage, seconds=0.5)
    )


def write(file: Path, rows: Iterable[Record]) -> None:
    file.write_bytes(b"".join(map(as_line, rows)))


def explored(run: Path, paths: Iterable[ReasoningPath]) -> None:
    """A good, a bad and two unverified branches at the root and the second cut of each."""
    write(run / "branches.jsonl", (cut(path, number) for path in paths for number in (0, 2)))


def cut(path: ReasoningPath, number: int) -> Cut:
    prefix = prefix_at(path.steps, number)
    said = {"good": "A warning.", "bad": "Just do it.", "open": "Six steps, but", "again": "Perhaps."}
    branches = tuple(
        Branch(
            id=f"{path.id}-{number}-{name}",
            text=render_path(path.steps, words).removeprefix(prefix),
            finish="stop",
            judgement=Judgement(
                polarity=name if name in ("good", "bad") else "unverified",  # type: ignore[arg-type]
                probability=0.9 if name == "good" else 0.1,
            ),
        )
        for name, words in said.items()
    )
    return Cut(
        id=cut_id(path, number), path_id=path.id, kind=path.kind, cut=number, prefix=prefix,
        image=path.image, query=path.query.text, branches=branches, draws=4, made_by=(f"drew-{path.id}",),
    )  # fmt: skip


def big_picture(path: Path, colour: tuple[int, int, int] = (40, 90, 200)) -> None:
    """A photo's size, with something in it."""
    picture = Image.effect_noise((1200, 900), 90).convert("RGB")
    picture.paste(Image.new("RGB", (500, 300), colour), (300, 200))
    picture.save(path)
