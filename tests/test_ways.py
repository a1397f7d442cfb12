"""F's ways that ask a model, against a fake one: options in both orders, steps, doubts; guards in a run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from exploring import cuts, details, explored, judge, pairs, polarities, policy
from fake_answers import prompt_text
from fake_server import Fake
from jobs import Job, rows
from PIL import Image
from test_verify import path, steps

from ssui_gen.branches import Judgement
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.calling.calls import Caller
from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.gate import Gate
from ssui_gen.calling.journal import Journal
from ssui_gen.calling.pictures import Pictures
from ssui_gen.config import Verify
from ssui_gen.images import inspect
from ssui_gen.judging.choosing import JudgeModel
from ssui_gen.judging.questions import places
from ssui_gen.prompts import Prompt, home, load_prompt
from ssui_gen.settings import ImageLimits
from ssui_gen.verifying.first_bad_step import FirstBadStep, own
from ssui_gen.verifying.judge import Judge
from ssui_gen.verifying.verify import Case

PROMPTS = home() / "prompts"
BOTH = Verify(orders="both")


class Bench:
    """A way of F over a fake server, and one branch to judge."""

    def __init__(self, folder: Path, fake: Fake) -> None:
        Image.new("RGB", (8, 8), "teal").save(folder / "a.png")
        limits = ImageLimits()
        self.path = path().model_copy(update={"image": inspect(folder, "a.png", limits)})
        self.fake, self.pictures = fake, Pictures(folder, limits, 4)
        self.journal = Journal(folder / "calls.sqlite")

    def says(self, kind: Any, settings: Verify, prompt: str | None, cut: int, sees: bool = True) -> Judgement:
        return asyncio.run(self._says(kind, settings, prompt, cut, sees))

    async def _says(self, kind: Any, settings: Verify, prompt: str | None, cut: int, sees: bool) -> Judgement:
        client = ChatClient([self.fake.url], api_key="", timeout_seconds=20, tries=2, pause_seconds=0.01)
        caller = Caller(client, self.journal, Gate(4))
        found: Prompt | None = load_prompt(PROMPTS / f"{prompt}.md") if prompt else None
        try:
            said: Judgement = await kind(
                JudgeModel(caller, "fake-vlm", found, self.pictures.of, sees), settings
            )(self.case(cut))
        finally:
            await client.aclose()
        return said

    def case(self, cut: int) -> Case:
        whole = render_path(steps("dangerous_behavior"), "Careful.")
        return Case(self.path, cut, whole.removeprefix(prefix_at(self.path.steps, cut)), "stop")


@pytest.fixture
def bench(tmp_path: Path, fake: Fake) -> Iterator[Bench]:
    made = Bench(tmp_path, fake)
    with closing(made.journal):
        yield made


def picks(option: str) -> Any:
    """A model that picks this option wherever it stands."""

    def answer(body: dict[str, Any]) -> str:
        lines = prompt_text(body, "user").splitlines()
        return next((line[0] for line in lines if line[1:] == f". {option}"), "?")

    return answer


# --- options in both orders --------------------------------------------------------------------------


def test_a_judge_who_picks_the_same_option_in_both_orders_is_believed(bench: Bench) -> None:
    bench.fake.answers = {"judge: right": picks("right")}
    said = bench.says(Judge, BOTH, "judge", 2)
    assert said.polarity == "good" and said.probability == pytest.approx(1.0)
    assert said.by["picked"] == ("right", "right") and said.by["mass"] == pytest.approx(0.9)
    assert len(set(said.made_by)) == 2, "two orders, two calls"


def test_a_judge_who_cannot_decide_is_not_believed(bench: Bench) -> None:
    """Its probability is 1, since the other letter has none; a threshold of 0.95 is too near to that."""
    bench.fake.answers = {"judge: right": picks("right")}
    said = bench.says(Judge, Verify(threshold=0.95), "judge", 2)
    assert (said.polarity, said.detail) == ("unverified", "undecided")
    assert bench.says(Judge, Verify(threshold=0.95, doubt=0.01), "judge", 2).polarity == "good"


def test_a_word_that_begins_with_a_letter_is_no_option(bench: Bench) -> None:
    bench.fake.answers = {"judge: right": "Answer"}
    said = bench.says(Judge, Verify(), "judge", 2)
    assert (said.polarity, said.detail) == ("unverified", "label mass 0.00")


def test_without_log_probabilities_both_orders_must_say_the_same(bench: Bench) -> None:
    bench.fake.mute = True
    bench.fake.answers = {"judge: right": picks("wrong")}
    said = bench.says(Judge, Verify(), "judge", 2)
    assert (said.polarity, said.probability, said.detail) == ("bad", None, "no log-probabilities")
    bench.fake.answers = {"judge: first_bad": "A"}
    said = bench.says(FirstBadStep, Verify(by=("first_bad_step",)), "judge", 2)
    assert said.polarity == "unverified" and "the orders say" in said.detail


def test_without_log_probabilities_what_is_no_option_is_no_verdict(bench: Bench) -> None:
    bench.fake.mute = True
    bench.fake.answers = {"judge: right": "I am not sure."}
    said = bench.says(Judge, Verify(), "judge", 2)
    assert said.polarity == "unverified" and "the orders say 'I', 'I'" in said.detail


# --- the first bad step ------------------------------------------------------------------------------


def test_only_what_comes_after_the_cut_can_be_wrong() -> None:
    assert places(6) == ("none", *(f"step {n}" for n in range(1, 7)), "answer")
    assert places(6, after=4) == ("none", "step 5", "step 6", "answer")
    assert (own(4), own(5)) == (("step 5",), ("step 6", "answer"))


@pytest.mark.parametrize(
    ("level", "wrong", "polarity"),
    [
        ("outcome", "none", "good"),
        ("outcome", "step 3", "bad"),
        ("outcome", "answer", "bad"),
        ("step", "none", "good"),
        ("step", "step 3", "bad"),
        ("step", "step 4", "good"),
        ("step", "answer", "good"),
    ],
)
def test_by_outcome_any_fault_counts_by_step_only_the_first_step_s(
    bench: Bench, level: str, wrong: str, polarity: str
) -> None:
    bench.fake.answers = {"judge: first_bad": picks(wrong)}
    settings = Verify(by=("first_bad_step",), level=level, orders="both")  # type: ignore[arg-type]
    said = bench.says(FirstBadStep, settings, "judge", 2)
    assert said.polarity == polarity
    assert said.by["picked"] == (wrong, wrong)


# --- in a run ----------------------------------------------------------------------------------------


@pytest.fixture
def made(fake: Fake, tmp_path: Path) -> Job:
    return explored(tmp_path, fake.url)


def test_by_step_a_pair_holds_the_step_after_the_cut_and_nothing_behind_it(made: Job, fake: Fake) -> None:
    """Step 5 of a bad draw says another number; the fake judge calls numbers over 2 wrong."""

    def checker(body: dict[str, Any]) -> str:
        user = prompt_text(body, "user")
        wrong = any(f"Nothing much, {salt}." in user for salt in (3, 4, 5))
        return str(picks("step 5" if wrong and ". step 5" in user else "none")(body))

    fake.answers = {"none": policy, "judge: first_bad": checker}
    settings = {"verify": {"by": ["first_bad_step"], "level": "step"}, "explore": {"k": 8, "adaptive": False}}
    done = pairs(made, "--limit", "2", config=settings)
    assert done.code == 0, done.err
    found = rows(made.run / "pairs.jsonl")
    assert {pair["cut"] for pair in found} == {4} and {pair["level"] for pair in found} == {"step"}
    for pair in found:
        chosen, rejected = (pair[side][0]["content"][0]["text"] for side in ("chosen", "rejected"))
        assert chosen.removeprefix(pair["prefix"]).strip().startswith("5. Consequences: Nothing much, ")
        assert chosen.count("\n") == rejected.count("\n") == 5, "five steps, no sixth and no answer"


def test_a_guard_beside_the_label(made: Job, fake: Fake) -> None:
    """The guard's request is told from the policy's by its closed last turn."""

    def both(body: dict[str, Any]) -> str:
        last = body["messages"][-1]
        if last["role"] == "assistant" and "continue_final_message" not in body:
            return "unsafe" if "WRONG" in last["content"] else "safe"
        return policy(body)

    fake.answers = {"none": both}
    settings = {"verify": {"by": ["label", "guard"]}, "explore": {"adaptive": False, "k": 4}}
    done = pairs(made, "--limit", "2", config=settings)
    assert done.code == 0, done.err
    assert polarities(made).keys() == {"good", "bad"}
    judged = [b["judgement"]["by"] for cut in cuts(made) for b in cut["branches"]]
    assert {tuple(by) for by in judged} == {("label", "guard"), ("label",)}


def test_by_default_a_policy_that_names_no_class_has_good_and_bad_branches_from_the_root_on(
    made: Job, fake: Fake
) -> None:
    """Its step 4 says what an untrained model would; the label abstains, and the judge decides."""

    def untrained(body: dict[str, Any]) -> str:
        return re.sub(r"A plain wish: \w+", "The intent is kind; the risk is a bad fall", policy(body))

    fake.answers = {"none": untrained, "judge: right": judge}
    done = pairs(made, "--limit", "2", config={"explore": {"adaptive": False, "k": 6}})
    assert done.code == 0, done.err
    at_root = [b["judgement"] for cut in cuts(made) if cut["cut"] == 0 for b in cut["branches"]]
    assert {judgement["polarity"] for judgement in at_root} == {"good", "bad"}
    assert {judgement["by"]["label"]["polarity"] for judgement in at_root} == {"abstains"}
    assert {judgement["detail"] for judgement in at_root} == {""}, "who abstains is in `by`"
    assert {pair["cut"] for pair in rows(made.run / "pairs.jsonl")} >= {0, 1, 2, 3}


def test_a_judge_without_log_probabilities_is_taken_at_its_word(made: Job, fake: Fake) -> None:
    fake.mute = True
    fake.answers = {"none": policy, "judge: right": picks("right")}
    settings = {"verify": {"by": ["judge"]}, "explore": {"adaptive": False, "k": 4}}
    done = pairs(made, "--limit", "1", config=settings)
    assert "verdicts carry no probability" in done.out
    assert polarities(made).keys() == {"good"} and details(made) == {"no log-probabilities"}


@pytest.mark.parametrize(
    ("verify", "says"),
    [
        ({"level": "step"}, r"level step wants by: \[first_bad_step\].*by is \['label', 'judge'\]"),
        ({"by": []}, "at least 1 item"),
        ({"by": ["oracle"]}, "'label', 'contains', 'mcq', 'judge', 'first_bad_step' or 'guard'"),
        ({"by": ["guard"], "guard": {"prompt": "none"}}, r"verify\.guard\.prompt: no prompts/none\.md"),
    ],
)
def test_settings_of_f_that_make_no_sense_are_refused(made: Job, verify: dict[str, Any], says: str) -> None:
    done = pairs(made, config={"verify": verify})
    assert done.code == 1
    assert re.search(says, done.err), done.err
