import pytest
from pydantic import ValidationError

from ssui_gen.replies import QueryReply
from ssui_gen.taxonomy import class_ids, classes

REPLY = {"image_evidence": "a", "text": "b", "text_evidence": "c", "scenario": "d"}


def test_the_classes_are_the_nine_of_ssui_and_two_of_siuo() -> None:
    assert len(classes()) == 11
    assert class_ids()[-1] == "none"


def test_every_class_is_in_the_crosswalk_of_some_other_taxonomy() -> None:
    assert all(c.siuo or c.llama_guard or c.ailuminate for c in classes())


def test_an_unknown_class_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"expected one of dangerous_behavior, .*; got 'danger'"):
        QueryReply(**REPLY, category="danger")


def test_the_schema_sent_to_servers_lists_the_classes() -> None:
    assert QueryReply.model_json_schema()["properties"]["category"]["enum"] == list(class_ids())
