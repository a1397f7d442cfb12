"""What the world says of responses to its RSBench, as a judge would write it, or a person who labels."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from jobs import here
from labelling import BAD, GOOD, put
from labelling import said as judged

from microworld import bench, bench_label, bench_truth
from microworld.truth.steps import Truth
from microworld.world import wording as say
from microworld.world.rules import world
from ssui_gen.benching.bench import ITEMS
from ssui_gen.benching.kept import JUDGEMENTS, LABELS, RESPONSES, TRUTH
from ssui_gen.benching.records import BenchJudgement, Item, Piece, Response, ResponsePath
from ssui_gen.branching import render_path
from ssui_gen.errors import ConfigError
from ssui_gen.judging.questions import QUESTIONS, RSBENCH, places

FEW = 4


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    assert bench.write(folder, FEW, plain=1)
    return folder


def items_in(folder: Path) -> list[Item]:
    """Those of the scenarios."""
    return [item for item in all_in(folder) if not item.plain]


def all_in(folder: Path) -> list[Item]:
    return [Item.model_validate_json(line) for line in (folder / ITEMS).read_text().splitlines()]


def response(item: Item, steps: Sequence[str], answer: str | None, path: str) -> Response:
    pieces = tuple(Piece(index=n, text=text, start=0, end=0) for n, text in enumerate(steps, 1))
    return Response(
        id=Response.id_of(item.id, "m", "six_steps", 0), item_id=item.id, protocol="six_steps", raw=path,
        finish="stop", path=ResponsePath(source="steps" if steps else "none", pieces=pieces, text=path),
        answer=answer, status="ok" if answer else "no_answer", model="m",
    )  # fmt: skip


def reference(item: Item, answer: str | None = None) -> Response:
    assert item.reference
    steps = item.reference.steps
    written = render_path(steps, "x").partition("Answer:")[0].strip()
    return response(item, [step.text for step in steps], answer or item.reference.answer, written)


def verdicts_of(item: Item, known: dict[str, Truth], said: Response) -> dict[str, str | None]:
    rows = bench_truth.judged(said, known.get(item.id), "truth@0")
    return {row.question: row.verdict for row in rows}


def test_references_are_right_by_the_worlds_truth(drawn: Path) -> None:
    known = bench_truth.known(drawn)
    for item in items_in(drawn):
        verdicts = verdicts_of(item, known, reference(item))
        assert all(verdicts[name] in QUESTIONS[name].good for name in RSBENCH), verdicts


def test_a_blind_answer_after_a_faultless_path_is_unsafe_at_the_answer(drawn: Path) -> None:
    known = bench_truth.known(drawn)
    for item in (item for item in items_in(drawn) if item.kind == "risky"):
        found = verdicts_of(item, known, reference(item, world().request(known[item.id].request).help))
        assert (found["path_safe"], found["path_effective"]) == ("safe", "leads there")
        assert (found["first_bad"], found["answer_safe"], found["refusal"]) == (
            "answer",
            "unsafe",
            "complies",
        )


def test_of_a_plain_item_the_text_tells_what_fires(drawn: Path) -> None:
    (item,) = (item for item in all_in(drawn) if item.plain)
    known = bench_truth.known(drawn)
    truth = known[item.id]
    assert truth.rule and truth.rule.thing in truth.things
    blind = response(item, [], world().request(truth.request).help, "")
    warned = response(item, [], say.warned(Random(0), truth.rule), "")
    assert verdicts_of(item, known, blind)["answer_safe"] == "unsafe"
    found = verdicts_of(item, known, warned)
    assert (found["answer_safe"], found["answer_helpful"]) == ("safe", "helps")


def test_the_command_writes_rows_beside_the_responses(drawn: Path) -> None:
    items = items_in(drawn)
    said = [reference(items[0]), response(items[1], [], "Sorry, I can't help with that.", "")]
    folder = drawn / "m"
    folder.mkdir()
    (folder / RESPONSES).write_text("".join(one.model_dump_json() + "\n" for one in said))
    assert bench_truth.write(drawn) == {"m": 7 + 3}
    rows = [BenchJudgement.model_validate_json(line) for line in (folder / TRUTH).read_text().splitlines()]
    assert len(rows) == 14 and {row.judge for row in rows} == {"truth"}
    silent = {row.question: row.unscored for row in rows[7:] if row.verdict is None}
    assert silent == dict.fromkeys(("grounded", "path_safe", "path_effective", "first_bad"), "not_asked")
    options = {**{name: QUESTIONS[name].options for name in RSBENCH}, "first_bad": places(6)}
    assert all(row.verdict in options[row.question] for row in rows if row.verdict)


def test_without_the_truth_it_says_where_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"truth\.jsonl: .* only a bench that .*microworld\.bench"):
        bench_truth.write(tmp_path)


# --- labels without people ------------------------------------------------------------------------------


@pytest.fixture
def answered(drawn: Path, tmp_path: Path) -> Path:
    """A bench with a model's responses: references, which a judge calls right in every other scenario."""
    folder = tmp_path / "bench"
    shutil.copytree(drawn, folder, ignore=shutil.ignore_patterns("m"))
    said = {item.id: reference(item) for item in items_in(folder)}
    scenarios = sorted({item.scenario_id for item in items_in(folder)})
    good = {item.id: scenarios.index(item.scenario_id) % 2 == 0 for item in items_in(folder)}
    put(folder / "m" / RESPONSES, said.values())
    rows = (row for id, one in said.items() for row in judged(one, GOOD if good[id] else BAD))
    put(folder / "m" / JUDGEMENTS, rows)
    return folder


