"""Before a run: what is there, what it will take, and where it stops; against a real server that is asked."""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path
from random import Random
from typing import Any

import pytest
from benching import PLAYED, benched
from exploring import cuts, explored, judge, pairs, policy
from fake_server import Fake
from hypothesis import given
from hypothesis import strategies as st
from jobs import PICTURES, Ended, Job, here, job, plain, rows
from rich.console import Console
from training import Training

from ssui_gen.calling.meter import Spent
from ssui_gen.cli import _parser
from ssui_gen.completions import Usage
from ssui_gen.config_spending import Prices, Spending
from ssui_gen.jobs.forecast import Pace, Tried, foretold, reached, total
from ssui_gen.jobs.lots import drawn, highest, lot
from ssui_train.job import foresee


def told(end: Ended, name: str) -> tuple[float, float, float]:
    """A figure of the forecast, and its interval."""
    found = re.search(rf"^  {name}: +([\d,.]+) \(([\d,.]+) – ([\d,.]+)\)", end.out, re.MULTILINE)
    assert found, end.out
    mid, low, high = (float(part.replace(",", "")) for part in found.groups())
    return mid, low, high


def next_line(end: Ended, start: str) -> list[str]:
    """The arguments of the command that is printed after `start`, as a shell would pass them."""
    line = next(line for line in end.out.splitlines() if start in line)
    words = shlex.split(line.partition(start)[2])
    return words[next(i for i, word in enumerate(words) if word in ("dataset", "pairs", "bench")) :]


LIMITS = ["--most-tokens", "9000000", "--most-usd", "0.12345678", "--most-hours", "1.0"]
LIMITS += ["--prices", "2.1234567,10.0"]


# --- a dry run of the dataset ------------------------------------------------------------------------------


def test_a_dry_run_tells_what_is_there_writes_no_row_and_is_not_paid_twice(
    fake: Fake, tmp_path: Path
) -> None:
    whole = job(tmp_path / "whole", fake.url, plain(7, text="May I sit here?", kind="risky"))
    whole.here()
    calls, fake.calls = fake.calls, 0
    unfit = [{"id": "gone", "image": "gone.png"}, {"id": "s0", "image": "1.png"}]
    seeds = [*plain(7, text="May I sit here?", kind="risky"), *unfit]
    made = job(tmp_path / "dry", fake.url, seeds)
    dry = made.here("--dry")
    assert (dry.code, dry.err) == (0, "")
    assert "7 seeds to do, 7 items; unusable: " in dry.out
    assert "image_missing 1" in dry.out and "seed_duplicate 1" in dry.out
    assert "query: asked of fake-vlm" in dry.out
    assert (made.content, (made.run / "run.json").exists()) == ([], False)
    assert 0 < fake.calls < calls
    here(next_line(dry, "Next: "))
    assert fake.calls == calls, "what the dry run asked was asked again"
    assert {row["id"] for row in made.paths} == {row["id"] for row in whole.paths}


@pytest.mark.slow
def test_the_forecast_holds_what_the_run_then_takes(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(PICTURES))
    dry = made.here("--dry", "--prices", "2.5,10")
    asked = fake.calls
    done = made.here()
    _, low, high = told(dry, "calls")
    assert low <= fake.calls - asked <= high
    _, low, high = told(dry, "rows")
    assert low <= len(made.paths) - 10 <= high, "but for those of the five"
    spent = re.search(r"prompt tokens \(of these cached\) +│ +([\d,]+) ", done.out)
    written = re.search(r"completion tokens +│ +([\d,]+) ", done.out)
    assert spent and written
    prompt, completion = (int(found[1].replace(",", "")) for found in (spent, written))
    assert told(dry, "prompt tokens")[1] <= prompt <= told(dry, "prompt tokens")[2]
    _, low, high = told(dry, "US dollars")
    assert low - 0.01 <= (2.5 * prompt + 10 * completion) / 1e6 <= high + 0.01


