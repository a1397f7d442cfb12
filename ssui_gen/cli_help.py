"""The words of `ssui --help`: which commands belong together, and an example or two of each. No code.

A command that stands in no group is listed under `Others`; every example is parsed by a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ABOUT = """\
Pictures and texts that are safe alone and dangerous together: make a dataset of
them, let people look at it, train a model with it, and measure the model.

Begin with `ssui dataset --limit 12`: a dozen records, without a GPU. Each
command says what comes next. --run takes the name of a run (demo, below
outputs/) or a folder. `ssui COMMAND --help` has examples."""

GROUPS: Mapping[str, Sequence[str]] = {
    "Make a dataset": ("import", "dataset", "prompt", "graph"),
    "Look at it": ("page", "show", "merge-runs"),
    "Let people look": ("curation", "review"),
    "Branches and pairs": ("pairs", "distil", "verify", "export"),
    "Train and measure": ("merge", "bench"),
    "Give away": ("publish",),
    "Many machines": ("shards",),
    "Machines": ("doctor", "serve", "ctl", "completion"),
}

EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "ssui import": (
        ("ssui import my_siuo --from siuo --to outputs/siuo_gold", "gold, from your copy of a benchmark"),
        (
            "ssui import photos.json --from llava --to outputs/photos --licence CC-BY-4.0",
            "seeds; they go on as: ssui dataset --seeds outputs/photos/seeds.jsonl",
        ),
    ),
    "ssui dataset": (
        ("ssui dataset --limit 12", "a dozen records of drawn scenes, in outputs/demo"),
        (
            "ssui dataset --run mine --seeds my_photos --base-url http://127.0.0.1:8000/v1",
            "your photos, by the model of a server; the same line again goes on",
        ),
        ("ssui dataset --run mine --json", "the account of it for a script, on stdout alone"),
    ),
    "ssui graph": (("ssui graph", "for whatever draws mermaid"),),
    "ssui page": (("ssui page --run mine", "what there is by now, also while the run is going on"),),
    "ssui show": (
        ("ssui show a4f643b4", "a record of the demo run; the beginning of its id will do"),
        ("ssui show IMG_1.jpg --run mine --no-picture", "all that became of a seed, in words alone"),
    ),
    "ssui merge-runs": (("ssui merge-runs monday tuesday --to week", "each record once; the first wins"),),
    "ssui pairs": (
        ("ssui pairs --uncurated", "pairs of the demo run, which no person has seen"),
        (
            "ssui pairs --run mine --policy the/model --base-url http://127.0.0.1:8000/v1",
            "branches of the model that is to be trained",
        ),
    ),
    "ssui distil": (
        (
            "ssui distil --uncurated",
            "what the policy says that is told the danger: outputs/demo/distilled",
        ),
        (
            "ssui distil --run mine --policy the/model --base-url http://127.0.0.1:8000/v1",
            "by the model that is to be trained; the same line again goes on",
        ),
    ),
    "ssui curation": (
        ("ssui curation export --as ana", "the items, a page and ana's file: outputs/demo/curation"),
        ("ssui curation check", "every mistake in people's files, at its line and column"),
        ("ssui curation apply", "what people said → curated.jsonl"),
    ),
    "ssui review": (
        ("ssui review --run mine --as ana", "ana's page, at the address that is printed"),
        ("ssui review --run mine --host 0.0.0.0", "for several people, each at an address of their own"),
    ),
    "ssui verify": (
        ("ssui verify label --as ana", "a blind sample of branches for ana to label"),
        ("ssui verify calibrate --by first_bad_step guard", "how often these ways of F are right"),
    ),
    "ssui export": (("ssui export --run mine --to llamafactory", "pairs for LLaMA-Factory"),),
    "ssui bench": (
        ("ssui bench run --run mine --bench siuo --data my_siuo", "a benchmark, from your copy of it"),
        ("ssui bench report outputs/mine/bench --json", "all reports of a run, for a script"),
        ("ssui bench compare outputs/mine/bench", "its models side by side"),
    ),
    "ssui publish": (
        ("ssui publish --run mine --licence CC-BY-4.0", "a folder to look through; nothing is sent"),
        ("ssui publish --run mine --licence CC-BY-4.0 --to ana/street", "to the hub as well, private"),
    ),
    "ssui shards": (
        (
            "ssui shards deal --run /shared/big --seeds /shared/seeds.jsonl --shards 256",
            "once; then each machine does its own: ssui dataset --shard I/256",
        ),
        ("ssui shards status --run /shared/big", "how far they are"),
        ("ssui shards merge --run /shared/big", "all of them as an ordinary run"),
        ("ssui shards merge --run /shared/big --stage bench", "those of its benchmark, with a report"),
    ),
    "ssui prompt": (("ssui prompt check_joint --run mine", "what that agent would be sent"),),
    "ssui ctl": (
        ("ssui ctl --run mine status", "how far the job is"),
        ("ssui ctl --run mine concurrency auto", "follow the servers' load again"),
        ("ssui ctl --run s3://bucket/big pause", "all shards of a job, wherever they are"),
    ),
    "ssui serve": (
        ("ssui serve --model Qwen/Qwen2.5-VL-7B-Instruct --seeds my_photos", "until Ctrl-C"),
        ("ssui serve --model the/model -- --max-num-seqs 64", "with a flag of vLLM's own"),
    ),
    "ssui merge": (("ssui merge outputs/mine/adapter", "the adapter and its base as one model"),),
    "ssui doctor": (
        ("ssui doctor", "is this machine fit for a run?"),
        ("ssui doctor --base-url http://127.0.0.1:8000/v1 --all", "and that server, feature by feature"),
    ),
    "ssui completion": (
        ('eval "$(ssui completion bash)"', "Tab completes commands and options; say it in ~/.bashrc"),
    ),
}
