"""Every door that takes what others wrote, against what nobody expects: good inputs, mutated.

A door may refuse with the errors that it names, and nothing else: no other exception, no input that keeps it
busy. `make fuzz` tries for ten minutes, half of them guided by coverage where that
can be (`guided`); `test_fuzz.py` a little of it each time.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import benches
import guided
import imported
from curating import PICTURE, item, record
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from runs import cut_of, path_of

from microworld.serving import protocol
from ssui_gen import jsonl, reading, replying, tables
from ssui_gen.benching.adapters import ADAPTERS
from ssui_gen.benching.bench import read_bench
from ssui_gen.benching.official.asking import verdict
from ssui_gen.benching.pieces import Sent, respond
from ssui_gen.benching.proof import trained_on
from ssui_gen.benching.vqa.reading import Source as Asked
from ssui_gen.benching.vqa.reading import key_of, read_questions
from ssui_gen.benching.vqa.scoring import Key, mark
from ssui_gen.calling import metrics, wire
from ssui_gen.completions import Choice
from ssui_gen.config import Leaks, load_config
from ssui_gen.config_vqa import Vqa
from ssui_gen.curation.asked.form import PATHS
from ssui_gen.curation.formats.markdown import read_page, unfolded
from ssui_gen.curation.lines.check import checked
from ssui_gen.curation.lines.review import blank
from ssui_gen.curation.lines.sheet import read_sheet, repaired, written
from ssui_gen.errors import ConfigError, ImageError, PromptError, RecordError, ReplyError
from ssui_gen.exploring.corrected import corrected_pairs, corrections
from ssui_gen.exploring.leaks import load_bench
from ssui_gen.images import inspect, perceptual_hash, shown
from ssui_gen.importing import LAYOUTS
from ssui_gen.importing.shape import Source
from ssui_gen.manifest import Manifest, read_manifest
from ssui_gen.prompts import load_prompt
from ssui_gen.replies import REPLIES
from ssui_gen.seeds import read_seeds
from ssui_gen.settings import ImageLimits
from ssui_gen.shards.attempt import rebuild
from ssui_gen.shards.attempts import Past
from ssui_gen.shards.benches import Benching, Models
from ssui_gen.shards.dealing import Deal, Dealt, Which, find_deal
from ssui_gen.shards.folder import Folder

ROOT = Path(__file__).parent.parent
BUSY = 10.0
"""Seconds that no input of this size may take, on a busy machine too."""
WORDS = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b]0;x\x07", b"\xe2\x80\xa8", b"\\ud800", b"\r\n"),
    *(b"\n\n", b"{", b"}", b"[" * 200, b"]", b'"', b"'", b":", b",", b"\t", b"---\n", b"{{", b"%}"),
    *(b"&a ", b"*a", b"!!int ", b"<<: ", b"null", b"true", b"NaN", b"1e999", b"-1", b"9" * 5000, b"9.9"),
    *(b"2024-31-12", b"../../x", b"/etc/passwd", b"none", b"x" * 9000, b"<<<<<<< a\n", b"=======\n"),
    *(b"<think>", b"Answer:", b"1. ", b"### ", b"<|im_end|>", b"<image>"),
)  # fmt: skip


class Door(NamedTuple):
    """What takes bytes from outside, some that are good, and what it may refuse others with."""

    enter: Callable[[bytes, Path], object]
    good: tuple[bytes, ...]
    refusals: tuple[type[Exception], ...] = ()


@st.composite
def mutated(draw: st.DrawFn, good: tuple[bytes, ...]) -> bytes:
    """One of the good inputs after a few cuts, doublings, insertions and flips; seldom any bytes."""
    data = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 60)))
        change = draw(st.sampled_from(("cut", "double", "insert", "flip", "any")))
        part = {
            "cut": b"",
            "double": data[start:end] * 2,
            "insert": draw(st.sampled_from(WORDS)) + data[start:end],
            "flip": bytes(byte ^ 0x55 for byte in data[start:end]),
            "any": draw(st.binary(max_size=12)),
        }[change]
        data = data[:start] + part + data[end:]
    return data


def at(name: str, enter: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """A door that takes a file."""

    def through(data: bytes, folder: Path) -> object:
        (folder / name).write_bytes(data)
        return enter(folder / name)

    return through


def _picture(path: Path) -> None:
    ref = inspect(path.parent, path.name, ImageLimits())
    shown(path.parent, ref, ImageLimits())
    perceptual_hash(path.parent, path.name, ImageLimits())


def _prompt(path: Path) -> None:
    load_prompt(path).render(text="x", classes=(), options={}, path="", response="", kind="risky")


def _sheet(data: bytes, folder: Path) -> None:
    sheet = read_sheet(folder / "ana.jsonl", data, PATHS)
    for fault in checked(sheet, PATHS, {ITEM.id: ITEM}, {}):
        assert str(fault)
    repaired(data)


def _copy(name: str, file: str) -> Callable[[bytes, Path], object]:
    """Somebody's copy of a benchmark with pictures, whose file of rows is the input."""

    def through(data: bytes, folder: Path) -> None:
        (getattr(benches, name)(folder) / file).write_bytes(data)
        for one in ADAPTERS[name].items(folder):
            assert one is not None and "\n" not in getattr(one, "detail", "")

    return through


