from ssui_gen.branching import parse_path, render_path, render_steps, steps_of
from ssui_gen.records import STEP_NAMES, ReasoningReply

REPLY = ReasoningReply(**{name: f"What {name} says:\n  two lines." for name in STEP_NAMES})


def test_a_step_is_one_line_so_that_a_cut_is_a_line_break() -> None:
    steps = steps_of(REPLY)
    assert len(render_steps(steps).splitlines()) == 6
    assert all(render_steps(steps).startswith(render_steps(steps[:cut])) for cut in range(6))


def test_a_path_is_read_back_as_it_was_written() -> None:
    steps = steps_of(REPLY)
    assert parse_path(render_path(steps, "Mind the floor.\nWalk.")) == (steps, "Mind the floor. Walk.")


def test_an_unfinished_path_has_no_answer() -> None:
    steps, answer = parse_path("1. Visual context: A corridor.\n2. Textual requ")
    assert [s.name for s in steps] == ["visual_context"]
    assert answer is None
