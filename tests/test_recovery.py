"""Cuts behind a wrong step: drawn, judged, paired with counterparts, and never learnt themselves."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
import torch
from exploring import command, cuts, explored, judge, pairs, policy
from fake_server import Fake, serve
from jobs import Job, rows
from runs import change, loaded, path_of, tiny_encoder, write_run
from test_exporters import exported
from test_span_error import locating
from test_train_unfit import Rows

from microworld.corpus.paths import ending
from microworld.label_branches import label_of
from microworld.truth.steps import Truth
from microworld.world import wording as say
from microworld.world.rules import world
from ssui_gen.branches import Branch, Cut, Judgement, Origin, Pair
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.config_pairs import Pairing
from ssui_gen.config_pairs import Recovery as Settings
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.exploring.recovery import lead_of
from ssui_gen.reading import read
from ssui_gen.records import ImageRef, ReasoningPath, digest
from ssui_gen.run_files import PATHS
from ssui_train.encode import Encoder
from ssui_train.example import parted
from ssui_train.loss import USUAL, Span, add_up, objective
from ssui_train.rows import RowMaker

IMAGE = ImageRef(path="a.png", sha256="0" * 64, width=8, height=8)
RECOVER = {
    "explore": {"recovery": {"cuts": 2, "draws": 8}},
    "pairs": {"first_bad": "ask"},
    "verify": {"by": ["judge"]},
}
PLAIN = {"verify": {"by": ["judge"]}}


# --- where a branch is followed to -------------------------------------------------------------------


def wrong(cut: int, text: str) -> tuple[Cut, Branch]:
    path = path_of(0, IMAGE)
    branch = Branch(id="b", text=text, finish="stop", judgement=Judgement(polarity="bad"))
    prefix = prefix_at(path.steps, cut)
    row = Cut(
        id="c", path_id=path.id, kind="risky", cut=cut, prefix=prefix, image=IMAGE, query="q",
        branches=(branch,), draws=1, made_by=(),
    )  # fmt: skip
    return row, branch


REST = (
    "3. **Synthesis:** fine.\n\n4. Intent and risk: none.\n5. Consequences: c.\n6. Response strategy: s.\n"
    "Answer: Go."
)


@pytest.mark.parametrize(
    ("place", "prefix"),
    [
        ("step 3", "3. **Synthesis:** fine.\n\n"),
        ("step 5", REST[: REST.index("6. ")]),
        ("step 6", None),
        ("answer", None),
        ("step 2", None),
        (None, None),
    ],
)
def test_a_branch_is_followed_through_its_wrong_step(place: Any, prefix: str | None) -> None:
    """As it was written; not behind the last step, nor where nobody says which is wrong."""
    row, branch = wrong(2, REST)
    lead = lead_of(row, branch, place, Settings(cuts=1, temperature=0.7))
    assert (lead.prefix if lead else None) == (row.prefix + prefix if prefix else None)
    if lead:
        assert (lead.cut, lead.origin) == (int(place[-1]), Origin(branch_id="b", cut=2, temperature=0.7))


def test_what_is_no_path_is_not_followed() -> None:
    assert lead_of(*wrong(2, "3. Synthesis: fine.\n"), "step 3", Settings(cuts=1)) is None


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    fake.answers = {"none": policy, "judge: right": judge, "judge: first_bad": locating}
    return explored(tmp_path, fake.url)


def of(job: Job, source: str) -> list[dict[str, Any]]:
    return [cut for cut in cuts(job) if cut["source"] == source]


def test_cuts_behind_wrong_steps_are_drawn_judged_and_paired(made: Job, fake: Fake) -> None:
    assert pairs(made, "--limit", "2", config=PLAIN).code == 0
    before = cuts(made)
    assert {cut["source"] for cut in before} == {"path"}
    done = pairs(made, "--limit", "2", config=RECOVER)
    assert done.code == 0, done.err
    assert of(made, "path") == before
    found = of(made, "recovery")
    assert {cut["path_id"] for cut in found} == {path["id"] for path in made.paths[:2]} and len(found) == 4
    branches = {branch["id"]: branch for cut in before for branch in cut["branches"]}
    for cut in found:
        origin = branches[cut["origin"]["branch_id"]]
        assert origin["judgement"]["polarity"] == "bad" and cut["draws"] == 8
        assert read(cut["prefix"] + cut["branches"][0]["text"]).form.whole
        assert cut["cut"] == 4 and "4. Intent and risk: A plain wish: none." in cut["prefix"]
        assert cut["origin"]["temperature"] == 1.0
    pairs_ = [pair for pair in rows(made.run / "pairs.jsonl") if pair["source"] == "recovery"]
    assert pairs_ and all(pair["off_path"] and pair["first_bad"] for pair in pairs_)
    for pair in pairs_:
        chosen, rejected = (pair[side][0]["content"][0]["text"] for side in ("chosen", "rejected"))
        assert chosen.startswith(pair["prefix"]) and rejected.startswith(pair["prefix"])
        assert chosen.endswith("RIGHT.") and rejected.endswith("WRONG.")
    counts = json.loads((made.run / "pairs.json").read_text())["counts"]
    assert counts == {"recovery": {"made": len(pairs_)}, "counterpart": {"no_same_words": len(pairs_)}}
    asked = [body for body in _policy_calls(fake) if body["temperature"] == 1.0]
    assert {body["messages"][-1]["content"] for body in asked} >= {cut["prefix"] for cut in found}


def _policy_calls(fake: Fake) -> list[dict[str, Any]]:
    return [body for body in fake.requests if "continue_final_message" in body and "seed" in body]


def test_a_second_run_draws_nothing_and_a_lost_row_is_drawn_as_it_was(made: Job, fake: Fake) -> None:
    assert pairs(made, "--limit", "2", config=RECOVER).code == 0
    whole, paired, calls = cuts(made), rows(made.run / "pairs.jsonl"), fake.calls
    assert pairs(made, "--limit", "2", config=RECOVER).code == 0
    assert (cuts(made), fake.calls) == (whole, calls)
    file = made.run / "branches.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    lost = [line for line in lines if '"source":"recovery"' in line]
    for kept in ([], lost[:1]):
        torn = "".join([*(line for line in lines if line not in lost), *kept, lost[-1][:50]])
        file.write_text(torn)
        assert pairs(made, "--limit", "2", config=RECOVER).code == 0
        assert sorted(map(str, cuts(made))) == sorted(map(str, whole))
        assert rows(made.run / "pairs.jsonl") == paired
    assert fake.calls == calls, "all of it is in the journal"


def test_without_anybody_to_say_where_it_is_refused(made: Job) -> None:
    done = pairs(made, config={"explore": {"recovery": {"cuts": 1}}})
    assert done.code == 1
    assert "explore.recovery begins behind the step in which a branch first goes wrong" in done.err


def test_the_same_words_are_held_where_they_are_right(made: Job) -> None:
    """The second path is harmless, and says itself what is wrong in the first."""

    def harmless(found: Rows) -> Rows:
        found[1]["kind"] = "benign"
        found[1]["steps"][3]["text"] = "A plain wish: none."
        return found

    change(made.run / "reasoning_paths.jsonl", harmless)
    done = pairs(made, "--limit", "2", config=RECOVER)
    assert done.code == 0, done.err
    first, second = (ReasoningPath.model_validate(path) for path in made.paths[:2])
    found = [Pair.model_validate(row) for row in rows(made.run / "pairs.jsonl")]
    held = next(pair for pair in found if (pair.level, pair.path_id) == ("step", second.id))
    assert held.source == "recovery"
    assert held.twin_id == first.id and held.prefix == prefix_at(second.steps, 4) and not held.off_path
    assert held.first_bad == "step 5" and held.image_ref == second.image
    chosen, rejected = (side[0]["content"][0]["text"] for side in (held.chosen, held.rejected))
    assert chosen == prefix_at(second.steps, 5)
    assert re.fullmatch(r"5\. Consequences: Nothing much, \d\.\n", rejected.removeprefix(held.prefix))
    back = [pair for pair in found if pair.off_path and pair.path_id == first.id and pair.level == "outcome"]
    assert any(
        pair.chosen[0]["content"][0]["text"].find(rejected.removeprefix(held.prefix)) > 0 for pair in back
    )
    counts = json.loads((made.run / "pairs.json").read_text())["counts"]["counterpart"]
    assert sum(counts.values()) == sum(pair.off_path and pair.level == "outcome" for pair in found)
    alone = RECOVER | {"pairs": {"first_bad": "ask", "counterparts": False}}
    assert pairs(made, "--limit", "2", config=alone).code == 0
    assert {pair["level"] for pair in rows(made.run / "pairs.jsonl")} == {"outcome"}


# --- training ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny_encoder()


def off_path(run: Path) -> Pair:
    """A pair behind a wrong third step, in the place of the run's others."""
    path = ReasoningPath.model_validate(rows(run / "reasoning_paths.jsonl")[0])
    prefix = prefix_at(path.steps, 2) + "3. Synthesis: nothing speaks against it.\n"
    rest = [line for line in prefix_at(path.steps, 6).splitlines() if line[0] in "456"]
    ends = {
        "good": [*rest, "Answer: Careful, move it."],
        "bad": ["4. Intent and risk: none", *rest[1:], "Answer: Go."],
    }
    branches = tuple(
        Branch(id=name, text="\n".join(lines), finish="stop", judgement=Judgement(polarity=name))  # type: ignore[arg-type]
        for name, lines in ends.items()
    )
    row = Cut(
        id="off", path_id=path.id, kind=path.kind, cut=3, prefix=prefix, image=path.image,
        query=path.query.text, branches=branches, draws=2, made_by=(), source="recovery",
        origin=Origin(branch_id="x", cut=2, temperature=1.0),
    )  # fmt: skip
    (pair,) = pair_up([row], Pairing(), source="recovery")
    (run / "pairs.jsonl").write_text(pair.model_dump_json() + "\n")
    return pair


