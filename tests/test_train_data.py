"""A run's folder → examples: what is read, what is left out and why, and that token ids are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import PROMPT, change, loaded, pairs_of, tiny_encoder, write_run

from ssui_gen.commands import micro_folder
from ssui_gen.errors import ConfigError
from ssui_gen.prompts import policy_prompt
from ssui_train.encode import Encoder
from ssui_train.loaded import Loaded

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny_encoder()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


def reasons(found: Loaded) -> dict[tuple[str, str], int]:
    return dict(found.reasons)


# --- what is made of a run -------------------------------------------------------------------------


def test_a_path_with_its_pairs_is_an_example(run: Path, encoder: Encoder) -> None:
    found = loaded(run, encoder)
    assert [e.id for e in found.examples] == ["path0", "path1", "path2"]
    assert (found.pairs, list(found.rejects)) == (9, [])
    one = found.examples[0]
    assert [pair.cut for pair in one.pairs] == [0, 2, 5]
    said = encoder.text(one.reference)
    assert said.startswith("1. Visual context: the kettle is here 0\n2. Textual request: they want tea 0\n")
    assert said.endswith("Answer: Careful: move the kettle 0.")
    assert one.reference[-1] == encoder.end
    for pair, row in zip(one.pairs, pairs_of(run)[:3], strict=True):
        sides = (one.branches[pair.chosen], one.branches[pair.rejected])
        for side, text in zip(sides, (row.chosen, row.rejected), strict=True):
            assert encoder.text(side.ids) == text[0]["content"][0]["text"]
            assert encoder.text(side.ids[: side.start]) == row.prefix
            assert side.ids[-1] == encoder.end


def test_the_prompt_is_the_one_that_was_explored_with(run: Path, encoder: Encoder) -> None:
    one = loaded(run, encoder).examples[0]
    shown = encoder.tokenizer.decode(one.prompt.ids)
    system, _ = policy_prompt(PROMPT, "")
    assert shown.count("<image>") == 16
    assert system.splitlines()[0] in shown
    assert "what now 0?" in shown
    assert shown.endswith("<|im_start|>assistant\n")


def test_another_prompt_than_the_explored_one_is_refused(run: Path, encoder: Encoder) -> None:
    other = run / "policy.md"
    other.write_text(Path("prompts/policy.md").read_text().replace("what you tell", "what you say to"))
    with pytest.raises(ConfigError, match=r"explored with policy@2:\w{8}: name that file"):
        loaded(run, encoder, prompt=other)


@pytest.mark.parametrize(
    ("trained", "refused"), [("policy", True), ("two-policy", False), ("hub/name", False)]
)
def test_one_of_our_policies_is_not_trained_on_what_another_drew(
    run: Path, encoder: Encoder, trained: str, refused: bool
) -> None:
    (run / "pairs.json").write_text((run / "pairs.json").read_text().replace('"tiny"', '"micro-two-policy"'))
    model = trained if "/" in trained else str(micro_folder(f"micro-{trained}"))
    if not refused:
        assert loaded(run, encoder, model=model).examples
        return
    with pytest.raises(ConfigError, match=r"drawn from micro-two-policy.*--model \S+/two-policy --run"):
        loaded(run, encoder, model=model)


def test_curated_paths_come_first_and_pairs_of_those_dropped_are_counted(run: Path, encoder: Encoder) -> None:
    rows = (run / "reasoning_paths.jsonl").read_text().splitlines()
    (run / "curated.jsonl").write_text(rows[1] + "\n")
    found = loaded(run, encoder)
    assert [e.id for e in found.examples] == ["path1"]
    assert reasons(found) == {("pair", "path_not_kept"): 6}


def test_sampled_token_ids_are_kept_where_they_say_the_text(run: Path, encoder: Encoder) -> None:
    """The server split words its own way, and ended with the end mark; the second ids say something else."""
    told = {}

    def report(rows: Rows) -> Rows:
        first, second = rows[0]["branches"]
        letters = [encoder.ids(letter)[0] for letter in first["text"]]
        told["first"] = letters
        first["token_ids"] = [*letters, encoder.end]
        second["token_ids"] = letters
        return rows

    change(run / "branches.jsonl", report)
    one = loaded(run, encoder).examples[0]
    chosen, rejected = (one.branches[i] for i in one.pairs[0][2:4])
    assert chosen.ids == [*told["first"], encoder.end]
    assert rejected.ids == [*encoder.ids(encoder.text(rejected.ids)), encoder.end]


def test_a_branch_that_was_cut_off_has_no_end(run: Path, encoder: Encoder) -> None:
    def cut_off(rows: Rows) -> Rows:
        rows[0]["branches"][1]["finish"] = "length"
        return rows

    change(run / "branches.jsonl", cut_off)
    one = loaded(run, encoder).examples[0]
    assert [b.ids[-1] == encoder.end for b in one.branches[:2]] == [True, False]


def test_a_pair_of_single_steps_has_no_end(run: Path, encoder: Encoder) -> None:
    """Its sides stop in the middle of a path: an end there would teach to stop thinking."""

    def shorten(rows: Rows) -> Rows:
        for row in rows:
            row["level"] = "step"
            for side in ("chosen", "rejected"):
                content = row[side][0]["content"][0]
                lines = content["text"].split("\n")
                if row["cut"] < 5:
                    content["text"] = "\n".join([*lines[: row["cut"] + 1], ""])
        return rows

    change(run / "pairs.jsonl", shorten)
    found = loaded(run, encoder)
    one = found.examples[0]
    assert (found.pairs, list(found.rejects)) == (9, [])
    ends = {pair.cut: one.branches[pair.chosen].ids[-1] == encoder.end for pair in one.pairs}
    assert ends == {0: False, 2: False, 5: True}, "the last cut holds the answer, and so the end"


def test_what_a_benchmark_holds_is_not_trained_on_at_all(run: Path, encoder: Encoder) -> None:
    reject = {"seed_id": "path1", "kind": "risky", "stage": "explore", "detail": "the very picture"}
    (run / "pairs_rejects.jsonl").write_text(json.dumps(reject | {"reason": "in_benchmark"}) + "\n")
    found = loaded(run, encoder)
    assert [example.id for example in found.examples] == ["path0", "path2"]
    assert reasons(found)[("path", "in_benchmark")] == 1


def test_a_path_without_pairs_teaches_its_reference_and_is_nothing_to_dpo(
    run: Path, encoder: Encoder
) -> None:
    change(run / "pairs.jsonl", lambda rows: [row for row in rows if row["path_id"] != "path1"])
    assert [len(e.pairs) for e in loaded(run, encoder).examples] == [3, 0, 3]
    found = loaded(run, encoder, loss="dpo")
    assert [e.id for e in found.examples] == ["path0", "path2"]
    assert reasons(found) == {("path", "no_pair"): 1}


def test_sft_wants_no_pairs(run: Path, encoder: Encoder) -> None:
    (run / "pairs.jsonl").unlink()
    found = loaded(run, encoder, loss="sft")
    assert [len(e.pairs) for e in found.examples] == [0, 0, 0]
    with pytest.raises(ConfigError, match="ssui pairs --run "):
        loaded(run, encoder)


def test_twins_are_held_out_together(run: Path, encoder: Encoder, tmp_path: Path) -> None:
    found = loaded(write_run(tmp_path / "many", paths=10, cuts=(0,)), encoder)
    trained, back = found.held_out(0.4)
    assert {e.seed_id for e in trained}.isdisjoint({e.seed_id for e in back})
    assert (len(trained), len(back)) == (6, 4)
    every, none = found.held_out(0.0)
    assert [e.id for e in every] == [e.id for e in found.examples] and not none
    assert len(found.held_out(0.99)[0]) == 2


# --- bad input: left out, counted, and nothing else is lost ----------------------------------------


def row(number: int, **change: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [r | change if i == number else r for i, r in enumerate(rows)]


def _same_sides(rows: Rows) -> Rows:
    rows[0]["rejected"] = rows[0]["chosen"]
    return rows


def _without_words(rows: Rows) -> Rows:
    rows[1]["chosen"][0]["content"][0]["text"] = rows[1]["prefix"]
    return rows


def _other_beginning(rows: Rows) -> Rows:
    rows[1]["rejected"][0]["content"][0]["text"] = "1. Visual context: something else"
    return rows


def _other_picture(rows: Rows) -> Rows:
    rows[0]["image_ref"]["sha256"] = "0" * 64
    return rows


def _long_branch(rows: Rows) -> Rows:
    rows[2]["rejected"][0]["content"][0]["text"] += " and on" * 200
    return rows


@pytest.mark.parametrize(
    ("edit", "reason", "says"),
    [
        (_same_sides, "chosen_is_rejected", "both say the same"),
        (_without_words, "empty_span", "chosen: no token to count"),
        (_other_beginning, "not_a_prefix", "rejected begins with '1. Visual context: something"),
        (row(1, prefix="1. Visual context: else"), "not_a_prefix", "no longer the path's first 2 steps"),
        (_other_picture, "image_changed", "the pair was made with 00000000"),
        (_long_branch, "branch_too_long", r"tokens; at most 1000 \(max_tokens\)"),
        (lambda rows: [*rows, rows[0]], "duplicate", "the id came before"),
        (row(0, path_id="gone"), "path_not_kept", "not in reasoning_paths.jsonl"),
    ],
)
def test_a_pair_that_is_none_is_left_out(
    run: Path, encoder: Encoder, edit: Callable[[Rows], Rows], reason: str, says: str
) -> None:
    change(run / "pairs.jsonl", edit)
    found = loaded(run, encoder, max_tokens=1000)
    assert reasons(found) == {("pair", reason): 1}
    assert len(found.examples) == 3
    assert found.pairs == (9 if reason == "duplicate" else 8)
    assert re.search(says, found.rejects[0].detail)


def test_a_span_that_is_empty_for_this_loss_is_left_out(run: Path, encoder: Encoder) -> None:
    """The chosen branch was cut off and is the beginning of the rejected one: nothing of it diverges."""

    def shorten(rows: Rows) -> Rows:
        text = rows[0]["rejected"][0]["content"][0]["text"]
        rows[0]["chosen"][0]["content"][0]["text"] = text.rpartition("\n")[0]
        rows[0]["chosen_id"] = "short"
        return rows

    def cut_off(rows: Rows) -> Rows:
        text = rows[0]["branches"][1]["text"].rpartition("\n")[0]
        rows[0]["branches"][0] |= {"id": "short", "text": text, "finish": "length"}
        return rows

    change(run / "pairs.jsonl", shorten)
    change(run / "branches.jsonl", cut_off)
    assert reasons(loaded(run, encoder)) == {}
    assert reasons(loaded(run, encoder, span="diverging")) == {("pair", "empty_span"): 1}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.unlink(), "image_missing"),
        (lambda file: file.write_bytes(file.read_bytes() + b" "), "image_changed"),
    ],
)
def test_a_missing_or_changed_picture_costs_its_path(
    run: Path, encoder: Encoder, spoil: Callable[[Path], object], reason: str
) -> None:
    spoil(run / "seeds" / "pictures" / "1.png")
    found = loaded(run, encoder)
    assert [e.id for e in found.examples] == ["path0", "path2"]
    assert reasons(found) == {("path", reason): 1}
    assert found.rejects[0].detail.endswith("its 3 pairs go with it")


def test_what_is_too_long_is_left_out_and_never_cut(run: Path, encoder: Encoder) -> None:
    longest = max(len(e.prompt.ids) + len(e.reference) for e in loaded(run, encoder).examples)
    with pytest.raises(ConfigError, match=r"nothing to train on is left: 3 path path_too_long"):
        loaded(run, encoder, max_tokens=longest - 50)
    found = loaded(run, encoder, max_row=longest + 200)
    assert 0 < found.pairs < 9
    assert {reason for _, reason in found.reasons} == {"tree_too_long"}


def test_broken_rows_are_counted_and_the_rest_is_trained_on(run: Path, encoder: Encoder) -> None:
    for name in ("reasoning_paths.jsonl", "pairs.jsonl", "branches.jsonl"):
        with (run / name).open("a") as file:
            file.write('{"id": "half\n')
    found = loaded(run, encoder)
    assert (len(found.examples), found.pairs) == (3, 9)
    assert reasons(found) == {("row", "row_invalid"): 3}


def test_rejects_are_written_as_rows(run: Path, encoder: Encoder, tmp_path: Path) -> None:
    change(run / "pairs.jsonl", _same_sides)
    loaded(run, encoder).write_rejects(tmp_path)
    (only,) = [json.loads(line) for line in (tmp_path / "train_rejects.jsonl").read_text().splitlines()]
    assert only == {
        "what": "pair", "id": only["id"], "path_id": "path0", "reason": "chosen_is_rejected",
        "detail": "both say the same",
    }  # fmt: skip


def test_no_run_no_training(tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(ConfigError, match=r"reasoning_paths.jsonl: no such file: .*ssui dataset --run "):
        loaded(tmp_path / "nowhere", encoder)