@pytest.mark.slow
def test_a_second_dry_run_asks_nothing_and_says_the_same_but_the_time(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(PICTURES))
    first, calls = made.here("--dry"), fake.calls
    again = made.here("--dry")
    assert fake.calls == calls
    assert "answered from the journal, so nobody was timed" in again.out
    assert "US dollars:           not known: say it with --prices" in again.out
    for name in ("calls", "rows"):
        assert told(again, name) == told(first, name)


def test_a_dry_run_of_rows_of_another_make_is_refused_as_the_run_would_be(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2))
    made.here()
    (made.folder / "run.yaml").write_text(json.dumps({"language": "Hindi"}))
    end = made.here("--dry")
    assert end.code == 1 and "were made with something else" in end.err


def test_nothing_left_to_do_is_said(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2))
    made.here()
    end = made.here("--dry")
    assert end.code == 1 and "no seed is left to do" in end.err


# --- samples -----------------------------------------------------------------------------------------------


def test_a_sample_is_drawn_at_random_stays_and_grows(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(20, kind="risky"))
    made.here("--sample", "4")
    four = {row["seed_id"] for row in made.paths}
    assert len(four) == 4 and four != {f"s{n}" for n in range(4)}
    calls = fake.calls
    made.here("--sample", "4")
    assert fake.calls == calls
    made.here("--sample", "7")
    assert four < {row["seed_id"] for row in made.paths}
    assert len(made.paths) == 7


