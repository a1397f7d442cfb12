"""Other trainers' layouts, key by key, on one pair."""

from __future__ import annotations

from pathlib import Path

import pytest
from jobs import Ended, here, rows
from PIL import Image
from test_pairs import branch, cut

from ssui_gen.branches import Pair
from ssui_gen.cli import main
from ssui_gen.config_pairs import Pairing
from ssui_gen.exploring.exporters import EXPORTERS, LLAMAFACTORY_INFO
from ssui_gen.exploring.pairs import pair_up
from ssui_gen.images import inspect, shown
from ssui_gen.settings import ImageLimits

IMAGES = ["pairs_pictures/a.png"]
GOOD, BAD = "3. Synthesis: wet.\nAnswer: Careful.", "3. Synthesis: fine.\nAnswer: Go."
(PAIR,) = pair_up([cut(2, branch(GOOD, "good"), branch(BAD, "bad"))], Pairing(), system="Think.")


def test_llamafactory() -> None:
    row = EXPORTERS["llamafactory"](PAIR, IMAGES)
    assert row == {
        "system": "Think.",
        "conversations": [{"from": "human", "value": "<image>How?"}],
        "chosen": {"from": "gpt", "value": f"PP{GOOD}"},
        "rejected": {"from": "gpt", "value": f"PP{BAD}"},
        "images": IMAGES,
    }
    assert set(LLAMAFACTORY_INFO["columns"].values()) == set(row)  # type: ignore[attr-defined]


def test_ms_swift() -> None:
    row = EXPORTERS["ms_swift"](PAIR, IMAGES)
    assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
    assert row["messages"][1]["content"].count("<image>") == len(row["images"]) == 1
    assert (row["messages"][2]["content"], row["rejected_response"]) == (f"PP{GOOD}", f"PP{BAD}")


def test_step_dpo() -> None:
    row = EXPORTERS["step_dpo"](PAIR, IMAGES)
    assert row["initial_reason_steps"] == "PP"
    assert (row["chosen"], row["rejected"]) == ("3. Synthesis: wet.\n", "3. Synthesis: fine.\n")
    assert (row["full_chosen"], row["full_rejected"]) == (GOOD, BAD)
    assert row["answer"] == "Careful."


def exported(run: Path, layout: str, *pairs: Pair) -> Ended:
    (run / "pairs.jsonl").write_text("".join(pair.model_dump_json() + "\n" for pair in pairs))
    return here(["export", "--run", str(run), "--to", layout])


def of_phone(run: Path) -> Pair:
    """A pair about a photo that lies on its side and says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    (run / "seeds").mkdir()
    Image.new("RGB", (40, 80), "red").save(run / "seeds" / "p.jpg", exif=exif)
    ref = inspect(run / "seeds", "p.jpg", ImageLimits())
    return PAIR.model_copy(update={"images": ("p.jpg",), "image_ref": ref})


@pytest.mark.parametrize("layout", EXPORTERS)
def test_the_command_writes_rows_and_pictures_that_can_be_given_away(layout: str, tmp_path: Path) -> None:
    pair = of_phone(tmp_path)
    assert exported(tmp_path, layout, pair, pair).code == 0
    first, second = rows(tmp_path / f"pairs_{layout}.jsonl")
    assert first == second == EXPORTERS[layout](pair, first["images"])
    assert (tmp_path / "dataset_info.json").exists() is (layout == "llamafactory")
    with Image.open(first["images"][0]) as picture:
        assert picture.size == (80, 40) and not picture.getexif()
        assert picture.tobytes() == shown(tmp_path / "seeds", pair.image_ref, ImageLimits()).tobytes()


def test_a_picture_is_as_large_as_it_was_explored(tmp_path: Path) -> None:
    pair = of_phone(tmp_path)
    (tmp_path / "pairs.json").write_text('{"settings": {"images": {"longest_side": 20}}}')
    assert exported(tmp_path, "trl", pair).code == 0
    with Image.open(rows(tmp_path / "pairs_trl.jsonl")[0]["images"][0]) as picture:
        assert picture.size == (20, 10)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "gone.png"])
@pytest.mark.parametrize("both", [True, False])
def test_a_picture_that_the_door_refuses_stops_the_export(tmp_path: Path, name: str, both: bool) -> None:
    pair = of_phone(tmp_path)
    ref = pair.image_ref.model_copy(update={"path": name}) if both else pair.image_ref
    done = exported(
        tmp_path, "llamafactory", pair, pair.model_copy(update={"images": (name,), "image_ref": ref})
    )
    assert done.code == 1 and f"pairs.jsonl:2: images: {name!r}: " in done.err
    assert not (tmp_path / "pairs_llamafactory.jsonl").exists()


def test_an_unknown_layout_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--to", "axolotl"])
    said = capsys.readouterr().err
    assert "of pairs trl, llamafactory, ms_swift, step_dpo; of responses vlmevalkit, lmms_eval" in said
    assert "got 'axolotl'" in said


def test_without_pairs_it_says_how_to_make_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["export", "--run", str(tmp_path), "--to", "ms_swift"])
    assert "make it with `ssui pairs --run " in capsys.readouterr().err
