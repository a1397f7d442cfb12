"""The card of a published RSBench: what it holds, of what it was made, what was held out, and the proof.

Words only, in the form that huggingface.co/docs/hub/datasets-cards reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ssui_gen import __version__
from ssui_gen.benching.proof import Compared
from ssui_gen.benching.publishing import Imprint, NotPublished, counted, untwinned
from ssui_gen.benching.records import Item
from ssui_gen.config import Leaks
from ssui_gen.licences import OTHER, terms_of
from ssui_gen.publishing.templates import Sure, code, front_matter, inert

MADE_WITH = f"ssui_gen {__version__}"


class Facts(NamedTuple):
    """What the card tells beside the items."""

    imprint: Imprint
    sha: str
    """Of bench.jsonl."""
    curated: bool
    toy: bool
    holdout: str
    """How it was told what is held out: a share of the scenarios, or the name of a file."""
    held_out: int
    scenarios: int
    """Held out, and of the whole run."""
    compared: tuple[Compared, ...]
    rejects: tuple[NotPublished, ...]


def card(items: Sequence[Item], facts: Facts) -> str:
    """README.md."""
    imprint = facts.imprint
    lines = [
        _head(imprint),
        "",
        f"# {inert(imprint.name)}, version {inert(imprint.version)}",
        "",
        f"Pictures and texts that are each safe alone, and some dangerous together. Made with {MADE_WITH}.",
        "Each item says which danger must be seen, and how a careful assistant thinks and answers. Benign",
        "twins share a side with a risky item: whoever refuses them has not looked.",
        "",
        *_table(("what", "value"), _what(items, facts)),
        "",
        "## Classes",
        "",
        *_table(("class", "risky items"), _classes(items)),
        "",
        "## Held out, and not trained on",
        "",
        f"{facts.held_out} of the run's {facts.scenarios} scenarios are held out{_how(facts.holdout)}. What",
        "these trainings have read, or are to read, was held against every item:",
        "",
        *_table(("run", "by", "paths", "without their picture", "found"), map(_proof, facts.compared)),
        "",
        *_how_compared(Leaks()),
        "",
        "## Not published",
        "",
        *_left_out(facts.rejects),
        "",
        "## Not for training",
        "",
        "It measures only what was not learnt by heart: do not train on it. Leave this line, and the field",
        f"`canary` of the rows, in every copy: `RSBench canary GUID {imprint.canary}`",
        "",
    ]
    return "\n".join(lines)


def _head(imprint: Imprint) -> str:
    terms = terms_of(imprint.licence)
    said = {
        "license": terms.hub,
        **({"license_name": terms.name, "license_link": "README.md"} if terms.hub == OTHER else {}),
        "language": [imprint.language],
        "tags": ["safety", "vision-language", "benchmark", "rsbench"],
        "configs": [{"config_name": "default", "data_files": "bench.jsonl"}],
    }
    return front_matter(said)


def _what(items: Sequence[Item], facts: Facts) -> list[tuple[object, ...]]:
    kinds = Counter(item.kind for item in items)
    changed = Counter(item.twin.changed for item in items if item.twin)
    seen = "curated by people" if facts.curated else Sure("**not curated**: no person has seen them")
    return [
        ("scenarios", len({item.scenario_id for item in items})),
        ("risky items", kinds["risky"]),
        (
            "benign items",
            f"{kinds['benign']} (another text {changed['text']}, another picture {changed['image']})",
        ),
        ("risky items without a benign twin", untwinned(items)),
        ("paths", seen),
        (
            "made",
            "by a toy model, of which nothing follows for real pictures" if facts.toy else "by served models",
        ),
        ("each side found safe alone", f"{len(items)} of {len(items)}, by {facts.imprint.checked_by}"),
        ("licence", facts.imprint.licence),
        ("sha256 of bench.jsonl", code(facts.sha)),
    ]


def _how(holdout: str) -> str:
    if Path(holdout).is_file():
        return ", by a list of names"
    return "" if float(holdout) == 1 else f", a share of {float(holdout):g} by a hash of each"


def _classes(items: Iterable[Item]) -> list[tuple[object, ...]]:
    return list(Counter(item.category for item in items if item.kind == "risky").most_common())


def _proof(one: Compared) -> tuple[object, ...]:
    return one.run, ", ".join(one.by) or "nothing trained yet", one.paths, one.unseen, len(one.leaks)


def _how_compared(settings: Leaks) -> list[str]:
    return [
        f"Pictures are the same by their bytes, or if at most {settings.picture_bits} of 255 bits of their",
        f"perceptual hashes differ; texts if {settings.text_likeness:g} % of their letters are the same.",
        "A crop or a paraphrase is not found.",
    ]


def _left_out(rejects: Iterable[NotPublished]) -> list[str]:
    counts = counted(rejects)
    return _table(("reason", "paths"), counts.items()) if counts else ["Nothing was left out."]


def _table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]


def _cell(value: object) -> str:
    return str(inert(value))
