"""What cannot be trained on costs one row, with a reason, and never the training."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from runs import change, loaded, tiny_encoder, write_run
from tiny_families import tiny

from ssui_gen.errors import ConfigError
from ssui_train.encode import Encoder
from ssui_train.example import parted

Rows = list[dict[str, Any]]
Edit = Callable[[Rows], Rows]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny_encoder()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


def said(row: dict[str, Any], side: str) -> dict[str, Any]:
    content: dict[str, Any] = row[side][0]["content"][0]
    return content


# --- paths -----------------------------------------------------------------------------------------


def in_step(rows: Rows) -> Rows:
    rows[1]["steps"][2]["text"] = "both meet in the <image>"
    return rows


def in_question(rows: Rows) -> Rows:
    rows[1]["query"]["text"] = "what now? <|im_end|>\n<|im_start|>assistant"
    return rows


def in_answer(rows: Rows) -> Rows:
    rows[1]["answer"] = "Careful.<|endoftext|>"
    return rows


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (in_step, "the path: '<image>' stands in it as words"),
        (in_question, r"the question: '<\|im_end\|>', '<\|im_start\|>' stands in it as words"),
        (in_answer, r"the path: '<\|endoftext\|>' stands in it as words"),
    ],
)
def test_a_mark_written_as_words_costs_its_path(run: Path, encoder: Encoder, edit: Edit, says: str) -> None:
    change(run / "reasoning_paths.jsonl", edit)
    found = loaded(run, encoder)
    assert [example.id for example in found.examples] == ["path0", "path2"]
    assert dict(found.reasons) == {("path", "mark_as_words"): 1}
    assert re.search(says, found.rejects[0].detail)
    assert found.rejects[0].detail.endswith("its 3 pairs go with it")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ratio", "reason", "says"),
    [
        (30, "image_too_thin", "900 × 3 pixels; one side at most 30 times the other"),
        (999, "image_or_text_unfit", "aspect ratio must be smaller than 200"),
    ],
)
def test_a_picture_too_thin_costs_its_path(run: Path, ratio: int, reason: str, says: str) -> None:
    """Qwen's processor refuses more than 200 times as long as wide, where the run's limits let it by."""
    manifest = json.loads((run / "pairs.json").read_text())
    (run / "pairs.json").write_text(json.dumps(manifest | {"settings": {"images": {"max_ratio": ratio}}}))
    model, processor = tiny("qwen2_5_vl")
    file = run / "seeds" / "pictures" / "1.png"
    Image.new("RGB", (900, 3), "teal").save(file)
    sha = hashlib.sha256(file.read_bytes()).hexdigest()

    def thin(rows: Rows) -> Rows:
        rows[1]["image"] |= {"sha256": sha, "width": 900, "height": 3}
        return rows

    change(run / "reasoning_paths.jsonl", thin)
    found = loaded(run, Encoder(processor, model))
    assert [example.id for example in found.examples] == ["path0", "path2"]
    assert dict(found.reasons) == {("path", reason): 1}
    assert says in found.rejects[0].detail


# --- pairs -----------------------------------------------------------------------------------------


def mark_in_branch(rows: Rows) -> Rows:
    said(rows[1], "rejected")["text"] += "<|im_end|>"
    return rows


def placeholder_in_branch(rows: Rows) -> Rows:
    said(rows[1], "chosen")["text"] += "\nAnswer: see <image>."
    return rows


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (mark_in_branch, r"rejected: '<\|im_end\|>' stands in it as words"),
        (placeholder_in_branch, "chosen: '<image>' stands in it as words"),
    ],
)
def test_a_mark_in_a_branch_costs_its_pair(run: Path, encoder: Encoder, edit: Edit, says: str) -> None:
    change(run / "pairs.jsonl", edit)
    found = loaded(run, encoder)
    assert (len(found.examples), found.pairs) == (3, 8)
    assert dict(found.reasons) == {("pair", "mark_as_words"): 1}
    assert re.search(says, found.rejects[0].detail)


def test_a_branch_whose_text_tokens_change_costs_its_pair(run: Path) -> None:
    """A tokenizer that writes é in one way meets one written in the other."""
    from tokenizers import normalizers

    model, processor = tiny("llava")
    processor.tokenizer.backend_tokenizer.normalizer = normalizers.NFC()

    def other_form(rows: Rows) -> Rows:
        said(rows[1], "chosen")["text"] += " cafe\u0301"
        return rows

    change(run / "pairs.jsonl", other_form)
    found = loaded(run, Encoder(processor, model))
    assert (len(found.examples), found.pairs) == (3, 8)
    assert dict(found.reasons) == {("pair", "text_changed"): 1}
    assert found.rejects[0].detail.endswith(r"move it. caf\xe9' where it says 'areful, move it. cafe\u0301'")


def test_a_branch_that_grows_into_the_prefix_costs_its_pair(run: Path) -> None:
    """Where two line breaks are one token, a branch that begins with one leaves no place for the cut."""
    from tiny_llava import tiny_tokenizer

    model, processor = tiny("llava")
    processor.tokenizer.add_tokens(["\n\n"])
    assert len(processor.tokenizer.encode("\n\n")) == 1
    assert tiny_tokenizer().encode("\n\n") != processor.tokenizer.encode("\n\n")

    def blank_line(rows: Rows) -> Rows:
        side = said(rows[1], "rejected")
        side["text"] = side["text"].replace(rows[1]["prefix"], rows[1]["prefix"] + "\n")
        return rows

    change(run / "pairs.jsonl", blank_line)
    found = loaded(run, Encoder(processor, model))
    assert (len(found.examples), found.pairs) == (3, 8)
    assert dict(found.reasons) == {("pair", "inside_a_token"): 1}
    assert re.search(r"the tokens are \['\\n'\]; followed by this branch .*'\\n\\n'", found.rejects[0].detail)


def without_break(rows: Rows) -> Rows:
    for row in rows:
        row["prefix"] = row["prefix"].removesuffix("\n")
    return rows


def test_pairs_of_before_the_line_break_name_the_command(run: Path, encoder: Encoder) -> None:
    change(run / "pairs.jsonl", lambda rows: [*without_break(rows[1:2]), *rows[2:]])
    found = loaded(run, encoder)
    assert dict(found.reasons) == {("pair", "prefix_without_break"): 1}
    assert "make pairs" in found.rejects[0].detail


def test_where_no_pair_is_left_nothing_is_trained(run: Path, encoder: Encoder) -> None:
    """Not the paths alone in the name of a loss of pairs."""
    change(run / "pairs.jsonl", lambda rows: without_break([row for row in rows if row["cut"]]))
    with pytest.raises(
        ConfigError, match=r"no pair is left: 6 pair prefix_without_break.*`ssui pairs --run "
    ):
        loaded(run, encoder)
    assert loaded(run, encoder, loss="sft").pairs == 0


# --- spans -----------------------------------------------------------------------------------------


def same_first_step(rows: Rows) -> Rows:
    """The sides of the second pair part only after their first step."""
    first, *rest = said(rows[1], "chosen")["text"][len(rows[1]["prefix"]) :].split("\n")
    text = "\n".join([first, *rest[:-1], "Answer: Sure, just go on."])
    said(rows[1], "rejected")["text"] = rows[1]["prefix"] + text
    rows[1]["rejected_id"] = "late"
    return rows


def test_pairs_that_are_equal_in_what_counts_are_left_out(run: Path, encoder: Encoder) -> None:
    """Of Step-DPO, which counts the first step alone, a pair that errs later teaches nothing."""
    change(run / "pairs.jsonl", same_first_step)
    assert dict(loaded(run, encoder).reasons) == {}
    found = loaded(run, encoder, loss="step_dpo")
    assert dict(found.reasons) == {("pair", "equal_spans"): 1}
    assert "in the span `step` both are '3. Synthesis: both meet 0 0" in found.rejects[0].detail


def in_two_lines(rows: Rows) -> Rows:
    for row in rows:
        for side in ("chosen", "rejected"):
            text = said(row, side)
            text["text"] = text["text"].replace(": they overlook", ":\n- they mean well\n- they overlook")
            text["text"] = text["text"].replace("Synthesis: both meet", "Synthesis:\nboth\n\nmeet")
    return rows


def test_a_step_ends_where_the_next_begins(run: Path, encoder: Encoder) -> None:
    change(run / "pairs.jsonl", lambda rows: in_two_lines(rows[:3]))
    one = loaded(run, encoder, span="step").examples[0]
    spans = {}
    for pair in one.pairs:
        part = parted(one, pair, "step")[0]
        spans[pair.cut] = encoder.text(one.branches[pair.chosen].ids[part.start : part.stop])
    assert spans[0] == "1. Visual context: the kettle is here 0 0\n"
    assert spans[2] == "3. Synthesis:\nboth\n\nmeet 0 0\n"


def test_at_the_last_cut_the_step_has_its_answer_and_its_end(run: Path, encoder: Encoder) -> None:
    one = loaded(run, encoder, span="step").examples[0]
    last = next(pair for pair in one.pairs if pair.cut == 5)
    for part in parted(one, last, "step"):
        side = one.branches[part.path - 1]
        assert part.stop == len(side.ids)
        assert side.ids[-1] == encoder.end
        assert "\nAnswer: " in encoder.text(side.ids[part.start : part.stop])


def test_the_end_that_was_sampled_is_trained(run: Path, encoder: Encoder) -> None:
    """Not the template's, where the server reports another."""
    other = encoder.tokenizer.convert_tokens_to_ids("<|endoftext|>")

    def ended(rows: Rows) -> Rows:
        branch = rows[0]["branches"][0]
        branch["token_ids"] = [*encoder.ids(branch["text"]), other]
        return rows

    change(run / "branches.jsonl", ended)
    one = loaded(run, encoder).examples[0]
    ends = [one.branches[side].ids[-1] for side in one.pairs[0][2:4]]
    assert ends == [other, encoder.end]


def test_a_person_s_last_step_ends(run: Path, encoder: Encoder) -> None:
    """An edit has no branch; its last step holds the answer, so the response is over."""

    def edits(rows: Rows) -> Rows:
        return [
            row | {"level": "step", "source": "edit", "chosen_id": "a", "rejected_id": "b"}
            for row in rows[:3]
        ]

    change(run / "pairs.jsonl", edits)
    one = loaded(run, encoder).examples[0]
    assert [one.branches[pair.chosen].ids[-1] == encoder.end for pair in one.pairs] == [False, False, True]


def test_every_reject_is_a_row(run: Path, encoder: Encoder, tmp_path: Path) -> None:
    change(run / "reasoning_paths.jsonl", in_step)
    change(run / "pairs.jsonl", mark_in_branch)
    loaded(run, encoder).write_rejects(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "train_rejects.jsonl").read_text().splitlines()]
    assert [(row["what"], row["reason"]) for row in rows] == [
        ("pair", "mark_as_words"),
        ("path", "mark_as_words"),
    ]
