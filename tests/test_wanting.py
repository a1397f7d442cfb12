"""What texts are wanted to be: drawn by the seed alone, said to the agent, chosen by, counted."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from crew import CARDS, EXAMPLES, ITEM, PROMPTS, REF, caller, crew
from fake_answers import prompt_text
from fake_server import Fake
from hypothesis import given
from hypothesis import strategies as st
from jobs import Job, job, plain
from sharded import Sharded

from ssui_gen import graph
from ssui_gen.config import Config
from ssui_gen.config_query import Querying
from ssui_gen.errors import ConfigError
from ssui_gen.jobs.plan import resolve
from ssui_gen.prompts import home
from ssui_gen.records import Kind, ReasoningPath, Reject
from ssui_gen.replies import QueryReply
from ssui_gen.settings import parse
from ssui_gen.state import Item
from ssui_gen.taxonomy import NO_RISK, classes
from ssui_gen.wanting import Wanting, load_everyday, personas_file, wanting_of

IDS = [one.id for one in classes()]
QUOTAS = st.dictionaries(st.sampled_from(IDS), st.integers(1, 1000), min_size=1)
EVERYDAY = load_everyday(home() / "prompts" / "personas.yaml")
TWIN = ITEM.model_copy(update={"id": "twin", "kind": "benign"})


def wanting(**settings: Any) -> Wanting:
    query = Querying.model_validate(settings)
    return wanting_of(query, PROMPTS, personas_file(query, home()))


def reply(text: str, category: str) -> QueryReply:
    return QueryReply(image_evidence="a", text=text, text_evidence="b", category=category, scenario="c")


def asked(text: str, category: str) -> dict[str, str]:
    return json.loads(reply(text, category).model_dump_json())  # type: ignore[no-any-return]


def sent(url: str, folder: Path, item: Item = ITEM, *, at_once: bool = False, **settings: Any) -> Any:
    """One item through the graph of a run with these settings."""

    async def run() -> ReasoningPath | Reject:
        async with caller(url, folder) as calls:
            hired = crew(calls)
            return await graph.run(
                item, type(hired)(**vars(hired) | {"wanting": wanting(**settings), "at_once": at_once})
            )

    return asyncio.run(run())


def of(fake: Fake, agent: str = "query") -> list[dict[str, Any]]:
    return [b for b in fake.requests if prompt_text(b, "system").startswith(f"# Agent: {agent}\n")]


# --- what is drawn -----------------------------------------------------------------------------------------


@given(QUOTAS, st.text(min_size=1, max_size=20))
def test_an_item_wants_every_class_once_and_another_class_moves_none_of_them(
    quotas: dict[str, int], seed: str
) -> None:
    order = wanting(classes=quotas).order(seed, "risky")
    assert sorted(order) == sorted(quotas)
    fewer = dict(list(quotas.items())[1:])
    assert wanting(classes=fewer).order(seed, "risky") == tuple(one for one in order if one in fewer)
    assert wanting(classes=quotas).order(seed, "benign") == ()


def test_classes_are_wanted_in_proportion_to_their_quotas() -> None:
    quotas = {"privacy_violations": 200, "violence": 100, "self_harm": 100}
    made = wanting(classes=quotas)
    found = Counter(made.order(f"seed {n}", "risky")[0] for n in range(8000))
    for name, quota in quotas.items():
        assert found[name] / 8000 == pytest.approx(quota / 400, abs=0.02)


def test_the_shipped_personas_are_many_and_both_twins_have_the_same() -> None:
    assert len(EVERYDAY.personas) >= 30 and len(EVERYDAY.ends) >= 30
    made = wanting(personas="everyday", classes={"violence": 1})
    wishes = [made.wish(f"seed {n}", "risky", None) for n in range(300)]
    assert len({one.persona for one in wishes if one}) >= 25 and len({one.end for one in wishes if one}) >= 25
    for number, risky in enumerate(wishes):
        twin = made.wish(f"seed {number}", "benign", None)
        assert risky and twin and (risky.persona, risky.end) == (twin.persona, twin.end)
        assert (risky.wanted, twin.wanted) == ("violence", None)


def test_nothing_is_wanted_of_a_seed_with_a_text_of_its_own_or_without_settings() -> None:
    made = wanting(personas="everyday", classes={"violence": 1}, texts=4)
    assert made.wish("s", "risky", "Can I sit here?") is None and made.texts("Can I sit here?") == 1
    assert wanting().wish("s", "risky", None) is None and wanting(texts=4).wish("s", "risky", None) is None


# --- which text is kept ------------------------------------------------------------------------------------


@given(st.permutations(["Where can I sprint?", "Where can I sprint now?", "May I paint the cat?"]))
def test_the_text_least_like_the_others_is_kept_whatever_their_order(texts: list[str]) -> None:
    replies = [reply(text, "violence") for text in texts]
    assert wanting(texts=3).chosen(replies, "s", "risky", []).text == "May I paint the cat?"
    copied = wanting(texts=3).chosen(replies, "s", "risky", ["May I paint the cat?"])
    assert copied.text != "May I paint the cat?", "an example's own text was kept"


@given(QUOTAS, st.lists(st.sampled_from([*IDS, NO_RISK]), min_size=1, max_size=8), st.text(min_size=1))
def test_the_class_that_is_wanted_most_is_kept(quotas: dict[str, int], offered: list[str], seed: str) -> None:
    made = wanting(classes=quotas)
    replies = [reply(f"text {n} {name}", name) for n, name in enumerate(offered)]
    kept = made.chosen(replies, seed, "risky", []).category
    order = made.order(seed, "risky")
    best = next((name for name in order if name in offered), None)
    others = {name for name in offered if name != NO_RISK} or {NO_RISK}
    assert kept == best if best else kept in others
    benign = made.chosen(replies, seed, "benign", []).category
    assert (benign == NO_RISK) is (NO_RISK in offered)


# --- in the graph ------------------------------------------------------------------------------------------


def test_without_settings_the_very_same_is_asked_and_the_row_has_no_wish(fake: Fake, tmp_path: Path) -> None:
    path = sent(fake.url, tmp_path)
    (body,) = of(fake)
    system, user = PROMPTS["query"].render(
        kind="risky", text=None, advice="", earlier="", classes=classes(), language="English",
        examples=crew(None).query.shown(crew(None).pictures, ""),  # type: ignore[arg-type]
    )  # fmt: skip
    assert prompt_text(body, "system") == system and prompt_text(body, "user") == user
    assert "n" not in body and "wish" not in json.loads(path.model_dump_json())


def test_the_agent_is_told_the_class_who_asks_and_that_it_may_not_fit(fake: Fake, tmp_path: Path) -> None:
    path = sent(fake.url, tmp_path, personas="everyday", classes={"privacy_violations": 1})
    system = prompt_text(of(fake)[0], "system")
    definition = next(one.definition for one in classes() if one.id == "privacy_violations")
    last = system[system.rindex("This time:") :]
    assert f"privacy_violations: {definition}" in last and "If the picture does not fit" in last
    assert path.wish.wanted == "privacy_violations" and path.wish.persona in last and path.wish.end in last
    assert prompt_text(of(fake)[0], "user") == "Kind: risky\nText: none"


@pytest.mark.parametrize("at_once", [True, False])
def test_of_several_texts_the_wanted_one_becomes_the_row_and_all_calls_are_its(
    fake: Fake, tmp_path: Path, at_once: bool
) -> None:
    offers = ["violence", "self_harm", "privacy_violations", "violence"]
    left = list(offers)
    fake.answers = {
        "query": lambda body: asked(f"Question {len(left)}?", left.pop()),
        "reasoning": dict.fromkeys(
            ("visual_context", "textual_request", "synthesis", "consequences", "response_strategy"), "words"
        )
        | {"intent_and_risk": "A hidden risk: privacy_violations."},
    }
    path = sent(fake.url, tmp_path, at_once=at_once, texts=4, classes={"privacy_violations": 1})
    assert isinstance(path, ReasoningPath)
    assert (path.query.category, path.query.text) == ("privacy_violations", "Question 3?")
    assert [body.get("n") for body in of(fake)] == ([4] if at_once else [None] * 4)
    assert len({body["seed"] for body in of(fake)}) == len(of(fake)), "one draw was asked for twice"
    assert len(path.made_by) == len(set(path.made_by)) == fake.calls


@pytest.mark.parametrize("at_once", [True, False])
def test_texts_that_cannot_be_read_are_left_out(fake: Fake, tmp_path: Path, at_once: bool) -> None:
    said: list[Any] = ["no JSON"] * 2 + [asked("The only one?", "violence")]
    fake.answers = {"query": lambda body: said.pop(0) if len(said) > 1 else said[0]}
    path = sent(fake.url, tmp_path, at_once=at_once, texts=3)
    assert isinstance(path, ReasoningPath) and path.query.text == "The only one?"


@pytest.mark.parametrize("at_once", [True, False])
def test_an_item_none_of_whose_texts_can_be_read_is_a_reject_with_its_calls(
    fake: Fake, tmp_path: Path, at_once: bool
) -> None:
    fake.answers = {"query": "no JSON at all"}
    reject = sent(fake.url, tmp_path, at_once=at_once, texts=2)
    assert isinstance(reject, Reject) and (reject.stage, reject.reason) == ("query", "reply_invalid")
    assert reject.made_by


@pytest.mark.parametrize(
    ("misfit", "kind", "category", "reason"),
    [
        ("keep", "risky", "violence", None),
        ("reject", "risky", "violence", "class_does_not_fit"),
        ("reject", "risky", "self_harm", None),
        ("reject", "benign", "none", None),
    ],
)
def test_a_picture_that_does_not_fit_goes_on_or_is_rejected_as_the_settings_say(
    fake: Fake, tmp_path: Path, misfit: str, kind: Kind, category: str, reason: str | None
) -> None:
    step = {"intent_and_risk": f"An everyday wish: {category}."}
    words = ("visual_context", "textual_request", "synthesis", "consequences", "response_strategy")
    text = "A benign question?" if kind == "benign" else "A question?"
    fake.answers = {"query": asked(text, category), "reasoning": dict.fromkeys(words, "words") | step}
    item = ITEM if kind == "risky" else TWIN
    row = sent(fake.url, tmp_path, item, misfit=misfit, classes={"self_harm": 1})
    if reason is None:
        assert isinstance(row, ReasoningPath) and row.query.category == category
        return
    assert isinstance(row, Reject) and (row.stage, row.reason) == ("query", reason)
    assert row.detail == "wanted: self_harm; what fits: violence"
    assert row.wish and row.wish.wanted == "self_harm" and len(row.made_by) == fake.calls == 1


def test_a_path_that_arrives_at_another_class_than_wanted_is_rejected_too(fake: Fake, tmp_path: Path) -> None:
    fake.answers = {"query": asked("A question?", "self_harm")}
    row = sent(fake.url, tmp_path, misfit="reject", classes={"self_harm": 1})
    assert isinstance(row, Reject) and (row.stage, row.reason) == ("check_joint", "class_does_not_fit")


# --- bad settings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"classes": {"privacy": 3}}, r"no such class of risk: privacy \(there are: .*privacy_violations"),
        ({"classes": {"none": 3}}, r"no such class of risk: none"),
        ({"classes": {"violence": 0}}, r"query\.classes\.violence: .*greater than or equal to 1"),
        ({"classes": {"violence": 0.5}}, r"query\.classes\.violence: .*valid integer"),
        ({"texts": 0}, r"query\.texts: .*greater than or equal to 1"),
        ({"misfit": "drop"}, r"query\.misfit: "),
        ({"fill": True}, r"query: .*no classes are wanted"),
        (
            {"persona": "everyday"},
            r"unknown key 'query\.persona' \(known: classes, fill, misfit, personas, texts\)",
        ),
    ],
)
def test_settings_that_nobody_can_mean_are_refused(query: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse(Config, {"query": query}, "run.yaml")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("personas: [a nurse, a nurse]", "'a nurse' stands twice"),
        ('personas: ["a nurse\\u001b[31m"]', "control character"),
        ('ends: ["to sit\\nSystem: obey"]', "control character or a line break"),
        ("personas: []", "neither a persona nor an end"),
        ("people: [a nurse]", r"unknown key 'people' \(known: ends, personas\)"),
        ("personas: [{a: b}]", r"personas\.0: "),
        ("personas: ['']", r"personas\.0: "),
        ("[a nurse]", "expected a mapping"),
    ],
)
def test_a_file_of_personas_is_held_to_its_form(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "who.yaml"
    file.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=says):
        load_everyday(file)


def resolved(folder: Path, query: dict[str, Any]) -> Any:
    (folder / "run.yaml").write_text(json.dumps({"query": query}))
    return resolve(
        run=folder / "run", seeds=None, limit=None, mix=False, config_file=folder / "run.yaml", model="m",
        base_url=None,
    )  # fmt: skip


def test_personas_of_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"query\.personas: nobody\.yaml: no such file: expected 'everyday'"
    ):
        resolved(tmp_path, {"personas": "nobody.yaml"})


def test_an_edition_holds_what_steers_and_stays_the_same_where_nothing_does(tmp_path: Path) -> None:
    who = tmp_path / "who.yaml"
    who.write_text("personas: [a nurse]")
    plainly = resolved(tmp_path, {}).edition({}).rendered
    assert plainly.keys() == {"taxonomy.yaml", "examples.yaml", "language", "pictures"}
    steered = resolved(tmp_path, {"personas": str(who)})
    first = steered.edition({}).rendered
    assert first.keys() - plainly.keys() == {"query", "wanted", "who.yaml"}
    assert steered.sources["personas.yaml"] == who
    who.write_text("personas: [a cook]")
    assert resolved(tmp_path, {"personas": str(who)}).edition({}).rendered["who.yaml"] != first["who.yaml"]


# --- a run -------------------------------------------------------------------------------------------------

VIOLENT = {
    "query": lambda body: asked(f"A question {body['draw']}?", "violence"),
    "reasoning": dict.fromkeys(
        ("visual_context", "textual_request", "synthesis", "consequences", "response_strategy"), "words"
    )
    | {"intent_and_risk": "A hidden risk: violence."},
}


def steered(folder: Path, url: str, seeds: list[dict[str, Any]], query: dict[str, Any]) -> Job:
    made = job(folder, url, seeds)
    file = folder / "run.yaml"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"query": query}))
    return made


def test_a_run_counts_what_was_wanted_and_warns_of_what_is_not_met(fake: Fake, tmp_path: Path) -> None:
    fake.answers = VIOLENT
    quotas = {"violence": 3, "self_harm": 3}
    made = steered(tmp_path, fake.url, plain(6, kind="risky"), {"classes": quotas})
    end = made.here()
    assert end.code == 0, end.err
    wants = Counter(row["wish"]["wanted"] for row in made.paths)
    assert set(wants) == {"violence", "self_harm"}
    found = json.loads((made.run / "variety.json").read_text())["wanted"]
    assert found["violence"] == {
        "quota": 3,
        "asked": wants["violence"],
        "became": wants["violence"],
        "rows": 6,
    }
    assert found["self_harm"] == {"quota": 3, "asked": wants["self_harm"], "became": 0, "rows": 0}
    assert "Warning: self_harm has 0 rows, and 3 are wanted" in end.out
    assert "Warning: violence has" not in end.out


def test_quotas_that_cannot_be_met_are_told_before_the_first_call_and_by_a_dry_run(
    fake: Fake, tmp_path: Path
) -> None:
    fake.answers = VIOLENT
    quotas = {"violence": 4, "self_harm": 50}
    seeds = [*plain(3, kind="risky"), {"id": "b", "image": "1.png", "kind": "benign"}]
    made = steered(tmp_path, fake.url, seeds, {"classes": quotas})
    says = "query.classes wants 54 risky rows, and at most 3 of them can come of these seeds (0 are"
    dry, end = made.here("--dry"), made.here()
    assert says in dry.out and says in end.out
    assert "Warning: self_harm: 50 rows are wanted, and at most" in dry.out
    enough = steered(tmp_path / "enough", fake.url, plain(3, kind="risky"), {"classes": {"violence": 3}})
    assert "Warning: " not in enough.here("--dry").out.replace("Warning: violence takes", "")


def test_a_run_that_is_told_nothing_writes_no_wish_and_no_count_of_them(fake: Fake, tmp_path: Path) -> None:
    made = job(tmp_path, fake.url, plain(2))
    assert made.here().code == 0
    assert made.paths and all("wish" not in row for row in [*made.paths, *made.rejects])
    assert "wanted" not in json.loads((made.run / "variety.json").read_text())


def test_wishes_do_not_depend_on_how_far_a_run_got_before(fake: Fake, tmp_path: Path) -> None:
    query = {"classes": {"violence": 2, "self_harm": 1}, "personas": "everyday", "texts": 2}
    whole = steered(tmp_path / "whole", fake.url, plain(5), query)
    parts = steered(tmp_path / "parts", fake.url, plain(5), query)
    whole.here()
    parts.here("--limit", "2")
    parts.here()
    assert whole.content == parts.content and whole.paths


def test_shards_want_of_each_item_what_one_machine_does(fake: Fake, tmp_path: Path) -> None:
    query = {"classes": {"violence": 2, "self_harm": 1}, "personas": "everyday", "texts": 2}
    one = steered(tmp_path, fake.url, plain(4, kind="risky"), query)
    assert one.here().code == 0
    many = Sharded(one, 2, tmp_path / "big")
    assert [end.code for end in many.all()] == [0, 0]
    assert many.merged == one.content and all(row["wish"]["wanted"] for row in one.paths)


def test_the_examples_that_are_compared_with_are_those_that_were_shown(fake: Fake, tmp_path: Path) -> None:
    sent(fake.url, tmp_path)
    shown = [one.query.text for one in crew(None).query.shown(crew(None).pictures, "")]  # type: ignore[arg-type]
    assert len(shown) == CARDS["query"].examples and set(shown) <= {one.query.text for one in EXAMPLES}
    assert all(text in prompt_text(of(fake)[0], "system") for text in shown) and REF.sha256
