"""`Run`: tables a person can read, from the log alone."""

import json
import warnings
from pathlib import Path

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.measured import Measured
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.log import RunLog, new_run
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import EpochPoint


@pytest.fixture
def run(home: Path) -> Run:
    folder = new_run(home)
    log = RunLog(folder)
    log.append("run_created", project_id=None, node_id="f1", request={})
    for epoch, value in ((0, 212.0), (0.5, 60.0), (1, 13.2)):
        level = Measured(value=value, low=value - 1, high=value + 1, n=100)
        analytics = {
            "perplexity": {"validation": level, "train": Measured.missing("not due yet")},
            "quality": None,
        }
        log.append("epoch", step=int(epoch * 10), epoch=epoch, analytics=analytics)
    return Run(folder)


def test_metrics_are_the_whole_epochs_and_the_curve_has_every_point(run: Run):
    metrics = run.metrics()
    assert list(metrics["epoch"]) == [0, 1]
    assert list(metrics["step"]) == [0, 10]
    assert list(metrics["perplexity.validation"]) == [212.0, 13.2]
    assert list(metrics["perplexity.validation.low"]) == [211.0, 12.2]
    assert list(metrics["perplexity.validation.n"]) == [100, 100]
    assert metrics["perplexity.train"].isna().all()
    assert list(run.curve()["epoch"]) == [0, 0.5, 1]
    assert run.metric_rows()[1]["perplexity.validation"] == 13.2


def test_samples_set_base_beside_the_last_tuned_text(run: Run):
    rows = [
        {"epoch": 0, "index": 0, "prompt": "p", "reference": "r", "text": "base"},
        {"epoch": 1, "index": 0, "prompt": "p", "reference": "r", "text": "one"},
        {"epoch": 2, "index": 0, "prompt": "p", "reference": "r", "text": "two"},
        {"epoch": 0, "index": 1, "prompt": "q", "reference": "s", "text": "only base"},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows) + '{"torn'
    (run.folder / "samples.jsonl").write_text(lines)
    samples = run.samples()
    assert list(samples.columns) == ["prompt", "reference", "base", "tuned"]
    assert samples.iloc[0].to_list() == ["p", "r", "base", "two"]
    assert samples["tuned"].isna().to_list() == [False, True]


def test_a_sample_may_hold_any_character(run: Run):
    row = {"epoch": 0, "index": 0, "prompt": "a\u2028b", "reference": "\x85", "text": "\x0c"}
    (run.folder / "samples.jsonl").write_text(
        json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    assert run.sample_rows()[0]["prompt"] == "a\u2028b"


def test_without_a_model_there_is_a_sentence(run: Run):
    assert run.model_path is None
    assert run.plan is None
    with pytest.raises(StudioError, match="has no trained model"):
        run.load()


def test_a_column_can_be_added_to_many_numbers_without_a_warning(run: Run):
    values = {f"number_{n}": Measured(value=n, low=n, high=n, n=1) for n in range(60)}
    point = EpochPoint(step=0, epoch=0, analytics=Analytics(task=values))
    view = run.view.model_copy(update={"points": [point, point]})
    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        warnings.simplefilter("error")
        patched.setattr(Run, "view", view)
        for table in (run.metrics(), run.curve()):
            table["mine"] = 1
