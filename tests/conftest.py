"""What every kind of test shares: a home of its own, and the wheel built once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]

# Every machine computes in 32 bits here, also one that is good at bf16: tests that are about
# bf16 ask for it.
os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE"

# A shared machine may take its time over any single example. The gate tries the same examples each
# time; EASYMODEL_EXPLORE=1 looks for new ones, which then become tests by name.
settings.register_profile("gate", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=400, print_blob=True)
settings.load_profile("explore" if os.environ.get("EASYMODEL_EXPLORE") else "gate")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """The one Chromium of the session: Playwright can be started once in a process."""
    from harness.browser import chromium_browser  # the unit tests run without Playwright as well

    with chromium_browser() as launched:
        yield launched


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, so that no test reads or writes the user's projects and runs."""
    folder = tmp_path / "home"
    monkeypatch.setenv("EASYMODEL_HOME", str(folder))
    monkeypatch.delenv("EASYMODEL_MIRROR", raising=False)
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this working tree, built by the real hook."""
    target = tmp_path_factory.mktemp("wheel")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EASYMODEL_NB_")}
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl")
    return built
