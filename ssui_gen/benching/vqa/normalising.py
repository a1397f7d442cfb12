"""Answers made comparable, as the evaluation of VQA does it (visualqa.org/evaluation; GT-Vision-Lab/VQA at
a013f00, its `vqaEval.py`), so that figures are those of the field: marks, numbers, articles, contractions.
Pure.
"""

from __future__ import annotations

import re

MARKS = ';/[]"{}()=+\\_-><@`,?!'
ARTICLES = frozenset(("a", "an", "the"))
NUMBERS = {"none": "0"} | {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
}
_DIGITS = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")
_APOSTROPHES = """
ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't mightn't mustn't needn't
oughtn't shan't shouldn't wasn't weren't won't wouldn't
could've might've must've not've should've they've we've what've where've who've would've you've
he'd how'd it'd someone'd something'd there'd they'd where'd who'd you'd
he's how's somebody's someone's that's there's what's when's where's who's why's
how'll it'll somebody'll someone'll something'll they'll what'll who'll why'll you'll
there're they're what're why're you're ma'am o'clock 'twas y'all
couldn't've hadn't've he'd've it'd've mightn't've she'd've shouldn't've somebody'd've someone'd've
something'd've there'd've they'd've we'd've who'd've wouldn't've y'all'd've y'all'll you'd've 'ow's'at
"""
"""Words whose apostrophes are often left out. Of a word with several, one may lack."""
CONTRACTIONS = {
    whole[:place] + whole[place + 1 :]: whole
    for whole in _APOSTROPHES.split()
    for place, letter in enumerate(whole)
    if letter == "'"
} | {"somebody'd": "somebodyd"}
"""The last one the other way round, as theirs has it."""


def normalised(text: str) -> str:
    """What a model or a person said, in lower case. Of "A", an article, nothing is left."""
    plain = _unmarked(text.replace("\n", " ").replace("\t", " ").strip())
    words = (NUMBERS.get(word, word) for word in plain.lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ARTICLES)


def _unmarked(text: str) -> str:
    """A mark that somewhere stands beside a blank goes without a trace, any other becomes a blank; all go so
    where a comma parts digits. A period goes unless a digit follows.
    """
    apart = bool(_DIGITS.search(text))
    found = text
    for mark in MARKS:
        bare = apart or f"{mark} " in text or f" {mark}" in text
        found = found.replace(mark, "" if bare else " ")
    return _PERIOD.sub("", found)
