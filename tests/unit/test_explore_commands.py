"""What the dashboard's controls command: samples, compared runs, a text to try."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import RunLog, runs_folder
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.studio import Studio

HandManager = Any  # conftest.py has it
BUNDLE = ("export default {}", ".emnb {}")


@pytest.fixture
def studio(session: Session, manager: HandManager, home: Path) -> Iterator[Studio]:
    """A studio whose project has two finished runs of seven samples."""
    made = Studio(session, script_and_styles=BUNDLE)
    for number in (1, 2):
        (run,) = made.command("train", node="f1")["runs"]
        manager.write(run, "run_started", attempt=1, plan={"finetune": {}}, environment={})
        folder = runs_folder(home) / run
        lines = []
        for epoch in (0, 1):
            RunLog(folder).append("samples", step=epoch * 10, epoch=epoch, rows=7)
            RunLog(folder).append(
                "epoch",
                step=epoch * 10,
                epoch=epoch,
                analytics={"perplexity": {"validation": {"value": 30.0 - number, "n": 7}}},
            )
            for index in range(7):
                told = {"epoch": epoch, "step": epoch * 10, "index": index, "prompt": f"p{index}"}
                lines.append(json.dumps({**told, "reference": "r", "text": f"e{epoch}"}))
        (folder / "samples.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        manager.write(run, "run_finished", summary={}, model_path="model")
    made._charts.set()  # bqplot is not waited for
    made.publish()
    yield made
    made.close()


def newest(studio: Studio) -> str:
    return studio.runs[0].id


def test_samples_turn_their_page_and_another_order_begins_anew(studio: Studio):
    run, shown = newest(studio), studio._dashboard._samples.box
    assert "Page 1 of 2" in shown.value
    studio.command("samples_view", run=run, page=1)
    assert "Page 2 of 2" in shown.value
    studio.command("samples_view", run=run, search="p3")
    assert "1 of 1" in shown.value
    studio.command("samples_view", run=run, search="", epoch="1")
    assert "Page 1 of 2" in shown.value
    with pytest.raises(StudioError):
        studio.command("samples_view", run="gone")
    with pytest.raises(StudioError, match="page"):
        studio.command("samples_view", run=run, page=-1)


def test_runs_are_compared_while_it_is_open(studio: Studio):
    part = studio._dashboard._compare
    assert "emnb-off" in part.box._dom_classes
    studio.command("compare_view", open=True)
    assert "emnb-off" not in part.box._dom_classes
    assert part._form.value.count("checked") == 2
    studio.command("compare_view", runs=[newest(studio)])
    assert "Choose 2 to 8 runs." in part._few.value
    studio.command("compare_view", runs=[run.id for run in studio.runs], along="step")
    assert "emnb-off" in part._few._dom_classes
    with pytest.raises(StudioError, match="along"):
        studio.command("compare_view", along="colour")
    studio.command("compare_view", open=False)
    assert "emnb-off" in part.box._dom_classes


def test_every_project_has_its_own_comparison(studio: Studio):
    first = studio.project.id
    studio.command("compare_view", open=True)
    studio.command("project_new", name="Another")
    assert not studio._session.chosen(None).compare.open
    studio.command("project_switch", project_id=first)
    assert studio._session.chosen(None).compare.open


def test_a_text_that_cannot_be_tried_is_refused_in_words(studio: Studio):
    run = newest(studio)
    with pytest.raises(StudioError, match="Write a text first"):
        studio.command("try_prompt", run=run, text="  ")
    with pytest.raises(StudioError, match="no run"):
        studio.command("try_prompt", run="gone", text="hi")
    studio.command("try_stop")  # does no harm where nothing is tried
