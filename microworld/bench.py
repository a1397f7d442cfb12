"""RSBench of the microworld on disk: held-out scenarios of known truth, each a risky item and both its twins.

    python -m microworld.bench FOLDER [--scenarios 400] [--plain 40] [--seed 2026] [--pictures 2]

No training meets these layouts, these wordings or these rules at these places. Every rule comes about equally
often, in another scene and another wording each time. Writes bench.jsonl, bench.json and pictures/, and
truth.jsonl beside them, which neither a model nor a judge is shown. The same seed gives the same bytes.
Beside the scenarios stand plain items, whose text alone says what is dangerous: an alarm looks at them, and
no rate.

A scenario, which is the cluster of every interval, is one drawn scene with its twins. Each of the world's
rules has one held-out place, so 400 scenarios meet a rule three or four times; but the world's rules
are all there, none was drawn from a larger number, so what is said of them is said of all. Whoever asks about
rules that this world has not takes the rule as the cluster: `source.row` begins with it.

An item has two pictures where the run in whose folder this is shows two; then every third scenario is a
couple's, one thing of which stands in each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from microworld.corpus.dialogues import told
from microworld.corpus.paths import good_path
from microworld.corpus.responses import right_answer
from microworld.draw.pool import LARGE, as_png
from microworld.seeds import from_one, from_zero, shown_by
from microworld.world import scene as drawn
from microworld.world import wording as say
from microworld.world.album import Album, pictures_of
from microworld.world.album_items import album_family, album_truth
from microworld.world.entities import Rule
from microworld.world.pairs import Pair
from microworld.world.rules import world
from microworld.world.scene import Scene, family, family_of
from ssui_gen import provenance
from ssui_gen.benching.bench import ITEMS, read_bench, write_bench
from ssui_gen.benching.kept import RESPONSES
from ssui_gen.benching.records import PLAIN, BenchImage, Evidence, Item, Origin, Reference, Twin, Unimodal
from ssui_gen.errors import ConfigError, SsuiError
from ssui_gen.files import atomic_write, claim, own_folder
from ssui_gen.jsonl import as_line
from ssui_gen.taxonomy import crosswalk_of

NAME, VERSION, LICENCE = "rsbench-microworld", "1", "Apache-2.0"
SCENARIOS, PLAINLY, SEED = 400, 40, 2026
TRUTH, PICTURES = "truth.jsonl", "pictures"
SAFE_APART = Unimodal(text_only="safe", image_only="safe", by="truth")
UNSAFE_TEXT = Unimodal(text_only="unsafe", image_only="safe", by="truth")


class Scenario(NamedTuple):
    """What happens in one scene, and its twins: the same text under a harmless picture, the same picture with
    a harmless text.
    """

    risky: drawn.Item
    other_picture: drawn.Item
    other_text: drawn.Item

    @property
    def id(self) -> str:
        return family_of(self.risky.id)

    @property
    def rule(self) -> Rule:
        assert self.risky.rule is not None
        return self.risky.rule


# --- what is drawn --------------------------------------------------------------------------------------


def scenarios(count: int, seed: int | str, pictures: int = 1, *, couples: bool = True) -> Iterator[Scenario]:
    """So many scenarios, which depend on the arguments alone: all rules in turn, each time in a new order."""
    rng, used = Random(f"bench/{seed}"), Counter[tuple[str, str]]()
    rules = _in_turn(rng, world().rules)
    if pictures > 1 and couples:
        rules = _every_third(rules, _in_turn(rng, world().couples))
    for rule in islice(rules, count):
        yield _scenario(rng, rule, used, pictures)


def _in_turn(rng: Random, rules: tuple[Rule, ...]) -> Iterator[Rule]:
    """All of them before any comes again."""
    while True:
        yield from reversed(rng.sample(rules, len(rules)))


def _every_third(most: Iterator[Rule], third: Iterator[Rule]) -> Iterator[Rule]:
    for one in third:
        yield from (next(most), next(most), one)


def _scenario(rng: Random, rule: Rule, used: Counter[tuple[str, str]], pictures: int) -> Scenario:
    """Raises WorldError where no pictures fit the rule."""
    risky, *twins = family(rng, "test", 2, rule) if pictures == 1 else album_family(rng, "test", rule)
    text = _wording(rng, rule, used)
    picture_twin, text_twin = sorted(twins, key=lambda twin: twin.request != rule.request)
    return Scenario(replace(risky, text=text), replace(picture_twin, text=text), text_twin)


def _wording(rng: Random, rule: Rule, used: Counter[tuple[str, str]]) -> str:
    """One that was asked least often, under this rule and then under others."""
    known = world().phrases(rule.request, "test")
    text = min(known, key=lambda text: (used[rule.id, text], used[rule.request, text], rng.random()))
    used.update([(rule.id, text), (rule.request, text)])
    return text


def plainly(count: int, seed: int, pictures: int = 1) -> Iterator[drawn.Item]:
    """So many requests whose text names the thing that makes them risky, under a picture that is harmless:
    whoever reads knows, so they are no test of sight.
    """
    for one in scenarios(count, f"{seed}/plain", pictures, couples=False):
        text = told(Random(f"plain/{one.id}"), one.risky.text, one.rule.thing)
        yield replace(one.other_picture, id=f"{one.id}-{PLAIN}", text=text, rule=one.rule, kind="risky")


# --- items ----------------------------------------------------------------------------------------------


def items_of(scenario: Scenario, pictures: Pictures, canary: str) -> Iterator[tuple[drawn.Item, Item]]:
    """The risky item and both twins, each with the item of the world that it shows."""
    rng = Random(f"bench/{scenario.id}")
    place = f"{scenario.rule.id}@{scenario.risky.scene.place}"
    first = _item(rng, scenario.id, place, scenario.risky, pictures, canary)
    yield scenario.risky, first
    for twin, changed in ((scenario.other_picture, "image"), (scenario.other_text, "text")):
        made = _item(rng, scenario.id, place, twin, pictures, canary)
        yield twin, made.model_copy(update={"twin": Twin(of=first.id, changed=changed)})


def plain_item(one: drawn.Item, pictures: Pictures, canary: str) -> Item:
    """An item for an alarm alone, in a scenario of its own."""
    assert one.rule
    place = f"{one.rule.id}@{one.scene.place}"
    made = _item(Random(f"bench/{one.id}"), one.id, place, one, pictures, canary)
    read = Evidence(text=(say.a(one.rule.thing), say.needs(one.request)))
    changed = {"unimodal": UNSAFE_TEXT, "evidence": read, "reference": None, "extra": {PLAIN: True}}
    return made.model_copy(update=changed)


def _item(rng: Random, scenario: str, place: str, one: drawn.Item, pictures: Pictures, canary: str) -> Item:
    images, rule = tuple(map(pictures.of, pictures_of(one.scene))), one.rule
    pair = Pair(one.scene, one.request, one.text, rule)
    return Item(
        id=Item.id_of(one.kind, one.text, tuple(image.sha256 for image in images)),
        scenario_id=scenario,
        kind=one.kind,
        images=images,
        text=one.text,
        reference=Reference(steps=good_path(rng, pair), answer=right_answer(rng, pair)),
        unimodal=SAFE_APART,
        source=Origin(
            bench=NAME, row=f"{place}/{one.id}", licence=LICENCE, training=False,
        ),
        canary=canary,
        **(_risk(rule) if rule else {}),
    )  # fmt: skip


def _risk(rule: Rule) -> dict[str, Any]:
    """What only a risky item has."""
    return {
        "category": rule.category,
        "crosswalk": crosswalk_of(rule.category),
        "danger": f"{say.capital(rule.harm)}.",
        "evidence": Evidence(image=tuple(map(say.a, rule.causes)), text=(say.needs(rule.request),)),
        "safer": f"{say.capital(rule.safer)}.",
    }


class Pictures:
    """Drawn pictures, each named by its content, which tells nothing of what it shows."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        """By name below the bench's folder."""
        self._known: dict[str, BenchImage] = {}

    def of(self, scene: Scene) -> BenchImage:
        if scene.id not in self._known:
            self._known[scene.id] = self._drawn(scene)
        return self._known[scene.id]

    def _drawn(self, scene: Scene) -> BenchImage:
        data = as_png(scene, supersample=3)
        sha = hashlib.sha256(data).hexdigest()
        path = f"{PICTURES}/{sha}.png"
        self.files[path] = data
        return BenchImage(path=path, sha256=sha, width=LARGE, height=LARGE, licence=LICENCE, source=NAME)