def _asked(data: bytes, folder: Path) -> None:
    """A file of somebody's visual questions."""
    (folder / "a.png").write_bytes(PICTURE)
    (folder / "asked.jsonl").write_bytes(data)
    made = read_questions(Asked(folder / "asked.jsonl", folder / "home", ImageLimits(), Vqa()))
    assert all(key_of(item) for item in made.items)
    assert not any("\n" in one.detail for one in made.refused)


def _marked(data: bytes, folder: Path) -> None:
    """What a model answered, and what somebody says is right."""
    text = data.decode("utf-8", "replace")
    for key in (Key((text,)), Key((text, *["yes"] * 9)), Key(("A",), ("a cat", text or "x"))):
        assert 0 <= mark(text or "x", key).score <= 1


def _imported(data: bytes, folder: Path) -> None:
    """One file of rows, taken for each layout's."""
    (folder / "rows.jsonl").write_bytes(data)
    source = Source(
        folder / "rows.jsonl", ImageLimits(), folder, columns={"image": "image", "text": "prompt"}
    )
    for name in ("llava", "sharegpt", "sherlock", "prism_dpo", "safetag", "guardtrace", "meerkat", "hf"):
        for one in LAYOUTS[name].read(source):
            assert "\n" not in one.row and "\n" not in getattr(one, "detail", "")


def _response(data: bytes, folder: Path) -> None:
    text = data.decode("utf-8", "replace")
    assert "".join(text[part.start : part.stop] for part in reading.read(text).parts) == text


def _sent(data: bytes, folder: Path) -> None:
    half, text = len(data) // 2, data.decode("utf-8", "replace")
    for sent in (Sent(text, finish="length"), Sent(text[half:], text[:half])):
        for asked in ("as_is", "six_steps", "think"):
            path = respond(sent, asked).path
            assert all(sent.whole[one.start : one.end] == one.text for one in path.pieces)


def _reply(data: bytes, folder: Path) -> None:
    half, text = len(data) // 2, data.decode("utf-8", "replace")
    for choice in (
        Choice(text=text, finish_reason="length"),
        Choice(text=text[half:], finish_reason="stop", reasoning=text[:half]),
        Choice(text="", finish_reason="stop", reasoning=text),
    ):
        for reply in REPLIES.values():
            with suppress(ReplyError):
                assert isinstance(replying.read(reply, choice, 9), reply)


def _trained(data: bytes, folder: Path) -> None:
    (folder / "adapter").mkdir(exist_ok=True)
    (folder / "adapter" / "training.json").write_bytes(data)
    (folder / "reasoning_paths.jsonl").write_text(record("a").model_dump_json() + "\n")
    trained_on(folder, whole=False)


def _pictures() -> tuple[bytes, ...]:
    made = []
    for kind in ("png", "jpeg", "webp", "gif", "bmp", "tiff"):
        buffer = BytesIO()
        Image.linear_gradient("L").resize((40, 30)).convert("RGB").save(buffer, kind)
        made.append(buffer.getvalue())
    return (PICTURE, *made)


