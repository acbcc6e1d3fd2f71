"""What a studio is a view on: one home's projects and runs, and which of them are open.

It knows no widget. Its snapshots are what the publisher compares and sends.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from easymodel_nb import __version__, builtin, environment
from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.secrets import TokenHolder, TokenOrigin
from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import Project, ProjectInfo, ProjectStore
from easymodel_nb.train import turns
from easymodel_nb.widgets import cards, templates
from easymodel_nb.widgets.audits import Audits
from easymodel_nb.widgets.best import Best
from easymodel_nb.widgets.chosen import Choices, Chosen
from easymodel_nb.widgets.elsewhere import Elsewhere
from easymodel_nb.widgets.exports import Exports
from easymodel_nb.widgets.facts import Describe, Facts
from easymodel_nb.widgets.holding import Holding
from easymodel_nb.widgets.hub import Hub
from easymodel_nb.widgets.jobs import Jobs
from easymodel_nb.widgets.mirroring import Mirroring
from easymodel_nb.widgets.mismatch import unfit_tasks
from easymodel_nb.widgets.replay import Gate
from easymodel_nb.widgets.rpc import RpcError
from easymodel_nb.widgets.state import (
    Beat,
    Catalog,
    DocumentState,
    Keeping,
    ProblemsState,
    Snapshot,
    SourceFacts,
    SourceOption,
    Variable,
)
from easymodel_nb.widgets.suggest import Suggestions, on_the_hub, on_this_machine
from easymodel_nb.widgets.tries import Tries
from easymodel_nb.widgets.uploads import Uploads
from easymodel_nb.widgets.warming import Warming
from easymodel_nb.widgets.worker import Worker
from easymodel_nb.workflow.check import AVAILABLE_METHODS, AVAILABLE_TASKS, check
from easymodel_nb.workflow.document import Workflow

if TYPE_CHECKING:
    from easymodel_nb.store.trash import Deleted

# One for the process: a token typed in a studio that moved is not asked for again.
_TOKENS = TokenHolder()


class Manager(Protocol):
    """What a studio needs of the queue of runs; `easymodel_nb.train.manager` has it."""

    def submit(
        self,
        workflow: Workflow,
        node: str | None,
        *,
        project_id: str | None = None,
        token: Callable[[], str | None] | None = None,
    ) -> list[Run]:
        """Queue runs and return at once."""

    def resume(self, run_id: str, *, token: Callable[[], str | None] | None = None) -> Run:
        """Queue a run's next attempt and return at once."""

    def stop(self, run_id: str | None = None) -> None:
        """Ask one run or all to stop."""

    def move(self, run_id: str, place: int) -> None:
        """Put a waiting run at another place."""

    def views(self) -> list[RunView]:
        """Every run in the home, newest first."""

    def view(self, run_id: str) -> RunView:
        """One run's view."""

    def run(self, run_id: str) -> Run:
        """One run."""

    def queue(self) -> list[str]:
        """The waiting runs."""

    def wait(self, run_id: str | None = None, timeout: float | None = None) -> Run:
        """Wait for the end of a run."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Be told of changes."""

    def follow(self, stepped: Callable[[], None]) -> Callable[[], None]:
        """Be told of each progress line, in the thread that trains."""

    def log_lines(self, run_id: str) -> list[str]:
        """What the run's libraries logged."""


def notebook_variables() -> list[Variable]:
    """The notebook's variables that can be trained on, as the trainer sees them."""
    from easymodel_nb.train.data import variables  # noqa: PLC0415  takes a second, on the worker

    return [Variable.model_validate(found, from_attributes=True) for found in variables.listing()]


