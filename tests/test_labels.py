import json
import math
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssui_gen.completions import Choice, TokenLogprob
from ssui_gen.labels import first_shares, label_probability

LABELS = ("safe", "unsafe")


def written(*tokens: tuple[str, float, dict[str, float]]) -> Choice:
    """A choice whose tokens are (text, probability, other tokens at its place)."""
    logprobs = tuple(
        TokenLogprob(token=t, logprob=math.log(p), top=tuple((o, math.log(q)) for o, q in top.items()))
        for t, p, top in tokens
    )
    return Choice(text="".join(t for t, _, _ in tokens), finish_reason="stop", logprobs=logprobs)


def test_a_label_of_several_tokens_is_read_at_its_first() -> None:
    choice = written(
        ('{"label":"', 1.0, {}), ("un", 0.6, {"safe": 0.2, "x": 0.1}), ("safe", 1.0, {}), ('"}', 1, {})
    )
    read = label_probability(choice, "label", "unsafe", LABELS)
    assert read is not None
    assert read.probability == pytest.approx(0.75)
    assert read.mass == pytest.approx(0.8)


def test_a_token_may_hold_the_quote_and_the_label() -> None:
    choice = written(('{"label":', 1.0, {}), ('"safe', 0.5, {'"uns': 0.25, "[": 0.25}), ('"}', 1.0, {}))
    read = label_probability(choice, "label", "safe", LABELS)
    assert read is not None
    assert read.probability == pytest.approx(2 / 3)
    assert read.mass == pytest.approx(0.75)


def test_the_token_written_counts_once_although_it_is_also_among_the_best() -> None:
    choice = written(('{"label": "', 1.0, {}), ("safe", 0.9, {"safe": 0.9, "unsafe": 0.1}), ('"}', 1.0, {}))
    read = label_probability(choice, "label", "safe", LABELS)
    assert read is not None
    assert read.probability == pytest.approx(0.9)


def test_the_field_is_found_behind_evidence_that_quotes_it() -> None:
    tokens = [
        ('{"evidence":"a sign says \\"label\\"","label":"', 1.0, {}),
        ("safe", 0.7, {"un": 0.3}),
        ('"}', 1, {}),
    ]
    read = label_probability(written(*tokens), "label", "safe", LABELS)
    assert read is not None
    assert read.probability == pytest.approx(0.7)


@pytest.mark.parametrize("text", ['{"verdict":"safe"}', "no json"])
def test_no_field_no_probability(text: str) -> None:
    assert label_probability(written((text, 1.0, {})), "label", "safe", LABELS) is None


def test_no_logprobs_no_probability() -> None:
    silent = Choice(text='{"label":"safe"}', finish_reason="stop")
    assert label_probability(silent, "label", "safe", LABELS) is None


SAID = 'Safety: "Un'
"""What stands before and in the deciding token; the word goes on with `safe`."""


@given(st.sets(st.integers(1, len(SAID) - 1)))
def test_a_word_behind_a_marker_is_read_however_the_text_is_cut_into_tokens(cuts: set[int]) -> None:
    ends = sorted(
        {*cuts, len(SAID)} - set(range(SAID.index('"') + 2, len(SAID)))
    )  # the word's own token is whole
    pieces = [SAID[start:end] for start, end in pairwise([0, *ends])]
    last = pieces[-1].removesuffix("Un")
    told = ((piece, 1.0, {}) for piece in pieces[:-1])
    choice = written(*told, (pieces[-1], 0.6, {last + "safe": 0.2}), ("safe", 1.0, {}))
    read = first_shares(choice, ("Safe", "Unsafe"), "safety:", fold=True)
    assert read is not None
    assert read[0] == pytest.approx({"Safe": 0.25, "Unsafe": 0.75}) and read[1] == pytest.approx(0.8)


def test_without_the_marker_no_word_has_any_mass() -> None:
    assert first_shares(written(("Safe", 1.0, {})), ("Safe", "Unsafe"), "Safety:") == (
        {"Safe": 0, "Unsafe": 0},
        0,
    )


def test_a_token_that_several_options_begin_with_counts_for_none() -> None:
    read = first_shares(written(("harm", 0.9, {"harmless": 0.1})), ("harmless", "harmful"))
    assert read is not None and read[0] == {"harmless": 1.0, "harmful": 0.0} and read[1] == pytest.approx(0.1)


def test_letters_keep_their_case() -> None:
    read = first_shares(written(("a", 0.6, {"A": 0.4})), ("A", "B"))
    assert read is not None and read[1] == pytest.approx(0.4)


# --- a server's tokens are more than its text --------------------------------------------------------------

WORDS = st.text('ab \n.:"{}é厨🙂🦊', max_size=30)
TAGS = (("<think>\n", "\n</think>\n\n"), ("", "</think>"), ("[THINK]", "[/THINK]"), ("", "\n\n"), ("", ""))
ENDS = st.sampled_from(("", "<|im_end|>", "</s>", "<end_of_turn>", "<|END_OF_TURN_TOKEN|>", "<eos>"))
SIDES = {"safe": 0.2, "un": 0.6, "x": 0.1}


def parts_of(text: str, how: str) -> list[str]:
    """A text as tokens, with each sign beyond ASCII as servers show its bytes."""
    shown = {
        "whole": lambda sign: ["", sign],
        "lost": lambda sign: ["\ufffd"] * len(sign.encode()),
        "hex": lambda sign: [f"bytes:\\x{byte:02x}" for byte in sign.encode()],
    }[how]
    return [piece for sign in text for piece in ([sign] if sign.isascii() else shown(sign))]


