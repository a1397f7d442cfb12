"""Tiny random models of several families on disk, as a real vLLM loads them; each says short things.

Those of the tests (`tests/tiny_families.py`), with what vLLM's transformers wants beside the weights:
processors by their own names and with their halves for films, the tower's weights under the names it knows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench import ROOT

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import torch  # noqa: E402
from tiny_families import tiny  # noqa: E402
from tiny_towers import INTERNVL_MARKS  # noqa: E402

MODELS = ("qwen2_5_vl", "qwen3_vl", "llava", "llava_next", "internvl", "llava_pixtral", "mistral3")
FILMS = {"qwen2_5_vl": "Qwen2VLVideoProcessor", "qwen3_vl": "Qwen3VLVideoProcessor"}
PIXELS = 28 * 28 * 64
"""The most of a picture: 64 tokens in the Qwen models."""
CONTEXT = 16384
CONSTANT = 60.0
"""The first number of each token's embedding, in units of their spread."""
CLOSES = 0.08
"""How probable a quotation mark is made within a string."""
SAID = "The chair would roll away, and that is what matters here: say so, and name a ladder."


def save(kind: str, folder: Path) -> Path:
    """Write the model and all that goes with it."""
    model, processor = tiny(kind, pixels=PIXELS)
    model.config.get_text_config().max_position_embeddings = CONTEXT
    _soon_closes(model, processor.tokenizer)
    model.save_pretrained(folder, state_dict=_as_known(kind, model))
    processor.save_pretrained(folder)
    _split_processor(kind, folder, getattr(processor, "image_seq_length", None))
    _rename_tokens(kind, folder / "tokenizer_config.json")
    return folder


@torch.no_grad()
def _soon_closes(model: Any, tokenizer: Any) -> None:
    """Make a quotation mark likely, so that strings of a JSON object end although nothing was learnt, and
    hardly ever where one has just begun: the first number of each token's embedding is large, and of the
    head's rows only the quotation mark's looks at it.
    """
    into, out = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    assert into is not out, "the head is to be no copy of the embeddings"
    words = [tokenizer.decode([i]) for i in range(len(tokenizer))]
    spread, unit = CONSTANT * into.std(), out.std()
    into[:, 0], out[:, 0] = spread, 0
    into[[i for i, word in enumerate(words) if '"' in word], 0] = -spread
    asked, mark, strength = tokenizer(SAID, return_tensors="pt").input_ids, words.index('"'), 0.0
    while model(input_ids=asked).logits.softmax(-1)[0, :, mark].mean() < CLOSES:
        strength += 0.25
        out[mark, 0] = strength * unit


def _as_known(kind: str, model: Any) -> dict[str, torch.Tensor]:
    """vLLM 0.32 knows CLIP's tower by the names of transformers 4."""
    new, old = "vision_tower.vision_model.", "vision_tower."
    rename = kind in ("llava", "llava_next")
    return {
        name.replace(old, new) if rename and new not in name else name: weight.contiguous()
        for name, weight in model.state_dict().items()
    }


def _split_processor(kind: str, folder: Path, picture: int | None) -> None:
    """`picture`: how many tokens stand for one, where the processor has to be told."""
    file = folder / "processor_config.json"
    told = json.loads(file.read_text("utf-8"))
    name = told["processor_class"].removeprefix("ImageOnly")
    pictures = told.pop("image_processor") | {"processor_class": name}
    told |= {"image_seq_length": picture} if picture else {}
    file.write_text(json.dumps(told | {"processor_class": name}), "utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures), "utf-8")
    if films := FILMS.get(kind):
        told = json.dumps(pictures | {"video_processor_type": films})
        (folder / "video_preprocessor_config.json").write_text(told, "utf-8")


def _rename_tokens(kind: str, file: Path) -> None:
    told = json.loads(file.read_text("utf-8")) | {"model_max_length": CONTEXT}
    told["processor_class"] = str(told.get("processor_class", "")).removeprefix("ImageOnly")
    if kind == "internvl":
        names = ("start_image_token", "end_image_token", "context_image_token", "video_token")
        told["model_specific_special_tokens"] = dict(zip(names, INTERNVL_MARKS, strict=True))
    file.write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    save(sys.argv[1], Path(sys.argv[2]))