def drawn_and_labelled(folder: Path, *more: str, if_known: bool = False) -> dict[str, int]:
    done = here(["bench", "label", "draw", "--every", "--run", str(folder.parent), *more])
    assert done.code == 0, done.err
    return bench_label.label(folder, 0, 0, if_known=if_known)


def labels_in(folder: Path) -> list[BenchJudgement]:
    lines = (folder / "m" / LABELS).read_text().splitlines()
    return [BenchJudgement.model_validate_json(line) for line in lines]


def test_the_world_draws_whole_scenarios_and_labels_nothing_else(answered: Path) -> None:
    assert drawn_and_labelled(answered, "--most", "6") == {"m": 6}
    found = labels_in(answered)
    assert {row.judge for row in found} == {"truth"} and len(found) == 7 * 6
    drawn_with = {row.drawn.stratum: row.drawn.probability for row in found if row.drawn}
    assert drawn_with == {"six_steps/good": 0.5, "six_steps/bad": 0.5}
    truths = {row.id: row.verdict for row in map(BenchJudgement.model_validate_json, truth_lines(answered))}
    assert all(truths[row.id] == row.verdict for row in found)


def truth_lines(folder: Path) -> list[str]:
    return (folder / "m" / TRUTH).read_text().splitlines()


def test_a_larger_draw_keeps_what_was_labelled(answered: Path) -> None:
    drawn_and_labelled(answered, "--most", "6")
    first = {row.id for row in labels_in(answered)}
    assert drawn_and_labelled(answered) == {"m": 3 * FEW}
    assert first < {row.id for row in labels_in(answered)}
    assert {row.drawn.probability for row in labels_in(answered) if row.drawn} == {1.0}


def test_models_that_speak_other_words_are_left_alone(answered: Path) -> None:
    (answered / "m").rename(answered / "micro-policy-1a2b3c")
    shutil.copytree(answered / "micro-policy-1a2b3c", answered / "some-vlm")
    assert drawn_and_labelled(answered, if_known=True) == {"micro-policy-1a2b3c": 3 * FEW}
    there = {path.name for path in (answered / "some-vlm").iterdir()}
    assert not there & {LABELS, TRUTH}


def test_a_world_that_errs_is_called_so_and_errs_as_often_as_told(answered: Path) -> None:
    drawn_and_labelled(answered)
    right = {(row.response_id, row.question): row.verdict for row in labels_in(answered)}
    bench_label.label(answered, 0.3, 1)
    found = labels_in(answered)
    assert {row.judge for row in found} == {"person:simulated"} and len(found) == len(right)
    wrong = sum(row.verdict != right[row.response_id, row.question] for row in found)
    assert 0.15 < wrong / len(found) < 0.45
    bench_label.label(answered, 0.3, 1)
    assert labels_in(answered) == found


def test_labels_of_people_stay(answered: Path) -> None:
    drawn_and_labelled(answered)
    anas = [row.model_copy(update={"judge": "person:ana"}) for row in labels_in(answered)[:3]]
    (answered / "m" / LABELS).write_text("".join(row.model_dump_json() + "\n" for row in anas))
    drawn_and_labelled(answered)
    assert labels_in(answered)[:3] == anas and len(labels_in(answered)) > 3


@pytest.mark.parametrize(("err", "says"), [(1.5, "--err: expected a share"), (0.0, "nothing was drawn")])
def test_without_a_draw_or_a_share_nothing_is_labelled(tmp_path: Path, err: float, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        bench_label.label(tmp_path, err, 0)
