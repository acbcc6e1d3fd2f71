"""Answers a text of the user's between two steps, with the model as it is at that moment."""

import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.tried import Answer
from easymodel_nb.train import try_box
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.distributed.together import up_to_date
from easymodel_nb.train.tasks.task import Prepared, Task
from easymodel_nb.train.trying import Side

_MOST_SECONDS = 20.0  # the run waits meanwhile


class Answering(TrainerCallback):
    """Looks into the run's box after each step.

    Decoding is greedy and the model is put back into the mode it was in: the run goes on as if
    nothing had been asked.
    """

    def __init__(
        self, task: Task, model: Any, prepared: Prepared, folder: Path, control: Control
    ) -> None:
        self._side = Side(task, model, frozenset(getattr(prepared, "ends", ())))
        self._folder, self._control = folder, control

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Answer, where there is a question."""
        question = try_box.take(self._folder)
        if question is None:
            return
        up_to_date()
        began = time.monotonic()

        def stopping() -> bool:
            late = time.monotonic() - began > _MOST_SECONDS
            return late or self._control.stopping or try_box.is_withdrawn(self._folder)

        def tell(answer: Answer) -> None:
            try_box.reply(self._folder, question, answer)

        try:
            tell(self._side.answer(question.text, question.pair, tell, stopping))
        except Stopped:
            raise
        except StudioError as error:
            tell(Answer(done=True, reason=str(error)))
        except Exception as error:  # noqa: BLE001  a question never costs the run
            why = f"The run's model could not answer ({type(error).__name__}: {error})."
            tell(Answer(done=True, reason=why))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Leave nothing behind."""
        try_box.clear(self._folder)