ITEM = item(record("aaaa"))
_LINE = blank(PATHS, ITEM.id, ITEM.sha)
_SAFE = b'{"evidence": "A kitchen.", "label": "safe"}'
_CHAT = {"model": "m", "messages": [{"role": "user", "content": "Where?"}], "n": 2, "max_tokens": 9}
_TOKEN = {"token": "yes", "logprob": -0.1, "top_logprobs": [{"token": "no", "logprob": -2.4}]}
_CHOICE = {"message": {"content": "yes"}, "finish_reason": "stop", "logprobs": {"content": [_TOKEN]}}
_MADE = {"model": "m", "choices": [_CHOICE], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
_PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
    {"type": "text", "text": "yes"},
]
_IN_PARTS = {"choices": [{"message": {"content": _PARTS, "refusal": None}, "finish_reason": "max_tokens"}]}
_LOAD = b'vllm:num_requests_running{model="m"} 3.0\nvllm:kv_cache_usage_perc{engine="0"} 0.25\n'
_PATH = b"1. Visual context: A kitchen.\n2. **Textual request:** To mix.\n\n### Step 3:\nBoth.\n\nAnswer: No."
_ROWS = b'{"id": "a", "image": "a.png", "text": "Where?"}\n{"id": "b", "image": "b.png"}\n'
_QUESTIONS = (
    b'{"id": "1", "image": "a.png", "question": "Which? A. x B. y", "answer": "B"}\n'
    b'{"image": "a.png", "question": "How many?", "answers": "[1, 1, 1, 1, 1, 1, 1, 1, 1, 2]"}\n'
    b'{"image": ["a.png"], "question": "What?", "choices": ["x", "y"], "answer": 0, "hint": "Up."}\n'
)
_ORIGIN = {"scenario_id": "s", "source": {"bench": "x"}}
_RISKY = {"id": "a", "kind": "risky", "images": [], "text": "Where?", "danger": "They fall.", **_ORIGIN}
_SHOWN = {"path": "a.png", "sha256": "0", "width": 1, "height": 1}
_ITEMS = "".join(
    json.dumps(row) + "\n"
    for row in (
        _RISKY,
        _RISKY | {"id": "b", "kind": "benign", "images": [_SHOWN], "twin": {"of": "a", "changed": "text"}},
    )
).encode()
_RUN = b"""language: German
models:
  vlm: {name: big, base_urls: ["http://127.0.0.1:1/v1"], prices: {prompt: 2.5, completion: 10}}
  judge: {like: vlm}
images: {longest_side: 640}
explore: {k: 6}
"""


def _corrections(path: Path) -> None:
    """Somebody's rewrites, and what they make of a wrong branch."""
    one = cut_of(path_of(0, record("a").image), 2)
    found, counts = corrections(path.parent), Counter[str]()
    wanted = len(found.get(one.branches[1].id, ()))
    made = list(corrected_pairs([one], found, "", counts))
    assert counts.total() == wanted and counts["made"] == len(made)


def _corrected() -> bytes:
    """A good row."""
    told = {"branch_id": cut_of(path_of(0, record("a").image), 2).branches[1].id, "step": 5, "by": "ana"}
    told["text"] = "5. Consequences: it scalds\n6. Response strategy: say so\nAnswer: Careful."
    return json.dumps(told).encode() + b"\n"


_DEAL = Deal(source="seeds.jsonl", root="/photos", limit=None, dealt=(Dealt(rows=1, sha256="0"),))
_HEADER = {"number": 1, "chain": [], "deal": _DEAL.id, "shard": 0, "ssui_gen": "1", "host": "h", "pid": 1}
_MISSING = {"reason": "image_missing", "detail": "a.png"}
_LOG = (
    _HEADER | {"nonce": "0"},
    [
        "rejects.jsonl",
        {"seed_id": "a", "kind": None, "stage": "image", "reason": "image_missing", "detail": ""},
    ],
    ["rejects.jsonl", [["a", None]]],
    {"kept": 0, "dropped": 1, "calls": 2},
)


