"""An edit is never lost: not when Train is clicked at once, not on a reload."""

from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage
from harness.projects import LONG, prepare, runs, saved
from harness.waiting import until


def test_type_in_a_field_and_click_train_at_once(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, LONG)
    page = open_studio()
    epochs = page.input("epochs")
    epochs.fill("777")
    page.train()  # within the 300 ms in which the edit is not sent yet
    plan = until(lambda: runs(home) and runs(home)[0].plan, "plan")
    assert plan["epochs"] == 777
    page.hook("stop").click()
    page.status("stopped")


def test_an_edit_is_on_disk_without_a_save(open_studio: Callable[..., LabPage], home: Path):
    project = prepare(home, LONG)
    page = open_studio()
    page.input("batch_size").fill("3")

    def batch_size() -> bool:
        return bool(saved(home, project)["nodes"][2]["data"]["batch_size"] == 3)

    until(batch_size, "saved batch size")
