"""See to it that Chromium is there, for the tests of the review page in a real browser.

    python scripts/install_chromium.py

Where it is missing, Debian's is installed with apt if this process may do so (as root, or with sudo that asks
for no password); otherwise it says what to install. Any Chromium or Chrome on the PATH will do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")


def main() -> None:
    if not found() and (apt := may_install()):
        print(f"Installing {', '.join(PACKAGES)} with apt", flush=True)
        run(*apt, "update", "--quiet=2")
        run(*apt, "install", "--yes", "--quiet=2", "--no-install-recommends", *PACKAGES)
    if not found():
        sys.exit(
            f"no Chromium on the PATH, and none could be installed: as root run `apt-get install "
            f"{' '.join(PACKAGES)}`, or install Chrome or Chromium yourself"
        )


def found() -> str | None:
    """Where it is."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def may_install() -> list[str]:
    """The beginning of an apt command that this process may run; empty if there is none."""
    if not shutil.which("apt-get"):
        return []
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if os.geteuid() == 0:
        return quiet
    asks_nothing = (
        shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], check=False).returncode == 0
    )
    return ["sudo", "-n", *quiet] if asks_nothing else []


def run(*command: str) -> None:
    """A failed update may still leave what is needed; what lacks is said at the end."""
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
