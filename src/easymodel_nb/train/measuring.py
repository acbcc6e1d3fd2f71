"""Measures the model at a point of the run: the same texts, mode and object every time."""

import json
from collections.abc import Callable
from typing import Any

from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.events import finite
from easymodel_nb.train.control import Control
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tasks.task import Prepared, Task, Watch


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

    def texts(self, *, whole: bool) -> int:
        """How many texts one measurement scores or, at whole epochs, writes."""
        return self._prepared.texts + (self._prepared.written if whole else 0)

    def baseline(self) -> Analytics:
        """The numbers before the first step."""
        return self._whole(self._task.baseline)

    def measure(self, *, whole: bool) -> Analytics:
        """The numbers of this moment; tables and what needs answers at whole epochs alone."""
        if whole:
            return self._whole(self._task.measure)
        found = self._task.measure(self._model, self._prepared, self._watch)
        if "details" not in (found.model_extra or {}):
            return found
        return Analytics.model_validate(found.model_dump(exclude={"details"}))

    def _whole(self, measure: Callable[[Any, Prepared, Watch], Analytics]) -> Analytics:
        found = measure(self._model, self._prepared, self._watch)
        before = self._prepared.texts
        more = self._task.measure_answers(
            self._model, self._prepared, lambda done: self._watch(before + done)
        )
        return found.model_copy(update={"task": found.task | more})

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
