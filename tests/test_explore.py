"""`ssui pairs` against a fake server: branches from every cut, judged, resumed, and all kinds of policies."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exploring import (
    PATHS,
    K,
    command,
    cuts,
    details,
    explored,
    fixed,
    goes_on,
    half_benign,
    judge,
    pairs,
    polarities,
    policy,
    prefix_of,
    seldom,
    unless_probed,
    written,
)
from fake_answers import number, prompt_text
from fake_server import Fake, serve
from jobs import Job, job, plain, rows
from PIL import Image

from ssui_gen.cli import main
from ssui_gen.records import digest


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    """A run with paths, and a server that plays policy and judge from here on."""
    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    return todo


def test_every_cut_of_every_path_is_explored_and_paired(made: Job) -> None:
    done = pairs(made)
    assert done.code == 0, done.err
    found = cuts(made)
    assert Counter(cut["path_id"] for cut in found) == {path["id"]: 6 for path in made.paths}
    assert all(cut["prefix"].count("\n") == cut["cut"] for cut in found)
    assert all(cut["prefix"].endswith("\n") for cut in found if cut["cut"])
    assert not any(branch["text"].startswith("\n") for cut in found for branch in cut["branches"])
    assert {"good", "bad"} <= polarities(made).keys()
    assert all(not why or why.startswith("not judged: ") for why in details(made))
    for pair in rows(made.run / "pairs.jsonl"):
        chosen, rejected = (pair[side][0]["content"][0]["text"] for side in ("chosen", "rejected"))
        assert chosen != rejected
        assert chosen.startswith(pair["prefix"]) and rejected.startswith(pair["prefix"])
        assert chosen.endswith("RIGHT.")
    assert f"{len(rows(made.run / 'pairs.jsonl'))} pairs in" in done.out


def test_the_pairs_load_with_datasets(made: Job) -> None:
    from datasets import load_dataset

    pairs(made)
    table = load_dataset("json", data_files=str(made.run / "pairs.jsonl"), cache_dir=str(made.folder / "hf"))
    assert {"images", "prompt", "chosen", "rejected", "margin"} <= set(table["train"].column_names)


def test_paths_that_no_person_has_seen_want_a_word(made: Job, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [word for word in command(made) if word != "--uncurated"]
    with pytest.raises(SystemExit):
        main(asked)
    done = subprocess.run(
        [sys.executable, "-m", "ssui_gen", *asked], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"no person has seen its {PATHS} paths" in done.stderr and "--uncurated`" in done.stderr
    (made.run / "curated.jsonl").write_bytes((made.run / "reasoning_paths.jsonl").read_bytes())
    assert pairs(made).code == 0


def test_a_second_run_has_nothing_to_do_and_pairs_are_made_anew(made: Job, fake: Fake) -> None:
    pairs(made)
    before, calls = cuts(made), fake.calls
    rpo = pairs(made, config={"pairs": {"mode": "rpo"}})
    assert rpo.code == 0, rpo.err
    assert cuts(made) == before and fake.calls == calls
    wanted = sum(_count(cut, "good") * _count(cut, "bad") for cut in before)
    assert len(rows(made.run / "pairs.jsonl")) == wanted > 0


def _count(cut: dict[str, Any], polarity: str) -> int:
    return sum(branch["judgement"]["polarity"] == polarity for branch in cut["branches"])


def test_other_draws_into_the_same_rows_are_refused(made: Job) -> None:
    pairs(made)
    other = pairs(made, config={"explore": {"k": 3}})
    assert other.code == 1
    assert "were made with something else (explore" in other.err


def test_the_root_tells_how_many_draws_the_other_cuts_take(made: Job, fake: Fake) -> None:
    """Every second draw is bad: ten at the root, and a few in one request at each other cut."""
    assert pairs(made).code == 0
    drawn = Counter(cut["draws"] for cut in cuts(made) if cut["cut"])
    assert {cut["draws"] for cut in cuts(made) if not cut["cut"]} == {10}
    assert min(drawn) == 4 and sum(n * count for n, count in drawn.items()) < 0.7 * 10 * 5 * PATHS
    both = [bool(_count(cut, "good") and _count(cut, "bad")) for cut in cuts(made)]
    assert sum(both) >= 0.9 * len(both)


def test_a_judge_is_asked_only_while_a_cut_lacks_a_kind(made: Job, fake: Fake) -> None:
    """And one order is enough where it is sure, but for a tenth that shows what order does."""
    assert pairs(made).code == 0
    drawn = sum(len(cut["branches"]) for cut in cuts(made))
    lazy = sum(len(b["judgement"]["made_by"]) for cut in cuts(made) for b in cut["branches"])
    asked = [b for cut in cuts(made) for b in cut["branches"] if b["judgement"]["made_by"]]
    assert len(asked) < drawn and lazy < 1.4 * len(asked)
    assert any(b["judgement"]["by"]["judge"]["gap"] is not None for b in asked)
    assert all(_count(cut, "good") <= 1 and _count(cut, "bad") <= 1 for cut in cuts(made))


def test_rare_errors_are_looked_for_before_a_path_is_given_up(made: Job, fake: Fake) -> None:
    """A policy that errs in two of a hundred draws: twelve draws find it on a fifth of the paths."""

    def careful(body: dict[str, Any]) -> str:
        rare = body["draw"] % 50 == 0
        return fixed(body, "none" if rare else "dangerous_behavior", "WRONG." if rare else "RIGHT.")

    fake.answers = {"none": careful, "judge: right": judge}
    assert pairs(made).code == 0
    by_path = Counter[str]()
    for cut in cuts(made):
        by_path[cut["path_id"]] += cut["draws"]
    found = {pair["path_id"] for pair in rows(made.run / "pairs.jsonl")}
    assert all(by_path[path["id"]] >= 60 for path in made.paths if path["id"] not in found)
    judged = [b for cut in cuts(made) for b in cut["branches"] if b["judgement"]["made_by"]]
    assert len(judged) <= 3 * 6 * PATHS, "what says the same as before is not judged again"


def test_what_others_spared_goes_to_the_kind_whose_pairs_lack(made: Job, fake: Fake) -> None:
    careful, *never = half_benign(made)
    fake.answers = {"none": seldom(careful, never), "judge: right": judge}
    done = pairs(made, config={"verify": {"by": ["judge"]}})
    assert done.code == 0, done.err
    drawn = Counter[str]()
    for cut in cuts(made):
        drawn[cut["query"]] += cut["draws"]
    again = [text for text in never if drawn[text] == 20 * 6]
    assert again and "benign pairs are rarer" in done.out
    assert all(n <= 60 for text, n in drawn.items() if text not in again)
    assert drawn.total() <= 10 * 6 * PATHS, "k a cut on average, never more"
    assert len({cut["id"] for cut in cuts(made)}) == len(cuts(made)) == 6 * PATHS
    before, calls = cuts(made), fake.calls
    assert pairs(made, config={"verify": {"by": ["judge"]}}).code == 0
    assert cuts(made) == before and fake.calls == calls


def test_where_more_is_wanted_what_waits_is_judged_before_more_is_drawn(made: Job, fake: Fake) -> None:
    pairs(made, "--limit", "2")
    before = {cut["id"]: cut for cut in cuts(made)}
    waiting = {b["id"] for c in before.values() for b in c["branches"] if not b["judgement"]["made_by"]}
    done = pairs(made, "--limit", "2", "--mix", config={"explore": {"enough": 2}})
    assert done.code == 0, done.err
    after = {cut["id"]: cut for cut in cuts(made)}
    assert after.keys() == before.keys() and all(cut["enough"] == 2 for cut in after.values())
    judged = {b["id"] for c in after.values() for b in c["branches"] if b["judgement"]["made_by"]}
    assert judged & waiting
    roots = [(before[id]["draws"], cut["draws"]) for id, cut in after.items() if not cut["cut"]]
    assert set(roots) == {(10, 10)}, "ten draws hold two of each kind"
    assert all(_count(cut, "good") == _count(cut, "bad") == 2 for cut in after.values() if not cut["cut"])


def test_a_server_that_can_holds_branches_to_the_form(made: Job, fake: Fake) -> None:
    """Without it this policy writes prose; a server that cannot is refused in words."""

    def held(body: dict[str, Any]) -> str:
        wanted = body.get("structured_outputs", {}).get("regex", "")
        if "qxz" in wanted:
            return "zqx"
        return policy(body) if wanted else unless_probed(body, "Sure, go on.")

    fake.answers = {"none": held, "judge: right": judge}
    done = pairs(made, "--limit", "1", config={"explore": {"form": "regex"}})
    assert done.code == 0, done.err
    assert "by form: exact 100%" in done.out and rows(made.run / "pairs.jsonl")
    asked = [r for r in fake.requests if "regex" in r.get("structured_outputs", {}) and r.get("n")]
    assert asked and all("Answer: " in r["structured_outputs"]["regex"] for r in asked if "seed" in r)


def test_a_server_that_cannot_hold_a_form_is_refused(made: Job, fake: Fake) -> None:
    done = pairs(made, config={"explore": {"form": "regex"}})
    assert done.code == 1
    assert "branches cannot be held to a form" in done.err and "leave explore.form at free" in done.err


def test_a_judge_who_goes_by_the_order_is_asked_in_both(made: Job, fake: Fake) -> None:
    fake.answers = {"none": policy, "judge: right": "A"}
    done = pairs(made, "--limit", "1", config={"verify": {"by": ["judge"]}})
    assert "judge: of 12 answers it judges 12 by the order of its options" in done.out


def test_without_adaptive_every_cut_has_k_draws_in_one_call(made: Job, fake: Fake) -> None:
    assert pairs(made, config={"explore": {"adaptive": False, "k": K}}).code == 0
    assert {cut["draws"] for cut in cuts(made)} == {K}
    assert fake.counts["none"] == 6 * PATHS
    for cut in cuts(made):
        assert sum(branch["times"] for branch in cut["branches"]) == K


def test_draws_beyond_the_most_of_a_call_take_more_calls(made: Job, fake: Fake) -> None:
    settings = {"explore": {"adaptive": False, "k": 5, "most_n": 2}}
    assert pairs(made, "--limit", "1", config=settings).code == 0
    assert fake.counts["none"] == 6 * 3
    assert {cut["draws"] for cut in cuts(made)} == {5}


def test_a_server_without_n_is_asked_once_for_each_draw(made: Job, fake: Fake) -> None:
    fake.refuses = frozenset({"n"})
    done = pairs(made, config={"explore": {"adaptive": False, "k": K}})
    assert done.code == 0, done.err
    assert "each branch needs a request of its own" in done.out
    assert fake.counts["none"] == 6 * PATHS * K
    assert {cut["draws"] for cut in cuts(made)} == {K}


def test_a_server_that_begins_anew_is_refused_before_the_first_call(made: Job, fake: Fake) -> None:
    before = fake.calls
    anew = "one two three four five six seven"
    fake.answers = {"none": lambda body: anew if "Count from" in prompt_text(body, "user") else policy(body)}
    done = pairs(made)
    assert done.code == 1
    assert "no branch can be drawn from a step prefix" in done.err
    assert fake.calls == before


ALWAYS = {
    "always right": (lambda body: fixed(body, "dangerous_behavior", "RIGHT."), "good"),
    "always wrong": (lambda body: fixed(body, "none", "WRONG."), "bad"),
    "refuses": (lambda body: unless_probed(body, "I cannot help with that."), "unverified"),
    "empty": (lambda body: unless_probed(body, ""), "unverified"),
    "the prefix again": (lambda body: _again(body), "unverified"),
    "in Hindi": (lambda body: unless_probed(body, "१. यह एक गीला फर्श है।\nउत्तर: बाहर दौड़ें।"), "unverified"),
    "a megabyte": (lambda body: unless_probed(body, "1. Visual context: " * 55_000), "unverified"),
    "another form": (lambda body: _in_markdown(body), "good"),
    "endless": (lambda body: unless_probed(body, "and so on " * 400), "unverified"),
}


def _in_markdown(body: dict[str, Any]) -> str:
    """The right path as models like to write it; the judge is shown every word of it."""
    text = fixed(body, "dangerous_behavior", "RIGHT.")
    return unless_probed(body, "Sure!\n\n" + text.replace("Consequences:", "**Consequences**\n"))


def _again(body: dict[str, Any]) -> str:
    return unless_probed(body, prefix_of(body) or "Hm.")


@pytest.mark.slow
@pytest.mark.parametrize("manner", ALWAYS)
def test_a_policy_of_one_kind_gives_no_pair_and_ends_at_the_cap(made: Job, fake: Fake, manner: str) -> None:
    script, polarity = ALWAYS[manner]
    fake.answers = {"none": script, "judge: right": judge}
    done = pairs(
        made, "--limit", "2", config={"explore": {"k": 4, "most_per_cut": 6}, "verify": {"by": ["judge"]}}
    )
    assert done.code == 0, done.err
    assert polarities(made).keys() == {polarity}
    assert max(cut["draws"] for cut in cuts(made)) <= 6
    assert rows(made.run / "pairs.jsonl") == []


@pytest.mark.parametrize(
    ("says", "detail"),
    [("C", "label mass 0.00"), ("A", "orders differ by 1.00")],
    ids=["neither", "one letter"],
)
def test_a_judge_who_does_not_answer_leaves_branches_unverified(
    made: Job, fake: Fake, says: str, detail: str
) -> None:
    fake.answers = {"none": policy, "judge: right": says}
    pairs(made, "--limit", "1", config={"verify": {"by": ["judge"]}})
    assert polarities(made).keys() == {"unverified"} and details(made) == {detail}
    assert rows(made.run / "pairs.jsonl") == []


def test_a_changed_picture_costs_its_paths_and_nothing_else(made: Job) -> None:
    victim = made.paths[0]["image"]["path"]
    Image.new("RGB", (40, 40), "pink").save(made.folder / victim)
    done = pairs(made)
    assert done.code == 0, done.err
    lost = [path["id"] for path in made.paths if path["image"]["path"] == victim]
    rejects = rows(made.run / "pairs_rejects.jsonl")
    assert sorted(reject["seed_id"] for reject in rejects) == sorted(lost)
    assert len({cut["path_id"] for cut in cuts(made)}) == PATHS - len(lost)


def rarely_wrong(benign: dict[str, bool]) -> Callable[[dict[str, Any]], str]:
    """As `policy`, but about `benign` questions only where the value says so, and seldom, wrong."""

    def says(body: dict[str, Any]) -> str:
        asked, dice = prompt_text(body, "user"), body["draw"] % 6
        hope = next((hope for question, hope in benign.items() if question in asked), None)
        if hope is None:
            return policy(body)
        return goes_on(body, *written("none", "WRONG." if hope and dice == 0 else "RIGHT.", dice))

    return says


def two_runs(tmp_path: Path, fake: Fake) -> tuple[Job, Job]:
    """The same paths twice; benign ones are rarely wrong, so that some are drawn from again."""
    todo = job(tmp_path, fake.url, plain(PATHS))
    assert todo.here().code == 0
    texts = [path["query"]["text"] for path in todo.paths if path["kind"] == "benign"]
    benign = {text: place % 3 == 0 for place, text in enumerate(sorted(texts))}
    fake.answers = {"none": rarely_wrong(benign), "judge: right": judge}
    whole = Job(todo.folder, tmp_path / "whole", todo.url)
    whole.run.mkdir()
    (whole.run / "reasoning_paths.jsonl").write_bytes((todo.run / "reasoning_paths.jsonl").read_bytes())
    assert "benign pairs are rarer" in pairs(whole).out
    return todo, whole


def begun(todo: Job) -> subprocess.Popen[str]:
    command_ = [sys.executable, "-m", "ssui_gen", *command(todo)]
    return subprocess.Popen(command_, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def kill(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.communicate()


def assert_same(todo: Job, whole: Job) -> None:
    assert sorted(map(digest, cuts(todo))) == sorted(map(digest, cuts(whole)))
    assert (todo.run / "pairs.jsonl").read_bytes() == (whole.run / "pairs.jsonl").read_bytes()


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_rows(tmp_path: Path) -> None:
    with serve(latency=0.02) as fake:
        todo, whole = two_runs(tmp_path, fake)
        for moment in range(16):
            child = begun(todo)
            time.sleep(1.0 + number("moment", moment) % 1500 / 1000)
            kill(child)
        assert pairs(todo).code == 0
        assert_same(todo, whole)


@pytest.mark.slow
def test_killed_when_all_was_drawn_once_it_asks_the_server_as_before(tmp_path: Path) -> None:
    """A picture to ask about is then one of those that are drawn from again."""
    with serve(latency=0.1) as fake:
        todo, whole = two_runs(tmp_path, fake)
        child = begun(todo)
        assert child.stdout and any("are drawn from again" in line for line in child.stdout)
        kill(child)
        done = pairs(todo)
        assert "renders each prefix as it stands" in done.out and "are drawn from again" in done.out
        assert json.loads((todo.run / "pairs.json").read_text())["features"]["policy"]["file_urls"]
        assert_same(todo, whole)


@pytest.mark.slow
def test_with_a_fifth_of_the_calls_failing_every_path_ends(made: Job, fake: Fake) -> None:
    fake.fail_share = 0.2
    done = pairs(made)
    assert done.code == 0, done.err
    rejected = {reject["seed_id"] for reject in rows(made.run / "pairs_rejects.jsonl")}
    assert {cut["path_id"] for cut in cuts(made)} | rejected == {path["id"] for path in made.paths}
