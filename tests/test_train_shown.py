"""The prompt that is trained is the one that was explored, picture and all, or the training says why not."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from published import published
from runs import change, loaded, tiny_encoder, write_run
from tiny_families import tiny
from tiny_llava import make_tiny_llava
from transformers import AutoProcessor, Gemma3Config, Glm4vMoeConfig
from trees import picture

from ssui_gen.calling.journal import Journal
from ssui_gen.completions import Choice, Completion, Usage
from ssui_gen.config_serve import Serve
from ssui_gen.errors import ConfigError
from ssui_gen.prompts import home, load_prompt
from ssui_gen.serving.chat_templates import FOLDER
from ssui_gen.serving.embedded import EmbeddedServer
from ssui_gen.serving.vllm_flags import choose
from ssui_gen.serving.vllm_machine import Machine
from ssui_gen.serving.vllm_model import Model
from ssui_train.config import SrpoConfig
from ssui_train.encode import Encoder
from ssui_train.families import picture_id
from ssui_train.model import as_served
from ssui_train.shown import parted
from ssui_train.source import Source

Ids = list[int]
Edit = Callable[[Encoder, Ids], Ids]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return tiny_encoder()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", paths=2)


def explored(
    run: Path, encoder: Encoder, edit: Edit = lambda _, ids: ids, cuts: Sequence[int] = (0, 2, 5)
) -> None:
    """Give the run a journal, as a server that reports ids would: the prompt, `edit`ed, and the prefix."""
    prompts = {example.id: example.prompt.ids for example in loaded(run, encoder).examples}

    def called(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with closing(Journal(run / "calls.sqlite")) as journal:
            for row in (row for row in rows if row["cut"] in cuts):
                row["made_by"] = [f"call-{row['id']}"]
                ids = edit(encoder, prompts[row["path_id"]]) + encoder.ids(row["prefix"])
                journal.put(row["made_by"][0], "policy", {}, _answer(ids))
        return rows

    change(run / "branches.jsonl", called)


def _answer(ids: Ids | None) -> Completion:
    said = (Choice(text="1.", finish_reason="stop"),)
    told = tuple(ids) if ids is not None else None
    return Completion(model="tiny", choices=said, usage=Usage(), seconds=0.1, prompt_token_ids=told)


def test_like_prompts_are_counted(run: Path, encoder: Encoder) -> None:
    explored(run, encoder)
    found = loaded(run, encoder)
    assert found.compared == "2 prompts are token for token those that the policy was explored with."
    assert (len(found.examples), len(found.rejects)) == (2, 0)


def test_where_no_ids_are_known_it_is_said_once(run: Path, encoder: Encoder) -> None:
    assert "could not be checked" in loaded(run, encoder).compared
    assert not (run / "calls.sqlite").exists(), "reading makes no journal"
    explored(run, encoder, cuts=())
    assert "could not be checked" in loaded(run, encoder).compared


def test_a_path_that_was_edited_since_is_not_compared(run: Path, encoder: Encoder) -> None:
    explored(run, encoder, lambda _, ids: ids[:5])

    def edited(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[0]["query"]["text"], rows[1]["query"]["text"] = "and now?", "and then?"
        return rows

    change(run / "reasoning_paths.jsonl", edited)
    assert "could not be checked" in loaded(run, encoder).compared


def without_picture(encoder: Encoder, ids: Ids) -> Ids:
    return [i for i in ids if i != picture_id(encoder.model)]


def as_one(encoder: Encoder, ids: Ids) -> Ids:
    """Each of them."""
    mark = picture_id(encoder.model)
    return [id for id, before in zip(ids, [None, *ids], strict=False) if id != mark or before != mark]


def with_more_picture(encoder: Encoder, ids: Ids) -> Ids:
    head, pictures, tail = parted(ids, picture_id(encoder.model))
    return [*head, *pictures, *pictures[:3], *tail]


def without_system(encoder: Encoder, ids: Ids) -> Ids:
    turn = encoder.tokenizer.convert_tokens_to_ids("<|im_start|>")
    return ids[ids.index(turn, 1) :]


def with_other_question(encoder: Encoder, ids: Ids) -> Ids:
    head, pictures, tail = parted(ids, picture_id(encoder.model))
    return [*head, *pictures, *encoder.ids("so what?"), *tail]


def with_other_system(encoder: Encoder, ids: Ids) -> Ids:
    return [*ids[:4], *encoder.ids("Be kind."), *ids[4:]]


def thinking(encoder: Encoder, ids: Ids) -> Ids:
    return [*ids, *encoder.ids("<think>\n")]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (without_picture, "there is no picture in what the server was shown"),
        (with_more_picture, r"pictures took 19 tokens at the server and take 16 in training.*max_pixels="),
        (without_system, "the system text is not in what the server was shown"),
        (with_other_question, r"behind the picture, after 0 like tokens, .*'so what\?"),
        (with_other_system, "(before the picture, after 4 like tokens|the system text is not in)"),
        (thinking, r"behind the picture, after \d+ like tokens, training goes on with '' and .*<think>"),
    ],
)
def test_the_first_difference_is_named_and_ends_the_training(
    run: Path, encoder: Encoder, edit: Edit, says: str
) -> None:
    explored(run, encoder, edit)
    with pytest.raises(ConfigError, match=rf"path0: the prompt that would be trained is not .*{says}"):
        loaded(run, encoder)


def distilled(run: Path, encoder: Encoder, edit: Edit = lambda _, ids: ids) -> None:
    """Make the run one of what a policy said with evidence behind the question: the prompt, `edit`ed, is in
    the journal, and branches there are none.
    """
    for name in ("branches.jsonl", "pairs.jsonl", "pairs.json"):
        (run / name).unlink()
    paths = run / "reasoning_paths.jsonl"
    before = paths.read_bytes()

    def with_evidence(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "query": row["query"] | {"text": row["query"]["text"] + EVIDENCE}} for row in rows]

    change(paths, with_evidence)
    prompts = {example.id: example.prompt.ids for example in loaded(run, encoder, loss="sft").examples}
    paths.write_bytes(before)
    change(paths, lambda rows: [{**row, "made_by": [f"call-{row['id']}"]} for row in rows])
    with closing(Journal(run / "calls.sqlite")) as journal:
        for id, ids in prompts.items():
            journal.put(f"call-{id}", "policy", {}, _answer(edit(encoder, ids)))
    used = {name: load_prompt(home() / "prompts" / f"{name}.md").id for name in ("policy", "told")}
    edition = {"prompts": used, "cards": {}, "models": {"policy": "tiny"}}
    (run / "distil.json").write_text(json.dumps({"editions": [{"edition": edition}]}))


EVIDENCE = "\n\n(The kettle burns. In the picture: a kettle. Do not mention this note.)"


def test_what_was_told_behind_the_question_is_no_difference(run: Path, encoder: Encoder) -> None:
    distilled(run, encoder)
    found = loaded(run, encoder, loss="sft")
    assert found.compared == (
        "2 prompts are token for token those that the policy was explored with, but for what its question "
        "told of the danger."
    )
    assert len(found.examples) == 2
    assert all("note" not in encoder.text(example.prompt.ids) for example in found.examples)


def test_a_question_that_a_person_changed_since_is_not_compared_with_what_was_told(
    run: Path, encoder: Encoder
) -> None:
    distilled(run, encoder, lambda _, ids: ids[:5])
    edited = {"sha": "0", "by": ["ana"], "settled": "alone", "original": {"/query/text": "what now?"}}
    change(run / "reasoning_paths.jsonl", lambda rows: [{**row, "curation": edited} for row in rows])
    assert "could not be checked" in loaded(run, encoder, loss="sft").compared


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (without_picture, "there is no picture in what the server was shown"),
        (with_more_picture, "pictures took 19 tokens at the server and take 16 in training"),
        (without_system, "the system text is not in what the server was shown"),
        (with_other_question, "behind the picture, after 0 like tokens"),
        (with_other_system, "(before the picture, after 4 like tokens|the system text is not in)"),
        (thinking, r"behind the picture, after \d+ like tokens"),
    ],
)
def test_all_else_that_differs_from_what_was_told_ends_the_training(
    run: Path, encoder: Encoder, edit: Edit, says: str
) -> None:
    distilled(run, encoder, edit)
    with pytest.raises(ConfigError, match=rf"path0: the prompt that would be trained is not .*{says}"):
        loaded(run, encoder, loss="sft")


def test_a_picture_reported_as_one_token_is_no_difference(run: Path, encoder: Encoder) -> None:
    explored(run, encoder, as_one)
    assert (
        "reports a picture's tokens as one, so their number was not compared" in loaded(run, encoder).compared
    )


def with_second_picture(run: Path) -> None:
    """Have the first path show what the second one does as well."""
    refs = [json.loads(line)["image"] for line in (run / "reasoning_paths.jsonl").read_text().splitlines()]
    for name, of in (("reasoning_paths.jsonl", "id"), ("branches.jsonl", "path_id")):
        more = {"more_images": refs[1:]}
        change(run / name, lambda rows: [row | more if row[of] == "path0" else row for row in rows])  # noqa: B023
    more_refs = {"more_image_refs": refs[1:]}
    change(run / "pairs.jsonl", lambda rows: [r | more_refs if r["path_id"] == "path0" else r for r in rows])


def test_of_several_pictures_each_may_be_reported_as_one_token(run: Path, encoder: Encoder) -> None:
    with_second_picture(run)
    explored(run, encoder, as_one)
    told = loaded(run, encoder).compared
    assert told.startswith("2 prompts") and "reports a picture's tokens as one" in told


def test_of_several_pictures_one_that_the_server_lacked_is_found(run: Path, encoder: Encoder) -> None:
    def without_the_second(encoder: Encoder, ids: Ids) -> Ids:
        mark = picture_id(encoder.model)
        first = next(place for place, id in enumerate(ids) if id == mark)
        return [id for place, id in enumerate(ids) if id != mark or place == first]

    with_second_picture(run)
    explored(run, encoder, without_the_second)
    with pytest.raises(ConfigError, match=r"path0: .*pictures took 1 tokens at the server and take 32"):
        loaded(run, encoder)


def test_without_the_root_s_prompt_the_beginning_of_another_is_compared(run: Path, encoder: Encoder) -> None:
    explored(run, encoder, cuts=(2, 5))
    assert loaded(run, encoder).compared.startswith("2 prompts")
    explored(write_run(run.parent / "other", paths=1), encoder, with_other_question, cuts=(2,))
    with pytest.raises(ConfigError, match="behind the picture, after 0 like tokens"):
        loaded(run.parent / "other", encoder)


def test_a_mark_of_the_beginning_is_named(run: Path) -> None:
    model, processor = tiny("llava")
    processor.tokenizer.bos_token = "<|endoftext|>"
    encoder = Encoder(processor, model)
    start = processor.tokenizer.bos_token_id
    explored(run, encoder, lambda _, ids: [start, *ids])
    with pytest.raises(
        ConfigError, match=r"the server begins with '<\|endoftext\|>' \(BOS\) and training does"
    ):
        loaded(run, encoder)


def test_no_beginning_is_put_before_a_chat(run: Path) -> None:
    """As servers of chats do it: the template says all there is."""
    from tokenizers.processors import TemplateProcessing

    model, processor = tiny("llava")
    plain = Encoder(processor, model).asked("a", "q", [picture(0)])["input_ids"].tolist()
    end = ("<|endoftext|>", processor.tokenizer.pad_token_id)
    processor.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[end]
    )
    assert processor.tokenizer("q")["input_ids"][0] == end[1]
    assert Encoder(processor, model).asked("a", "q", [picture(0)])["input_ids"].tolist() == plain


def test_a_damaged_journal_is_explained(run: Path, encoder: Encoder) -> None:
    (run / "calls.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(Exception, match=r"calls\.sqlite: the call journal cannot be used"):
        loaded(run, encoder)


@pytest.mark.slow
def test_a_real_server_is_shown_what_training_shows(tmp_path: Path) -> None:
    """Over HTTP, at the root and after a prefix; the server reports the prompt's ids."""
    folder, photo = make_tiny_llava(tmp_path / "tiny"), picture(0)
    file = io.BytesIO()
    photo.save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    shown = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "what now?"}]
    asked = [{"role": "system", "content": "Think."}, {"role": "user", "content": shown}]
    prefix = "1. Visual context: the kettle.\n2. Textual request: tea.\n"
    going_on = {"add_generation_prompt": False, "continue_final_message": True}
    encoder = Encoder(AutoProcessor.from_pretrained(folder), SimpleNamespace(generation_config=None))
    own = encoder.asked("Think.", "what now?", [photo])["input_ids"][0].tolist()
    with EmbeddedServer(log=tmp_path / "log", models={"tiny": folder}) as server:
        for more, messages, ids in (
            ({}, asked, own),
            (going_on, [*asked, {"role": "assistant", "content": prefix}], own + encoder.ids(prefix)),
        ):
            body = {"model": "tiny", "max_tokens": 1, "return_token_ids": True, "messages": messages}
            answer = httpx.post(f"{server.url}/chat/completions", json=body | more, timeout=60).json()
            assert answer["prompt_token_ids"] == ids


