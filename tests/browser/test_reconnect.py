"""The kernel sleeps, or is gone: edits made meanwhile stay, and are never laid over newer work."""

from collections.abc import Callable
from pathlib import Path

from harness.kernel import asleep, pid_of, sleep
from harness.lab import LabPage
from harness.projects import QUICK, prepare, saved
from harness.waiting import until
from playwright.sync_api import expect

from easymodel_nb.store.projects import ProjectStore


def epochs(home: Path, project: str) -> object:
    return saved(home, project)["nodes"][2]["data"]["epochs"]


def edit_without_kernel(page: LabPage, value: str, home: Path) -> None:
    """Type while the kernel sleeps, until the studio says so; it never wakes up again."""
    sleep(pid_of(page, home), home)
    page.input("epochs").fill(value)
    expect(page.hook("kernel-lost")).to_contain_text("kept in this browser")
    page.server.restart_kernel(page.name)  # it ends what sleeps by force


def test_after_sleep_everything_is_reconciled(
    open_studio: Callable[..., LabPage], home: Path, tmp_path: Path
):
    project = prepare(home, QUICK)
    page = open_studio()
    with asleep(pid_of(page, tmp_path), home):
        page.input("epochs").fill("21")
        expect(page.hook("kernel-lost")).to_contain_text("Your edit since then is kept")
        page.input("batch_size").fill("2")
        # Meanwhile the same project was changed by someone else.
        store = ProjectStore(home)
        loaded = store.load(project)
        loaded.workflow.nodes[2].data["seed"] = 7
        store.save(project, loaded.workflow, loaded.revision)
    until(lambda: epochs(home, project) == 21, "the edit on disk")
    until(lambda: saved(home, project)["nodes"][2]["data"]["batch_size"] == 2, "the other edit")
    assert saved(home, project)["nodes"][2]["data"]["seed"] == 7
    expect(page.hook("kernel-lost")).to_have_count(0)
    expect(page.hook("conflict")).to_have_count(0)
    expect(page.input("epochs")).to_have_value("21")


def test_edits_of_a_lost_kernel_are_offered_and_used(
    open_studio: Callable[..., LabPage], home: Path
):
    project = prepare(home, QUICK)
    page = open_studio()
    edit_without_kernel(page, "31", home)
    page.run_cell(0)
    page.ready()
    expect(page.hook("draft")).to_contain_text("Edits made while the kernel was away")
    expect(page.input("epochs")).to_have_value("3")  # nothing is done unasked
    assert epochs(home, project) == 3
    page.hook("draft-use").click()
    expect(page.input("epochs")).to_have_value("31")
    until(lambda: epochs(home, project) == 31, "the edit on disk")
    expect(page.hook("draft")).to_have_count(0)

    edit_without_kernel(page, "41", home)
    store = ProjectStore(home)
    newer = store.load(project)
    newer.workflow.nodes[2].data["epochs"] = 51
    store.save(project, newer.workflow, newer.revision)
    page.reload()  # the page was closed in between
    page.run_cell(0)
    page.ready()
    page.hook("draft-use").click()
    expect(page.hook("clash")).to_have_text("Finetuning, Epochs: 41 here, 51 there")
    assert epochs(home, project) == 51
    page.hook("use-theirs").click()
    expect(page.input("epochs")).to_have_value("51")
    expect(page.hook("conflict")).to_have_count(0)

    edit_without_kernel(page, "61", home)
    page.run_cell(0)
    page.ready()
    page.hook("draft-discard").click()
    expect(page.hook("draft")).to_have_count(0)
    page.reload()
    page.run_cell(0)
    page.ready()
    expect(page.input("epochs")).to_have_value("51")
    expect(page.hook("draft")).to_have_count(0)
    assert epochs(home, project) == 51
