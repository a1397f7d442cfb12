"""The files for schedulers: the array's own lines, run by a stand-in for Slurm; the Job's, by our parser."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from benching import PLAYED, Run, items
from exploring import PATHS, explored, judge, policy
from fake_server import Fake
from jobs import SSUI, Job, job, plain
from sharded import ANSWERS

from ssui_gen.benching.bench import write_bench
from ssui_gen.cli import _parser
from ssui_gen.shards.dealing import which_shard

CLUSTER = Path(__file__).parents[1] / "docs" / "cluster"
SBATCH = """#!/bin/bash
# Runs at once what it is given: each task of an array anew while it asks for that.
echo "$@" >> "$SLURM_LOG"
for word; do case $word in --array=*) last=${word##*-} ;; --wrap) wrap=1 ;; *) file=$word ;; esac; done
if [ -n "${wrap:-}" ]; then bash -c "$file" >> "$SLURM_LOG" 2>&1; echo 2; exit; fi
for ((task = 0; task <= last; task++)); do
    restarts=0
    while :; do
        rm -f "$SLURM_LOG.requeue"
        SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID=$task SLURM_RESTART_COUNT=$restarts \\
            bash "$file" >> "$SLURM_LOG" 2>&1 || echo "task $task: $?" >> "$SLURM_LOG"
        [ -f "$SLURM_LOG.requeue" ] || break
        restarts=$((restarts + 1))
    done
done
echo 1
"""
SCONTROL = '#!/bin/bash\necho "$@" | tee -a "$SLURM_LOG" > "$SLURM_LOG.requeue"\n'


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """An environment with a stand-in for Slurm in it."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("sbatch", SBATCH), ("scontrol", SCONTROL)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SLURM_LOG": str(tmp_path / "slurm.log"), "SSUI": str(SSUI)}


