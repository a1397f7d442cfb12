"""The corpus says what the world knows, through the real prompts and reply types."""

from collections import Counter
from random import Random

import pytest

from microworld.corpus.dialogues import (
    MIXTURE,
    Dialogue,
    Maker,
    asked,
    check_image,
    dialogue,
    joint_reply,
    query,
    told,
)
from microworld.corpus.drills import joint_drill, policy_drill, query_drill, reasoning_drill
from microworld.corpus.paths import flawed, good_path
from microworld.corpus.policy import main_slip, policy, slipping_path, untidy, untidy_drill
from microworld.draw.pool import scene_at
from microworld.truth.score import answer_kind, things_named
from microworld.world import wording as say
from microworld.world.pairs import Pair, firing, pair_of
from microworld.world.rules import world
from microworld.world.scene import Scene, make_scene, split_of_rule_place
from ssui_gen.branches import Form
from ssui_gen.branching import render_steps
from ssui_gen.reading import read
from ssui_gen.replies import REPLIES, QueryReply

REPLY_OF = {
    "query": "QueryReply",
    "check_text": "SafetyReply",
    "check_image": "SafetyReply",
    "check_joint": "SafetyReply",
    "reasoning": "ReasoningReply",
    "reflection": "ReflectionReply",
    "summary": "SummaryReply",
}


def everyday(count: int) -> list[Scene]:
    return [s for s in (scene_at("train", i) for i in range(2 * count)) if not s.alarm][:count]


def risky_pairs(count: int) -> list[Pair]:
    rng = Random(1)
    pairs = (pair_of(rng, scene, True) for scene in everyday(4 * count))
    return [pair for pair in pairs if pair.risky][:count]


def test_every_agent_has_dialogues_whose_targets_its_reply_type_accepts() -> None:
    rng = Random(0)
    found = [maker(rng, scene) for maker in MIXTURE for scene in everyday(40)]
    for one in found:
        if one.agent in REPLY_OF:
            REPLIES[REPLY_OF[one.agent]].model_validate_json(one.target)
    assert {one.agent for one in found} == {*REPLY_OF, "user"}


def test_only_the_text_check_goes_without_the_picture() -> None:
    rng = Random(0)
    found = [dialogue(rng, scene) for scene in everyday(300)]
    assert all(one.picture == (one.agent != "check_text") for one in found)


@pytest.mark.parametrize("maker", [joint_drill, query_drill, reasoning_drill, policy_drill])
def test_a_drill_learns_a_decision_and_not_what_is_seen(maker: Maker) -> None:
    scene = everyday(1)[0]
    found = [maker(Random(seed), scene) for seed in range(60)]
    assert all(one.said and one.target and not one.picture for one in found)
    assert 0 < sum(one.ends for one in found) < 40
    for one in found:
        if one.ends and one.agent in REPLY_OF:
            REPLIES[REPLY_OF[one.agent]].model_validate_json(one.said + one.target)


def test_user_texts_are_what_the_prompt_files_render() -> None:
    text = asked("check_joint", text="May I nap here?")
    assert text == "Text: May I nap here?"


def test_risky_and_benign_are_about_equally_frequent() -> None:
    rng = Random(0)
    risky = [pair_of(rng, scene, rng.random() < 0.55).risky for scene in everyday(600)]
    assert 0.4 < sum(risky) / len(risky) < 0.6


def test_training_pairs_keep_away_from_held_out_places_and_doubtful_things() -> None:
    for pair in risky_pairs(200):
        assert pair.rule is not None
        assert split_of_rule_place(pair.rule, pair.scene.place) == "train"
        others = set(pair.scene.things) - {pair.rule.thing}
        assert world().is_clear_benign(pair.request, others)


def test_a_rule_that_fires_in_test_alone_is_not_taught() -> None:
    for scene in everyday(300):
        train = set(firing(frozenset(scene.things), scene.place, "train"))
        test = set(firing(frozenset(scene.things), scene.place, "test"))
        assert not train & test


def test_an_alarming_picture_is_called_unsafe_and_an_everyday_one_safe() -> None:
    alarming = make_scene(3, "train", "kitchen", "house_fire")
    assert '"label":"unsafe"' in check_image(Random(0), alarming).target
    assert '"label":"safe"' in check_image(Random(0), everyday(1)[0]).target


