"""Benchmarks that adapters read anyway: their rows as gold for the checks, VLGuard's train half as seeds.

Which file says what stands in `benching/adapters`; here stands what a row says of text, picture and both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from functools import partial
from itertools import islice

from ssui_gen.benching.adapters import mis, mssbench, siuo, vlguard, vlsbench
from ssui_gen.benching.adapters.copy import Copy, needed
from ssui_gen.benching.adapters.shape import About, Group
from ssui_gen.benching.adapters.shape import Draft as Item
from ssui_gen.errors import ConfigError
from ssui_gen.importing.reading import left
from ssui_gen.importing.shape import Check, Draft, Half, Layout, Left, Source, What, Why
from ssui_gen.records import Label

Labels = dict[Check, Label]
Groups = Callable[[Copy, Half], Iterator[Group]]


KNOWN: tuple[tuple[str, Set[str]], ...] = (
    (siuo.ABOUT.title, needed(siuo.Shown)),
    (siuo.ABOUT.title, {"question_id", "image", "question", "category", "options", "correct_option"}),
    (vlguard.ABOUT.title, needed(vlguard.Shown)),
    (vlguard.ABOUT.title, {"id", "image", "safe", "instruction", "response"}),
    (vlsbench.ABOUT.title, needed(vlsbench.Shown)),
    (mis.ABOUT.title, needed(mis.Shown)),
    (mssbench.ABOUT.title, needed(mssbench.Chat)),
)
"""By which columns a benchmark is known, whatever its file is called: those that an adapter reads, SIUO's
choices (siuo_mcqa.json), the answers that VLGuard's are held against (gpt4_safe_safes.json).
"""


def whose(columns: Set[str]) -> str:
    """The benchmark whose rows have these columns; empty for none."""
    return next((title for title, known in KNOWN if known <= columns), "")


def _by_both(item: Item) -> Labels:
    """Harmless alone, on both sides: only together they differ."""
    joint: Label = "unsafe" if item.kind == "risky" else "safe"
    return {"check_text": "safe", "check_image": "safe", "check_joint": joint}


def _by_place(item: Item) -> Labels:
    """MSSBench labels no picture by itself."""
    return {name: label for name, label in _by_both(item).items() if name != "check_image"}


def _by_part(item: Item) -> Labels:
    """VLGuard's three parts: the picture is unsafe, the text is, or nothing."""
    picture: Label = "unsafe" if item.extra["subset"] == "unsafes" else "safe"
    words: Labels = {"check_text": "unsafe"} if item.extra["subset"] == "safe_unsafes" else {}
    words |= {"check_text": "safe"} if item.kind == "benign" else {}
    return words | {"check_image": picture, "check_joint": "safe" if item.kind == "benign" else "unsafe"}


def _read(
    about: About, groups: Groups, labels: Callable[[Item], Labels], source: Source
) -> Iterator[Draft | Left]:
    if not source.path.is_dir():
        raise ConfigError(f"{source.path}: expected the folder of your copy of {about.title}: {about.layout}")
    copy = Copy(source.path, source.limits, f"{about.layout} ({about.version})")
    for group in islice(groups(copy, source.half), source.limit):
        for one in group.refused:
            if one.lost:
                yield left(one.row, Why.ROW_INVALID, one.detail)
        for item in group.drafts:
            yield _draft(item, labels(item))


def _draft(item: Item, labels: Labels) -> Draft | Left:
    if not item.pictures:
        return left(item.row, Why.PICTURE_UNNAMED, f"{item.row}: it shows no picture")
    facts = {"danger": item.danger} if item.danger else {}
    return Draft(
        item.row,
        item.text.strip(),
        item.pictures,
        kind=item.kind,
        gold=labels,
        licence=item.licence,
        facts=facts,
    )


def _layout(
    about: About,
    groups: Groups,
    labels: Callable[[Item], Labels],
    halves: tuple[Half, ...] = ("test",),
    makes: tuple[What, ...] = ("gold", "seeds"),
) -> Layout:
    return Layout(
        name=about.name,
        title=about.title,
        version=about.version,
        expects=about.layout,
        makes=makes,
        read=partial(_read, about, groups, labels),
        licence=about.licence,
        halves=halves,
        benchmark=("test",),
    )


SIUO = _layout(siuo.ABOUT, lambda copy, _: siuo.groups(copy), _by_both)
MSSBENCH = _layout(mssbench.ABOUT, lambda copy, _: mssbench.groups(copy), _by_place)
VLGUARD = _layout(vlguard.ABOUT, vlguard.groups, _by_part, ("train", "test"), ("seeds", "gold"))
