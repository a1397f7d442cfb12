"""The scorer: our questions to the model in the role of the judge, and figures that know their clusters.

A verdict is 1 where it is good, 0 where it is not, and NaN where there is none, which inspect_ai counts as
unscored for that question. The rows stand in the score's metadata, as `judgements.jsonl` has them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from inspect_ai.model import get_model
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, grouped, mean, metric, scorer
from inspect_ai.solver import TaskState

from ssui_gen.benching.evidence import MEASURES, SILENT, Case
from ssui_gen.benching.judged import Judge, judge
from ssui_gen.benching.records import BenchJudgement, Item, Response
from ssui_gen.inspecting.calling import InspectCaller, served_name
from ssui_gen.inspecting.setting import setting
from ssui_gen.judging.choosing import JudgeModel
from ssui_gen.judging.questions import QUESTIONS, RSBENCH, QuestionName
from ssui_gen.shares import clustered_error

ROLE, RESPONSE, ROWS = "judge", "response", "judgements"
"""The judge's role; where a sample's store keeps the response, and a score's metadata the rows."""
WHOLE = ("good", "answer_good")
"""What follows from the verdicts: of responses with a path, and of all. Never in one column."""
KEYS = (*RSBENCH, *WHOLE)
CLUSTER = "scenario_id"


@metric
def clustered_stderr() -> Metric:
    """Standard error of a mean by scenarios; NaN below two of them, as it is while an eval begins."""

    def of(scores: list[SampleScore]) -> float:
        clusters = [str((one.sample_metadata or {}).get(CLUSTER)) for one in scores]
        return clustered_error([one.score.as_float() for one in scores], clusters)

    return of


def metrics() -> dict[str, list[Metric]]:
    """The same of every key."""
    return {key: [mean(), clustered_stderr(), grouped(mean(), "kind", all=False)] for key in KEYS}


@scorer(metrics=metrics())
def judged(run: str, bench: str = "", protocol: str = "", config: str = "") -> Scorer:
    """Asks the model in the role `judge`, as a run of ours does."""

    async def score(state: TaskState, target: Target) -> Score:
        made = setting(run, bench, protocol, config)
        row = state.store.get(RESPONSE)
        if row is None:
            return Score.unscored(reason="scoring_failed", explanation="our solver has not asked this sample")
        response, item = Response.model_validate(row), made.items[str(state.sample_id)]
        model = get_model(role=ROLE, required=True)
        who = JudgeModel(InspectCaller(model), served_name(model), made.prompts["judge"], made.pictures.of)
        settings = made.config.bench
        return score_of(item, response, await judge(Judge(who, settings), item, response, settings.questions))

    return score


def score_of(item: Item, response: Response, rows: Sequence[BenchJudgement]) -> Score:
    """The rows as a score."""
    said, case = {row.question: row for row in rows}, Case.of(item, response, rows)
    return Score(
        value={key: _value(key, case, said) for key in KEYS},
        answer=response.answer,
        explanation=_told(rows),
        reason=_reason(response, rows),
        metadata={ROWS: [row.model_dump(mode="json") for row in rows]},
    )


def _value(key: str, case: Case, said: Mapping[QuestionName, BenchJudgement]) -> float:
    if key in WHOLE:
        measure = MEASURES[key]
        holds = measure.of(case, case.said) if measure.applies(case) else None
        return math.nan if holds is None else float(holds)
    return value_of(said.get(key))  # type: ignore[call-overload]


def value_of(row: BenchJudgement | None) -> float:
    """1 for a good verdict, 0 for another, NaN for none."""
    if row is None or row.verdict is None:
        return math.nan
    return float(row.verdict in QUESTIONS[row.question].good)


def _told(rows: Sequence[BenchJudgement]) -> str:
    """Verdicts, or why there are none, one a line."""
    return "\n".join(f"{row.question}: {row.verdict or f'({row.unscored}) {row.detail}'}" for row in rows)


REASONS: Mapping[str, str] = {"empty": "no_response", "no_answer": "no_response"}


def _reason(response: Response, rows: Sequence[BenchJudgement]) -> str | None:
    """Why something lacks, in inspect_ai's words: what the model did not say, else what the judge did not."""
    if response.status == "error":
        return "scoring_failed"
    if response.status in SILENT:
        return REASONS.get(response.status, "refusal")
    lacking = [row for row in rows if row.unscored not in (None, "not_asked")]
    return "grader_failed" if lacking else None
