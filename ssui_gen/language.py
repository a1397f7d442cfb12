"""The language in which agents write, and what it takes beside English.

Only what people read is in it: keys, class ids, labels and decisions are English in every language, since
rows and settings name them so.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

ENGLISH = "English"
Language = Annotated[str, StringConstraints(pattern=r"^\w[\w ()'-]*$", max_length=60)]
"""By its English name, as prompts show it: `Hindi`, `Brazilian Portuguese`."""
MOST_TOKENS = 32768
"""The most that a reply may be allowed."""
MORE_TOKENS = 3
"""Times the tokens of English: a path whose steps are as long as they may be takes 2.9 times its card's
tokens in Hindi (0.95 a character by Qwen's tokenizer; English 0.24, German 0.30, Thai 0.58, Chinese 0.64;
Burmese 1.57, for which a card must allow more)."""


def tokens_in(language: str, tokens: int) -> int:
    """How many tokens a reply may take that may take `tokens` in English."""
    return tokens if language == ENGLISH else min(MORE_TOKENS * tokens, MOST_TOKENS)
