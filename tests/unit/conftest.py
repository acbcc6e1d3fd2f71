"""What the unit tests share: a home, runs written by hand, and a queue that trains nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.log import RunLog, new_run, read_view, runs_folder, write_live
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.widgets import answers
from easymodel_nb.widgets.session import Session
from easymodel_nb.workflow.check import check, training_order
from easymodel_nb.workflow.document import FileFormat, Workflow


@pytest.fixture(autouse=True)
def _patient_with_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine too, an answer comes before the next line of a test."""
    monkeypatch.setattr(answers, "GRACE_SECONDS", 60.0)


class HandManager:
    """The queue's interface over real run folders; the test writes what a trainer would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.waiting: list[str] = []
        self.stopped: list[str | None] = []
        self.listeners: list[Callable[[], None]] = []
        self.token: Callable[[], str | None] | None = None

    def submit(
        self,
        workflow: Workflow,
        node: str | None,
        *,
        project_id: str | None = None,
        token: Callable[[], str | None] | None = None,
    ) -> list[Run]:
        if errors := [p for p in check(workflow, node) if p.severity == "error"]:
            raise StudioError(errors)
        self.token = token
        order = [node] if node else training_order(workflow)
        return [self._queue(workflow, name, project_id) for name in order]

    def _queue(self, workflow: Workflow, name: str, project_id: str | None) -> Run:
        folder = new_run(self.home)
        node = workflow.node(name)
        assert node is not None
        request = {"node": node.model_dump(mode="json")}
        log = RunLog(folder)
        log.append("run_created", project_id=project_id, node_id=name, request=request)
        log.append("stage", stage="queued", message="Waiting in the queue")
        write_live(folder)
        self.waiting.append(folder.name)
        self.tell()
        return Run(folder)

    def write(self, run_id: str, type: str, **fields: Any) -> None:  # noqa: A002
        if type == "run_started":
            self.waiting = [name for name in self.waiting if name != run_id]
        folder = runs_folder(self.home) / run_id
        RunLog(folder).append(type, **fields)
        if type == "stage":
            stage = {"stage": fields["stage"], "message": fields["message"]}
            write_live(folder, stage=stage)

    def tell(self) -> None:
        for listener in list(self.listeners):
            listener()

    def stop(self, run_id: str | None = None) -> None:
        self.stopped.append(run_id)

    def views(self) -> list[RunView]:
        root = runs_folder(self.home)
        names = sorted((p.name for p in root.iterdir()), reverse=True) if root.exists() else []
        return [read_view(root / name) for name in names]

    def view(self, run_id: str) -> RunView:
        return read_view(self._folder(run_id))

    def run(self, run_id: str) -> Run:
        return Run(self._folder(run_id))

    def _folder(self, run_id: str) -> Path:
        folder = runs_folder(self.home) / run_id
        if not folder.exists():
            raise problem_error("run.unknown", f"There is no run {run_id!r}.")
        return folder

    def queue(self) -> list[str]:
        return list(self.waiting)

    def wait(self, run_id: str | None = None, timeout: float | None = None) -> Run:
        run = self.run(run_id or self.views()[0].id)
        if run.view.active:
            raise TimeoutError(f"{run.id} after {timeout} s")
        return run

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def follow(self, _stepped: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def log_lines(self, run_id: str) -> list[str]:
        return [f"log of {run_id}"]


@pytest.fixture
def manager(home: Path) -> HandManager:
    return HandManager(home)


@pytest.fixture
def session(home: Path, manager: HandManager) -> Session:
    return Session(home, manager, describe=lambda _data, _finetune: None)


class Reads:
    """Writes files of a test and reads them back; `reading` is what the last one told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: Any) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def splits(self, name: str, content: Any = None, **form: Any) -> dict[str, Any]:
        from easymodel_nb.train.data.files import read_file
        from easymodel_nb.train.data.folders import read_folder
        from easymodel_nb.train.data.reading import Reading

        path = self.write(name, content) if content is not None else self.folder / name
        self.reading = Reading(FileFormat(**form), self.folder.parent / "data-cache")
        read = read_folder if path.is_dir() else read_file
        return read(path, self.reading)

    def table(self, name: str, content: Any = None, **form: Any) -> Any:
        (table,) = self.splits(name, content, **form).values()
        return table

    def rows(self, name: str, content: Any = None, **form: Any) -> list[dict[str, Any]]:
        return self.table(name, content, **form).to_pylist()

    def refused(self, name: str, content: Any = None, **form: Any) -> Problem:
        with pytest.raises(StudioError) as caught:
            self.splits(name, content, **form)
        (problem,) = caught.value.problems
        assert problem.message.endswith(".")
        assert problem.severity == "error"
        return problem

    def guess(self, field: str) -> Any:
        """The value of a guess of the last reading; None when there was none."""
        return next((g.value for g in self.reading.guesses if g.field == field), None)

    @property
    def notes(self) -> list[str]:
        return [note.code for note in self.reading.notes]


@pytest.fixture
def reads(tmp_path: Path) -> Reads:
    return Reads(tmp_path / "data")
