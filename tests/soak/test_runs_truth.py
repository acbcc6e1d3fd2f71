"""The faults of tests/browser/test_truth.py on other kernels, with cells that run for a minute.

EASYMODEL_SOAK scales how long the cells run. The kernels of other versions get environments of
their own, `.venv-ipykernel-VERSION`, which see the packages of this one.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from figures import keep
from harness.truth import studio
from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
SECONDS = 60 * float(os.environ.get("EASYMODEL_SOAK") or 1)
LIMIT = 3.0


def python_with(version: str) -> Path:
    """A Python with that ipykernel, and all else from this environment."""
    folder = ROOT / f".venv-ipykernel-{version}"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, f"ipykernel=={version}"], check=True)
        (packages,) = folder.glob("lib/python*/site-packages")
        here = {
            sysconfig.get_path("purelib"),
            *filter(None, os.environ.get("PYTHONPATH", "").split(":")),
        }
        (packages / "zz_others.pth").write_text("".join(f"{path}\n" for path in sorted(here)))
        (folder / "ready").touch()
    return python


@pytest.mark.parametrize("version", ["6.17.1", "6.31.0", None])
def test_the_truth_is_shown_by_every_kernel(
    browser: Browser, tmp_path: Path, home: Path, version: str | None
):
    python = python_with(version) if version else None
    with studio(browser, tmp_path / "lab", home, python) as truth:
        truth.try_lines()
        truth.try_cells(SECONDS)
        truth.try_deaths()
    keep("truth", {"ipykernel": version or "installed", "cell_seconds": SECONDS, **truth.seconds})
    assert all(seconds <= LIMIT for seconds in truth.seconds.values()), truth.seconds
