"""Projects: create, rename, switch, delete; each has its own graph."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage, launch
from harness.projects import QUICK, prepare
from playwright.sync_api import expect


def test_create_rename_switch_and_delete(notebook: Callable[..., LabPage], home: Path):
    first = prepare(home, QUICK)
    page = notebook(launch(home))
    page.run_cell(0)
    page.ready()
    items = page.hook("project-item")
    expect(items).to_have_count(1)

    page.hook("project-new").click()
    expect(items).to_have_count(2)
    expect(page.hook("node")).to_have_count(0)
    current = page.page.locator('[data-testid="project-item"][aria-current="true"]')
    second = current.get_attribute("data-project-id")
    assert second
    assert second != first

    page.hook("palette-model").click()
    expect(page.node("model")).to_have_count(1)

    page.hook("project-item", data_project_id=first).click()
    expect(page.hook("node")).to_have_count(3)
    page.hook("project-item", data_project_id=second).click()
    expect(page.hook("node")).to_have_count(1)

    page.run_cell(0)  # a new studio opens where the old one was
    page.ready()
    expect(page.hook("node")).to_have_count(1)