# --- the picture's size ----------------------------------------------------------------------------


def picture_tokens(run: Path, family: str, **settings: Any) -> int:
    model, processor = tiny(family, pixels=28 * 28 * 400)
    source = Source(SrpoConfig.model_validate({"model": "tiny", "run": run, **settings}))
    encoder = Encoder(processor, model, source.pixels)
    ids = encoder.asked("", "q", [picture(0, side=400)])["input_ids"][0].tolist()
    return ids.count(picture_id(model))


def told(run: Path, **serve: Any) -> None:
    file = run / "pairs.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"settings": {"serve": serve}}))


@pytest.mark.parametrize("family", ["qwen2_vl", "qwen2_5_vl"])
def test_the_picture_is_as_large_as_the_server_made_it(run: Path, family: str) -> None:
    assert picture_tokens(run, family) == 196, "14 by 14 patches: smaller than the default limit"
    told(run, max_pixels=28 * 28 * 100)
    assert picture_tokens(run, family) == 100
    assert picture_tokens(run, family, max_pixels=28 * 28 * 50) == 49, "the training's own setting wins"


def test_a_family_that_the_server_tells_no_limit_keeps_its_own(run: Path) -> None:
    told(run, max_pixels=28 * 28 * 100)
    assert picture_tokens(run, "qwen3_vl") == 196
    assert picture_tokens(run, "llava") == 16


