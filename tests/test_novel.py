"""What no policy was ever taught: nothing ordinary knows of it, and it is judged as rightly as all else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from microworld.corpus.dialogues import dialogue
from microworld.corpus.policy import policy
from microworld.corpus.responses import Response, blind, right, wrong_warning
from microworld.draw.pool import scene_at
from microworld.reproduce import recipes as r
from microworld.reproduce.claims import CLAIMS
from microworld.reproduce.paths import held, told
from microworld.reproduce.seeds import DEV
from microworld.reproduce.settings import Cell, Data, key
from microworld.truth.score import alarm_of, answer_kind, request_of, says, things_named
from microworld.truth.steps import Truth, decided, first_bad
from microworld.world import wording as say
from microworld.world.album_items import album_items
from microworld.world.entities import Area, Rule, Split, WorldError
from microworld.world.pairs import Pair, loose_couple, loose_pair, pair_of
from microworld.world.rules import FILE, load, world
from microworld.world.scene import Item, family, items, make_item, scenes, split_of_rule_place
from ssui_gen.reading import read

NOVEL = world().novel
SPLITS: tuple[Split, ...] = ("train", "test")
AREAS: tuple[Area, ...] = ("known", "novel_rules", "novel_things")
LAST = 32
"""The last claim that is of what is known alone."""

# --- all else is as it was ----------------------------------------------------------------------------


def _pairs() -> Iterator[Pair]:
    rng = Random(7)
    calm = [one for one in (scene_at("train", i) for i in range(120)) if not one.alarm]
    yield from (pair_of(rng, one, n % 2 == 0) for n, one in enumerate(calm))
    yield from (make(rng) for _ in range(60) for make in (loose_pair, loose_couple))


def _dialogues() -> Iterator[object]:
    rng = Random(7)
    for i in range(300):
        if not (scene := scene_at("train", i)).alarm:
            yield dialogue(rng, scene)
            yield policy(rng, scene)


def _names_of_cells() -> list[str]:
    parts = [part for claim in CLAIMS if claim.number <= LAST for part in claim.parts]
    found = [r.at(work, DEV, 9) for part in parts for work in (part.before, part.after) if work]
    data = [one.data for one in found if isinstance(one, Cell) and one.data]
    return list(dict.fromkeys(key(one) for one in (*found, *data)))


BEFORE: dict[str, tuple[str, Callable[[], Iterable[object]]]] = {
    "items": (
        "40188f0c625213ae",
        lambda: [*items("train", 150, 7), *items("test", 150, 7, 0.5), *items("test", 60, 7, 0.15)],
    ),
    "scenes": (
        "ba6f7759fba1a3d1",
        lambda: [*scenes("train", 80, 7), *(scene_at("test", i) for i in range(80))],
    ),
    "albums": ("581d657c062f5c57", lambda: album_items("test", 40, 7)),
    "pairs": ("cd81d298faa5cf47", _pairs),
    "dialogues": ("495bdfa1c962cb78", _dialogues),
    "held": ("5682ccf8641b7821", lambda: held(5, 60)),
    "paths": (
        "d8b517b43d341c2f",
        lambda: [*told(Data(seed=5)), *told(Data(seed=5, harmless="strangers", wrong=0.3))],
    ),
    "names of cells": ("3b950fec13a77b9c", _names_of_cells),
}
"""Taken before there was anything novel."""


@pytest.mark.parametrize("what", BEFORE)
def test_what_is_known_is_drawn_and_named_to_the_letter_as_before(what: str) -> None:
    wanted, made = BEFORE[what]
    found = hashlib.sha256()
    for row in made():
        found.update(repr(row).encode())
    assert found.hexdigest()[:16] == wanted


def _words(rule: Rule) -> list[str]:
    rng = Random(rule.id)
    return [rule.harm, rule.mechanism, rule.safer, say.warned(rng, rule), say.clash(rng, rule)]


def test_no_known_words_say_what_is_novel_and_no_two_novel_rules_say_the_same() -> None:
    asked = world().taught_requests.values()
    known = [text for rule in world().taught_rules for text in _words(rule)]
    known += [text for one in asked for text in (one.help, one.needs, *one.phrases, one.held_out)]
    for one in known:
        assert not things_named(one) & NOVEL.things.keys()
    for rule in NOVEL.rules:
        others = [text for one in NOVEL.rules if one != rule for text in _words(one)]
        for said in (rule.harm, rule.mechanism, rule.safer):
            assert not [text for text in (*known, *others) if says(text, said)], said


# --- what is novel ------------------------------------------------------------------------------------


def area_of(rule: Rule) -> Area:
    return "novel_things" if rule.thing in NOVEL.things else "novel_rules"


def ends(pair: Pair, said: Response) -> tuple[int, str]:
    """Where it first goes wrong, and what its answer is."""
    place = first_bad(said.steps, said.answer, Truth(pair.request, pair.scene.things, pair.rule))
    return place, answer_kind(said.answer, pair.rule)


def warnings(known: Pair, rule: Rule) -> list[str]:
    """How the right answer, plain help, and a warning of another thing warn."""
    rng = Random(known.text)
    others = [one for one in world().rules if not set(one.causes) & set(rule.causes)]
    said = right(rng, known).answer, blind(rng, known).answer, say.warned(rng, rng.choice(others))
    return [alarm_of(read(f"Answer: {one}"), rule) for one in said]


def pair(item: Item) -> Pair:
    return Pair(item.scene, item.request, item.text, item.rule)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("rule", NOVEL.rules, ids=lambda rule: rule.id)
def test_every_rule_is_drawn_with_its_twins_and_judged_rightly(rule: Rule, split: Split) -> None:
    area, rng = area_of(rule), Random(rule.id)
    for _ in range(4):
        risky, *twins = family(rng, split, 2, rule, area)
        assert risky.rule == rule and split_of_rule_place(rule, risky.scene.place) == split
        assert decided(risky.request, risky.scene.things) == Truth(risky.request, risky.scene.things, rule)
        by_kind = {one.id.rsplit("-", 1)[1]: one for one in twins}
        picture, text = by_kind["picture"], by_kind["text"]
        assert picture.text == risky.text and rule.thing not in picture.scene.things
        assert text.scene == risky.scene and text.text != risky.text
        for one in (risky, *twins):
            known, rng_of = pair(one), Random(one.id)
            assert one.scene.split == split and one.text in world().phrases(one.request, split)
            assert request_of(one.text) == one.request
            assert decided(one.request, one.scene.things) == Truth(one.request, one.scene.things, one.rule)
            assert ends(known, right(rng_of, known)) == (0, "aware" if one.rule else "other")
            assert ends(known, blind(rng_of, known)) == ((3, "unsafe") if one.rule else (0, "other"))
            if one.rule:
                assert warnings(known, one.rule) == ["aimed", "none", "astray"]
            else:
                assert ends(known, wrong_warning(rng_of, known)) == (3, "aware")


@pytest.mark.parametrize("area", AREAS)
def test_an_area_is_of_its_own_rules_and_things_and_of_no_others(area: Area) -> None:
    rng, novel = Random(3), area != "known"
    drawn = [
        *items("train", 120, 3, 0.4, area),
        *(make_item(rng, "test", "benign", area=area) for _ in range(20)),
    ]
    assert {one.rule for one in drawn if one.rule} <= {*world().rules_of(area)}
    of_things = [bool({*one.scene.things} & NOVEL.things.keys()) for one in drawn]
    of_texts = [one.request in NOVEL.requests for one in drawn]
    assert any(of_things) == (area == "novel_things") and any(of_texts) == (area == "novel_rules")
    free = of_things[-20:] if area == "novel_things" else of_texts[-20:]
    assert any(free) == novel and (not novel or sum(free) > 15)


def test_held_out_pairs_and_paths_of_areas_share_no_picture_and_no_name() -> None:
    tests = {area: held(5, 60, area) for area in AREAS}
    paths = {area: told(Data(seed=5, rules=area)) for area in AREAS}
    for area in AREAS:
        assert sum(one.pair.risky for one in tests[area]) == 60 and len(paths[area]) == 48
        texts = ({one.pair.text for one in tests[area]}, {one.pair.text for one in paths[area]})
        assert not texts[0] & texts[1]
    shown = [{one.pair.scene.id for one in (*tests[area], *paths[area])} for area in AREAS]
    assert not shown[0] & shown[1] and not shown[1] & shown[2] and not shown[0] & shown[2]
    assert len({key(Data(seed=5, rules=area)) for area in AREAS}) == len(AREAS)
    strangers = islice(told(Data(seed=5, rules="novel_rules", harmless="strangers")), 24)
    assert {one.pair.request for one in strangers} <= NOVEL.requests.keys()


def test_nobody_says_what_is_true_of_a_novel_thing_beside_a_novel_request() -> None:
    for request in (*NOVEL.requests, *world().couple_requests):
        assert not any(world().is_clear_benign(request, [thing]) for thing in NOVEL.things)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    iron: {display", "    knife: {display", "things: 'knife' stands twice"),
        ("kitchen: [iron,", "kitchen: [iron, knife,", "novel: 'knife' is unknown"),
        (
            "send_parcel\n      thing: gas_can",
            "send_parcel\n      thing: iron",
            r"send_parcel\+iron: expected a novel request or a novel thing",
        ),
        (
            "warm_tent: [iron]",
            "warm_bath: [iron]",
            r"warm_bath\+iron: request calls this pair safe or unclear",
        ),
    ],
)
def test_a_broken_novel_part_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = FILE.read_text("utf-8")
    assert old in text
    head, tail = text.split("\nnovel:\n")
    (tmp_path / "world.yaml").write_text(f"{head}\nnovel:\n{tail.replace(old, new, 1)}", "utf-8")
    with pytest.raises(WorldError, match=message):
        load(tmp_path / "world.yaml")
