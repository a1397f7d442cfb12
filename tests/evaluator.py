"""An evaluator for tests of the sweep: `python -m evaluator ADAPTER` tells what the training measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def figure(share: float) -> dict[str, float]:
    return {"share": share, "low": max(0.0, share - 0.1), "high": min(1.0, share + 0.1)}


def main() -> None:
    adapter = Path(sys.argv[1])
    facts: dict[str, Any] = json.loads((adapter / "training.json").read_text())
    watched = facts["figures"]["watched"]
    right = {
        when: figure(watched[at].get("accuracy", 0.0)) for when, at in (("before", "start"), ("after", "end"))
    }
    found = {
        "headlines": {"right": "pairs in the right order"},
        "figures": {"pairs in the right order": right},
    }
    (adapter / "measured.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