class Session:
    """The open project of a home; every method may be called from any thread."""

    def __init__(
        self,
        home: Path,
        manager: Manager,
        *,
        height: int = 640,
        tokens: TokenHolder = _TOKENS,
        describe: Describe | None = None,
        variables: Callable[[], list[Variable]] = notebook_variables,
        audits: Audits | Gate | None = None,
        notice: str = "",
    ) -> None:
        self.lock = threading.RLock()
        self.home, self.manager, self.tokens, self.height = home, manager, tokens, height
        self.store = ProjectStore(home)
        self._elsewhere, self._under_way = Elsewhere(home), True  # until the first look
        self.holding = Holding(self.store, self._tell, news=self._runs_elsewhere)
        self.uploads = Uploads(home)
        self.mirroring: Mirroring | None = None
        self.worker = Worker("easymodel-facts")
        self.hub = Hub(home, tokens.token)
        self.facts = Facts(
            self.worker, self._tell, describe, home, remote=None if describe else self.hub.describe
        )
        self.suggestions = Suggestions(on_this_machine, on_the_hub(tokens.token))
        self.audits = audits or Audits(
            home,
            self._tell,
            token=self.tokens.token,
            busy=self._busy,
            training=lambda: any(view.active for view in manager.views()),
        )
        self.warming = Warming(home, token=self.tokens.token, busy=self._working)
        self.exports = Exports(home=self.home)
        self.jobs = Jobs(home, self.tokens.token, self._tell)
        self.tries = Tries(home, self._tell)
        self.changed: Callable[[], None] = lambda: None
        self._unsubscribe = self.store.shelf.subscribe(self._tell)
        self.choices = Choices()
        self.best = Best(home, self.worker.submit, self._tell)
        self.chosen_run: str | None = None
        self.latest: list[RunView] = []  # the open project's runs at the last look
        # The open one, all, and the trash, as of the last whole look.
        self._seen: tuple[str, list[ProjectInfo], list[Deleted]] | None = None
        self._ended: cards.Ended = {}
        self._active = ensure_project(self.store).id
        self._checked: tuple[tuple[str, int, str], list[Problem]] | None = None
        self._device, self._gpus, self._notice = "", 1, notice
        self._list_variables, self._variables = variables, list[Variable]()
        # Colab asks the user about its secrets, which works on the cell's own thread alone.
        colab = environment.host() == "colab"
        self._origin: TokenOrigin = self.tokens.origin() if colab else "none"
        self.probe()

    # ------------------------------------------------------------ the open project

    def project(self) -> Project:
        """The open project; another one when it was deleted elsewhere."""
        with self.lock:
            try:
                return self.store.load(self._active)
            except StudioError:
                project = ensure_project(self.store)
                self._active = project.id
                return project

    def at(self, rev: int | None) -> Project:
        """The open project, where it has the revision that the view means.

        Raises
        ------
        RpcError
            `stale`, where it has another.

        """
        project = self.project()
        if rev is not None and rev != project.revision:
            raise RpcError(
                "stale",
                f"The kernel has revision {project.revision} of this project, not {rev}; "
                "the changes have to be saved first.",
                {"rev": project.revision},
            )
        return project

    def open(self, project_id: str) -> Project:
        """Open a project and remember it."""
        with self.lock:
            project = self.store.load(project_id)
        self.store.settings.remember(active=project.id)  # a slow disk is not waited for below
        with self.lock:
            self._active, self.chosen_run = project.id, None
        return project

    def find(self, name: str) -> str:
        """The id of a project by id or name."""
        projects = self.store.list_projects()
        for project in projects:
            if name in {project.id, project.name}:
                return project.id
        names = ", ".join(repr(project.name) for project in projects)
        raise problem_error(
            "project.missing", f"There is no project {name!r} in {self.home}; there are {names}."
        )

    def views(self) -> list[RunView]:
        """The runs of the open project, newest first."""
        return cards.of_project(self.manager.views(), self.project().id)

    def shown(self, views: list[RunView]) -> str | None:
        """The run of the dashboard among the open project's runs."""
        return cards.shown_run(views, self.chosen_run)

    def chosen(self, run: str | None) -> Chosen:
        """What the user chose to see of that run, and beside it."""
        return Chosen(
            samples=self.choices.samples(run or ""),
            compare=self.choices.compare(self._active),
            tried=self.tries.state(run or ""),
            judging=self.jobs.judging(run or ""),
        )

    # ------------------------------------------------------------ snapshots

    def snapshots(self) -> dict[str, Snapshot]:
        """Everything the view may know, as it is now."""
        project = self.project()
        facts = self.facts.of(project.workflow)
        problems = [*self._problems(project), *unfit_tasks(project.workflow, facts)]
        self._seen = (project.id, self.store.list_projects(), self.store.trash.items())
        audits = self.audits.of(project.workflow)
        moving = self.moving()
        if getattr(self.manager, "warms", False):
            self.warming.follow(project.id, project.workflow, audits, trained=bool(self.latest))
        return {
            "document": DocumentState(
                project_id=project.id,
                rev=project.revision,
                document=project.workflow,
                held=self.holding.look(project.id),
            ),
            "problems": ProblemsState(rev=project.revision, items=problems, audits=audits),
            "catalog": self._catalog(facts),
            **moving,
        }

    def moving(self) -> dict[str, Snapshot]:
        """What runs change by themselves; the projects are those of the last whole look."""
        project_id, projects, trash = self._seen or (
            self.project().id,
            self.store.list_projects(),
            self.store.trash.items(),
        )
        views = self.manager.views()
        self.tries.look(views)
        mine = self.latest = cards.of_project(views, project_id)
        queue, shown = self.manager.queue(), self.shown(mine)
        self._under_way = any(view.active for view in views)
        return {
            "projects": cards.projects_state(projects, project_id, views, trash, self._keeping()),
            "runs": cards.runs_state(
                views,
                project_id,
                queue,
                shown,
                self._ended,
                self.jobs.items(),
                names={project.id: project.name for project in projects},
                best=self.best.of(mine),
            ),
            "beat": Beat(active=self.jobs.active or self.tries.active or self._under_way),
        }

    def mirrored(self, mirroring: Mirroring | None) -> "Session":
        """This session, with the mirror of its home."""
        self.mirroring = mirroring
        if mirroring is not None:
            mirroring.tell = self._tell
        return self

    def _keeping(self) -> Keeping:
        mirror = self.mirroring.state() if self.mirroring else None
        return Keeping(problem=self.store.shelf.problem, mirror=mirror)

    def _problems(self, project: Project) -> list[Problem]:
        key = (project.id, project.revision, project.name)
        if self._checked is None or self._checked[0] != key:
            self._checked = (key, check(project.workflow))
        return self._checked[1]

    def _catalog(self, facts: dict[str, SourceFacts]) -> Catalog:
        settings = self.store.settings.read()
        damaged = self.store.damaged()
        return Catalog(
            version=__version__,
            host=environment.host(),
            device=self._device,
            gpus=self._gpus,
            home=str(self.home),
            theme=settings.theme,
            height=self.height,
            token_origin=self._origin,
            models=[
                SourceOption(
                    source=f"builtin:{m.name}", title=m.name, detail=m.title, tasks=list(m.tasks)
                )
                for m in builtin.models()
            ],
            datasets=[
                SourceOption(
                    source=f"builtin:{d.name}", title=d.name, detail=d.title, tasks=list(d.tasks)
                )
                for d in builtin.datasets()
            ],
            variables=self._variables,
            templates=templates.options(),
            tasks=list(AVAILABLE_TASKS),
            methods=list(AVAILABLE_METHODS),
            facts=facts,
            first_project=settings.first_project,
            notice=" ".join([self._notice, *(p.message for p in damaged)]).strip() or None,
        )

    # ------------------------------------------------------------ the notebook's variables

    def look_at_variables(self) -> None:
        """Look, on the worker, which variables of the notebook hold data.

        A cell may have changed what a name stands for, and a file what is in it, so what was
        known of the open project's sources is asked again.
        """
        self.worker.submit(self._look_at_variables)

    def _look_at_variables(self) -> None:
        found = self._list_variables()
        self.audits.refresh()
        old = self.facts.refresh(lambda source: not source.strip().startswith("builtin:"))
        if old or found != self._variables:
            self._variables = found
            self._tell()

    def close(self) -> None:
        """End the workers, and let go of the project."""
        self._unsubscribe()
        self.holding.close()
        if self.mirroring is not None:
            self.mirroring.close()
        self.worker.close()
        self.audits.close()
        self.warming.close()
        self.jobs.close()
        self.tries.close()
        self.exports.close()
        self.facts.close()
        self.suggestions.close()

    def look_again(self) -> None:
        """Ask the Hub anew about what it refused, or did not answer."""
        self.hub.forget()
        self.suggestions.forget()
        self.audits.refresh()
        self.facts.look_again()

    # ------------------------------------------------------------ the machine

    def probe(self) -> None:
        """Look again, on the worker, at what may take long: the device, where a token lies."""
        self.worker.submit(self._probe)

    def _probe(self) -> None:
        device = _in_words(environment.device())  # may wait for another thread's import of torch
        gpus = environment.gpus()
        if (device, gpus) != (self._device, self._gpus):
            self._device, self._gpus = device, gpus
            self._tell()
        origin = self._origin if environment.host() == "colab" else self.tokens.origin()
        if origin != self._origin:
            self._origin = origin
            self._tell()

    def _tell(self) -> None:
        self.changed()

    def _runs_elsewhere(self) -> bool:
        """Whether another process did something with a run, while nobody here looks for it."""
        return not self._under_way and self._elsewhere.changed()

    def _busy(self) -> bool:
        """Whether a run of the open project was under way at the last look."""
        return any(view.active for view in self.latest)

    def _working(self) -> bool:
        """Whether a model of this home is trained, tried, judged or exported just now."""
        return (
            turns.under_way()
            or self.jobs.active
            or self.tries.active
            or any(view.active for view in self.manager.views())
        )

    def type_token(self, token: str | None) -> None:
        """Hold a typed token, or forget it."""
        self.tokens.type_in(token)
        self._origin = "typed" if token and token.strip() else "none"
        self.probe()
        self.look_again()  # it may open what was closed before


def _in_words(device: environment.Device) -> str:
    return f"{device.name}, {device.memory_bytes / 2**30:.1f} GB"
