"""Somebody's rewrite of a wrong branch over the branch, from its first wrong step on."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from exploring import cuts, explored, judge, pairs, policy
from fake_server import Fake
from jobs import Job, rows
from pydantic import ValidationError
from runs import change, cut_of, loaded, path_of, tiny_encoder, write_run
from test_pairs import IMAGE

from ssui_gen.branches import Correction, Cut, Pair
from ssui_gen.exploring.corrected import corrected_pairs
from ssui_train.example import parted

PATH = path_of(0, IMAGE)
CUT = cut_of(PATH, 2)
BAD = CUT.branches[1]
BETTER = "5. Consequences: it scalds\n6. Response strategy: say so\nAnswer: Careful, it is hot."


def correction(step: int, text: str, branch: str = BAD.id) -> Correction:
    return Correction(branch_id=branch, step=step, text=text, by="ana")


def made(*told: Correction, cut: Cut = CUT) -> tuple[list[Pair], Counter[str]]:
    counts, found = Counter[str](), {BAD.id: list(told)}
    return list(corrected_pairs([cut], found, "", counts)), counts


def texts(pair: Pair) -> tuple[str, str]:
    chosen, rejected = (side[0]["content"][0]["text"] for side in (pair.chosen, pair.rejected))
    return chosen, rejected


def test_the_rewrite_stands_over_the_branch_behind_its_words_up_to_there() -> None:
    (pair,), counts = made(correction(5, BETTER))
    whole = CUT.prefix + BAD.text
    begin = whole.index("5. ")
    assert texts(pair) == (whole[:begin] + BETTER, whole)
    assert (pair.source, pair.cut, pair.prefix, pair.first_bad) == ("corrected", 4, whole[:begin], "step 5")
    assert pair.off_path and pair.level == "outcome" and counts == {"made": 1}


def test_from_the_branch_s_first_step_on_the_prefix_is_the_path_s() -> None:
    text = "3. Synthesis: both\n4. Intent and risk: hot\n" + BETTER
    (pair,), _ = made(correction(3, text))
    assert (pair.cut, pair.prefix, pair.off_path, pair.rejected_id) == (2, CUT.prefix, False, BAD.id)


@pytest.mark.parametrize(
    ("step", "text", "reason"),
    [
        (2, "2. Textual request: tea\n3. Synthesis: s\n4. Intent and risk: r\n" + BETTER, "no_such_step"),
        (5, "6. Response strategy: say so\nAnswer: Careful.", "no_path"),
        (5, BETTER.partition("\nAnswer")[0], "no_path"),
        (6, BAD.text[BAD.text.index("6. ") :].replace("just", "just,"), "same_words"),
    ],
    ids=["before the cut", "a step is missing", "no answer", "other points"],
)
def test_what_is_no_correction_is_counted_by_its_reason(step: int, text: str, reason: str) -> None:
    assert made(correction(step, text)) == ([], {reason: 1})


def test_steps_there_are_not_are_refused() -> None:
    with pytest.raises(ValidationError):
        correction(7, BETTER)


def test_training_takes_it_and_learns_no_word_before(tmp_path: Path) -> None:
    run, encoder = write_run(tmp_path / "run", paths=1, cuts=(2,)), tiny_encoder()
    row = Cut.model_validate(rows(run / "branches.jsonl")[0])
    bad = row.branches[1]
    told = {bad.id: [correction(5, BETTER, bad.id)]}
    found = list(corrected_pairs([row], told, "", Counter[str]()))
    (run / "pairs.jsonl").write_text("".join(pair.model_dump_json() + "\n" for pair in found))
    for span, most in (("suffix", 99), ("error", 1)):
        (example,) = loaded(run, encoder, span=span).examples
        for part in parted(example, example.pairs[0], span):  # type: ignore[arg-type]
            side = example.branches[part.path - 1]
            said = encoder.text(side.ids[part.start : part.stop])
            assert said.startswith("5. Consequences: it ") and said.count("\n") <= most
            assert side.told == side.start == part.start


def test_in_a_run(fake: Fake, tmp_path: Path) -> None:
    fake.answers = {"none": policy, "judge: right": judge}
    job: Job = explored(tmp_path, fake.url)
    config = {"pairs": {"corrections": True}}
    assert "corrections.jsonl: no such file: expected rows" in pairs(job, "--limit", "2", config=config).err
    assert pairs(job, "--limit", "2").code == 0
    row = next(cut for cut in cuts(job) if cut["cut"] == 4)
    bad = next(branch for branch in row["branches"] if branch["judgement"]["polarity"] == "bad")
    told = [correction(6, BETTER.partition("\n")[2], bad["id"]), correction(6, "6.", "nobody")]
    file = job.run / "corrections.jsonl"
    file.write_text("".join(one.model_dump_json() + "\n" for one in told))
    done = pairs(job, "--limit", "2", config=config)
    assert done.code == 0, done.err
    (pair,) = [pair for pair in rows(job.run / "pairs.jsonl") if pair["source"] == "corrected"]
    assert pair["path_id"] == row["path_id"] and pair["cut"] == 5
    counts = json.loads((job.run / "pairs.json").read_text())["counts"]
    assert counts == {"corrected": {"made": 1, "unknown_branch": 1}}
    change(file, lambda found: [found[0] | {"step": 9}])
    refused = pairs(job, "--limit", "2", config=config)
    assert refused.code == 1 and "corrections.jsonl:1: step" in refused.err