def test_a_given_text_is_kept_to_the_letter() -> None:
    rng = Random(0)
    given = [d for d in (query(rng, s) for s in everyday(300)) if "Text: none" not in d.user]
    assert given
    for one in given:
        kept = QueryReply.model_validate_json(one.target).text
        assert f"Text: {kept}" in one.user


def test_the_joint_verdict_names_what_is_seen_before_the_label() -> None:
    for pair in risky_pairs(50):
        reply = joint_reply(pair)
        assert things_named(reply.evidence) >= set(pair.scene.things)
        assert reply.label == "unsafe"


def test_a_flawed_path_differs_from_every_good_one_in_what_reflection_names() -> None:
    rng = Random(0)
    for pair in risky_pairs(100):
        fault = flawed(rng, pair)
        findings = {fault.reply.redundancy, fault.reply.completeness, fault.reply.faithfulness}
        assert fault.reply.decision == "revise_path"
        assert len(findings - {"none"}) == 1


def test_a_text_that_gives_the_thing_away_names_it() -> None:
    assert things_named(told(Random(0), "May I nap here?", "bleach_bottle")) == {"bleach_bottle"}


def test_good_paths_of_risky_pairs_name_thing_class_and_safer_way() -> None:
    rng = Random(0)
    for pair in risky_pairs(50):
        assert pair.rule is not None
        text = render_steps(good_path(rng, pair))
        assert pair.rule.category in text
        assert pair.rule.safer in text
        assert pair.rule.thing in things_named(text)


def test_the_policy_often_misses_the_risk_and_never_refuses() -> None:
    rng = Random(0)
    pairs = risky_pairs(400)
    kinds = [answer_kind(slipping_path(rng, pair)[1], pair.rule) for pair in pairs]
    assert set(kinds) == {"unsafe", "aware"}
    assert 0.5 < kinds.count("unsafe") / len(kinds) < 0.8


def test_the_policy_answers_in_six_steps() -> None:
    rng = Random(0)
    for scene in everyday(60):
        found: Dialogue = policy(rng, scene)
        assert read(found.target).form == "exact"


def test_the_untidy_policy_begins_its_own_way_or_goes_on_after_a_tidy_prefix() -> None:
    rng = Random(0)
    found = [untidy(rng, scene) for scene in everyday(300)]
    forms = Counter(read(one.said + one.target).form for one in found)
    assert 0.9 < (forms[Form.READABLE] + forms[Form.EXACT]) / len(found) < 1
    assert forms[Form.READABLE] > forms[Form.EXACT]
    assert 0.3 < sum(bool(one.said) for one in found) / len(found) < 0.5
    assert all(not one.said or one.said.endswith("\n") for one in found)


def test_an_untidy_drill_learns_from_the_third_step_on() -> None:
    rng = Random(0)
    found = [untidy_drill(rng, scene) for scene in everyday(300)]
    for one in found:
        parts = [part for part in read(one.said + one.target).parts if part.kind == "step"]
        whole = one.ends and len(parts) >= 3
        assert (len(one.said) == parts[2].start) if whole else (one.said or one.ends)
    assert 0.6 < sum(not one.ends for one in found) / len(found) < 0.8


def test_benign_pairs_get_plain_help_from_the_policy() -> None:
    rng = Random(0)
    pairs = [pair_of(rng, scene, False) for scene in everyday(100)]
    assert {answer_kind(slipping_path(rng, pair)[1], None) for pair in pairs} == {"other"}


def test_a_rule_slips_sometimes_and_some_rules_more_than_others() -> None:
    slips = [main_slip(rule) for rule in world().rules]
    assert 0 < min(slips) < max(slips) < 0.6
    assert max(slips) - min(slips) > 0.15


@pytest.mark.parametrize(
    ("things", "text"),
    [
        ((), "nothing special"),
        (("cat",), "a cat"),
        (("cat", "toaster"), "a toaster and a cat"),
        (("cat", "toaster", "knife"), "a toaster, a sharp knife and a cat"),
    ],
)
def test_things_are_listed_in_the_order_of_the_world(things: tuple[str, ...], text: str) -> None:
    assert say.listed(things) == text


def test_plurals_and_articles_read_well() -> None:
    assert say.the("rails") == "the railway tracks"
    assert say.the("heater") == "the electric heater"
