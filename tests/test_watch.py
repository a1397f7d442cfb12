"""A policy that never writes a good path is told of after twenty paths, with what to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from exploring import explored, judge, pairs, unless_probed
from fake_server import Fake
from jobs import job, plain
from test_pairs import branch, cut

from ssui_gen.branches import Cut, Form
from ssui_gen.exploring.watch import ENOUGH, Watch


def root(form: Form, polarity: str = "unverified") -> Cut:
    return cut(0, branch("a", polarity).model_copy(update={"form": form}))


def watched(*cuts: Cut) -> Watch:
    watch = Watch()
    for one in cuts:
        watch.note(one)
    return watch


def test_one_good_branch_at_a_root_is_hope() -> None:
    bad = [root(Form.EXACT, "bad")] * (2 * ENOUGH)
    assert watched(*bad).hopeless
    assert not watched(*bad, root(Form.EXACT, "good")).hopeless
    assert not watched(*bad[: ENOUGH - 1]).hopeless
    assert not watched(*[cut(3, branch("a", "bad"))] * ENOUGH).hopeless, (
        "later cuts hold the reference's steps"
    )


@pytest.mark.parametrize(
    ("form", "polarity", "advice"),
    [(Form.NO_STEPS, "unverified", "reword prompts/policy.md"), (Form.EXACT, "bad", "ask F")],
)
def test_the_advice_fits_what_is_wrong(form: Form, polarity: str, advice: str) -> None:
    said = watched(*[root(form, polarity)] * ENOUGH).warning
    assert said.startswith(f"policy: of {ENOUGH} paths none has a good branch at the root")
    assert f"(forms: {form.value.replace('_', ' ')} 100%)" in said and advice.lower() in said.lower()


@pytest.mark.slow
def test_a_run_says_it_while_it_runs_and_gives_the_forms_at_its_end(fake: Fake, tmp_path: Path) -> None:
    todo = job(tmp_path, fake.url, plain(ENOUGH + 4), twins=False)
    assert todo.here().code == 0
    fake.answers = {"none": lambda body: unless_probed(body, "Sure, go on."), "judge: right": judge}
    done = pairs(todo, config={"explore": {"k": 1, "most_per_cut": 1}, "limits": {"seeds_in_flight": 2}})
    assert done.code == 0, done.err
    told = next(i for i, line in enumerate(done.out.splitlines()) if "none has a good branch" in line)
    ended = next(i for i, line in enumerate(done.out.splitlines()) if "distinct branches by form" in line)
    assert told < ended and done.out.count("none has a good branch") == 1
    assert "no steps" in done.out.splitlines()[ended] and "steps lack" in done.out.splitlines()[ended]
    assert "none has a good branch" in (todo.run / "pairs.html").read_text("utf-8")


def test_a_run_with_good_branches_says_the_forms_alone(fake: Fake, tmp_path: Path) -> None:
    from exploring import policy

    todo = explored(tmp_path, fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    done = pairs(todo, "--limit", "2")
    assert "distinct branches by form: exact 100%." in done.out and "none has a good" not in done.out
