"""What a licence lets one do with data: may it be given away at all, and for what; may one train on it? Pure.

Names are read as people write them (`CC BY-NC 4.0`, `cc-by-nc-4.0`). Denied by default: a name that is not
known here lets nothing be given away, unless a person says that it does. Rows of others are held to more
(`forbids`): whoever passes them on is not their author. No advice of a lawyer.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, NamedTuple

from ssui_gen.errors import ConfigError

Use = Literal["any", "noncommercial", "forbidden", "unknown"]
OTHER = "other"
"""How the hub calls a licence that it has no name for."""
MARK = "; do not publish"
"""Ends the licence of others' rows that are not to be given away, whatever a person allows."""
UNKNOWN = "unknown"
_CC = re.compile(
    r"(?:cc|creative commons)[ -]{0,3}(by(?:[ -](?:nc|nd|sa)){0,2})"
    r"[ -]{0,3}v?([1-4]\.[05])?(?: international)?"
)
_ZERO = re.compile(r"cc[ -]?0(?:[ -]?1\.0)?|cc[ -]?zero|public domain(?: dedication| mark)?|pdm(?:[ -]1\.0)?")
_FORBIDS = re.compile(
    r"all rights reserved|(?:no|not for|do not|don't) (?:re)?(?:distribut|publi)|proprietary|confidential"
    r"|internal|private|personal use|editorial|copyright|©|\(c\)|getty|shutterstock|istock|alamy|adobe stock"
    r"|rights[ -]managed"
)
_NO_COMMERCE = re.compile(r"\bnc\b|non[ -]?commercial")
_NO_CHANGE = re.compile(r"\bnd\b|no[ -]?deriv")
_SOME_USES = re.compile(r"research|academic|educational|prohibited|personal use")
_CREDIT = re.compile(r"creativecommons\.org/licenses/|opendatacommons\.org/licenses/by/")
_LIMITS = (
    (_NO_COMMERCE, "allows no commercial use"),
    (_NO_CHANGE, "allows no changed copies, and a reasoning path is one"),
    (_SOME_USES, "allows some uses alone"),
)
_KNOWN = {
    "apache-2.0": ("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "mit": ("MIT", "https://opensource.org/license/mit"),
    "bsd-2-clause": ("BSD-2-Clause", "https://opensource.org/license/bsd-2-clause"),
    "bsd-3-clause": ("BSD-3-Clause", "https://opensource.org/license/bsd-3-clause"),
    "unlicense": ("Unlicense", "https://unlicense.org"),
    "odc-by": ("ODC-By-1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "odbl": ("ODbL-1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
    "pddl": ("PDDL-1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
    "cdla-permissive-2.0": ("CDLA-Permissive-2.0", "https://cdla.dev/permissive-2-0/"),
    "gfdl": ("GFDL-1.3-or-later", "https://www.gnu.org/licenses/fdl-1.3.html"),
}
"""By the hub's name, that of SPDX, and where the text stands."""
_CC_OF_HUB = frozenset(
    {
        *("by-2.0", "by-2.5", "by-3.0", "by-4.0", "by-sa-3.0", "by-sa-4.0", "by-nd-4.0"),
        *("by-nc-2.0", "by-nc-3.0", "by-nc-4.0", "by-nc-nd-3.0", "by-nc-nd-4.0"),
        *("by-nc-sa-2.0", "by-nc-sa-3.0", "by-nc-sa-4.0"),
    }
)
"""Of Creative Commons' licences those that the hub has a name for, and takes in a card
(huggingface.co/docs/hub/repositories-licenses)."""


class Terms(NamedTuple):
    """A licence, as far as it is understood here."""

    name: str
    """As it was told."""
    hub: str
    """As the hub calls it; `other` where it has no name for it."""
    use: Use
    url: str = ""
    """Where its text stands; empty where that is not known."""
    spdx: str = ""
    """As spdx.org/licenses has it; empty where that is not known."""

    @property
    def credited(self) -> bool:
        """Whether whoever passes it on must name whose it is, as all of Creative Commons' but CC0 ask."""
        return self.published and bool(_CREDIT.search(self.url))

    @property
    def published(self) -> bool:
        """Whether what stands under it may be given away."""
        return self.use in ("any", "noncommercial")


def terms_of(name: str, allowed: Collection[str] = ()) -> Terms:
    """What a licence's name says; those in `allowed` a person has read and found to let it be given away."""
    told, plain = " ".join(name.split()), _plain(name)
    terms = _creative_commons(told, plain) or _other(told, plain)
    if terms.published or plain.endswith(MARK) or plain not in map(_plain, allowed):
        return terms
    limited = _NO_COMMERCE.search(plain) or _SOME_USES.search(plain)
    return terms._replace(use="noncommercial" if limited else "any")


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold().replace("_", "-")


def _creative_commons(told: str, plain: str) -> Terms | None:
    if _ZERO.fullmatch(plain):
        return Terms(
            told, "cc0-1.0", "any", "https://creativecommons.org/publicdomain/zero/1.0/", spdx="CC0-1.0"
        )
    found = _CC.fullmatch(plain)
    if not found:
        return None
    kind, version = re.sub(" ", "-", found[1]), found[2]
    use: Use = "noncommercial" if "nc" in kind.split("-") else "any"
    if not version:
        return Terms(told, OTHER, use, "https://creativecommons.org/licenses/")
    hub = f"cc-{kind}-{version}" if f"{kind}-{version}" in _CC_OF_HUB else OTHER
    url = f"https://creativecommons.org/licenses/{kind}/{version}/"
    return Terms(told, hub, use, url, spdx=f"CC-{kind}-{version}".upper())


def _other(told: str, plain: str) -> Terms:
    key = plain.replace(" ", "-")
    if key in _KNOWN:
        spdx, url = _KNOWN[key]
        return Terms(told, key, "any", url, spdx)
    return Terms(told, OTHER, "forbidden" if _FORBIDS.search(plain) else "unknown")


def require(licence: str) -> None:
    """Raises ConfigError for a `--licence` under which nothing can be given away."""
    if not licence.strip():
        raise ConfigError(
            "--licence: expected that of texts, and of pictures whose seeds name none, such as CC-BY-4.0"
        )
    if terms_of(licence).use == "forbidden":
        raise ConfigError(
            f"--licence: {licence!r} lets nothing be given away; expected one such as CC-BY-4.0"
        )


# --- rows of others ----------------------------------------------------------------------------------------


def forbids(licence: str | None) -> str:
    """Why others' data under `licence` must not be in what is published; empty where it may be."""
    plain = _plain(licence or "")
    if not plain or plain.startswith((UNKNOWN, "none seen")):
        return "nobody has said which licence it has"
    if terms_of(plain).use == "any" and not _NO_CHANGE.search(plain):
        return ""
    found = (why for limit, why in _LIMITS if limit.search(plain))
    return f"{licence}: {next(found, 'is none that is known to let data be passed on')}"


def marked(licence: str, *, anyway: bool = False) -> str:
    """The licence as a row names it: where it does not let data be given away, or nobody is to `anyway`, it
    says so itself.
    """
    return f"{licence.removesuffix(MARK)}{MARK}" if anyway or forbids(licence) else licence


def forbids_training(licence: str | None) -> str:
    """Why no model may be trained on data under `licence`, where it says so in words; else empty."""
    words = (licence or "").lower()
    if "train" in words and re.search(r"prohibit|forbid|not allowed|no (?:model )?train|not be used", words):
        return f"{licence}: allows no training"
    return ""