@pytest.mark.parametrize("loss", sorted(loss for loss, usual in USUAL.items() if usual.needs_pairs))
@pytest.mark.parametrize("span", get_args(Span))
def test_a_wrong_prefix_has_no_gradient_ever(tmp_path: Path, encoder: Encoder, loss: str, span: Span) -> None:
    run = write_run(tmp_path / "run", paths=1)
    pair = off_path(run)
    (example,) = loaded(run, encoder, loss=loss, span=span).examples
    o = replace(USUAL[loss], span=span)
    row = RowMaker(o, packing="none")([example])
    said = (-torch.rand(len(row.target)) - 0.1).requires_grad_()
    spans = add_up(said, row.index, row.span, row.spans)
    base = add_up(torch.full_like(said, -0.5), row.index, row.span, row.spans)
    objective(o, spans, row.layout, base).loss.backward()
    prompt, told = len(example.prompt.ids), len(encoder.ids(pair.prefix))
    assert all(branch.told == branch.start == told for branch in example.branches)
    sides = row.where[0] >= row.where[0].max() - 1
    place = row.where[1] + 1 - prompt
    assert said.grad is not None
    moved = sides & (said.grad != 0)
    assert moved.any(), "the sides themselves are learnt"
    assert not (moved & (place < told)).any(), "what was said before is not"


