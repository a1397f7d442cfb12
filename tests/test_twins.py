"""Pairs out of twins: the same words under two pictures, each path's step the other's error."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from exploring import explored, judge, pairs, policy
from fake_server import Fake
from hypothesis import given
from hypothesis import strategies as st
from jobs import Job, rows
from runs import change, loaded, path_of, steps, tiny_encoder, write_run

from ssui_gen.benching.proof import trained_on
from ssui_gen.branches import Pair
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.exploring.exporters import EXPORTERS
from ssui_gen.exploring.twins import Twins, twin_pairs
from ssui_gen.records import ImageRef, ReasoningPath, Step
from ssui_train.example import parted

Rows = list[dict[str, Any]]


def path(
    number: int, kind: str, words: str = "what now?", picture: int | None = None, **more: Any
) -> ReasoningPath:
    image = ImageRef(
        path=f"{number}.png", sha256=str(number if picture is None else picture) * 64, width=8, height=8
    )
    made = path_of(number, image)
    query = made.query.model_copy(update={"text": words})
    return made.model_copy(update={"kind": kind, "query": query, **more})


def written(file: Path, *paths: ReasoningPath) -> Twins:
    file.write_text("".join(one.model_dump_json() + "\n" for one in paths))
    return Twins(file, lambda one: True)


def made(twins: Twins, one: ReasoningPath, cut: int = 2, most: int = 4) -> tuple[list[Pair], Counter[str]]:
    counts = Counter[str]()
    return list(twin_pairs(one, twins, cut, most, "Think.", counts)), counts


def sides(pair: Pair) -> tuple[str, str]:
    chosen, rejected = (side[0]["content"][0]["text"] for side in (pair.chosen, pair.rejected))
    return chosen, rejected


def test_each_path_has_its_own_step_chosen_and_its_twin_s_rejected(tmp_path: Path) -> None:
    risky, benign = path(1, "risky"), path(2, "benign", "What  NOW?")
    twins = written(tmp_path / "paths.jsonl", risky, benign)
    for one, other in ((risky, benign), (benign, risky)):
        (pair,), counts = made(twins, one)
        swapped = [*one.steps[:2], other.steps[2]]
        assert sides(pair) == (prefix_at(one.steps, 3), prefix_at(swapped, 3))
        assert (pair.source, pair.level, pair.cut, pair.first_bad) == ("twin", "step", 2, "step 3")
        assert (pair.path_id, pair.twin_id, pair.image_ref) == (one.id, other.id, one.image)
        assert pair.prompt[1]["content"][1]["text"] == one.query.text and counts == {"made": 1}


def test_at_the_last_cut_the_answer_goes_with_the_step(tmp_path: Path) -> None:
    risky, benign = path(1, "risky"), path(2, "benign", answer="Sure.")
    (pair,), _ = made(written(tmp_path / "paths.jsonl", risky, benign), risky, cut=5)
    assert sides(pair) == (
        render_path(risky.steps, risky.answer),
        render_path([*risky.steps[:5], benign.steps[5]], "Sure."),
    )


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (path(2, "benign", "where is it?"), "other_words"),
        (path(2, "risky"), "no_twin"),
        (path(3, "benign", "where is it?"), "no_twin"),
        (path(2, "benign", picture=1), "same_picture"),
        (path(2, "benign", steps=(*steps(2)[:2], steps(1)[2], *steps(2)[3:])), "same_step"),
        (
            path(
                2, "benign", steps=(*steps(2)[:2], Step(name="synthesis", text="Both meet 1!"), *steps(2)[3:])
            ),
            "same_step",
        ),
    ],
    ids=["other words", "the same kind", "a stranger", "one picture", "one step", "one step, other points"],
)
def test_what_makes_no_pair_is_counted_by_its_reason(
    tmp_path: Path, other: ReasoningPath, reason: str
) -> None:
    one = path(1, "risky", twin_of="path2")
    assert made(written(tmp_path / "paths.jsonl", one, other), one) == ([], {reason: 1})


def test_a_path_of_a_benchmark_lends_no_step(tmp_path: Path) -> None:
    risky, benign = path(1, "risky"), path(2, "benign")
    file = tmp_path / "paths.jsonl"
    written(file, risky, benign)
    assert made(Twins(file, lambda one: one.id != benign.id), risky) == ([], {"no_twin": 1})


KINDS = st.lists(
    st.tuples(st.sampled_from(["risky", "benign"]), st.integers(0, 1), st.integers(0, 3), st.integers(0, 2)),
    min_size=1, max_size=8,
)  # fmt: skip


@given(KINDS, st.integers(1, 3))
def test_every_path_and_every_twin_of_it_is_a_pair_or_counted(
    tmp_path_factory: pytest.TempPathFactory, drawn: Any, most: int
) -> None:
    found = [
        path(n, kind, f"question {words}", picture, steps=steps(said))
        for n, (kind, words, picture, said) in enumerate(drawn)
    ]
    twins = written(tmp_path_factory.mktemp("twins") / "paths.jsonl", *found)
    for one in found:
        others = [
            other for other in found
            if (other.kind, other.image.sha256) != (one.kind, one.image.sha256)
            and other.kind != one.kind and other.image.sha256 != one.image.sha256
            and other.query.text == one.query.text
        ]  # fmt: skip
        pairs_, counts = made(twins, one, most=most)
        assert counts.total() == max(len(others), 1)
        assert counts["made"] == len(pairs_) <= most
        assert len({sides(pair)[1] for pair in pairs_}) == len(pairs_)
        assert all(sides(pair)[0] != sides(pair)[1] for pair in pairs_)
        assert pairs_ == made(twins, one, most=most)[0], "the same each time"


# --- in a run ----------------------------------------------------------------------------------------


def twinned(rows_: Rows) -> Rows:
    """The first two paths ask the same, one of them of a harmless picture."""
    first, second, *rest = rows_
    second |= {
        "kind": "benign",
        "query": second["query"] | {"text": first["query"]["text"], "category": "none"},
    }
    second["steps"][2]["text"] = "Nothing speaks against it."
    return [first, second, *rest]


@pytest.fixture
def job(fake: Fake, tmp_path: Path) -> Job:
    fake.answers = {"none": policy, "judge: right": judge}
    todo = explored(tmp_path, fake.url)
    change(todo.run / "reasoning_paths.jsonl", twinned)
    return todo


def test_a_run_makes_them_when_asked_and_counts_the_rest(job: Job, fake: Fake) -> None:
    assert pairs(job, "--limit", "3").code == 0
    plain, calls = rows(job.run / "pairs.jsonl"), fake.calls
    assert {pair["source"] for pair in plain} == {"branch"}
    assert "counts" in json.loads((job.run / "pairs.json").read_text())
    done = pairs(job, "--limit", "3", config={"pairs": {"twins": True}})
    assert done.code == 0, done.err
    assert fake.calls == calls, "no model is asked"
    found = rows(job.run / "pairs.jsonl")
    twins = [pair for pair in found if pair["source"] == "twin"]
    first, second = (path["id"] for path in job.paths[:2])
    assert [(pair["path_id"], pair["twin_id"]) for pair in twins] == [(first, second), (second, first)]
    assert [pair for pair in found if pair["source"] == "branch"] == plain
    manifest = json.loads((job.run / "pairs.json").read_text())
    assert manifest["counts"] == {"twin": {"made": 2, "no_twin": 1}}
    assert "2 twin pairs; not made: no twin 1." in done.out
    assert pairs(job, "--limit", "3").code == 0
    assert rows(job.run / "pairs.jsonl") == found, "a run remembers that they are wanted"
    assert pairs(job, "--limit", "3", config={"pairs": {"twins": False}}).code == 0
    assert json.loads((job.run / "pairs.json").read_text())["counts"] == {}
    assert rows(job.run / "pairs.jsonl") == plain


def test_a_twin_s_words_count_as_read(tmp_path: Path) -> None:
    """A path whose step stands in another's pair has been trained on."""
    run = write_run(tmp_path / "run", paths=3, cuts=(0,))
    change(run / "pairs.jsonl", lambda rows_: [rows_[0] | {"source": "twin", "twin_id": "path2"}])
    assert {one.id for one in trained_on(run, whole=False).paths} == {"path0", "path2"}


