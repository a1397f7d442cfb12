"""The house's arrows and doors: imports point down only, each outside package has one door."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

CURATION = (
    "curation.asked.people",
    "curation.asked.form",
    "curation.asked.item",
    "curation.asked.texts",
    "curation.asked.codebook",
    "curation.lines.review",
    "curation.lines.located",
    "curation.lines.rows",
    "curation.lines.shape",
    "curation.lines.sheet",
    "curation.lines.check",
    "curation.lines.merge",
    "curation.outcomes.settle",
    "curation.outcomes.agreement",
    "curation.outcomes.stats",
    "curation.outcomes.planted",
    "curation.choosing.likeness",
    "curation.choosing.risk",
    "curation.choosing.sample",
    "curation.choosing.deal",
    "curation.page.pictures",
    "curation.page.gallery",
    "curation.formats.markdown",
    "curation.formats.outside",
    "curation.formats.argilla",
    "curation.formats.label_studio",
    "curation.workspace.swap",
    "curation.workspace.folder",
    "curation.workspace.board",
    "curation.workspace.publish",
    "curation.serving.history",
    "curation.serving.desk",
    "curation.serving.keys",
    "curation.serving.patience",
    "curation.serving.server",
)
"""Room by room, so that each uses only those before it."""
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "errors",
        "files",
        "fresh_folder",
        "same_line",
        "numbered",
        "shelf",
        "strict_json",
        "terminal",
        "yamls",
        "taxonomy",
        "naming",
        "provenance",
        "run_files",
        "sealed",
        "shipped",
        "commands",
        "licences",
        "shares",
        "lengths",
        "rights",
        "wish",
        "records",
        "replies",
        "schemas",
        "branches",
        "settings",
        "dialect",
        "completions",
        "guards",
        "examples",
        "language",
        "picture_tokens",
        "config_spending",
        "config_models",
        "config_trust",
        "config_pairs",
        "config_roles",
        "config_serve",
        "config_query",
        "config_vqa",
        "config",
    ),
    (
        "branching",
        "reading",
        "marks",
        "refusing",
        "labels",
        "calling.replicas",
        "calling.content",
        "calling.verbatim",
        "calling.wire",
        "calling.metrics",
        "prompts",
        "pages.frame",
        "unreadable",
        "pixels",
        "images",
        "jsonl",
        "placed",
        "album",
        "columns",
        "tables",
        "seeds",
        "manifest",
        "calling.client",
        "calling.journal",
        "serving.supervise",
        "serving.bound",
        "serving.process",
        "serving.embedded",
        "serving.chat_templates",
        "serving.vllm_sizes",
        "serving.vllm_model",
        "serving.vllm_machine",
        "serving.vllm_share",
        "serving.vllm_families",
        "serving.vllm_known",
        "serving.vllm_flags",
        "serving.vllm_launch",
        "serving.vllm_words",
        "serving.vllm",
        "demo",
    ),
    (
        "calling.meter",
        "calling.gate",
        "calling.calls",
        "calling.pictures",
        "replying",
        "agent",
        "calling.shown_prompt",
        "calling.asking",
        "calling.several",
        "calling.terms",
        "calling.resuming",
        "calling.effects",
        "calling.probe",
    ),
    (
        "jobs.rundir",
        "jobs.lots",
        "jobs.remembered",
        "wanting",
        "state",
        "jobs.plan",
        "jobs.replay",
        "jobs.served",
        "nodes",
        "graph",
        "jobs.runner",
        "jobs.pace",
        "jobs.steer",
        "jobs.expecting",
        "jobs.spending",
        "jobs.progress",
        "jobs.part",
        "jobs.rejects",
        "jobs.ctl",
        "jobs.obeying",
        "jobs.job",
        "pages.masthead",
        "pages.album",
        "showing.counted",
        "showing.sample",
        "showing.page",
        "showing.found",
        "showing.drawn",
        "showing.told",
        "jobs.forecast",
        "quotas",
        "jobs.dry",
        "jobs.filling",
        "jobs.source",
        "jobs.seedwork",
        "cluster.queue",
        "cluster.node",
        "cluster.model",
        "cluster.by_ray",
        "cluster",
        "judging.questions",
        "judging.choosing",
        "verifying.verify",
        "verifying.weighing",
        "verifying.words",
        "verifying.matching",
        "verifying.judge",
        "verifying.first_bad_step",
        "verifying.guard",
        "verifying.ways",
        "verifying.steady",
        "exploring.explored",
        "exploring.watch",
        "exploring.ledger",
        "exploring.cost",
        "exploring.leaks",
        "exploring.continuing",
        "exploring.locating",
        "exploring.rendered",
        "exploring.drawing",
        "exploring.explore",
        "exploring.path_work",
        "exploring.exploration",
        "exploring.told",
        "exploring.distilling",
        "exploring.recovery",
        "exploring.values",
        "exploring.pairs",
        "exploring.edited",
        "exploring.twins",
        "exploring.corrected",
        "exploring.counterparts",
        "exploring.making",
        "exploring.earlier",
        "exploring.written",
        "verifying.calibrate",
        "verifying.reliability",
        "exploring.diversity",
        "exploring.exporters",
        "exploring.counted",
        "exploring.report",
        *CURATION,
        "joining.known",
        "joining.source",
        "joining.pictures",
        "joining.rows",
        "joining.people",
        "publishing.templates",
        "publishing.guard",
        "publishing.splits",
        "variety",
        "benching.records",
        "benching.asked",
        "benching.gist",
        "benching.evidence",
        "benching.gathering",
        "benching.estimating",
        "benching.elsewhere",
        "benching.correcting",
        "benching.rates",
        "benching.official.shape",
        "benching.official.protocols",
        "benching.official.copsd",
        "benching.official.asking",
        "benching.official.table",
        "benching.adapters.shape",
        "benching.adapters.classes",
        "benching.adapters.copy",
        "benching.adapters.making",
        "benching.adapters.adapter",
        "benching.adapters.siuo",
        "benching.adapters.mssbench",
        "benching.adapters.vlguard",
        "benching.adapters.mm_safetybench",
        "benching.adapters.msts",
        "benching.adapters.vlsbench",
        "benching.adapters.mis",
        "benching.adapters.mossbench",
        "benching.adapters.rsbench",
        "benching.adapters",
        "benching.vqa.normalising",
        "benching.vqa.scoring",
        "benching.vqa.rows",
        "benching.vqa.pictures",
        "benching.vqa.reading",
        "benching.vqa.marking",
        "benching.vqa.asking",
        "importing.shape",
        "importing.reading",
        "importing.parts",
        "importing.conversations",
        "importing.labelled",
        "importing.benchmarks",
        "importing.mapped",
        "importing.pictures",
        "importing.making",
        "importing",
        "benching.players",
        "benching.bench",
        "benching.pieces",
        "benching.placing",
        "benching.judged",
        "benching.answering",
        "benching.kept",
        "benching.entry",
        "benching.forecast",
        "benching.phases",
        "benching.sources",
        "benching.scenarios",
        "benching.publishing",
        "benching.proof",
        "benching.dataset_card",
        "benching.drawn",
        "benching.folders",
        "benching.exporters",
        "benching.exhibits",
        "benching.labelled",
        "benching.card",
        "benching.trying",
        "benching.alarms",
        "benching.paired",
        "benching.figures",
        "benching.compare",
        "benching.costs",
        "benching.telling",
        "benching.theirs",
        "benching.announcing",
        "benching.failures",
        "benching.edition",
        "benching.page",
        "benching.report",
        "benching.side_by_side",
        "benching.printed",
        "benching.vqa.tax",
        "benching.vqa.words",
        "benching.vqa.report",
        "publishing.rows",
        "publishing.shards",
        "publishing.gather",
        "publishing.used",
        "publishing.facts",
        "publishing.card",
        "publishing.croissant",
        "publishing.folder",
        "publishing.adapter",
        "publishing.push",
        "inspecting.calling",
        "inspecting.setting",
        "inspecting.scoring",
        "inspecting.task",
        "inspecting.logs",
        "inspecting.people",
        "inspecting._registry",
        "shards.store",
        "shards.folder",
        "shards.bucket",
        "shards.opening",
        "shards.dealing",
        "shards.attempts",
        "shards.control",
        "shards.stage",
        "shards.rows",
        "shards.edition",
        "shards.seeds",
        "shards.benches",
        "shards.paths",
        "shards.stages",
        "shards.parquet",
        "shards.folding",
        "shards.attempt",
        "shards.merging",
        "shards.status",
        "shards",
    ),
    (
        "stages.dataset",
        "stages.look",
        "stages.show",
        "stages.merge_runs",
        "stages.curation",
        "stages.agreement",
        "stages.unfold",
        "stages.review",
        "stages.label",
        "stages.exchange",
        "stages.rounds",
        "stages.pairs",
        "stages.distil",
        "stages.calibrate",
        "stages.checks",
        "stages.report",
        "stages.export",
        "stages.importing",
        "stages.rsbench",
        "stages.publish",
        "stages.doctor",
        "stages.prompt",
        "stages.bench",
        "stages.bench_label",
        "stages.bench_card",
        "stages.bench_export",
        "stages.bench_log",
    ),
    ("stages.serve", "stages.shard", "stages.cluster"),
    ("cli_help", "cli_parser", "cli_screen", "cli_options"),
    (
        "cli_curation",
        "cli_review",
        "cli_publish",
        "cli_elsewhere",
        "cli_looking",
        "cli_shard",
        "cli_shards",
        "cli_cluster",
        "cli_jobs",
        "cli_distil",
        "cli_import",
        "cli_bench_people",
        "cli_vqa",
        "cli_bench",
    ),
    ("cli_verify", "cli_machines", "cli_ctl", "cli_prompt", "cli"),
)
"""Lowest first. Inside a layer an import may point left only, and in the first of doors see `BESIDE`."""

BESIDE = {
    "calling.wire": {"calling.content"},
    "calling.client": {"calling.metrics", "calling.replicas", "calling.verbatim", "calling.wire"},
    "labels": {"reading"},
    "prompts": {"marks"},
    "reading": {"branching"},
    "album": {"unreadable"},
    "images": {"pixels"},
    "pixels": {"unreadable"},
    "seeds": {"album", "columns", "jsonl", "tables"},
    "placed": {"jsonl"},
    "tables": {"jsonl"},
    "manifest": {"jsonl", "seeds"},
    "demo": {"jsonl"},
    "serving.embedded": {"serving.process"},
    "serving.vllm_model": {"serving.vllm_sizes"},
    "serving.vllm_share": {"serving.vllm_machine", "serving.vllm_model"},
    "serving.vllm_families": {"serving.vllm_model"},
    "serving.vllm_flags": {"serving.vllm_families", "serving.vllm_machine", "serving.vllm_model"},
    "serving.vllm_launch": {
        "serving.chat_templates",
        "serving.vllm_families",
        "serving.vllm_flags",
        "serving.vllm_known",
        "serving.vllm_machine",
        "serving.vllm_model",
        "serving.vllm_share",
    },
    "serving.vllm": {"serving.process", "serving.vllm_launch", "serving.vllm_words"},
}
"""Doors (layer 1) do not import each other, except for these helpers of one door."""

DOORS = {
    "openai": {"ssui_gen/calling/client.py"},
    "aiohttp": {"ssui_gen/calling/client.py"},
    "tenacity": {"ssui_gen/calling/client.py"},
    "sqlite3": {
        "ssui_gen/calling/journal.py",
        "ssui_gen/curation/choosing/likeness.py",
        "ssui_gen/joining/known.py",
        "train/ssui_train/places.py",
    },
    "jinja2": {"ssui_gen/prompts.py", "ssui_gen/pages/frame.py", "ssui_gen/publishing/templates.py"},
    "markupsafe": {"ssui_gen/pages/frame.py"},
    "langgraph": {"ssui_gen/state.py", "ssui_gen/nodes.py", "ssui_gen/graph.py"},
    "datasets": {"ssui_gen/tables.py", "ssui_gen/publishing/shards.py"},
    "pyarrow": {"ssui_gen/tables.py", "ssui_gen/publishing/shards.py", "ssui_gen/shards/parquet.py"},
    "mlcroissant": {"ssui_gen/publishing/croissant.py"},
    "huggingface_hub": {"ssui_gen/publishing/push.py", "ssui_gen/serving/vllm_model.py", "train/"},
    "ray": {"ssui_gen/cluster/by_ray.py"},
    "fsspec": {"ssui_gen/shards/bucket.py"},
    "yaml": {"ssui_gen/yamls.py"},
    "rich": {
        "ssui_gen/terminal.py",
        "ssui_gen/jobs/progress.py",
        "ssui_gen/jobs/job.py",
        "ssui_gen/cli_curation.py",
        "ssui_gen/cli_shards.py",
        "ssui_gen/benching/phases.py",
        "ssui_gen/benching/printed.py",
        "ssui_gen/benching/vqa/words.py",
        "ssui_gen/verifying/reliability.py",
        "ssui_gen/showing/drawn.py",
        "ssui_gen/showing/told.py",
        "ssui_gen/stages/",
        "microworld/",
        "train/",
    },
    "PIL": {"ssui_gen/images.py", "ssui_gen/pixels.py", "ssui_gen/showing/drawn.py", "microworld/", "train/"},
    "numpy": {
        "ssui_gen/images.py",
        "ssui_gen/pixels.py",
        "ssui_gen/curation/outcomes/agreement.py",
        "ssui_gen/benching/",
        "microworld/",
        "train/",
    },
    "shtab": {"ssui_gen/cli_machines.py"},
    "rapidfuzz": {
        "ssui_gen/exploring/drawing.py",
        "ssui_gen/exploring/edited.py",
        "ssui_gen/exploring/leaks.py",
        "ssui_gen/wanting.py",
    },
    "sacrebleu": {"ssui_gen/exploring/diversity.py"},
    "inspect_ai": {"ssui_gen/inspecting/"},
    "zstandard": {"ssui_gen/inspecting/logs.py"},
    "torch": {"microworld/", "train/"},
    "transformers": {"microworld/", "train/"},
    "peft": {"microworld/", "train/"},
    "accelerate": {"train/"},
    "starlette": {"microworld/", "ssui_gen/curation/serving/server.py"},
    "fastapi": {"microworld/", "ssui_gen/curation/serving/server.py"},
    "uvicorn": {"microworld/", "ssui_gen/curation/serving/patience.py", "ssui_gen/stages/review.py"},
    "llguidance": {"microworld/"},
}

OURS = {"ssui_gen": ROOT, "microworld": ROOT, "ssui_train": ROOT / "train"}
_TEACHING = {"world", "draw", "truth", "corpus"}
ROOMS = {
    "world": set[str](),
    "draw": {"world"},
    "truth": {"world"},
    "corpus": _TEACHING,
    "learning": _TEACHING,
    "serving": {"learning"},
    "measuring": {*_TEACHING, "learning"},
    "reproduce": {*_TEACHING, "learning", "measuring"},
}
"""Of the microworld: what each may use besides itself. The commands on its top floor use all of them, and no
room uses a command: such a name stands in no room.
"""
WORDS_OF_ROWS = {
    *(
        "run_files",
        "branches",
        "branching",
        "errors",
        "files",
        "jsonl",
        "prompts",
        "provenance",
        "reading",
        "records",
        "replies",
    ),
    *("numbered", "same_line", "shelf", "shares", "shipped", "taxonomy", "terminal", "yamls"),
}
MICROWORLD_MAY_USE = WORDS_OF_ROWS | {
    *("benching.asked", "benching.bench", "benching.drawn", "benching.kept", "benching.records"),
    *(
        "config",
        "config_pairs",
        "curation.outcomes.planted",
        "jobs.rundir",
        "judging.questions",
        "lengths",
        "manifest",
    ),
    *("marks", "pages.frame", "settings", "terminal"),
    *(f"exploring.{name}" for name in ("explored", "leaks", "locating", "making", "recovery")),
}
"""What is reproduced draws on behind wrong steps, and makes its pairs, by the product's own code."""
TRAIN_MAY_USE = WORDS_OF_ROWS | {
    *("calling.journal", "commands", "images", "manifest", "serving.chat_templates", "settings", "terminal"),
    "shards.bucket",
}
"""Training finds and sees a picture as exploration did, through the same guarded door, and renders a question
as it was served; the journal tells what exploration showed the policy."""


def sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Full dotted names of everything a file imports, inside functions too."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    """A package that holds more than its docstring is a module, too."""
    return ".".join(path.relative_to(ROOT / "ssui_gen").with_suffix("").parts).removesuffix(".__init__")


def ours(path: Path) -> set[str]:
    """The modules of ssui_gen that a file imports."""
    known = {name for layer in LAYERS for name in layer}
    named = (name.removeprefix("ssui_gen.") for name in imports(path) if name.startswith("ssui_gen."))
    return {name for name in named if name in known}


def may_use(module: str) -> set[str]:
    level = next(i for i, layer in enumerate(LAYERS) if module in layer)
    below = {name for layer in LAYERS[:level] for name in layer}
    if level == 1:
        return below | BESIDE.get(module, set())
    if module.startswith("stages."):
        return below
    layer = LAYERS[level]
    return below | set(layer[: layer.index(module)])


@pytest.mark.parametrize("path", sources("ssui_gen"), ids=lambda p: p.name)
def test_imports_point_down(path: Path) -> None:
    module = module_of(path)
    placed = any(module in layer for layer in LAYERS)
    if path.name in ("__init__.py", "__main__.py") and not placed:
        assert ours(path) <= {"cli"}
        return
    assert placed, f"{module}: which layer is it in? Say so in LAYERS"
    strangers = ours(path) - may_use(module) - {module}
    assert not strangers, f"{module} imports {strangers}"


@pytest.mark.parametrize("path", sources("microworld"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_microworld_knows_little_of_us(path: Path) -> None:
    assert ours(path) <= MICROWORLD_MAY_USE


@pytest.mark.parametrize("path", sources("microworld"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_room_of_the_microworld_uses_only_those_below_it(path: Path) -> None:
    room = path.parent.name
    used = {name.split(".")[1] for name in imports(path) if name.startswith("microworld.")}
    assert room not in ROOMS or used <= ROOMS[room] | {room}


@pytest.mark.parametrize("path", sources("train"), ids=lambda p: p.name)
def test_training_knows_little_of_us_and_nothing_of_the_microworld(path: Path) -> None:
    assert ours(path) <= TRAIN_MAY_USE
    assert not [name for name in imports(path) if name.split(".")[0] == "microworld"]


def test_ssui_gen_never_imports_the_microworld_or_train() -> None:
    for path in sources("ssui_gen"):
        assert not [n for n in imports(path) if n.split(".")[0] in ("microworld", "ssui_train")], path


@pytest.mark.parametrize("package", DOORS)
def test_each_outside_package_has_one_door(package: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in sources("ssui_gen", "microworld", "train")
        if any(name.split(".")[0] == package for name in imports(path))
    }
    strangers = {user for user in users if not any(user.startswith(door) for door in DOORS[package])}
    assert not strangers, f"{package} is imported by {strangers}; its doors are {DOORS[package]}"


def test_importing_ssui_gen_brings_neither_torch_nor_vllm() -> None:
    code = (
        "import sys, ssui_gen.cli, ssui_gen.stages.dataset, ssui_gen.stages.doctor;"
        "heavy = ('torch', 'vllm', 'transformers', 'datasets', 'inspect_ai', 'ray', 'microworld');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_no_file_is_over_300_lines_and_half_the_functions_are_under_ten() -> None:
    long = [
        p for p in sources("ssui_gen", "microworld", "train") if len(p.read_text("utf-8").splitlines()) > 300
    ]
    assert not long
    lengths = sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in sources("ssui_gen", "microworld", "train")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[len(lengths) // 2] < 10


@cache
def names_in(module: Path) -> frozenset[str]:
    """Everything that a module binds, and the modules of a package."""
    tree = list(ast.walk(ast.parse(module.read_text("utf-8"))))
    made = {
        node.name for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    made |= {node.id for node in tree if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    taken = (alias for node in tree if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names)
    inside = {path.stem for path in module.parent.iterdir()} if module.name == "__init__.py" else set()
    return frozenset(made | inside | {alias.asname or alias.name for alias in taken})


def test_what_type_checking_does_not_reach_imports_names_that_are_there() -> None:
    for path in sources("benchmarks", "scripts", "tests"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (top := (node.module or "").split(".")[0]) in OURS:
                place = OURS[top] / str(node.module).replace(".", "/")
                module = found if (found := place.with_suffix(".py")).exists() else place / "__init__.py"
                assert module.exists(), f"{path}:{node.lineno}: {node.module}"
                lost = {alias.name for alias in node.names} - names_in(module)
                assert not lost, f"{path}:{node.lineno}: {node.module} has no {lost}"