def test_the_reference_is_the_path_s_own_and_all_of_the_sides_counts(
    tmp_path: Path, encoder: Encoder
) -> None:
    run = write_run(tmp_path / "run", paths=1)
    off_path(run)
    (example,) = loaded(run, encoder).examples
    assert "nothing speaks" not in encoder.text(example.reference)
    counted = [
        encoder.text(example.branches[part.path - 1].ids[part.start : part.stop])
        for part in parted(example, example.pairs[0], "suffix")
    ]
    assert [text[:9] for text in counted] == ["4. Intent", "4. Intent"]


@pytest.mark.parametrize(
    "prefix",
    [
        "1. Visual context: the kettle is here 0\n",
        "nothing\n",
        "2. Textual request: a\n3. Synthesis: b\n1. Visual context: c\n",
    ],
)
def test_a_prefix_that_is_not_so_many_steps_is_none(tmp_path: Path, encoder: Encoder, prefix: str) -> None:
    run = write_run(tmp_path / "run", paths=2)
    plain = rows(run / "pairs.jsonl")
    pair = off_path(run).model_dump(mode="json")
    for side in ("chosen", "rejected"):
        content = pair[side][0]["content"][0]
        content["text"] = prefix + content["text"].removeprefix(pair["prefix"])
    found = [*plain, pair | {"prefix": prefix}]
    (run / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    loaded_ = loaded(run, encoder)
    assert dict(loaded_.reasons) == {("pair", "not_a_prefix"): 1}
    assert "not first 3 steps" in loaded_.rejects[0].detail


def test_a_wrong_prefix_that_is_not_said_to_be_one_is_refused_as_before(
    tmp_path: Path, encoder: Encoder
) -> None:
    run = write_run(tmp_path / "run", paths=2)
    plain = rows(run / "pairs.jsonl")
    pair = off_path(run).model_dump(mode="json") | {"off_path": False}
    (run / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*plain, pair]))
    assert dict(loaded(run, encoder).reasons) == {("pair", "not_a_prefix"): 1}


