"""Does a server take as many pictures in one request as a run shows? vLLM is told how many at its start."""

from __future__ import annotations

from ssui_gen.calling.asking import Ask, Refused, Sample, part
from ssui_gen.calling.client import ChatClient
from ssui_gen.dialect import Dialect
from ssui_gen.errors import ConfigError

HOW_MANY = "How many pictures are these?"


async def require_several(
    client: ChatClient, model: str, sample: Sample, dialect: Dialect, terms: Dialect, role: str
) -> None:
    """Raises ConfigError, with the server's words, for one that refuses so many; AccessDenied, ServerGone."""
    ask = Ask(client, model, sample, dialect, terms)
    shown = [part(sample.data_url) for _ in range(sample.most)]
    answer = await ask.put([{"role": "user", "content": [*shown, {"type": "text", "text": HOW_MANY}]}])
    if isinstance(answer, Refused):
        flag = f"--limit-mm-per-prompt '{{\"image\": {sample.most}}}'"
        raise ConfigError(
            f"models.{role}: the server does not take {sample.most} pictures in one request, as many as are "
            f"shown of one seed or item: {answer.said!r}. Start vLLM with {flag}; of a server that we start "
            f"set `serve: {{images: {sample.most}}}`; or leave out what shows so many"
        )
