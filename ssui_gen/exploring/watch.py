"""How far the branches of a run can be read, and whether the policy ever writes what is asked. Pure counts.

A policy that never writes six steps, or never a good path, makes no pair, however long it is explored. That
is to be seen after twenty paths and not after a night.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ssui_gen.branches import Cut, Form

ENOUGH = 20
"""Paths whose roots are looked at before a policy is called hopeless."""


@dataclass
class Watch:
    """Counts of what was drawn so far; one cut at a time, so that no branch is kept."""

    forms: Counter[Form] = field(default_factory=Counter)
    """Distinct branches by form."""
    roots: int = 0
    good_roots: int = 0
    """Paths with a good branch at the root."""

    def note(self, cut: Cut, sign: int = 1) -> None:
        """Count a row; with `sign` -1 take back one that another replaces."""
        for branch in cut.branches:
            self.forms[branch.form] += sign
        if cut.cut == 0:
            self.roots += sign
            self.good_roots += sign * bool(cut.of("good"))

    @property
    def hopeless(self) -> bool:
        return self.roots >= ENOUGH and not self.good_roots

    @property
    def shares(self) -> str:
        """`exact 80 %, no steps 20 %`: the most frequent first."""
        whole = self.forms.total()
        return ", ".join(f"{form_name(form)} {count / whole:.0%}" for form, count in self.forms.most_common())

    @property
    def warning(self) -> str:
        """What is wrong with a hopeless policy, and what to change."""
        readable = sum(count for form, count in self.forms.items() if form.whole) / max(self.forms.total(), 1)
        advice = (
            "its paths can be read, and F calls none good: look at branches in pairs.html, ask F "
            "(ssui verify label, then calibrate), or take another policy or other ways of F (verify.by)"
            if readable > 0.5
            else "most of what it writes cannot be read as six steps and an answer: reword "
            "prompts/policy.md, give more room (explore.max_tokens), or take another policy"
        )
        return (
            f"policy: of {self.roots} paths none has a good branch at the root (forms: {self.shares}). "
            f"{advice[0].upper()}{advice[1:]}. Ctrl-C ends the run; what is drawn stays"
        )


def form_name(form: Form) -> str:
    """As people read it."""
    return form.value.replace("_", " ")
