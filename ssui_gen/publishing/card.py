"""README.md, LICENSE and CITATION.cff of a published run: what a stranger is to know. Words only."""

from __future__ import annotations

import re
from typing import Any

from ssui_gen import yamls
from ssui_gen.licences import OTHER
from ssui_gen.publishing.facts import PAPER, THIN, Facts, shown_model
from ssui_gen.publishing.rows import COLUMNS, WHAT
from ssui_gen.publishing.shards import DATA
from ssui_gen.publishing.splits import SPLITS
from ssui_gen.publishing.templates import Sure, front_matter, rendered
from ssui_gen.records import ReasoningPath
from ssui_gen.taxonomy import classes
from ssui_gen.terminal import harmless

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
USES = {
    "any": "commercial use too",
    "noncommercial": "**not for commercial use**",
    "forbidden": "not to be given away",
    "unknown": "read it before you use it",
}
_TEX = str.maketrans(
    {**dict.fromkeys("{}\\<>"), **{c: f"\\{c}" for c in "#$%&_"}, "`": "'", "~": " ", "^": " "}
)
"""What a text may not say in BibTeX, and how it says the rest."""
JUDGED_BY = {
    "label": "it names the path's class",
    "contains": "it holds the words of the reference",
    "mcq": "it names the reference's option",
    "judge": "a model that sees picture, question and reference calls it right",
    "first_bad_step": "a model finds no step wrong",
    "guard": "a guard model calls it safe",
}
"""What makes a branch a good one, by way of F (docs/pairs.md)."""
TAGS = ("safety", "vision-language", "cross-modal-safety", "reasoning", "ssui")


def card(facts: Facts, example: ReasoningPath | None) -> str:
    """README.md; `example` is one of the rows."""
    titles = {one.id: one for one in classes()}
    return rendered(
        "dataset.md",
        head=front_matter(head(facts)),
        facts=facts,
        about=facts.about,
        splits=[name for name in SPLITS if any(name in rows for rows in facts.rows.values())],
        columns={name: COLUMNS[name] for name in COLUMNS if name in facts.rows},
        what=WHAT,
        titles=titles,
        unmet=[name for name in titles if name not in facts.classes],
        few=THIN,
        ways=JUDGED_BY,
        example=example,
        bibtex=bibtex(facts),
        paper=PAPER,
        shown=shown_model,
        link=lambda terms: Sure(f" ([text]({terms.url}))" if terms.url else ""),
        use=lambda terms: Sure(USES[terms.use]),
    )


def head(facts: Facts) -> dict[str, Any]:
    """What the hub and `datasets` read of the card."""
    configs = [name for name in COLUMNS if name in facts.rows]
    return {
        **_licences(facts),
        "language": [facts.about.language],
        "pretty_name": facts.about.name,
        "task_categories": ["image-text-to-text"],
        "size_categories": [_size(sum(n for rows in facts.rows.values() for n in rows.values()))],
        "annotations_creators": ["machine-generated", *(["expert-generated"] if facts.settled else [])],
        "tags": [*TAGS, *(["synthetic"] if facts.toy else [])],
        "configs": [_config(facts, name, default=name == configs[0]) for name in configs],
        "dataset_info": [_info(facts, name) for name in configs],
    }


def _licences(facts: Facts) -> dict[str, Any]:
    """That of the texts, then those of pictures."""
    names = list(dict.fromkeys([facts.terms.hub, *(one.terms.hub for one in facts.pictures)]))
    found: dict[str, Any] = {"license": names[0] if len(names) == 1 else names}
    return found | ({"license_name": "see-license", "license_link": "LICENSE"} if OTHER in names else {})


def _size(rows: int) -> str:
    return next((name for most, name in SIZES if rows < most), "n>1M")


def _config(facts: Facts, name: str, *, default: bool) -> dict[str, Any]:
    files = [
        {"split": split, "path": f"{DATA}/{name}/{split}-*.parquet"}
        for split in SPLITS
        if split in facts.rows[name]
    ]
    return {"config_name": name, "data_files": files, **({"default": True} if default else {})}


def _info(facts: Facts, name: str) -> dict[str, Any]:
    """`datasets` holds what it reads against these counts; sizes are of rows in memory, and of files."""
    own = [one for one in facts.shards if one.config == name]
    splits = [
        {
            "name": split,
            "num_bytes": sum(one.held for one in own if one.split == split),
            "num_examples": facts.rows[name][split],
        }
        for split in SPLITS
        if split in facts.rows[name]
    ]
    sizes = {"download_size": sum(one.bytes for one in own), "dataset_size": sum(one.held for one in own)}
    return {"config_name": name, "splits": splits, **sizes}


def licence_file(facts: Facts) -> str:
    """LICENSE."""
    return rendered("LICENSE.txt", facts=facts, about=facts.about)


def citation_file(facts: Facts) -> str:
    """CITATION.cff."""
    about = facts.about
    names = [name.strip() for name in about.authors.split(";") if name.strip()]
    found = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it and the paper whose method made it.",
        "title": about.name,
        "type": "dataset",
        "version": about.version,
        "date-released": facts.date,
        "authors": [{"name": name} for name in names or [unnamed(about.name)]],
        **({"license": facts.terms.spdx} if facts.terms.spdx else {}),
        "references": [
            {"type": "article", "title": PAPER, "authors": [{"name": "Cai et al."}], "year": 2025}
        ],
    }
    return yamls.dump(found)


def unnamed(name: str) -> str:
    return f"The authors of {name}"


def bibtex(facts: Facts) -> str:
    """An entry that nothing in a name can break out of."""
    about = facts.about
    authors = " and ".join(_author(name) for name in about.authors.split(";") if name.strip())
    key = "".join(c for c in about.name.casefold() if c.isascii() and c.isalnum()) or "dataset"
    fields = {
        "title": _in_braces(about.name),
        "author": authors or f"{{{_in_braces(unnamed(about.name))}}}",
        "year": facts.date[:4],
        "note": _in_braces(f"Version {about.version}. Made with {facts.made_with}"),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}"])


def _author(name: str) -> str:
    """As one name where BibTeX would see several, or what comes first by a comma."""
    plain = _in_braces(name)
    return f"{{{plain}}}" if re.search(r"\band\b|,", plain, re.IGNORECASE) else plain


def _in_braces(value: str) -> str:
    """Without what would end a field, or the code block around it; TeX's own marks as words."""
    return " ".join(harmless(value).translate(_TEX).split())
