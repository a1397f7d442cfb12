"""What agents were told, as it is published: known by its content, never through a link; and what lacks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from giving import given, publish
from hypothesis import given as whatever
from hypothesis import strategies as st

from ssui_gen.prompts import blob_id
from ssui_gen.publishing.facts import drawn_as
from ssui_gen.publishing.used import Used, used_of

TEXTS = {
    "prompts/safe.md": b"is it safe alone?",
    "prompts/examples.yaml": b"- a: b",
    "taxonomy.yaml": b"- id: x",
}
KEY = "sk-" + "a1B2" * 8


def blob(content: bytes) -> str:
    return blob_id(content)[:8]


def of(content: bytes = TEXTS["prompts/safe.md"], **rendered: str) -> dict[str, Any]:
    """An edition: its one agent's prompt has another name than the agent."""
    shown = {name.rpartition("/")[2]: blob(text) for name, text in TEXTS.items() if name.endswith("yaml")}
    prompts = {"check_text": f"safe@1:{blob(content)}"}
    told = {"language": "English", "query": "0123abcd", **shown, **rendered}
    return {"prompts": prompts, "cards": {}, "models": {}, "rendered": told}


def remember(run: Path, *editions: dict[str, Any], name: str = "run.json") -> None:
    run.mkdir(exist_ok=True, parents=True)
    (run / name).write_text(json.dumps({"editions": [{"edition": one} for one in editions]}))


def kept(run: Path, number: str = "1", **texts: bytes) -> Path:
    """The run's copies of an edition."""
    for name, text in (TEXTS | texts).items():
        path = run / "used" / number / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return run / "used" / number


def lay(used: Used) -> dict[str, str]:
    return {name: path.as_posix() for name, path in used.files.items()}


def test_a_prompt_is_known_by_its_content_whatever_its_agent_is_called(tmp_path: Path) -> None:
    remember(tmp_path, of())
    kept(tmp_path, **{"prompts/other.md": b"not used", "run.yaml": b"base_url: mine"})
    used = used_of(tmp_path)
    assert lay(used) == {f"prompts/{name.rpartition('/')[2]}": f"used/1/{name}" for name in TEXTS}
    assert not used.lacking and used.has("taxonomy.yaml") and not used.has("run.yaml")


def test_a_persons_own_file_is_taken_and_not_ours_of_the_same_name(tmp_path: Path) -> None:
    """It is kept beside `prompts`, and bears any name where it came from, that of the settings too."""
    mine = b"- my people"
    remember(tmp_path, of(**{"run.yaml": blob(mine)}))
    kept(tmp_path, **{"personas.yaml": mine, "prompts/personas.yaml": b"- ours", "run.yaml": KEY.encode()})
    used = used_of(tmp_path)
    assert lay(used)["prompts/personas.yaml"] == "used/1/personas.yaml" and not used.has("run.yaml")


def test_editions_share_a_folder_until_a_name_stands_for_two_texts(tmp_path: Path) -> None:
    remember(tmp_path, of())
    remember(tmp_path, of(), name="pairs.json")
    kept(tmp_path)
    assert set(lay(used_of(tmp_path))) == {
        "prompts/safe.md",
        "prompts/examples.yaml",
        "prompts/taxonomy.yaml",
    }
    remember(tmp_path, of(), of(b"another"))
    kept(tmp_path, "2", **{"prompts/safe.md": b"another"})
    found = lay(used_of(tmp_path))
    assert found["prompts/1/safe.md"] == "used/1/prompts/safe.md"
    assert found["prompts/2/safe.md"] == "used/2/prompts/safe.md"
    assert (tmp_path / found["prompts/pairs-1/safe.md"]).read_bytes() == TEXTS["prompts/safe.md"]


def _linked(at: str) -> Callable[[Path], None]:
    """`at` is a link to what it was, elsewhere."""

    def change(run: Path) -> None:
        (run / at).rename(run.parent / "elsewhere")
        (run / at).symlink_to(run.parent / "elsewhere")

    return change


def _other(run: Path) -> None:
    (run / "used/1/taxonomy.yaml").write_text("- id: y")


def _pipe(run: Path) -> None:
    (run / "used/1/taxonomy.yaml").unlink()
    os.mkfifo(run / "used/1/taxonomy.yaml")


def _folder(run: Path) -> None:
    (run / "used/1/taxonomy.yaml").unlink()
    (run / "used/1/taxonomy.yaml").mkdir()


