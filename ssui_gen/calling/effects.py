"""What a model does with the fields that its server takes, each judged by its effect and never by a version.

Some servers take a field that they do not know and ignore it. On which terms a server answers at all is for
`terms`; what a run loses where a feature lacks, `probe` says.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import Any, Literal

from ssui_gen.calling.asking import COLOUR, COUNT, LONG, SENTENCE, USER, Ask, content, part
from ssui_gen.calling.resuming import AS_SEEN, Resumed, resumes, stands_behind
from ssui_gen.calling.terms import SHOWING, SYSTEM
from ssui_gen.completions import LEAST_LOGPROB, Choice, Completion
from ssui_gen.errors import AccessDenied, ReplyError
from ssui_gen.images import plain_url
from ssui_gen.records import Record
from ssui_gen.replying import read
from ssui_gen.schemas import response_format

DRAWS = 4
"""Of one sentence, that show whether they differ."""
BY_CHANCE = 1e-6
"""How probable it must be at least that all are alike, for that to tell nothing."""
LETTERS = "qxz"
"""That no answer to COUNT consists of."""
BEGUN = "1. Red.\n2. A colour, and no more.\n"
"""An answer that is begun as paths are."""
SHARING = 8
"""Calls about one picture that show whether its prefix is found again."""
SEVERAL = (128, 64, 8, 3)
"""Choices that one call is asked for, until it makes them: llama-server makes as many as it has slots."""


class Colour(Record):
    """What a model is asked for that keeps to schemas."""

    colour: Literal["red", "blue"]


async def effects(asking: Ask) -> dict[str, Any]:
    """What it was found to do, as fields of Features."""
    ask = Effects(*asking)
    first = await ask.tried(COUNT, **SHOWING, max_tokens=LONG, **AS_SEEN)
    whole = first or await ask.tried(COUNT, **SHOWING, max_tokens=LONG)
    ids = whole.choices[0].token_ids if whole else None
    found = await asyncio.gather(
        ask.sees(), ask.obeys(), ask.matches(), ask.draws(), ask.continues(whole),
        ask.watches(ids), ask.reads_files(), ask.takes_uuid(), ask.takes_priority(), ask.shares(),
        ask.varies(),
    )  # fmt: skip
    names = (
        "sees_pictures", "json_schema", "regex", "most_n", "resumed", "logprob_token_ids",
        "file_urls", "uuid", "priority", "prefix_hits", "samples",
    )  # fmt: skip
    made: dict[str, Any] = dict(zip(names, found, strict=True))
    return {
        **made.pop("resumed")._asdict(),
        **made,
        "n": made["most_n"] > 1,
        "logprobs": bool(whole and whole.choices[0].logprobs),
        "token_ids": ids is not None,
        "cached_tokens": bool(whole and whole.usage.cached_tokens is not None),
    }


class Effects(Ask):
    """Questions whose answers show what a model does."""

    async def sees(self) -> bool | None:
        """Two colours under the same words must not give the very same log-probabilities."""
        swatches = [part(plain_url(colour)) for colour in ("red", "blue")]
        red, blue = [await self.tried(COLOUR, swatch, **SHOWING) for swatch in swatches]
        if red is None or blue is None:
            return None
        if not (_tells(red.choices[0]) and _tells(blue.choices[0])):
            return True if red.choices[0].text != blue.choices[0].text else None
        return red.choices[0].logprobs != blue.choices[0].logprobs

    async def obeys(self) -> bool:
        form = response_format(Colour)
        made = await self.tried(COLOUR, self.picture, response_format=form, max_tokens=LONG)
        try:
            return made is not None and bool(read(Colour, made.choices[0], LONG))
        except ReplyError:
            return False

    async def matches(self) -> bool:
        made = await self.tried(COUNT, structured_outputs={"regex": f"[{LETTERS}]{{{len(LETTERS)}}}"})
        return bool(made and made.choices[0].text and set(made.choices[0].text) <= set(LETTERS))

    async def draws(self) -> int:
        """The most choices that a call makes, of some numbers; 1 where `n` is refused or changes nothing."""
        for most in SEVERAL:
            made = await self.tried(COUNT, n=most, temperature=1.0, max_tokens=1)
            if made is not None:
                return most if len(made.choices) == most else 1
        return 1

    async def continues(self, whole: Completion | None) -> Resumed:
        """A greedy answer, cut and begun so, must go on as it went."""

        async def begun(said: str, **fields: Any) -> Completion | None:
            return await self.tried(COUNT, said=said, **fields)

        found = await resumes(begun, whole, LONG)
        return found if found.prefix or not await self._as_text() else Resumed(True, verbatim=True)

    async def _as_text(self) -> bool:
        """Whether it goes on to the letter where prompt and beginning are sent as text, with as many pictures
        as a question of the run shows. Asked only where chat shows its prompts, as llama-server does.
        """
        shown = [self.picture] * self.sample.most
        asked = [_turn("system", SYSTEM), _turn("user", [*shown, *content(COLOUR, None)])]
        root = await self.put(asked, max_tokens=1, verbose=True)
        if not isinstance(root, Completion) or root.prompt_text is None:
            return False
        with suppress(AccessDenied):  # somebody lets nothing through but /v1
            turns = [[*asked, _turn("assistant", said)] for said in ("", BEGUN)]
            again, after = [await self.put(one, verbatim=True, max_tokens=1) for one in turns]
            if isinstance(again, Completion) and isinstance(after, Completion):
                return stands_behind(root, again, after, BEGUN)
        return False

    async def watches(self, ids: tuple[int, ...] | None) -> bool:
        watched = sorted(set(ids or ()))[:5] or [10, 11, 12]
        fields: dict[str, Any] = {"logprobs": True, "top_logprobs": 0, "logprob_token_ids": watched}
        made = await self.tried(COUNT, max_tokens=1, **fields)
        seen = made.choices[0].logprobs if made else None
        return bool(seen) and len(seen[0].top) >= len(watched)  # type: ignore[index]

    async def reads_files(self) -> bool | None:
        """The file must make a prompt of the very length that its bytes make. None without a file to try."""
        if self.sample.file_url is None:
            return None
        urls = (self.sample.file_url, self.sample.data_url)
        file, data = [await self.tried(COLOUR, part(url)) for url in urls]
        return bool(file and data and file.usage.prompt_tokens == data.usage.prompt_tokens)

    async def takes_uuid(self) -> bool:
        return await self.tried(COLOUR, self.picture | {"uuid": USER}) is not None

    async def takes_priority(self) -> bool:
        return await self.tried(COUNT, priority=1) is not None

    async def varies(self) -> bool | None:
        """Draws of one sentence must not all be alike, unless it is that probable; None where that is so, or
        where nothing tells how probable it is.
        """
        draws = (
            self.tried(SENTENCE, max_tokens=LONG, temperature=1.0, seed=draw, logprobs=True)
            for draw in range(DRAWS)
        )
        made = [one.choices[0] for one in await asyncio.gather(*draws) if one]
        if len({choice.text for choice in made}) > 1:
            return True
        if len(made) < DRAWS or not _tells(made[0]):
            return None
        surely = sum(token.logprob for token in made[0].logprobs or ())
        return False if math.exp(surely * (DRAWS - 1)) < BY_CHANCE else None

    async def shares(self) -> float | None:
        """Share of the prompt's tokens that the calls after the first find in the prefix cache."""
        texts = [f"{COLOUR} This is question {number}." for number in range(SHARING)]
        made = [await self.tried(texts[0], self.picture)]
        made += await asyncio.gather(*(self.tried(text, self.picture) for text in texts[1:]))
        usages = [one.usage for one in made[1:] if one and one.usage.cached_tokens is not None]
        prompt = sum(usage.prompt_tokens for usage in usages)
        return sum(usage.cached_tokens or 0 for usage in usages) / prompt if prompt else None


def _turn(role: str, said: Any) -> dict[str, Any]:
    return {"role": role, "content": said}


def _tells(choice: Choice) -> bool:
    """Whether there are log-probabilities, not only marks that there are none."""
    return any(token.logprob > LEAST_LOGPROB for token in choice.logprobs or ())