def test_training_counts_that_step_alone(tmp_path: Path) -> None:
    run, encoder = write_run(tmp_path / "run", paths=2, cuts=(2,)), tiny_encoder()

    def same_words(rows_: Rows) -> Rows:
        rows_[1] |= {"kind": "benign", "query": rows_[1]["query"] | {"text": rows_[0]["query"]["text"]}}
        return rows_

    change(run / "reasoning_paths.jsonl", same_words)
    paths = [ReasoningPath.model_validate(row) for row in rows(run / "reasoning_paths.jsonl")]
    found = [made(Twins(run / "reasoning_paths.jsonl", lambda _: True), one)[0] for one in paths]
    (run / "pairs.jsonl").write_text("".join(p.model_dump_json() + "\n" for two in found for p in two))
    for span in ("suffix", "step", "error"):
        one, other = loaded(run, encoder, span=span).examples
        counted = [
            encoder.text(e.branches[part.path - 1].ids[part.start : part.stop], marks=True)
            for e in (one, other)
            for part in parted(e, e.pairs[0], span)  # type: ignore[arg-type]
        ]
        mine, theirs = "3. Synthesis: both meet 0\n", "3. Synthesis: both meet 1\n"
        assert counted == [mine, theirs, theirs, mine]


def test_step_dpo_s_layout_holds_it(tmp_path: Path) -> None:
    risky, benign = path(1, "risky"), path(2, "benign")
    (pair,), _ = made(written(tmp_path / "paths.jsonl", risky, benign), risky)
    row = EXPORTERS["step_dpo"](pair, ["a.png"])
    assert (row["chosen"], row["rejected"]) == ("3. Synthesis: both meet 1\n", "3. Synthesis: both meet 2\n")
    assert row["initial_reason_steps"] == prefix_at(risky.steps, 2)