def _gone(run: Path) -> None:
    (run / "used/1/taxonomy.yaml").unlink()


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        (_other, 1),
        (_pipe, 1),
        (_folder, 1),
        (_gone, 1),
        (_linked("used/1/taxonomy.yaml"), 1),
        (_linked("used/1/prompts"), 2),
        (_linked("used/1"), 3),
        (_linked("used"), 3),
    ],
)
def test_what_is_no_file_of_the_runs_own_or_was_changed_is_lacking(
    tmp_path: Path, change: Callable[[Path], None], lacking: int
) -> None:
    run = tmp_path / "run"
    remember(run, of())
    kept(run)
    change(run)
    used = used_of(run)
    assert (len(used.lacking), len(used.files)) == (lacking, 3 - lacking)
    assert lacking == 2 or "taxonomy.yaml" in used.lacking


NAMES = ("../../x", "taxonomy.yaml/..", "a\nb.yaml", "<img src=x>.yaml", "/etc/passwd", ".netrc", "", ".")


@whatever(st.dictionaries(st.sampled_from(NAMES) | st.text(), st.sampled_from(["", "1", blob(b"x")])))
def test_no_name_of_a_manifest_leads_anywhere(tmp_path_factory: pytest.TempPathFactory, shown: Any) -> None:
    run = tmp_path_factory.mktemp("run")
    safe = {name: id for name, id in shown.items() if name.isprintable()}
    remember(run, {"prompts": safe, "cards": {}, "models": {}, "rendered": safe})
    (run / "x").write_bytes(b"x")
    folder = kept(run)
    for name in ("a\nb.yaml", "<img src=x>.yaml", ".netrc"):
        (folder / name).write_bytes(b"x")
    assert not used_of(run).files


def test_nothing_behind_a_link_is_published_and_the_reader_is_told_what_lacks(tmp_path: Path) -> None:
    run, private = given(tmp_path / "street"), tmp_path / "private"
    private.mkdir()
    (private / ".netrc").write_text("machine x login ana password y")
    (private / "diary.md").write_text("dear diary")
    (run / "used").mkdir()
    (run / "used" / "1").symlink_to(private)
    shown = {".netrc": blob((private / ".netrc").read_bytes()), "diary.md": blob(b"dear diary")}
    cards = {"explore": '{"temperature": 0.5}', "verify": '{"by": ["label", "judge"]}'}
    remember(run, of() | {"rendered": shown})
    remember(run, of() | {"cards": cards}, name="pairs.json")
    done = publish(run)
    assert done.code == 0, done.err
    assert not (run / "published" / "prompts").exists()
    card = (run / "published" / "README.md").read_text()
    assert "Their texts lie in" not in card and "**Not here**" in card and "`safe@1:" in card
    assert "bad ends, drawn at temperature 0.5 and judged by `label` (it names the path's class) and" in card
    assert f"gone from {run / 'used'}: texts that agents were told: safe@1:" in done.out


@pytest.mark.parametrize("text", [f"- key: {KEY}\n".encode(), "- é\n".encode("utf-16")])
def test_what_was_put_into_prompts_is_searched_and_must_be_text(tmp_path: Path, text: bytes) -> None:
    run = given(tmp_path / "street")
    remember(run, of(**{"examples.yaml": blob(text)}))
    kept(run, **{"prompts/examples.yaml": text})
    done = publish(run)
    assert done.code == 1 and "not published: prompts/examples.yaml: " in done.err and KEY not in done.err
    assert not (run / "published").exists()


BAD = (
    *("zzz", "[" * 100_000, '{"temperature": 1' + "0" * 400 + "}", '{"temperature": 1' + "0" * 5000 + "}"),
    *('{"temperature": NaN}', '{"temperature": 1e999}', '{"temperature": -3}', '{"temperature": "<img>"}'),
    *('{"temperature": true}', "[1]", "{}", '{"temperature": 0.5, "temperature": 1}'),
)
WAYS = ('{"by": "judge"}', '{"by": {"a": 1}}', '{"by": []}', '{"by": [3]}', '{"by": null}', "3")


@pytest.mark.parametrize(
    ("explore", "verify"),
    [*((one, '{"by": ["judge"]}') for one in BAD), *(('{"temperature": 0.5}', one) for one in WAYS)],
)
def test_of_settings_that_are_none_the_card_says_nothing(explore: str, verify: str) -> None:
    assert drawn_as({"explore": explore, "verify": verify}) is None


@whatever(st.text(), st.text())
def test_no_text_in_place_of_settings_stops_it(explore: str, verify: str) -> None:
    drawn_as({"explore": explore.encode("utf-8", "replace").decode(), "verify": verify})
