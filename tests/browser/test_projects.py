"""Projects: create, rename, switch, delete; each has its own graph."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage
from harness.projects import QUICK, prepare
from playwright.sync_api import Locator, expect

from easymodel_nb.store.projects import ProjectStore


def names(home: Path) -> list[str]:
    return sorted(info.name for info in ProjectStore(home).list_projects())


def current(page: LabPage) -> Locator:
    return page.page.locator('[data-testid="project-item"][aria-current="true"]')


def choose(page: LabPage, project: str, command: str) -> None:
    """A command from a project's menu."""
    page.page.get_by_label(f"Menu of {project}", exact=True).click()
    page.hook(command).click()


def test_create_rename_switch_and_delete(open_studio: Callable[..., LabPage], home: Path):
    first = prepare(home, QUICK)
    page = open_studio()
    items = page.hook("project-item")
    expect(items).to_have_count(1)

    page.hook("project-new").click()
    expect(items).to_have_count(2)
    expect(page.hook("node")).to_have_count(0)
    second = current(page).get_attribute("data-project-id")
    assert second
    assert second != first
    page.hook("palette-model").click()
    expect(page.node("model")).to_have_count(1)

    choose(page, current(page).get_attribute("title") or "", "project-rename")
    page.hook("project-rename-input").fill("Poems")
    page.page.keyboard.press("Enter")
    expect(current(page)).to_have_attribute("title", "Poems")
    assert names(home) == ["First model", "Poems"]

    page.hook("project-item", data_project_id=first).click()
    expect(page.hook("node")).to_have_count(3)
    page.hook("project-item", data_project_id=second).click()
    expect(page.hook("node")).to_have_count(1)

    page.run_cell(0)  # a new studio opens where the old one was
    page.ready()
    expect(page.hook("node")).to_have_count(1)

    choose(page, "Poems", "project-delete")
    page.hook("project-delete-confirm").click()
    expect(items).to_have_count(1)
    expect(page.hook("node")).to_have_count(3)
    assert names(home) == ["First model"]
    assert ProjectStore(home).trash() == [second]


def test_a_copy_has_the_graph_and_none_of_the_runs(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, QUICK)
    page = open_studio()
    page.train()
    page.status("finished")
    choose(page, "First model", "project-duplicate")
    expect(page.hook("project-item")).to_have_count(2)
    expect(page.hook("node")).to_have_count(3)
    page.status("idle")