def test_one_limit_for_serving_exploring_and_training(run: Path) -> None:
    """Its default stands once, and is what vLLM is started with."""
    told(run)
    source = Source(SrpoConfig.model_validate({"model": "tiny", "run": run}))
    flags = choose(Model("Qwen/Qwen2.5-VL-7B-Instruct"), Machine(1, 80.0), "/p")
    assert source.pixels == Serve().max_pixels == flags["mm-processor-kwargs"]["max_pixels"] == 1_003_520
    less = choose(Model("Qwen/Qwen2.5-VL-7B-Instruct"), Machine(1, 80.0), "/p", pixels=5000)
    assert less["mm-processor-kwargs"] == {"max_pixels": 5000}


def test_at_the_default_limit_a_large_photo_has_as_many_tokens_as_explored(run: Path) -> None:
    """1280 × 960: 1,230 with the limit, 1,564 with the one of the hub's files."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    told(run)
    most = Source(SrpoConfig.model_validate({"model": "tiny", "run": run})).pixels
    high, wide = smart_resize(960, 1280, max_pixels=most)
    assert high * wide // 28**2 == 1230
    high, wide = smart_resize(960, 1280, max_pixels=12_845_056)
    assert high * wide // 28**2 == 1564


def test_a_question_is_rendered_as_it_is_served_where_that_is_not_by_its_own_template() -> None:
    """GLM's own would open thoughts; a Gemma that somebody tuned on turns of another make keeps those."""
    _, processor = tiny("llava")
    tuned = processor.chat_template
    as_served(SimpleNamespace(config=Gemma3Config()), processor, "mine")
    assert processor.chat_template == tuned
    processor.chat_template = published("glm4v")
    as_served(SimpleNamespace(config=Glm4vMoeConfig()), processor, "mine")
    assert processor.chat_template == (FOLDER / "glm4v.jinja").read_text("utf-8")
    asked = [{"role": "user", "content": [{"type": "text", "text": "What now?"}]}]
    prompt = processor.apply_chat_template(asked, add_generation_prompt=True)
    assert prompt == "[gMASK]<sop><|user|>\nWhat now?/nothink<|assistant|>\n<think></think>"