def reported(*tokens: tuple[str, dict[str, float]], text: str, reasoning: str = "") -> Choice:
    """A choice whose text is not what its tokens are joined."""
    logprobs = tuple(
        TokenLogprob(
            token=t,
            logprob=math.log(p[t]) if t in p else 0.0,
            top=tuple((o, math.log(q)) for o, q in p.items()),
        )
        for t, p in tokens
    )
    return Choice(text=text, finish_reason="stop", logprobs=logprobs, reasoning=reasoning)


def plainly(text: str, how: str = "whole") -> list[tuple[str, dict[str, float]]]:
    return [(piece, {}) for piece in parts_of(text, how)]


@given(WORDS, st.sampled_from(TAGS), WORDS, st.sampled_from(("whole", "lost", "hex")), ENDS, st.booleans())
def test_a_label_is_found_behind_thoughts_and_pieces_of_signs(
    thoughts: str, tags: tuple[str, str], evidence: str, how: str, end: str, in_text: bool
) -> None:
    """However tokens are shown, and wherever the thoughts go, a label is as probable as it was."""
    before = '{"evidence": ' + json.dumps(evidence, ensure_ascii=False) + ', "label": "'
    opening, closing = tags
    thought = f"{opening}{thoughts}{closing}"
    content = f'{before}unsafe"}}'
    tokens = [
        *plainly(thought, how),
        *plainly(before, how),
        ("un", SIDES),
        ("safe", {}),
        ('"}', {}),
        (end, {}),
    ]
    text = thought + content if in_text and closing.strip() else content
    read = label_probability(
        reported(*tokens, text=text.strip(), reasoning=thoughts), "label", "unsafe", LABELS
    )
    assert read == pytest.approx((0.75, 0.8))


@given(
    WORDS,
    st.sampled_from(TAGS[:3]),
    st.sampled_from(("whole", "lost")),
    ENDS,
    st.sampled_from(("", "\n\n", " ")),
)
def test_a_letter_is_found_behind_thoughts(
    thoughts: str, tags: tuple[str, str], how: str, end: str, breaks: str
) -> None:
    thought = f"{tags[0]}I pick A, or B? {thoughts}{tags[1]}"
    tokens = [*plainly(thought, how), (breaks, {}), ("B", {"B": 0.6, "A": 0.2}), (end, {})]
    read = first_shares(reported(*tokens, text="B", reasoning="I pick A"), ("A", "B"))
    assert read is not None
    assert read[0] == pytest.approx({"A": 0.25, "B": 0.75}) and read[1] == pytest.approx(0.8)


@pytest.mark.parametrize("how", ["lost", "hex", "whole"])
def test_a_word_is_found_behind_a_marker_and_pieces_of_signs(how: str) -> None:
    tokens = [
        *plainly("Hm 🙂.</think>🙂 Safety: ", how),
        ("Un", {"Un": 0.6, "Safe": 0.2}),
        ("safe", {}),
        ("</s>", {}),
    ]
    read = first_shares(reported(*tokens, text="🙂 Safety: Unsafe"), ("Safe", "Unsafe"), "safety:", fold=True)
    assert read is not None and read[0]["Unsafe"] == pytest.approx(0.75)


def test_the_answer_in_the_place_of_thoughts_has_its_probability() -> None:
    tokens = [('{"label": "', {}), ("un", SIDES), ('safe"}', {}), ("</think>", {}), ("<|im_end|>", {})]
    answer = '{"label": "unsafe"}'
    read = label_probability(reported(*tokens, text="", reasoning=answer), "label", "unsafe", LABELS)
    assert read == pytest.approx((0.75, 0.8))


def test_what_a_server_stopped_at_is_no_part_of_its_text() -> None:
    tokens = [("\n", {}), ('{"label": "', {}), ("un", SIDES), ('safe"}', {}), ("\nEnd of turn", {})]
    read = label_probability(reported(*tokens, text='{"label": "unsafe"}'), "label", "unsafe", LABELS)
    assert read == pytest.approx((0.75, 0.8))


def test_a_label_in_another_case_is_the_label() -> None:
    tokens = [('{"label": "', {}), ("Un", {"Un": 0.6, "Safe": 0.1, "safe": 0.1}), ('safe"}', {})]
    read = label_probability(reported(*tokens, text='{"label": "Unsafe"}'), "label", "unsafe", LABELS)
    assert read == pytest.approx((0.75, 0.8))


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (("Hm, ", '{"label": "unsafe"}?'), '{"label": "safe"}'),
        (("I think of it",), ""),
        (("token_id:7", "token_id:9"), '{"label": "safe"}'),
    ],
)
def test_tokens_that_are_not_of_the_answer_tell_nothing(tokens: tuple[str, ...], text: str) -> None:
    choice = reported(*((token, {}) for token in tokens), text=text, reasoning="Hm")
    assert label_probability(choice, "label", "safe", LABELS) is None
    assert first_shares(choice, ("A", "B")) is None


def test_a_token_without_a_number_tells_nothing_of_its_place() -> None:
    tokens = [TokenLogprob(token='{"label": "', logprob=0.0), TokenLogprob(token='safe"}', logprob=-9999.0)]
    choice = Choice(text='{"label": "safe"}', finish_reason="stop", logprobs=tuple(tokens))
    assert label_probability(choice, "label", "safe", LABELS) is None


@pytest.mark.parametrize("said", ["厨" * 2000, "🙂 " * 1000, "a" * 4000])
def test_much_text_that_is_nowhere_costs_little(said: str) -> None:
    choice = reported(*plainly(said * 2, "lost"), ("x", {}), text=said + "y")
    started = time.perf_counter()
    assert first_shares(choice, ("A", "B")) is None
    assert time.perf_counter() - started < 5