@given(st.sets(st.text(max_size=8), min_size=1), st.integers(1, 40))
def test_lots_draw_so_many_and_more_lots_only_add(ids: set[str], count: int) -> None:
    some = drawn(ids, count, str)
    assert len(some) == min(count, len(ids))
    assert {id for id in ids if lot(id) <= highest(ids, count)} == set(some)
    assert set(some) <= set(drawn(ids, count + 1, str))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sample", "0"), "--sample: expected a number from 1; got 0"),
        (("--sample", "2", "--limit", "2"), "say only one"),
        (("--most-tokens", "0"), "limits.tokens: Input should be greater than or equal to 1; got 0"),
        (("--most-usd", "-1"), "limits.usd: Input should be greater than 0; got -1"),
        (("--most-hours", "nan"), "limits.hours"),
        (
            ("--prices=-1,2",),
            "models.vlm.prices.prompt: Input should be greater than or equal to 0; got -1.0",
        ),
        (("--prices", "1,inf"), "models.vlm.prices.completion"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_before_any_call(
    fake: Fake, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    end = job(tmp_path, fake.url, plain(2)).here(*words)
    assert (end.code, fake.calls) == (1, 0)
    assert said in end.err


def test_negative_prices_in_a_file_are_refused_with_their_place(fake: Fake, tmp_path: Path) -> None:
    end = job(tmp_path, fake.url, plain(1), models={"vlm": {"prices": {"completion": -3}}}).here()
    assert (end.code, fake.calls) == (1, 0)
    assert "run.yaml: models.vlm.prices.completion: Input should be greater than or equal to 0" in end.err


# --- limits ------------------------------------------------------------------------------------------------


def spent(made: Job) -> int:
    """Tokens of all calls in the run's journal."""
    from contextlib import closing

    from ssui_gen.calling.journal import Journal

    with closing(Journal(made.run / "calls.sqlite")) as journal:
        return sum(one.prompt_tokens + one.completion_tokens for one in journal.spent())


@pytest.mark.parametrize("kind", ["tokens", pytest.param("usd", marks=pytest.mark.slow)])
def test_a_limit_is_not_passed_and_the_printed_line_goes_on_to_the_end(
    fake: Fake, tmp_path: Path, kind: str
) -> None:
    whole = job(tmp_path / "whole", fake.url, plain(9, kind="risky"))
    whole.here()
    calls, tokens, fake.calls = fake.calls, spent(whole), 0
    made = job(tmp_path / "cut", fake.url, plain(9, kind="risky"))
    most = str(tokens // 2) if kind == "tokens" else str(tokens / 2 / 1e6)
    end = made.here(f"--most-{kind}", most, "--prices", "1,1")
    assert end.code == 3
    assert f"limits.{kind}: " in end.out and "all that was finished is written" in end.out
    assert 0 < len(made.paths) < 9
    assert tokens / 4 < spent(made) <= tokens / 2
    for _ in range(3):  # twice as much may just not be enough
        if end.code == 3:
            end = here(next_line(end, "To go on with more: "))
    assert (end.code, made.content, fake.calls) == (0, whole.content, calls)


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": -5, "completion_tokens": 9}, {"prompt_tokens": 1e300}]
)
def test_a_limit_that_no_account_can_be_held_to_ends_the_run_after_one_seed(
    fake: Fake, tmp_path: Path, usage: Any
) -> None:
    fake.accounts = lambda _: usage
    made = job(tmp_path, fake.url, plain(5, kind="risky"))
    for limit in (("--most-tokens", "9000"), ("--most-usd", "1", "--prices", "1,1")):
        end = made.here(*limit)
        assert (end.code, len(made.paths)) == (1, 1) and "fake-vlm answers without usage" in end.err
        made = job(tmp_path / "usd", fake.url, plain(5, kind="risky"))
    assert made.here("--most-hours", "1").code == 0


def test_a_forecast_of_what_no_server_tells_is_no_zero(fake: Fake, tmp_path: Path) -> None:
    fake.accounts = lambda _: None
    made = job(tmp_path, fake.url, plain(9, kind="risky"))
    for _ in "asked", "answered from the journal":
        end = made.here("--dry", "--prices", "1,1")
        assert end.code == 0 and told(end, "calls")[0] > 0
        for name in ("prompt tokens", "completion tokens", "US dollars"):
            assert re.search(rf"^  {name}: +not known: a server does not tell", end.out, re.MULTILINE)


def test_tokens_that_are_written_as_fractions_count_and_no_cache_pays_for_a_call(
    fake: Fake, tmp_path: Path
) -> None:
    fake.accounts = lambda usage: {
        name: float(usage[name]) for name in ("prompt_tokens", "completion_tokens")
    }
    made = job(tmp_path, fake.url, plain(5, kind="risky"))
    assert made.here("--most-tokens", "600").code == 3 and spent(made) >= 300
    prices = Prices(prompt=2, cached=1, completion=0)
    assert prices.of(Usage(prompt_tokens=10, cached_tokens=10**6)) == pytest.approx(10 / 1e6)


def test_no_time_begins_nothing_and_the_same_line_goes_on(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(3))
    end = made.here("--most-hours", "1e-9")
    assert (end.code, fake.calls, made.content) == (3, 0, [])
    assert next_line(end, "To go on with more: ")[-2:] == ["--most-hours", "1e-09"]


def test_a_forecast_says_where_a_limit_would_be_reached() -> None:
    tried = [Tried(Spent(calls=4, prompt_tokens=90, completion_tokens=10), ("",)) for _ in range(5)]
    found = foretold(tried, 35, 35, Pace(20, 10.0, 2.0), places=40)
    (line,) = reached(found, Spending(tokens=2000, usd=1), Spent(prompt_tokens=500))
    assert line == "limits.tokens: 2,000 would be reached after about 15 of 35."
    assert list(reached(found, Spending(tokens=4001), Spent(prompt_tokens=500))) == []


def test_the_line_that_a_dry_run_prints_says_all_that_it_was_told(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = job(tmp_path / "old", fake.url, plain(1, kind="risky"))
    old.here()
    monkeypatch.chdir(old.run.parent)
    told = ["--sample", "3", "--against", f"./{old.run.name}", "--mix", "--toy"]
    told += ["--retry", "call_failed", "--retry", "image_missing", *LIMITS]
    made = job(tmp_path / "new", fake.url, plain(3, kind="risky"))
    line = next_line(made.here("--dry", *told), "Next: ")
    meant, asked = (vars(_parser().parse_args(words)) for words in (line, made.command(*told)))
    assert meant == asked


# --- the other stages --------------------------------------------------------------------------------------


def test_a_dry_run_of_pairs_explores_into_the_journal_alone(fake: Fake, tmp_path: Path) -> None:
    whole = explored(tmp_path / "whole", fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    pairs(whole)
    calls, fake.calls = fake.calls, 0
    made = explored(tmp_path / "dry", fake.url)
    dry = pairs(made, "--dry")
    assert dry.code == 0 and "6 paths to explore; unfit: none" in dry.out
    assert (cuts(made), (made.run / "pairs.json").exists()) == ([], False)
    assert told(dry, "cuts")[0] == 6
    script = pairs(made, "--dry", "--json")
    kept = json.loads(script.out)["ahead"]["kept"]
    assert [round(kept[name]) for name in ("mid", "low", "high")] == [*told(dry, "cuts")]
    assert next_line(pairs(made, "--dry", "--toy", *LIMITS), "Next: ")[-9:] == [*LIMITS, "--toy"]
    end = here(next_line(dry, "Next: "))
    assert (end.code, fake.calls) == (0, calls)
    assert len(cuts(made)) == len(cuts(whole))


def test_a_dry_run_of_a_benchmark_asks_about_five_items_and_writes_none(fake: Fake, tmp_path: Path) -> None:
    fake.answers = PLAYED
    made = benched(tmp_path, fake.url, scenarios=4)
    dry = made.here("--dry", "--toy", *LIMITS)
    assert dry.code == 0, dry.err
    assert next_line(dry, "Next: ")[-9:] == [*LIMITS, "--toy"]
    assert "Ahead: at most" in dry.out and "calls:" in dry.out
    assert (made.responses, made.judgements) == ([], [])
    asked = fake.calls
    assert asked
    made.here()
    calls, fake.calls = fake.calls, 0
    other = benched(tmp_path / "whole", fake.url, scenarios=4)
    other.here()
    assert calls == fake.calls
    assert len(rows(other.model / "responses.jsonl")) == len(made.responses)


def test_a_dry_training_counts_the_steps_that_a_training_takes(tmp_path: Path) -> None:
    training, console = Training(tmp_path), Console(record=True, width=200)
    foresee(training.config("adapter"), console)
    said = console.export_text()
    assert not (tmp_path / "adapter").exists()
    steps = training.here("adapter").facts["figures"]["steps"]
    assert f"{steps} steps: 2 epochs" in said
    assert re.search(r"examples trained on +│ +4 ", said)


# --- the reckoning -----------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.integers(2, 9), st.integers(0, 10_000))
def test_units_that_take_the_same_are_foretold_exactly(value: int, n: int, left: int) -> None:
    found = total([value] * n, left)
    assert found == pytest.approx((left * value,) * 3)


def test_one_unit_gives_no_interval() -> None:
    assert total([7], 10) == (70, 0, math.inf)
    assert "no interval" in total([7], 10).said(str)
    assert total([7], 10).ends == {"mid": 70, "low": 0, "high": None}


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    """Of five units each, from one population; ± 3 standard errors of 600 tries."""
    dice, held = Random(1), 0
    for _ in range(600):
        units = [dice.gauss(100, 30) for _ in range(60)]
        found = total(units[:5], 55)
        held += found.low <= sum(units[5:]) <= found.high
    assert abs(held / 600 - 0.95) < 0.03


def test_rows_by_class_and_what_no_unit_showed() -> None:
    tried = [Tried(Spent(calls=4), ("violence", "")) for _ in range(5)]
    found = foretold(tried, 45, 90, Pace(20, 10.0, 2.0), places=40)
    assert found.kept.mid == 45 and found.rows["violence"].mid == 45
    assert 0 < found.rest < 45, "a class that five units did not show may still come"
    assert found.seconds == (pytest.approx(45 * 4 * 2 / 40), pytest.approx(45 * 4 / 2))
    limit = Spending(tokens=10)
    assert list(reached(found, limit, Spent())) == []
