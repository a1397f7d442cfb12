"""RSBench as a task of inspect_ai: its items as samples, and a solver that asks as a run of ours does.

A sample holds words and no pictures: those are shown by the solver, so another solver in its place would ask
a blind model. What came is kept in the sample's store as a row of `responses.jsonl`.
"""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError  # what it prints as one line; it offers no other
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ssui_gen.benching.answering import Tested, answer
from ssui_gen.benching.records import Item, Response
from ssui_gen.errors import SsuiError
from ssui_gen.inspecting.calling import InspectCaller, served_name
from ssui_gen.inspecting.scoring import RESPONSE, ROLE, judged
from ssui_gen.inspecting.setting import Setting, about, setting

NO_WORDS = "(a picture alone)"


@task
def rsbench(run: str = "demo", bench: str = "", protocol: str = "", config: str = "") -> Task:
    """RSBench of a run; needs a model role `judge`.

    Args:
        run: A run's name below the folder of all runs.
        bench: Another benchmark of that run (`bench-NAME`).
        protocol: How the model is asked: as_is, six_steps or think.
        config: A file of settings, by its name below the working directory.
    """
    get_model(role=ROLE, required=True)  # before the first call, not after the last answer
    named = {"run": run, "bench": bench, "protocol": protocol, "config": config}
    try:
        made = setting(**named)
    except SsuiError as error:
        raise PrerequisiteError(str(error)) from None
    return Task(
        dataset=MemoryDataset([_sample(item) for item in made.bench.items], name=made.bench.name),
        solver=asked(**named),
        scorer=judged(**named),
        version=made.rubric,
        metadata=about(made),
    )


def _sample(item: Item) -> Sample:
    facts = ("scenario_id", "kind", "category", "language")
    return Sample(
        id=item.id,
        input=item.text or NO_WORDS,
        target=item.danger,
        metadata={name: getattr(item, name) for name in facts},
    )


@solver
def asked(run: str, bench: str = "", protocol: str = "", config: str = "") -> Solver:
    """Asks about an item under the protocol; an epoch is a draw."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        made = setting(run, bench, protocol, config)
        response = await _answered(made, made.items[str(state.sample_id)], state.epoch - 1)
        state.store.set(RESPONSE, response.model_dump(mode="json"))
        state.output = ModelOutput.from_content(response.model, response.raw)
        state.messages.append(state.output.message)
        return state

    return solve


async def _answered(made: Setting, item: Item, draw: int) -> Response:
    model = get_model()
    name = served_name(model)
    tested = Tested(name, name, InspectCaller(model), made.prompt, by_n=False, picture_of=made.pictures.of)
    return (await answer(tested, item, made.config.bench, [draw]))[0]
