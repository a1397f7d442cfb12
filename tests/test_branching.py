import pytest

from ssui_gen.branching import parse_path, path_class, render_path, render_steps, steps_of
from ssui_gen.records import STEP_NAMES, ReasoningReply, Step

REPLY = ReasoningReply(**{name: f"What {name} says:\n  two lines." for name in STEP_NAMES})


def test_a_step_is_one_line_so_that_a_cut_is_a_line_break() -> None:
    steps = steps_of(REPLY)
    assert len(render_steps(steps).splitlines()) == 6
    assert all(render_steps(steps).startswith(render_steps(steps[:cut])) for cut in range(6))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("They mean well: dangerous_behavior.", "dangerous_behavior"),
        ("Not violence, rather privacy_violations", "privacy_violations"),
        ("An everyday wish: none.", "none"),
        ("They mean well.", None),
    ],
)
def test_the_class_of_a_path_is_the_last_that_step_four_names(text: str, found: str | None) -> None:
    assert (
        path_class([Step(name="synthesis", text="violence"), Step(name="intent_and_risk", text=text)])
        == found
    )


def test_a_path_is_read_back_as_it_was_written() -> None:
    steps = steps_of(REPLY)
    assert parse_path(render_path(steps, "Mind the floor.\nWalk.")) == (steps, "Mind the floor. Walk.")


def test_an_unfinished_path_has_no_answer() -> None:
    steps, answer = parse_path("1. Visual context: A corridor.\n2. Textual requ")
    assert [s.name for s in steps] == ["visual_context"]
    assert answer is None
