"""`studio()`: the box in the cell, its Python side, and what ties the parts together."""

import contextlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_args

from easymodel_nb import environment
from easymodel_nb.errors import problem_error
from easymodel_nb.report.numbers import moment
from easymodel_nb.widgets import rpc
from easymodel_nb.widgets.cell import StudioBox, close_all
from easymodel_nb.widgets.commands import Commands, as_studio_error
from easymodel_nb.widgets.dashboard.dashboard import Dashboard
from easymodel_nb.widgets.mirroring import mirroring_of
from easymodel_nb.widgets.pages import Pages, Shows
from easymodel_nb.widgets.publisher import Publisher
from easymodel_nb.widgets.recording import recording
from easymodel_nb.widgets.replay import Gate, Player, described
from easymodel_nb.widgets.results import Results
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import Beat, Theme, dump
from easymodel_nb.widgets.workbench import Workbench

if TYPE_CHECKING:
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.runlog.view import RunView
    from easymodel_nb.store.projects import Project

_HEIGHTS = (420, 1200)
_WAIT_SLICE = 0.5

_current: "Studio | None" = None


class Studio(Results):
    """The studio as Python code sees it; `box` is the widget."""

    def __init__(
        self,
        session: Session,
        *,
        pushes: bool | None = None,
        script_and_styles: tuple[str, str] | None = None,
    ) -> None:
        self._session = session
        # Where pushes from a thread may not arrive, only a pull may make or change figures:
        # a trait is sent again when the view misses it, a figure is not.
        self._pushes = environment.host() != "colab" if pushes is None else pushes
        self._commands = Commands(session, self)
        self._dashboard = Dashboard()
        self._pages = Pages()
        self._trained = False  # whether a run was under way since this studio opened
        self._publisher = Publisher(
            build=session.snapshots,
            write=self._write,
            resend=self._resend,
            moving=session.moving,
            after=self._show_run,
            watched=lambda: self._pages.watched,
        )
        states = {name: dump(state) for name, state in self._publisher.collect(beat=True).items()}
        self._workbench = Workbench(
            session.lock, self._answer, states, script_and_styles, aside=self._pushes
        )
        self.box = StudioBox(self._workbench, self._dashboard.box)
        self._charts = threading.Event()
        self._charts_asked = False
        self._unsubscribe = session.manager.subscribe(self._run_changed)
        self._unfollow = session.manager.follow(self._publisher.step)
        session.changed = self._publisher.poke

    def __repr__(self) -> str:
        return f"<Studio on {self._session.home}: {self.project.name!r}>"

    # ------------------------------------------------------------ for users

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Do what the view would do with this command, and return its answer.

        An absent `rev` means the revision the project has now.

        Raises
        ------
        StudioError
            When the command is refused, with every problem found.

        """
        if method == "commit":
            project = self.project
            known = {"project_id": project.id, "client": "python", "base_rev": project.revision}
            params = {**known, **params}
        try:
            return rpc.call(self._commands.handlers, method, params)
        except rpc.RpcError as error:
            raise as_studio_error(error) from None

    def wait(self, run: "str | Run | None" = None, timeout: float | None = None) -> "Run":
        """Wait for the end of a run: the one named, else the one queued last."""
        run_id = run if run is None or isinstance(run, str) else run.id
        try:
            if self._pushes:
                return self._session.manager.wait(run_id, timeout)
            return self._wait_publishing(run_id, timeout)
        finally:
            self.publish()

    def _wait_publishing(self, run_id: str | None, timeout: float | None) -> "Run":
        """Wait on the cell's own thread and publish from it: no pull is heard meanwhile."""
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            slice_ = min(_WAIT_SLICE, deadline - time.monotonic())
            try:
                return self._session.manager.wait(run_id, max(0.0, slice_))
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise
                self.publish()

    @property
    def runs(self) -> "list[Run]":
        """The runs of the open project, newest first."""
        return [self._session.manager.run(view.id) for view in self._session.views()]

    @property
    def project(self) -> "Project":
        """The open project."""
        return self._session.project()

    def close(self) -> None:
        """Take the studio off the page; runs go on."""
        global _current  # noqa: PLW0603  one studio a kernel
        self._end()
        for widget in (self._workbench, self.box):
            widget.close()
        if _current is self:
            _current = None

    # ------------------------------------------------------------ on the page

    def open(self) -> None:
        """Show the box in the cell that is running, and begin to publish."""
        self.box.show()
        self._publisher.start()
        self._session.worker.start()
        self._session.holding.start()
        self._session.audits.start()
        self._publisher.poke()  # what this box opens with may have a run to draw

    def _ipython_display_(self) -> None:
        self.box.show()

    def retire(self) -> None:
        """Make way for a newer cell: say so in this one, and take no more commands."""
        self._end()
        beat = self._publisher.states.get("beat", Beat())
        moved = beat.model_copy(update={"moved": True, "seq": beat.seq + 1})
        self._workbench.publish({"beat": dump(moved)})
        self._workbench.retire()
        self.box.children = (self._workbench,)

    def _end(self) -> None:
        if self._commands.moved:
            return
        self._commands.moved = True
        self._unsubscribe()
        self._unfollow()
        self._publisher.close()
        self._session.close()
        close_all(self._dashboard.box)

    # ------------------------------------------------------------ what the commands need

    def publish(self) -> None:
        """Show what changed, now."""
        self._publisher.publish()

    def pull(self, seen: Mapping[str, int], page: str = "", shows: Shows = "canvas") -> None:
        """Show what changed and send what was missed; a page says what of it can be seen."""
        self._pages.say(page, shows)
        self._publisher.pull(seen)

    def theme(self, name: Theme) -> None:
        """Colour what Python colours."""
        self._dashboard.theme(None if name == "auto" else name)

    # ------------------------------------------------------------ inside

    def _answer(self, message: Any, buffers: Sequence[Any] = ()) -> dict[str, Any]:
        return rpc.reply(self._commands.handlers, message, buffers)

    def _write(self, states: Mapping[str, dict[str, Any]]) -> None:
        if states:
            self._workbench.publish(states)

    def _resend(self, names: list[str]) -> None:
        self._workbench.send_state(names)

    def _run_changed(self) -> None:
        self._session.probe()
        self._publisher.poke(urgent=True)

    def _show_run(self) -> None:
        """Bring the dashboard up to date, in the thread of whoever publishes."""
        if threading.current_thread() is self._publisher.thread and not self._pushes:
            return
        views = self._session.latest
        shown = self._session.shown(views)
        view = next((view for view in views if view.id == shown), None)
        if not self._is_seen(view):
            return
        if view is not None and (view.curve or view.points) and not self._charts_ready():
            with self._session.lock:
                self._dashboard.soon()
            return
        run = self._session.manager.run(view.id) if view else None
        with self._session.lock:
            others = [other for other in views if other is not view]
            self._dashboard.show(run, view, others, self._session.chosen(shown))

    def _is_seen(self, view: "RunView | None") -> bool:
        """Whether the dashboard is worth its time: someone looks, or a run has ended here.

        While a run trains, and before one did, only who looks at it pays for it.
        """
        training = view is not None and view.active
        self._trained = self._trained or training
        return self._pages.analytics or (self._trained and not training)

    def _charts_ready(self) -> bool:
        """Whether bqplot is imported; it takes a second, so the worker does it."""
        if not self._charts.is_set() and not self._charts_asked:
            self._charts_asked = True
            self._session.worker.submit(self._import_charts)
        return self._charts.is_set()

    def _import_charts(self) -> None:
        import_module("easymodel_nb.widgets.dashboard.marks")
        self._charts.set()
        self._publisher.poke()


