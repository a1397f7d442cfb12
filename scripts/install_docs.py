"""Make an environment for the site of the docs: `python scripts/install_docs.py .venv-docs`.

Zensical follows on from Material for MkDocs, which is no longer developed, and reads the same settings.
"""

from __future__ import annotations

import sys
import venv
from pathlib import Path

from install import pip

ZENSICAL = "zensical==0.0.73"


def main() -> None:
    target = Path(sys.argv[1])
    if not (target / "bin" / "python").exists():
        venv.create(target, with_pip=True)
    pip(str(target / "bin" / "python"), "install", ZENSICAL)


if __name__ == "__main__":
    main()