def run_array(made: Job, slurm: dict[str, str], **more: str) -> str:
    """What Slurm and the tasks said."""
    told = {"RUN": str(made.run), "SEEDS": str(made.seeds), "MODEL": "fake-vlm", "BASE_URL": made.url}
    told |= {"CONFIG": str(made.folder / "run.yaml"), "SHARDS": "3", "TASKS": "2"}
    done = subprocess.run(
        ["bash", str(CLUSTER / "array.sbatch")], env=slurm | told | more, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Path(slurm["SLURM_LOG"]).read_text()


@pytest.mark.slow
def test_the_array_file_deals_does_all_shards_and_merges(
    fake: Fake, tmp_path: Path, slurm: dict[str, str]
) -> None:
    fake.answers = ANSWERS
    made = job(tmp_path / "it's a job", fake.url, plain(4))
    said = run_array(made, slurm)
    assert "--array=0-1" in said and "--dependency=afterok:1" in said and "each once" in said
    merged = made.content
    assert len(merged) == 8
    once = job(made.folder, fake.url, plain(4))
    for file in made.run.glob("*.jsonl"):
        file.unlink()
    assert once.here("--run", str(tmp_path / "once")).code == 0
    assert merged == Job(made.folder, tmp_path / "once", fake.url).content


@pytest.mark.slow
def test_the_array_file_asks_a_benchmark_where_it_is_told_to(
    fake: Fake, tmp_path: Path, slurm: dict[str, str]
) -> None:
    fake.answers = PLAYED
    made = job(tmp_path / "it's a job", fake.url, [])
    asked = Run(made.run, fake.url)
    write_bench(asked.bench, "invented", asked.bench, items(asked.bench))
    said = run_array(made, slurm, STAGE="bench", SHARDS="2")
    assert "each once" in said and "Look at" in said, said
    assert len(asked.responses) == 6 and len(asked.judgements) == 42


@pytest.mark.slow
def test_the_array_file_explores_pairs_where_it_is_told_to(
    fake: Fake, tmp_path: Path, slurm: dict[str, str]
) -> None:
    made = explored(tmp_path / "it's a job", fake.url)
    fake.answers = {"none": policy, "judge: right": judge}
    said = run_array(made, slurm, STAGE="pairs", SHARDS="2", UNCURATED="1", POLICY="fake-vlm")
    assert f"{6 * PATHS} cuts and 0 rejects, each once" in said and "pairs.jsonl" in said, said
    assert (made.run / "pairs.html").exists()


@pytest.mark.slow
def test_a_task_whose_server_is_gone_is_queued_again_and_one_with_a_wrong_key_is_not(
    fake: Fake, tmp_path: Path, slurm: dict[str, str]
) -> None:
    made = job(tmp_path / "job", "http://127.0.0.1:9/v1", plain(1))
    said = run_array(made, slurm, TASKS="1", RESTARTS="1")
    assert said.count("requeue 1_0") == 1 and "given up" in said and "task 0: 75" in said
    fake.api_key = "secret"
    said = run_array(made, slurm, TASKS="1", BASE_URL=fake.url)
    assert said.count("requeue 1_0") == 1 and "task 0: 1\n" in said


def test_the_array_file_is_a_script_that_bash_reads() -> None:
    subprocess.run(["bash", "-n", str(CLUSTER / "array.sbatch")], check=True)


def test_the_job_asks_for_as_many_pods_as_there_are_shards_in_words_that_we_know() -> None:
    spec: dict[str, Any] = yaml.safe_load((CLUSTER / "indexed-job.yaml").read_text())["spec"]
    [container] = spec["template"]["spec"]["containers"]
    args = _parser().parse_args([*container["command"][1:], *container["args"]])
    assert which_shard(args.shard, {"JOB_COMPLETION_INDEX": "255"}) == (255, spec["completions"])
    assert args.run == "s3://BUCKET/big"
    rules = [rule for rule in spec["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
    assert {rule["action"]: rule["onExitCodes"]["values"] for rule in rules} == {
        "FailJob": [1, 2],
        "FailIndex": [3],
    }
    named = {(rule["onExitCodes"]["containerName"], rule["onExitCodes"]["operator"]) for rule in rules}
    assert named == {(container["name"], "In")}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["template"]["spec"]["volumes"]}


@pytest.mark.slow
def test_the_file_for_skypilot_has_each_node_do_its_shards(fake: Fake, tmp_path: Path) -> None:
    fake.answers = ANSWERS
    made, task = job(tmp_path / "job", fake.url, plain(4)), yaml.safe_load((CLUSTER / "sky.yaml").read_text())
    told = {name: str(value) for name, value in task["envs"].items() if value is not None}
    told |= {"RUN": str(made.run), "SEEDS": str(made.seeds), "MODEL": "fake-vlm", "BASE_URL": made.url}
    told |= {"CONFIG": str(made.folder / "run.yaml"), "SHARDS": "3", "SKYPILOT_NUM_NODES": "2"}
    assert told.keys() >= task["envs"].keys()
    for node in ("0", "1"):
        done = subprocess.run(
            ["bash", "-c", task["run"]], env=os.environ | told | {"SKYPILOT_NODE_RANK": node}, text=True,
            cwd=CLUSTER.parents[1], capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    status = subprocess.run(
        [str(SSUI), "shards", "status", "--run", str(made.run)], text=True, capture_output=True
    )
    assert "3 / 0 / 0" in status.stdout, status.stderr


STANDS_IN = """#!/bin/bash
# srun runs its words here; ray and ssui write theirs down, ray then runs what stands behind `--`.
name=${0##*/}
[ "$name" = srun ] || printf '%s\\n' "$name $(printf ' %q' "$@")" >> "$SLURM_LOG"
case $name in scontrol) printf 'node1\\nnode2\\n' ;; srun) shift; exec "$@" ;; esac
[ "$name" != ray ] || { while [ "$1" != -- ]; do shift; done; shift; exec "$@"; }
"""


@pytest.mark.parametrize(
    ("stage", "order", "more"),
    [
        ("", ["dataset"], {}),
        ("pairs", ["pairs"], {"UNCURATED": "1", "POLICY": "the/policy"}),
        ("bench", ["bench", "run"], {"BENCH": "siuo", "DATA": "/shared/a copy", "JUDGE": "the/judge"}),
    ],
)
def test_the_ray_file_starts_ray_on_all_nodes_and_our_command_on_the_first(
    tmp_path: Path, stage: str, order: list[str], more: dict[str, str]
) -> None:
    for name in ("srun", "scontrol", "ray", "ssui"):
        (tmp_path / name).write_text(STANDS_IN)
        (tmp_path / name).chmod(0o755)
    told = {
        "RUN": "/shared/it's big",
        "SEEDS": "/shared/seeds.jsonl",
        "MODEL": "the/model",
        "TMPDIR": "/fast",
        "STAGE": stage,
    } | more
    job = {"SLURM_JOB_NODELIST": "node[1-2]", "SLURM_JOB_NUM_NODES": "2", "SLURM_LOG": str(tmp_path / "log")}
    tools = {"BIN": str(tmp_path), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    known = {name: value for name, value in os.environ.items() if name not in ("BASE_URL", "CONFIG", "PORT")}
    subprocess.run(
        ["bash", str(CLUSTER / "ray.sbatch")], env=known | told | job | tools, check=True, capture_output=True
    )
    _, ray, ssui = map(shlex.split, (tmp_path / "log").read_text().splitlines())
    assert ray[1:6] == ["symmetric-run", "--address", "node1:6379", "--min-nodes", "2"]
    args = _parser().parse_args(ssui[1:])
    assert ssui[1 : 1 + len(order)] == order
    assert (args.cluster, str(args.run), args.model) == ("auto", "/shared/it's big", "the/model")
    for name, value in more.items():
        assert str(getattr(args, name.lower())) == (value if name != "UNCURATED" else "True")
    assert (args.scratch, args.base_url) == (Path("/fast"), None)


def test_the_rayjob_has_a_head_that_does_no_shard_and_a_command_in_words_that_we_know() -> None:
    job: dict[str, Any] = yaml.safe_load((CLUSTER / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    command = shlex.split(job["spec"]["entrypoint"])
    args = _parser().parse_args(command[1:])
    assert (args.cluster, args.run) == ("auto", "s3://BUCKET/big")
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]
    [workers] = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert head["rayStartParams"]["num-cpus"] == "0"
    for group in (head, workers):
        spec = group["template"]["spec"]
        [container] = spec["containers"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}
        assert {"/seeds", "/scratch"} == {mount["mountPath"] for mount in container["volumeMounts"]}
