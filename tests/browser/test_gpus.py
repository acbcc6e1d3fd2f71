"""Several GPUs: a field where the machine has them, a sentence where a document asks for more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.one import one_studio
from harness.projects import QUICK, prepare, saved
from harness.server import JupyterServer
from harness.waiting import until
from playwright.sync_api import Browser, expect

# The kernel of this machine is made to believe in four GPUs.
FOUR = "from easymodel_nb import environment; environment.gpus = lambda **_: 4"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gpus-home")


@pytest.fixture(scope="module")
def project(home: Path) -> str:
    return prepare(home, QUICK | {"processes": 3})


@pytest.fixture(scope="module")
def studio(server: JupyterServer, browser: Browser, home: Path, project: str) -> Iterator[LabPage]:
    assert project
    with one_studio(server, browser, home) as opened:
        yield opened


def asked(home: Path, project: str) -> int:
    return int(saved(home, project)["nodes"][2]["data"]["processes"])


def test_a_document_of_a_larger_machine_and_a_field_on_one(
    studio: LabPage, home: Path, project: str
):
    told = studio.node().get_by_test_id("problem")
    expect(told).to_contain_text("3 GPUs, and this machine has no second GPU")
    studio.hook("advanced").click()
    field = studio.hook("field-processes")
    expect(field).to_have_value("3")  # a field that is wrong is unfolded
    told.get_by_test_id("fix").click()
    expect(told).to_have_count(0)
    expect(field).to_have_count(0)  # one GPU: nothing to choose
    until(lambda: asked(home, project) == 1, "one GPU is saved")

    studio.execute(FOUR + "; studio._session.probe()")
    if studio.hook("advanced-fold").get_attribute("aria-expanded") == "false":
        studio.hook("advanced-fold").click()
    expect(field).to_have_value("1")
    field.fill("4")
    field.press("Enter")
    until(lambda: asked(home, project) == 4, "four GPUs are saved")
    expect(told).to_have_count(0)
    field.fill("5")
    field.press("Enter")
    expect(told).to_contain_text("5 GPUs, and this machine has 4 GPUs")
