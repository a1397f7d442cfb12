"""The codebook: every word with a meaning and an example, the same on the page, printed, in the document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from curating import curation, exported, record

from ssui_gen.curation.asked.codebook import as_markdown, codebook
from ssui_gen.curation.asked.form import BRANCHES, MOST, PATHS, Choice, Form
from ssui_gen.errors import ConfigError

DOCUMENT = Path(__file__).parent.parent / "docs" / "reviewing.md"
BEGIN, END = (
    "<!-- codebook: as `ssui curation codebook` prints it; `make golden` writes it -->\n",
    "<!-- end -->",
)


@pytest.mark.parametrize("form", [PATHS, BRANCHES], ids=lambda form: form.name)
def test_every_word_has_a_meaning_and_an_example(form: Form) -> None:
    words = [entry for section in codebook(form) for entry in section.entries]
    assert [entry.value for entry in words] == [
        choice.value for choice in (*form.decisions, *form.reasons, *form.scores)
    ]
    for entry in words:
        assert entry.meaning and entry.meaning.means and entry.meaning.example, entry.value
    for choice in form.scores:
        meaning = next(entry.meaning for entry in words if entry.value == choice.value)
        assert meaning and set(meaning.anchors) == {1, 3, MOST}


def test_no_meaning_is_said_twice() -> None:
    said = [entry.meaning for section in codebook(PATHS) for entry in section.entries]
    for field in ("means", "example"):
        texts = [getattr(meaning, field) for meaning in said]
        assert len(set(texts)) == len(texts)


def test_a_form_with_another_word_is_refused() -> None:
    new = Choice(value="muddled", key="9", title="Muddled", help="cannot be followed")
    with pytest.raises(
        ConfigError, match=r"paths\.reasons: expected the form's own words; lacks \['muddled'\]"
    ):
        codebook(PATHS.model_copy(update={"reasons": (*PATHS.reasons, new)}))
    with pytest.raises(ConfigError, match=r"paths\.reasons: .* lacks \[\], and has \['other'\] beside them"):
        codebook(PATHS.model_copy(update={"reasons": PATHS.reasons[:-1]}))


def test_a_form_that_explains_itself_is_its_own_codebook() -> None:
    asked = Choice(value="seen", key="x", title="Seen", help="Does it see?", steps=("yes", "no"))
    (decisions, scores) = codebook(Form(name="mine", export="", ask="", decisions=(asked,), scores=(asked,)))
    assert (decisions.title, scores.entries[0].help, scores.entries[0].meaning) == (
        "Decisions",
        "Does it see?",
        None,
    )
    assert "*Answers*: yes, no" in as_markdown(Form(name="mine", export="", ask="", decisions=(asked,)))


def test_the_document_holds_what_is_printed(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    printed = curation(exported(tmp_path / "run", [record("aaaa")]), "codebook").out
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    held, _, after = rest.partition(END)
    if request.config.getoption("--golden"):
        DOCUMENT.write_text(f"{before}{BEGIN}\n{printed}\n{END}{after}", "utf-8")
    else:
        assert held.strip() == printed.strip(), "run `make golden` and read the diff"


def test_the_page_holds_the_same_words(tmp_path: Path) -> None:
    page = (exported(tmp_path / "run", [record("aaaa")]) / "curation" / "gallery.html").read_text("utf-8")
    for line in as_markdown(PATHS).splitlines():
        words = re.sub(r"^\s*- (\*[^*]+\*: )?", "", line)
        if line.startswith("  - "):
            assert words.replace("&", "\\u0026") in page, words
