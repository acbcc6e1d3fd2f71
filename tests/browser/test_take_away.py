"""A model taken away in a real JupyterLab: downloaded through the kernel, sent to a Hub."""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.one import one_studio
from harness.projects import WHOLE, prepare
from harness.server import JupyterServer, lab
from playwright.sync_api import Browser, expect

from easymodel_nb.runlog.run import Run
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.train.manager import RunManager

sys.path.append(str(Path(__file__).parents[1] / "hub"))
from fake_hub import TOKEN, Hub, fake_hub
from writing import ATTRIBUTES


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with fake_hub() as server:
        yield server


@pytest.fixture(scope="module")
def online(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A notebook server whose kernels know that Hub and no other."""
    folder = tmp_path_factory.mktemp("online")
    reach = hub.environment(folder / "hf") | {"HF_HUB_OFFLINE": "0"}
    with lab(sys.executable, folder, **reach) as running:
        yield running


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("take")
    project = prepare(home, {**WHOLE, "epochs": 1, "subset_size": 24, "eval_size": 8})
    manager = RunManager(home)
    manager.submit(ProjectStore(home).load(project).workflow, project_id=project)
    run = manager.wait(timeout=240)
    assert run.status == "finished"
    return run


@pytest.fixture
def studio(online: JupyterServer, trained: Run, browser: Browser) -> Iterator[LabPage]:
    home = trained.folder.parent.parent
    with one_studio(online, browser, home, accept_downloads=True) as page:
        page.details()
        expect(page.hook("take")).to_be_visible()
        yield page


def test_a_zip_comes_through_the_kernel(studio: LabPage, tmp_path: Path):
    with studio.page.expect_download() as coming:
        studio.hook("take-zip").click()
    path = tmp_path / "model.zip"
    coming.value.save_as(path)
    assert coming.value.suggested_filename == "tiny-gpt2-requests.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert "tiny-gpt2-requests/README.md" in archive.namelist()


def test_looked_at_then_sent(studio: LabPage, hub: Hub):
    studio.hook("take-push").click()
    form = studio.hook("push-form")
    expect(form.get_by_test_id("push-private")).to_be_checked()
    form.get_by_test_id("push-repo").fill("my-model")
    form.get_by_test_id("push-show").click()
    expect(form.locator('[data-testid="problem"][data-field]')).to_contain_text("needs a")
    form.get_by_test_id("token-change").click()
    form.get_by_test_id("token-input").fill(TOKEN)
    form.get_by_test_id("token-save").click()
    expect(form.get_by_test_id("token")).to_have_attribute("data-origin", "typed")
    form.get_by_test_id("push-repo").press("Enter")
    expect(form.get_by_test_id("push-plan")).to_contain_text("private repository someone/my-model")
    assert hub.models == {}
    form.get_by_test_id("push-send").click()
    expect(studio.hook("job-push")).to_have_attribute("data-state", "done")
    expect(studio.hook("job-push").get_by_role("link")).to_have_attribute(
        "href", f"{hub.url}/someone/my-model"
    )
    assert hub.models["someone/my-model"].private
    assert "model.safetensors" in hub.models["someone/my-model"].revisions["main"]


def test_a_public_repository_is_told_on_its_field(studio: LabPage, hub: Hub):
    hub.add("someone/public", ATTRIBUTES)
    studio.execute(f"studio.command('token', token={TOKEN!r})")
    studio.hook("take-push").click()
    form = studio.hook("push-form")
    form.get_by_test_id("push-repo").fill("public")
    form.get_by_test_id("push-show").click()
    expect(form.locator('[data-testid="problem"][data-field="repo"]')).to_contain_text("is public")
    expect(form.get_by_test_id("push-send")).to_have_count(0)
    form.get_by_test_id("push-repo").fill("another")
    expect(form.locator('[data-testid="problem"][data-field="repo"]')).to_have_count(0)
    assert hub.models["someone/public"].revisions["main"] == ATTRIBUTES
