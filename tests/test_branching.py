import pytest

from ssui_gen.branching import path_class, prefix_at, render_path, render_steps, steps_of
from ssui_gen.records import STEP_NAMES, Step
from ssui_gen.replies import ReasoningReply

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


def test_a_prefix_ends_with_its_line_break_and_the_root_has_none() -> None:
    steps = steps_of(REPLY)
    whole = render_path(steps, "Mind the floor.\nWalk.")
    assert prefix_at(steps, 0) == "" and whole.endswith("\nAnswer: Mind the floor. Walk.")
    for cut in range(1, 7):
        assert whole.startswith(prefix_at(steps, cut)) and prefix_at(steps, cut).endswith("\n")
        assert len(prefix_at(steps, cut).splitlines()) == cut
