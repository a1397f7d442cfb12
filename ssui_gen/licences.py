"""What a licence lets one do with data: may it be given away at all, and for what; may one train on it? Pure.

Names are read as people write them (`CC BY-NC 4.0`, `cc-by-nc-4.0`). Denied by default: a name that is not
known here lets nothing be given away, unless a person says that it does. Rows of others are held to more
(`forbids`): whoever passes them on is not their author. No advice of a lawyer.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, NamedTuple

Use = Literal["any", "noncommercial", "forbidden", "unknown"]
OTHER = "other"
"""How the hub calls a licence that it has no name for."""
_CC = re.compile(
    r"(?:cc|creative commons)[ -]*(by(?:[ -](?:nc|nd|sa)){0,2})[ -]*v?([1-4]\.[05])?(?: international)?"
)
_ZERO = re.compile(r"cc[ -]?0(?:[ -]?1\.0)?|cc[ -]?zero|public domain(?: dedication| mark)?|pdm(?:[ -]1\.0)?")
_FORBIDS = re.compile(
    r"all rights reserved|(?:no|not for|do not|don't) (?:re)?(?:distribut|publi)|proprietary|confidential"
    r"|internal|private|personal use|editorial|copyright|©|\(c\)|getty|shutterstock|istock|alamy|adobe stock"
    r"|rights[ -]managed"
)
_NONCOMMERCIAL = re.compile(r"non[ -]?commercial|research[ -](?:use[ -])?only|academic")
_KNOWN = {
    "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "mit": "https://opensource.org/license/mit",
    "bsd-2-clause": "https://opensource.org/license/bsd-2-clause",
    "bsd-3-clause": "https://opensource.org/license/bsd-3-clause",
    "unlicense": "https://unlicense.org",
    "odc-by": "https://opendatacommons.org/licenses/by/1-0/",
    "odbl": "https://opendatacommons.org/licenses/odbl/1-0/",
    "pddl": "https://opendatacommons.org/licenses/pddl/1-0/",
    "cdla-permissive-2.0": "https://cdla.dev/permissive-2-0/",
    "gfdl": "https://www.gnu.org/licenses/fdl-1.3.html",
}
"""By the hub's name, where the text stands."""


class Terms(NamedTuple):
    """A licence, as far as it is understood here."""

    name: str
    """As it was told."""
    hub: str
    """As the hub calls it; `other` where it has no name for it."""
    use: Use
    url: str = ""
    """Where its text stands; empty where that is not known."""

    @property
    def published(self) -> bool:
        """Whether what stands under it may be given away."""
        return self.use in ("any", "noncommercial")


def terms_of(name: str, allowed: Collection[str] = ()) -> Terms:
    """What a licence's name says; those in `allowed` a person has read and found to let it be given away."""
    told = " ".join(name.split())
    plain = told.casefold().replace("_", "-")
    terms = _creative_commons(told, plain) or _other(told, plain)
    if terms.published or plain not in {
        " ".join(one.split()).casefold().replace("_", "-") for one in allowed
    }:
        return terms
    return terms._replace(use="noncommercial" if _NONCOMMERCIAL.search(plain) else "any")


def _creative_commons(told: str, plain: str) -> Terms | None:
    if _ZERO.fullmatch(plain):
        return Terms(told, "cc0-1.0", "any", "https://creativecommons.org/publicdomain/zero/1.0/")
    found = _CC.fullmatch(plain)
    if not found:
        return None
    kind, version = re.sub(" ", "-", found[1]), found[2]
    use: Use = "noncommercial" if "nc" in kind.split("-") else "any"
    if not version:
        return Terms(told, OTHER, use, "https://creativecommons.org/licenses/")
    return Terms(told, f"cc-{kind}-{version}", use, f"https://creativecommons.org/licenses/{kind}/{version}/")


def _other(told: str, plain: str) -> Terms:
    key = plain.replace(" ", "-")
    if key in _KNOWN:
        return Terms(told, key, "any", _KNOWN[key])
    return Terms(told, OTHER, "forbidden" if _FORBIDS.search(plain) else "unknown")


UNKNOWN = "unknown"
MARK = "; do not publish"
"""Ends the licence of others' rows that are not to be given away: `terms_of` reads it as forbidden."""
_OF_OTHERS = (
    (re.compile(r"\bnc\b|non ?commercial"), "allows no commercial use"),
    (re.compile(r"\bnd\b|no ?deriv"), "allows no changed copies, and a reasoning path is one"),
    (re.compile(r"research|academic|educational|prohibited|personal use"), "allows some uses alone"),
)


def forbids(licence: str | None) -> str:
    """Why others' data under `licence` must not be in what is published; empty where it may be."""
    words = " ".join(re.findall(r"[a-z0-9]+", (licence or "").lower()))
    if not licence or not words or words.startswith((UNKNOWN, "none seen")):
        return "nobody has said which licence it has"
    for mark, why in _OF_OTHERS:
        if mark.search(words):
            return f"{licence}: {why}"
    return (
        "" if terms_of(licence).use == "any" else f"{licence}: is none that is known to let data be passed on"
    )


def marked(licence: str) -> str:
    """The licence as a row names it: where it does not let data be given away, it says so itself."""
    return f"{licence.removesuffix(MARK)}{MARK}" if forbids(licence) else licence


def forbids_training(licence: str | None) -> str:
    """Why no model may be trained on data under `licence`, where it says so in words; else empty."""
    words = (licence or "").lower()
    if "train" in words and re.search(r"prohibit|forbid|not allowed|no (?:model )?train|not be used", words):
        return f"{licence}: allows no training"
    return ""