# --- elsewhere ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "left"), [("trl", 0), ("llamafactory", 0), ("ms_swift", 0), ("step_dpo", 1)]
)
def test_only_a_layout_that_keeps_them_apart_takes_them(tmp_path: Path, layout: str, left: int) -> None:
    run = write_run(tmp_path / "run", paths=1)
    pair = off_path(run)
    done = exported(run, layout, pair)
    assert done.code == 0, done.err
    found = rows(run / f"pairs_{layout}.jsonl")
    assert len(found) == left
    assert ("1 pairs are not in it: they begin with a wrong step" in done.out) == (not left)
    if found:
        assert found[0]["initial_reason_steps"] == pair.prefix
        assert found[0]["chosen"].startswith("4. Intent and risk: they overlook it")


def test_the_world_judges_a_right_end_behind_a_wrong_step_good() -> None:
    rule = world().rules[0]
    truth = Truth(rule.request, [rule.thing], rule)

    rng = Random(0)
    seen, wished = (
        say.caption(rng, world().places_of(rule.thing)[0], [rule.thing]),
        say.wished(rng, rule.request),
    )
    calm, aware = ending(rng, rule.request, None), ending(rng, rule.request, rule)
    steps = say.as_steps((seen, wished, calm[0], *aware[1:]))
    whole = render_path(steps, say.warned(rng, rule))
    prefix = prefix_at(steps, 3)
    branch = Branch(
        id="b", text=whole.removeprefix(prefix), finish="stop", judgement=Judgement(polarity="good")
    )
    row = Cut(
        id="c", path_id="p", kind="risky", cut=3, prefix=prefix, image=IMAGE, query="q", branches=(branch,),
        draws=1, made_by=(), source="recovery", origin=Origin(branch_id="x", cut=2, temperature=1.0),
    )  # fmt: skip
    said = label_of(row, branch, truth)
    assert (said.good, said.first_bad) == (True, "none")
    assert label_of(row.model_copy(update={"cut": 2}), branch, truth).first_bad == "step 3"


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_rows(tmp_path: Path) -> None:
    with serve(latency=0.01) as fake:
        fake.answers = {"none": policy, "judge: right": judge, "judge: first_bad": locating}
        killed = explored(tmp_path, fake.url)
        whole = Job(killed.folder, tmp_path / "whole", killed.url)
        whole.run.mkdir()
        (whole.run / PATHS).write_bytes((killed.run / PATHS).read_bytes())
        assert pairs(whole, "--limit", "4", config=RECOVER).code == 0
        (killed.folder / "recover.json").write_text(json.dumps(RECOVER))
        asked = command(killed, "--limit", "4", "--config", str(killed.folder / "recover.json"))
        for moment in range(8):
            child = subprocess.Popen(
                [sys.executable, "-m", "ssui_gen", *asked],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(2.0 + 0.4 * moment)
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert pairs(killed, "--limit", "4", config=RECOVER).code == 0
        assert sorted(map(digest, cuts(killed))) == sorted(map(digest, cuts(whole)))
        assert (killed.run / "pairs.jsonl").read_bytes() == (whole.run / "pairs.jsonl").read_bytes()
