"""The copy on Drive, as the toolbar tells it: saved, changed since, not saved and why."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage, launch
from harness.projects import QUICK, prepare
from harness.reach import Reach
from playwright.sync_api import expect

from easymodel_nb.runlog.log import RunLog, new_run

DRIVE = "import os\nos.environ['EASYMODEL_MIRROR'] = {drive!r}\n"


def a_full_checkpoint(home: Path, project: str) -> str:
    """A run of all weights that was stopped with a checkpoint."""
    log = RunLog(new_run(home))
    request = {"node": {"id": "f1", "type": "finetune", "data": {}}}
    log.append("run_created", project_id=project, node_id="f1", request=request)
    plan = {"method": "full", "run_id": log.run_id}
    log.append("run_started", attempt=1, plan=plan, environment={})
    folder = log.folder / "checkpoints" / "checkpoint-40"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(bytes(2_500_000))
    (folder / "manifest.json").write_text(json.dumps({"identity": {"run_id": log.run_id}}))
    log.append("checkpoint", step=40, path="checkpoints/checkpoint-40", bytes=2_500_000)
    log.append("run_stopped", reason="user")
    return log.run_id


def test_saved_pending_failed_and_the_question_about_checkpoints(
    notebook: Callable[..., LabPage], home: Path, tmp_path: Path
):
    project = prepare(home, QUICK)
    run = a_full_checkpoint(home, project)
    drive = tmp_path / "My Drive" / "EasyModel"
    page = notebook(DRIVE.format(drive=str(drive)) + launch(home))
    page.run_cell(0)
    page.ready()
    wrong = list[str]()
    mirror, panel = page.hook("mirror"), page.hook("mirror-panel")

    # Drive is not mounted: a sentence says what to do, and nothing is made in its place.
    expect(mirror).to_have_attribute("data-state", "failed")
    expect(mirror).to_have_text("Not saved to Drive")
    mirror.click()
    expect(panel).to_contain_text("Drive is not mounted. Run drive.mount")
    wrong += seen(page, "failed")
    assert not drive.parent.exists()

    # It comes, and Save finds it; a full checkpoint is asked about with its size.
    drive.parent.mkdir()
    page.hook("mirror-save").click()
    expect(mirror).to_have_attribute("data-state", "asking")
    expect(page.hook("mirror-question")).to_contain_text("step 40 takes 2.5 MB")
    wrong += seen(page, "asking")
    assert not list(drive.rglob("checkpoint-40*"))
    page.hook("mirror-decline").click()
    expect(page.hook("mirror-question")).to_have_count(0)
    expect(mirror).to_have_attribute("data-state", "saved")
    assert not list(drive.rglob("checkpoint-40*"))
    expect(page.hook("mirror-declined")).to_contain_text("step 40 (2.5 MB) is kept here only")
    wrong += seen(page, "declined")
    page.hook("mirror-take-back").click()  # the answer can be taken back
    expect(page.hook("mirror-declined")).to_have_count(0)
    expect(page.hook("mirror-safe")).to_contain_text("Checkpoint of step 40 is safe on Drive")
    expect(mirror).to_have_attribute("data-state", "saved")
    assert list(drive.rglob(f"{run}/checkpoints/checkpoint-40-*/model.safetensors"))
    wrong += seen(page, "saved")

    # A change is pending until it is there; Escape closes the panel and gives the focus back.
    page.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(mirror).to_be_focused()
    page.hook("project-new").click()
    expect(mirror).to_have_attribute("data-state", "pending")
    wrong += seen(page, "pending")
    page.page.set_viewport_size({"width": 1000, "height": 800})
    mirror.click()
    wrong += seen(page, "narrow")
    expect(page.hook("mirror-save")).to_be_enabled()
    page.hook("mirror-save").click()
    expect(mirror).to_have_attribute("data-state", "saved")
    records = [json.loads(path.read_text())["record"] for path in drive.rglob("projects/*.json")]
    assert {record["name"] for record in records} > {"Untitled"}
    assert not wrong, "\n".join(wrong)


def seen(page: LabPage, state: str) -> list[str]:
    """What axe-core and the contrast of texts say in both themes; pictures for the eyes."""
    reach = Reach(page.page)
    wrong = reach.look(f"mirror {state}")
    if folder := os.environ.get("EASYMODEL_PICTURES"):
        for theme in ("dark", "light"):
            reach.dress(theme, "no-preference")
            page.hook("em-studio").screenshot(path=str(Path(folder) / f"{state}-{theme}.png"))
    return wrong
