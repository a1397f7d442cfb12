"""Peak memory does not grow with the number of seeds.

By hand, for other numbers: `python tests/test_memory.py 1000 100000`.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest
from fake_server import serve
from jobs import job, plain

STATUS = Path("/proc/self/status")
LITTLE, MUCH = 300, 1500
ALLOWED = 6_000_000
"""Bytes; five thousand for each seed more, less than its row and its calls take as objects."""


def peak(pid: int) -> int:
    """Most memory (bytes) that a process held since it began its program; 0 once it has ended.

    Not `ru_maxrss`, which a child inherits from whoever started it.
    """
    try:
        lines = (STATUS.parent.parent / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def peak_of_a_run(seeds: int, folder: Path) -> int:
    """Of the command alone, in bytes; the server is in another process."""
    with serve() as fake:
        todo = job(folder, fake.url, plain(seeds), twins=False)
        most, process = 0, todo.start()
        while process.poll() is None:
            most = max(most, peak(process.pid))
            time.sleep(0.05)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert f"{seeds:,}" in out
    assert (todo.run / "reasoning_paths.jsonl").read_bytes().count(b"\n") == seeds
    return most


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="peak memory is read from /proc")
def test_five_times_the_seeds_need_no_more_memory(tmp_path: Path) -> None:
    little, much = (peak_of_a_run(seeds, tmp_path / str(seeds)) for seeds in (LITTLE, MUCH))
    assert little > 30_000_000
    assert much - little < ALLOWED, f"{little:,} bytes for {LITTLE:,} seeds, {much:,} for {MUCH:,}"


if __name__ == "__main__":
    for count in map(int, sys.argv[1:]):
        place = Path(tempfile.mkdtemp())
        began = time.monotonic()
        most = peak_of_a_run(count, place)
        print(f"{count:,} seeds: {most / 1e6:.1f} MB at most, {time.monotonic() - began:.0f} s", flush=True)
        shutil.rmtree(place)
