"""The job in NVIDIA NeMo Data Designer: one structured column per agent.

    python data_designer_job.py SEEDS URL FOLDER

Chosen for it: `max_parallel_requests=64` (its default is 4) and four row groups of 25 rows at once, since a
row group is what a kill costs (its default is 1,000 rows); `ResumeMode.IF_POSSIBLE`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import data_designer.config as dd
import pandas as pd
from data_designer.config.run_config import ResumeMode, RunConfig
from data_designer.interface import DataDesigner
from job import AGENTS, CARDS, SCHEMAS, SYSTEM, seeds, user


def columns(builder: dd.DataDesignerConfigBuilder) -> None:
    picture = dd.ImageContext(
        column_name="picture", data_type=dd.ModalityDataType.BASE64, image_format=dd.ImageFormat.PNG
    )
    for agent in AGENTS:
        builder.add_column(
            dd.LLMStructuredColumnConfig(
                name=agent,
                model_alias=agent,
                system_prompt=SYSTEM[agent],
                prompt=user(agent, lambda source, field: f"{{{{ {source}.{field} }}}}"),
                output_format=SCHEMAS[agent],
                multi_modal_context=[picture] if CARDS[agent].picture else None,
            )
        )


def model(agent: str) -> dd.ModelConfig:
    """The one model, with the reply's form enforced by the server, which it does not ask for by itself."""
    form = {"type": "json_schema", "json_schema": {"name": agent, "schema": SCHEMAS[agent]}}
    asked = dd.ChatCompletionInferenceParams(
        max_parallel_requests=64, temperature=0.5, max_tokens=1600, extra_body={"response_format": form}
    )
    return dd.ModelConfig(
        alias=agent, model="stub", provider="stub", inference_parameters=asked, skip_health_check=True
    )


def main() -> None:
    """Make the dataset, or go on with it."""
    source, url, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "seeds.parquet"
    rows = seeds(source)
    if not table.exists():
        pd.DataFrame(rows).to_parquet(table, index=False)
    builder = dd.DataDesignerConfigBuilder(model_configs=[model(agent) for agent in AGENTS])
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=str(table)))
    columns(builder)
    designer = DataDesigner(
        artifact_path=folder, model_providers=[dd.ModelProvider(name="stub", endpoint=url, api_key="none")]
    )
    designer.set_run_config(RunConfig(buffer_size=25, max_concurrent_row_groups=4, otel_metrics_port=None))
    made = designer.create(builder, num_records=len(rows), dataset_name="made", resume=ResumeMode.IF_POSSIBLE)
    frame = made.load_dataset()
    frame.drop(columns="picture").to_json(folder / "rows.jsonl", orient="records", lines=True)


if __name__ == "__main__":
    main()