def canary_of(count: int, seed: int, pictures: int = 1) -> str:
    """A GUID that stands in every row: a model that knows it has been trained on them."""
    return str(uuid5(NAMESPACE_URL, f"{NAME}/{count}/{seed}{f'/{pictures}' * (pictures > 1)}"))


# --- on disk ----------------------------------------------------------------------------------------------


def write(
    folder: Path, count: int = SCENARIOS, seed: int = SEED, plain: int = PLAINLY, pictures: int = 1
) -> bool:
    """Draw the bench, unless this very one is there; returns whether it was drawn.

    Raises ConfigError where another one lies there that models have been asked: their rows would be of items
    that nobody can look at any more.
    """
    made = {
        "scenarios": count,
        "plain": plain,
        "seed": seed,
        "pictures": pictures,
        "code": provenance.code("microworld.bench")["sha256"],
    }
    if _is_there(folder, made):
        return False
    shown, canary = Pictures(), canary_of(count, seed, pictures)
    known = [pair for one in scenarios(count, seed, pictures) for pair in items_of(one, shown, canary)]
    known += [(one, plain_item(one, shown, canary)) for one in plainly(plain, seed, pictures)]
    items = [item for _, item in known]
    _check_unanswered(folder, items)
    own_folder(folder / PICTURES)
    for name, data in shown.files.items():
        atomic_write(folder / name, data)
    atomic_write(folder / TRUTH, "".join(_truth(*pair) for pair in known))
    write_bench(folder, NAME, folder, items, version=VERSION, licence=LICENCE, made=made)
    return True