def studio(
    home: str | os.PathLike[str] | None = None,
    *,
    project: str | None = None,
    replay: object = None,
    theme: str = "auto",
    height: int = 640,
) -> Studio:
    """Open the studio in this cell and return at once.

    Parameters
    ----------
    home
        Where projects and runs lie; by default EASYMODEL_HOME, else a folder of this machine.
    project
        The name or id of the project to open; by default the one that was open last.
    replay
        A recorded run to be played again, with its canvas, charts and samples: a run or its
        folder, a report's folder or zip, an `events.jsonl`, or "builtin:requests". Neither torch
        nor transformers is needed; nothing is trained; Stop shows its end at once.
    theme
        "light" or "dark" from now on; "auto" leaves what was chosen before.
    height
        The height of the canvas in pixels, 420 to 1200.

    Raises
    ------
    StudioError
        When an argument cannot be used.

    """
    if theme not in get_args(Theme):
        raise problem_error(
            "theme.unknown", f"There is no theme {theme!r}; there are auto, light and dark."
        )
    session = _session(home, height) if replay is None else _replayed(replay, height)
    if project is not None:
        session.open(session.find(project))
    if theme != "auto":
        session.store.settings.remember(theme=theme)
    return _replace_current(Studio(session))


def _replayed(source: object, height: int) -> Session:
    """A session on a home of its own, in which the recorded run is played from now on."""
    player = Player(recording(source))
    started = player.recording.events[0].get("time", "")
    session = Session(
        player.home,
        player,
        height=_within(height),
        describe=described(player.recording),
        variables=list,
        audits=Gate(),
        notice=f"Recorded run of {moment(started)}, played again. Nothing is trained here.",
    )
    player.start()
    return session


def _within(height: int) -> int:
    low, high = _HEIGHTS
    return min(high, max(low, height))


def _session(home: str | os.PathLike[str] | None, height: int) -> Session:
    from easymodel_nb.train.manager import manager_of  # noqa: PLC0415  keeps `import widgets` lean

    places = environment.places(home)
    folder = places.home  # where it cannot be made, projects are kept in memory
    with contextlib.suppress(OSError):
        if folder.is_file():
            raise problem_error(
                "home.file",
                f"EasyModel's home {folder} is a file. Name another folder: studio(home=...).",
            )
    manager = manager_of(folder)
    mirroring = mirroring_of(places, manager.subscribe)  # a fresh home has its projects then
    session = Session(folder, manager, height=_within(height), notice=places.notice)
    return session.mirrored(mirroring)


def _replace_current(made: Studio) -> Studio:
    """Open the new studio; the one before leaves its cell to a sentence."""
    global _current
    previous, _current = _current, made
    if previous is not None:
        previous.retire()
    made.open()
    return made
