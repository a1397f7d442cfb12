"""Other trainers' layouts, key by key, on one pair."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_pairs import branch, cut

from ssui_gen.cli import main
from ssui_gen.config import Pairing
from ssui_gen.exploring.exporters import EXPORTERS, LLAMAFACTORY_INFO
from ssui_gen.exploring.pairs import pair_up

ROOT = Path("/pictures")
GOOD, BAD = "3. Synthesis: wet.\nAnswer: Careful.", "3. Synthesis: fine.\nAnswer: Go."
(PAIR,) = pair_up([cut(2, branch(GOOD, "good"), branch(BAD, "bad"))], Pairing(), system="Think.")


def test_llamafactory() -> None:
    row = EXPORTERS["llamafactory"](PAIR, ROOT)
    assert row == {
        "system": "Think.",
        "conversations": [{"from": "human", "value": "<image>How?"}],
        "chosen": {"from": "gpt", "value": f"PP{GOOD}"},
        "rejected": {"from": "gpt", "value": f"PP{BAD}"},
        "images": ["/pictures/a.png"],
    }
    assert set(LLAMAFACTORY_INFO["columns"].values()) == set(row)  # type: ignore[attr-defined]


def test_ms_swift() -> None:
    row = EXPORTERS["ms_swift"](PAIR, ROOT)
    assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
    assert row["messages"][1]["content"].count("<image>") == len(row["images"]) == 1
    assert (row["messages"][2]["content"], row["rejected_response"]) == (f"PP{GOOD}", f"PP{BAD}")


def test_step_dpo() -> None:
    row = EXPORTERS["step_dpo"](PAIR, ROOT)
    assert row["initial_reason_steps"] == "PP"
    assert (row["chosen"], row["rejected"]) == ("3. Synthesis: wet.\n", "3. Synthesis: fine.\n")
    assert (row["full_chosen"], row["full_rejected"]) == (GOOD, BAD)
    assert row["answer"] == "Careful."


@pytest.mark.parametrize("layout", EXPORTERS)
def test_the_command_writes_a_row_for_each_pair(layout: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text(PAIR.model_dump_json() + "\n")
    with pytest.raises(SystemExit) as end:
        main(["export", "--run", str(tmp_path), "--to", layout])
    assert end.value.code == 0
    (line,) = (tmp_path / f"pairs_{layout}.jsonl").read_text().splitlines()
    assert json.loads(line) == EXPORTERS[layout](PAIR, tmp_path / "seeds")
    assert (tmp_path / "dataset_info.json").exists() is (layout == "llamafactory")


def test_an_unknown_layout_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--to", "axolotl"])
    assert "expected one of trl, llamafactory, ms_swift, step_dpo; got 'axolotl'" in capsys.readouterr().err


def test_without_pairs_it_says_how_to_make_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--run", str(tmp_path), "--to", "ms_swift"])
    assert "make it with `ssui pairs --run " in capsys.readouterr().err
