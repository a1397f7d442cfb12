"""A record, or a reject, as a person reads it in a terminal: what was asked, steps, verdicts, calls. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ssui_gen.branching import title
from ssui_gen.calling.journal import Call
from ssui_gen.records import ReasoningPath, Reject
from ssui_gen.showing.page import checks

INDENT = (0, 0, 0, 2)


def of_record(path: ReasoningPath) -> Group:
    """What was asked, the six steps, the answer, the verdicts, the rounds of reflection."""
    return Group(*_record(path))


def _record(path: ReasoningPath) -> Iterator[RenderableType]:
    yield Text(path.query.text, style="bold")
    yield Text(f"{path.kind}, {path.query.category}: {path.query.scenario}")
    yield Text(f"record {path.id} of seed {path.seed_id}", style="dim")
    if path.twin_of:
        yield Text(f"its twin: {path.twin_of} (it may have been rejected)", style="dim")
    if path.curation:
        yield Text(f"{path.curation.settled} by {', '.join(path.curation.by)}", style="dim")
    yield Text()
    for number, step in enumerate(path.steps, 1):
        yield Text.assemble((f"{number}. {title(step.name)}: ", "cyan"), step.text)
    yield Text.assemble(("Answer: ", "bold cyan"), path.answer)
    yield Text()
    for name, found, wanted in checks(path):
        right = found.label == wanted
        sure = "" if found.probability is None else f" P {found.probability:.4f}"
        yield Text.assemble(
            (f"{'✓' if right else '✕'} {name}: {found.label}", "green" if right else "red"), f"{sure}. ",
            (found.evidence, "dim"),
        )  # fmt: skip
    for number, said in enumerate(path.reflection, 1):
        advice = f": {said.advice}" if said.decision != "accept" else ""
        yield Text(f"reflection, round {number}: {said.decision}{advice}", style="dim")


def of_reject(row: Reject) -> Group:
    """Where it was dropped, and why."""
    return Group(
        Text(f"rejected: {row.reason}, at {row.stage}", style="bold red"),
        Text(f"{row.kind or 'the seed itself'}, seed {row.seed_id}"),
        Padding(Text(row.detail), INDENT),
    )


def of_calls(made_by: Sequence[str], known: Mapping[str, Call]) -> Table | Text:
    """Each call with its model, tokens and seconds; those that the journal lacks are said to lack."""
    if not made_by:
        return Text("No call is noted.", style="dim")
    table = Table(box=None, pad_edge=False, title="calls", title_justify="left", title_style="dim")
    for name in ("agent", "model", "call"):
        table.add_column(name)
    for name in ("read", "cached", "written", "seconds", "tries"):
        table.add_column(name, justify="right")
    for id in made_by:
        table.add_row(*(_call(known[id]) if id in known else ("not in the journal", "", id[:12])))
    found = [known[id].completion for id in made_by if id in known]
    table.add_section()
    read = sum(one.usage.prompt_tokens for one in found)
    cached = sum(one.usage.cached_tokens or 0 for one in found)
    written = sum(one.usage.completion_tokens for one in found)
    seconds = sum(one.seconds for one in found)
    sums = (f"{read:,}", f"{cached:,}", f"{written:,}", f"{seconds:.1f}")
    table.add_row("all", "", f"{len(found)}", *sums, "")
    return table


def _call(call: Call) -> tuple[str, ...]:
    done, usage = call.completion, call.completion.usage
    cached = "?" if usage.cached_tokens is None else f"{usage.cached_tokens:,}"
    counts = (f"{usage.prompt_tokens:,}", cached, f"{usage.completion_tokens:,}")
    return (call.agent, done.model, call.id[:12], *counts, f"{done.seconds:.1f}", str(done.attempts))
