"""What the installed vLLM knows: flags that it lacks are left out aloud, those that it spells otherwise are
spelt so. What the user typed is never touched: vLLM has a word on that itself.

The version is read in 0.05 s, without importing vLLM; its parser takes as long as importing it (5 to 14 s),
so it is asked only where the table below knows nothing of the version.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from ssui_gen.errors import ServerError

SERVER = "vllm.entrypoints.openai.api_server"
NEWEST = (0, 33)
"""The last version that the table was held against."""
OLDEST = (0, 10)
SECONDS = 300.0
"""For vLLM's parser; importing it from a network's disk may take minutes."""
VERSION = """
import importlib.util, pathlib, re, sys
found = importlib.util.find_spec("vllm")
if found is None or not found.submodule_search_locations:
    sys.exit("no module named vllm")
file = pathlib.Path(next(iter(found.submodule_search_locations))) / "_version.py"
said = re.search(r"__version__\\s*(?:=\\s*version\\s*)?=\\s*['\\"]([^'\\"]+)", file.read_text()) if file.exists() else None
print(said[1] if said else "unknown")
"""  # noqa: E501
FLAG = re.compile(r"(?<![\w-])--([a-z0-9][a-z0-9_-]*)")

Flags = dict[str, Any]


class Since(NamedTuple):
    """From which version on vLLM knows a flag, and what is lost without it."""

    version: tuple[int, int]
    lost: str


SINCE = {
    "structured-outputs-config": Since((0, 11), "bounded strings may break: vLLM then chooses the grammar"),
    "default-chat-template-kwargs": Since(
        (0, 14),
        "whether the model thinks first is left to its chat template: say it in each request, models: {vlm: "
        "{preset: no_thinking}}",
    ),
    "max-num-queued-reqs": Since((0, 29), "a flood of requests waits in vLLM instead of being sent back"),
}
"""By vLLM's own source packages 0.10.0 to 0.33.0 (`engine/arg_utils.py`, `cli_args.py`); every other flag
that is chosen here is in all of them."""
UNTIL = {"guided-decoding-backend": (0, 12), "guided-decoding-disable-any-whitespace": (0, 12)}
"""From which version on vLLM knows a flag no more."""


class Installed(NamedTuple):
    """The vLLM that will run."""

    version: str
    """As it says; "unknown" for one that was not built."""
    flags: frozenset[str] | None
    """All that its parser knows; None: as the table says."""

    def knows(self, flag: str) -> bool:
        if self.flags is not None:
            return flag in self.flags
        number = _number(self.version)
        if flag in UNTIL:
            return OLDEST <= number < UNTIL[flag]
        return flag not in SINCE or number >= SINCE[flag].version

    @property
    def number(self) -> tuple[int, int] | None:
        """(0, 32), say; None where the version says nothing."""
        return number if (number := _number(self.version)) >= OLDEST else None

    @property
    def lacks(self) -> str:
        sure = self.flags is not None or self.number is not None
        return "has no" if sure else "does not say whether it has"


@cache
def installed(python: str) -> Installed:
    """Raises ServerError if this Python does not run or has no vLLM."""
    done = _run(python, "-c", VERSION)
    version = (done.stdout.split() or ["unknown"])[-1]
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ServerError(f"{python}: {said}: expected a Python that has vLLM (SSUI_VLLM_PYTHON names it)")
    return Installed(version, None if OLDEST <= _number(version) <= NEWEST else _asked(python))


def _number(version: str) -> tuple[int, int]:
    """(0, 11) of "0.11.2+cu129"; (0, 0) of what was built from a checkout, whose numbers mean little."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found and ".dev" not in version else (0, 0)


def _asked(python: str) -> frozenset[str] | None:
    """What the parser itself names; None if it does not say."""
    for word in ("--help=all", "--help"):
        said = set(FLAG.findall(_run(python, "-m", SERVER, word).stdout))
        if "model" in said:
            return frozenset(said)
    return None


def _run(python: str, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [python, *words], capture_output=True, text=True, check=False, timeout=SECONDS, errors="replace"
        )
    except (OSError, subprocess.SubprocessError) as error:
        why = error.strerror if isinstance(error, OSError) else f"no answer within {SECONDS:.0f} s"
        raise ServerError(f"{python}: {why}: expected a Python that has vLLM") from None


def adapted(flags: Mapping[str, Any], vllm: Installed, notice: Callable[[str], None]) -> Flags:
    """The flags that this vLLM takes; `notice` hears what each that is left out was for."""
    kept: Flags = {}
    for name, value in flags.items():
        if value is None or vllm.knows(name):
            kept[name] = value
        elif older := _older(name, value, vllm):
            kept |= older
        else:
            lost = SINCE[name].lost if name in SINCE else "vLLM's own default holds"
            notice(f"this vLLM ({vllm.version}) {vllm.lacks} --{name}: {lost}.")
    return kept


def _older(name: str, value: Any, vllm: Installed) -> Flags:
    """The same, as vLLM spelt it before."""
    if name != "structured-outputs-config" or not isinstance(value, dict):
        return {}
    spelt = {f"guided-decoding-{key.replace('_', '-')}": one for key, one in value.items()}
    return spelt if all(map(vllm.knows, spelt)) else {}
