"""Build the Colab-like environment: Colab's pinned versions, torch shared with the main venv.

Downloading torch a second time would cost minutes and a gigabyte, and a .pth file
to the main venv would expose everything in it. So torch, and what belongs to it in
binary form, is linked package by package; everything else is installed by pip.
"""

import argparse
import os
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

_BINARY = ("nvidia", "cuda", "triton", "pytorch-triton")
"""Prefixes of the distributions that hold torch's libraries; a CPU build has none."""


def main() -> int:
    """Create the environment at TARGET from REQUIREMENTS; torch comes from this Python's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("requirements", type=Path)
    options = parser.parse_args()
    subprocess.run([sys.executable, "-m", "venv", options.target], check=True)
    python = options.target / "bin" / "python"
    site = _site_packages(python)
    for distribution in _torch():
        _link(distribution, site)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", options.requirements], check=True)
    subprocess.run([python, "-c", "import torch; print('torch', torch.__version__)"], check=True)
    return 0


def _site_packages(python: Path) -> Path:
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.check_output([python, "-c", ask], text=True).strip())


def _torch() -> list[Distribution]:
    found = [
        d
        for d in distributions()
        if d.metadata["Name"] == "torch" or d.metadata["Name"].lower().startswith(_BINARY)
    ]
    if not any(d.metadata["Name"] == "torch" for d in found):
        sys.exit(f"There is no torch beside {sys.executable}: run `make setup` first.")
    return found


def _link(distribution: Distribution, site: Path) -> None:
    """Link each top-level file or folder of a distribution into `site`."""
    tops = {
        file.parts[0]
        for file in distribution.files or []
        if file.parts[0] not in {"..", "__pycache__", "bin"}
    }
    for top in sorted(tops):
        source, link = Path(str(distribution.locate_file(top))).resolve(), site / top
        if not os.path.lexists(link):
            link.symlink_to(source)


if __name__ == "__main__":
    sys.exit(main())
