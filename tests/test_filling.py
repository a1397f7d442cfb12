"""Quotas that are filled: never more than wanted, all where enough comes, and no seed begun for nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections import Counter
from random import Random
from typing import Any

from curating import record
from fake_answers import prompt_text
from fake_server import Fake
from hypothesis import given
from hypothesis import strategies as st
from jobs import Job, plain
from sharded import Sharded
from test_wanting import asked, steered

from ssui_gen.jobs.filling import Filling
from ssui_gen.quotas import out_of_reach
from ssui_gen.records import Reason, ReasoningPath, Reject
from ssui_gen.replies import ReasoningReply
from ssui_gen.taxonomy import classes

IDS = [one.id for one in classes()][:4]
QUOTAS = st.dictionaries(st.sampled_from(IDS), st.integers(1, 6), min_size=1)


def path(category: str, number: int) -> ReasoningPath:
    made = record(str(number))
    return made.model_copy(update={"query": made.query.model_copy(update={"category": category})})


def reject(number: int) -> Reject:
    told: dict[str, Any] = {"kind": "risky", "stage": "query", "reason": Reason.CLASS_DOES_NOT_FIT}
    return Reject(seed_id=str(number), detail="", **told)


@given(QUOTAS, st.integers(0, 60), st.floats(0, 0.9), st.integers(1, 9), st.integers())
def test_however_items_come_and_fail_no_class_gets_too_many_and_none_is_left_out_that_could_be_filled(
    quotas: dict[str, int], items: int, failing: float, at_once: int, seed: int
) -> None:
    rng = Random(seed)
    filling, begun = Filling(quotas, {}), Counter[str]()

    def wants(full: frozenset[str]) -> str | None:
        return next((name for name in quotas if name not in full), None)

    async def one(number: int, some: asyncio.Semaphore) -> None:
        async with some, filling.place(wants) as full:
            if full is None:
                begun["not"] += 1
                return
            wanted = wants(full)
            assert wanted
            begun[wanted] += 1
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)
            filling.count(reject(number) if rng.random() < failing else path(wanted, number))

    async def every() -> None:
        some = asyncio.Semaphore(at_once)
        await asyncio.wait_for(asyncio.gather(*(one(number, some) for number in range(items))), 30)

    asyncio.run(every())
    assert all(filling.rows[name] <= quota for name, quota in quotas.items())
    assert filling.passed == begun["not"] and begun.total() == items
    assert filling.done or not filling.passed, "whoever was passed over was so as all were full"


def test_whoever_waits_is_let_go_when_the_run_stops_and_who_is_under_way_ends() -> None:
    filling, begun, ended = Filling({"violence": 1}, {}), list[bool](), list[int]()

    async def one(number: int) -> None:
        async with filling.place(lambda full: None if full else "violence") as full:
            begun.append(full is not None)
            await asyncio.sleep(0.01 if full is not None else 0)
            ended.append(number)

    async def every() -> None:
        many = [asyncio.create_task(one(number)) for number in range(9)]
        await asyncio.sleep(0)
        filling.close()
        await asyncio.wait_for(asyncio.gather(*many), 30)

    asyncio.run(every())
    assert Counter(begun) == {True: 1, False: 8} and ended[-1] == 0 and not filling.passed


def test_rows_of_classes_that_nobody_wants_bring_no_quota_nearer() -> None:
    assert list(out_of_reach({"violence": 20}, {"self_harm": 20}, 5))
    assert list(out_of_reach({"violence": 2, "self_harm": 4}, {"violence": 9}, 3))
    assert not list(out_of_reach({"violence": 2, "self_harm": 4}, {"violence": 9}, 4))


# --- a run -------------------------------------------------------------------------------------------------

WORDS = dict.fromkeys(ReasoningReply.model_fields, "words")


def _fits(body: dict[str, Any]) -> str:
    """The Query agent finds the wanted class, but for one item in four."""
    found = re.search(r"Wanted class: (\w+):", prompt_text(body, "system"))
    wanted = found[1] if found else "none"
    return json.dumps(
        asked(f"A question {body['draw']}?", "misinformation" if body["draw"] % 4 == 3 else wanted)
    )


def _arrives(body: dict[str, Any]) -> dict[str, str]:
    told = re.search(r"\b(violence|self_harm|none)\b", prompt_text(body, "user"))
    return WORDS | {"intent_and_risk": f"A hidden risk: {told[1] if told else 'none'}."}


def filled(folder: Any, fake: Fake, seeds: list[dict[str, Any]], **quotas: int) -> Job:
    fake.answers = {"query": _fits, "reasoning": _arrives}
    return steered(folder, fake.url, seeds, {"classes": quotas, "fill": True, "misfit": "reject"})


def risky(made: Job) -> Counter[str]:
    return Counter(row["query"]["category"] for row in made.paths if row["kind"] == "risky")


def test_a_run_ends_when_its_classes_have_their_rows_and_goes_on_for_more(fake: Fake, tmp_path: Any) -> None:
    made = filled(tmp_path, fake, plain(24, kind="risky"), violence=3, self_harm=4)
    end = made.here()
    assert end.code == 0, end.err
    assert risky(made) == {"violence": 3, "self_harm": 4}
    begun = len(made.paths) + len(made.rejects)
    assert f"Every class has its rows: {24 - begun} seeds were not begun" in end.out
    calls = fake.calls
    assert made.here().code == 0 and fake.calls == calls, "nothing is wanted any more"
    more = filled(tmp_path, fake, plain(24, kind="risky"), violence=5, self_harm=4).here()
    assert more.code == 0, more.err
    assert risky(made) == {"violence": 5, "self_harm": 4}, "other numbers are no other make"


def test_twins_of_seeds_that_are_not_begun_are_not_made_and_own_texts_are(fake: Fake, tmp_path: Any) -> None:
    own: dict[str, Any] = {"id": "own", "image": "1.png", "text": "May I?", "kind": "benign"}
    made = filled(tmp_path, fake, [*plain(9), own], violence=2)
    end = made.here()
    assert end.code == 0, end.err
    kinds = {row["seed_id"]: row["kind"] for row in [*made.paths, *made.rejects]}
    assert risky(made) == {"violence": 2} and "own" in kinds
    assert len(kinds) < 10, "seeds are left"


def test_what_was_made_before_a_stop_counts(fake: Fake, tmp_path: Any) -> None:
    made = filled(tmp_path, fake, plain(24, kind="risky"), violence=3, self_harm=3)
    made.here("--limit", "4")
    before = risky(made)
    assert 0 < before.total() < 6
    made.here()
    assert risky(made) == {"violence": 3, "self_harm": 3}


def test_a_dry_run_says_that_it_may_end_before_and_shards_are_refused(fake: Fake, tmp_path: Any) -> None:
    made = filled(tmp_path, fake, plain(8, kind="risky"), violence=1)
    dry = made.here("--dry")
    assert dry.code == 0 and "it ends when every class has its rows" in dry.out
    calls = fake.calls
    many = Sharded(made, 2, tmp_path / "big")
    end = many.here(0)
    assert end.code == 1 and "query.fill: a shard does not know the rows of the others" in end.err
    assert fake.calls == calls


def test_a_cluster_is_refused_before_any_node_is_sought(fake: Fake, tmp_path: Any) -> None:
    made = filled(tmp_path, fake, plain(2, kind="risky"), violence=1)
    end = made.here("--cluster", "local")
    assert end.code == 1 and "query.fill: " in end.err


def _limited(made: Job, **limits: Any) -> None:
    settings = json.loads((made.folder / "run.yaml").read_text())
    (made.folder / "run.yaml").write_text(json.dumps(settings | {"limits": limits}))


def never(body: dict[str, Any]) -> str:
    """No picture fits any wanted class."""
    return json.dumps(asked(f"A question {body['draw']}?", "misinformation"))


def stopping(at: int, fake: Fake) -> Any:
    """The same, and one signal from call number `at` on."""
    sent = list[int]()

    def answer(body: dict[str, Any]) -> str:
        if fake.counts["query"] >= at and not sent:
            sent.append(fake.counts["query"])
            os.kill(os.getpid(), signal.SIGINT)
        return never(body)

    return answer


def test_ctrl_c_begins_none_of_those_that_wait_for_a_class(fake: Fake, tmp_path: Any) -> None:
    made = filled(tmp_path, fake, plain(40, kind="risky"), violence=2)
    fake.latency, fake.answers = 0.02, {"query": stopping(4, fake)}
    end = made.here()
    assert end.code == 130 and "Interrupted" in end.out, end.err
    assert fake.counts["query"] <= 6, "two were under way"
    assert len(made.rejects) == fake.counts["query"], "each has its row"
    fake.answers = {"query": _fits, "reasoning": _arrives}
    assert made.here().code == 0 and risky(made) == {"violence": 2}


def test_ctrl_c_begins_none_of_those_that_wait_for_what_a_unit_takes(fake: Fake, tmp_path: Any) -> None:
    made = steered(tmp_path, fake.url, plain(40, kind="risky"), {})
    _limited(made, tokens=10_000_000)
    fake.latency, fake.answers = 0.02, {"query": stopping(2, fake)}
    assert made.here().code == 130
    assert fake.counts["query"] < 10


def test_who_waits_for_a_class_takes_nothing_from_what_may_be_spent(fake: Fake, tmp_path: Any) -> None:
    made = filled(tmp_path, fake, plain(40, kind="risky"), violence=1)
    fake.answers = {"query": never}
    _limited(made, tokens=9_000)
    end = made.here()
    assert end.code == 3, end.err
    told = re.search(r"limits\.tokens: ([\d,]+) of 9,000 are spent", end.out)
    assert told
    spent = int(told[1].replace(",", ""))
    assert 9_000 - 2 * spent / len(made.rejects) <= spent < 9_000


def test_a_dry_run_asks_nothing_where_all_is_filled(fake: Fake, tmp_path: Any) -> None:
    made = filled(tmp_path, fake, plain(24, kind="risky"), violence=2)
    assert made.here().code == 0
    calls, left = fake.calls, 24 - len(made.paths) - len(made.rejects)
    dry = made.here("--dry")
    assert dry.code == 1 and f"Every class has its rows: {left} seeds were not begun" in dry.out
    assert fake.calls == calls