def _logged() -> bytes:
    """A shard's log, of each kind of event one but for calls."""
    kinds = ("attempt", "row", "gone", "done")
    return b"".join(json.dumps({kind: one}).encode() + b"\n" for kind, one in zip(kinds, _LOG, strict=True))


def _shard(data: bytes, folder: Path) -> None:
    """A log of a shard, gone on from."""
    which, place = Which(0, 1), folder / "run"
    (place / which.folder).mkdir(parents=True)
    (place / which.folder / "a0001.log").write_bytes(data)
    past = Past(Folder(place), _DEAL, which)
    rebuild(past, folder)
    assert past.done is None or past.done.calls is not None


DOORS: dict[str, Door] = {
    "settings": Door(
        at("run.yaml", load_config),
        (
            _RUN,
            b"twins: false\nlimits: {tries_per_call: 2}\n",
            b"models:\n  vlm: &a {like: judge}\n  b: *a\n",
        ),
        (ConfigError,),
    ),
    "prompts": Door(
        at("query.md", _prompt),
        tuple(path.read_bytes() for path in sorted((ROOT / "prompts").glob("*.md"))),
        (PromptError,),
    ),
    "replies": Door(
        _reply,
        (
            _SAFE,
            b"<think>A.</think>Here:\n```json\n" + _SAFE + b"\n```\nDone.<|im_end|>",
            b"I can't help with that.",
        ),
    ),
    "rows": Door(at("a.jsonl", lambda path: list(jsonl.read(path))), (_ROWS,)),
    "documents": Door(at("a.json", jsonl.document), (json.dumps([_MADE, _CHAT]).encode(),), (RecordError,)),
    "manifests": Door(
        at("run.json", read_manifest),
        (b"{}", b'{"schema": 1, "editions": [{"edition": {}}]}'),
        (RecordError,),
    ),
    "corrections": Door(
        at("corrections.jsonl", _corrections), (_corrected(), 2 * _corrected()), (RecordError, ConfigError)
    ),
    "tables": Door(
        at("t.csv", lambda path: list(tables.rows(path))),
        (b"id,image,text\na,a.png,Where?\n",),
        (ConfigError,),
    ),
    "seeds": Door(
        at("seeds.jsonl", lambda path: list(read_seeds(path, lambda _: True, path.parent))),
        (_ROWS,),
        (ConfigError,),
    ),
    "benchmarks": Door(
        at("bench.json", lambda path: load_bench(Leaks(bench=(str(path),)), ImageLimits())),
        (b'[{"question": "Where is it?", "answer": "There."}]',),
        (ConfigError,),
    ),
    "visual questions": Door(_asked, (_QUESTIONS,), (ConfigError,)),
    "answers to them": Door(_marked, (b"Answer: (B) the dog's, 1,000.", b"It isnt A. It is \\boxed{B}")),
    "SIUO": Door(
        _copy("siuo", "data/siuo_gen.json"), (json.dumps([benches.siuo_row(1)]).encode(),), (ConfigError,)
    ),
    "MSSBench": Door(
        _copy("mssbench", "combined.json"),
        (json.dumps({"chat": [benches.CHAT], "embodied": [benches.EMBODIED]}).encode(),),
        (ConfigError,),
    ),
    "MSTS": Door(
        _copy("msts", "data/prompts/english_multimodal.csv"),
        ((",".join(benches.MSTS_COLUMNS) + "\na,b,,c,d,unsafe_image_0001,e,f,assistance\n").encode(),),
        (ConfigError,),
    ),
    "imports": Door(
        _imported,
        (
            json.dumps(imported.sherlock_row(1)).encode() + b"\n",
            json.dumps(imported.prism_row(1)).encode() + b"\n",
            json.dumps(imported.guardtrace_row(1, 0.5)).encode() + b"\n",
        ),
        (ConfigError,),
    ),
    "verdicts": Door(
        lambda data, _: verdict(data.decode("utf-8", "replace"), ("safe", "unsafe")),
        (b"It warns.\nVerdict: safe", b"**Verdict:** unsafe."),
    ),
    "pictures": Door(at("a.png", _picture), _pictures(), (ImageError,)),
    "completions": Door(
        lambda data, _: wire.completion(data.decode("utf-8", "replace"), "m", 0.1, 1),
        (
            json.dumps(_MADE).encode(),
            json.dumps(_IN_PARTS).encode(),
            b'{"error": {"message": "pay", "code": 402}}',
        ),
        (ValueError,),
    ),
    "loads of servers": Door(lambda data, _: metrics.read(data.decode("utf-8", "replace")), (_LOAD,)),
    "responses": Door(_response, (_PATH, b"<think>\nHm.\n</think>\n" + _PATH)),
    "responses to a benchmark": Door(_sent, (_PATH, b"<think>\nHm.\n</think>\n<answer>" + _PATH)),
    "items of a benchmark": Door(
        at("bench.jsonl", lambda path: read_bench(path.parent)),
        (_ITEMS, _ITEMS * 2),
        (ConfigError, RecordError),
    ),
    "what a training says of itself": Door(
        _trained, (b'{"data": {"paths": "curated.jsonl", "sha256": {"curated.jsonl": "0"}}}',), (RecordError,)
    ),
    "how a job was dealt": Door(
        at("shards.json", lambda path: find_deal(Folder(path.parent))),
        (_DEAL.model_dump_json().encode(),),
        (ConfigError, RecordError),
    ),
    "what shards of a benchmark are made with": Door(
        at("models.json", lambda path: Benching().read(Folder(path.parent))),
        (Models(made={"a/run.json": Manifest()}).model_dump_json().encode(),),
        (ConfigError, RecordError),
    ),
    "logs of shards": Door(_shard, (_logged(),), (ConfigError, RecordError)),
    "requests": Door(
        lambda data, _: protocol.read(bytearray(data)), (json.dumps(_CHAT).encode(),), (protocol.Refusal,)
    ),
    "people's lines": Door(_sheet, (written([_LINE]), written([_LINE, _LINE]))),
    "people's Markdown": Door(
        lambda data, _: read_page(PATHS, ITEM, data.decode("utf-8", "replace")),
        (unfolded(PATHS, ITEM, _LINE, "a.png").encode(),),
    ),
}


