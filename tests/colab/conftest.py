"""Colab's versions in an environment of their own, with the wheel installed as a user would."""

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from harness.browser import keep_pictures
from harness.classic import ClassicPage
from harness.server import JupyterServer, classic
from harness.waiting import PATIENCE
from playwright.sync_api import Browser, expect

ROOT = Path(__file__).parents[2]
NOTEBOOK_NUMBERS = itertools.count(1)

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session")
def colab_python() -> Path:
    """The Python of the Colab-like environment; `make test` builds it."""
    folder = Path(os.environ.get("EASYMODEL_COLAB_VENV", ROOT / ".venv-colab"))
    python = folder / "bin" / "python"
    if not python.exists():
        pytest.fail(
            f"There is no Colab-like environment in {folder}. Build it with "
            "`make .venv-colab/.ready`, or name one with EASYMODEL_COLAB_VENV."
        )
    return python


@pytest.fixture(scope="session")
def installed(colab_python: Path, wheel: Path, testrun_uid: str) -> Path:
    """The same Python, with this working tree's wheel installed.

    Once in a run: another worker's kernels would lose their modules in a second installation.
    """
    mark = colab_python.parents[1] / ".installed-in"
    install = ["install", "--quiet", "--no-deps", "--force-reinstall", str(wheel)]
    with FileLock(f"{mark}.lock"):
        if not mark.exists() or mark.read_text() != testrun_uid:
            pip = [colab_python, "-m", "pip", *install]
            subprocess.run(pip, env=clean_environment(), check=True)
            mark.write_text(testrun_uid)
    return colab_python


def clean_environment() -> dict[str, str]:
    """This process's environment without what would let the source tree in."""
    return {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}


@pytest.fixture(scope="session")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    with classic(str(installed), tmp_path_factory.mktemp("classic")) as running:
        yield running


@pytest.fixture
def notebook(
    server: JupyterServer, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[..., ClassicPage]]:
    """Makes a notebook of the given cells and opens it; its kernel ends with the test."""
    names: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE * 1000)

    def make(*sources: str) -> ClassicPage:
        name = server.write(f"test-{next(NOTEBOOK_NUMBERS)}.ipynb", *sources)
        names.append(name)
        opened = ClassicPage(context.new_page(), server, name).open()
        request.node.pages = context.pages
        return opened

    yield make
    context.close()
    for name in names:
        server.close(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    keep_pictures(report, item, getattr(item, "pages", []))
    return report
