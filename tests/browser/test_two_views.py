"""Two views of one studio, and two browser tabs of one notebook: all show one document."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.kernel import asleep, pid_of
from harness.lab import LabPage
from harness.projects import QUICK, prepare, saved
from harness.waiting import until
from playwright.sync_api import expect


def finetune(home: Path, project: str) -> dict[str, Any]:
    """The fields of the Finetuning node as they are on disk."""
    data: dict[str, Any] = saved(home, project)["nodes"][2]["data"]
    return data


def second_tab(page: LabPage) -> LabPage:
    page.save()
    tab = LabPage(page.page.context.new_page(), page.server, page.name).open()
    tab.ready()
    return tab


def test_two_views_of_one_studio_stay_equal(open_studio: Callable[..., LabPage], home: Path):
    project = prepare(home, QUICK)
    page = open_studio()
    page.select_cell(0)
    page.command("notebook:create-output-view")
    studios = page.page.locator('[data-testid="em-studio"][data-state="ready"]')
    expect(studios).to_have_count(2)
    first, second = (studios.nth(index).locator('[data-testid="field-epochs"]') for index in (0, 1))
    expect(second).to_have_value("3")
    first.fill("11")
    expect(second).to_have_value("11")
    second.fill("12")
    expect(first).to_have_value("12")
    until(lambda: finetune(home, project)["epochs"] == 12, "the last edit on disk")
    # One working copy, so one history: what one view did, the other undoes.
    studios.nth(0).locator('[data-testid="undo"]').click()
    expect(second).to_have_value("11")
    until(lambda: finetune(home, project)["epochs"] == 11, "the undone edit on disk")
    # It is there again after another project was open.
    view = studios.nth(0)
    view.locator('[data-testid="project-new"]').click()
    expect(view.locator('[data-testid="node"]')).to_have_count(0)
    view.locator(f'[data-testid="project-item"][data-project-id="{project}"]').click()
    view.locator('[data-testid="undo"]').click()
    expect(second).to_have_value("3")


def test_two_tabs_edit_at_once_and_lose_nothing(
    open_studio: Callable[..., LabPage], home: Path, tmp_path: Path
):
    project = prepare(home, QUICK)
    page = open_studio()
    pid = pid_of(page, tmp_path)
    tab = second_tab(page)

    page.input("epochs").fill("5")  # one after the other
    expect(tab.input("epochs")).to_have_value("5")
    tab.input("batch_size").fill("4")
    expect(page.input("batch_size")).to_have_value("4")

    with asleep(pid, home):  # different fields at once
        page.input("epochs").fill("6")
        tab.input("batch_size").fill("2")
    until(
        lambda: (
            (finetune(home, project)["epochs"], finetune(home, project)["batch_size"]) == (6, 2)
        ),
        "both edits on disk",
    )
    for view in (page, tab):
        expect(view.input("epochs")).to_have_value("6")
        expect(view.input("batch_size")).to_have_value("2")
        expect(view.hook("conflict")).to_have_count(0)

    with asleep(pid, home):  # the same field at once
        page.input("epochs").fill("7")
        tab.input("epochs").fill("8")
    asked = until(
        lambda: next((v for v in (page, tab) if v.hook("conflict").count()), None), "a conflict"
    )
    first, second = (8, 7) if asked is page else (7, 8)
    assert finetune(home, project)["epochs"] == first
    expect(asked.hook("clash")).to_have_text(f"Finetuning, Epochs: {second} here, {first} there")
    asked.hook("use-mine").click()
    until(lambda: finetune(home, project)["epochs"] == second, "the choice on disk")
    for view in (page, tab):
        expect(view.input("epochs")).to_have_value(str(second))
        expect(view.hook("conflict")).to_have_count(0)

    with asleep(pid, home):
        page.input("epochs").fill("9")
        tab.input("epochs").fill("10")
    asked = until(
        lambda: next((v for v in (page, tab) if v.hook("conflict").count()), None), "a conflict"
    )
    first, second = (10, 9) if asked is page else (9, 10)
    asked.hook("keep-copy").click()
    expect(asked.hook("conflict")).to_have_count(0)
    expect(asked.hook("notice")).to_contain_text("Your version is kept as")
    for view in (page, tab):
        expect(view.input("epochs")).to_have_value(str(first))
        expect(view.hook("project-item")).to_have_count(2)
    assert finetune(home, project)["epochs"] == first
    asked.hook("open-copy").click()
    expect(asked.input("epochs")).to_have_value(str(second))
