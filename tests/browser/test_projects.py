"""Projects: made, named, deleted and restored; each has its own graph."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage
from harness.projects import QUICK, prepare, saved
from harness.waiting import until
from playwright.sync_api import Locator, expect

from easymodel_nb.store.projects import ProjectStore


def names(home: Path) -> list[str]:
    return [info.name for info in ProjectStore(home).list_projects()]


def current(page: LabPage) -> Locator:
    return page.page.locator('[data-testid="project-item"][aria-current="true"]')


def choose(page: LabPage, project: str, command: str) -> None:
    """A command from a project's menu."""
    page.page.get_by_label(f"Menu of {project}", exact=True).click()
    page.hook(command).click()


def test_create_rename_switch_delete_and_undo(open_studio: Callable[..., LabPage], home: Path):
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
    expect(items.first).to_have_attribute("data-project-id", second)  # what is new is on top
    page.hook("palette-model").click()
    expect(page.node("model")).to_have_count(1)

    choose(page, current(page).get_attribute("title") or "", "project-rename")
    page.hook("project-rename-input").fill("Poems")
    page.page.keyboard.press("Enter")
    expect(current(page)).to_have_attribute("title", "Poems")
    assert names(home) == ["Poems", "First model"]

    page.hook("project-item", data_project_id=first).click()
    expect(page.hook("node")).to_have_count(3)
    page.hook("project-item", data_project_id=second).click()
    expect(page.hook("node")).to_have_count(1)

    page.run_cell(0)  # a new studio opens where the old one was
    page.ready()
    expect(page.hook("node")).to_have_count(1)

    choose(page, "Poems", "project-delete")
    expect(items).to_have_count(1)
    expect(page.hook("node")).to_have_count(3)
    assert names(home) == ["First model"]
    page.hook("notice-undo").click()  # it comes back, to its place, and is open as it was
    expect(current(page)).to_have_attribute("title", "Poems")
    expect(page.hook("node")).to_have_count(1)
    assert names(home) == ["Poems", "First model"]


def test_the_trash_is_looked_into_and_emptied(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, QUICK)
    ProjectStore(home).create("Poems")
    page = open_studio()
    items = page.hook("project-item")
    items.first.focus()
    page.page.keyboard.press("Delete")
    expect(items).to_have_count(1)
    page.hook("projects-more").click()
    page.hook("project-trash").click()
    expect(page.hook("trash-item")).to_have_count(1)
    page.hook("trash-restore").click()
    expect(page.hook("trash-item")).to_have_count(0)
    page.page.keyboard.press("Escape")
    expect(items).to_have_count(2)
    expect(page.hook("node")).to_have_count(3)  # restored, but not opened

    choose(page, "Poems", "project-delete")
    page.hook("projects-more").click()
    page.hook("project-trash").click()
    page.hook("trash-empty").click()
    assert len(ProjectStore(home).trash.items()) == 1  # it asks first
    page.hook("trash-empty-confirm").click()
    expect(page.hook("trash-item")).to_have_count(0)
    assert ProjectStore(home).trash.items() == []


def test_a_copy_has_the_graph_and_none_of_the_runs(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, QUICK)
    page = open_studio()
    page.train()
    page.status("finished")
    choose(page, "First model", "project-duplicate")
    expect(page.hook("project-item")).to_have_count(2)
    expect(page.hook("node")).to_have_count(3)
    page.status("idle")


def test_however_quickly_one_switches_each_edit_stays_with_its_project(
    open_studio: Callable[..., LabPage], home: Path
):
    first = prepare(home, QUICK)
    store = ProjectStore(home)
    second = store.duplicate(first).id
    for number in range(198):
        store.create(f"Project {number}")
    page = open_studio()
    expect(page.hook("project-item", data_project_id=first)).to_have_attribute(
        "aria-current", "true"
    )
    typed = {first: 0, second: 0}
    for turn in range(1, 9):
        here, there = (first, second) if turn % 2 else (second, first)
        expect(page.input("epochs")).to_have_value(str(typed[here] or QUICK["epochs"]))
        typed[here] = 10 * turn + (here == second)
        page.input("epochs").fill(str(typed[here]))
        # Not a moment for the edit to be saved in.
        page.hook("project-item", data_project_id=there).click()
    for project_id, epochs in typed.items():
        until(
            lambda project_id=project_id, epochs=epochs: (
                [
                    node["data"]["epochs"]
                    for node in saved(home, project_id)["nodes"]
                    if node["type"] == "finetune"
                ]
                == [epochs]
            ),
            f"{epochs} epochs in {project_id}",
        )
    # Clicks faster than answers: the last one counts.
    for project_id in (second, first, second, first, second):
        page.hook("project-item", data_project_id=project_id).click(no_wait_after=True)
    expect(current(page)).to_have_attribute("data-project-id", second)
    expect(page.input("epochs")).to_have_value(str(typed[second]))