def attempt(door: Door, count: int, chance: int) -> Counter[str]:
    """Enter a door `count` times; raises what it must not raise, with the input that did it."""
    tried: Counter[str] = Counter()

    @seed(chance)
    @settings(
        max_examples=count,
        database=None,
        deadline=BUSY * 1000,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated(door.good))
    def enter(data: bytes) -> None:
        tried["inputs"] += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                door.enter(data, Path(folder))
            except door.refusals as refusal:
                tried["refused"] += 1
                assert str(refusal).strip()

    enter()
    return tried


def main() -> None:
    """All doors by turns, then how often each was tried and how often it refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    seconds, counts = 60 * args.minutes, {name: Counter[str]() for name in DOORS}
    chance = random.Random(args.seed)
    if guided.INSTALLED:
        seconds /= 2
        for name, count in counts.items():
            print(f"\r{name:<20} guided   ", end="", file=sys.stderr)
            count["guided"] = guided.guided(name, seconds / len(DOORS), chance.randrange(1, 2**31))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name, door in DOORS.items():
            print(f"\r{name:<20} {_sum(counts, 'inputs'):>9,}", end="", file=sys.stderr)
            counts[name] += attempt(door, 100, chance.randrange(2**32))
    for name, count in counts.items():
        told = f"{count['inputs']:>9,} inputs, {count['refused']:>9,} refused"
        print(f"{name:<20} {told}; {count['guided']:>9,} guided by coverage")
    print(
        f"{'all':<20} {_sum(counts, 'inputs'):>9,} inputs and {_sum(counts, 'guided'):,} guided by coverage, "
        "nothing else raised"
    )


def _sum(counts: dict[str, Counter[str]], what: str) -> int:
    return sum(count[what] for count in counts.values())


if __name__ == "__main__":
    main()
