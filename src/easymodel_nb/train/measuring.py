"""Measures the model at a point of the run: the same texts, mode and object every time."""

import json
from typing import Any

from easymodel_nb.runlog.events import Analytics, finite
from easymodel_nb.train.control import Control
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tasks.task import Prepared, Task


class Measurer:
    """Measures one run's model; what it measures with is fixed before the first step."""

    def __init__(
        self, task: Task, model: Any, prepared: Prepared, control: Control, reporter: Reporter
    ) -> None:
        self._task = task
        self._model = model
        self._prepared = prepared
        self._control = control
        self._reporter = reporter

    @property
    def texts(self) -> int:
        """How many texts one measurement scores."""
        return self._prepared.texts

    def baseline(self) -> Analytics:
        """The numbers before the first step."""
        return self._task.baseline(self._model, self._prepared, self._watch)

    def measure(self, *, whole: bool = True) -> Analytics:
        """The numbers of this moment; tables such as a confusion matrix at whole epochs only."""
        analytics = self._task.measure(self._model, self._prepared, self._watch)
        if whole or "details" not in (analytics.model_extra or {}):
            return analytics
        return Analytics.model_validate(analytics.model_dump(exclude={"details"}))

    def _watch(self, done: int) -> None:
        self._control.check()
        self._reporter.advance(done)

    def sample(self, *, step: int, epoch: float) -> None:
        """Answer the fixed prompts and keep the answers."""
        if not self._prepared.prompts:
            return
        ask = self._task.base_answers if step == 0 else self._task.answers
        rows = ask(self._model, self._prepared, self._watch)
        with (self._reporter.folder / "samples.jsonl").open("a", encoding="utf-8") as file:
            for row in rows:
                line = finite({"epoch": epoch, "step": step, **row})
                file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        self._reporter.event("samples", step=step, epoch=epoch, rows=len(rows))
