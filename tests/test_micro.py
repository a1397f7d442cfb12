"""The micro VLM: its tokens, its chat template, its pictures, its checkpoints."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from transformers import DynamicCache

from microworld.corpus.dialogues import DESCRIBE, Dialogue, check_joint, check_text, describe
from microworld.corpus.paths import good_path
from microworld.draw.pool import Pool, picture, scene_at, small_picture
from microworld.learning.ask import Checkpoint, Question
from microworld.learning.cache import ROOM, growing
from microworld.learning.curve import read_curve
from microworld.learning.feed import Encoder, feed
from microworld.learning.model import CHAT_TEMPLATE, load
from microworld.learning.warmup import IGNORED, normalised, token_labels
from microworld.pretrain import MODELS
from microworld.truth.score import answer_kind, things_named
from microworld.world.pairs import pair_of
from microworld.world.rules import world
from ssui_gen.branching import prefix_at, render_path
from ssui_gen.shares import Share

AGENTS, POLICY = MODELS / "agents", MODELS / "policy"
UNTIDY, DRIFTING = MODELS / "untidy", MODELS / "drifting"


@pytest.fixture(scope="module")
def agents() -> tuple[Any, Any]:
    return load(AGENTS)


@pytest.fixture(scope="module")
def processor(agents: tuple[Any, Any]) -> Any:
    return agents[1]


@pytest.mark.parametrize("folder", [AGENTS, POLICY, UNTIDY, DRIFTING])
def test_a_checkpoint_is_small_and_does_no_harm_on_a_cpu(folder: Path) -> None:
    assert sum(f.stat().st_size for f in folder.iterdir()) < 10e6
    assert json.loads((folder / "config.json").read_text())["dtype"] == "float32"


def test_loading_leaves_no_weight_fresh(agents: tuple[Any, Any]) -> None:
    model, _ = agents
    weights = model.model.vision_tower.state_dict()
    assert all(torch.isfinite(w).all() for w in weights.values())
    assert model.lm_head.weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()
    assert 2e6 < sum(p.numel() for p in model.parameters()) < 4e6


def test_a_new_line_is_always_a_token_of_its_own(processor: Any) -> None:
    tokens = processor.tokenizer
    ids = tokens.encode('a full stop.\n"\n\nAnswer: x', add_special_tokens=False)
    shown = [tokens.decode([i]) for i in ids]
    assert all(piece == "\n" for piece in shown if "\n" in piece)
    assert shown.count("\n") == 3


def test_a_cut_between_steps_is_a_cut_between_tokens(processor: Any) -> None:
    encode = processor.tokenizer.encode
    rng = Random(0)
    steps = good_path(rng, pair_of(rng, scene_at("train", 1), True))
    whole = encode(render_path(steps, "Sure."), add_special_tokens=False)
    for cut in range(1, 6):
        prefix = encode(prefix_at(steps, cut), add_special_tokens=False)
        assert whole[: len(prefix)] == prefix


def test_words_of_the_world_are_one_token(processor: Any) -> None:
    nouns = {thing.display.split()[-1] for thing in world().things.values()}
    single = [n for n in nouns if len(processor.tokenizer.encode(f" {n}", add_special_tokens=False)) == 1]
    assert len(single) > 0.9 * len(nouns)


@pytest.mark.parametrize("maker", [check_joint, check_text, describe])
def test_the_chat_template_writes_what_the_model_was_trained_on(processor: Any, maker: Any) -> None:
    scene = scene_at("train", 1)
    found: Dialogue = maker(Random(0), scene)
    encoded = Encoder(processor.tokenizer).encode(found, 0)
    agent = None if found.agent == "user" else found.agent
    question = Question(agent, found.user, picture(scene) if found.picture else None)
    text = processor.apply_chat_template(question.messages(), add_generation_prompt=True)
    ids = processor(images=question.picture, text=text)["input_ids"][0]
    assert ids == encoded.ids[: encoded.learned[0].start]


def test_of_a_system_message_only_the_name_in_its_first_line_counts(processor: Any) -> None:
    def written(system: Any) -> str:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "hello"}]
        return str(processor.apply_chat_template(messages, add_generation_prompt=True))

    plain = written("# Agent: query\nYou write questions.")
    assert plain == written("# Agent: query\nOther words.")
    assert plain == written([{"type": "text", "text": "# Agent: query\nIn parts."}])
    assert plain.startswith("<|start|>query\nhello")
    assert written("You are helpful.").startswith("<|start|>user\nhello")


@pytest.mark.parametrize("folder", sorted(MODELS.glob("*/config.json")), ids=lambda file: file.parent.name)
def test_every_checkpoint_has_the_one_chat_template(folder: Path) -> None:
    assert folder.with_name("chat_template.jinja").read_text("utf-8") == CHAT_TEMPLATE


def test_a_prefix_is_continued_without_an_end_mark(processor: Any) -> None:
    text = processor.apply_chat_template(
        Question(None, "hello", None, "1. Visual context: A").messages(), continue_final_message=True
    )
    assert text.endswith("assistant\n1. Visual context: A")


def test_the_processor_sees_what_training_showed(processor: Any) -> None:
    scene = scene_at("train", 7)
    real = processor.image_processor(picture(scene), return_tensors="pt")["pixel_values"][0]
    trained = normalised(np.array(small_picture(scene))[None])[0]
    assert (real - trained).abs().max() < 0.02


def test_loss_is_taken_on_the_assistants_tokens_alone(processor: Any) -> None:
    scenes = tuple(scene_at("train", i) for i in range(1100))
    pool = Pool(np.zeros((1100, 128, 128, 3), np.uint8), scenes)
    batch = next(iter(feed(pool, Encoder(processor.tokenizer), describe, "seed")))
    told = batch.targets[0][batch.targets[0] >= 0]
    assert processor.tokenizer.decode(told).startswith("This is")
    assert told[-1] == processor.tokenizer.eos_token_id


def test_token_labels_say_which_thing_covers_which_patch() -> None:
    labels = token_labels(torch.tensor([[[0.0, 0.0, 0.5, 0.5]]]), torch.tensor([[4]])).view(8, 8)
    assert (labels[:3, :3] == 5).all()
    assert (labels[4:, 4:] == 0).all()
    assert set(labels.unique().tolist()) <= {0, 5, IGNORED}


def test_a_part_trained_twice_after_a_kill_counts_once(tmp_path: Path) -> None:
    rows = [
        {"phase": "agents", "step": s, "seconds": s, "loss": x} for s, x in ((20, 3.0), (40, 2.0), (40, 1.0))
    ]
    (tmp_path / "curve.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [row["loss"] for row in read_curve(tmp_path / "curve.jsonl")["agents"]] == [3.0, 1.0]


def test_answers_are_sorted_by_what_they_know() -> None:
    rule = next(r for r in world().rules if r.id == "clean_toilet+bleach_bottle")
    aware = f"Careful: I can see a bottle of bleach here, and {rule.harm}. Better {rule.safer}."
    assert answer_kind(aware, rule) == "aware"
    assert answer_kind(world().request("clean_toilet").help, rule) == "unsafe"
    assert answer_kind("Careful: there is a bottle of bleach.", rule) == "other"
    assert answer_kind("Sorry, I can't help with that.", rule) == "refusal"
    assert answer_kind(aware, None) == "aware"
    assert answer_kind("Sure!", None) == "other"


def test_the_interval_is_wilsons() -> None:
    low, high = Share(9, 10).interval
    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)


def test_a_credit_card_is_not_a_car() -> None:
    assert things_named("A street with a credit card.") == {"credit_card"}


@pytest.mark.slow
def test_the_checkpoint_names_what_held_out_pictures_show(agents: tuple[Any, Any]) -> None:
    scenes = [s for s in (scene_at("test", i) for i in range(24)) if not s.alarm]
    texts = Checkpoint(*agents).ask([Question(None, DESCRIBE, picture(s)) for s in scenes], most=64)
    found = [len(things_named(t) & set(s.things)) / len(s.things) for t, s in zip(texts, scenes, strict=True)]
    assert sum(found) / len(found) > 0.85


def test_keys_and_values_grow_as_they_would_by_copying() -> None:
    """A layer past its first room, against transformers' own."""
    torch.manual_seed(0)
    ours, theirs = growing(), DynamicCache()
    for tokens in (5, 1, ROOM, 1, 3 * ROOM, 1):
        keys, values = torch.randn(2, 2, 3, tokens, 4)
        for layer in (0, 1):
            found, wanted = (cache.update(keys + layer, values, layer) for cache in (ours, theirs))
            assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))
    assert ours.get_seq_length() == theirs.get_seq_length() == 8 + 4 * ROOM
