"""An edit is never lost: not when Train is clicked at once, not on a reload."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage, launch
from harness.projects import LONG, prepare, runs, saved
from harness.waiting import until


def test_type_in_a_field_and_click_train_at_once(notebook: Callable[..., LabPage], home: Path):
    prepare(home, LONG)
    page = notebook(launch(home))
    page.run_cell(0)
    page.ready()
    epochs = page.input("epochs")
    epochs.fill("777")
    page.train()  # within the 300 ms in which the edit is not sent yet
    plan = until(lambda: runs(home) and runs(home)[0].plan, "plan")
    assert plan["epochs"] == 777
    page.hook("stop").click()
    page.status("stopped")


def test_an_edit_is_on_disk_without_a_save(notebook: Callable[..., LabPage], home: Path):
    project = prepare(home, LONG)
    page = notebook(launch(home))
    page.run_cell(0)
    page.ready()
    page.input("batch_size").fill("3")

    def batch_size() -> bool:
        return bool(saved(home, project)["nodes"][2]["data"]["batch_size"] == 3)

    until(batch_size, "saved batch size")
