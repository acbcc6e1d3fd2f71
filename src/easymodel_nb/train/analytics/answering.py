"""The answers of a point, in the same batches each time: equal weights give equal answers."""

from collections.abc import Callable
from typing import Any

from easymodel_nb.train.analytics.allowance import LEAST
from easymodel_nb.train.analytics.purse import Purse
from easymodel_nb.train.analytics.store import Row
from easymodel_nb.train.tasks.task import Prepared, Task, Watch


class Answering:
    """Asks one run's model the first prompts."""

    def __init__(self, task: Task, model: Any, prepared: Prepared, purse: Purse) -> None:
        self._task, self._model, self._prepared, self._purse = task, model, prepared, purse

    def rows(self, count: int, watch: Watch, *, base: bool = False, start: int = 0) -> list[Row]:
        """The answers to the prompts from `start` on to before `count`.

        Raises
        ------
        Stopped, OverspentError
            Between two batches.

        """
        ask = self._task.base_answers if base else self._task.answers
        return self._each(
            count, start, watch, lambda which, hear: ask(self._model, self._prepared, hear, which)
        )

    def sampled(self, count: int, watch: Watch, sampling: dict[str, Any]) -> list[Row]:
        """The same, drawn as the arguments of `generate` say."""
        return self._each(
            count,
            0,
            watch,
            lambda which, hear: self._task.sampled(
                self._model, self._prepared, hear, which, sampling
            ),
        )

    def _each(
        self, count: int, start: int, watch: Watch, ask: Callable[[slice, Watch], list[Row]]
    ) -> list[Row]:
        found: list[Row] = []
        for first, last in ((0, LEAST), (LEAST, count)):
            which = slice(max(first, start), min(last, count))
            if which.start >= which.stop:
                continue
            before = len(found)

            def hear(done: int, before: int = before) -> None:
                self._purse.check()
                watch(before + done)

            found += ask(which, hear)
        return found
