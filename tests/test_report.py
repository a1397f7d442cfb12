"""The pages of exploration: every count is there, every branch opens, nothing of a model's is markup."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

from test_pairs import LATER, ONE_KIND, ROOT, branch, cut
from test_verify import path

from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.counted import Numbers
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.exploring.report import Beside, Grown, overview, tree
from ssui_gen.pages.masthead import Masthead

HEAD = Masthead("demo", "policy: p · F: label", (("Branches and pairs", "pairs.html", True),))
HOSTILE = "<script>alert(1)</script>"


class Seen(HTMLParser):
    """Tags that were opened, and the text between them; a tag that is not closed is an error."""

    VOID = ("meta", "br", "img", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def counted() -> Numbers:
    numbers = Numbers()
    for one in (ROOT, ONE_KIND, LATER):
        numbers.add_cut(one, "privacy_violations")
    for pair in pair_up([ROOT, LATER], Pairing(mode="rpo")):
        numbers.add_pair(pair)
    usage = Usage(prompt_tokens=1000, completion_tokens=50, cached_tokens=400)
    choice = Choice(text="x", finish_reason="stop")
    call = Completion(model="m", choices=(choice,), usage=usage, seconds=2.5)
    numbers.cost.add("risky", "policy", call)
    numbers.cost.add("benign", "F", call)
    numbers.dropped["in_benchmark"] += 2
    return numbers


def test_the_account_tells_what_a_pair_of_each_kind_took() -> None:
    cost = counted().cost
    assert (
        cost.account({"risky": 5, "benign": 0}) == "risky 210.0 (policy 210.0, F 0.0); benign none, for 1,050"
    )


def test_the_overview_counts_what_there_is() -> None:
    seen = Seen(overview(counted(), [Grown(path(), "trees/a.html", Counter(good=2, bad=1))], HEAD))
    assert "5 pairs from 1 paths, out of 1 explored." in seen.text
    words = " ".join(seen.text.split())
    assert "in all a pair risky paths a risky pair benign paths a benign pair pairs 5 5 0" in words
    assert "policy: prompt tokens 1,000 200.0 1,000 200.0 0 –" in words
    assert "F: prompt tokens 1,000 200.0 0 0.0 1,000 –" in words, "who judges is paid too"
    assert "all tokens, policy and F 2,100 420.0 1,050 210.0 1,050 –" in words
    assert "exact 8" in words
    assert "privacy_violations 8" in words
    assert "paths 3 left out: in_benchmark 2 explored 1 with a pair 1" in words
    assert "cuts 3 with both kinds of branch 2 with a pair 2" in words
    assert "How? risky dangerous behavior 0 2 ✓ good, 1 ✕ bad" in words


def test_a_run_without_a_branch_has_a_page_too() -> None:
    assert "0 pairs" in Seen(overview(Numbers(), [], HEAD)).text


def test_a_tree_shows_every_step_and_every_branch_and_no_markup_of_a_model() -> None:
    hostile = cut(2, branch(HOSTILE, "good", 0.9), branch(f"{HOSTILE} again", "bad"))
    page = tree(path(answer=HOSTILE), [ROOT, hostile], ["../a.png"], HEAD, Beside("x.html", ""))
    seen = Seen(page)
    assert seen.tags.count("script") == 2, "its data and its own"
    assert 'rel="prev" href="x.html"' in page and 'rel="next"' not in page
    assert seen.tags.count("details") == len(ROOT.branches) + 2
    assert seen.text.count("alert(1)") == 5
    assert 'src="../a.png"' in page


def test_a_path_without_branches_at_a_cut_is_drawn_whole() -> None:
    seen = Seen(tree(path(), [LATER], ["a.png"], HEAD))
    for number in range(1, 7):
        assert f"{number}. " in seen.text
