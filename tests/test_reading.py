"""The reader of what models write: every character in one part, the forms real models use, bad input."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.branches import Form
from ssui_gen.branching import prefix_at, render_path, title
from ssui_gen.reading import read, rest_of_path, spoken
from ssui_gen.records import STEP_NAMES, Step

TEXTS = (
    "A tiled corridor; a wet-floor sign.",
    "They want to sprint.",
    "The floor is wet.",
    "They missed the sign: dangerous_behavior.",
    "They would slip.",
    "Point out the floor.",
)
SAID = "Careful: the floor is wet. Better run outside."
STEPS = tuple(Step(name=name, text=text) for name, text in zip(STEP_NAMES, TEXTS, strict=True))


def written(form: str, answer: str, change: Callable[[str], str] = str) -> str:
    """Six steps in a form with places for number, title and text; then the answer."""
    rows = (form.format(n=n, t=title(s.name), x=s.text) for n, s in enumerate(STEPS, 1))
    return change("\n".join((*rows, answer)))


FORMS = {
    "as asked": written("{n}. {t}: {x}", f"Answer: {SAID}"),
    "blank lines": written("{n}. {t}: {x}\n", f"Answer: {SAID}"),
    "a blank first": written(" {n}. {t}: {x}", f" Answer: {SAID}"),
    "a blank first of all": " " + written("{n}. {t}: {x}", f"Answer: {SAID}"),
    "bracket": written("{n}) {t}: {x}", f"Answer: {SAID}"),
    "in brackets": written("({n}) {t}: {x}", f"Answer: {SAID}"),
    "Step 1:": written("Step {n}: {t}: {x}", f"Answer: {SAID}"),
    "Step 1 -": written("Step {n} - {t}: {x}", f"Answer: {SAID}"),
    "step 1 (title)": written("Step {n} ({t}): {x}", f"Answer: {SAID}"),
    "bold step, text below": written("**Step {n}: {t}**\n{x}", f"**Answer:** {SAID}"),
    "heading": written("### {n}. {t}\n{x}\n", f"### Answer\n{SAID}"),
    "heading of a step": written("### Step {n}: {t}\n\n{x}\n", f"### Final Answer:\n\n{SAID}"),
    "bold title": written("{n}. **{t}**: {x}", f"**Answer**: {SAID}"),
    "bold title and colon": written("{n}. **{t}:** {x}", f"**Answer:** {SAID}"),
    "all bold": written("**{n}. {t}:** {x}", f"**Answer:** {SAID}"),
    "dash": written("{n}. {t} - {x}", f"Answer - {SAID}"),
    "long dash": written("{n}. {t} — {x}", f"Answer: {SAID}"),
    "full-width colon": written("{n}. {t}：{x}", f"Answer：{SAID}"),
    "full stop": written("{n}. {t}. {x}", f"Answer: {SAID}"),
    "two lines": written("{n}. {t}\n{x}", f"Answer:\n{SAID}"),
    "two lines, indented": written("{n}. {t}:\n   {x}", f"Answer:\n\n{SAID}"),
    "windows": written("{n}. {t}\n{x}", f"Answer:\n{SAID}").replace("\n", "\r\n"),
    "seventh": written("{n}. {t}: {x}", f"7. Answer: {SAID}"),
    "final": written("{n}. {t}: {x}", f"Final Answer: {SAID}"),
    "my answer": written("{n}. {t}: {x}", f"My answer: {SAID}"),
    "lower case": written("{n}. {t}: {x}", f"Answer: {SAID}").replace("Intent and risk", "intent and risk"),
    "title case": written("{n}. {t}: {x}", f"Answer: {SAID}").replace("Intent and risk", "Intent And Risk"),
    "ampersand": written("{n}. {t}: {x}", f"Answer: {SAID}").replace("Intent and", "Intent &"),
    "ids for titles": written("{n}. {t}: {x}", f"Answer: {SAID}").replace("Visual context", "visual_context"),
    "longer title": written("{n}. {t}: {x}", f"Answer: {SAID}").replace("and risk", "and risk category"),
    "safe response": written("{n}. {t}: {x}", f"Answer: {SAID}").replace("Response", "Safe response"),
    "no numbers": written("**{t}:** {x}", f"**Answer:** {SAID}"),
    "bullets": written("- **{t}**: {x}", f"- **Answer**: {SAID}"),
    "numbers alone": written("{n}. {x}", f"Answer: {SAID}"),
    "steps by number alone": written("Step {n}: {x}", f"Answer: {SAID}"),
    "thoughts": "<think>\n1. Hm.\nAnswer: hm\n</think>\n\n" + written("{n}. {t}: {x}", f"Answer: {SAID}"),
    "thoughts without their beginning": "Hm.\n</think>\n" + written("{n}. {t}: {x}", f"Answer: {SAID}"),
    "thoughts of Kimi": "◁think▷Hm.◁/think▷" + written("{n}. {t}: {x}", f"Answer: {SAID}"),
    "answer in tags": written("{n}. {t}: {x}", f"<answer>{SAID}</answer>"),
    "preamble": "Sure, happy to help!\n\n" + written("{n}. {t}: {x}", f"Answer: {SAID}"),
    "afterword": written("{n}. {t}: {x}", f"Answer: {SAID}\n\n---\nLet me know what you think."),
    "a heading after": written("{n}. {t}: {x}", f"Answer: {SAID}\n\n## Sources\nNone."),
}


def test_every_form_that_real_models_use_is_read_with_the_same_words() -> None:
    for name, text in FORMS.items():
        found = read(text)
        assert found.form.whole, name
        assert (found.steps, found.answer) == (STEPS, SAID), name
        assert found.form == (Form.EXACT if name == "as asked" else Form.READABLE), name


def test_lists_stay_inside_their_step_and_answer() -> None:
    text = written("{n}. {t}:\n   1. {x}\n   2. More.", "Answer:\nDo this:\n1. Wait.\n2. Mop.\n\nThen run.")
    found = read(text)
    assert [step.text.splitlines()[-1].strip() for step in found.steps] == ["2. More."] * 6
    assert found.answer == "Do this:\n1. Wait.\n2. Mop.\n\nThen run."


def test_what_follows_a_good_answer_is_seen() -> None:
    said = read(FORMS["as asked"] + "\nThat said, run as fast as you like.")
    assert said.answer == f"{SAID}\nThat said, run as fast as you like."
    assert said.form == Form.READABLE
    assert read(FORMS["afterword"]).after == "---\nLet me know what you think."
    assert read(FORMS["preamble"]).before == "Sure, happy to help!\n\n"
    assert read(FORMS["thoughts"]).think.startswith("<think>")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", Form.EMPTY),
        (" \n", Form.EMPTY),
        ("I'm sorry, I can't help with that.", Form.NO_STEPS),
        ("<think>" + FORMS["as asked"], Form.NO_STEPS),
        (prefix_at(STEPS, 3), Form.STEPS_LACK),
        (FORMS["as asked"].replace(f"3. Synthesis: {TEXTS[2]}\n", ""), Form.STEPS_LACK),
        (prefix_at(STEPS, 2) + FORMS["as asked"], Form.STEPS_OUT_OF_ORDER),
        (f"Answer: {SAID}\n" + prefix_at(STEPS, 6), Form.STEPS_OUT_OF_ORDER),
        (FORMS["as asked"] + f"\nAnswer: {SAID}", Form.STEPS_OUT_OF_ORDER),
        (FORMS["as asked"].replace(TEXTS[2], ""), Form.STEP_EMPTY),
        (prefix_at(STEPS, 6) + "Answer: ", Form.STEP_EMPTY),
        (prefix_at(STEPS, 6), Form.NO_ANSWER),
        (prefix_at(STEPS, 6) + "उत्तर: फर्श गीला है।", Form.NO_ANSWER),
    ],
)
def test_what_cannot_be_read_says_what_it_lacks(text: str, form: Form) -> None:
    assert read(text).form == form and not form.whole


def test_a_response_in_hindi_is_read_by_its_numbers() -> None:
    said = "".join(f"{n}. यह एक गीला फर्श है।\n" for n in "१२३४५६") + "Answer: बाहर दौड़ें।"
    assert read(said).form == Form.READABLE and read(said).answer == "बाहर दौड़ें।"


MARKUP = ["\n", " ", "\r\n", "\u2028", "### ", "**", "- ", "---", ":", "<think>", "</think>", "</answer>"]
WORDS = ["1.", "2)", "६", "Step 3:", "Visual context", "Synthesis", "6. Response strategy:", "Answer", "word"]
PIECES = st.sampled_from([*MARKUP, *WORDS])
ANY = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))


@given(ANY)
def test_every_character_is_in_exactly_one_part(text: str) -> None:
    found = read(text)
    assert "".join(text[part.start : part.stop] for part in found.parts) == text
    assert all(part.start <= part.content <= part.stop for part in found.parts)
    assert found.form in Form


LINES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1).map(
    lambda text: " ".join(text.split()).strip("*_`#>-–—:： \u3000") or "x"
)


@given(st.lists(LINES, min_size=6, max_size=6), LINES)
def test_what_we_write_down_is_read_back(texts: list[str], answer: str) -> None:
    steps = tuple(Step(name=name, text=text) for name, text in zip(STEP_NAMES, texts, strict=True))
    found = read(render_path(steps, answer))
    assert (found.steps, found.answer) == (steps, answer)


@pytest.mark.parametrize("cut", range(6))
def test_what_the_expression_allows_is_read_as_asked(cut: int) -> None:
    """As a server holds a branch to it, from any cut on."""
    rest = FORMS["as asked"].removeprefix(prefix_at(STEPS, cut))
    assert re.fullmatch(rest_of_path(cut), rest)
    assert not re.fullmatch(rest_of_path(cut), rest.replace("Answer:", "**Answer:**"))


@given(st.integers(0, 5), st.data())
def test_all_that_the_expression_allows_is_a_path(cut: int, data: st.DataObject) -> None:
    rest = data.draw(st.from_regex(rest_of_path(cut), fullmatch=True))
    assert read(prefix_at(STEPS, cut) + rest).form == Form.EXACT


@pytest.mark.parametrize("said", ["पहले रुकें।", "“Wait”, he said.", "Élan."])
def test_the_expression_allows_words_in_any_script(said: str) -> None:
    assert re.fullmatch(rest_of_path(5), f"6. Response strategy: {said}\nAnswer: {said}")


@pytest.mark.parametrize("said", ["Say </think> so.", "Stop.</answer> Go on.", "Say so. ", "**Say** so.", ""])
def test_the_expression_allows_nothing_that_reads_otherwise(said: str) -> None:
    assert not re.fullmatch(rest_of_path(5), f"6. Response strategy: {said}\nAnswer: Wait.")


def test_a_step_of_a_branch_ends_where_the_next_begins() -> None:
    for text in (FORMS["as asked"], FORMS["heading of a step"], FORMS["two lines"]):
        starts = [part.start for part in read(text).parts]
        for cut in range(5):
            rest = text[starts[cut] :]
            assert read(rest).own_step(cut) == text[starts[cut] : starts[cut + 1]]
        assert read(text[starts[5] :]).own_step(5) == text[starts[5] :]


@pytest.mark.parametrize(
    "piece", ["a", " ", "\n", "*", "#", "> ", "1. ", "1 ", "(\n", "</think>", "- ", "1. Visual context", "-"]
)
def test_a_megabyte_of_anything_is_read(piece: str) -> None:
    """A pattern whose cost grows with the square of a line would not come back from these."""
    text = piece * (1_000_000 // len(piece))
    assert sum(part.stop - part.start for part in read(text).parts) == len(text)


@pytest.mark.parametrize(
    "thought", ["", "<think>Hm.</think>", "Hm.</think>", "[THINK]Hm.[/THINK]", "<seed:think>Hm.</seed:think>"]
)
@pytest.mark.parametrize(
    "end", ["", "<|im_end|>", "</s>\n", "<end_of_turn>\n", "<|im_end|>\n<|im_end|>", "[/INST]"]
)
def test_what_is_spoken_has_neither_thoughts_nor_marks_of_its_end(thought: str, end: str) -> None:
    said = spoken(f"{thought}So: a < b </s> c.{end}")
    assert said.strip() == "So: a < b </s> c."


def test_thoughts_without_an_end_are_not_spoken() -> None:
    assert spoken("<think>Verdict: safe") == "" and spoken("") == ""
