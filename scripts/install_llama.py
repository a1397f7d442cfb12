"""Make an environment of its own for llama.cpp's server: `.venv-llama`, with `build/bin/llama-server` in it.

    python scripts/install_llama.py .venv-llama

The source comes with the package llama-cpp-python, whose own server lacks most of what a run asks; no package
holds `llama-server` itself. Needs cmake and a C++ compiler; takes half an hour, once. The version is the one
that was tested.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

from install import pip

PACKAGE = "llama-cpp-python"
SOURCE = f"{PACKAGE}==0.3.36"
BUILDER = "ninja==1.13.0"
GGUF = "gguf==0.19.0"
LEFT_OUT = ("LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_APP", "LLAMA_BUILD_UI")
LEFT_OUT += ("LLAMA_USE_PREBUILT_UI", "LLAMA_OPENSSL", "GGML_OPENMP", "GGML_NATIVE")
"""Of no use to tests; the pages for people would be downloaded."""


def main() -> None:
    target = Path(sys.argv[1]).resolve()
    if not (target / "bin" / "python").exists():
        venv.create(target, with_pip=True)
    python = str(target / "bin" / "python")
    pip(python, "install", GGUF, BUILDER)
    with tempfile.TemporaryDirectory() as folder:
        pip(python, "download", "--no-deps", "--no-binary", PACKAGE, "--dest", folder, SOURCE)
        build(unpacked(Path(folder)), target / "build", target / "bin")


def unpacked(folder: Path) -> Path:
    """llama.cpp's source in the package's."""
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob("*/vendor/llama.cpp"))


def build(source: Path, folder: Path, tools: Path) -> None:
    """Optimised a little: a model of a test is small."""
    options = [f"-D{name}=OFF" for name in LEFT_OUT] + ["-DCMAKE_BUILD_TYPE=Release"]
    options += ["-DCMAKE_CXX_FLAGS_RELEASE=-O1", "-DCMAKE_C_FLAGS_RELEASE=-O1"]
    place = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    made = ["cmake", "-S", str(source), "-B", str(folder), "-G", "Ninja", *options]
    for command in (made, ["cmake", "--build", str(folder), "--target", "llama-server"]):
        if subprocess.run(command, env=place, check=False).returncode:
            sys.exit("llama-server could not be built (see above): it needs cmake and a C++ compiler")


if __name__ == "__main__":
    main()
