"""The prompt box: one text at a time, answered by base and tuned model of a run, on a worker.

The models are kept for a few minutes, for the next text, and let go at once when a run begins.
Nothing that is tried is saved.
"""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.runlog.headline import kind_of
from easymodel_nb.runlog.log import run_folder
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.tried import Answer, Side, Tried
from easymodel_nb.runlog.view import RunView
from easymodel_nb.secrets import redact
from easymodel_nb.train.heavy import import_trainer
from easymodel_nb.widgets.worker import Worker

KEEP = 300.0  # seconds
_LOOK = 0.1  # seconds between two looks at what a training run answers
_GIB = 2**30
_BEGAN = "A run began, which needs the memory. Try again when it has ended."


class _Loaded(NamedTuple):
    run: str
    path: str  # the model that was loaded: another attempt of the run has saved another
    tuned: Any
    base: Any  # None: `reason`
    reason: str | None


class Tries:
    """What is tried in a studio; every method may be called from any thread."""

    def __init__(self, home: Path, changed: Callable[[], None], *, keep: float = KEEP) -> None:
        self._home, self._changed, self._keep = home, changed, keep
        self._worker = Worker("easymodel-tries")
        self._lock = threading.Lock()
        self._tried: dict[str, Tried] = {}
        self._stop = threading.Event()
        self._why_stopped = "Stopped"
        self._loaded: _Loaded | None = None
        self._timer: threading.Timer | None = None
        self._training: frozenset[str] = frozenset()

    # ------------------------------------------------------------ what the commands do

    def ask(self, run: str, text: str, pair: str = "") -> None:
        """Let base and tuned of a run answer; returns at once.

        Raises
        ------
        StudioError
            When there is no text, no such run, or no model that could answer.

        """
        if not text.strip():
            raise problem_error("try.empty", "Write a text first.")
        folder = run_folder(self._home, run)
        if folder is None:
            raise problem_error("run.unknown", f"There is no run {run!r} in this home.")
        found = Run(folder)
        view = found.view
        if view.status != "running" and found.model_path is None:
            raise problem_error(
                "run.no_model", f"This run has no model to try: it is {view.status}."
            )
        with self._lock:
            self._stop.set()  # one at a time: the text before gives way
            self._stop = stop = threading.Event()
            self._why_stopped = "Stopped"
            for name, before in self._tried.items():
                if before.active:
                    self._tried[name] = before.model_copy(update={"state": "stopped"})
            limit = ((view.plan or {}).get("finetune") or {}).get("max_new_tokens")
            self._tried[run] = Tried(
                run=run, text=text, pair=pair, task=kind_of(view), limit=limit, message="Waiting"
            )
        self._worker.submit(lambda: self._work(found, text, pair, stop))
        self._worker.start()
        self._changed()

    def stop(self) -> None:
        """End the answers that are being written; what there is of them stays."""
        self._stop.set()

    def state(self, run: str) -> Tried | None:
        """What was tried last with a run; None where nothing was."""
        with self._lock:
            return self._tried.get(run)

    @property
    def active(self) -> bool:
        """Whether an answer is still to come."""
        with self._lock:
            return any(tried.active for tried in self._tried.values())

    def look(self, views: Iterable[RunView]) -> None:
        """Give way to runs that have begun since the last look."""
        now = frozenset(view.id for view in views if view.active)
        with self._lock:
            begun, self._training = now - self._training, now
            holds = self._loaded is not None or any(t.active for t in self._tried.values())
        if begun and holds:
            self._why_stopped = _BEGAN
            self._stop.set()
            self._worker.submit(self._release)

    def close(self) -> None:
        """Let go of everything."""
        self._stop.set()
        self._worker.close()
        if self._timer is not None:
            self._timer.cancel()
        self._loaded = None

    # ------------------------------------------------------------ on the worker

    def _work(self, run: Run, text: str, pair: str, stop: threading.Event) -> None:
        try:
            self._answers(run, text, pair, stop)
        except StudioError as error:
            self._set(run.id, stop, state="failed", message=str(error))
        except Exception as error:  # noqa: BLE001  whoever asked must hear back
            self._set(run.id, stop, state="failed", message=self._said(error))
        finally:
            self._later()

    def _said(self, error: Exception) -> str:
        from easymodel_nb.metrics.memory import out_of_memory  # noqa: PLC0415

        if out_of_memory(error):
            self._worker.submit(self._release)  # once the error holds nothing any more
            return "There is too little memory for these models. Close what else uses it."
        return redact(f"The models could not answer ({type(error).__name__}: {error}).")

    def _answers(self, run: Run, text: str, pair: str, stop: threading.Event) -> None:
        if stop.is_set():
            self._set(run.id, stop, state="stopped", message=self._why_stopped)
            return
        self._set(run.id, stop, state="loading", message="Loading PyTorch")
        import_trainer()
        from easymodel_nb.train.quiet import LogBuffer, quiet  # noqa: PLC0415

        then = ""
        with quiet(LogBuffer(redact)):
            if run.status == "running":
                # First, while it still trains; the base is loaded beside it afterwards.
                self._ask_run(run, text, pair, stop)
                then = f"Answered by the run while it trained, at about step {run.view.step:,}."
                loaded = self._open(run, stop, training=True)
            else:
                loaded = self._open(run, stop, training=False)
                self._set(run.id, stop, state="answering", message="The tuned model answers")
                self._one(run, "tuned", loaded.tuned, (text, pair), stop)
            if loaded.base is None:
                self._answer(run.id, stop, "base", Answer(done=True, reason=loaded.reason))
            else:
                self._set(run.id, stop, state="answering", message="The base model answers")
                self._one(run, "base", loaded.base, (text, pair), stop)
        if stop.is_set():
            self._set(run.id, stop, state="stopped", message=self._why_stopped)
        else:
            # It stays in sight when the run has gone on, and is not the answer of its result.
            told = self.state(run.id)
            answered = told is not None and told.tuned.reason is None
            self._set(run.id, stop, state="done", message=then if answered else "")
        training = loaded.tuned is None
        del loaded  # or its memory would not be given back
        if training:
            self._release()

    def _one(
        self, run: Run, side: Side, model: Any, texts: tuple[str, str], stop: threading.Event
    ) -> None:
        if stop.is_set():
            answer = Answer(done=True, reason="It was stopped before this model answered.")
        else:
            try:
                answer = model.answer(
                    *texts, lambda part: self._answer(run.id, stop, side, part), stop.is_set
                )
            except StudioError as error:
                answer = Answer(done=True, reason=str(error))
        self._answer(run.id, stop, side, answer)

    def _ask_run(self, run: Run, text: str, pair: str, stop: threading.Event) -> None:
        """Let the run's own model answer, between two of its steps."""
        from easymodel_nb.train import try_box  # noqa: PLC0415

        self._set(run.id, stop, message="Waiting for the run's next step")
        question = try_box.ask(run.folder, text, pair)
        answer = None
        while not (answer is not None and answer.done):
            if run.status != "running":
                why = "The run ended before its model answered. Try again: it is saved now."
                answer = Answer(done=True, reason=why)
            elif stop.wait(_LOOK):
                try_box.withdraw(run.folder)
                break
            else:
                answer = try_box.answer_to(run.folder, question)
            if answer is not None:
                self._answer(run.id, stop, "tuned", answer)

    # ------------------------------------------------------------ models

    def _open(self, run: Run, stop: threading.Event, *, training: bool) -> _Loaded:
        from easymodel_nb.train import trying  # noqa: PLC0415

        path = str(run.model_path)
        kept = self._loaded
        if not training and kept is not None and (kept.run, kept.path) == (run.id, path):
            return kept
        self._release()
        device = self._place(run, training=training)
        tuned = base = None
        reason = device if device.endswith(".") else None
        if not training:
            if reason is not None:
                raise problem_error("try.memory", reason)
            self._set(run.id, stop, message="Loading the tuned model")
            tuned = trying.load_tuned(run, device)
        if reason is None:
            self._set(run.id, stop, message="Loading the base model")
            try:
                base = trying.load_base(run, device, tuned)
            except StudioError as error:
                reason = str(error)
        self._loaded = _Loaded(run.id, path, tuned, base, reason)
        return self._loaded

    def _place(self, run: Run, *, training: bool) -> str:
        """The device that has room for the models, or a sentence: none has."""
        from easymodel_nb.train import trying  # noqa: PLC0415
        from easymodel_nb.train.assembly import torch_device  # noqa: PLC0415

        needed = trying.bytes_needed(run) // (2 if training else 1)
        devices = dict.fromkeys((torch_device(), "cpu"))
        free = {device: trying.bytes_free(device) for device in devices}
        for device, room in free.items():
            if needed < room:
                return device
        most = max(free.values())
        what = "The base model beside the run" if training else "Base and tuned model"
        return (
            f"{what} would take about {needed / _GIB:.1f} GB of memory, and {most / _GIB:.1f} GB "
            "are free. Close what else uses it, or try again when no run trains."
        )

    def _release(self) -> None:
        """Let go of the models and give their memory back."""
        if self._loaded is None:
            return
        self._loaded = None
        from easymodel_nb.metrics.memory import free  # noqa: PLC0415

        free()

    def _later(self) -> None:
        """Let go when nothing was tried for some minutes."""
        if self._timer is not None:
            self._timer.cancel()
        if self._loaded is not None:
            self._timer = threading.Timer(self._keep, self._worker.submit, (self._release,))
            self._timer.daemon = True
            self._timer.start()

    # ------------------------------------------------------------ state

    def _answer(self, run: str, stop: threading.Event, side: Side, answer: Answer) -> None:
        self._set(run, stop, **{side: answer})

    def _set(self, run: str, stop: threading.Event, **changes: Any) -> None:
        """Change what is known of the text of that `stop`; one that gave way says nothing more."""
        with self._lock:
            if stop is not self._stop:
                return
            self._tried[run] = self._tried[run].model_copy(update=changes)
        self._changed()
