"""Brief questions to a served model about itself: what an answer or a refusal to one is.

Covers how such a question is put; which ones there are stands in `terms` (what is taken) and `probe` (what it
does).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ssui_gen.calling.client import ChatClient
from ssui_gen.calling.wire import LOAD
from ssui_gen.completions import Completion
from ssui_gen.dialect import PLAIN, Dialect
from ssui_gen.errors import CallFailed, RequestRefused

COUNT = "Count from one to twenty in words."
COLOUR = "Which colour is this picture?"
SENTENCE = "Write one unusual sentence."
BRIEF = 8
"""Tokens of an answer that only has to come."""
LONG = 24
"""Tokens of the answer that is cut and continued."""
TRIES = 2
"""Of a question that a server may fail at: what it cannot do is no outage."""
USER = "ssui_gen probe"
"""Sent as `user`, so that a server's log tells these calls from the work."""


class Sample(NamedTuple):
    """A real picture of the run, as it may be sent."""

    data_url: str
    file_url: str | None = None
    most: int = 1
    """Pictures that one question of the run shows at most, as far as was looked."""


class Refused(NamedTuple):
    """What a server said instead of an answer."""

    said: str
    field: str = ""
    """What it is about, where the server says so."""
    fault: CallFailed | None = None
    """Set where it failed at the question and did not turn it down."""

    @property
    def garbled(self) -> bool:
        """Neither an answer nor an HTTP error came: hardly a matter of fields."""
        return self.fault is not None and not self.fault.status


class Ask(NamedTuple):
    """One question at a time, greedy unless said otherwise."""

    client: ChatClient
    model: str
    sample: Sample
    dialect: Dialect = PLAIN
    """What a person wants sent otherwise, and what was found to be taken otherwise."""
    terms: Dialect = PLAIN

    async def put(
        self, messages: list[dict[str, Any]], *, verbatim: bool = False, **fields: Any
    ) -> Completion | Refused:
        """The answer to a conversation, or why there is none. Raises AccessDenied, ServerGone, and CallFailed
        where the server is too busy to say.
        """
        usual = {"user": USER, "temperature": 0, "max_tokens": BRIEF}
        body = {"model": self.model, "messages": messages, **usual, **fields}
        try:
            sent = self.terms(self.dialect(body))
            about = self.sample.data_url
            return await self.client.chat(sent, affinity=about, tries=TRIES, verbatim=verbatim)
        except RequestRefused as error:
            return Refused(error.said or str(error), error.field)
        except CallFailed as error:
            if error.status in LOAD:
                raise
            return Refused(str(error), fault=error)

    async def tried(
        self, text: str, picture: dict[str, Any] | None = None, said: str = "", **fields: Any
    ) -> Completion | None:
        """None where the server will not or cannot answer this. `said` is how the answer begins."""
        messages: list[dict[str, Any]] = [{"role": "user", "content": content(text, picture)}]
        if said:
            messages.append({"role": "assistant", "content": said})
            fields |= {"add_generation_prompt": False, "continue_final_message": True}
        answer = await self.put(messages, **fields)
        return answer if isinstance(answer, Completion) else None

    @property
    def picture(self) -> dict[str, Any]:
        """The part of a message that shows the sample."""
        return part(self.sample.data_url)


def content(text: str, picture: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Of a person's turn."""
    return [*([picture] if picture else []), {"type": "text", "text": text}]


def part(url: str) -> dict[str, Any]:
    """Of a message, that shows a picture."""
    return {"type": "image_url", "image_url": {"url": url}}