def _truth(one: drawn.Item, item: Item) -> str:
    """A row of truth.jsonl: which things stand where, what is asked, what fires; `told` is a thing that the
    text names and the picture does not show.
    """
    named = {"told": one.rule.thing} if item.plain and one.rule else {}
    tell = album_truth if isinstance(one.scene, Album) else drawn.truth
    row = {"item_id": item.id, "scenario_id": item.scenario_id, **tell(one, LARGE), **named}
    return json.dumps(row) + "\n"


def _is_there(folder: Path, made: dict[str, object]) -> bool:
    """Whether all of it is there, made of this."""
    try:
        found = read_bench(folder)
    except SsuiError:  # nothing yet, or not whole
        return False
    return found.about.made == made and not found.rejects and (folder / TRUTH).exists()


def _check_unanswered(folder: Path, items: list[Item]) -> None:
    there = folder / ITEMS
    if not there.exists() or there.read_bytes() == b"".join(map(as_line, items)):
        return
    if asked := sorted(path.parent.name for path in folder.glob(f"*/{RESPONSES}")):
        raise ConfigError(
            f"{there}: holds other items than this seed and code give, and {', '.join(asked)} have answered "
            f"them: name another folder, or put that one away: mv {folder} {folder}.old"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="microworld.bench", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--scenarios", type=from_one, default=SCENARIOS, help="each of three items; default: 400"
    )
    parser.add_argument("--plain", type=from_zero, default=PLAINLY, help="items of no rate, for an alarm")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--pictures", type=int, choices=(1, 2), help="of each item; default: as the run has")
    args = parser.parse_args()
    claim(args.folder.parent)
    try:
        pictures = args.pictures or min(2, shown_by(args.folder.parent))
        new = write(args.folder, args.scenarios, args.seed, args.plain, pictures)
    except SsuiError as error:
        parser.error(str(error))
    plain = f" and {args.plain:,} plainly unsafe items" if args.plain else ""
    print(f"{args.scenarios:,} scenarios{plain} in {args.folder / ITEMS}{'' if new else ', as before'}")


if __name__ == "__main__":
    main()
