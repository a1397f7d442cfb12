"""The page on which people look at items: one HTML file with its style, its script and its data inside. Pure.

Whatever a model wrote is data: JSON in a script element that no browser runs, put into the page as text by
the script (`web/`). The policy lets the page load nothing but its pictures, run nothing but this script, and,
where a server serves it, talk to that server alone. Covers neither where pictures lie nor the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from ssui_gen.curation.asked.codebook import codebook
from ssui_gen.curation.asked.form import MOST, OTHER, Form
from ssui_gen.curation.asked.item import Item
from ssui_gen.curation.asked.people import RESOLVED, TAKEN
from ssui_gen.curation.asked.texts import LONGEST, RISK_STEP, parts
from ssui_gen.curation.lines.review import LONGEST_LOOK, Review, Words
from ssui_gen.curation.lines.shape import LONGEST_NOTE
from ssui_gen.pages.frame import BEGIN, PAGES, joined
from ssui_gen.records import digest
from ssui_gen.sealed import data_in_parts, policy
from ssui_gen.taxonomy import NO_RISK, class_ids
from ssui_gen.terminal import harmless

OWN = "ssui_gen.curation.page"
SCRIPTS = (
    *((PAGES, name) for name in ("words.js", "kept.js", "enlarge.js")),
    *((OWN, name) for name in (
        "lines.js", "store.js", "list.js", "item.js", "asides.js", "codebook.js", "panel.js", "settings.js",
        "unfinished.js", "keys.js", "drawing.js", "files.js", "finish.js", "app.js", "main.js",
    )),
)  # fmt: skip
"""In the order in which each needs what the others define."""
STYLES = ((PAGES, "look.css"), *((OWN, name) for name in ("page.css", "codebook.css", "narrow.css")))


def gallery(
    *,
    title: str,
    folder: str,
    form: Form,
    items: Mapping[str, Item],
    pictures: Mapping[str, str],
    thumbs: Mapping[str, str],
    past: Iterable[Item] = (),
    shares: Mapping[str, Sequence[str]] | None = None,
    others: Mapping[str, Sequence[Words]] | None = None,
    reviewer: str | None = None,
    lines: Sequence[Review] = (),
    server: bool = False,
) -> Iterator[str]:
    """The page, part by part. `items` are by their ids, `pictures` addresses by sha256, `thumbs` those of
    small copies: data URLs, or files beside the page.

    `past` are texts that items had before, so that what was said of them is shown beside them; `others` what
    other people said, where one person settles differences. With a `server`, `lines` are the person's.
    """
    data = {
        "folder": folder,
        "form": form.model_dump(),
        "items": map(_shown, items.values()),
        "pictures": dict(pictures),
        "thumbs": dict(thumbs),
        "codebook": [section.model_dump() for section in codebook(form)],
        "past": {f"{item.id}/{item.sha}": _parts(item) for item in past if item.id in items},
        "shares": {name: list(share) for name, share in (shares or {}).items()},
        "others": {
            id: [words.model_dump(include=set(Words.model_fields)) for words in said]
            for id, said in (others or {}).items()
        },
        "reviewer": reviewer,
        "lines": (line.model_dump() for line in lines),
        "server": server,
        "export": export_id(items.values()),
        **_bounds(form),
    }
    return _page(title, data, _sources([*pictures.values(), *thumbs.values()], server), server)


def _bounds(form: Form) -> dict[str, Any]:
    """What may be said, and how long it may be."""
    return {
        "longest": LONGEST if form.edited else {},
        "longest_note": LONGEST_NOTE,
        "longest_look": LONGEST_LOOK,
        "most": MOST,
        "other": OTHER,
        "risk_step": RISK_STEP,
        "classes": list(class_ids()),
        "no_risk": NO_RISK,
        "taken": [*sorted(TAKEN), RESOLVED],
    }


def _sources(addresses: Iterable[str], server: bool) -> str:
    """From where the page may load pictures."""
    embedded = {address.startswith("data:") for address in addresses}
    beside = "'self'" if server else "'self' file:"
    return " ".join(word for kind, word in ((True, "data:"), (False, beside)) if kind in embedded) or "'none'"


def export_id(items: Iterable[Item]) -> str:
    """Which export these items are of."""
    return digest([[item.id, item.sha] for item in items])


def _shown(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "sha": item.sha,
        "kind": item.kind,
        "category": item.category,
        "why": item.why,
        "pictures": [[ref.sha256, ref.width, ref.height] for ref in item.pictures],
        "parts": _parts(item),
        "facts": _facts(item),
        "asked": item.exhibit and item.exhibit.asked,
    }


def _facts(item: Item) -> list[list[str]]:
    """What is beside the texts, for whoever unfolds it."""
    if item.exhibit is not None:
        return []
    path = item.path
    if item.branch is not None:
        return [["What may follow", path.query.scenario], ["The reference’s answer", path.answer]]
    checks = {
        "Text alone": path.verdicts.text_only,
        "Picture alone": path.verdicts.image_only,
        "Together": path.verdicts.joint,
    }
    return [[name, f"{found.label}. {found.evidence}"] for name, found in checks.items()]


def _parts(item: Item) -> list[list[str]]:
    return [list(part) for part in parts(item)]


def _page(title: str, data: dict[str, Any], images: str, server: bool) -> Iterator[str]:
    style, script = joined(STYLES), BEGIN + joined(SCRIPTS)
    frame = files(OWN).joinpath("web", "page.html").read_text("utf-8")
    before, after = (
        Template(part).substitute(
            policy=policy(style, script, images, "'self'" if server else "'none'"),
            title=escape(harmless(title)),
            style=style,
            script=script,
        )
        for part in frame.split("$data")
    )
    yield before
    yield from data_in_parts(data)
    yield after
